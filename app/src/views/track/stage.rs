//! The waveform large, with bars above and chords and keys beneath, all on one time axis.

use super::viewport::{Limits, Viewport};
use super::{Page, TrackPanel, jump, lanes, stems, told};
use crate::format;
use crate::gpu::plan::MOST_FRAMES_PER_PIXEL;
use crate::outbox::Outbox;
use crate::shelf::{Loadable, Samples};
use crate::theme;
use crate::widgets::wave::{self, Drawing};
use eframe::egui::{
    self, Align2, CornerRadius, FontId, Id, Modifiers, Painter, Rect, Response, Stroke, Ui, pos2,
};
use std::sync::Arc;
use tonearm_core::export::document::TrackDetails;
use tonearm_core::units::{SampleRate, Secs};

const RULER: f32 = 18.0;
const LANE: f32 = 24.0;

/// Where everything goes.
struct Areas {
    ruler: Rect,
    wave: Rect,
    stems: Option<[Rect; 4]>,
    chords: Option<Rect>,
    keys: Option<Rect>,
}

impl Areas {
    fn new(rect: Rect, details: Option<&TrackDetails>, with_stems: bool) -> Self {
        let chords = details.is_some_and(|details| {
            details
                .chords
                .as_ref()
                .is_some_and(|chords| !chords.is_empty())
        });
        let keys = details.is_some_and(|details| details.key.is_some());
        let mut wave = rect.with_min_y((rect.top() + RULER).min(rect.bottom()));
        let mut lane = |wanted: bool| {
            // The waveform comes first where there is little room.
            (wanted && wave.height() > 3.0 * LANE).then(|| {
                let lane = wave.with_min_y(wave.bottom() - LANE);
                wave.max.y = lane.top();
                lane
            })
        };
        let keys = lane(keys);
        let chords = lane(chords);
        let stems = with_stems.then(|| stems::split(&mut wave)).flatten();
        Self {
            ruler: rect.with_max_y(wave.top()),
            wave,
            stems,
            chords,
            keys,
        }
    }
}

pub(super) fn stage_ui(
    ui: &mut Ui,
    rect: Rect,
    page: &Page<'_>,
    panel: &mut TrackPanel,
    out: &mut Outbox,
) {
    let response = ui.allocate_rect(rect, jump::POINTED_AT);
    let rate = panel.kept.source().map(|source| source.waveform.rate);
    panel.kept.limits = Limits {
        duration: page.duration,
        width: rect.width(),
        rate: rate.map_or(44_100.0, |rate| f64::from(rate.hz())),
    };
    act(ui, &response, page, panel, out);
    let limits = panel.kept.limits;
    let now = Some((page.at, limits));
    // While nothing moves the picture stays where it was zoomed to.
    let follows = page.playing || panel.kept.followed != now;
    if panel.follow && page.loaded && follows {
        panel.kept.start = panel.view().centred(page.at, &limits).start;
        panel.kept.followed = now;
    } else {
        panel.kept.start = panel.view().start;
    }
    let bar = panel.kept.grid.bar_at(page.at);
    let mut value = format!(
        "{} of {}",
        format::duration(Secs(page.at)),
        format::duration(Secs(page.duration))
    );
    if bar > 0 {
        value = format!("{value}, bar {bar}");
    }
    response.widget_info(|| place_info("Waveform", &value));
    jump::asked(ui, &response, page, panel, out);
    if !ui.is_rect_visible(rect) || !rect.is_positive() {
        return;
    }
    let details = panel.kept.details.clone();
    let areas = Areas::new(rect, details.as_deref(), panel.kept.stems.is_there());
    let painter = ui.painter_at(rect);
    painter.rect_filled(areas.ruler, CornerRadius::ZERO, theme::PANEL);
    let view = panel.view();
    wave_ui(ui, areas.wave, page, panel);
    if let Some(lanes) = &areas.stems {
        stems::waves_ui(ui, lanes, &view, page, panel);
    }
    lines(&painter, &areas, &view, panel);
    if let Some(lane) = areas.chords {
        painter.rect_filled(lane, CornerRadius::ZERO, theme::PANEL);
        let spans = details.as_ref().and_then(|it| it.chords.as_deref());
        let painter = ui.painter_at(lane);
        let key = details.as_ref().and_then(|it| it.key.as_ref());
        let found = (spans.unwrap_or_default(), key);
        lanes::chords(&painter, lane, &view, found);
        told::chords(ui, lane, &view, found);
    }
    if let (Some(lane), Some(found)) = (areas.keys, details.as_ref().and_then(|it| it.key.as_ref()))
    {
        painter.rect_filled(lane, CornerRadius::ZERO, theme::PANEL);
        let notation = page.scene.settings.key_notation;
        let painter = ui.painter_at(lane);
        lanes::keys(&painter, lane, &view, &found.segments, notation);
        told::keys(ui, lane, &view, &found.segments, notation);
    }
    marks(&painter, rect, &areas, &view, page);
    if let Some(lanes) = &areas.stems {
        stems::controls_ui(ui, lanes, page, panel, out);
    }
    told::cue(ui, areas.wave, &view, page);
}

