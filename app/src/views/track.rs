//! One track: its waveform at any zoom, beats, chords, key, and the transport.

pub mod fader;
mod growing;
mod header;
mod jump;
mod kept;
pub(super) mod lanes;
mod made;
mod overview;
mod stage;
mod status;
pub mod stems;
pub mod strip;
mod told;
mod transport;
pub(super) mod viewport;

use crate::action::Action;
use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use eframe::egui::{self, Align, Layout, RichText, Ui, UiBuilder};
use kept::Kept;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tonearm_core::core_loop::command::Command;
use tonearm_core::edits::Edit;
use tonearm_core::playback::Transport;
use tonearm_core::row::Row;
use tonearm_core::timeline::Step;
use tonearm_core::track::TrackId;
use viewport::Viewport;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct TrackPanel {
    /// The track on the page; it stays when the selection of the library moves on.
    pub track: Option<TrackId>,
    /// The waveform moves under the playhead instead of the other way round.
    pub follow: bool,
    /// Seconds in one point of the waveform; the same for every track.
    pub per_point: f64,
    /// Show the time that is left.
    pub remaining: bool,
    #[serde(skip)]
    #[doc(hidden)]
    pub kept: Kept,
}

impl Default for TrackPanel {
    fn default() -> Self {
        Self {
            track: None,
            follow: true,
            // Eight bars of house in a window of usual width.
            per_point: 0.0125,
            remaining: false,
            kept: Kept::default(),
        }
    }
}

/// What the parts of the page share in one frame.
struct Page<'a> {
    scene: &'a Scene<'a>,
    row: &'a Arc<Row>,
    /// Where the sound is, or would begin.
    at: f64,
    /// It is this track that is in the player.
    loaded: bool,
    playing: bool,
    duration: f64,
}

impl<'a> Page<'a> {
    fn new(scene: &'a Scene<'a>, row: &'a Arc<Row>, kept: &Kept) -> Self {
        let id = row.track.id;
        let loaded = scene.sound.loaded.as_ref().filter(|it| it.track == id);
        let playhead = scene.playhead.filter(|playhead| playhead.track == id);
        let transport = scene.sound.transport;
        let of_file = row.track.format.as_ref().map(|format| format.duration.0);
        let of_wave = kept.source().map(|source| source.waveform.duration().0);
        let of_player = loaded.map(|loaded| loaded.duration.0);
        // What was decoded counts most; the container's word may be wrong.
        let mut found = [of_wave, of_player, of_file].into_iter().flatten();
        let duration = found.find(|secs| secs.is_finite() && *secs > 0.0);
        let at = playhead.map_or(0.0, |playhead| playhead.at.0);
        Self {
            scene,
            row,
            at: if at.is_finite() { at.max(0.0) } else { 0.0 },
            loaded: loaded.is_some(),
            playing: loaded.is_some() && transport == Transport::Playing,
            duration: duration.unwrap_or(0.0),
        }
    }
}

/// So that the eye finds its way from one picture to the next.
const MOST_OF_IT: f32 = 0.8;

/// Fills what is left of the window.
pub fn track_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut TrackPanel, out: &mut Outbox) {
    let row = panel.track.and_then(|id| scene.view.rows.get(id));
    let Some(row) = row else {
        return nobody_ui(ui, scene, panel, out);
    };
    panel.kept.meet(scene, row);
    let page = Page::new(scene, row, &panel.kept);
    let whole = ui.available_rect_before_wrap();
    let margin = theme::PADDING.min(whole.width().max(0.0) / 8.0);
    let inner = UiBuilder::new().max_rect(whole.shrink2(egui::vec2(margin, 0.0)));
    ui.scope_builder(inner, |ui| page_ui(ui, &page, panel, out));
    ui.expand_to_include_rect(whole);
}

fn page_ui(ui: &mut Ui, page: &Page<'_>, panel: &mut TrackPanel, out: &mut Outbox) {
    ui.spacing_mut().item_spacing = egui::vec2(8.0, 8.0);
    // The title stands clear of what lies above the page.
    ui.add_space(4.0);
    header::header_ui(ui, page, panel, out);
    status::status_ui(ui, page, panel, out);
    overview::overview_ui(ui, page, panel, out);
    let transport = theme::CONTROL + 8.0;
    let left = ui.available_rect_before_wrap();
    let stage_height = (left.height() - transport - 8.0).max(0.0);
    let stage = left.with_max_y(left.top() + stage_height);
    stage::stage_ui(ui, stage, page, panel, out);
    let below = left.with_min_y(stage.bottom() + 8.0);
    ui.scope_builder(
        UiBuilder::new()
            .max_rect(below)
            .layout(Layout::left_to_right(Align::Center)),
        |ui| transport::transport_ui(ui, page, panel, out),
    );
}

