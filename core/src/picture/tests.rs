//! Facts that can be read off the pixels.

use super::*;
use crate::beats::{Beat, TempoSegment};
use crate::harmony::{Chord, PitchClass, Quality};
use crate::units::SampleRate;
use crate::waveform::{COLUMNS_PER_SECOND, Column, LEVEL_STEP};
use proptest::prelude::*;

/// A column whose bands and peaks have these levels, 0 to 1.
fn column([low, mid, high]: [f32; 3]) -> Column {
    let peak = low.max(mid).max(high);
    let companded = |level: f32| (level.sqrt() * 255.0).round() as u8;
    Column {
        min: (peak * -127.0) as i8,
        max: (peak * 127.0) as i8,
        rms: companded(peak * 0.5),
        low: companded(low),
        mid: companded(mid),
        high: companded(high),
    }
}

/// A waveform of `secs` seconds with the sound that `at` gives for each moment.
fn waveform(secs: f64, at: impl Fn(f64) -> [f32; 3]) -> Waveform {
    let rate = f64::from(COLUMNS_PER_SECOND);
    let finest: Vec<Column> = (0..(secs * rate) as u32)
        .map(|index| column(at(f64::from(index) / rate)))
        .collect();
    let mut levels = vec![finest];
    while levels[levels.len() - 1].len() > 300 {
        let coarser = levels[levels.len() - 1]
            .chunks(LEVEL_STEP)
            .map(|columns| {
                columns.iter().fold(columns[0], |a, b| Column {
                    min: a.min.min(b.min),
                    max: a.max.max(b.max),
                    rms: a.rms.max(b.rms),
                    low: a.low.max(b.low),
                    mid: a.mid.max(b.mid),
                    high: a.high.max(b.high),
                })
            })
            .collect();
        levels.push(coarser);
    }
    Waveform {
        rate: SampleRate::new(44_100).unwrap(),
        frames: (secs * 44_100.0) as u64,
        levels,
    }
}

fn beats(first: f64, period: f64, count: u32) -> Beats {
    Beats {
        beats: (0..count)
            .map(|beat| Beat {
                at: Secs(first + f64::from(beat) * period),
                position: (beat % 4 + 1) as u8,
            })
            .collect(),
        grid: None,
        segments: vec![TempoSegment {
            start: Secs(0.0),
            bpm: Bpm(60.0 / period),
            beats_per_bar: 4,
        }],
        bpm: Bpm(60.0 / period),
        confidence: 0.9,
        alternatives: Vec::new(),
    }
}

fn chord(from: f64, to: f64, root: u8) -> ChordSpan {
    ChordSpan {
        start: Secs(from),
        end: Secs(to),
        start_raw: Secs(from),
        end_raw: Secs(to),
        chord: Some(Chord {
            root: PitchClass::new(root),
            quality: Quality::Major,
            bass: None,
        }),
        confidence: 1.0,
    }
}

/// A decoded picture.
struct Pixels {
    width: usize,
    rgb: Vec<u8>,
}

impl Pixels {
    fn of(request: &PictureRequest<'_>) -> Self {
        let png = render(request).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.width, info.height), (request.width, request.height));
        Self {
            width: info.width as usize,
            rgb,
        }
    }

    fn at(&self, x: usize, y: usize) -> [i32; 3] {
        let place = (y * self.width + x) * 3;
        [0, 1, 2].map(|channel| i32::from(self.rgb[place + channel]))
    }

    /// Rows of column `x` between `from` and `to` that are clearly brighter than the ground.
    fn lit(&self, x: usize, from: usize, to: usize) -> usize {
        (from..to)
            .filter(|y| self.at(x, *y).iter().sum::<i32>() > 120)
            .count()
    }
}

fn wave_of(request: &PictureRequest<'_>) -> Rect {
    let content = Content {
        header: request.title.is_some(),
        zoomed: request.from.is_some(),
        beats: request.beats.is_some(),
        chords: !request.chords.is_empty(),
        keys: request.key_segments.len() > 1,
    };
    Layout::new(request.width, request.height, content).wave
}

