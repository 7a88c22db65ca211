//! What stands in one cell of the table.

use super::columns::{ColumnId, Side};
use super::covers::Covers;
use super::words::{self, Source, UNKNOWN};
use crate::scene::Scene;
use crate::shelf::{ArtSize, Loadable};
use crate::theme;
use eframe::egui::text::{LayoutJob, TextWrapping};
use eframe::egui::{
    Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Shape, Stroke, Ui, Vec2, pos2, vec2,
};
use tonearm_core::artifact::Artifact;
use tonearm_core::playback::Transport;
use tonearm_core::row::{ArtifactState, Row, TrackState};

/// The artifacts with a dot in the table: those that a DJ waits for.
pub(super) const DOTTED: [Artifact; 5] = [
    Artifact::Waveform,
    Artifact::Beats,
    Artifact::Key,
    Artifact::Chords,
    Artifact::Loudness,
];

/// Points between a column's edge and its text.
pub(super) const INSET: f32 = 8.0;

/// Room behind a number for the mark of doubt or of the hand.
const MARK: f32 = 11.0;

/// Everything that painting cells needs, once for all of them.
pub(super) struct Pen<'a> {
    pub(super) ui: &'a Ui,
    pub(super) painter: Painter,
    pub(super) scene: &'a Scene<'a>,
    pub(super) body: FontId,
    pub(super) small: FontId,
    pub(super) covers: &'a mut Covers,
}

/// One cell.
pub(super) struct Cell<'a> {
    pub(super) row: &'a Row,
    pub(super) rect: Rect,
    /// The file is not there: everything fainter.
    pub(super) is_faint: bool,
}

