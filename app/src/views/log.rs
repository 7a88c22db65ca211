//! The log: what the program noted of its own work, for whoever looks for the cause of something.

use crate::action::Action;
use crate::journal::Line;
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::{self, ComboBox, Label, RichText, ScrollArea, Ui};
use tracing::Level;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPanel {
    /// Lines of this importance and above.
    pub level: Level,
}

impl Default for LogPanel {
    fn default() -> Self {
        Self { level: Level::INFO }
    }
}

pub fn log_ui(ui: &mut Ui, lines: &[Line], panel: &mut LogPanel, out: &mut Outbox) {
    ui.horizontal(|ui| {
        let label = ui.label("Show");
        ComboBox::from_id_salt("level")
            .selected_text(level_name(panel.level))
            .show_ui(ui, |ui| {
                for level in [Level::INFO, Level::WARN, Level::ERROR] {
                    ui.selectable_value(&mut panel.level, level, level_name(level));
                }
            })
            .response
            .labelled_by(label.id);
        let copy = ui
            .button(format!("{}  Copy diagnostics", theme::icon::COPY))
            .on_hover_text(Action::CopyDiagnostics.hint());
        if copy.clicked() {
            out.act(Action::CopyDiagnostics);
        }
    });
    // More important levels are smaller.
    let shown: Vec<&Line> = lines
        .iter()
        .filter(|line| line.level <= panel.level)
        .collect();
    if shown.is_empty() {
        ui.label(RichText::new("Nothing of that importance so far").color(theme::TEXT_MUTED));
        return;
    }
    let height = ui.text_style_height(&egui::TextStyle::Monospace);
    ScrollArea::both()
        .auto_shrink([false, false])
        .max_height(ui.available_height().max(200.0))
        .stick_to_bottom(true)
        .show_rows(ui, height, shown.len(), |ui, rows| {
            for line in shown.get(rows).unwrap_or_default() {
                let color = match line.level {
                    Level::ERROR => theme::ERROR,
                    Level::WARN => theme::WARN,
                    _ => theme::TEXT_MUTED,
                };
                let text = format!("{}  {:5}  {}", line.time(), line.level, line.text);
                let text = RichText::new(text.replace('\n', " "))
                    .monospace()
                    .color(color);
                ui.add(Label::new(text).extend());
            }
        });
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "Errors",
        Level::WARN => "Warnings and errors",
        _ => "Everything",
    }
}