#[test]
fn what_is_louder_is_taller_at_every_zoom() {
    let waveform = waveform(60.0, |at| {
        if at < 30.0 {
            [0.9, 0.1, 0.1]
        } else {
            [0.2, 0.1, 0.1]
        }
    });
    for view in [None, Some((25.0, 35.0)), Some((29.9, 30.1))] {
        let mut request = PictureRequest::new(&waveform, 800, 200);
        request.from = view.map(|(from, _)| Secs(from));
        request.to = view.map(|(_, to)| Secs(to));
        let pixels = Pixels::of(&request);
        let wave = wave_of(&request);
        let (top, bottom) = (wave.y as usize, wave.bottom() as usize);
        let loud = pixels.lit(200, top, bottom);
        let quiet = pixels.lit(600, top, bottom);
        assert!(loud > (wave.h * 0.8) as usize, "{loud} of {}", wave.h);
        assert!(
            (1..loud / 2).contains(&quiet),
            "{quiet} beside {loud} in {view:?}"
        );
    }
}

#[test]
fn each_band_has_its_colour() {
    let waveform = waveform(9.0, |at| match at {
        at if at < 3.0 => [0.8, 0.0, 0.0],
        at if at < 6.0 => [0.0, 0.8, 0.0],
        _ => [0.0, 0.0, 0.8],
    });
    let request = PictureRequest::new(&waveform, 900, 200);
    let pixels = Pixels::of(&request);
    let wave = wave_of(&request);
    let y = (wave.y + wave.h * 0.4) as usize;
    let [r, _, b] = pixels.at(150, y);
    assert!(b > r + 80, "low is blue");
    let [r, _, b] = pixels.at(450, y);
    assert!(r > b + 80, "mid is orange");
    let [r, g, b] = pixels.at(750, y);
    assert!(r.min(g).min(b) > 180, "high is white");
}

#[test]
fn beat_lines_stand_at_their_time_and_downbeats_are_red() {
    let silent = waveform(8.0, |_| [0.0; 3]);
    let beats = beats(1.0, 0.5, 14);
    let mut request = PictureRequest::new(&silent, 1000, 300);
    request.beats = Some(&beats);
    let pixels = Pixels::of(&request);
    let wave = wave_of(&request);
    let y = (wave.y + wave.h * 0.25) as usize;
    let x = |secs: f64| (f64::from(wave.x) + secs / 8.0 * f64::from(wave.w)).round() as usize;
    let brightest = |secs: f64| {
        let middle = x(secs);
        (middle - 2..=middle + 1)
            .map(|x| pixels.at(x, y))
            .max()
            .unwrap()
    };
    let [red, green, _] = brightest(1.0);
    assert!(red > 120 && red > green * 2, "a red line at the downbeat");
    let [red, green, _] = brightest(1.5);
    assert!(
        red > 25 && (red - green).abs() < 8,
        "a grey line at another beat"
    );
    let ground = pixels.at(x(1.25), y);
    assert!(
        ground.iter().all(|channel| *channel < 25),
        "{ground:?} between them"
    );
}

#[test]
fn chords_fill_their_time_in_their_own_colour() {
    let silent = waveform(10.0, |_| [0.0; 3]);
    let chords = [chord(0.0, 5.0, 0), chord(5.0, 10.0, 6)];
    let mut request = PictureRequest::new(&silent, 1000, 300);
    request.chords = &chords;
    let layout = Layout::new(
        1000,
        300,
        Content {
            header: false,
            zoomed: false,
            beats: false,
            chords: true,
            keys: false,
        },
    );
    let lane = layout.chords.unwrap();
    let pixels = Pixels::of(&request);
    let y = (lane.y + lane.h - 5.0) as usize;
    let wanted = |chord: usize| {
        palette::chord_colour(chords[chord].chord.unwrap())
            .0
            .map(|channel| channel.round() as i32)
    };
    for (x, chord) in [(300, 0), (490, 0), (510, 1), (900, 1)] {
        for (found, wanted) in pixels.at(x, y).into_iter().zip(wanted(chord)) {
            assert!((found - wanted).abs() <= 2, "chord {chord} at {x}");
        }
    }
}