fn nobody_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &TrackPanel, out: &mut Outbox) {
    let text = match panel.track {
        _ if !scene.ready => "Reading the library…",
        Some(_) => "This track is no longer in the library",
        None => "No track is open",
    };
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.4).max(0.0));
        ui.label(RichText::new(text).size(16.0).color(theme::TEXT_MUTED));
        if scene.ready && ui.button("Back to the library").clicked() {
            out.act(Action::BackToLibrary);
        }
    });
}

impl TrackPanel {
    /// Carries out an action that belongs to this page; `false` if it is not one of them or no track is open.
    pub fn act(&mut self, action: Action, scene: &Scene<'_>, out: &mut Outbox) -> bool {
        let Some(row) = self.track.and_then(|id| scene.view.rows.get(id)) else {
            return false;
        };
        self.kept.meet(scene, row);
        let page = Page::new(scene, row, &self.kept);
        match action {
            Action::ZoomIn => self.zoom_at_playhead(2.0, &page),
            Action::ZoomOut => self.zoom_at_playhead(0.5, &page),
            Action::ZoomWhole => self.look(Viewport::whole(&self.kept.limits)),
            Action::ZoomSamples => {
                let per_point = 1.0 / (self.kept.limits.rate.max(1.0) * 2.0);
                let view = Viewport {
                    per_point,
                    ..self.view()
                };
                self.look(view.centred(page.at, &self.kept.limits));
            }
            Action::LookEarlier => self.look_on(-MOST_OF_IT),
            Action::LookLater => self.look_on(MOST_OF_IT),
            Action::ToggleFollow => self.toggle_follow(),
            Action::BeatBack => jump::step(&page, self, Step::BeatBack, out),
            Action::BeatForward => jump::step(&page, self, Step::BeatForward, out),
            Action::BarBack => jump::step(&page, self, Step::BarBack, out),
            Action::BarForward => jump::step(&page, self, Step::BarForward, out),
            Action::HalveTempo => edit(row, Edit::HalveTempo, out),
            Action::DoubleTempo => edit(row, Edit::DoubleTempo, out),
            Action::NextTempo => edit(row, Edit::NextTempo, out),
            Action::DownbeatEarlier => edit(row, Edit::ShiftDownbeat(-1), out),
            Action::DownbeatLater => edit(row, Edit::ShiftDownbeat(1), out),
            Action::NextKey => edit(row, Edit::NextKey, out),
            Action::ForgetEdits => {
                edit(row, Edit::ForgetAll, out);
            }
            _ => return false,
        }
        true
    }

    /// The time `x` points to the right of the waveform's left edge, in seconds.
    pub fn time_at(&self, x: f32) -> f64 {
        self.view().time(x)
    }

    fn view(&self) -> Viewport {
        Viewport {
            start: self.kept.start,
            per_point: self.per_point,
        }
        .within(&self.kept.limits)
    }

    /// Looks there from now on, at other tracks as well. A track without sound has no zoom to keep.
    fn look(&mut self, view: Viewport) {
        self.kept.start = view.start;
        if self.kept.limits.duration > 0.0 {
            self.per_point = view.per_point;
        }
    }

    fn toggle_follow(&mut self) {
        self.follow = !self.follow;
        self.kept.followed = None;
    }

    /// Moves the picture by a part of its width; the playhead is no longer followed.
    fn look_on(&mut self, part: f32) {
        self.follow = false;
        let points = self.kept.limits.width * part;
        self.look(self.view().panned(points, &self.kept.limits));
    }

    fn zoom_at_playhead(&mut self, factor: f64, page: &Page<'_>) {
        let (view, width) = (self.view(), self.kept.limits.width);
        let x = view.x(page.at);
        let anchor = if (0.0..=width).contains(&x) {
            x
        } else {
            width / 2.0
        };
        self.look(view.zoomed(factor, anchor, &self.kept.limits));
    }
}

fn edit(row: &Row, edit: Edit, out: &mut Outbox) {
    out.commands.push(Command::Edit {
        track: row.track.id,
        edit,
    });
}

/// The title, or the file's name; short enough to be laid out in no time.
fn title(row: &Row) -> String {
    let tags = &row.track.tags;
    let name = match &tags.title {
        Some(title) if !title.trim().is_empty() => title.to_string(),
        _ => {
            let name = row.track.path.as_path().file_name();
            name.map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default()
        }
    };
    format::fit(&name, 200)
}
