//! The decks page and the overlay with hand-made decks: what they say, what clicks ask for, what they look like.

mod looks;
mod scenes;

use eframe::egui::{self, ViewportCommand, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use scenes::{Made, candidates, found, harness, network, row, sleeve, stale, token};
use std::sync::Arc;
use tonearm::action::Action;
use tonearm::views::decks::report;
use tonearm_core::core_loop::command::Command;
use tonearm_core::decks::{
    DeckId, DecksCommand, DecksState, DecksView, Link, MatchedBy, Matching, NetworkView,
};
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::track::TrackId;

fn page(made: Made) -> Harness<'static, Made> {
    let mut harness = harness(made, [1200.0, 700.0]);
    harness.run_steps(3);
    harness
}

fn pins(harness: &Harness<'_, Made>) -> Vec<(DeckId, Option<TrackId>)> {
    let commands = harness.state().out.commands.iter();
    commands
        .filter_map(|command| match command {
            Command::Decks(DecksCommand::Pin { deck, track }) => Some((*deck, *track)),
            _ => None,
        })
        .collect()
}

#[test]
fn without_decks_the_page_says_what_to_do() {
    let mut harness = page(Made::empty());
    harness.get_by_label("No decks yet");
    harness.get_by_label("Looking for networks.");
    harness.get_by_label("Try it without hardware").click();
    harness.run_steps(2);
    assert_eq!(harness.state().out.actions, [Action::TryDecks]);
}

#[test]
fn a_computer_without_a_network_is_told_when_that_is_known() {
    let mut made = Made::empty();
    let network = NetworkView {
        advice: vec!["This computer has no network".to_owned()],
        ..NetworkView::default()
    };
    made.decks.network = Arc::new(network);
    page(made).get_by_label_contains("No network is up");
}

#[test]
fn nobody_listening_and_failing_to_listen_are_two_things() {
    let mut made = Made::empty();
    made.decks.state = DecksState::Off;
    let mut harness = page(made);
    harness.get_by_label("Listen for decks").click();
    harness.run_steps(2);
    assert!(matches!(
        harness.state().out.commands[..],
        [Command::Decks(DecksCommand::Start(_))]
    ));
    let mut made = Made::empty();
    let failure = Failure::new(
        FailureKind::Unreadable,
        "the port is taken",
        "Close the other",
    );
    made.decks.state = DecksState::Failed(failure);
    page(made).get_by_label_contains("the port is taken");
}

#[test]
fn two_decks_that_play_are_told_in_full() {
    let harness = page(Made::mixing());
    for label in [
        "Deck 1: Playing",
        "Deck 2: Playing",
        "Night Ferry",
        "Low Orbit",
        "124.00",
        "122.20",
        "−1.5 %",
        "0:30.8",
        "−0:33",
        "MASTER",
        "G",
        "Am in 3 beats",
        "bar 16",
        "Beat 2 of 4",
        "Key 8A, A minor",
        "clashes with 2",
        "Recognised by its number in the Engine library, 100 % sure",
        "2 players, 2 decks play",
    ] {
        assert!(
            harness.query_all_by_label(label).next().is_some(),
            "{label}"
        );
    }
    let wave = harness.get_by_label("Waveform of deck 1");
    assert_eq!(wave.value().as_deref(), Some("0:31 of 1:04, bar 16"));
    assert!(harness.query_by_label_contains("simulation").is_none());
}

#[test]
fn keys_that_go_together_are_told_too() {
    let mut made = Made::mixing();
    made.first(|deck| {
        deck.matching = found(row(1, "Night Ferry", "4A"), MatchedBy::Manual, 1.0);
    });
    let mut harness = page(made);
    harness.get_by_label("fits 2");
    harness.get_by_label("fits 1");
    // Who is not heard clashes with nobody.
    harness
        .state_mut()
        .first(|deck| deck.is_audible = Some(false));
    harness.run_steps(2);
    assert!(harness.query_by_label("fits 1").is_none());
    harness.get_by_label("FADER DOWN");
}

#[test]
fn a_simulation_says_so_and_can_be_stopped() {
    let mut made = Made::mixing();
    made.decks.simulated = Some("mixing".into());
    let mut harness = page(made);
    harness.get_by_label_contains("A simulation: two virtual players");
    harness.get_by_label("Stop simulation").click();
    harness.run_steps(2);
    assert_eq!(harness.state().out.actions, [Action::EndDecksTrial]);
}

