//! Journeys through the real window, on a screen of their own.

use egui::{Key, Modifiers};
use tonearm_tests::card::Card;
use tonearm_tests::program::{Program, skipped};
use tonearm_tests::screen::Screen;
use tonearm_tests::waves;
use tonearm_tests::window::{Seen, Window};

const PLAIN: Modifiers = Modifiers::NONE;
const COMMAND: Modifiers = Modifiers::COMMAND;

/// `None`, and a word about it, where windows cannot be tested.
fn screen() -> Option<Screen> {
    Screen::open().map_err(|reason| skipped(&reason)).ok()
}

/// Seconds into the track, as the waveform tells them: `0:42 of 1:04`.
fn playhead(seen: &Seen) -> Option<u32> {
    let value = &seen.named("Waveform")?.value;
    let (minutes, rest) = value.split_once(':')?;
    let secs: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(minutes.parse::<u32>().ok()? * 60 + secs.parse::<u32>().ok()?)
}

/// How many rows are there, when all of them are ready.
fn all_ready(seen: &Seen) -> Option<usize> {
    let rows: Vec<_> = seen.rows().collect();
    let is_ready = |name: &str| name.ends_with(", ready");
    (!rows.is_empty() && rows.iter().all(|row| is_ready(&row.name))).then_some(rows.len())
}

fn wait_for_tracks(window: &mut Window, count: usize) {
    window.wait_for(&format!("{count} analysed tracks"), |seen| {
        (all_ready(seen) == Some(count)).then_some(())
    });
}

/// What the C library was told when this process started.
fn gives_memory_back(process: u32) -> bool {
    let told = std::fs::read(format!("/proc/{process}/environ"));
    let told = told.unwrap_or_default();
    cfg!(not(all(target_os = "linux", target_env = "gnu")))
        || told
            .split(|byte| *byte == 0)
            .any(|it| it == b"MALLOC_MMAP_THRESHOLD_=262144")
}

#[test]
fn from_an_empty_library_to_an_edited_track_and_back_the_next_day() {
    let Some(screen) = screen() else { return };
    let program = Program::new();
    let mut window = Window::open(&program, &screen);
    assert!(gives_memory_back(window.id()));

    window.click("Try with demo music");
    // What comes in first is opened at once.
    window.wait("Waveform");
    window.press(PLAIN, Key::Escape);
    wait_for_tracks(&mut window, 3);
    let row = window.wait_for("Night Ferry", |seen| {
        let mut rows = seen.rows();
        rows.find(|row| row.name.contains("Night Ferry")).cloned()
    });
    assert!(row.name.contains("124 BPM"), "{}", row.name);
    window.click(&row.name);
    window.press(PLAIN, Key::Enter);
    window.wait("Waveform");
    window.wait("124.00");

    let whole = window.picture();
    for _ in 0..3 {
        window.press(PLAIN, Key::Plus);
    }
    assert_ne!(window.picture(), whole, "zooming shows something else");

    window.press(PLAIN, Key::Space);
    window.wait_for("two seconds of sound", |seen| {
        playhead(seen).filter(|secs| *secs >= 2)
    });
    window.press(PLAIN, Key::Space);
    window.wait("Play");

    window.press(PLAIN, Key::H);
    window.wait("62.00");
    window.press(COMMAND, Key::Z);
    window.wait("124.00");
    window.press(PLAIN, Key::H);
    window.wait("62.00");
    window.quit().with_status(0);

    let mut again = Window::open(&program, &screen);
    again.wait("Waveform");
    again.wait("62.00");
    again.press(PLAIN, Key::Escape);
    wait_for_tracks(&mut again, 3);
    again.quit().with_status(0);
}

#[test]
fn a_second_window_says_that_the_library_is_in_use() {
    let Some(screen) = screen() else { return };
    let program = Program::new();
    let mut first = Window::open(&program, &screen);
    first.wait("Try with demo music");
    let mut second = Window::open(&program, &screen);
    second.wait("The library is in use");
    second.quit().with_status(0);
    first.wait("Try with demo music");
    first.quit().with_status(0);
}

#[test]
fn the_keyboard_alone_leads_from_nothing_to_sound() {
    let Some(screen) = screen() else { return };
    let program = Program::new();
    let tune = program.put("tune.wav", &waves::tune(1, 20.0, 44_100, 2));
    let mut window = Window::open(&program, &screen);
    window.wait("Try with demo music");

    window.press(COMMAND, Key::L);
    window.wait("Add");
    // It begins with the home folder.
    window.press(COMMAND, Key::A);
    window.write(tune.to_str().unwrap());
    window.wait("A file");
    window.press(PLAIN, Key::Enter);
    window.wait("Waveform");
    window.press(PLAIN, Key::Escape);
    wait_for_tracks(&mut window, 1);
    window.press(PLAIN, Key::ArrowDown);
    window.press(PLAIN, Key::Enter);
    window.wait("Waveform");
    window.press(PLAIN, Key::Space);
    window.wait_for("sound", |seen| playhead(seen).filter(|secs| *secs >= 1));
    window.press(PLAIN, Key::Escape);
    window.wait_for("the list", |seen| seen.rows().next().map(drop));
    window.quit().with_status(0);
}

