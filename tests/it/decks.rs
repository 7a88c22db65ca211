//! Decks from the socket to the view: virtual players on this machine, followed by the core as real ones are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tonearm_core::core_loop::command::{Command, RequestId};
use tonearm_core::core_loop::event::Event;
use tonearm_core::core_loop::{Config, Core};
use tonearm_core::decks::{
    Databases, DeckView, DecksCommand, DecksState, DecksView, Link, Listen, MatchedBy, Matching,
    Recording, Source, UnitView,
};
use tonearm_core::setup::Places;
use tonearm_core::track::TrackId;
use tonearm_tests::engine_library::{EngineLibrary, EngineRow, OTHER_UUID};

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running core that can be waited for.
struct Desk {
    core: Core,
    wakes: Receiver<()>,
    events: Receiver<Event>,
}

impl Desk {
    fn open(library: &Path) -> Self {
        let (wake, wakes) = sync_channel(1);
        let (say, events) = channel();
        let config = Config {
            library: library.to_path_buf(),
            eager: false,
            or_read: false,
            slots: None,
            places: Places::default(),
        };
        let wake = move || {
            let _woken = wake.try_send(());
        };
        let core = Core::start(&config, wake, move |event| drop(say.send(event))).unwrap();
        Self {
            core,
            wakes,
            events,
        }
    }

    /// Brings files in, without listening to them.
    fn import(&self, paths: Vec<PathBuf>) {
        let command = Command::Import {
            request: RequestId(1),
            paths,
            analyze: None,
            engine: None,
        };
        assert!(self.core.send(command));
        while self.events.recv_timeout(PATIENCE).unwrap() != Event::Idle {}
    }

    fn ask(&self, command: DecksCommand) {
        assert!(self.core.send(Command::Decks(command)));
    }

    fn start(&self, from: Source) {
        self.ask(DecksCommand::Start(Listen {
            from,
            ..Listen::default()
        }));
    }

    /// The services of a player are known a moment after its values.
    fn until_files(&self) {
        self.until("the files of the player", |view| {
            let players = view.network.connections.iter();
            let mut services = players.flat_map(|player| &player.services);
            services.any(|name| name == "FileTransfer").then_some(())
        });
    }

    fn simulate(&self, script: &str) {
        self.start(Source::Simulation(script.to_owned()));
    }

    /// Looks at each new view until `wanted` is there.
    fn until<T>(&self, what: &str, mut wanted: impl FnMut(&DecksView) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let view = self.core.decks();
            if let Some(found) = wanted(&view) {
                return found;
            }
            assert!(Instant::now() < end, "{what} did not come: {view:#?}");
            // Positions wake nobody.
            let _woken = self.wakes.recv_timeout(Duration::from_millis(20));
        }
    }

    fn until_deck<T>(
        &self,
        label: &str,
        mut wanted: impl FnMut(&UnitView, &DeckView) -> Option<T>,
    ) -> T {
        self.until(label, |view| {
            let found = view.decks().find(|(_, deck)| *deck.label == *label);
            found.and_then(|(unit, deck)| wanted(unit, deck))
        })
    }

    fn until_matched(&self, label: &str, by: MatchedBy) -> TrackId {
        self.until_deck(label, |_, deck| {
            let matched = deck.matching.track().filter(|matched| matched.by == by)?;
            Some(matched.id())
        })
    }

    fn track(&self, title: &str) -> TrackId {
        let view = self.core.view();
        let titled =
            |row: &&Arc<tonearm_core::row::Row>| row.track.tags.title.as_deref() == Some(title);
        view.rows.iter().find(titled).unwrap().track.id
    }
}

/// None where the folder is not there.
fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo")
}

fn with_demo(library: &Path) -> Desk {
    let desk = Desk::open(library);
    desk.import(vec![demo()]);
    desk
}

