//! What several selected tracks have in common, and how far they spread.

use super::super::{LibraryPanel, menu, words};
use super::{fact, group};
use crate::action::Action;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::settings::KeyNotation;
use crate::theme;
use crate::views::makers;
use eframe::egui::{RichText, Ui};
use std::collections::BTreeMap;
use tonearm_core::artifact::Engine;
use tonearm_core::core_loop::view::Rows;
use tonearm_core::harmony::{Key, Mode};
use tonearm_core::row::{Row, TrackState};
use tonearm_core::track::TrackId;

/// Seconds between two looks at a selection that changes by itself.
const PAUSE: f64 = 0.5;

/// The last selection that was looked at.
#[derive(Debug, Default)]
pub(in super::super) struct Inspected {
    selected: Vec<TrackId>,
    rows: Rows,
    at: f64,
    summary: Summary,
}

/// Of several tracks.
#[derive(Debug, Default, PartialEq)]
struct Summary {
    tracks: usize,
    secs: f64,
    bytes: u64,
    ready: usize,
    failed: usize,
    missing: usize,
    /// Slowest and fastest.
    tempo: Option<(f64, f64)>,
    /// All that there are among them.
    engines: Vec<Engine>,
    /// By place on the wheel and mode, how often.
    keys: BTreeMap<(u8, bool), (Key, usize)>,
    artist: Common,
    album: Common,
    genre: Common,
    year: Common,
    label: Common,
}

/// One value for all, or none.
#[derive(Debug, Default, PartialEq)]
enum Common {
    #[default]
    Unseen,
    Same(Option<String>),
    Different,
}

impl Common {
    fn see(&mut self, value: Option<&str>) {
        match self {
            Self::Unseen => *self = Self::Same(value.map(|it| words::line(it, 200).into_owned())),
            Self::Same(known) => {
                let value = value.map(|it| words::line(it, 200));
                if known.as_deref() != value.as_deref() {
                    *self = Self::Different;
                }
            }
            Self::Different => {}
        }
    }
}

impl Summary {
    fn of(selected: &[TrackId], rows: &Rows) -> Self {
        let mut summary = Self::default();
        for row in selected.iter().filter_map(|id| rows.get(*id)) {
            summary.see(row);
        }
        summary
    }

    fn see(&mut self, row: &Row) {
        let (track, tags) = (&row.track, &row.track.tags);
        self.tracks += 1;
        let engine = row.knowledge.engine;
        if !self.engines.contains(&engine) {
            self.engines.push(engine);
        }
        self.bytes = self.bytes.saturating_add(track.stamp.bytes);
        let secs = track.format.as_ref().map_or(0.0, |it| it.duration.0);
        self.secs += if secs.is_finite() { secs } else { 0.0 };
        self.ready += usize::from(row.state == TrackState::Ready);
        self.missing += usize::from(row.state == TrackState::Missing);
        self.failed += usize::from(row.has_failed());
        if let Some(tempo) = words::tempo(row) {
            let (low, high) = self.tempo.unwrap_or((tempo.value, tempo.value));
            self.tempo = Some((low.min(tempo.value), high.max(tempo.value)));
        }
        if let Some(key) = words::key_of(row) {
            let key = key.value;
            let place = (key.camelot_number(), key.mode == Mode::Major);
            self.keys.entry(place).or_insert((key, 0)).1 += 1;
        }
        self.artist.see(tags.artist.as_deref());
        self.album.see(tags.album.as_deref());
        self.genre.see(tags.genre.as_deref());
        self.label.see(tags.label.as_deref());
        let year = tags.year.map(|year| year.to_string());
        self.year.see(year.as_deref());
    }
}

impl Inspected {
    /// Lets go of the rows: kept, the library as it was would stay alive.
    pub(in super::super) fn forget(&mut self) {
        if !self.selected.is_empty() {
            *self = Self::default();
        }
    }

    fn look(&mut self, ui: &Ui, selected: &[TrackId], rows: &Rows) -> &Summary {
        let time = ui.input(|input| input.time);
        let is_other = self.selected != selected;
        let moved = !is_other && !self.rows.is_same(rows);
        let wait = self.at + PAUSE - time;
        if moved && wait > 0.0 {
            ui.ctx().request_repaint_after_secs(wait as f32);
        } else if is_other || moved {
            self.selected = selected.to_vec();
            self.rows = rows.clone();
            self.at = time;
            self.summary = Summary::of(selected, rows);
        }
        &self.summary
    }
}

pub(super) fn tracks_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    panel: &mut LibraryPanel,
    out: &mut Outbox,
) {
    let rows = &scene.view.rows;
    let summary = panel.state.inspected.look(ui, &panel.selected, rows);
    let title = format!("{} selected", words::tracks(summary.tracks));
    ui.label(RichText::new(title).size(16.0).color(theme::TEXT));
    ui.add_space(6.0);
    ui.horizontal_wrapped(|ui| {
        for action in [
            Action::AnalyzeSelected,
            Action::MakeStems,
            Action::DoFirst,
            Action::RemoveSelected,
        ] {
            if ui.button(menu::name(action)).clicked() {
                out.act(action);
            }
        }
        if summary.failed > 0 && ui.button(menu::name(Action::RetryFailed)).clicked() {
            out.act(Action::RetryFailed);
        }
    });
    group(ui, "Analysed by");
    let engine = match summary.engines.as_slice() {
        [engine] => Some(*engine),
        _ => None,
    };
    makers::engine_ui(ui, (scene.setup, engine), &panel.selected, out);
    group(ui, "All together");
    fact(ui, "Length", words::total(summary.secs));
    fact(ui, "Size", crate::format::bytes(summary.bytes));
    if let Some((low, high)) = summary.tempo {
        let text = if high - low < 0.005 {
            format!("{low:.2} BPM")
        } else {
            format!("{low:.2} to {high:.2} BPM")
        };
        fact(ui, "Tempo", text);
    }
    if !summary.keys.is_empty() {
        fact(ui, "Keys", keys_text(summary, scene.settings.key_notation));
    }
    group(ui, "State");
    for (name, count) in [
        ("Ready", summary.ready),
        ("Failed", summary.failed),
        ("Missing", summary.missing),
    ] {
        if count > 0 {
            fact(ui, name, crate::format::count(count as u64));
        }
    }
    group(ui, "In common");
    for (name, common) in [
        ("Artist", &summary.artist),
        ("Album", &summary.album),
        ("Genre", &summary.genre),
        ("Year", &summary.year),
        ("Label", &summary.label),
    ] {
        match common {
            Common::Same(Some(value)) => fact(ui, name, value.clone()),
            Common::Different => fact(ui, name, "various"),
            Common::Unseen | Common::Same(None) => {}
        }
    }
}

/// `8A ×12, 9A ×3`: the most frequent first.
fn keys_text(summary: &Summary, notation: KeyNotation) -> String {
    let mut keys: Vec<&(Key, usize)> = summary.keys.values().collect();
    keys.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown: Vec<String> = keys
        .into_iter()
        .take(12)
        .map(|(key, count)| format!("{} ×{count}", words::key(*key, notation)))
        .collect();
    shown.join(", ")
}