#[test]
fn an_unknown_track_shows_what_the_player_says_and_can_be_found_by_hand() {
    let mut made = Made::mixing();
    made.first(|deck| {
        deck.matching = Matching::Unknown("nothing in the library is like it".into());
        deck.said_title = Some("Night Ferry (Dub)".into());
    });
    let mut harness = page(made);
    harness.get_by_label("Night Ferry (Dub)");
    harness.get_by_label("nothing in the library is like it");
    harness.get_by_label("Track on deck 1").click();
    harness.run_steps(3);
    harness
        .get_by_label("Read the databases in this player")
        .click();
    harness.run_steps(2);
    let asked = harness.state().out.commands.last();
    let read = Command::Decks(DecksCommand::ReadDatabases(token(1)));
    assert_eq!(asked, Some(&read));
    harness.get_by_label("Find a track").click();
    harness.run_steps(2);
    harness.get_by_label("Find a track").type_text("orbit");
    harness.run_steps(3);
    harness.get_by_label("Tonearm – Low Orbit").click();
    harness.run_steps(3);
    let deck = DeckId {
        unit: token(1),
        deck: 1,
    };
    assert_eq!(pins(&harness), [(deck, Some(TrackId(2)))]);
}

#[test]
fn candidates_and_the_selected_track_are_one_click() {
    let mut made = Made::mixing();
    made.first(|deck| deck.matching = candidates());
    made.panel.offer(Some(TrackId(2)));
    let mut harness = page(made);
    harness.get_by_label("One of 2 of your tracks");
    harness.get_by_label("Track on deck 1").click();
    harness.run_steps(3);
    harness.get_by_label("60 %: same file name, same length");
    harness.get_by_label("Selected in the library");
    harness.get_by_label("Tonearm – Night Ferry").click();
    harness.run_steps(3);
    assert!(matches!(pins(&harness)[..], [(_, Some(TrackId(1)))]));
}

#[test]
fn a_choice_by_hand_can_be_forgotten() {
    let mut made = Made::mixing();
    made.first(|deck| {
        deck.matching = found(row(1, "Night Ferry", "8A"), MatchedBy::Manual, 1.0);
    });
    let mut harness = page(made);
    harness.get_by_label("Chosen by you");
    harness.get_by_label("Track on deck 1").click();
    harness.run_steps(3);
    harness.get_by_label("Forget my choice").click();
    harness.run_steps(3);
    assert!(matches!(pins(&harness)[..], [(_, None)]));
}

#[test]
fn what_holds_no_longer_is_told() {
    let mut made = Made::mixing();
    let now = made.now;
    made.first(|deck| stale(deck, now));
    page(made).get_by_label("NO NEWS");
    let mut made = Made::mixing();
    made.first_unit(|unit| {
        unit.link = Link::Lost("nothing was heard for 5 s".into());
        unit.has_twin = true;
    });
    let harness = page(made);
    harness.get_by_label("SIGNAL LOST");
    harness.get_by_label("SAME NUMBER: sc6000-1");
    harness.get_by_label("1 player, 2 decks play, 1 lost");
}

#[test]
fn four_decks_find_room_and_the_fifth_is_told_of() {
    let mut made = Made::four();
    let harness = page(Made::four());
    for label in [
        "Deck 1: Playing",
        "Deck 1B: Paused",
        "Deck 2: Playing",
        "Deck 2B: Paused",
    ] {
        harness.get_by_label(label);
    }
    made.first_unit(|unit| {
        let fifth = tonearm_core::decks::DeckView {
            is_loaded: Some(true),
            ..Default::default()
        };
        unit.decks.push(Arc::new(fifth));
    });
    page(made).get_by_label("One more deck finds no room here");
}

#[test]
fn the_doctor_tells_all_and_copies_it() {
    let mut made = Made::mixing();
    made.decks.network = Arc::new(network());
    made.panel.doctor = true;
    let mut harness = page(made);
    for label in [
        "Two players have the number 1: set another on one of them",
        "42 announcements sent, 84 heard",
        "round trip 0.8 ms, 29 positions a second, jitter 2.3 ms",
        "Not called: it analyses tracks and has no decks",
    ] {
        harness.get_by_label(label);
    }
    harness.get_by_label("Copy report").click();
    harness.run_steps(2);
    let copied = harness.state().out.copied.clone().unwrap_or_default();
    assert_eq!(copied, report(&harness.state().decks));
    for words in [
        "eth0 169.254.12.7 (up)",
        "jitter 2.3 ms",
        "Not called",
        "What to try",
    ] {
        assert!(copied.contains(words), "{words}\n{copied}");
    }
}

#[test]
fn a_report_of_nothing_is_a_report() {
    let text = report(&DecksView::default());
    assert!(
        text.contains("State: not listening") && text.contains("none"),
        "{text}"
    );
}

#[test]
fn the_overlay_tells_the_same_in_short_and_closes() {
    let mut made = Made::mixing();
    made.overlay = true;
    let mut harness = harness(made, [520.0, 180.0]);
    harness.run_steps(3);
    for label in [
        "Deck 1: Playing",
        "Night Ferry – Tonearm",
        "124.00",
        "−0:33",
        "MASTER",
    ] {
        harness.get_by_label(label);
    }
    assert!(!harness.state().overlay_closed);
    harness.get_by_label("Close overlay").click();
    harness.run_steps(2);
    assert!(harness.state().overlay_closed);
}

