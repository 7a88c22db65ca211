//! What the user changes by hand outlives everything: the end of the program at any moment, and later analysis.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tonearm_core::artifact::Artifact;
use tonearm_core::core_loop::command::{Command as Ask, Selection};
use tonearm_core::core_loop::event::Event;
use tonearm_core::core_loop::{Config, Core};
use tonearm_core::edits::Edit;
use tonearm_core::harmony::Key;
use tonearm_core::setup::Places;
use tonearm_core::track::TrackId;
use tonearm_tests::program::{Program, Running};
use tonearm_tests::waves::tune;

/// Set for a run of this test program that only changes a library, and says what it has done.
const CHANGES: &str = "TONEARM_TEST_CHANGES";

fn open(library: &Path) -> (Core, Receiver<Event>) {
    let (say, events) = channel();
    let config = Config {
        library: library.to_path_buf(),
        eager: false,
        or_read: false,
        slots: None,
        places: Places::default(),
    };
    let core = Core::start(&config, || (), move |event| drop(say.send(event))).unwrap();
    (core, events)
}

fn ask(core: &Core, events: &Receiver<Event>, command: Ask) -> Vec<Event> {
    assert!(core.send(command));
    let mut heard = Vec::new();
    loop {
        match events.recv_timeout(Duration::from_mins(2)).unwrap() {
            Event::Idle => return heard,
            event => heard.push(event),
        }
    }
}

fn ids(core: &Core) -> Vec<TrackId> {
    core.view().rows.iter().map(|row| row.track.id).collect()
}

fn bpm(core: &Core, track: TrackId) -> f64 {
    let view = core.view();
    let row = view.rows.get(track).unwrap();
    row.knowledge.summary.bpm.unwrap().0
}

fn with_library() -> Program {
    let program = Program::new();
    for seed in 0..2 {
        program.put(format!("{seed}.wav"), &tune(seed, 12.0, 11_025, 1));
    }
    program.import();
    program
}

/// No test by itself: what the killed process does.
#[test]
fn changes_until_it_is_killed() {
    let Some(library) = std::env::var_os(CHANGES) else {
        return;
    };
    let (core, events) = open(Path::new(&library));
    let ids = ids(&core);
    let mut out = std::io::stdout();
    for step in 0..1_000_i16 {
        let command = match step % 4 {
            0 => Ask::Edit {
                track: ids[0],
                edit: Edit::ShiftDownbeat(1),
            },
            1 => Ask::Remove(vec![ids[1]]),
            2 => Ask::Undo,
            _ => Ask::Edit {
                track: ids[1],
                edit: Edit::SetKey(Key::all().nth(step as usize / 4 % 24).unwrap()),
            },
        };
        ask(&core, &events, command);
        writeln!(out, "done {step}").unwrap();
        out.flush().unwrap();
    }
}

/// How many steps a killed run told of.
fn killed_after(library: &Path, lines: usize) -> i16 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "by_hand::changes_until_it_is_killed",
            "--exact",
            "--nocapture",
        ])
        .env(CHANGES, library)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = Running::start(command);
    let mut told = 0;
    while told < lines {
        let line = running.next_line().expect("it goes on until it is killed");
        told += usize::from(line.contains("done "));
    }
    running.kill();
    let ended = running.end();
    let last = ended
        .stdout
        .iter()
        .rev()
        .find(|line| line.contains("done "));
    let (_, number) = last.unwrap().rsplit_once(' ').unwrap();
    number.parse().unwrap()
}

#[test]
fn killed_at_any_moment_what_was_told_is_there() {
    let program = with_library();
    let (core, _events) = open(program.library());
    let ids = ids(&core);
    let whole = ids.len();
    drop(core);
    for lines in [1, 2, 3, 4, 6, 11] {
        let (core, events) = open(program.library());
        if core
            .view()
            .rows
            .get(ids[0])
            .unwrap()
            .knowledge
            .is_by_hand(Artifact::Beats)
        {
            let edit = Edit::ForgetBeats;
            let track = ids[0];
            ask(&core, &events, Ask::Edit { track, edit });
        }
        let before = core.details(ids[0]).unwrap().beats.unwrap();
        drop((core, events));
        let last = killed_after(program.library(), lines);

        let (core, _events) = open(program.library());
        let now = core.details(ids[0]).unwrap();
        assert!(now.by_hand.contains(&Artifact::Beats), "after {last}");
        // Told: so many shifts of one beat; the one under way may be there or not.
        let told = i64::from(last / 4 + 1);
        let place = |beats: &tonearm_core::beats::Beats| i64::from(beats.beats[0].position);
        let shift = (place(&before) - place(&now.beats.unwrap())).rem_euclid(4);
        assert!(
            shift == told % 4 || (last % 4 == 3 && shift == (told + 1) % 4),
            "{shift} after {last}"
        );
        // Removed or not, never in between: a removal at the moment of the end may be for good.
        if core.view().rows.get(ids[1]).is_none() {
            assert!(last % 4 == 0 || last % 4 == 1, "lost after {last}");
            drop(core);
            program.import();
            let report = program.run(["--json", "verify"]).with_status(0).json();
            assert_eq!(report["sound"], true, "{report}");
            let listed = program.list(&[]);
            assert_eq!(listed.len(), whole);
            // The rest of this test is about two tracks: it has shown what it can.
            return;
        }
    }
}

