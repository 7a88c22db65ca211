//! The library as a user meets it: clicks, keys, searches, and what is asked for in return.

#[path = "library/rows.rs"]
mod rows;

use eframe::egui::{Key, Modifiers, Role, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};
use std::sync::Arc;
use tonearm::action::Action;
use tonearm::outbox::Outbox;
use tonearm::scene::Scene;
use tonearm::settings::Settings;
use tonearm::shelf::Shelf;
use tonearm::theme;
use tonearm::views::library::{LibraryPanel, Scope, library_ui};
use tonearm_core::core_loop::command::{Command, Selection};
use tonearm_core::core_loop::view::{Rows, View};
use tonearm_core::playback::PlayerView;
use tonearm_core::row::Row;
use tonearm_core::setup::SetupView;
use tonearm_core::track::TrackId;
use tonearm_core::units::{Bpm, Secs};

/// A window with nothing but the library.
struct World {
    view: View,
    sound: PlayerView,
    shelf: Shelf,
    settings: Settings,
    setup: SetupView,
    panel: LibraryPanel,
    out: Outbox,
    ready: bool,
}

impl World {
    fn of(rows: Vec<Row>) -> Self {
        Self {
            view: View {
                rows: Rows::new(rows),
                ..View::default()
            },
            sound: PlayerView::default(),
            shelf: Shelf::default(),
            settings: Settings::default(),
            setup: SetupView::default(),
            panel: LibraryPanel::default(),
            out: Outbox::default(),
            ready: true,
        }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            view: &self.view,
            sound: &self.sound,
            playhead: None,
            sought: None,
            shelf: &self.shelf,
            settings: &self.settings,
            setup: &self.setup,
            ready: self.ready,
        }
    }

    /// Carries an action out as the window would.
    fn act(&mut self, action: Action) -> bool {
        let mut panel = std::mem::take(&mut self.panel);
        let mut out = std::mem::take(&mut self.out);
        let is_done = panel.act(action, &self.scene(), &mut out);
        (self.panel, self.out) = (panel, out);
        is_done
    }

    /// Numbers of the selected tracks, in the order of selection.
    fn selected(&self) -> Vec<u64> {
        self.panel.selected.iter().map(|id| id.0 - 0x5000).collect()
    }

    fn add(&mut self, rows: Vec<Row>) {
        let known = self.view.rows.iter().map(|row| Row::clone(row));
        self.view.rows = Rows::new(known.chain(rows).collect());
    }
}

fn window(world: World) -> Harness<'static, World> {
    sized(world, Vec2::new(1280.0, 720.0))
}

fn sized(world: World, size: Vec2) -> Harness<'static, World> {
    builder(size).build_ui_state(draw, world)
}

fn builder<S>(size: Vec2) -> egui_kittest::HarnessBuilder<S> {
    Harness::builder()
        .with_size(size)
        .with_max_steps(60)
        .with_step_dt(1.0 / 60.0)
        .with_context_setup(theme::install)
}

fn draw(ui: &mut eframe::egui::Ui, world: &mut World) {
    let mut panel = std::mem::take(&mut world.panel);
    let mut out = std::mem::take(&mut world.out);
    library_ui(ui, &world.scene(), &mut panel, &mut out);
    (world.panel, world.out) = (panel, out);
}

/// The row of the track with this title.
fn row<'a>(h: &'a Harness<'_, World>, title: &str) -> Node<'a> {
    h.get_by_label_contains(format!("{title} by Harbour Unit").leak())
}

fn has_row(h: &Harness<'_, World>, title: &str) -> bool {
    let label = format!("{title} by Harbour Unit");
    h.query_by_label_contains(&label).is_some()
}

fn heading<'a>(h: &'a Harness<'_, World>, name: &'a str) -> Node<'a> {
    h.get_by_role_and_label(Role::ColumnHeader, name)
}

fn press(h: &mut Harness<'_, World>, modifiers: Modifiers, key: Key) {
    h.key_press_modifiers(modifiers, key);
    h.run();
}