/// For what is painted by hand: a place in the track that can be changed.
pub(super) fn place_info(name: &str, value: &str) -> egui::WidgetInfo {
    let mut info = egui::WidgetInfo::labeled(egui::Role::Slider, true, name);
    info.current_text_value = Some(value.to_owned());
    info
}

/// What the pointer asks for.
fn act(ui: &Ui, response: &Response, page: &Page<'_>, panel: &mut TrackPanel, out: &mut Outbox) {
    let (limits, rect) = (panel.kept.limits, response.rect);
    if response.hovered() {
        let (zoom, scroll, modifiers, pointer) = ui.input(|input| {
            (
                input.zoom_delta(),
                input.smooth_scroll_delta(),
                input.modifiers,
                input.pointer.hover_pos(),
            )
        });
        wheel(panel, rect, page, (zoom, scroll, modifiers), pointer);
    }
    let Some(pointer) = response.interact_pointer_pos() else {
        return;
    };
    let at = panel.view().time(pointer.x - rect.left());
    if response.double_clicked() {
        jump::seek(page, at, true, out);
    } else if response.clicked() {
        jump::seek(page, at, false, out);
    } else if response.dragged() && response.drag_delta().x != 0.0 {
        panel.follow = false;
        ui.ctx().set_cursor_icon(egui::CursorIcon::Grabbing);
        let moved = panel.view().panned(-response.drag_delta().x, &limits);
        panel.look(moved);
    }
}

/// Pinches and wheels zoom under the pointer, or around a playhead that is followed as it moves; sideways, or with Shift,
/// they pan.
fn wheel(
    panel: &mut TrackPanel,
    rect: Rect,
    page: &Page<'_>,
    (zoom, scroll, modifiers): (f32, egui::Vec2, Modifiers),
    pointer: Option<egui::Pos2>,
) {
    let limits = panel.kept.limits;
    let sideways = if modifiers.shift {
        scroll.x + scroll.y
    } else {
        scroll.x
    };
    let upwards = if modifiers.shift { 0.0 } else { scroll.y };
    let factor = f64::from(zoom) * (f64::from(upwards) / 180.0).exp();
    if (factor - 1.0).abs() > 1e-6 {
        let view = panel.view();
        let following = panel.follow && page.playing;
        let x = match pointer {
            _ if following => view.x(page.at),
            Some(pointer) => pointer.x - rect.left(),
            None => rect.width() / 2.0,
        };
        panel.look(view.zoomed(factor, x, &limits));
    }
    if sideways != 0.0 {
        panel.follow = false;
        panel.look(panel.view().panned(-sideways, &limits));
    }
}

fn wave_ui(ui: &Ui, rect: Rect, page: &Page<'_>, panel: &TrackPanel) {
    let painter = ui.painter_at(rect);
    let Some(source) = panel.kept.source() else {
        painter.rect_filled(rect, CornerRadius::ZERO, theme::WAVE);
        let text = match panel.kept.waveform {
            Some(Loadable::Pending) => "Loading the waveform…",
            _ => "No waveform yet",
        };
        let font = FontId::proportional(13.0);
        painter.text(
            rect.center(),
            Align2::CENTER_CENTER,
            text,
            font,
            theme::TEXT_FAINT,
        );
        return;
    };
    let view = panel.view();
    let samples = samples(ui, page, panel, &view, source.waveform.rate);
    let there = samples.is_some();
    let fade = ui
        .ctx()
        .animate_bool(Id::unique("samples are there"), there);
    let drawing = Drawing {
        slot: Id::unique("waveform"),
        source,
        start: view.start,
        per_point: view.per_point,
        gain: panel.kept.gain,
        samples: samples.as_ref().map(|samples| (samples, fade)),
        ground: theme::WAVE,
        bands: theme::BANDS,
    };
    wave::paint(&painter, rect, &drawing);
    if panel.kept.is_growing() {
        let done = source.waveform.levels.first().map_or(0, Vec::len);
        let end = done as f64 / f64::from(tonearm_core::waveform::COLUMNS_PER_SECOND);
        let x = rect.left() + view.x(end);
        painter.vline(x, rect.y_range(), Stroke::new(1.0, theme::ACCENT));
    }
}

