//! News that goes away by itself: never a question, never the only place where a failure is told.

use crate::theme;
use eframe::egui::{
    self, Align2, Area, Color32, Context, Frame, Id, Label, Margin, Order, RichText, Sense, Stroke,
};
use std::collections::VecDeque;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    News,
    Good,
    Warning,
    Trouble,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub tone: Tone,
    /// One sentence.
    pub text: String,
}

impl Notice {
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
        }
    }

    pub fn news(text: impl Into<String>) -> Self {
        Self::new(Tone::News, text)
    }

    pub fn good(text: impl Into<String>) -> Self {
        Self::new(Tone::Good, text)
    }

    pub fn warning(text: impl Into<String>) -> Self {
        Self::new(Tone::Warning, text)
    }

    pub fn trouble(text: impl Into<String>) -> Self {
        Self::new(Tone::Trouble, text)
    }
}

/// More at a time would be a wall.
const SHOWN: usize = 4;
/// Longer text is cut: a notice is a sentence.
const CHARACTERS: usize = 240;

/// Seconds for which a notice stands.
fn life(tone: Tone) -> f64 {
    match tone {
        Tone::News | Tone::Good => 5.0,
        Tone::Warning | Tone::Trouble => 10.0,
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Toast {
    notice: Notice,
    /// How often it was said.
    times: u32,
    /// Second at which it goes, on the window's clock.
    until: f64,
}

/// The notices that can be seen now. Time comes from outside, in seconds on any one clock.
#[derive(Debug, Default, PartialEq)]
pub struct Toasts {
    shown: VecDeque<Toast>,
}

impl Toasts {
    /// Shows a notice; one that is to be seen already is counted instead.
    pub fn say(&mut self, notice: Notice, now: f64) {
        let until = now + life(notice.tone);
        if let Some(same) = self.shown.iter_mut().find(|toast| toast.notice == notice) {
            same.times += 1;
            same.until = until;
            return;
        }
        if self.shown.len() == SHOWN {
            self.shown.pop_front();
        }
        self.shown.push_back(Toast {
            notice,
            times: 1,
            until,
        });
    }

    /// Takes away what has stood long enough; tells in how many seconds the next one goes.
    pub fn pass(&mut self, now: f64) -> Option<f64> {
        self.shown.retain(|toast| toast.until > now);
        self.shown
            .iter()
            .map(|toast| toast.until - now)
            .reduce(f64::min)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Notice> {
        self.shown.iter().map(|toast| &toast.notice)
    }
}

/// Draws the notices over the lower right corner, `above` points from the bottom. A click takes one away; the
/// pointer holds it.
pub fn toasts_ui(ctx: &Context, toasts: &mut Toasts, above: f32) {
    let now = ctx.input(|input| input.time);
    if let Some(wait) = toasts.pass(now) {
        ctx.request_repaint_after_secs(wait as f32 + 0.02);
    }
    if toasts.shown.is_empty() {
        return;
    }
    let mut gone = None;
    Area::new(Id::unique("notices"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, [-16.0, -above - 16.0])
        .show(ctx, |ui| {
            for (at, toast) in toasts.shown.iter_mut().enumerate() {
                let response = toast_ui(ui, toast);
                if response.hovered() {
                    toast.until = toast.until.max(now + 2.0);
                }
                if response.clicked() {
                    gone = Some(at);
                }
            }
        });
    if let Some(at) = gone {
        toasts.shown.remove(at);
    }
}

fn toast_ui(ui: &mut egui::Ui, toast: &Toast) -> egui::Response {
    let (icon, color) = mark(toast.notice.tone);
    let mut text: String = toast.notice.text.chars().take(CHARACTERS).collect();
    if toast.times > 1 {
        text = format!("{text} ({}×)", toast.times);
    }
    let frame = Frame::new()
        .fill(theme::RAISED)
        .stroke(Stroke::new(1.0, theme::LINE))
        .corner_radius(8)
        .shadow(ui.visuals().popup_shadow)
        .inner_margin(Margin::symmetric(12, 10));
    let inner = frame.show(ui, |ui| {
        ui.set_max_width(380.0);
        ui.horizontal(|ui| {
            ui.label(RichText::new(icon).color(color).size(16.0));
            ui.add(Label::new(&text).wrap().selectable(false));
        });
    });
    let response = ui.interact(
        inner.response.rect,
        ui.scope_id().with(&toast.notice.text),
        Sense::click(),
    );
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &text));
    response
}

/// Icon and colour of a tone.
pub fn mark(tone: Tone) -> (&'static str, Color32) {
    match tone {
        Tone::News => (theme::icon::INFO, theme::ACCENT),
        Tone::Good => (theme::icon::CHECK_CIRCLE, theme::OK),
        Tone::Warning => (theme::icon::WARNING, theme::WARN),
        Tone::Trouble => (theme::icon::WARNING_CIRCLE, theme::ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_goes_by_itself_and_trouble_stands_longer() {
        let mut toasts = Toasts::default();
        toasts.say(Notice::news("a"), 0.0);
        toasts.say(Notice::trouble("b"), 0.0);
        assert_eq!(toasts.pass(4.0), Some(1.0));
        assert_eq!(toasts.pass(5.0), Some(5.0));
        assert_eq!(toasts.iter().count(), 1);
        assert_eq!(toasts.pass(10.0), None);
    }

    #[test]
    fn what_is_said_again_is_counted() {
        let mut toasts = Toasts::default();
        for now in [0.0, 1.0, 2.0] {
            toasts.say(Notice::news("a"), now);
        }
        assert_eq!(toasts.shown.len(), 1);
        assert_eq!(toasts.shown[0].times, 3);
        assert_eq!(toasts.shown[0].until, 7.0);
    }

    #[test]
    fn a_flood_leaves_the_newest() {
        let mut toasts = Toasts::default();
        for number in 0..100 {
            toasts.say(Notice::news(format!("{number}")), 0.0);
        }
        let texts: Vec<&str> = toasts.iter().map(|notice| notice.text.as_str()).collect();
        assert_eq!(texts, ["96", "97", "98", "99"]);
    }
}