#[test]
fn a_row_says_what_it_is_and_clicks_select_it_with_its_neighbours() {
    let mut h = window(World::of(rows::letters(8)));
    h.run();
    let name = "B0 by Harbour Unit, 101 BPM, 6A, ready";
    h.get_by_label(name).click();
    h.run();
    assert_eq!(h.state().selected(), [1]);
    row(&h, "D0").click_modifiers(Modifiers::SHIFT);
    h.run();
    assert_eq!(h.state().selected(), [1, 2, 3]);
    row(&h, "C0").click_modifiers(Modifiers::COMMAND);
    h.run();
    assert_eq!(h.state().selected(), [1, 3]);
    row(&h, "F0").click_modifiers(Modifiers::COMMAND);
    h.run();
    row(&h, "E0").click_modifiers(Modifiers::SHIFT | Modifiers::COMMAND);
    h.run();
    assert_eq!(h.state().selected(), [1, 3, 5, 4]);
    row(&h, "A0").click();
    h.run();
    assert_eq!(h.state().selected(), [0]);
}

#[test]
fn the_keyboard_alone_selects_and_opens() {
    let mut h = window(World::of(rows::letters(60)));
    h.run();
    press(&mut h, Modifiers::NONE, Key::ArrowDown);
    assert_eq!(h.state().selected(), [0]);
    press(&mut h, Modifiers::NONE, Key::ArrowDown);
    press(&mut h, Modifiers::SHIFT, Key::ArrowDown);
    assert_eq!(h.state().selected(), [1, 2]);
    press(&mut h, Modifiers::SHIFT, Key::ArrowUp);
    press(&mut h, Modifiers::SHIFT, Key::ArrowUp);
    assert_eq!(h.state().selected(), [1, 0]);
    press(&mut h, Modifiers::NONE, Key::End);
    assert_eq!(h.state().selected(), [59]);
    assert!(
        has_row(&h, "H2") && !has_row(&h, "A0"),
        "the end is in sight"
    );
    press(&mut h, Modifiers::NONE, Key::PageUp);
    let paged = h.state().selected()[0];
    assert!((30..50).contains(&paged), "{paged}");
    press(&mut h, Modifiers::NONE, Key::Home);
    assert!(has_row(&h, "A0"));
    press(&mut h, Modifiers::NONE, Key::Enter);
    assert_eq!(h.state().out.actions, [Action::OpenTrack]);
    press(&mut h, Modifiers::COMMAND, Key::A);
    assert_eq!(h.state().panel.selected.len(), 60);
}

#[test]
fn the_table_is_reached_by_tab_and_the_arrows_then_stay_in_it() {
    let mut h = window(World::of(rows::letters(5)));
    h.run();
    for _tab in 0..60 {
        press(&mut h, Modifiers::NONE, Key::Tab);
        if h.get_by_label("5 tracks in the table").is_focused() {
            break;
        }
    }
    assert!(h.get_by_label("5 tracks in the table").is_focused());
    for _row in 0..3 {
        press(&mut h, Modifiers::NONE, Key::ArrowDown);
    }
    assert_eq!(h.state().selected(), [2]);
    // What a screen reader takes for focused is the row that the arrows reached.
    assert!(row(&h, "C0").is_focused());
}

#[test]
fn a_double_click_opens_and_the_menu_offers_the_rest() {
    let mut h = window(World::of(rows::letters(5)));
    h.run();
    row(&h, "C0").click();
    row(&h, "C0").click();
    h.run();
    assert_eq!(h.state().out.actions, [Action::OpenTrack]);
    row(&h, "E0").click_secondary();
    h.run();
    assert_eq!(
        h.state().selected(),
        [4],
        "the menu is about the row under it"
    );
    h.get_by_label_contains("Remove from library").click();
    h.run();
    assert_eq!(h.state().out.actions.last(), Some(&Action::RemoveSelected));
}

#[test]
fn headings_sort_and_selection_and_search_survive() {
    let mut h = window(World::of(rows::letters(6)));
    h.run();
    row(&h, "B0").click();
    h.run();
    heading(&h, "Tempo").click();
    h.run();
    assert!(row(&h, "A0").rect().top() < row(&h, "F0").rect().top());
    h.get_by_label("Tempo, sorted ascending").click();
    h.run();
    assert!(row(&h, "F0").rect().top() < row(&h, "A0").rect().top());
    assert_eq!(h.state().selected(), [1]);
    assert!(h.query_by_label("Tempo, sorted descending").is_some());
}

