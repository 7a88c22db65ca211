//! The main job from end to end: the demo music comes in, and what is found is true and told as the contract says.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tonearm_tests::program::{Program, of_event, repository, summary};

/// What an import of the demo music printed, and every file of the library that it made.
type Made = (Vec<Value>, Vec<(PathBuf, Vec<u8>)>);

/// A library with the analysed demo music, and what its import told. Analysed once; each test has its own copy.
pub(crate) fn demo() -> (Program, &'static [Value]) {
    static DEMO: OnceLock<Made> = OnceLock::new();
    let (lines, files) = DEMO.get_or_init(|| {
        let program = Program::new();
        let music = repository().join("assets/demo");
        let lines = program
            .run(["--json".as_ref(), "import".as_ref(), music.as_os_str()])
            .with_status(0)
            .lines();
        let mut files = Vec::new();
        read_all(program.library(), Path::new(""), &mut files);
        (lines, files)
    });
    let program = Program::new();
    for (name, bytes) in files {
        let path = program.library().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    (program, lines)
}

fn read_all(folder: &Path, below: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let name = below.join(entry.unwrap().file_name());
        let path = folder.join(&name);
        if path.is_dir() {
            read_all(folder, &name, files);
        } else {
            files.push((name, fs::read(path).unwrap()));
        }
    }
}

/// Names of the demo pieces, without endings.
const PIECES: [&str; 3] = ["low-orbit", "night-ferry", "window-seat"];

/// The artifacts that this version makes.
pub(crate) const MADE: [&str; 7] = [
    "tags", "hash", "waveform", "beats", "key", "chords", "loudness",
];

/// Every field of the track object.
const TRACK: [&str; 44] = [
    "schema",
    "id",
    "path",
    "state",
    "title",
    "artist",
    "album",
    "genre",
    "comment",
    "label",
    "remixer",
    "composer",
    "year",
    "track_number",
    "rating",
    "duration",
    "sample_rate",
    "channels",
    "codec",
    "bitrate_kbps",
    "file_bytes",
    "sha256",
    "tag_bpm",
    "tag_key",
    "has_art",
    "date_added",
    "sources",
    "bpm",
    "grid",
    "beats",
    "positions",
    "tempo_segments",
    "beats_confidence",
    "bpm_alternatives",
    "key",
    "key_camelot",
    "key_open",
    "key_confidence",
    "key_segments",
    "chords",
    "loudness",
    "cues",
    "stems",
    "artifacts",
];

pub(crate) fn has_fields(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "no {field} in {value}");
    }
}

fn found_of(piece: &str) -> Value {
    let (program, lines) = demo();
    let tracks = of_event(lines, "track");
    let line = tracks
        .iter()
        .find(|line| line["path"].as_str().unwrap().contains(piece))
        .unwrap();
    program.show(line["id"].as_str().unwrap())
}

