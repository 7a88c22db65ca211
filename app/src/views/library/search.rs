//! The search box: the query language as it is typed, its errors at their place, its help.

use super::LibraryPanel;
use super::icons::{Sign, sign_button};
use super::words;
use crate::theme;
use eframe::egui::text::{CCursor, CCursorRange, LayoutJob, TextFormat};
use eframe::egui::{
    Align, Align2, Button, FontId, Id, Key, Label, Layout, Modifiers, Popup, PopupCloseBehavior,
    Response, RichText, ScrollArea, Stroke, TextEdit, Ui, vec2,
};
use std::sync::Arc;
use tonearm_core::query::{self, Query, QueryError};

/// The same for all frames, so that an action can put the keyboard there.
pub(super) fn field_id() -> Id {
    Id::unique("library search")
}

/// What was typed, as far as it can be understood.
#[derive(Debug, Default)]
pub(super) struct Understood {
    text: String,
    /// The last that made sense; `None`: everything.
    pub(super) query: Option<Arc<Query>>,
    pub(super) error: Option<QueryError>,
}

impl Understood {
    /// Reads the text when it is another than before.
    pub(super) fn read(&mut self, text: &str) {
        if self.text == text {
            return;
        }
        text.clone_into(&mut self.text);
        match query::parse(text) {
            Ok(query) => {
                self.query = (!query.is_empty()).then(|| Arc::new(query));
                self.error = None;
            }
            Err(error) => self.error = Some(error),
        }
    }
}

/// The field, its help and what is wrong with it. Takes the width that is there.
pub(super) fn search_ui(ui: &mut Ui, panel: &mut LibraryPanel, width: f32) {
    let error_at = panel.state.understood.error.as_ref().map(|error| error.at);
    let font = eframe::egui::TextStyle::Body.resolve(ui.style());
    let mut layouter = |ui: &Ui, text: &dyn eframe::egui::TextBuffer, _width: f32| {
        let job = marked(text.as_str(), error_at, &font);
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    let id = field_id();
    let has_focus = ui.memory(|memory| memory.has_focus(id));
    let edit = TextEdit::singleline(&mut panel.search)
        .id(id)
        .hint_text("Search: words, bpm:120-128, key:8A~ …")
        .char_limit(4096)
        .margin(vec2(8.0, 5.0))
        .align(Align2::LEFT_CENTER)
        .layouter(&mut layouter);
    let field = ui.add_sized(vec2(width, theme::CONTROL), edit);
    ui.ctx()
        .accesskit_node_builder(id, |node| node.set_label("Search the library"));
    // The first Escape clears, the next leaves.
    if field.lost_focus()
        && !panel.search.is_empty()
        && ui.input(|input| input.key_pressed(Key::Escape))
    {
        panel.search.clear();
        field.request_focus();
    }
    if std::mem::take(&mut panel.state.focus_search) {
        field.request_focus();
        select_all(ui, id, &panel.search);
    }
    // Down from the field into the table.
    let leaves = has_focus
        && ui.input_mut(|input| {
            input.consume_key(Modifiers::NONE, Key::ArrowDown)
                || input.consume_key(Modifiers::NONE, Key::Enter)
        });
    if leaves && let Some(table) = panel.state.table {
        ui.memory_mut(|memory| memory.request_focus(table));
        if panel
            .focus()
            .is_none_or(|id| panel.state.clerk.listing().place(id).is_none())
        {
            panel.step(super::selection::Step::Start, false);
        }
    }
}

/// The error in words, below the field.
pub(super) fn error_ui(ui: &mut Ui, panel: &LibraryPanel) {
    if let Some(error) = &panel.state.understood.error {
        let text = words::line(&error.to_string(), 400).into_owned();
        let text = format!("At character {}: {text}", error.at + 1);
        ui.add(Label::new(RichText::new(text).small().color(theme::ERROR)).wrap());
    }
}

/// Red and underlined from the place where it stops making sense.
fn marked(text: &str, error_at: Option<usize>, font: &FontId) -> LayoutJob {
    let plain = TextFormat::simple(font.clone(), theme::TEXT);
    let mut job = LayoutJob {
        break_on_newline: false,
        ..LayoutJob::default()
    };
    let cut = error_at.map(|at| {
        let place = text.char_indices().nth(at);
        // At the end there is nothing to underline but what comes before.
        place.map_or_else(
            || text.char_indices().next_back().map_or(0, |(at, _)| at),
            |(at, _)| at,
        )
    });
    let (good, bad) = text
        .split_at_checked(cut.unwrap_or(text.len()))
        .unwrap_or((text, ""));
    job.append(good, 0.0, plain.clone());
    if !bad.is_empty() {
        let wrong = TextFormat {
            underline: Stroke::new(1.5, theme::ERROR),
            ..plain
        };
        job.append(bad, 0.0, wrong);
    }
    job
}

fn select_all(ui: &Ui, id: Id, text: &str) {
    let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    let range = CCursorRange::two(CCursor::new(0), CCursor::new(text.chars().count()));
    state.cursor.set_char_range(Some(range));
    TextEdit::store_state(ui.ctx(), id, state);
}

/// Of the help, in points.
const WIDTH: f32 = 600.0;

/// The button beside the field, and the sheet that it opens.
pub(super) fn help_button(ui: &mut Ui, panel: &mut LibraryPanel) {
    let button = sign_button(ui, Sign::Question, "How to search", None);
    let popup = Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(WIDTH);
    if std::mem::take(&mut panel.state.open_help) {
        Popup::open_id(ui.ctx(), popup.get_id());
    }
    popup.show(|ui| help_ui(ui, panel));
}

/// Each line of the help can be clicked into the search.
fn help_ui(ui: &mut Ui, panel: &mut LibraryPanel) {
    ui.set_min_width(WIDTH.min(ui.ctx().content_rect().width() - 40.0));
    ui.label(RichText::new("Click an example to add it to the search").color(theme::TEXT_MUTED));
    ui.add_space(4.0);
    let area = ScrollArea::vertical().max_height(440.0).auto_shrink(false);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        for (example, meaning) in query::HELP {
            line_ui(ui, panel, (example, meaning));
        }
    });
}