#[test]
fn a_search_narrows_as_it_is_typed_and_a_slip_keeps_what_was_found() {
    let mut h = window(World::of(rows::letters(30)));
    h.run();
    assert!(h.state_mut().act(Action::Search));
    h.run();
    h.get_by_role(Role::TextInput).type_text("bpm:100-102");
    h.run();
    assert!(has_row(&h, "C0") && !has_row(&h, "D0"));
    assert!(h.query_by_label_contains("3 of 30 · ").is_some());
    h.get_by_role(Role::TextInput).type_text(" bpm:fast");
    h.run();
    assert!(has_row(&h, "C0") && !has_row(&h, "D0"));
    assert!(
        h.query_by_label_contains("At character 17: expected")
            .is_some()
    );
    press(&mut h, Modifiers::NONE, Key::Escape);
    assert_eq!(h.state().panel.search, "");
    assert!(has_row(&h, "D0"));
    h.get_by_role(Role::TextInput).type_text("d0");
    h.run();
    press(&mut h, Modifiers::NONE, Key::ArrowDown);
    assert_eq!(
        h.state().selected(),
        [3],
        "from the search into what it found"
    );
}

#[test]
fn the_help_of_the_search_is_clicked_into_it() {
    let mut h = window(World::of(rows::letters(3)));
    h.run();
    h.get_by_label("How to search").click();
    h.run();
    h.get_by_label("bpm:120-128").click();
    h.run();
    assert_eq!(h.state().panel.search, "bpm:120-128");
    let mut h = window(World::of(rows::letters(3)));
    h.run();
    assert!(h.state_mut().act(Action::SearchHelp));
    h.run();
    assert!(h.query_by_label("key:8A~").is_some());
}

#[test]
fn an_empty_library_says_how_to_begin() {
    let mut h = window(World::of(Vec::new()));
    h.run();
    for name in ["Add folder…", "Add files…", "Try with demo music"] {
        h.get_by_label(name).click();
        h.run();
    }
    let wanted = [Action::AddFolder, Action::AddFiles, Action::TryDemo];
    assert_eq!(h.state().out.actions, wanted);
}

#[test]
fn a_library_that_is_still_being_read_says_so() {
    let mut world = World::of(Vec::new());
    world.ready = false;
    let mut h = window(world);
    h.run_steps(3);
    assert!(h.query_by_label("Reading the library…").is_some());
    assert!(h.query_by_label("Add folder…").is_none());
}

#[test]
fn a_search_that_finds_nothing_can_be_widened() {
    let mut world = World::of(rows::mixed(9));
    world.panel.search = "zzz".to_owned();
    world.panel.scope = Scope::Failed;
    let mut h = window(world);
    h.run();
    assert!(
        h.query_by_label("Nothing found for “zzz” in Failed")
            .is_some()
    );
    h.get_by_label("Look in all tracks").click();
    h.run();
    h.get_by_label("Clear the search").click();
    h.run();
    assert!(h.query_by_label("9 tracks in the table").is_some());
}

#[test]
fn the_left_side_counts_and_narrows() {
    let mut h = window(World::of(rows::mixed(20)));
    h.run();
    assert!(h.query_by_label("All tracks, 20 tracks").is_some());
    assert!(h.query_by_label("In work, 2 tracks").is_some());
    assert!(h.query_by_label("crate 1, 5 tracks").is_some());
    h.get_by_label("Failed, 1 track").click();
    h.run();
    assert!(h.query_by_label("1 track in the table").is_some());
    h.get_by_label("crate 2, 5 tracks").click();
    h.run();
    assert!(h.query_by_label("5 tracks in the table").is_some());
}

