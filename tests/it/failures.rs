//! Bad input: a clear error in its row and in the JSON, and the rest goes on.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use tonearm_tests::program::{
    Ended, Program, binary, finish, of_event, repository, skipped, summary,
};
use tonearm_tests::waves::{Coding, honest, tune, wav};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(repository().join("tests/fixtures/audio").join(name)).unwrap()
}

/// Imports a folder of which some fails, and checks the form of every failure.
fn import_with_failures(program: &Program) -> Vec<Value> {
    let music = program.music();
    let ended = program.run(["--json".as_ref(), "import".as_ref(), music.as_os_str()]);
    let lines = ended.with_status(1).lines();
    for line in lines.iter().filter(|line| line["outcome"] == "failed") {
        well_said(&line["error"]);
    }
    lines
}

/// A kind, a sentence, and what to do.
fn well_said(error: &Value) {
    for field in ["kind", "message", "remedy"] {
        let text = error[field]
            .as_str()
            .unwrap_or_else(|| panic!("no {field} in {error}"));
        assert!(!text.is_empty(), "{field} is empty in {error}");
        for ours in ["panick", "unwrap", "Err(", "Some(", ".rs:"] {
            assert!(!text.contains(ours), "{error}");
        }
    }
    assert!(error.get("retry_at").is_some(), "{error}");
}

#[test]
fn files_that_are_no_music_fail_by_themselves_and_the_rest_goes_on() {
    let program = Program::new();
    let good = program.put("good.wav", &tune(1, 2.0, 22_050, 1));
    let flac = fixture("source.flac");
    program.put("empty.mp3", b"");
    program.put("empty.wav", b"");
    program.put("header only.wav", &tune(1, 1.0, 22_050, 1)[..30]);
    program.put("text.mp3", "words and no music\n".repeat(300).as_bytes());
    program.put("zeros.m4a", &[0; 5_000]);
    program.put("cut.m4a", &fixture("aac.m4a")[..300]);
    program.put("cut.flac", &flac[..60]);
    program.put("no samples.wav", &honest(44_100, 2, &[]));
    let lines = import_with_failures(&program);
    assert_eq!(
        summary(&lines)["failed"].as_u64().unwrap() + summary(&lines)["added"].as_u64().unwrap(),
        9
    );
    assert_eq!(program.show(&good)["state"], "ready");
    let failed = program.list(&["state:failed"]);
    assert_eq!(
        failed.len(),
        8,
        "{:?}",
        failed
            .iter()
            .map(|track| &track["path"])
            .collect::<Vec<_>>()
    );
    for track in &failed {
        let states = track["artifacts"].as_array().unwrap();
        let errors: Vec<&Value> = states
            .iter()
            .map(|state| &state["error"])
            .filter(|error| !error.is_null())
            .collect();
        assert!(!errors.is_empty(), "a failed row without a reason: {track}");
        for error in errors {
            well_said(error);
        }
        let shown = program
            .run(["show", track["id"].as_str().unwrap()])
            .with_status(0);
        assert!(shown.text().contains("failed:"), "{}", shown.text());
    }
    // It is not tried again and again.
    let again = program.import();
    assert_eq!(of_event(&again, "artifact"), Vec::<&Value>::new());
    assert_eq!(summary(&again)["unchanged"], 9);
    // A mended file is taken up.
    let path = program.put("empty.wav", &tune(3, 2.0, 22_050, 1));
    program.import();
    assert_eq!(program.show(&path)["state"], "ready");
}

#[test]
fn what_can_be_heard_of_odd_files_is_analysed() {
    let program = Program::new();
    program.put("a wav by name an mp3.mp3", &tune(1, 2.0, 22_050, 1));
    program.put("an mp3 by name a wav.wav", &fixture("cbr.mp3"));
    program.put("eight channels.wav", &tune(2, 2.0, 44_100, 8));
    program.put("8 kHz.wav", &tune(3, 2.0, 8_000, 1));
    program.put("384 kHz.wav", &tune(4, 2.0, 384_000, 2));
    let body = tune(5, 2.0, 22_050, 1)[44..].to_vec();
    program.put(
        "4 GiB by its header.wav",
        &wav(Coding::Pcm16, 22_050, 1, &body, u32::MAX),
    );
    let lines = program.import();
    assert_eq!(summary(&lines)["added"], 6, "{lines:?}");
    for track in program.list(&[]) {
        assert_eq!(track["state"], "ready", "{track}");
        let duration = track["duration"].as_f64().unwrap();
        assert!(
            (0.5..12.0).contains(&duration),
            "{duration} s: {}",
            track["path"]
        );
    }
    let found = |query: &str| program.list(&[query])[0].clone();
    assert_eq!(found("eight")["channels"], 8);
    assert_eq!(found("\"384 khz\"")["sample_rate"], 384_000);
    assert_eq!(
        found("\"4 gib\"")["duration"],
        2.0,
        "what is there counts, not what is claimed"
    );
    assert_eq!(found("\"by name an mp3\"")["duration"], 2.0);
}