fn truth_of(piece: &str) -> Value {
    let path = repository().join(format!("assets/demo/{piece}.truth.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    let items = value.as_array().unwrap();
    items.iter().map(|item| item.as_f64().unwrap()).collect()
}

#[test]
fn an_import_tells_of_every_file_and_every_result_in_json_lines() {
    let (_, lines) = demo();
    let tracks = of_event(lines, "track");
    assert_eq!(tracks.len(), 3);
    for line in &tracks {
        has_fields(line, &["outcome", "id", "path", "source_id", "error"]);
        assert_eq!(line["outcome"], "added");
        assert_eq!(line["error"], Value::Null);
        assert!(fs::metadata(line["path"].as_str().unwrap()).is_ok());
    }
    let artifacts = of_event(lines, "artifact");
    for line in &artifacts {
        let fields = [
            "id",
            "artifact",
            "outcome",
            "engine",
            "seconds",
            "cpu_seconds",
            "error",
        ];
        has_fields(line, &fields);
        assert_eq!(
            (&line["outcome"], &line["engine"]),
            (&"done".into(), &"native".into())
        );
    }
    for track in &tracks {
        // Tags are read while the folder is looked through: their event is the track's own.
        for artifact in MADE.iter().filter(|name| **name != "tags") {
            let told = artifacts
                .iter()
                .filter(|line| line["id"] == track["id"] && line["artifact"] == *artifact);
            assert_eq!(told.count(), 1, "{artifact} of {track}");
        }
    }
    let last = summary(lines);
    assert_eq!(last["added"], 3);
    for none in [
        "updated",
        "merged",
        "moved",
        "unchanged",
        "missing",
        "failed",
    ] {
        assert_eq!(last[none], 0, "{none}");
    }
    assert!(last["seconds"].as_f64().unwrap() > 0.0);
    assert!(last["cpu_seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_shown_track_has_every_field_of_the_contract() {
    for piece in PIECES {
        let track = found_of(piece);
        has_fields(&track, &TRACK);
        assert_eq!(track["schema"], 1);
        assert_eq!(track["state"], "ready");
        assert_eq!(track["artist"], "Tonearm");
        assert_eq!(track["has_art"], true);
        assert_eq!(track["label"], Value::Null, "unknown is null");
        has_fields(&track["grid"], &["bpm", "first_beat", "first_downbeat"]);
        has_fields(
            &track["tempo_segments"][0],
            &["start", "bpm", "beats_per_bar"],
        );
        has_fields(&track["key_segments"][0], &["start", "end", "key"]);
        let chord = [
            "start",
            "end",
            "label",
            "confidence",
            "start_raw",
            "end_raw",
        ];
        has_fields(&track["chords"][0], &chord);
        let loudness = ["integrated_lufs", "range_lu", "true_peak_dbtp"];
        has_fields(&track["loudness"], &loudness);
        let states = track["artifacts"].as_array().unwrap();
        for name in MADE {
            let state = states
                .iter()
                .find(|state| state["artifact"] == name)
                .unwrap();
            let fields = [
                "state",
                "engine",
                "version",
                "model",
                "cpu_seconds",
                "error",
            ];
            has_fields(state, &fields);
            assert_eq!(state["state"], "done", "{name}");
        }
        let path = repository().join("assets/demo").join(
            std::path::Path::new(track["path"].as_str().unwrap())
                .file_name()
                .unwrap(),
        );
        assert_eq!(track["file_bytes"], fs::metadata(path).unwrap().len());
        assert_eq!(track["sha256"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn tempo_beats_and_bars_of_the_demo_music_are_found() {
    for piece in PIECES {
        let (found, truth) = (found_of(piece), truth_of(piece));
        let off = found["bpm"].as_f64().unwrap() - truth["bpm"].as_f64().unwrap();
        assert!(off.abs() <= 0.02, "{piece}: {off} BPM off");
        let (beats, true_beats) = (numbers(&found["beats"]), numbers(&truth["beats"]));
        assert_eq!(
            beats.len(),
            found["positions"].as_array().unwrap().len(),
            "{piece}: one position for each beat"
        );
        let met = true_beats
            .iter()
            .filter(|beat| beats.iter().any(|found| (found - *beat).abs() <= 0.02))
            .count();
        assert!(
            met * 10 >= true_beats.len() * 9,
            "{piece}: {met} of {} beats",
            true_beats.len()
        );
        let positions = numbers(&found["positions"]);
        let downbeats: Vec<f64> = beats
            .iter()
            .zip(&positions)
            .filter(|(_, position)| **position == 1.0)
            .map(|(beat, _)| *beat)
            .collect();
        let true_positions = numbers(&truth["positions"]);
        let true_downbeats: Vec<f64> = true_beats
            .iter()
            .zip(&true_positions)
            .filter(|(_, position)| **position == 1.0)
            .map(|(beat, _)| *beat)
            .collect();
        let met = true_downbeats
            .iter()
            .filter(|beat| downbeats.iter().any(|found| (found - *beat).abs() <= 0.05))
            .count();
        assert!(
            met * 10 >= true_downbeats.len() * 9,
            "{piece}: {met} of {} downbeats",
            true_downbeats.len()
        );
        let duration = found["duration"].as_f64().unwrap() - truth["duration"].as_f64().unwrap();
        assert!(duration.abs() < 0.001, "{piece}: {duration} s longer");
    }
}

#[test]
fn key_and_most_chords_of_the_demo_music_are_found() {
    let root = |label: &str| label.split([':', '/']).next().unwrap().to_owned();
    for piece in PIECES {
        let (found, truth) = (found_of(piece), truth_of(piece));
        assert_eq!(found["key"], truth["key"], "{piece}");
        let (mut right, mut judged) = (0.0, 0.0);
        let spans = |chords: &Value| -> Vec<(f64, f64, String)> {
            let chords = chords.as_array().unwrap();
            let span = |chord: &Value| {
                (
                    chord["start"].as_f64().unwrap(),
                    chord["end"].as_f64().unwrap(),
                    chord["label"].as_str().unwrap().to_owned(),
                )
            };
            chords.iter().map(span).collect()
        };
        let ours = spans(&found["chords"]);
        for (start, end, label) in spans(&truth["chords"]) {
            if label == "X" || label == "N" {
                continue;
            }
            judged += end - start;
            for (from, to, other) in &ours {
                let both = to.min(end) - from.max(start);
                if both > 0.0 && root(other) == root(&label) {
                    right += both;
                }
            }
        }
        assert!(right > 0.8 * judged, "{piece}: {right} of {judged} s");
        // Without a gap and on the timeline.
        assert_eq!(ours.first().unwrap().0, 0.0, "{piece}");
        for pair in ours.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "{piece}");
        }
    }
}

#[test]
fn without_a_command_the_program_does_the_main_job_on_its_own_music() {
    let program = Program::new();
    let ended = program.run::<&str>([]).with_status(0);
    let text = ended.text();
    for word in [
        "124.00 BPM",
        "A minor",
        "174.00 BPM",
        "F minor",
        "96.35 BPM",
    ] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
    let results = program.library().join("results");
    for piece in PIECES {
        let picture = fs::read(results.join(format!("{piece}.png"))).unwrap();
        assert!(picture.starts_with(b"\x89PNG"));
        let json = fs::read(results.join(format!("{piece}.json"))).unwrap();
        let track: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(track["schema"], 1);
    }
}