#[test]
fn a_failure_is_told_with_its_remedy_and_tried_again() {
    let mut world = World::of(rows::mixed(9));
    world.panel.selected = vec![TrackId(0x5005)];
    let mut h = window(world);
    h.run();
    assert!(
        h.query_by_label("The sound breaks off after 1:12")
            .is_some()
    );
    let remedy = "Copy the file from its source once more";
    assert!(h.query_by_label(remedy).is_some());
    h.get_by_label("Try failed again").click();
    h.run();
    let tracks = Selection::Tracks(vec![TrackId(0x5005)]);
    assert_eq!(h.state().out.commands, [Command::Retry(tracks)]);
    assert!(h.state_mut().act(Action::CopyFailures));
    let copied = h.state().out.copied.clone().unwrap();
    assert!(
        copied.contains("sound breaks off") && copied.contains(remedy),
        "{copied}"
    );
}

#[test]
fn where_nothing_of_the_selection_failed_all_failures_are_meant() {
    let mut world = World::of(rows::mixed(9));
    let failed: Vec<TrackId> = {
        let rows = world.view.rows.iter();
        let failed = rows.filter(|row| row.track.missing || row.has_failure());
        failed.map(|row| row.track.id).collect()
    };
    let healthy = world.view.rows.iter().map(|row| row.track.id);
    let healthy: Vec<TrackId> = healthy.filter(|id| !failed.contains(id)).collect();
    assert!(!failed.is_empty() && !healthy.is_empty());
    world.panel.selected = healthy;
    let mut h = window(world);
    h.run();
    assert!(h.state_mut().act(Action::CopyFailures));
    let copied = h.state().out.copied.clone().unwrap();
    assert!(copied.lines().count() >= failed.len(), "{copied}");
    assert!(h.state_mut().act(Action::RetryFailed));
    let asked = &h.state().out.commands;
    assert_eq!(*asked, [Command::Retry(Selection::All)]);
    let mut h = window(World::of(rows::letters(2)));
    h.run();
    assert!(h.state_mut().act(Action::CopyFailures));
    assert_eq!(h.state().out.copied, None);
}

#[test]
fn actions_mean_the_selection_and_only_what_is_seen_of_it() {
    let mut h = window(World::of(rows::letters(6)));
    h.run();
    h.state_mut().act(Action::SelectAll);
    h.state_mut().panel.search = "b0 or c0".to_owned();
    h.run();
    assert_eq!(h.state().panel.selected.len(), 6);
    h.state_mut().act(Action::AnalyzeAgain);
    let Some(Command::Analyze {
        tracks,
        force: true,
        engine: None,
        ..
    }) = h.state().out.commands.first()
    else {
        panic!("{:?}", h.state().out);
    };
    let seen = vec![TrackId(0x5001), TrackId(0x5002)];
    assert_eq!(*tracks, Selection::Tracks(seen.clone()));
    h.state_mut().act(Action::CopyPath);
    let copied = h.state().out.copied.clone().unwrap();
    assert_eq!(copied.lines().count(), 2);
    h.state_mut().act(Action::RemoveSelected);
    let removed = h.state().out.commands.last();
    assert_eq!(removed, Some(&Command::Remove(seen)));
    h.state_mut().act(Action::SelectNone);
    assert!(h.state().panel.selected.is_empty());
    assert!(
        !h.state_mut().act(Action::PlayPause),
        "not the table's business"
    );
}

#[test]
fn taking_a_track_out_goes_on_to_the_next() {
    let mut h = window(World::of(rows::letters(4)));
    h.run();
    row(&h, "B0").click();
    h.run();
    h.state_mut().act(Action::RemoveSelected);
    assert_eq!(h.state().selected(), [2]);
    h.state_mut().act(Action::PreviousTrack);
    assert_eq!(h.state().selected(), [1]);
}

#[test]
fn several_selected_tracks_are_summed_up() {
    let mut h = window(World::of(rows::letters(5)));
    h.run();
    h.state_mut().act(Action::SelectAll);
    h.run();
    assert!(h.query_by_label("5 tracks selected").is_some());
    assert!(h.query_by_label("100.00 to 104.00 BPM").is_some());
    assert!(h.query_by_label("Pier Nine").is_some());
}

