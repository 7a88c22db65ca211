//! What a frame of the track page costs while it plays: the whole pass of the window's toolkit at 1920 × 1080.
//!
//! `TONEARM_BENCH_CPU=1 cargo bench --profile quick --bench frame` prints CPU time. What the graphics card does comes
//! on top, and so does the handful of numbers that it is sent.

#![expect(
    clippy::expect_used,
    reason = "a bench without its track has nothing to measure"
)]

#[path = "clock/cpu.rs"]
mod cpu;
#[path = "../tests/library/rows.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod rows;

use eframe::egui::{self, Context, Event, Pos2, RawInput, Rect, Vec2, pos2};
use std::collections::BTreeSet;
use std::sync::Arc;
use tonearm::outbox::Outbox;
use tonearm::scene::Scene;
use tonearm::settings::Settings;
use tonearm::shelf::{Samples, Shelf};
use tonearm::theme;
use tonearm::views::track::{TrackPanel, track_ui};
use tonearm_core::beats::{Beat, Beats, TempoSegment};
use tonearm_core::core_loop::view::{Rows, View};
use tonearm_core::export::document::TrackDetails;
use tonearm_core::harmony::{Chord, ChordSpan, Key, KeyFinding, KeySpan, PitchClass, Quality};
use tonearm_core::playback::{Loaded, PlayerView, Playhead, StemMix, StemSound, Transport};
use tonearm_core::track::TrackId;
use tonearm_core::units::{Bpm, Frame, SampleRate, Secs};
use tonearm_core::waveform::{COLUMNS_PER_SECOND, Column, Waveform};

const RATE: u32 = 48_000;
/// Lengths in seconds.
const LENGTHS: [u32; 3] = [60, 600, 3 * 3600];
const ZOOMS: [Zoom; 3] = [Zoom::Whole, Zoom::Middle, Zoom::Samples];

