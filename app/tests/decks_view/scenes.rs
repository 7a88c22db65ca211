//! Decks made by hand: what two players mix, and the same in trouble.

#![expect(
    clippy::expect_used,
    reason = "a scene that cannot be made fails its test"
)]

use eframe::egui::{self, Vec2};
use eframe::egui_wgpu::RendererOptions;
use egui_kittest::Harness;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use std::f32::consts::TAU;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tonearm::outbox::Outbox;
use tonearm::scene::Scene;
use tonearm::settings::Settings;
use tonearm::shelf::{Art, ArtSize, Shelf};
use tonearm::views::decks::overlay::{OverlayScene, overlay_ui};
use tonearm::views::decks::{DecksPanel, Live, decks_ui};
use tonearm_core::artifact::Artifact;
use tonearm_core::audio::Peaks;
use tonearm_core::beats::{Beat, Beats, TempoSegment};
use tonearm_core::core_loop::view::{Rows, View};
use tonearm_core::decks::network::{AnnouncerView, ConnectionView, InterfaceView};
use tonearm_core::decks::{
    Analysis, Candidate, DeckId, DeckView, DecksState, DecksView, Link, Matched, MatchedBy,
    Matching, NetworkView, Place, PlayerArt, Timing, UnitId, UnitView,
};
use tonearm_core::export::document::TrackDetails;
use tonearm_core::findings::records::Records;
use tonearm_core::findings::{Knowledge, Summary};
use tonearm_core::harmony::{Chord, ChordSpan, Key, PitchClass, Quality};
use tonearm_core::playback::PlayerView;
use tonearm_core::row::{ArtifactState, Row, TrackState};
use tonearm_core::track::{FilePath, FileStamp, Tags, Track, TrackId};
use tonearm_core::units::{Bpm, SampleRate, Secs};
use tonearm_core::waveform::Waveform;

const RATE: u32 = 11_025;
const SECS: u32 = 64;

/// A scene that owns what it shows.
pub(crate) struct Made {
    pub(crate) decks: DecksView,
    pub(crate) view: View,
    pub(crate) shelf: Shelf,
    pub(crate) settings: Settings,
    pub(crate) panel: DecksPanel,
    pub(crate) out: Outbox,
    pub(crate) now: Instant,
    pub(crate) overlay: bool,
    pub(crate) overlay_closed: bool,
}

impl Made {
    /// Nobody is there.
    pub(crate) fn empty() -> Self {
        let rows = vec![row(1, "Night Ferry", "8A"), row(2, "Low Orbit", "3A")];
        let made = Self {
            decks: DecksView {
                state: DecksState::Running,
                ..DecksView::default()
            },
            view: View {
                rows: Rows::new(rows),
                ..View::default()
            },
            shelf: Shelf::default(),
            settings: Settings::default(),
            panel: DecksPanel::default(),
            out: Outbox::default(),
            now: Instant::now(),
            overlay: false,
            overlay_closed: false,
        };
        for id in [1, 2] {
            made.shelf.put_waveform(TrackId(id), Arc::clone(music()));
        }
        made
    }

    /// Two players, both playing.
    pub(crate) fn mixing() -> Self {
        let mut made = Self::empty();
        let now = made.now;
        let mut first = deck(1, 1, "1");
        first.matching = found(row(1, "Night Ferry", "8A"), MatchedBy::SourceId, 1.0);
        play(&mut first, now, 30.85, 124.0);
        first.is_master = Some(true);
        let mut second = deck(2, 1, "2");
        second.matching = found(row(2, "Low Orbit", "3A"), MatchedBy::Path, 0.9);
        second.pitch = Some(0.985);
        play(&mut second, now, 12.4, 122.2);
        made.decks.units = vec![
            Arc::new(unit(1, vec![first])),
            Arc::new(unit(2, vec![second])),
        ];
        made
    }

    /// Four decks on two players.
    pub(crate) fn four() -> Self {
        let mut made = Self::mixing();
        for (index, unit) in made.decks.units.iter_mut().enumerate() {
            let unit = Arc::make_mut(unit);
            let number = index as u8 + 1;
            let mut under = deck(number, 2, &format!("{number}B"));
            under.said_title = Some("Window Seat".into());
            under.said_artist = Some("Tonearm".into());
            under.is_playing = Some(false);
            under.bpm = Some(Bpm(96.35));
            under.timing = Timing::Fixed(
                Place {
                    position: Secs(0.5),
                    beat: Some(0.0),
                    ..Place::default()
                },
                made.now,
            );
            under.matching = Matching::Unknown("nothing in the library is like it".into());
            if index == 0 {
                under.art = Some(sleeve(&made.shelf));
            }
            unit.decks.push(Arc::new(under));
        }
        made
    }