#[test]
fn a_file_that_is_cut_off_is_analysed_as_far_as_it_goes_and_said_to_be_damaged() {
    let program = Program::new();
    let mp3 = fixture("vbr.mp3");
    program.put("cut.mp3", &mp3[..mp3.len() / 2]);
    let flac = fixture("source.flac");
    program.put("cut.flac", &flac[..flac.len() / 2]);
    let whole = tune(5, 2.0, 22_050, 1);
    program.put("cut.wav", &whole[..whole.len() / 2]);
    let music = program.music();
    let ended = program
        .run(["--json", "import", music.to_str().unwrap()])
        .with_status(1);
    assert_eq!(of_event(&ended.lines(), "damaged").len(), 3);
    for track in program.list(&[]) {
        assert_eq!(track["state"], "failed", "{track}");
        well_said(&track["damage"]);
        let waveform = &track["artifacts"][2];
        assert_eq!(
            (&waveform["artifact"], &waveform["state"]),
            (&"waveform".into(), &"done".into())
        );
    }
}

/// Of how many samples in which file it is told, beside its results.
fn told_as_damage(program: &Program, lines: &[Value]) {
    let damaged = of_event(lines, "damaged");
    assert_eq!(damaged.len(), 4, "all but silence: {damaged:?}");
    for (name, words) in [
        ("\"some nan\"", "14700 samples of it are no sound"),
        ("infinite", "44100 samples"),
        ("huge", "44100 samples"),
    ] {
        let track = program.list(&[name])[0].clone();
        well_said(&track["damage"]);
        let message = track["damage"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
        assert_eq!(
            track["artifacts"][2]["state"], "done",
            "its waveform is there"
        );
    }
    assert!(program.list(&["silent"])[0]["damage"].is_null());
}

#[test]
fn samples_that_are_no_numbers_do_no_harm() {
    let program = Program::new();
    let samples = |value: &dyn Fn(usize) -> f32| -> Vec<u8> {
        (0..44_100).flat_map(|at| value(at).to_le_bytes()).collect()
    };
    let put = |name: &str, body: Vec<u8>| {
        program.put(
            name,
            &wav(Coding::Float32, 22_050, 1, &body, body.len() as u32),
        );
    };
    put("nan.wav", samples(&|_| f32::NAN));
    put(
        "some nan.wav",
        samples(&|at| if at % 3 == 0 { f32::NAN } else { 0.2 }),
    );
    put(
        "infinite.wav",
        samples(&|at| {
            if at % 2 == 0 {
                f32::INFINITY
            } else {
                f32::NEG_INFINITY
            }
        }),
    );
    put(
        "huge.wav",
        samples(&|at| if at % 2 == 0 { f32::MAX } else { -f32::MAX }),
    );
    put("silent.wav", samples(&|_| 0.0));
    let music = program.music();
    let ended = program.run(["--json", "import", music.to_str().unwrap()]);
    let ended = ended.with_status(1);
    told_as_damage(&program, &ended.lines());
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    for line in of_event(&ended.lines(), "artifact") {
        if line["outcome"] == "failed" {
            well_said(&line["error"]);
            assert_ne!(line["error"]["kind"], "bug", "{line}");
        }
    }
    for track in program.list(&[]) {
        let shown = program.show(track["id"].as_str().unwrap());
        assert_ne!(shown["state"], "partial", "{shown}");
        if !shown["beats"].is_null() {
            let beats = crate::journey::numbers(&shown["beats"]);
            assert!(beats.windows(2).all(|pair| pair[0] < pair[1]));
        }
        let picture = program.folder().join("out.png");
        let ended = program.run([
            "waveform",
            track["id"].as_str().unwrap(),
            "--png",
            picture.to_str().unwrap(),
        ]);
        assert!(matches!(ended.status.code(), Some(0 | 1)), "{ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
}

#[test]
fn things_that_are_no_files_never_hold_an_import_up() {
    let program = Program::new();
    program.put("good.wav", &tune(1, 1.0, 22_050, 1));
    fs::create_dir(program.music().join("folder.mp3")).unwrap();
    program.put("folder.mp3/inside.wav", &tune(2, 1.0, 22_050, 1));
    let pipe = program.music().join("pipe.wav");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    std::os::unix::fs::symlink("loop.wav", program.music().join("loop.wav")).unwrap();
    std::os::unix::fs::symlink("..", program.music().join("up")).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all.mp3", program.music().join("gone.mp3")).unwrap();
    let lines = import_with_failures(&program);
    assert_eq!(summary(&lines)["added"], 2, "{lines:?}");
    let ended = program.run(["--json", "import", pipe.to_str().unwrap()]);
    let named = ended.with_status(1).lines();
    assert_eq!(outcome_without_id(&named, "pipe.wav"), "failed");
    assert_eq!(outcome_without_id(&lines, "loop.wav"), "failed");
    assert_eq!(outcome_without_id(&lines, "gone.mp3"), "failed");
    assert_eq!(program.list(&[]).len(), 2);
}

fn outcome_without_id(lines: &[Value], name: &str) -> String {
    let tracks = of_event(lines, "track");
    let line = tracks
        .iter()
        .find(|line| line["path"].as_str().unwrap().ends_with(name))
        .unwrap();
    line["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn a_file_that_turns_into_something_else_before_its_analysis_fails_alone() {
    let program = Program::new();
    let paths: Vec<_> = (0..4)
        .map(|seed| program.put(format!("{seed}.wav"), &tune(seed, 1.0, 22_050, 1)))
        .collect();
    let music = program.music();
    program
        .run(["import", "--no-analyze", music.to_str().unwrap()])
        .with_status(0);
    fs::remove_file(&paths[0]).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    fs::create_dir(&paths[1]).unwrap();
    fs::remove_file(&paths[2]).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&paths[2])
            .status()
            .unwrap()
            .success()
    );
    let ended = program.run(["--json", "analyze", "--all"]).with_status(1);
    for line in ended
        .lines()
        .iter()
        .filter(|line| line["outcome"] == "failed")
    {
        well_said(&line["error"]);
    }
    assert_eq!(program.show(&paths[3])["state"], "ready");
}

/// A user who may not read everything: us, or where we may, nobody. `None` where nobody cannot be had.
fn plain_user(program: &Program, path: &Path) -> Option<impl Fn(&[&OsStr]) -> Ended> {
    const NOBODY: u32 = 65_534;
    let all = fs::File::open(path).is_ok();
    if all {
        for place in [program.folder(), &program.music(), path] {
            std::os::unix::fs::chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let run = move |arguments: &[&OsStr]| {
        let mut command = program.command(arguments);
        if all {
            command.uid(NOBODY).gid(NOBODY);
        }
        finish(command)
    };
    let reachable = !all
        || Command::new(binary())
            .arg("--version")
            .uid(NOBODY)
            .output()
            .is_ok_and(|output| output.status.success());
    reachable.then_some(run)
}

#[test]
fn a_file_that_may_not_be_read_says_so_and_is_taken_up_as_soon_as_it_may() {
    let program = Program::new();
    let path = program.put("secret.wav", &tune(1, 1.0, 22_050, 1));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let Some(run) = plain_user(&program, &path) else {
        skipped("no user who may not read everything can be had");
        return;
    };
    let music = program.music();
    let import = ["--json".as_ref(), "import".as_ref(), music.as_os_str()];
    let ended = run(&import).with_status(1);
    let lines = ended.lines();
    let line = of_event(&lines, "track")[0];
    assert_eq!(line["error"]["kind"], "unreadable", "{line}");
    well_said(&line["error"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    run(&import).with_status(0);
    let shown = run(&["--json".as_ref(), "show".as_ref(), path.as_os_str()]);
    assert_eq!(shown.with_status(0).json()["state"], "ready");
}
