//! What is printed and written, and with which exit status.

use crate::journey::{demo, has_fields};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use tonearm_tests::program::Program;
use tonearm_tests::waves::tune;

fn titles(tracks: &[Value]) -> Vec<&str> {
    tracks
        .iter()
        .map(|track| track["title"].as_str().unwrap())
        .collect()
}

#[test]
fn a_list_is_an_array_of_track_objects_without_beats_and_chords() {
    let (program, _) = demo();
    let tracks = program.list(&[]);
    assert_eq!(tracks.len(), 3);
    for track in &tracks {
        has_fields(
            track,
            &["schema", "id", "path", "state", "bpm", "key", "artifacts"],
        );
        assert!(
            track.get("beats").is_none() && track.get("chords").is_none(),
            "{track}"
        );
    }
    assert_eq!(Program::new().list(&[]), Vec::<Value>::new());
}

#[test]
fn queries_find_what_they_describe() {
    let (program, _) = demo();
    let found = |query: &str| {
        let tracks = program.list(&["--sort", "title", "--", query]);
        titles(&tracks).join(", ")
    };
    assert_eq!(found("ferry"), "Night Ferry");
    assert_eq!(
        found("artist:tonearm"),
        "Low Orbit, Night Ferry, Window Seat"
    );
    assert_eq!(found("bpm:120-128"), "Night Ferry");
    assert_eq!(found("bpm:>=100 -ferry"), "Low Orbit");
    assert_eq!(found("key:8A"), "Night Ferry");
    assert_eq!(found("key:4A~"), "Low Orbit");
    assert_eq!(
        found("genre:soul or genre:house"),
        "Night Ferry, Window Seat"
    );
    assert_eq!(found("state:failed"), "");
    assert_eq!(found("-state:ready"), "");
}

#[test]
fn lists_are_sorted_and_limited() {
    let (program, _) = demo();
    let sorted = |arguments: &[&str]| titles(&program.list(arguments)).join(", ");
    assert_eq!(
        sorted(&["--sort", "bpm"]),
        "Window Seat, Night Ferry, Low Orbit"
    );
    assert_eq!(
        sorted(&["--sort", "-bpm", "--limit", "2"]),
        "Low Orbit, Night Ferry"
    );
    assert_eq!(sorted(&["--limit", "0"]), "");
    assert_eq!(
        sorted(&["bpm:>100", "--sort", "bpm", "--limit=1"]),
        "Night Ferry",
        "options may follow the query"
    );
}

#[test]
fn a_query_that_makes_no_sense_is_wrong_usage_and_the_place_is_marked() {
    let (program, _) = demo();
    let ended = program.run(["list", "größe bmp:120"]).with_status(2);
    assert_eq!(ended.text(), "");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(
        lines[0].contains("bpm"),
        "suggests what was meant: {}",
        lines[0]
    );
    let query = lines
        .iter()
        .position(|line| line.contains("größe bmp:120"))
        .unwrap();
    let column = |line: &str, of: &str| line.split(of).next().unwrap().chars().count();
    assert_eq!(
        column(lines[query], "bmp"),
        column(lines[query + 1], "^"),
        "{}",
        ended.stderr
    );
    assert!(
        program
            .run(["list", "--sort", "bmp"])
            .with_status(2)
            .stderr
            .contains('^')
    );
}

#[test]
fn a_track_is_found_by_id_by_its_beginning_and_by_path() {
    let (program, _) = demo();
    let track = &program.list(&["ferry"])[0];
    let id = track["id"].as_str().unwrap();
    for name in [
        id,
        id.get(..8).unwrap(),
        &id.to_uppercase(),
        track["path"].as_str().unwrap(),
    ] {
        assert_eq!(program.show(name)["id"], id, "{name}");
    }
    for name in ["zzzz", "", "/nowhere.mp3", "ffffffffffffffffff"] {
        let ended = program.run(["show", name]).with_status(1);
        assert!(ended.stderr.contains("no track"), "{}", ended.stderr);
        assert_eq!(ended.text(), "");
    }
}