#[test]
fn a_part_is_shown_with_the_whole_above_it() {
    let waveform = waveform(100.0, |_| [0.5, 0.3, 0.1]);
    let mut request = PictureRequest::new(&waveform, 1000, 400);
    let whole = Pixels::of(&request);
    (request.from, request.to) = (Some(Secs(50.0)), Some(Secs(60.0)));
    let part = Pixels::of(&request);
    let content = Content {
        header: false,
        zoomed: true,
        beats: false,
        chords: false,
        keys: false,
    };
    let overview = Layout::new(1000, 400, content).overview.unwrap();
    let y = (overview.y + overview.h / 2.0 - 4.0) as usize;
    let sum = |x: usize| part.at(x, y).iter().sum::<i32>();
    assert!(sum(550) > sum(200) * 3 / 2, "the part in view is lit");
    assert!(sum(550) > sum(800) * 3 / 2);
    assert_ne!(whole.rgb, part.rgb);
}

#[test]
fn what_cannot_be_drawn_is_refused_with_its_reason() {
    let waveform = waveform(10.0, |_| [0.1; 3]);
    for (width, height) in [(63, 100), (100, 63), (16_385, 64), (16_384, 16_384), (0, 0)] {
        let request = PictureRequest::new(&waveform, width, height);
        assert!(
            matches!(render(&request), Err(PictureError::Size { .. })),
            "{width} {height}"
        );
    }
    for (from, to) in [
        (5.0, 5.0),
        (6.0, 5.0),
        (10.0, 20.0),
        (-5.0, 0.0),
        (f64::NAN, 5.0),
        (0.0, f64::INFINITY),
    ] {
        let mut request = PictureRequest::new(&waveform, 100, 100);
        (request.from, request.to) = (Some(Secs(from)), Some(Secs(to)));
        let error = render(&request).unwrap_err();
        assert!(
            error.to_string().contains("the track has 10.0 s"),
            "{error}"
        );
    }
}

#[test]
fn silence_and_nothing_at_all_are_drawn() {
    let silent = waveform(5.0, |_| [0.0; 3]);
    let empty = Waveform {
        rate: silent.rate,
        frames: 0,
        levels: vec![Vec::new()],
    };
    let broken = Waveform {
        rate: silent.rate,
        frames: 44_100,
        levels: Vec::new(),
    };
    let instant = Waveform {
        rate: silent.rate,
        frames: 1,
        levels: vec![vec![column([1.0; 3])]],
    };
    for waveform in [&silent, &empty, &broken, &instant] {
        Pixels::of(&PictureRequest::new(waveform, 300, 100));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_request_breaks_the_drawing(
        (width, height) in (64_u32..900, 64_u32..500),
        view in proptest::option::of((-1.0_f64..12.0, -1.0_f64..12.0)),
        secs in 0.0_f64..10.0,
        odd in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1e300), -20.0_f64..20.0],
        title in proptest::option::of("\\PC{0,60}"),
        bytes in proptest::collection::vec(any::<[u8; 6]>(), 1..50),
    ) {
        let mut waveform = waveform(secs, |_| [0.3; 3]);
        for (column, bytes) in waveform.levels[0].iter_mut().zip(&bytes) {
            *column = bytemuck::cast(*bytes);
        }
        let mut beats = beats(odd, 0.3, 20);
        beats.beats.push(Beat { at: Secs(1.0), position: 1 });
        let chords = [chord(odd, 2.0, 3), chord(2.0, odd, 4), chord(1.0, 1.01, 5)];
        let keys = [odd, 3.0].map(|at| KeySpan { start: Secs(at), end: Secs(at + 3.0), key: Key::parse("8A").unwrap() });
        let mut request = PictureRequest::new(&waveform, width, height);
        request.from = view.map(|(from, _)| Secs(from));
        request.to = view.map(|(_, to)| Secs(to));
        request.beats = Some(&beats);
        request.chords = &chords;
        request.key_segments = &keys;
        request.key = Key::parse("5B");
        request.bpm = Some(Bpm(odd));
        request.loudness = Some(Loudness { integrated: Some(odd), ..Loudness::default() });
        request.title = title.as_deref();
        match render(&request) {
            Ok(png) => prop_assert!(png.starts_with(b"\x89PNG")),
            Err(PictureError::Range { .. }) => prop_assert!(view.is_some()),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