#[test]
fn a_window_that_is_killed_while_it_imports_goes_on_where_it_was() {
    let Some(screen) = screen() else { return };
    let program = Program::new();
    for seed in 0..12 {
        program.put(format!("{seed}.wav"), &waves::tune(seed, 30.0, 44_100, 2));
    }
    let music = program.music();
    let mut window = Window::open_with(&program, &screen, &[music]);
    window.wait_for("the first tracks", |seen| {
        (seen.rows().count() > 2).then_some(())
    });
    window.kill();
    let mut again = Window::open(&program, &screen);
    again.wait_for("tracks", |seen| seen.rows().next().map(drop));
    let mut window = {
        again.quit().with_status(0);
        Window::open_with(&program, &screen, &[program.music()])
    };
    wait_for_tracks(&mut window, 12);
    window.quit().with_status(0);
}

/// From an empty library to virtual decks, one of which plays.
fn try_decks(window: &mut Window) {
    window.wait("Try with demo music");
    window.click("Live decks");
    window.wait("No decks yet");
    window.click("Try it without hardware");
    window.wait_for("a deck that plays", |seen| {
        let badge = seen.with("Deck 1")?;
        badge.name.ends_with("Playing").then_some(())
    });
}

#[test]
fn decks_are_tried_without_hardware_recognised_and_gone_again() {
    let Some(screen) = screen() else { return };
    let program = Program::new();
    let mut window = Window::open(&program, &screen);
    try_decks(&mut window);
    window.wait_for("a recognised track", |seen| {
        seen.with("Recognised").map(drop)?;
        seen.named("Night Ferry").map(drop)
    });
    let place = |seen: &Seen| Some(seen.with("Waveform of deck 1")?.value.clone());
    let before = window.wait_for("a place", place);
    window.wait_for("another place", |seen| {
        place(seen).filter(|now| *now != before)
    });
    window.click("Stop simulation");
    window.wait("No decks yet");
    window.press(PLAIN, Key::Escape);
    wait_for_tracks(&mut window, 3);
    window.quit().with_status(0);
}

/// `None`, and a word about it, where no card can be lost.
fn card() -> Option<Card> {
    Card::build().map_err(|reason| skipped(&reason)).ok()
}

#[test]
fn a_lost_graphics_card_costs_a_moment_and_nothing_else() {
    let Some((screen, card)) = screen().zip(card()) else {
        return;
    };
    let program = Program::new();
    let mut window = Window::open_on(&program, &screen, &card);
    let process = window.id();
    window.click("Try with demo music");
    window.wait("Waveform");
    window.press(PLAIN, Key::Escape);
    wait_for_tracks(&mut window, 3);
    let row = window.wait_for("Night Ferry", |seen| seen.with("Night Ferry").cloned());
    window.click(&row.name);
    window.press(PLAIN, Key::Enter);
    window.wait("124.00");
    window.press(PLAIN, Key::H);
    window.wait("62.00");
    window.press(PLAIN, Key::Space);
    let before = window.wait_for("three seconds of sound", |seen| {
        playhead(seen).filter(|secs| *secs >= 3)
    });

    window.lose(&card);
    window.follow();
    window.wait("The graphics card was lost: Tonearm started again where it was.");
    window.wait("62.00");
    window.wait("Pause");
    let after = window.wait_for("the sound of before", |seen| {
        playhead(seen).filter(|secs| *secs >= before)
    });
    window.wait_for("more sound", |seen| {
        playhead(seen).filter(|secs| *secs > after)
    });
    assert_eq!(window.id(), process, "whoever waits for it still does");
    window.press(PLAIN, Key::Escape);
    wait_for_tracks(&mut window, 3);
    window.quit().with_status(0);
}

#[test]
fn a_card_that_is_lost_again_and_again_ends_the_program_with_a_word() {
    let Some((screen, card)) = screen().zip(card()) else {
        return;
    };
    let program = Program::new();
    let mut window = Window::open_on(&program, &screen, &card);
    window.wait("Try with demo music");
    for _restart in 0..2 {
        window.lose(&card);
        window.follow();
        window.wait("Try with demo music");
    }
    window.lose(&card);
    let ended = window.end().with_status(1);
    assert!(
        ended.stderr.contains("3 times in a row"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_card_that_is_lost_while_the_overlay_draws_is_no_worse() {
    let Some((screen, card)) = screen().zip(card()) else {
        return;
    };
    let program = Program::new();
    let mut window = Window::open_on(&program, &screen, &card);
    try_decks(&mut window);
    window.press(COMMAND | Modifiers::SHIFT, Key::D);
    window.lose(&card);
    window.follow();
    // Which of both windows is looked into is not for us to say.
    window.wait_for("a window", |seen| (!seen.names().is_empty()).then_some(()));
    window.kill();
}
