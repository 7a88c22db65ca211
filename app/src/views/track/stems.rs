//! The four stems beneath the waveform: each with its own picture, its toggle, its solo and its fader.

use super::viewport::Viewport;
use super::{Page, TrackPanel, fader, transport};
use crate::action::{Action, SOLO_STEM, TOGGLE_STEM};
use crate::gpu::Source;
use crate::outbox::Outbox;
use crate::shelf::{Loadable, Stems};
use crate::theme;
use crate::views::makers;
use crate::widgets::wave::{self, Drawing};
use eframe::egui::{
    self, Align2, Color32, CornerRadius, FontId, Id, Rect, Sense, Stroke, StrokeKind, Ui, pos2,
    vec2,
};
use std::sync::Arc;
use tonearm_core::playback::{PlayerCommand, StemMix, StemSound};
use tonearm_core::stems::Stem;

/// Points: what a lane may be, and what the waveform of the whole keeps.
const LEAST: f32 = 24.0;
const MOST: f32 = 64.0;
const WHOLE: f32 = 110.0;
/// Points across.
const NAME: f32 = 84.0;
const SOLO: f32 = 26.0;
const FADER: f32 = 78.0;
/// Where there is less room across, lanes have no faders.
const WITH_FADER: f32 = 520.0;

/// What is drawn of stems, kept from frame to frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    shown: Option<Arc<Stems>>,
    sources: Vec<Source>,
    edition: u64,
}

impl Kept {
    /// Nothing, but for the numbers that were given: the card still holds what they stand for.
    pub(super) fn of_another_track(&self) -> Self {
        Self {
            edition: self.edition,
            ..Self::default()
        }
    }