#[test]
fn a_rehearsal_shows_the_track_that_plays_where_it_is_and_ends_without_a_trace() {
    let folder = TempDir::new().unwrap();
    let desk = with_demo(folder.path());
    assert_eq!(desk.core.decks().state, DecksState::Off);
    desk.simulate("mixing");
    let id = desk.until_matched("1A", MatchedBy::NameSizeDuration);
    assert_eq!(id, desk.track("Night Ferry"));
    let moved = desk.until_deck("1A", |unit, deck| {
        assert_eq!(unit.link, Link::Live);
        let moment = deck.at(Instant::now())?;
        (moment.position.0 > 0.3).then_some(moment)
    });
    assert!(moved.speed > 0.5 && moved.remaining.is_some() && moved.beat.is_some());
    let empty = desk.until_deck("2B", |_, deck| {
        (deck.is_loaded == Some(false)).then(|| deck.clone())
    });
    assert!(matches!(empty.matching, Matching::Nothing) && empty.at(Instant::now()).is_none());
    let view = desk.core.decks();
    assert_eq!(view.simulated.as_deref(), Some("mixing"));
    desk.ask(DecksCommand::Stop);
    desk.until("the end", |view| {
        (view.state == DecksState::Off && view.units.is_empty()).then_some(())
    });
}

#[test]
fn a_script_that_is_not_there_is_refused_with_the_names_of_those_that_are() {
    let folder = TempDir::new().unwrap();
    let desk = Desk::open(folder.path());
    desk.simulate("dancing");
    let failure = desk.until("a refusal", |view| match &view.state {
        DecksState::Failed(failure) => Some(failure.clone()),
        DecksState::Off | DecksState::Running => None,
    });
    assert!(
        failure.remedy.contains("mixing, scratch, power-cut"),
        "{failure:?}"
    );
}

#[test]
fn what_the_user_says_a_deck_plays_outranks_all_else_and_is_remembered() {
    let folder = TempDir::new().unwrap();
    let chosen = {
        let desk = with_demo(folder.path());
        desk.simulate("mixing");
        desk.until_matched("1A", MatchedBy::NameSizeDuration);
        let deck = desk.until_deck("1A", |_, deck| Some(deck.id));
        let track = Some(desk.track("Low Orbit"));
        desk.ask(DecksCommand::Pin { deck, track });
        desk.until_matched("1A", MatchedBy::Manual)
    };
    let desk = Desk::open(folder.path());
    assert_eq!(chosen, desk.track("Low Orbit"));
    desk.simulate("mixing");
    assert_eq!(desk.until_matched("1A", MatchedBy::Manual), chosen);
    let deck = desk.until_deck("1A", |_, deck| Some(deck.id));
    desk.ask(DecksCommand::Pin { deck, track: None });
    let found = desk.until_matched("1A", MatchedBy::NameSizeDuration);
    assert_eq!(found, desk.track("Night Ferry"));
}

#[test]
fn a_recorded_session_is_heard_again_without_its_names_and_in_spite_of_damage() {
    let folder = TempDir::new().unwrap();
    let desk = Desk::open(&folder.path().join("library"));
    let file = folder.path().join("session.jsonl");
    desk.ask(DecksCommand::Start(Listen {
        from: Source::Simulation("mixing".to_owned()),
        record: Some(Recording {
            file: file.clone(),
            redact: true,
        }),
        ..Listen::default()
    }));
    let is_far = |deck: &DeckView| {
        deck.at(Instant::now())
            .is_some_and(|moment| moment.position.0 > 0.5)
    };
    desk.until_deck("1A", |_, deck| is_far(deck).then_some(()));
    desk.ask(DecksCommand::Stop);
    desk.until("the end", |view| {
        (view.state == DecksState::Off).then_some(())
    });
    let mut session = fs::read_to_string(&file).unwrap();
    for name in [
        "Night Ferry",
        "night-ferry",
        "sc6000",
        "DEMO",
        "7669727475a1",
    ] {
        assert!(!session.contains(name), "{name} is still there");
    }
    session.push_str("{\"at\":0.1,\"device\":\"\nnonsense\n");
    fs::write(&file, session).unwrap();
    desk.start(Source::Replay { file, rate: 2.0 });
    let title = desk.until_deck("1A", |_, deck| {
        is_far(deck).then(|| deck.title().unwrap_or_default().to_owned())
    });
    assert_eq!(title, "title 1");
    let trouble = desk.until("the end of the session", |view| {
        view.is_over.then(|| view.trouble.clone())
    });
    assert!(trouble.unwrap().message.starts_with("2 of "));
}