impl Pen<'_> {
    pub(super) fn cell(&mut self, column: ColumnId, cell: &Cell<'_>) {
        let tags = &cell.row.track.tags;
        match column {
            ColumnId::Cover => self.cover(cell),
            ColumnId::Title => self.text(&words::title(cell.row), cell, Tone::Strong),
            ColumnId::Artist => self.tag(tags.artist.as_deref(), cell),
            ColumnId::Album => self.tag(tags.album.as_deref(), cell),
            ColumnId::Genre => self.tag(tags.genre.as_deref(), cell),
            ColumnId::Label => self.tag(tags.label.as_deref(), cell),
            ColumnId::Comment => self.tag(tags.comment.as_deref(), cell),
            ColumnId::Tempo => self.tempo(cell),
            ColumnId::Key => self.key(cell),
            ColumnId::Length => self.number(words::length(cell.row), cell),
            ColumnId::Preview => self.preview(cell),
            ColumnId::Analysis => self.dots(cell),
            ColumnId::Rating => self.stars(tags.rating, cell),
            ColumnId::Year => self.number(tags.year.map(|year| year.to_string()), cell),
            ColumnId::Added => self.text(&added(cell.row), cell, Tone::Muted),
            ColumnId::Codec => {
                let format = cell.row.track.format.as_ref();
                self.tag(format.map(|format| format.codec.as_str()), cell);
            }
            ColumnId::Loudness => self.number(loudness(cell.row), cell),
            ColumnId::Path => {
                self.text(
                    &cell.row.track.path.as_path().to_string_lossy(),
                    cell,
                    Tone::Muted,
                );
            }
        }
    }

    fn tag(&self, text: Option<&str>, cell: &Cell<'_>) {
        match text {
            Some(text) => self.text(text, cell, Tone::Muted),
            None => self.text(UNKNOWN, cell, Tone::Unknown),
        }
    }

    fn number(&self, text: Option<String>, cell: &Cell<'_>) {
        let (text, tone) = match text {
            Some(text) => (text, Tone::Muted),
            None => (UNKNOWN.to_owned(), Tone::Unknown),
        };
        self.put(&text, cell, (Side::Right, tone));
    }

    fn text(&self, text: &str, cell: &Cell<'_>, tone: Tone) {
        self.put(text, cell, (Side::Left, tone));
    }

    /// Text cut to the cell.
    fn put(&self, text: &str, cell: &Cell<'_>, (side, tone): (Side, Tone)) {
        let room = cell.rect.width() - 2.0 * INSET;
        if room < 4.0 {
            return;
        }
        // No letter is narrower than this; the rest need not be looked at.
        let fitting = (room / 2.5) as usize + 2;
        let text = words::line(text, fitting).into_owned();
        let color = tone.color(cell.is_faint);
        let mut job = LayoutJob::simple_singleline(text, self.body.clone(), color);
        job.wrap = TextWrapping::truncate_at_width(room);
        let galley = self.painter.layout_job(job);
        let x = match side {
            Side::Left => cell.rect.left() + INSET,
            Side::Centre => cell.rect.center().x - galley.size().x / 2.0,
            Side::Right => cell.rect.right() - INSET - galley.size().x,
        };
        let y = cell.rect.center().y - galley.size().y / 2.0;
        self.painter
            .galley(snap(self.ui, pos2(x, y)), galley, color);
    }

    fn tempo(&self, cell: &Cell<'_>) {
        let Some(fact) = words::tempo(cell.row) else {
            let unknown = Cell {
                rect: cell.rect.with_max_x(cell.rect.right() - MARK + INSET / 2.0),
                ..*cell
            };
            return self.put(UNKNOWN, &unknown, (Side::Right, Tone::Unknown));
        };
        let tone = if fact.is_doubtful() || fact.from == Source::Tag {
            Tone::Doubtful
        } else {
            Tone::Strong
        };
        let figure = Cell {
            rect: cell.rect.with_max_x(cell.rect.right() - MARK + INSET / 2.0),
            ..*cell
        };
        let text = format!("{:.2}", fact.value);
        self.put(&text, &figure, (Side::Right, tone));
        let at = pos2(cell.rect.right() - MARK, cell.rect.center().y);
        self.mark(at, fact.is_doubtful(), fact.from);
    }

    /// Doubt as a question mark, the user's hand as a small square.
    fn mark(&self, at: Pos2, is_doubtful: bool, from: Source) {
        if is_doubtful {
            let font = self.small.clone();
            self.painter
                .text(at, Align2::LEFT_CENTER, "?", font, theme::WARN);
        } else if from == Source::Hand {
            let square = Rect::from_center_size(at + vec2(3.0, 0.0), Vec2::splat(4.0));
            self.painter
                .rect_filled(square, CornerRadius::same(1), theme::ACCENT);
        }
    }

    fn key(&self, cell: &Cell<'_>) {
        let Some(fact) = words::key_of(cell.row) else {
            return self.put(UNKNOWN, cell, (Side::Centre, Tone::Unknown));
        };
        let text = words::key(fact.value, self.scene.settings.key_notation);
        let room = cell.rect.width() - MARK - 4.0;
        let size = vec2(room.min(36.0), (cell.rect.height() - 8.0).clamp(2.0, 18.0));
        let centre = pos2(cell.rect.center().x - 3.0, cell.rect.center().y);
        let chip = Rect::from_center_size(centre, size);
        let is_weak = fact.is_doubtful() || cell.is_faint;
        chip_ui(
            &self.painter,
            chip,
            &text,
            (theme::key(fact.value), is_weak, fact.from),
            &self.small,
        );
        self.mark(
            pos2(chip.right() + 3.0, centre.y),
            fact.is_doubtful(),
            fact.from,
        );
    }

    fn cover(&mut self, cell: &Cell<'_>) {
        let side = (cell.rect.height() - 4.0)
            .min(cell.rect.width() - 6.0)
            .max(1.0);
        let square = Rect::from_center_size(cell.rect.center(), Vec2::splat(side.floor()));
        let ctx = self.ui.ctx();
        let texture = self.covers.get(ctx, self.scene, cell.row, ArtSize::Row);
        if let Some(texture) = texture {
            let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            let tint = if cell.is_faint {
                theme::TEXT_FAINT
            } else {
                Color32::WHITE
            };
            self.painter.image(texture, square, whole, tint);
        }
        let loaded = self.scene.sound.loaded.as_ref();
        if loaded.is_some_and(|loaded| loaded.track == cell.row.track.id) {
            if texture.is_some() {
                self.painter.rect_filled(
                    square,
                    CornerRadius::ZERO,
                    theme::APP.gamma_multiply(0.7),
                );
            }
            let is_playing = self.scene.sound.transport == Transport::Playing;
            let color = if is_playing {
                theme::ACCENT
            } else {
                theme::TEXT_MUTED
            };
            triangle(&self.painter, square.center(), 5.0, color);
        } else if cell.row.state == TrackState::Missing {
            let at = square.center();
            self.painter.text(
                at,
                Align2::CENTER_CENTER,
                "!",
                self.body.clone(),
                theme::WARN,
            );
        }
    }

    fn preview(&self, cell: &Cell<'_>) {
        let rect = cell.rect.shrink2(vec2(4.0, 3.0));
        if rect.width() < 8.0 {
            return;
        }
        match self.scene.shelf.preview(cell.row) {
            Loadable::Ready(columns) => {
                let played = self.played(cell.row);
                crate::widgets::preview::paint(&self.painter, rect, &columns, played);
            }
            Loadable::Pending | Loadable::Absent | Loadable::Failed(_) => {
                let y = rect.center().y;
                let line = Stroke::new(1.0, theme::LINE);
                self.painter.hline(rect.x_range(), y, line);
            }
        }
    }

    /// The share of the track that has been heard, while it is loaded.
    fn played(&self, row: &Row) -> Option<f32> {
        let playhead = self.scene.playhead?;
        let secs = row.track.format.as_ref()?.duration.0;
        let share = (playhead.at.0 / secs) as f32;
        (playhead.track == row.track.id && share.is_finite()).then(|| share.clamp(0.0, 1.0))
    }

    /// Five places, as many of them lit as there are stars.
    fn stars(&self, rating: Option<u8>, cell: &Cell<'_>) {
        let Some(rating) = rating else {
            return self.text(UNKNOWN, cell, Tone::Unknown);
        };
        for place in 0..5_u8 {
            let at = cell.rect.left_center() + vec2(INSET + 3.0 + 10.0 * f32::from(place), 0.0);
            let (radius, color) = if place < rating {
                (3.0, theme::WARN.gamma_multiply(0.9))
            } else {
                (1.5, theme::LINE)
            };
            self.painter.circle_filled(at, radius, color);
        }
    }

    fn dots(&self, cell: &Cell<'_>) {
        let step = 13.0;
        let start = cell.rect.center().x - step * (DOTTED.len() as f32 - 1.0) / 2.0;
        for (place, artifact) in DOTTED.into_iter().enumerate() {
            let at = pos2(start + step * place as f32, cell.rect.center().y);
            dot(&self.painter, at, state_of(cell.row, artifact));
        }
        // What was made tells of less than the whole.
        if cell.row.track.damage.is_some() {
            let at = pos2(start + step * DOTTED.len() as f32, cell.rect.center().y);
            let font = FontId::proportional(12.0);
            let sign = theme::icon::WARNING;
            self.painter
                .text(at, Align2::CENTER_CENTER, sign, font, theme::WARN);
        }
    }
}

