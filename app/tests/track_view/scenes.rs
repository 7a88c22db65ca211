//! Scenes made by hand: a track of two minutes with all that can be known of it, and the same in trouble.

#![expect(
    clippy::expect_used,
    reason = "a scene that cannot be made fails its test"
)]

use eframe::egui::{self, Vec2};
use eframe::egui_wgpu::{RenderState, RendererOptions};
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use egui_kittest::{Harness, HarnessBuilder};
use std::collections::BTreeSet;
use std::f32::consts::TAU;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tonearm::action::Action;
use tonearm::outbox::Outbox;
use tonearm::scene::Scene;
use tonearm::settings::Settings;
use tonearm::shelf::{Samples, Shelf, Stems};
use tonearm::views::track::{TrackPanel, strip, track_ui};
use tonearm_core::artifact::{Artifact, ArtifactRecord, Maker, Recipe};
use tonearm_core::audio::{LiveColumns, Peaks};
use tonearm_core::beats::{Beat, Beats, ConstantGrid, TempoAlternative, TempoSegment};
use tonearm_core::control::Control;
use tonearm_core::core_loop::view::{Rows, RunningJob, View};
use tonearm_core::export::document::TrackDetails;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::findings::records::Records;
use tonearm_core::findings::{Knowledge, Summary};
use tonearm_core::harmony::{Chord, ChordSpan, Key, KeyFinding, KeySpan, PitchClass, Quality};
use tonearm_core::playback::{
    Loaded, OutputState, PlayerView, Playhead, StemMix, StemSound, Transport,
};
use tonearm_core::row::{ArtifactState, Row, TrackState};
use tonearm_core::setup::SetupView;
use tonearm_core::stems::{Stem, StemFiles};
use tonearm_core::track::{AudioFormat, FilePath, FileStamp, Tags, Track, TrackId};
use tonearm_core::units::{Bpm, Frame, SampleRate, Secs};
use tonearm_core::waveform::Waveform;

pub(crate) const RATE: u32 = 22_050;
const SECS: u32 = 120;
const ID: TrackId = TrackId(7);

/// A scene that owns what it shows.
pub(crate) struct Made {
    pub(crate) view: View,
    pub(crate) sound: PlayerView,
    pub(crate) playhead: Option<Playhead>,
    pub(crate) shelf: Shelf,
    pub(crate) settings: Settings,
    pub(crate) setup: SetupView,
    pub(crate) panel: TrackPanel,
    pub(crate) out: Outbox,
}

impl Made {
    pub(crate) fn analyzed() -> Self {
        let made = Self::of(row(TrackState::Ready, ArtifactState::Done));
        made.shelf.put_waveform(ID, Arc::clone(&music().1));
        made.shelf.put_samples(ID, Arc::clone(&music().0));
        made.shelf.put_details(ID, Arc::new(details()));
        made
    }

    pub(crate) fn bare() -> Self {
        Self::of(row(TrackState::Partial, ArtifactState::Absent))
    }

    pub(crate) fn working() -> Self {
        let mut made = Self::of(row(TrackState::Analyzing, ArtifactState::Running));
        let control = Control::default();
        control.set_progress(0.4);
        made.view.activity.running.push(RunningJob {
            track: ID,
            wants: BTreeSet::from([Artifact::Waveform, Artifact::Beats, Artifact::Key]),
            by_models: BTreeSet::new(),
            control,
            live: None,
        });
        made
    }

    /// Being listened to: what has been heard so far is there.
    pub(crate) fn growing() -> Self {
        let mut made = Self::working();
        let live = LiveColumns::default();
        let mut peaks = Peaks::new(SampleRate::new(RATE).expect("a rate")).watched_by(live.clone());
        peaks.push(&music().0.mono[..(45 * RATE) as usize]);
        made.view.activity.running[0].live = Some(live);
        made
    }

    pub(crate) fn missing() -> Self {
        let mut row = row(TrackState::Missing, ArtifactState::Absent);
        row.track.missing = true;
        Self::of(row)
    }