/// The system keeps the release of the button for itself when it has moved or resized a window.
#[test]
fn the_overlay_is_moved_and_resized_time_after_time() {
    let mut made = Made::mixing();
    made.overlay = true;
    let mut harness = harness(made, [520.0, 180.0]);
    harness.run_steps(2);
    let corner = egui::ResizeDirection::SouthEast;
    for (at, wanted) in [
        (egui::pos2(300.0, 158.0), ViewportCommand::StartDrag),
        (
            egui::pos2(497.0, 159.0),
            ViewportCommand::BeginResize(corner),
        ),
        (egui::pos2(300.0, 158.0), ViewportCommand::StartDrag),
        (
            egui::pos2(497.0, 159.0),
            ViewportCommand::BeginResize(corner),
        ),
    ] {
        harness.event(egui::Event::PointerMoved(at));
        harness.run_steps(1);
        harness.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed: true,
            modifiers: egui::Modifiers::NONE,
        });
        harness.step();
        let output = &harness.output().viewport_output[&ViewportId::ROOT];
        assert!(output.commands.contains(&wanted), "{:?}", output.commands);
    }
    // What is a button is one after that.
    harness.get_by_label("Close overlay").click();
    harness.run_steps(2);
    assert!(harness.state().overlay_closed);
}

#[test]
fn a_small_overlay_shows_fewer_decks_and_of_them_what_counts_most() {
    let mut made = Made::four();
    made.overlay = true;
    // The window's least size, and the margins of the test.
    let mut harness = harness(made, [336.0, 112.0]);
    harness.run_steps(3);
    for label in ["Deck 1: Playing", "Deck 2: Playing", "124.00", "122.20"] {
        harness.get_by_label(label);
    }
    for label in ["Deck 1B: Paused", "Deck 2B: Paused", "±0.0 %"] {
        assert!(harness.query_by_label(label).is_none(), "{label}");
    }
}

#[test]
fn the_picture_on_the_player_stands_in_for_a_cover_that_the_library_lacks() {
    for overlay in [false, true] {
        let covers = |change: &dyn Fn(&mut Made)| {
            let mut made = Made::mixing();
            made.overlay = overlay;
            change(&mut made);
            let mut harness = harness(made, [1200.0, 700.0]);
            harness.run_steps(3);
            let covers: Vec<_> = harness.get_all_by_label("Cover").collect();
            covers.len()
        };
        let of_player = |made: &mut Made| {
            let art = sleeve(&made.shelf);
            made.first(|deck| deck.art = Some(art));
        };
        let none = std::panic::catch_unwind(|| covers(&|_| {}));
        assert!(none.is_err(), "no cover, no picture");
        assert_eq!(covers(&of_player), 1, "a track without a cover");
        let unknown = |made: &mut Made| {
            of_player(made);
            made.first(|deck| deck.matching = Matching::Unknown("unlike any".into()));
        };
        assert_eq!(covers(&unknown), 1, "a track that is not in the library");
    }
}

/// A machine on the network says whatever it likes.
fn hostile() -> Made {
    let mut made = Made::four();
    let long = || Arc::<str>::from("W".repeat(100_000));
    made.decks.network = Arc::new(network());
    made.panel.doctor = true;
    for unit in &mut made.decks.units {
        let unit = Arc::make_mut(unit);
        (unit.name, unit.model, unit.address) = (long(), long(), long());
        unit.product = None;
        unit.has_twin = true;
        unit.link = Link::Lost(long());
        for deck in &mut unit.decks {
            let deck = Arc::make_mut(deck);
            deck.label = long();
            deck.said_title = Some(long());
            deck.said_artist = Some(long());
            deck.matching = Matching::Unknown(long());
            deck.pitch = Some(f64::NAN);
            deck.duration = Some(tonearm_core::units::Secs(f64::INFINITY));
        }
    }
    let failure = Failure::new(FailureKind::Bug, &*long(), &*long());
    made.decks.trouble = Some(failure);
    made
}

#[test]
fn no_name_no_size_and_no_scale_makes_it_fall_over() {
    for size in [
        [1.0, 1.0],
        [40.0, 30.0],
        [300.0, 900.0],
        [1600.0, 90.0],
        [640.0, 400.0],
    ] {
        for scale in [1.0, 2.0] {
            for overlay in [false, true] {
                let mut made = hostile();
                made.overlay = overlay;
                let mut harness = harness(made, size);
                harness.set_pixels_per_point(scale);
                harness.run_steps(2);
                assert!(harness.render().is_ok());
            }
        }
    }
}