fn main() {
    if !cpu::is_wanted() {
        return divan::main();
    }
    for secs in LENGTHS {
        for zoom in ZOOMS {
            let mut window = Window::new(secs, zoom);
            cpu::report(&format!("{secs} s, {zoom:?}, playing"), || window.frame());
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Zoom {
    Whole,
    Middle,
    Samples,
}

impl Zoom {
    /// Seconds in a point.
    fn per_point(self) -> f64 {
        match self {
            Self::Whole => 1e9,
            Self::Middle => 0.0125,
            Self::Samples => 0.5 / f64::from(RATE),
        }
    }
}

fn waveform(secs: u32) -> Waveform {
    let rate = SampleRate::new(RATE).expect("a rate");
    let columns = (0..secs * COLUMNS_PER_SECOND).map(|index| {
        let level = 120 - (index % 150).min(100) as i8;
        Column {
            min: -level,
            max: level,
            rms: 150,
            low: 200,
            mid: (index % 200) as u8,
            high: 90,
        }
    });
    Waveform::from_columns(rate, u64::from(secs * RATE), columns.collect())
}

fn chord(bar: u32) -> ChordSpan {
    let [start, end] = [bar, bar + 1].map(|bar| Secs(f64::from(bar) * 2.0));
    ChordSpan {
        start,
        end,
        start_raw: start,
        end_raw: end,
        chord: Some(Chord {
            bass: None,
            root: PitchClass::new((bar * 5 % 12) as u8),
            quality: Quality::Minor7,
        }),
        confidence: 0.8,
    }
}

fn key(secs: u32) -> Option<KeyFinding> {
    let key = Key::parse("8A")?;
    Some(KeyFinding {
        key,
        confidence: 0.7,
        alternatives: vec![(key, 0.2)],
        segments: vec![KeySpan {
            start: Secs(0.0),
            end: Secs(f64::from(secs)),
            key,
        }],
    })
}

fn details(secs: u32) -> TrackDetails {
    let beats = (0..secs * 2).map(|beat| Beat {
        at: Secs(f64::from(beat) * 0.5),
        position: (beat % 4 + 1) as u8,
    });
    TrackDetails {
        beats: Some(Beats {
            beats: beats.collect(),
            grid: None,
            segments: vec![TempoSegment {
                start: Secs(0.0),
                bpm: Bpm(120.0),
                beats_per_bar: 4,
            }],
            bpm: Bpm(120.0),
            confidence: 0.9,
            alternatives: Vec::new(),
        }),
        key: key(secs),
        chords: Some((0..secs / 2).map(chord).collect()),
        by_hand: BTreeSet::new(),
    }
}

/// A window without a screen.
struct Window {
    ctx: Context,
    view: View,
    sound: PlayerView,
    shelf: Shelf,
    settings: Settings,
    panel: TrackPanel,
    track: TrackId,
    middle: f64,
    frames: u32,
}

impl Window {
    fn new(secs: u32, zoom: Zoom) -> Self {
        let row = rows::row(1);
        let track = row.track.id;
        let shelf = Shelf::default();
        let waveform = waveform(secs);
        let rate = waveform.rate;
        shelf.put_waveform(track, Arc::new(waveform));
        shelf.put_details(track, Arc::new(details(secs)));
        let middle = f64::from(secs / 2);
        let mono = (0..RATE * 20).map(|frame| (frame as f32 * 0.02).sin());
        shelf.put_samples(
            track,
            Arc::new(Samples {
                rate,
                start: Frame(u64::from((secs / 2 - 5) * RATE)),
                mono: mono.collect(),
            }),
        );
        let mut window = Self {
            ctx: Context::default(),
            view: View {
                rows: Rows::new(vec![row]),
                ..View::default()
            },
            sound: PlayerView {
                transport: Transport::Playing,
                loaded: Some(Loaded {
                    track,
                    duration: Secs(f64::from(secs)),
                    cue: Secs(1.0),
                    stems: StemSound::Absent,
                    mix: StemMix::default(),
                    trouble: None,
                }),
                ..PlayerView::default()
            },
            shelf,
            settings: Settings::default(),
            panel: TrackPanel {
                track: Some(track),
                per_point: zoom.per_point(),
                ..TrackPanel::default()
            },
            track,
            middle,
            frames: 0,
        };
        theme::install(&window.ctx);
        for _warm_up in 0..5 {
            window.frame();
        }
        window
    }

    /// One frame of sixty a second; the number of vertices.
    fn frame(&mut self) -> usize {
        self.frames += 1;
        let time = f64::from(self.frames) / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, Vec2::new(1920.0, 1080.0))),
            time: Some(time),
            events: vec![Event::PointerMoved(pos2(900.0, 500.0))],
            ..RawInput::default()
        };
        let scene = Scene {
            view: &self.view,
            sound: &self.sound,
            playhead: Some(Playhead {
                track: self.track,
                at: Secs(self.middle + time % 10.0),
                speed: 1.0,
            }),
            sought: None,
            shelf: &self.shelf,
            settings: &self.settings,
            setup: &tonearm_core::setup::SetupView::default(),
            ready: true,
        };
        let panel = &mut self.panel;
        let mut out = Outbox::default();
        let output = self.ctx.run_ui(input, |ui| {
            egui::CentralPanel::default().show(ui, |ui| track_ui(ui, &scene, panel, &mut out));
        });
        let shapes = output.shapes.clone();
        let scale = output.pixels_per_point;
        output.drop_without_applying_deltas();
        let meshes = self.ctx.tessellate(shapes, scale);
        meshes
            .iter()
            .map(|mesh| match &mesh.primitive {
                egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
                egui::epaint::Primitive::Callback(_) => 0,
            })
            .sum()
    }
}

#[divan::bench(args = LENGTHS)]
fn the_whole_track(bencher: divan::Bencher<'_, '_>, secs: u32) {
    let mut window = Window::new(secs, Zoom::Whole);
    bencher.bench_local(|| window.frame());
}

#[divan::bench(args = LENGTHS)]
fn a_few_bars(bencher: divan::Bencher<'_, '_>, secs: u32) {
    let mut window = Window::new(secs, Zoom::Middle);
    bencher.bench_local(|| window.frame());
}

#[divan::bench(args = LENGTHS)]
fn single_samples(bencher: divan::Bencher<'_, '_>, secs: u32) {
    let mut window = Window::new(secs, Zoom::Samples);
    bencher.bench_local(|| window.frame());
}