#[test]
fn the_database_on_the_player_says_which_track_it_is() {
    let folder = TempDir::new().unwrap();
    let row = |path: &str| EngineRow {
        origin: Some((OTHER_UUID.to_owned(), 77)),
        ..EngineRow::at(path)
    };
    // The collection at home calls the file otherwise than the stick in the player.
    let home = EngineLibrary::create(&folder.path().join("home"), (2, 21, 2)).unwrap();
    home.add(&row("../Music/at home.mp3")).unwrap();
    let stick = folder.path().join("live.media/DEMO (USB 1)");
    let stick = EngineLibrary::create(&stick, (3, 0, 2)).unwrap();
    stick.add(&row("Music/on the stick.mp3")).unwrap();
    drop(stick);
    let script = folder.path().join("live.json");
    let json = r#"{ "players": [{}], "tracks": { "a": { "title": "Another name", "secs": 100,
                    "path": "Engine Library/Music/on the stick.mp3" } },
                    "events": [{ "at": 0, "act": { "load": "a" } }] }"#;
    fs::write(&script, json).unwrap();
    let desk = Desk::open(&folder.path().join("library"));
    desk.import(vec![home.folder.clone()]);
    desk.simulate(script.to_str().unwrap());
    let unit = desk.until_deck("1A", |unit, deck| {
        matches!(deck.matching, Matching::Unknown(_)).then_some(unit.id)
    });
    desk.until_files();
    let scratch = folder.path().join("library/scratch");
    assert_eq!(files_in(&scratch), 0);
    desk.ask(DecksCommand::ReadDatabases(unit));
    desk.until_matched("1A", MatchedBy::Database);
    let read = desk.until_deck("1A", |unit, _| Some(unit.databases));
    assert_eq!(read, Databases::Read(1));
    // The copy lies where the next start would sweep it up, and goes with the player.
    assert_eq!(files_in(&scratch), 1);
    desk.ask(DecksCommand::Stop);
    desk.until("the end", |view| {
        (view.state == DecksState::Off).then_some(())
    });
    assert_eq!(files_in(&scratch), 0);
}

#[test]
fn what_is_not_in_the_library_shows_the_picture_on_the_player() {
    let folder = TempDir::new().unwrap();
    let stick = folder.path().join("live.media/DEMO (USB 1)");
    let stick = EngineLibrary::create(&stick, (3, 0, 2)).unwrap();
    stick.add(&EngineRow::at("Music/a.mp3")).unwrap();
    stick.add(&EngineRow::at("Music/b.mp3")).unwrap();
    stick
        .connection
        .execute_batch(
            "INSERT INTO AlbumArt VALUES (2, 'x', CAST('picture' AS BLOB));
             UPDATE Track SET albumArtId = 2 WHERE id = 1;",
        )
        .unwrap();
    drop(stick);
    let script = folder.path().join("live.json");
    let json = r#"{ "players": [{}],
        "tracks": {
            "a": { "title": "With", "path": "Engine Library/Music/a.mp3" },
            "b": { "title": "Without", "path": "Engine Library/Music/b.mp3" },
            "c": { "title": "Elsewhere", "path": "Music/c.mp3", "source": "OTHER (USB 2)" }
        },
        "events": [{ "at": 0, "act": { "load": "a" } }, { "at": 0, "deck": 2, "act": { "load": "b" } }] }"#;
    fs::write(&script, json).unwrap();
    let desk = Desk::open(&folder.path().join("library"));
    desk.simulate(script.to_str().unwrap());
    let unit = desk.until_deck("1A", |unit, deck| deck.place.as_ref().map(|_| unit.id));
    assert_eq!(
        desk.until_deck("1A", |_, deck| Some(deck.art.clone())),
        None
    );
    desk.until_files();
    desk.ask(DecksCommand::ReadDatabases(unit));
    let art = desk.until_deck("1A", |_, deck| deck.art.clone());
    assert_eq!(art.bytes, b"picture");
    let (databases, other) =
        desk.until_deck("1B", |unit, deck| Some((unit.databases, deck.art.clone())));
    // Two tracks of the stick's own database, and one of the database that was made for the other medium.
    assert_eq!((databases, other), (Databases::Read(3), None));
}