#[test]
fn the_waveform_is_a_picture_of_the_size_asked_for() {
    let (program, _) = demo();
    let id = program.list(&["ferry"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let out = program.folder().join("picture.png");
    let arguments = |more: &[&str]| {
        let mut all: Vec<String> = ["waveform", &id, "--png"].map(str::to_owned).to_vec();
        all.push(out.display().to_string());
        all.extend(more.iter().map(|&word| word.to_owned()));
        all
    };
    let part = [
        "--width", "800", "--height", "200", "--from", "10", "--to", "20",
    ];
    for (more, size) in [(&[][..], (1920, 480)), (&part[..], (800, 200))] {
        program.run(arguments(more)).with_status(0);
        let file = BufReader::new(fs::File::open(&out).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((frame.width, frame.height), size);
        let colours: std::collections::HashSet<&[u8]> = pixels.chunks(4).collect();
        assert!(
            colours.len() > 50,
            "{} colours: not much of a picture",
            colours.len()
        );
        fs::remove_file(&out).unwrap();
    }
    for wrong in [
        &["--from", "20", "--to", "10"][..],
        &["--width", "0"],
        &["--from", "NaN"],
    ] {
        program.run(arguments(wrong)).with_status(2);
        assert!(!out.exists());
    }
    let nowhere = program.folder().join("no/such/folder.png");
    let ended = program
        .run(["waveform", &id, "--png", nowhere.to_str().unwrap()])
        .with_status(1);
    assert!(ended.stderr.contains("folder.png"), "{}", ended.stderr);
}

#[test]
fn exports_are_written_in_each_format() {
    let (program, _) = demo();
    let export = |format: &str, query: &str| {
        let out = program.folder().join(format!("out.{format}"));
        let name = out.to_str().unwrap();
        let ended = program
            .run([
                "--json", "export", format, name, "--query", query, "--sort", "bpm",
            ])
            .with_status(0);
        assert_eq!(ended.json()["out"], name);
        let count = ended.json()["tracks"].as_u64().unwrap();
        (fs::read_to_string(out).unwrap(), count)
    };
    let (json, count) = export("json", "");
    let tracks: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (count, titles(&tracks)),
        (3, vec!["Window Seat", "Night Ferry", "Low Orbit"])
    );
    assert!(tracks[0]["beats"].as_array().unwrap().len() > 50);
    assert_eq!(tracks[0], program.show(tracks[0]["id"].as_str().unwrap()));

    let (csv, count) = export("csv", "bpm:>100");
    assert_eq!((count, csv.lines().count()), (2, 3));
    assert!(
        csv.contains("Night Ferry") && csv.contains("124.00"),
        "{csv}"
    );

    let (playlist, _) = export("m3u8", "bpm:>100");
    assert!(playlist.starts_with("#EXTM3U"), "{playlist}");
    // The playlist leads back to the music.
    let path = program.folder().join("out.m3u8");
    let other = Program::new();
    let ended = other
        .run(["--json", "import", "--no-analyze", path.to_str().unwrap()])
        .with_status(0);
    assert_eq!(ended.lines().last().unwrap()["added"], 2);

    let ended = program.run(["export", "csv", "-"]).with_status(0);
    assert_eq!(ended.stdout.len(), 4, "heading and three tracks");
    let missing = program.folder().join("no/such/out.csv");
    program
        .run(["export", "csv", missing.to_str().unwrap()])
        .with_status(1);
}

#[test]
fn completions_and_help_are_there_for_every_shell_and_command() {
    let program = Program::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = program.run(["completions", shell]).with_status(0);
        assert!(ended.text().contains("tonearm"), "{shell}");
    }
    let commands = [
        "import",
        "analyze",
        "list",
        "show",
        "waveform",
        "relink",
        "doctor",
        "setup",
        "verify",
        "backup",
        "restore",
        "bench",
        "completions",
        "export",
    ];
    for command in commands {
        let text = program.run([command, "--help"]).with_status(0).text();
        assert!(
            text.contains("Example"),
            "{command} has no example:\n{text}"
        );
    }
    let version = program.run(["--version"]).with_status(0).text();
    assert!(version.starts_with("tonearm "), "{version}");
    assert!(!program.library().exists(), "none of this makes a library");
}

#[test]
fn a_number_below_zero_is_told_as_a_wrong_value_and_not_as_an_unknown_option() {
    let program = Program::new();
    for (arguments, word) in [
        (&["stems", "--budget", "-3"][..], "a number of GB is needed"),
        (&["list", "--limit", "-1"], "--limit"),
        (&["waveform", "x", "--png", "y", "--width", "-5"], "--width"),
        (
            &["play", "x", "--seconds", "-1"],
            "--seconds is a number above 0",
        ),
    ] {
        let told = program.run(arguments).with_status(2).stderr;
        assert!(told.contains(word), "{arguments:?}: {told}");
        assert!(
            !told.contains("unexpected argument"),
            "{arguments:?}: {told}"
        );
    }
}

#[test]
fn a_track_is_named_by_its_file_or_title_where_that_is_one_alone() {
    let (program, _) = demo();
    let id = |name: &str| program.show(name)["id"].clone();
    let ferry = id("night-ferry.mp3");
    for name in ["night-ferry", "Night Ferry", "NIGHT FERRY"] {
        assert_eq!(id(name), ferry, "{name}");
    }
    // Part of a name is none, and a file that is there is not another of that name.
    let refused = |name: &str| program.run(["show", name]).with_status(1).stderr;
    assert!(refused("night").contains("no track of the library has"));
    fs::write(program.folder().join("night-ferry"), b"x").unwrap();
    assert!(refused("night-ferry").contains("no track of the library has"));
    for seed in 0..12 {
        program.put(format!("{seed}/twin.wav"), &tune(seed, 1.0, 22_050, 1));
    }
    program.import();
    let told = refused("twin.wav");
    assert!(
        told.contains("several tracks are called twin.wav"),
        "{told}"
    );
    assert_eq!(
        told.lines().count(),
        12,
        "ten of them, and how many more: {told}"
    );
    let (line, name) = (told.lines().nth(1).unwrap(), "twin.wav");
    let (candidate, path) = line.trim().split_once("  ").unwrap();
    assert!(path.ends_with(name), "{line}");
    assert_eq!(id(candidate), candidate);
    assert!(told.contains("… and 2 more"), "{told}");
    // A name that looks like the beginning of an id may be either.
    let digit = candidate.chars().next().unwrap().to_string();
    program.put(format!("{digit}.wav"), &tune(99, 1.0, 22_050, 1));
    program.import();
    let told = refused(&digit);
    assert!(told.contains(&format!("{digit}.wav")), "{told}");
    assert_eq!(id(&format!("{digit}.wav")).as_str().map(str::len), Some(16));
}

#[test]
fn wrong_usage_is_told_with_status_2() {
    let program = Program::new();
    let wrong: [&[&str]; 8] = [
        &["import"],
        &["nonsense"],
        &["list", "--limit", "many"],
        &["analyze"],
        &["import", "--only", "nothing", "x"],
        &["import", "--engine", "magic", "x"],
        &["export", "pdf", "x"],
        &["waveform", "x"],
    ];
    for arguments in wrong {
        let ended = program.run(arguments).with_status(2);
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
        assert_eq!(ended.text(), "", "{arguments:?}");
    }
    let ended = program.run(["import", "/no/such/folder"]).with_status(1);
    assert!(ended.text().contains("/no/such/folder"), "{}", ended.text());
}

#[test]
fn the_doctor_says_what_there_is_and_what_to_do() {
    let (program, _) = demo();
    let report = program.run(["--json", "doctor"]).with_status(0).json();
    let checks = report["checks"].as_array().unwrap();
    for check in checks {
        has_fields(check, &["name", "state", "reason"]);
    }
    let library = checks
        .iter()
        .find(|check| check["name"] == "library")
        .unwrap();
    assert_eq!(library["state"], "ok");
    assert!(
        library["reason"].as_str().unwrap().starts_with("3 tracks"),
        "{library}"
    );
}

#[test]
fn colour_is_for_terminals_and_can_be_asked_for() {
    let (program, _) = demo();
    let escape = '\u{1b}';
    assert!(!program.run(["list"]).with_status(0).text().contains(escape));
    assert!(
        !program
            .run(["--color", "never", "list"])
            .with_status(0)
            .text()
            .contains(escape)
    );
    assert!(
        program
            .run(["--color", "always", "list"])
            .with_status(0)
            .text()
            .contains(escape)
    );
    let mut command = program.command(["list"]);
    command.env("NO_COLOR", "1");
    let ended = tonearm_tests::program::finish(command).with_status(0);
    assert!(!ended.text().contains(escape));
    let json = program
        .run(["--color", "always", "--json", "list"])
        .with_status(0);
    assert!(!json.text().contains(escape));
}

#[test]
fn quiet_leaves_what_was_asked_for_and_what_failed() {
    let program = Program::new();
    program.put("good.wav", &tonearm_tests::waves::tune(1, 1.0, 44_100, 1));
    let music = program.music();
    let name = music.to_str().unwrap();
    let ended = program
        .run(["--quiet", "import", "--only", "hash", name])
        .with_status(0);
    assert_eq!((ended.text().as_str(), ended.stderr.as_str()), ("", ""));
    let ended = program.run(["--quiet", "list"]).with_status(0);
    assert_eq!(ended.stdout.len(), 1, "{}", ended.text());
    program.put("bad.wav", b"nothing");
    let ended = program.run(["--quiet", "import", name]).with_status(1);
    assert!(ended.text().contains("bad.wav"), "{}", ended.text());
    assert!(!ended.text().contains("good.wav"), "{}", ended.text());
}

/// Reads one line of the program's output and closes it.
fn read_one_line_of(program: &Program, arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = program.command(arguments).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(!line.is_empty());
    drop(stdout);
    let mut errors = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    (child.wait().unwrap().code(), errors)
}

#[test]
fn a_reader_that_stops_reading_is_no_reason_to_panic() {
    let program = Program::new();
    for number in 0..600 {
        program.put(
            format!("{number}.wav"),
            &tonearm_tests::waves::tune(number, 0.01, 8_000, 1),
        );
    }
    let music = program.music();
    let name = music.to_str().unwrap();
    let import = ["--json", "import", "--only", "hash", name];
    let (status, errors) = read_one_line_of(&program, &import);
    assert!(!errors.contains("panic"), "{errors}");
    assert_eq!(
        status,
        Some(1),
        "what was not printed was not told: {errors}"
    );
    // Nothing is broken by it.
    program.import();
    for arguments in [&["--json", "list"][..], &["list"], &["export", "json", "-"]] {
        let (_, errors) = read_one_line_of(&program, arguments);
        assert_eq!(errors, "", "{arguments:?}");
    }
}