/// How strongly text speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Strong,
    Muted,
    Doubtful,
    Unknown,
}

impl Tone {
    fn color(self, is_faint: bool) -> Color32 {
        match self {
            Self::Unknown => theme::LINE,
            _ if is_faint => theme::TEXT_FAINT,
            Self::Strong => theme::TEXT,
            Self::Muted => theme::TEXT_MUTED,
            Self::Doubtful => theme::TEXT_FAINT,
        }
    }
}

/// Text starts on a whole pixel: sharp, and equal in all rows.
fn snap(ui: &Ui, at: Pos2) -> Pos2 {
    let scale = ui.ctx().pixels_per_point();
    pos2(
        (at.x * scale).round() / scale,
        (at.y * scale).round() / scale,
    )
}

pub(super) fn state_of(row: &Row, artifact: Artifact) -> ArtifactState {
    let states = Artifact::ALL.into_iter().zip(row.artifacts);
    states
        .filter(|(kind, _)| *kind == artifact)
        .map(|(_, state)| state)
        .next()
        .unwrap_or(ArtifactState::Absent)
}

/// A key in its colour: filled when analysis or the user says it, outlined when only the tag does.
pub(super) fn chip_ui(
    painter: &Painter,
    chip: Rect,
    text: &str,
    (color, is_weak, from): (Color32, bool, Source),
    font: &FontId,
) {
    let radius = CornerRadius::same(4);
    let ink = match from {
        Source::Tag => {
            let stroke = Stroke::new(1.0, color.gamma_multiply(0.6));
            painter.rect_stroke(chip, radius, stroke, eframe::egui::StrokeKind::Inside);
            color.gamma_multiply(if is_weak { 0.7 } else { 0.9 })
        }
        Source::Analysis | Source::Hand if is_weak => {
            painter.rect_filled(chip, radius, color.gamma_multiply(0.22));
            color.gamma_multiply(0.85)
        }
        Source::Analysis | Source::Hand => {
            painter.rect_filled(chip, radius, color);
            theme::ON_CHIP
        }
    };
    painter.text(
        chip.center(),
        Align2::CENTER_CENTER,
        text,
        font.clone(),
        ink,
    );
}