    /// Changes the first deck.
    pub(crate) fn first(&mut self, change: impl FnOnce(&mut DeckView)) {
        let unit = Arc::make_mut(&mut self.decks.units[0]);
        change(Arc::make_mut(&mut unit.decks[0]));
    }

    pub(crate) fn first_unit(&mut self, change: impl FnOnce(&mut UnitView)) {
        change(Arc::make_mut(&mut self.decks.units[0]));
    }

    pub(crate) fn show(&mut self, ui: &mut egui::Ui) {
        let live = Live {
            decks: &self.decks,
            now: self.now,
        };
        if self.overlay {
            let scene = OverlayScene {
                live,
                shelf: &self.shelf,
                settings: &self.settings,
                props: &self.panel.props,
                opacity: 1.0,
            };
            self.overlay_closed |= overlay_ui(ui, &scene);
            return;
        }
        let sound = PlayerView::default();
        let scene = Scene {
            view: &self.view,
            sound: &sound,
            playhead: None,
            sought: None,
            shelf: &self.shelf,
            settings: &self.settings,
            setup: &tonearm_core::setup::SetupView::default(),
            ready: true,
        };
        egui::CentralPanel::default()
            .frame(egui::Frame::new().fill(tonearm::theme::APP))
            .show(ui, |ui| {
                decks_ui(ui, &scene, live, &mut self.panel, &mut self.out);
            });
    }
}

pub(crate) fn harness(made: Made, size: [f32; 2]) -> Harness<'static, Made> {
    let state = create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE);
    tonearm::gpu::install(&state);
    // What the window only notes is a mistake in a test.
    let told = |error| panic!("the card refuses: {error}");
    state.device.on_uncaptured_error(Arc::new(told));
    Harness::builder()
        .with_size(Vec2::from(size))
        .with_context_setup(tonearm::theme::install)
        .renderer(WgpuTestRenderer::from_render_state(state))
        .build_ui_state(|ui, made: &mut Made| made.show(ui), made)
}

pub(crate) fn token(number: u8) -> UnitId {
    UnitId([number; 16])
}

/// A picture out of a player's database: halves in two colours.
pub(crate) fn sleeve(shelf: &Shelf) -> Arc<PlayerArt> {
    let art = Arc::new(PlayerArt::new(b"as it came".to_vec()));
    let rgb = [[200, 60, 40], [30, 90, 160]].map(|colour| colour.repeat(32 * 16));
    let picture = Art {
        width: 32,
        height: 32,
        rgb: rgb.concat(),
    };
    shelf.put_player_art(&art, ArtSize::Large, Arc::new(picture));
    art
}

fn unit(number: u8, decks: Vec<DeckView>) -> UnitView {
    UnitView {
        id: token(number),
        name: format!("sc6000-{number}").into(),
        model: "JP13".into(),
        product: Some("SC6000"),
        version: "4.0.0".into(),
        address: format!("10.0.0.1{number}").into(),
        link: Link::Live,
        sessions: 1,
        player: Some(number),
        decks: decks.into_iter().map(Arc::new).collect(),
        ..UnitView::default()
    }
}

fn deck(unit: u8, number: u8, label: &str) -> DeckView {
    DeckView {
        id: DeckId {
            unit: token(unit),
            deck: number,
        },
        label: label.into(),
        is_loaded: Some(true),
        is_playing: Some(true),
        duration: Some(Secs(f64::from(SECS))),
        key_lock: Some(true),
        pitch: Some(1.0),
        is_audible: Some(true),
        ..DeckView::default()
    }
}

fn play(deck: &mut DeckView, now: Instant, at: f64, bpm: f64) {
    deck.bpm = Some(Bpm(bpm));
    deck.is_moving = true;
    let place = Place {
        position: Secs(at),
        speed: deck.pitch.unwrap_or(1.0),
        beat: Some(at * 2.0),
        bpm: Some(Bpm(bpm)),
        is_stale: false,
    };
    deck.timing = Timing::Fixed(place, now);
}

pub(crate) fn stale(deck: &mut DeckView, now: Instant) {
    if let Some(mut place) = deck.timing.at(now) {
        place.is_stale = true;
        place.speed = 0.0;
        deck.timing = Timing::Fixed(place, now);
    }
}

pub(crate) fn found(row: Row, by: MatchedBy, confidence: f32) -> Matching {
    Matching::Found(Arc::new(Matched {
        by,
        confidence,
        row: Arc::new(row),
        analysis: Some(Arc::new(Analysis::from(details()))),
    }))
}

pub(crate) fn candidates() -> Matching {
    let candidate = |id, confidence, reason: &str| Candidate {
        id: TrackId(id),
        confidence,
        reason: reason.to_owned(),
    };
    Matching::Unsure(Arc::new(vec![
        candidate(1, 0.6, "same file name, same length"),
        candidate(2, 0.4, "same length"),
    ]))
}