/// Single samples around the view, when it is close enough to show any.
fn samples(
    ui: &Ui,
    page: &Page<'_>,
    panel: &TrackPanel,
    view: &Viewport,
    rate: SampleRate,
) -> Option<Arc<Samples>> {
    let per_pixel = view.per_point * f64::from(rate.hz()) / f64::from(ui.ctx().pixels_per_point());
    if per_pixel > MOST_FRAMES_PER_PIXEL || panel.kept.is_growing() {
        return None;
    }
    let from = rate.frame_from_secs(Secs(view.start));
    let to = rate.frame_from_secs(Secs(view.time(panel.kept.limits.width + 2.0)));
    page.scene.shelf.samples(page.row, from, to).ready()
}

/// Beats and bars across the waveform, numbers above it.
fn lines(painter: &Painter, areas: &Areas, view: &Viewport, panel: &TrackPanel) {
    let wave = areas.wave;
    let font = FontId::proportional(11.0);
    let (from, to) = (view.time(-1.0), view.time(wave.width() + 1.0));
    for line in panel.kept.grid.lines(from, to, view.per_point) {
        let x = wave.left() + view.x(line.at);
        let stroke = match line.bar {
            Some(_) if line.labelled => Stroke::new(1.0, theme::DOWNBEAT.gamma_multiply(0.75)),
            Some(_) => Stroke::new(1.0, theme::DOWNBEAT.gamma_multiply(0.42)),
            None => Stroke::new(1.0, theme::TEXT.gamma_multiply(0.2)),
        };
        painter.vline(x, wave.y_range(), stroke);
        if line.bar.is_some()
            && let Some([first, .., last]) = &areas.stems
        {
            let faint = Stroke::new(1.0, theme::DOWNBEAT.gamma_multiply(0.3));
            painter.vline(x, first.top()..=last.bottom(), faint);
        }
        let Some(number) = line.bar else { continue };
        let tick = if line.labelled { RULER - 3.0 } else { 4.0 };
        painter.vline(x, (wave.top() - tick)..=wave.top(), stroke);
        if line.labelled {
            let at = pos2(x + 4.0, areas.ruler.center().y);
            painter.text(
                at,
                Align2::LEFT_CENTER,
                number,
                font.clone(),
                theme::TEXT_MUTED,
            );
        }
    }
}

/// Playhead and cue.
fn marks(painter: &Painter, rect: Rect, areas: &Areas, view: &Viewport, page: &Page<'_>) {
    let loaded = page.scene.sound.loaded.as_ref().filter(|_| page.loaded);
    if let Some(cue) = loaded.map(|loaded| loaded.cue.0).filter(|cue| *cue > 0.0) {
        let x = rect.left() + view.x(cue);
        painter.vline(x, areas.wave.y_range(), Stroke::new(1.0, theme::WARN));
        flag(painter, x, areas.ruler, theme::WARN);
    }
    let x = rect.left() + view.x(page.at);
    painter.vline(
        x,
        areas.ruler.top()..=rect.bottom(),
        Stroke::new(2.0, theme::PLAYHEAD),
    );
    flag(painter, x, areas.ruler, theme::PLAYHEAD);
}

fn flag(painter: &Painter, x: f32, ruler: Rect, colour: egui::Color32) {
    let top = ruler.top();
    let corners = vec![pos2(x - 5.0, top), pos2(x + 5.0, top), pos2(x, top + 7.0)];
    painter.add(egui::Shape::convex_polygon(corners, colour, Stroke::NONE));
}