#[test]
fn a_copy_of_the_same_file_is_one_click_away() {
    let mut rows = rows::letters(3);
    rows[0].duplicates = vec![TrackId(0x5002)];
    let mut world = World::of(rows);
    world.panel.selected = vec![TrackId(0x5000)];
    let mut h = sized(world, Vec2::new(1280.0, 1400.0));
    h.run();
    h.get_by_label_contains("crate 2/00002").click();
    h.run();
    assert_eq!(h.state().selected(), [2]);
}

#[test]
fn what_stands_on_top_stays_there_while_tracks_come_in() {
    let mut world = World::of(rows::letters(200));
    world.panel.selected = vec![TrackId(0x5000 + 100)];
    let mut h = window(world);
    h.run();
    heading(&h, "Title").click();
    h.run();
    h.state_mut().act(Action::NextTrack);
    h.run();
    let focus = h.state().selected()[0] as usize;
    let title = format!("{}{}", char::from(b'A' + (focus % 26) as u8), focus / 26);
    let before = row(&h, &title).rect();
    // Before everything else in the order of titles.
    let more = (0..40).map(|number| rows::titled(5000 + number, "0"));
    h.state_mut().add(more.collect());
    h.run();
    assert_eq!(h.state().selected(), [focus as u64]);
    let moved = (row(&h, &title).rect().top() - before.top()).abs();
    assert!(moved < 1.0, "moved by {moved}");
}

#[test]
fn a_large_library_is_listed_aside_and_the_table_stays_usable() {
    let mut h = window(World::of((0..4000).map(rows::row).collect()));
    h.run();
    heading(&h, "Title").click();
    h.run();
    assert!(h.query_by_label("4,000 tracks in the table").is_some());
    for _turn in 0..1_000_000 {
        if !h.state().panel.is_listing() {
            break;
        }
        std::thread::yield_now();
        h.step();
    }
    h.run();
    assert!(h.query_by_label("Title, sorted ascending").is_some());
    let first = h.query_all_by_label_contains("Amber ").count();
    assert!(first > 20, "{first} rows begin with the first title");
}

#[test]
fn columns_are_chosen_by_ticking_them_and_kept() {
    let mut h = window(World::of(rows::letters(3)));
    h.run();
    assert!(h.state_mut().act(Action::ChooseColumns));
    h.run();
    h.get_by_role_and_label(Role::CheckBox, "Genre").click();
    h.run();
    assert!(
        h.query_by_role_and_label(Role::ColumnHeader, "Genre")
            .is_none()
    );
    let kept = serde_json::to_string(&h.state().panel).unwrap();
    let back: LibraryPanel = serde_json::from_str(&kept).unwrap();
    assert_eq!(back.columns, h.state().panel.columns);
    let old: LibraryPanel = serde_json::from_str("{}").unwrap();
    assert!(old.sidebar && old.inspector);
}

#[test]
fn a_heading_dragged_over_others_moves_its_column() {
    let mut h = window(World::of(rows::letters(3)));
    h.run();
    let key = h.get_by_role_and_label(Role::ColumnHeader, "Key").rect();
    let title = h.get_by_role_and_label(Role::ColumnHeader, "Title").rect();
    h.drag_at(key.center());
    h.run();
    h.hover_at(key.center() - Vec2::new(60.0, 0.0));
    h.run();
    h.drop_at(title.left_center() + Vec2::new(4.0, 0.0));
    h.run();
    let key = h.get_by_role_and_label(Role::ColumnHeader, "Key").rect();
    let title = h.get_by_role_and_label(Role::ColumnHeader, "Title").rect();
    assert!(key.left() < title.left());
}