/// What the connection doctor could tell of a real set-up.
pub(crate) fn network() -> NetworkView {
    NetworkView {
        interfaces: vec![
            InterfaceView {
                name: "eth0".to_owned(),
                address: "169.254.12.7".to_owned(),
                is_up: true,
                sent: 42,
                heard: 84,
                silent_for: Some(0.4),
                ..InterfaceView::default()
            },
            InterfaceView {
                name: "wlan0".to_owned(),
                address: "192.168.1.20".to_owned(),
                is_up: true,
                sent: 42,
                ..InterfaceView::default()
            },
        ],
        announcers: vec![AnnouncerView {
            unit: token(9),
            name: "DN-X1850".to_owned(),
            software: "OfflineAnalyzer".to_owned(),
            version: "1.0.0".to_owned(),
            address: "169.254.1.9:51337".to_owned(),
            ignored: Some("it analyses tracks and has no decks".to_owned()),
            count: 12,
            age: 0.6,
            clash: None,
        }],
        connections: vec![ConnectionView {
            unit: token(1),
            name: "sc6000-1".to_owned(),
            address: "169.254.1.2:44321".to_owned(),
            stage: "ready",
            since: 130.0,
            services: vec!["StateMap".to_owned(), "BeatInfo".to_owned()],
            round_trip_ms: Some(0.8),
            frames_per_sec: 29.0,
            jitter_ms: 2.3,
            ..ConnectionView::default()
        }],
        advice: vec!["Two players have the number 1: set another on one of them".to_owned()],
        ..NetworkView::default()
    }
}

pub(crate) fn row(id: u64, title: &str, key: &str) -> Row {
    Row {
        track: Box::new(Track {
            id: TrackId(id),
            path: FilePath(PathBuf::from(format!("{id}.mp3"))),
            root: PathBuf::from("music").into(),
            stamp: FileStamp {
                bytes: 1,
                modified_ns: 0,
            },
            tags: Tags {
                title: Some(title.into()),
                artist: Some("Tonearm".into()),
                ..Tags::default()
            },
            format: None,
            hash: None,
            added: "2026-01-01T00:00:00Z".parse().expect("a time"),
            missing: false,
            damage: None,
            sources: Vec::new(),
            borrowed: tonearm_core::track::TagFields::default(),
        }),
        knowledge: Box::new(Knowledge {
            records: Records::new(),
            summary: Summary {
                bpm: Some(Bpm(124.0)),
                key: Key::parse(key),
                ..Summary::default()
            },
            ..Knowledge::default()
        }),
        state: TrackState::Ready,
        artifacts: [ArtifactState::Done; Artifact::ALL.len()],
        duplicates: Vec::new(),
        revision: 1,
        search_text: title.to_lowercase(),
    }
}

/// Beats every half second, chords every two.
fn details() -> TrackDetails {
    let beats = (0..128_u32).map(|beat| Beat {
        at: Secs(f64::from(beat) * 0.5),
        position: (beat % 4 + 1) as u8,
    });
    let roots = [9, 5, 0, 7];
    let chords = (0..32_u32).map(|bar| {
        let (start, end) = (Secs(f64::from(bar) * 2.0), Secs(f64::from(bar) * 2.0 + 2.0));
        ChordSpan {
            start,
            end,
            start_raw: start,
            end_raw: end,
            chord: Some(Chord {
                root: PitchClass::new(roots[bar as usize % 4]),
                bass: None,
                quality: if bar % 4 == 0 {
                    Quality::Minor
                } else {
                    Quality::Major
                },
            }),
            confidence: 0.9,
        }
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
        key: None,
        chords: Some(chords.collect()),
        by_hand: std::collections::BTreeSet::new(),
    }
}

/// Kick and bass.
fn music() -> &'static Arc<Waveform> {
    static MUSIC: OnceLock<Arc<Waveform>> = OnceLock::new();
    MUSIC.get_or_init(|| {
        let mono: Vec<f32> = (0..SECS * RATE)
            .map(|frame| {
                let at = frame as f32 / RATE as f32;
                let since = at % 0.5;
                let kick = (-since * 14.0).exp() * (TAU * 55.0 * since).sin() * 0.8;
                let off = (at + 0.25) % 0.5;
                let hat = (-off * 40.0).exp() * (TAU * 4000.0 * at).sin() * 0.25;
                kick + hat + (TAU * 110.0 * at).sin() * 0.12
            })
            .collect();
        let mut peaks = Peaks::new(SampleRate::new(RATE).expect("a rate"));
        peaks.push(&mono);
        Arc::new(peaks.finish())
    })
}