#[test]
fn what_is_set_by_hand_is_shown_everywhere_and_stays_through_forced_analysis() {
    let program = with_library();
    let (core, events) = open(program.library());
    let track = ids(&core)[0];
    let found = bpm(&core, track);
    let edit = Edit::HalveTempo;
    ask(&core, &events, Ask::Edit { track, edit });
    let edit = Edit::SetKey(Key::parse("5A").unwrap());
    ask(&core, &events, Ask::Edit { track, edit });
    drop((core, events));

    let id = track.to_string();
    program.run(["analyze", "--all", "--force"]).with_status(0);
    let shown = program.show(&id);
    let half = shown["bpm"].as_f64().unwrap();
    assert!((half * 2.0 - found).abs() < 0.01, "{half} of {found}");
    assert_eq!(shown["key_camelot"], "5A");
    let beats = shown["beats"].as_array().unwrap();
    let gap = beats[1].as_f64().unwrap() - beats[0].as_f64().unwrap();
    assert!((gap * half / 60.0 - 1.0).abs() < 0.05, "{gap} at {half}");
    let offered = shown["bpm_alternatives"].as_array().unwrap();
    assert!((offered[0].as_f64().unwrap() - found).abs() < 0.01);
    for artifact in shown["artifacts"].as_array().unwrap() {
        let by_hand = artifact["artifact"] == "beats" || artifact["artifact"] == "key";
        assert_eq!(artifact["engine"] == "user", by_hand, "{artifact}");
    }
    assert_eq!(program.list(&["bpm:>=1"]).len(), 2);
    assert_eq!(program.list(&["key:5A"])[0]["id"], id);
    let out = program.folder().join("out.json");
    program
        .run(["export", "json", out.to_str().unwrap()])
        .with_status(0);
    let exported: serde_json::Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    let of_track = |document: &&serde_json::Value| document["id"] == id;
    let exported = exported.as_array().unwrap().iter().find(of_track).unwrap();
    assert_eq!(exported["beats"], shown["beats"]);
    let (core, events) = open(program.library());
    let edit = Edit::ForgetBeats;
    ask(&core, &events, Ask::Edit { track, edit });
    assert!((bpm(&core, track) - found).abs() < 1e-9);
    ask(&core, &events, Ask::Retry(Selection::All));
}

#[test]
fn tracks_are_removed_from_the_command_line_and_their_files_stay() {
    let program = with_library();
    let listed = program.list(&[]);
    let (id, path) = (
        listed[0]["id"].as_str().unwrap(),
        listed[0]["path"].as_str().unwrap(),
    );
    program
        .run(["remove", "--dry-run", "--query", "state:ready"])
        .with_status(0);
    assert_eq!(program.list(&[]).len(), 2);
    let lines = program
        .run(["--json", "remove", path, id])
        .with_status(0)
        .lines();
    assert_eq!(lines[0]["outcome"], "removed");
    assert_eq!(lines[1]["removed"], 1);
    assert!(Path::new(path).exists());
    assert_eq!(program.list(&[]).len(), 1);
    program.run(["remove", id]).with_status(1);
    program.run(["remove", "--query", " "]).with_status(2);
    program.run(["remove"]).with_status(2);
    let report = program.run(["--json", "verify"]).with_status(0).json();
    assert_eq!(
        (&report["sound"], &report["tracks"]),
        (&true.into(), &1.into())
    );
    assert_eq!(report["orphan_files"], serde_json::json!([]));
    program.import();
    let again = program.list(&[]);
    assert_eq!(again.len(), 2);
    assert!(again.iter().all(|track| track["id"] != id));
}