    pub(crate) fn failed() -> Self {
        let mut row = row(TrackState::Failed, ArtifactState::Failed);
        let failure = Failure::new(
            FailureKind::Damaged,
            "the rhythm could not be followed",
            "Set the tempo by hand",
        );
        row.knowledge.records = [(Artifact::Beats, record(Some(failure)))].into();
        let made = Self::of(row);
        made.shelf.put_waveform(ID, Arc::clone(&music().1));
        made
    }

    /// Nothing is known but the waveform.
    pub(crate) fn forget_findings(&self) {
        self.shelf.put_details(
            ID,
            Arc::new(TrackDetails {
                beats: None,
                key: None,
                chords: None,
                by_hand: BTreeSet::new(),
            }),
        );
    }

    fn of(row: Row) -> Self {
        let mut made = Self {
            view: View {
                rows: Rows::new(vec![row]),
                ..View::default()
            },
            sound: PlayerView::default(),
            playhead: None,
            shelf: Shelf::default(),
            settings: Settings::default(),
            setup: SetupView::default(),
            panel: TrackPanel {
                track: Some(ID),
                ..TrackPanel::default()
            },
            out: Outbox::default(),
        };
        hear(&mut made, Some(29.85));
        made
    }

    fn with_scene<T>(
        &mut self,
        act: impl FnOnce(&Scene<'_>, &mut TrackPanel, &mut Outbox) -> T,
    ) -> T {
        let scene = Scene {
            view: &self.view,
            sound: &self.sound,
            playhead: self.playhead,
            sought: None,
            shelf: &self.shelf,
            settings: &self.settings,
            setup: &self.setup,
            ready: true,
        };
        act(&scene, &mut self.panel, &mut self.out)
    }

    pub(crate) fn act(&mut self, action: Action) -> bool {
        self.with_scene(|scene, panel, out| panel.act(action, scene, out))
    }

    pub(crate) fn show_strip(&mut self, ui: &mut egui::Ui) {
        self.with_scene(|scene, _panel, out| strip::strip_ui(ui, scene, out));
    }

    pub(crate) fn show(&mut self, ui: &mut egui::Ui) {
        self.with_scene(|scene, panel, out| track_ui(ui, scene, panel, out));
    }
}

/// Says who made something of the track.
pub(crate) fn made_by(made: &mut Made, artifact: Artifact, maker: Maker) {
    let mut row = made
        .view
        .rows
        .iter()
        .next()
        .expect("a row")
        .as_ref()
        .clone();
    let mut by = record(None);
    by.recipe = Recipe {
        maker,
        version: 3,
        parameters: String::new(),
        model: None,
    }
    .into();
    row.knowledge.records.insert(artifact, by);
    made.view.rows = Rows::new(vec![row]);
}

/// Gives the track stems, of which the player hears what `mix` says; `None`: it does not have them yet.
pub(crate) fn take_apart(made: &mut Made, is_draft: bool, mix: Option<StemMix>) {
    let whole = &music().1;
    let stems = Stems {
        files: Arc::new(StemFiles {
            paths: Stem::ALL.map(|stem| PathBuf::from(stem.file_name())),
            gain: 1.0,
            frames: u64::from(SECS) * 44_100,
            rate: SampleRate::new(44_100).expect("a rate"),
        }),
        waveforms: Stem::ALL.map(|stem| Arc::new(softer(whole, 1 + stem as i8))),
        is_draft,
    };
    if let (Some(mix), Some(loaded)) = (mix, &mut made.sound.loaded) {
        loaded.stems = StemSound::Ready(Arc::clone(&stems.files));
        loaded.mix = mix;
    }
    made.shelf.put_stems(ID, Arc::new(stems));
}

/// The same at so many times less.
fn softer(whole: &Waveform, times: i8) -> Waveform {
    let mut softer = whole.clone();
    for column in softer.levels.iter_mut().flatten() {
        column.min /= times;
        column.max /= times;
        let powers = [
            &mut column.rms,
            &mut column.low,
            &mut column.mid,
            &mut column.high,
        ];
        for power in powers {
            *power = (f32::from(*power) / f32::from(times).sqrt()) as u8;
        }
    }
    softer
}

/// Puts the track into the player, paused at `at` seconds; or takes it out.
pub(crate) fn hear(made: &mut Made, at: Option<f64>) {
    made.playhead = at.map(|at| Playhead {
        track: ID,
        at: Secs(at),
        speed: 0.0,
    });
    made.sound.transport = at.map_or(Transport::Empty, |_| Transport::Paused);
    made.sound.loaded = at.map(|_| Loaded {
        track: ID,
        duration: Secs(f64::from(SECS)),
        cue: Secs(28.9),
        stems: StemSound::Absent,
        mix: StemMix::default(),
        trouble: None,
    });
    made.sound.output = OutputState::Open {
        name: "Loudspeakers".to_owned(),
        rate: 48_000,
        channels: 2,
        latency_ms: Some(12),
    };
}

/// Sets the zoom: seconds in a point.
pub(crate) fn look(made: &mut Made, per_point: f64) {
    made.panel.per_point = per_point;
}

/// A card that cannot draw waveforms.
pub(crate) fn bare_state() -> RenderState {
    create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE)
}

