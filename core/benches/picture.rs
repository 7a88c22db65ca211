//! Drawing a five-minute track.

use divan::Bencher;
use tonearm_core::beats::{Beat, Beats, TempoSegment};
use tonearm_core::harmony::{Chord, ChordSpan, Key, PitchClass, Quality};
use tonearm_core::picture::{self, PictureRequest};
use tonearm_core::units::{Bpm, SampleRate, Secs};
use tonearm_core::waveform::{Column, Waveform};

const SECS: u32 = 300;

fn main() {
    divan::main();
}

/// Half-second pulses in three bands.
fn waveform() -> Option<Waveform> {
    let column = |index: u32| {
        let fade = 1.0 - (index % 150) as f32 / 150.0;
        let level = |level: f32| (level.sqrt() * 255.0) as u8;
        let peak = (fade * 120.0) as i8;
        Column {
            min: -peak,
            max: peak,
            rms: level(fade * 0.4),
            low: level(fade * 0.9),
            mid: level((1.0 - fade) * 0.5),
            high: level(fade * fade * fade * 0.6),
        }
    };
    let finest: Vec<Column> = (0..SECS * 300).map(column).collect();
    let mut levels = vec![finest];
    while let Some(last) = levels.last().filter(|last| last.len() > 400) {
        let coarser = last.iter().step_by(4).copied().collect();
        levels.push(coarser);
    }
    Some(Waveform {
        rate: SampleRate::new(44_100)?,
        frames: u64::from(SECS) * 44_100,
        levels,
    })
}

fn beats() -> Beats {
    Beats {
        beats: (0..SECS * 2)
            .map(|beat| Beat {
                at: Secs(f64::from(beat) / 2.0),
                position: (beat % 4 + 1) as u8,
            })
            .collect(),
        grid: None,
        segments: vec![TempoSegment {
            start: Secs(0.0),
            bpm: Bpm(120.0),
            beats_per_bar: 4,
        }],
        bpm: Bpm(120.0),
        confidence: 1.0,
        alternatives: Vec::new(),
    }
}

fn chords() -> Vec<ChordSpan> {
    let span = |bar: u32| {
        let (start, end) = (Secs(f64::from(bar) * 2.0), Secs(f64::from(bar) * 2.0 + 2.0));
        ChordSpan {
            start,
            end,
            start_raw: start,
            end_raw: end,
            chord: Some(Chord {
                root: PitchClass::new((bar * 5 % 12) as u8),
                quality: Quality::Minor7,
                bass: None,
            }),
            confidence: 1.0,
        }
    };
    (0..SECS / 2).map(span).collect()
}

#[divan::bench(args = ["whole 1920x480", "part 1920x480", "whole 3840x1080"])]
fn draw(bencher: Bencher<'_, '_>, what: &str) {
    let (Some(waveform), beats, chords) = (waveform(), beats(), chords()) else {
        return;
    };
    let (width, height) = if what.ends_with("1080") {
        (3840, 1080)
    } else {
        (1920, 480)
    };
    let mut request = PictureRequest::new(&waveform, width, height);
    if what.starts_with("part") {
        (request.from, request.to) = (Some(Secs(60.0)), Some(Secs(76.0)));
    }
    request.beats = Some(&beats);
    request.chords = &chords;
    request.bpm = Some(Bpm(120.0));
    request.key = Key::parse("8A");
    request.title = Some("A track of five minutes");
    request.artist = Some("Somebody");
    bencher.bench_local(|| picture::render(&request).map(|png| png.len()));
}