    pub(super) fn meet(&mut self, found: Loadable<Arc<Stems>>, track: u64) {
        let found = found.ready();
        let same = match (&self.shown, &found) {
            (Some(shown), Some(found)) => Arc::ptr_eq(shown, found),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same {
            return;
        }
        self.edition += 1;
        let source = |(stem, waveform): (Stem, &Arc<_>)| Source {
            // The card tells stems from the track and from each other by this number.
            track: track.rotate_left(7 * (stem as u32 + 1)),
            edition: self.edition,
            waveform: Arc::clone(waveform),
            expected: 0,
        };
        self.sources = found.as_ref().map_or_else(Vec::new, |stems| {
            Stem::ALL
                .into_iter()
                .zip(&stems.waveforms)
                .map(source)
                .collect()
        });
        self.shown = found;
    }

    pub(super) fn is_there(&self) -> bool {
        self.shown.is_some()
    }

    pub(super) fn is_draft(&self) -> bool {
        self.shown.as_ref().is_some_and(|stems| stems.is_draft)
    }
}

/// Takes lanes off the bottom of `wave`, as far as the waveform of the whole keeps enough.
pub(super) fn split(wave: &mut Rect) -> Option<[Rect; 4]> {
    let height = ((wave.height() - WHOLE) / 4.0).floor().min(MOST);
    if height < LEAST {
        return None;
    }
    let top = wave.bottom() - 4.0 * height;
    let lane = |place: u8| {
        let top = top + f32::from(place) * height;
        wave.with_min_y(top + 1.0).with_max_y(top + height)
    };
    let lanes = [lane(0), lane(1), lane(2), lane(3)];
    wave.max.y = top;
    Some(lanes)
}

/// The pictures. Controls come after all that is drawn across the lanes: see [`controls_ui`].
pub(super) fn waves_ui(
    ui: &Ui,
    lanes: &[Rect; 4],
    view: &Viewport,
    page: &Page<'_>,
    panel: &TrackPanel,
) {
    let mix = mix(page);
    let sources = panel.kept.stems.sources.iter();
    for ((stem, lane), source) in Stem::ALL.into_iter().zip(lanes).zip(sources) {
        let colour = theme::STEMS[stem as usize];
        let heard = mix.is_none_or(|mix| mix.is_audible(stem) && mix.volume(stem) > 0.0);
        let drawing = Drawing {
            slot: Id::unique(("stem", stem as usize)),
            source,
            start: view.start,
            per_point: view.per_point,
            // The gain of the whole, so that the lanes can be compared with it and with each other.
            gain: panel.kept.gain * mix.map_or(1.0, |mix| mix.volume(stem).max(0.25)),
            samples: None,
            ground: theme::WAVE,
            bands: if heard {
                theme::bands_of(colour)
            } else {
                theme::bands_of_silent()
            },
        };
        wave::paint(&ui.painter_at(*lane), *lane, &drawing);
    }
}

pub(super) fn controls_ui(
    ui: &Ui,
    lanes: &[Rect; 4],
    page: &Page<'_>,
    panel: &TrackPanel,
    out: &mut Outbox,
) {
    let mix = mix(page);
    let is_draft = panel.kept.stems.is_draft();
    for (stem, lane) in Stem::ALL.into_iter().zip(lanes) {
        let enabled = mix.is_some();
        let shown = mix.unwrap_or_default();
        let wide = lane.width() >= WITH_FADER;
        let across = 6.0 + NAME + 3.0 + SOLO + if wide { 3.0 + FADER } else { 0.0 };
        let plate = Rect::from_min_size(lane.min, vec2(across.min(lane.width()), lane.height()));
        ui.painter_at(*lane)
            .rect_filled(plate, 0.0, theme::WAVE.gamma_multiply(0.82));
        let height = (lane.height() - 4.0).min(theme::CONTROL);
        let mut x = lane.left() + 3.0;
        let mut place = |width: f32| {
            let centre = pos2(x + width / 2.0, lane.center().y);
            x += width + 3.0;
            Rect::from_center_size(centre, vec2(width, height))
        };
        let chip = Chip {
            stem,
            is_draft,
            enabled,
        };
        chip.toggle_ui(ui, place(NAME), shown.is_audible(stem), out);
        chip.solo_ui(ui, place(SOLO), shown.solo() == Some(stem), out);
        if wide {
            let rect = place(FADER);
            let response = ui.interact(
                rect,
                Id::unique(("stem fader", stem as usize)),
                Sense::click_and_drag(),
            );
            let name = format!("Volume of {}", stem.name());
            let colour = theme::STEMS[stem as usize];
            let asked = fader::fader_ui(ui, rect, response, (&name, colour), shown.volume(stem));
            if let Some(volume) = asked.filter(|_| enabled) {
                out.sound.push(PlayerCommand::SetStemVolume(stem, volume));
            }
        }
    }
    if let (true, [first, ..]) = (is_draft, lanes) {
        draft_ui(ui, *first, page, out);
    }
}

/// Says that the stems are a draft, and leads to better ones.
fn draft_ui(ui: &Ui, lane: Rect, page: &Page<'_>, out: &mut Outbox) {
    const WIDTH: f32 = 44.0;
    const HEIGHT: f32 = 16.0;
    if lane.width() < WITH_FADER {
        return;
    }
    let place = Rect::from_min_size(
        pos2(lane.right() - WIDTH - 6.0, lane.top() + 4.0),
        vec2(WIDTH, HEIGHT),
    );
    let response = ui.interact(place, Id::unique("draft stems"), Sense::click());
    let name = "Stems are a draft";
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    face(ui, place, &response, theme::RAISED);
    let font = FontId::proportional(11.0);
    ui.painter_at(place).text(
        place.center(),
        Align2::CENTER_CENTER,
        "draft",
        font,
        theme::TEXT_MUTED,
    );
    let better = makers::has_better_stems(page.scene.setup, page.row);
    let (next, action) = if better {
        ("make them by a model", Action::MakeStems)
    } else {
        ("see what better ones need", Action::Setup)
    };
    let words = format!(
        "Made by the built-in analysis: good enough to find one's way, not to listen to. Click to {next}"
    );
    if response.on_hover_text(words).clicked() {
        out.act(action);
    }
}

/// What is heard of the stems; `None` while the player does not have them.
fn mix(page: &Page<'_>) -> Option<StemMix> {
    let loaded = page.scene.sound.loaded.as_ref().filter(|_| page.loaded)?;
    matches!(loaded.stems, StemSound::Ready(_)).then_some(loaded.mix)
}

struct Chip {
    stem: Stem,
    is_draft: bool,
    enabled: bool,
}

impl Chip {
    fn toggle_ui(&self, ui: &Ui, rect: Rect, on: bool, out: &mut Outbox) {
        let stem = self.stem as usize;
        let id = Id::unique(("stem toggle", stem));
        let response = ui.interact(rect, id, Sense::click());
        let name = caption(self.stem);
        let kind = egui::Role::Button;
        response.widget_info(|| egui::WidgetInfo::selected(kind, self.enabled, on, name));
        let colour = theme::STEMS[stem];
        let (fill, ink) = if on {
            (colour, theme::ON_CHIP)
        } else {
            (theme::RAISED, theme::TEXT_MUTED)
        };
        face(ui, rect, &response, fill);
        let text = format!("{}  {name}", stem + 1);
        let font = FontId::proportional(12.0);
        let at = pos2(rect.left() + 7.0, rect.center().y);
        ui.painter_at(rect)
            .text(at, Align2::LEFT_CENTER, text, font, ink);
        let draft = if self.is_draft {
            ". A draft: install the models for stems that are fit for listening"
        } else {
            ""
        };
        let words = format!(
            "{}{draft}",
            transport::hint("On or off", TOGGLE_STEM[stem], ui)
        );
        if response.on_hover_text(words).clicked() {
            out.act(TOGGLE_STEM[stem]);
        }
    }