pub(crate) fn render_state() -> RenderState {
    let state = bare_state();
    tonearm::gpu::install(&state);
    // What the window only notes is a mistake in a test.
    let told = |error| panic!("the card refuses: {error}");
    state.device.on_uncaptured_error(Arc::new(told));
    state
}

pub(crate) fn harness(made: Made, size: [f32; 2]) -> Harness<'static, Made> {
    shown(made, builder(render_state(), size))
}

/// On a card that cannot draw waveforms.
pub(crate) fn plain_harness(made: Made, size: [f32; 2]) -> Harness<'static, Made> {
    shown(made, builder(bare_state(), size))
}

/// For letters that the fonts of the tests do not have.
pub(crate) fn foreign_harness(made: Made, size: [f32; 2]) -> Harness<'static, Made> {
    shown(made, builder(render_state(), size).allow_missing_glyphs())
}

fn builder(state: RenderState, size: [f32; 2]) -> HarnessBuilder<Made> {
    Harness::builder()
        .with_size(Vec2::from(size))
        .with_context_setup(tonearm::theme::install)
        .renderer(WgpuTestRenderer::from_render_state(state))
}

fn shown(made: Made, builder: HarnessBuilder<Made>) -> Harness<'static, Made> {
    builder.build_ui_state(
        |ui, made: &mut Made| {
            egui::CentralPanel::default().show(ui, |ui| made.show(ui));
        },
        made,
    )
}

fn record(failure: Option<Failure>) -> ArtifactRecord {
    ArtifactRecord {
        recipe: Recipe {
            maker: Maker::Native,
            version: 1,
            parameters: String::new(),
            model: None,
        }
        .into(),
        made_from: FileStamp {
            bytes: 1,
            modified_ns: 0,
        },
        cpu_secs: 1.0,
        failure: failure.map(Box::new),
        nothing_found: false,
    }
}

fn row(state: TrackState, artifacts: ArtifactState) -> Row {
    let done = artifacts == ArtifactState::Done;
    Row {
        track: Box::new(Track {
            id: ID,
            path: FilePath(PathBuf::from("night-ferry.mp3")),
            root: PathBuf::from("night-ferry.mp3").into(),
            stamp: FileStamp {
                bytes: 1,
                modified_ns: 0,
            },
            tags: Tags {
                title: Some("Night Ferry".into()),
                artist: Some("Harbour Lights".into()),
                album: Some("Crossings".into()),
                ..Tags::default()
            },
            format: Some(AudioFormat {
                codec: "mp3".into(),
                sample_rate: SampleRate::new(RATE).expect("a rate"),
                channels: 2,
                bitrate_kbps: Some(320),
                duration: Secs(f64::from(SECS)),
            }),
            hash: None,
            added: "2026-01-01T00:00:00Z".parse().expect("a time"),
            missing: false,
            damage: None,
            sources: Vec::new(),
            borrowed: tonearm_core::track::TagFields::default(),
        }),
        knowledge: Box::new(Knowledge {
            records: Records::new(),
            summary: if done {
                Summary {
                    bpm: Some(Bpm(120.0)),
                    key: Key::parse("8A"),
                    ..Summary::default()
                }
            } else {
                Summary::default()
            },
            ..Knowledge::default()
        }),
        state,
        artifacts: [artifacts; Artifact::ALL.len()],
        duplicates: Vec::new(),
        revision: 1,
        search_text: String::new(),
    }
}