fn triangle(painter: &Painter, centre: Pos2, size: f32, color: Color32) {
    let points = vec![
        centre + vec2(-size * 0.7, -size),
        centre + vec2(size, 0.0),
        centre + vec2(-size * 0.7, size),
    ];
    painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
}

/// The state of an artifact: told apart by shape as well as by colour.
pub(super) fn dot(painter: &Painter, at: Pos2, state: ArtifactState) {
    const RADIUS: f32 = 3.5;
    match state {
        ArtifactState::Done => {
            painter.circle_filled(at, RADIUS, theme::OK.gamma_multiply(0.85));
        }
        ArtifactState::Running => {
            painter.circle_stroke(at, RADIUS, Stroke::new(1.2, theme::ACCENT));
            let half = (0..=12).map(|step| {
                let angle = std::f32::consts::PI * (0.5 + step as f32 / 12.0);
                at + vec2(angle.cos(), angle.sin()) * RADIUS
            });
            painter.add(Shape::convex_polygon(
                half.collect(),
                theme::ACCENT,
                Stroke::NONE,
            ));
        }
        ArtifactState::Due => {
            painter.circle_stroke(at, RADIUS - 0.3, Stroke::new(1.2, theme::TEXT_FAINT));
        }
        ArtifactState::Waiting => {
            painter.circle_stroke(at, RADIUS - 1.5, Stroke::new(1.0, theme::TEXT_FAINT));
        }
        ArtifactState::Failed => {
            let stroke = Stroke::new(1.6, theme::ERROR);
            let arm = RADIUS - 0.5;
            painter.line_segment([at + vec2(-arm, -arm), at + vec2(arm, arm)], stroke);
            painter.line_segment([at + vec2(-arm, arm), at + vec2(arm, -arm)], stroke);
        }
        ArtifactState::Absent => {
            let stroke = Stroke::new(1.0, theme::LINE);
            painter.line_segment([at + vec2(-2.0, 0.0), at + vec2(2.0, 0.0)], stroke);
        }
    }
}

fn added(row: &Row) -> String {
    let zoned = row.track.added.to_zoned(jiff::tz::TimeZone::system());
    zoned.strftime("%Y-%m-%d").to_string()
}

fn loudness(row: &Row) -> Option<String> {
    let lufs = row.knowledge.summary.loudness?.integrated?;
    lufs.is_finite().then(|| format!("{lufs:.1}"))
}

/// The fonts of the table, from the style of the window.
pub(super) fn fonts(ui: &Ui) -> (FontId, FontId) {
    use eframe::egui::TextStyle;
    let small = TextStyle::Small.resolve(ui.style());
    let size = small.size.max(11.0);
    (
        TextStyle::Body.resolve(ui.style()),
        FontId::new(size, small.family),
    )
}