    fn solo_ui(&self, ui: &Ui, rect: Rect, on: bool, out: &mut Outbox) {
        let stem = self.stem as usize;
        let id = Id::unique(("stem solo", stem));
        let response = ui.interact(rect, id, Sense::click());
        let name = format!("{} alone", caption(self.stem));
        let kind = egui::Role::Button;
        response.widget_info(|| egui::WidgetInfo::selected(kind, self.enabled, on, &name));
        let (fill, ink) = if on {
            (theme::WARN, theme::ON_CHIP)
        } else {
            (theme::RAISED, theme::TEXT_MUTED)
        };
        face(ui, rect, &response, fill);
        let font = FontId::proportional(12.0);
        ui.painter_at(rect)
            .text(rect.center(), Align2::CENTER_CENTER, "S", font, ink);
        let words = transport::hint("Hear it alone", SOLO_STEM[stem], ui);
        if response.on_hover_text(words).clicked() {
            out.act(SOLO_STEM[stem]);
        }
    }
}

fn face(ui: &Ui, rect: Rect, response: &egui::Response, fill: Color32) {
    let radius = CornerRadius::same(4);
    let fill = if response.hovered() {
        fill.lerp_to_gamma(theme::TEXT, 0.12)
    } else {
        fill
    };
    ui.painter().rect_filled(rect, radius, fill);
    if response.has_focus() {
        let stroke = Stroke::new(1.5, theme::TEXT);
        ui.painter()
            .rect_stroke(rect, radius, stroke, StrokeKind::Inside);
    }
}

/// As a label.
pub(super) fn caption(stem: Stem) -> &'static str {
    match stem {
        Stem::Drums => "Drums",
        Stem::Bass => "Bass",
        Stem::Other => "Other",
        Stem::Vocals => "Vocals",
    }
}

/// The stem that an action is about, and whether it is to be heard alone.
pub fn meant(action: Action) -> Option<(Stem, bool)> {
    let of = |actions: &[Action; 4]| {
        let at = actions.iter().position(|it| *it == action)?;
        Stem::ALL.get(at).copied()
    };
    of(&TOGGLE_STEM)
        .map(|stem| (stem, false))
        .or_else(|| of(&SOLO_STEM).map(|stem| (stem, true)))
}