/// Where meanings start, in points.
const EXAMPLES: f32 = 200.0;

fn line_ui(ui: &mut Ui, panel: &mut LibraryPanel, (example, meaning): (&str, &str)) {
    let line = vec2(ui.available_width(), 18.0);
    ui.allocate_ui_with_layout(line, Layout::left_to_right(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.spacing_mut().button_padding.y = 0.0;
        ui.spacing_mut().interact_size.y = 18.0;
        let button = example_ui(ui, example);
        if button.clicked() {
            insert(&mut panel.search, example);
            panel.state.focus_search = true;
        }
        ui.add_space((EXAMPLES - button.rect.width()).max(0.0));
        let text = RichText::new(meaning).color(theme::TEXT_MUTED);
        ui.add(Label::new(text).wrap());
    });
}

fn example_ui(ui: &mut Ui, example: &str) -> Response {
    ui.add(Button::new(RichText::new(example).monospace()).frame(false))
}

fn insert(search: &mut String, example: &str) {
    if !search.is_empty() && !search.ends_with(' ') {
        search.push(' ');
    }
    search.push_str(example);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_search_that_made_sense_stays_while_it_makes_none() {
        let mut understood = Understood::default();
        understood.read("bpm:120-128");
        let good = understood.query.clone();
        assert!(good.is_some());
        understood.read("bpm:fast");
        assert_eq!(understood.query, good);
        assert_eq!(understood.error.as_ref().map(|error| error.at), Some(4));
        understood.read("bpm:120");
        assert!(understood.error.is_none() && understood.query != good);
    }

    #[test]
    fn what_is_wrong_is_marked_at_its_place_and_at_the_end() {
        let font = FontId::default();
        for (text, at, sections) in [
            ("bpm:fast", Some(4), 2),
            ("bpm:120", None, 1),
            ("tïtle:(", Some(99), 2),
            ("x", Some(0), 1),
            ("", Some(0), 0),
        ] {
            let job = marked(text, at, &font);
            assert_eq!(job.text, text);
            let shown = job.sections.iter().filter(|it| !it.byte_range.is_empty());
            assert_eq!(shown.count(), sections, "{text:?}");
        }
    }

    #[test]
    fn an_example_joins_what_is_there() {
        let mut search = String::new();
        insert(&mut search, "bpm:128");
        insert(&mut search, "key:8A");
        assert_eq!(search, "bpm:128 key:8A");
    }
}