/// Beats every half second from 1.5 s on.
fn details() -> TrackDetails {
    let beats = (0..236_u32).map(|beat| Beat {
        at: Secs(1.5 + f64::from(beat) * 0.5),
        position: (beat % 4 + 1) as u8,
    });
    TrackDetails {
        beats: Some(Beats {
            beats: beats.collect(),
            grid: Some(ConstantGrid {
                bpm: Bpm(120.0),
                first_beat: Secs(1.5),
                first_downbeat: Secs(1.5),
            }),
            segments: vec![TempoSegment {
                start: Secs(0.0),
                bpm: Bpm(120.0),
                beats_per_bar: 4,
            }],
            bpm: Bpm(120.0),
            confidence: 0.85,
            alternatives: vec![TempoAlternative {
                bpm: Bpm(80.0),
                confidence: 0.1,
            }],
        }),
        key: Some(key()),
        chords: Some(chords()),
        by_hand: BTreeSet::new(),
    }
}

fn key() -> KeyFinding {
    let key = |text| Key::parse(text).expect("a key");
    let span = |start: f64, end: f64, text| KeySpan {
        start: Secs(start),
        end: Secs(end),
        key: key(text),
    };
    KeyFinding {
        key: key("8A"),
        confidence: 0.62,
        alternatives: vec![(key("8B"), 0.2), (key("9A"), 0.1)],
        segments: vec![span(0.0, 33.5, "8A"), span(33.5, 120.0, "10A")],
    }
}

fn chords() -> Vec<ChordSpan> {
    let names = [
        Some((9, Quality::Minor)),
        Some((5, Quality::Major7)),
        Some((0, Quality::Major)),
        Some((7, Quality::Dominant7)),
        None,
    ];
    (0..59_u32)
        .map(|bar| {
            let start = Secs(1.5 + f64::from(bar) * 2.0);
            let end = Secs(start.0 + 2.0);
            ChordSpan {
                start,
                end,
                start_raw: start,
                end_raw: end,
                chord: names[bar as usize % names.len()].map(|(root, quality)| Chord {
                    root: PitchClass::new(root),
                    quality,
                    bass: None,
                }),
                confidence: 0.8,
            }
        })
        .collect()
}

/// Kick, bass and a hat on every offbeat; silent before the first beat and for eight bars in the middle.
pub(crate) fn music() -> &'static (Arc<Samples>, Arc<Waveform>) {
    static MUSIC: OnceLock<(Arc<Samples>, Arc<Waveform>)> = OnceLock::new();
    MUSIC.get_or_init(|| {
        let rate = SampleRate::new(RATE).expect("a rate");
        let mono: Vec<f32> = (0..SECS * RATE).map(sound).collect();
        let mut peaks = Peaks::new(rate);
        peaks.push(&mono);
        let waveform = peaks.finish();
        let samples = Samples {
            rate,
            start: Frame(0),
            mono,
        };
        (Arc::new(samples), Arc::new(waveform))
    })
}

fn sound(frame: u32) -> f32 {
    let at = frame as f32 / RATE as f32;
    if at < 1.5 {
        return 0.0;
    }
    let since = (at - 1.5) % 0.5;
    let offbeat = (at - 1.25) % 0.5;
    let bar = ((at - 1.5) / 2.0) as u32;
    let kick = if bar % 16 < 12 {
        (-since * 14.0).exp()
            * (TAU * (48.0 * since + 4.0 * (1.0 - (-since * 40.0).exp()))).sin()
            * 0.75
    } else {
        0.0
    };
    // A hat of noise that is the same every time.
    let noise = ((frame.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32) - 1.0;
    let hat = (-offbeat * 45.0).exp() * noise * 0.3;
    let root = [55.0, 43.65, 65.4, 49.0][bar as usize % 4];
    let bass = (TAU * root * at).sin() * 0.2 * (1.0 - (-since * 10.0).exp());
    let pad = ((TAU * root * 8.0 * at).sin() + (TAU * root * 12.0 * at).sin()) * 0.06;
    kick + hat + bass + pad
}