#[test]
fn nothing_in_the_tags_can_spoil_the_window() {
    let mut rows = Vec::new();
    for (number, title) in [
        "x".repeat(100_000),
        "e\u{301}".repeat(50_000),
        "line\none\ttwo\u{7}\u{0}".to_owned(),
        "\u{202E}desrever\u{202C}".to_owned(),
        "שלום עולם".to_owned(),
        "夜の渡し船 밤배".to_owned(),
        "🛳️🌃 👩‍👩‍👧".to_owned(),
        String::new(),
    ]
    .into_iter()
    .enumerate()
    {
        let mut row = rows::row(number);
        row.track.tags.title = Some(title.as_str().into());
        row.track.tags.artist = Some(title.as_str().into());
        row.track.tags.comment = Some(title.into());
        row.knowledge.summary.bpm = Some(Bpm(f64::NAN));
        if let Some(format) = &mut row.track.format {
            format.duration = Secs(f64::INFINITY);
        }
        rows.push(rows::finish(row));
    }
    for size in [
        (1280.0, 720.0),
        (1.0, 1.0),
        (300.0, 2.0),
        (2.0, 500.0),
        (500.0, 300.0),
    ] {
        let mut world = World::of(rows.clone());
        world.panel.selected = vec![TrackId(0x5000)];
        let mut h = builder(Vec2::from(size))
            .allow_missing_glyphs()
            .with_accessibility_check(false)
            .build_ui_state(draw, world);
        h.run_steps(3);
        h.state_mut().act(Action::SelectAll);
        h.run_steps(2);
    }
}

#[test]
fn a_screen_reader_is_led_to_the_row_that_the_arrows_reach() {
    let mut h = window(World::of(rows::letters(8)));
    h.run();
    row(&h, "B0").click();
    h.run();
    let reached = |h: &Harness<'_, World>| {
        let table = h.get_by_role(Role::Table);
        let row = table.accesskit_node().active_descendant();
        row.and_then(|row| row.label()).unwrap_or_default()
    };
    assert!(reached(&h).starts_with("B0 by"), "{}", reached(&h));
    press(&mut h, Modifiers::NONE, Key::ArrowDown);
    assert!(reached(&h).starts_with("C0 by"), "{}", reached(&h));
}

#[test]
fn columns_are_moved_and_widened_by_buttons_too() {
    let mut h = window(World::of(rows::letters(2)));
    h.state_mut().act(Action::ChooseColumns);
    h.run();
    let left = |h: &Harness<'_, World>, name: &str| {
        let heading = h.get_by_role_and_label(Role::ColumnHeader, name);
        heading.rect().left()
    };
    let (title, artist) = (left(&h, "Title"), left(&h, "Artist"));
    assert!(title < artist);
    h.get_by_label("Further left: Artist").click();
    h.run();
    assert!(left(&h, "Artist") < left(&h, "Title"));
    let before = left(&h, "Title");
    h.get_by_label("Wider: Artist").click();
    h.run();
    assert!(left(&h, "Title") > before);
}

#[test]
fn what_is_asked_of_an_empty_library_does_not_come_up_later() {
    for action in [Action::Search, Action::SearchHelp, Action::ChooseColumns] {
        let mut h = window(World::of(Vec::new()));
        h.run();
        assert!(h.state_mut().act(action));
        h.run();
        h.state_mut().add(rows::letters(3));
        h.run();
        let field = h.get_by_label("Search the library");
        assert!(!field.is_focused(), "{action:?}");
        assert!(h.query_by_label("key:8A~").is_none(), "{action:?}");
    }
}

#[test]
fn the_sides_are_as_wide_as_they_were() {
    let mut world = World::of(rows::letters(5));
    (world.panel.sidebar_width, world.panel.inspector_width) = (240.0, 400.0);
    let kept = serde_json::to_string(&world.panel).unwrap();
    world.panel = serde_json::from_str(&kept).unwrap();
    let mut h = window(world);
    h.run();
    let panel = &h.state().panel;
    let widths = (panel.sidebar_width, panel.inspector_width);
    assert_eq!(widths, (240.0, 400.0));
}

#[test]
fn the_library_as_it_was_is_let_go_of_where_nothing_sums_it_up() {
    let mut h = window(World::of(rows::letters(5)));
    h.run();
    h.state_mut().act(Action::SelectAll);
    h.run();
    let old = Arc::downgrade(h.state().view.rows.chunks().next().unwrap());
    h.state_mut().panel.inspector = false;
    h.run();
    h.state_mut().view.rows = Rows::new(Vec::new());
    h.state_mut().add(rows::letters(6));
    // Lists are made on a thread of their own.
    for _frame in 0..200 {
        h.run_steps(1);
        if old.upgrade().is_none() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the rows of before are still there");
}
