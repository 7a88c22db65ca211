//! Tracks taken apart through the real program: four files that add up, made once, never half.

use crate::storage::SmallDisk;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tonearm_tests::program::{Ended, Program, Running, repository, skipped};
use tonearm_tests::waves::{honest, tune};

const STEMS: [&str; 4] = ["drums", "bass", "other", "vocals"];

fn stems<A: AsRef<OsStr>>(program: &Program, arguments: impl IntoIterator<Item = A>) -> Ended {
    let mut command = program.command(["--json", "stems"]);
    command.args(arguments);
    tonearm_tests::program::finish(command)
}

fn imported(program: &Program) {
    let music = program.music();
    program
        .run([OsStr::new("import"), music.as_os_str()])
        .with_status(0);
}

/// Samples as a program of others reads them: interleaved stereo at 44.1 kHz.
fn pcm(path: &Path) -> Option<Vec<f32>> {
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-f", "f32le", "-ac", "2", "-ar", "44100", "-"])
        .output()
        .ok()?;
    assert!(
        decoded.status.success(),
        "{}",
        String::from_utf8_lossy(&decoded.stderr)
    );
    let samples = decoded.stdout.as_chunks::<4>().0;
    Some(
        samples
            .iter()
            .map(|sample| f32::from_le_bytes(*sample))
            .collect(),
    )
}

fn sum(files: &Value) -> Option<Vec<f32>> {
    let mut sum: Vec<f32> = Vec::new();
    for stem in STEMS {
        let sound = pcm(Path::new(files[stem].as_str().unwrap()))?;
        sum.resize(sound.len().max(sum.len()), 0.0);
        assert_eq!(sum.len(), sound.len(), "{stem} is as long as the others");
        for (sum, sample) in sum.iter_mut().zip(sound) {
            *sum += sample;
        }
    }
    Some(sum)
}

fn artifact(track: &Value) -> Value {
    let all = track["artifacts"].as_array().unwrap();
    all.iter()
        .find(|it| it["artifact"] == "stems")
        .unwrap()
        .clone()
}

/// Everything below the folder of stems, by its path.
fn kept(program: &Program) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![program.library().join("stems")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Two seconds.
fn with_a_track() -> (Program, PathBuf) {
    let program = Program::new();
    let track = program.put("a.wav", &tune(1, 2.0, 44_100, 2));
    imported(&program);
    (program, track)
}

fn with_demo_music() -> Program {
    let program = Program::new();
    for entry in fs::read_dir(repository().join("assets/demo")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it != "json") {
            program.put(path.file_name().unwrap(), &fs::read(&path).unwrap());
        }
    }
    imported(&program);
    program
}

/// What `stems` and `show` tell of a track that was taken apart for the first time.
fn first_made(program: &Program, id: &str) -> (Value, Value) {
    let out = program.folder().join("out").join(id);
    let made = stems(program, [id.as_ref(), "--out".as_ref(), out.as_os_str()]);
    let estimate = "1 track to take apart";
    assert!(made.stderr.contains(estimate), "{}", made.stderr);
    let made = made.with_status(0).json();
    assert!(made["residual_db"].as_f64().unwrap() < -60.0, "{made}");
    assert_eq!(
        (&made["engine"], &made["gain"]),
        (&"native".into(), &1.0.into())
    );
    let shown = program.show(id);
    let (state, engine) = (&artifact(&shown)["state"], &artifact(&shown)["engine"]);
    assert_eq!((state, engine), (&"done".into(), &"native".into()));
    let residual = |of: &Value| of["residual_db"].as_f64().unwrap().round();
    assert_eq!(residual(&shown["stems"]), residual(&made));
    for stem in STEMS {
        let inside = Path::new(shown["stems"]["files"][stem].as_str().unwrap());
        assert!(
            inside.is_file() && inside.with_extension("wave").is_file(),
            "{stem}"
        );
    }
    (made, shown)
}

#[test]
fn stems_of_the_demo_music_add_up_to_it() {
    let program = with_demo_music();
    assert!(kept(&program).is_empty(), "nobody asked for stems");
    for track in program.list(&[]) {
        assert_eq!(artifact(&track)["state"], "absent");
        assert_eq!(track["stems"], Value::Null);
        let id = track["id"].as_str().unwrap();
        let (made, shown) = first_made(&program, id);
        let mix = pcm(Path::new(track["path"].as_str().unwrap()));
        let (Some(sum), Some(mix)) = (sum(&made["files"]), mix) else {
            return skipped("ffmpeg is not installed");
        };
        let apart = mix.iter().zip(&sum).map(|(mix, sum)| (mix - sum).abs());
        // 16-bit steps, and what two decoders differ in.
        let worst = apart.fold(0.0, f32::max);
        assert!(worst < 1e-3, "{id}: {worst}");
        let frames = shown["duration"].as_f64().unwrap() * 44_100.0;
        assert!(
            (sum.len() as f64 / 2.0 - frames).abs() <= 1.0,
            "{id}: {frames}"
        );
    }
}

#[test]
fn stems_are_made_once_and_made_again_they_are_the_same_to_the_bit() {
    let program = with_demo_music();
    let flacs = || -> Vec<Vec<u8>> {
        let all = kept(&program).into_iter().map(|it| fs::read(it).unwrap());
        let mut flacs: Vec<Vec<u8>> = all.filter(|it| it.starts_with(b"fLaC")).collect();
        flacs.sort();
        flacs
    };
    stems(&program, ["--query", ""]).with_status(0);
    let before = flacs();
    let found = program.list(&["has:stems"]);
    assert_eq!((found.len(), before.len()), (3, 12));
    let again = stems(&program, [found[0]["id"].as_str().unwrap()]).with_status(0);
    assert!(!again.stderr.contains("to take apart"), "{}", again.stderr);
    let force = ["analyze", "--all", "--force", "--only", "stems"];
    program.run(force).with_status(0);
    assert!(
        flacs() == before,
        "the old sets are gone, the new ones are the same"
    );
    let verified = program.run(["--json", "verify"]).with_status(0).json();
    assert_eq!(verified["sound"], true);
}

#[test]
fn sounds_of_every_kind_are_taken_apart_and_add_up() {
    let program = Program::new();
    let short: Vec<i16> = (0..88_200).map(|at| ((at % 200) * 100) as i16).collect();
    for (name, bytes) in [
        ("silent.wav", honest(44_100, 2, &vec![0; 200_000])),
        ("two seconds.wav", tune(3, 2.0, 44_100, 2)),
        ("mono.wav", honest(44_100, 1, &short)),
        ("48.wav", tune(4, 3.0, 48_000, 2)),
        ("96.wav", tune(5, 3.0, 96_000, 2)),
        ("blink.wav", honest(44_100, 2, &[500; 20])),
    ] {
        program.put(name, &bytes);
    }
    imported(&program);
    let out = program.folder().join("deep/er/out");
    let made = stems(
        &program,
        [
            "--query".as_ref(),
            "".as_ref(),
            "--format".as_ref(),
            "wav".as_ref(),
            "--out".as_ref(),
            out.as_os_str(),
        ],
    );
    let made = made.with_status(0).lines();
    assert_eq!(made.len(), 6);
    for line in made {
        let track = program.show(line["id"].as_str().unwrap());
        let Some(sum) = sum(&line["files"]) else {
            return skipped("ffmpeg is not installed");
        };
        assert!(sum.iter().all(|sample| sample.is_finite()), "{track}");
        let frames = track["duration"].as_f64().unwrap() * 44_100.0;
        assert!(
            (sum.len() as f64 / 2.0 - frames).abs() <= 1.0,
            "{} {track}",
            sum.len()
        );
        let path = track["path"].as_str().unwrap();
        if path.ends_with("silent.wav") {
            assert!(sum.iter().all(|sample| *sample == 0.0) && line["residual_db"].is_null());
        }
        if track["sample_rate"] == 44_100 {
            let mut mix = pcm(Path::new(path)).unwrap();
            if track["channels"] == 1 {
                // That program plays one channel 3 dB quieter on two.
                for sample in &mut mix {
                    *sample *= std::f32::consts::SQRT_2;
                }
            }
            assert!(
                mix.iter()
                    .zip(&sum)
                    .all(|(mix, sum)| (mix - sum).abs() < 1e-6),
                "{path}: not to the bit"
            );
        }
    }
}

#[test]
fn files_that_are_there_stay_and_nothing_is_half_written() {
    let (program, track) = with_a_track();
    let out = program.folder().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("other.flac"), b"mine").unwrap();
    let ended = stems(
        &program,
        [track.as_os_str(), "--out".as_ref(), out.as_os_str()],
    )
    .with_status(1);
    assert!(
        ended.stderr.contains("another file is there already")
            && ended.stderr.contains("--overwrite"),
        "{}",
        ended.stderr
    );
    assert_eq!(fs::read(out.join("other.flac")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
    // Beside the music all is new, and the music is as it was.
    let before = fs::read(&track).unwrap();
    stems(
        &program,
        [
            track.as_os_str(),
            "--out".as_ref(),
            program.music().as_os_str(),
        ],
    )
    .with_status(0);
    assert_eq!(
        (
            fs::read(&track).unwrap(),
            fs::read_dir(program.music()).unwrap().count()
        ),
        (before, 5)
    );
}

#[test]
fn files_exported_before_are_told_as_there_and_others_are_replaced_only_when_asked() {
    let (program, track) = with_a_track();
    let out = program.folder().join("out");
    let export = |more: &[&str]| {
        let all = [track.as_os_str(), "--out".as_ref(), out.as_os_str()];
        stems(&program, all.into_iter().chain(more.iter().map(OsStr::new)))
    };
    let outcomes = |ended: Ended| {
        let told = ended.with_status(0).json();
        STEMS.map(|stem| told["outcomes"][stem].as_str().unwrap_or("?").to_owned())
    };
    assert_eq!(outcomes(export(&[])), ["written"; 4]);
    let first = STEMS.map(|stem| fs::read(out.join(format!("{stem}.flac"))).unwrap());
    assert_eq!(outcomes(export(&[])), ["already_there"; 4]);
    let words = program.run([
        "stems".as_ref(),
        track.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
    ]);
    let words = words.with_status(0).text();
    assert_eq!(words.matches("already there").count(), 4, "{words}");
    // What went is written again; the rest stays.
    fs::remove_file(out.join("bass.flac")).unwrap();
    let there = "already_there";
    assert_eq!(outcomes(export(&[])), [there, "written", there, there]);
    // Another file, as long as ours.
    let mut other = first[2].clone();
    *other.last_mut().unwrap() ^= 1;
    fs::write(out.join("other.flac"), &other).unwrap();
    fs::remove_file(out.join("vocals.flac")).unwrap();
    let told = export(&[]).with_status(1).stderr;
    assert!(
        told.contains("--overwrite") && told.contains("other.flac"),
        "{told}"
    );
    assert!(!out.join("vocals.flac").exists(), "all or none");
    assert_eq!(fs::read(out.join("other.flac")).unwrap(), other);
    assert_eq!(
        outcomes(export(&["--overwrite"])),
        [there, there, "replaced", "written"]
    );
    let now = STEMS.map(|stem| fs::read(out.join(format!("{stem}.flac"))).unwrap());
    assert!(now == first);
    assert_eq!(
        fs::read_dir(&out).unwrap().count(),
        4,
        "nothing stays behind"
    );
    // A folder in the place of a file cannot be replaced, and nothing else is then.
    fs::write(out.join("drums.flac"), b"mine").unwrap();
    fs::remove_file(out.join("vocals.flac")).unwrap();
    fs::create_dir(out.join("vocals.flac")).unwrap();
    let told = export(&["--overwrite"]).with_status(1).stderr;
    assert!(told.contains("this is no file"), "{told}");
    assert_eq!(fs::read(out.join("drums.flac")).unwrap(), b"mine");
}

#[test]
fn stems_never_replace_music_also_when_files_are_to_be_replaced() {
    let program = Program::new();
    let track = program.put("a.wav", &tune(1, 2.0, 44_100, 2));
    let named_alike = program.put("drums.wav", &tune(2, 2.0, 44_100, 2));
    imported(&program);
    let before = fs::read(&named_alike).unwrap();
    let music = program.music();
    let all = [track.as_os_str(), "--out".as_ref(), music.as_os_str()];
    let more = ["--overwrite", "--format", "wav"].map(OsStr::new);
    let told = stems(&program, all.into_iter().chain(more))
        .with_status(1)
        .stderr;
    assert!(told.contains("a track of the library"), "{told}");
    assert!(fs::read(&named_alike).unwrap() == before);
    assert_eq!(fs::read_dir(&music).unwrap().count(), 2);
}

#[test]
fn stems_never_replace_what_a_track_is_a_link_to() {
    let program = Program::new();
    let track = program.put("a.wav", &tune(1, 2.0, 44_100, 2));
    let out = program.folder().join("out");
    fs::create_dir(&out).unwrap();
    let before = tune(2, 2.0, 44_100, 2);
    fs::write(out.join("drums.wav"), &before).unwrap();
    let link = program.music().join("kick.wav");
    std::os::unix::fs::symlink(out.join("drums.wav"), &link).unwrap();
    imported(&program);
    let known = program.list(&["kick"]);
    assert_eq!(
        known[0]["path"],
        link.to_str().unwrap(),
        "the link is the track"
    );
    let all = [track.as_os_str(), "--out".as_ref(), out.as_os_str()];
    let more = ["--overwrite", "--format", "wav"].map(OsStr::new);
    let told = stems(&program, all.into_iter().chain(more))
        .with_status(1)
        .stderr;
    assert!(
        told.contains("a track of the library") && told.contains("drums.wav"),
        "{told}"
    );
    assert!(fs::read(&link).unwrap() == before);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn killed_while_stems_are_made_nothing_is_half_there_and_the_wish_is_kept() {
    let program = Program::new();
    for seed in 0..3 {
        program.put(format!("{seed}.wav"), &tune(seed, 40.0, 44_100, 2));
    }
    imported(&program);
    for (round, moment) in [3_u64, 40, 120, 250, 600].into_iter().enumerate() {
        let mut running =
            program.start(["--json", "analyze", "--all", "--force", "--only", "stems"]);
        // At a file in the making, at another moment of it each time.
        for _ in 0..3_000 {
            let unfinished = kept(&program)
                .iter()
                .any(|it| it.to_string_lossy().contains(".unfinished/"));
            if unfinished {
                break;
            }
            drop(running.poll_line(Duration::from_millis(10)));
        }
        drop(running.poll_line(Duration::from_millis(moment)));
        running.kill();
        drop(running.end());
        for track in program.list(&[]) {
            let state = artifact(&track)["state"].as_str().unwrap().to_owned();
            // A wish of this very moment may not have reached the disk; those of the rounds before have.
            let is_fresh = round == 0 && moment < 100;
            assert!(
                ["due", "done", "waiting"].contains(&state.as_str())
                    || (is_fresh && state == "absent"),
                "round {round}: {track}"
            );
            for stem in STEMS.iter().filter(|_| !track["stems"].is_null()) {
                assert!(
                    Path::new(track["stems"]["files"][stem].as_str().unwrap()).is_file(),
                    "{track}"
                );
            }
        }
        let half: Vec<PathBuf> = kept(&program)
            .into_iter()
            .filter(|it| it.to_string_lossy().contains(".unfinished"))
            .collect();
        assert!(
            half.is_empty(),
            "round {round}: opening the library sweeps: {half:?}"
        );
    }
    program.run(["analyze", "--all"]).with_status(0);
    let done = program.list(&["has:stems"]);
    assert_eq!(
        done.len(),
        3,
        "what was asked for before is made by the next start"
    );
    assert_eq!(kept(&program).len(), 24);
    assert_eq!(
        program.run(["--json", "verify"]).with_status(0).json()["sound"],
        true
    );
}

#[test]
fn a_library_that_takes_no_files_says_so_and_a_missing_file_of_a_set_is_made_again() {
    let (program, track) = with_a_track();
    let shelf = program.library().join("stems");
    fs::create_dir(&shelf).unwrap();
    fs::set_permissions(&shelf, fs::Permissions::from_mode(0o500)).unwrap();
    let is_root = fs::create_dir(shelf.join("x")).is_ok();
    if !is_root {
        let ended = stems(&program, [track.as_os_str()]).with_status(1);
        assert!(
            ended.stderr.contains("stems cannot be written"),
            "{}",
            ended.stderr
        );
        assert_eq!(artifact(&program.show(&track))["state"], "failed");
    }
    fs::remove_dir_all(&shelf).unwrap();
    // A file in the place of the folder is refused for everybody.
    fs::write(&shelf, b"in the way").unwrap();
    let ended = stems(&program, [track.as_os_str()]).with_status(1);
    assert!(
        ended.stderr.contains("stems cannot be written"),
        "{}",
        ended.stderr
    );
    assert_eq!(artifact(&program.show(&track))["error"]["kind"], "storage");
    fs::remove_file(&shelf).unwrap();
    stems(&program, [track.as_os_str()]).with_status(0);
    let files = kept(&program);
    assert_eq!(files.len(), 8);
    fs::remove_file(&files[0]).unwrap();
    let report = program.run(["--json", "verify"]).with_status(1).json();
    assert_eq!(report["redo"].as_array().unwrap().len(), 1, "{report}");
}

#[test]
fn a_removed_track_takes_its_stems_with_it() {
    let (program, track) = with_a_track();
    stems(&program, [track.as_os_str()]).with_status(0);
    assert_eq!(kept(&program).len(), 8);
    program
        .run([OsStr::new("remove"), track.as_os_str()])
        .with_status(0);
    assert_eq!(kept(&program), Vec::<PathBuf>::new());
}

/// In the order of their files.
fn ids(program: &Program) -> Vec<String> {
    let tracks = program.list(&["--sort", "path"]);
    let ids = tracks.iter().map(|track| track["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

#[test]
fn the_room_for_stems_is_told_without_being_changed() {
    let program = Program::new();
    let set = program.run(["--json", "stems", "--budget", "3"]);
    let told = set.with_status(0).json();
    assert_eq!(told["budget"], 3_000_000_000_u64);
    for value in [None, Some("show")] {
        let words = ["--json", "stems", "--budget"].into_iter().chain(value);
        assert_eq!(program.run(words).with_status(0).json(), told);
    }
    let text = program.run(["stems", "--budget"]).text();
    assert!(text.contains("Stems may take 3"), "{text}");
}

/// The track is ready, and its failure is found.
fn found_though_ready(program: &Program, id: &str) {
    let found = program.list(&["state:failed"]);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["id"], &found[0]["state"]),
        (&id.into(), &"ready".into())
    );
    let table = program.run(["list", "state:failed"]).text();
    assert!(table.contains("ready, stems failed"), "{table}");
    let doctor = program.run(["doctor"]).text();
    assert!(doctor.contains("tonearm list state:failed"), "{doctor}");
}

#[test]
fn a_batch_keeps_to_its_room_and_says_so_before_and_after() {
    let program = Program::new();
    for seed in 0..4 {
        program.put(format!("{seed}.wav"), &tune(seed, 4.0, 44_100, 2));
    }
    imported(&program);
    let ids = ids(&program);
    let state = |id: &String| artifact(&program.show(id))["state"].clone();
    stems(&program, [&ids[0]]).with_status(0);
    let one = program.run(["--json", "stems", "--budget", "auto"]).json()["taken"]
        .as_u64()
        .unwrap();
    // Four seconds are expected to take 1.2 MB: room for two more only when the old one goes.
    let room = one + 1_300_000;
    let gigabytes = format!("{:.9}", room as f64 / 1e9);
    let told = program
        .run(["--json", "stems", "--budget", &gigabytes])
        .with_status(0)
        .json();
    assert_eq!(
        (&told["budget"], &told["chosen"]),
        (&room.into(), &true.into())
    );
    let doctor = program.run(["doctor"]);
    assert!(doctor.text().contains("as you chose"), "{doctor:?}");
    let ended = stems(&program, &ids[1..]).with_status(1);
    assert!(
        !ended.stderr.contains("That is more than"),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("made or used since these were asked for")
            && ended.stderr.contains("--budget"),
        "{}",
        ended.stderr
    );
    assert_eq!(state(&ids[0]), "absent", "the old one made way");
    let made: Vec<_> = ids[1..].iter().filter(|id| state(id) == "done").collect();
    let failed: Vec<_> = ids[1..].iter().filter(|id| state(id) == "failed").collect();
    assert_eq!((made.len(), failed.len()), (2, 1));
    found_though_ready(&program, failed[0]);
    assert_eq!(
        kept(&program).len(),
        made.len() * 8,
        "what went is gone from the disk, what was made is there"
    );
    for id in &made {
        assert!(stems(&program, [id]).with_status(0).stderr.is_empty());
    }
    program.run(["stems", "--budget", "0.0001"]).with_status(0);
    let all = stems(&program, ["--query", ""]).with_status(1);
    assert!(
        all.stderr
            .contains("That is more than the 100.0 kB that stems may take"),
        "{}",
        all.stderr
    );
    assert_eq!(kept(&program).len(), 16, "nothing goes in vain");
    program.run(["stems", "--budget", "1"]).with_status(0);
    program.run(["analyze", "--all"]).with_status(0);
    assert!(
        ids[1..].iter().all(|id| state(id) == "done"),
        "more room, more stems"
    );
    assert_eq!(
        program.run(["--json", "verify"]).with_status(0).json()["sound"],
        true
    );
}

#[test]
fn what_a_command_hands_out_makes_no_room_for_what_it_makes() {
    let program = Program::new();
    for seed in 0..2 {
        program.put(format!("{seed}.wav"), &tune(seed, 4.0, 44_100, 2));
    }
    imported(&program);
    let ids = ids(&program);
    stems(&program, [&ids[0]]).with_status(0);
    let told = program.run(["--json", "stems", "--budget", "auto"]).json();
    // Room for one more only when the other goes.
    let room = told["taken"].as_u64().unwrap() + 600_000;
    let gigabytes = format!("{:.9}", room as f64 / 1e9);
    program
        .run(["stems", "--budget", &gigabytes])
        .with_status(0);
    let out = program.folder().join("out");
    let arguments = ["--query", "", "--out"].map(OsStr::new);
    let all = arguments.into_iter().chain([out.as_os_str()]);
    let lines = stems(&program, all).with_status(1).lines();
    let of = |id: &String| {
        let of_it = lines.iter().filter(|line| line["id"] == **id);
        of_it.collect::<Vec<_>>()
    };
    let (there, refused) = (of(&ids[0]), of(&ids[1]));
    assert_eq!((there.len(), refused.len()), (1, 1), "{lines:?}");
    assert!(there[0]["files"].is_object() && out.join(&ids[0]).join("drums.flac").is_file());
    assert_eq!(refused[0]["error"]["kind"], "storage");
    assert!(
        refused[0]["error"]["remedy"]
            .as_str()
            .unwrap()
            .contains("--budget")
    );
    fs::remove_file(program.music().join("1.wav")).unwrap();
    imported(&program);
    let missing = stems(&program, [&ids[1]]).with_status(1).lines();
    assert_eq!(
        (&missing[0]["id"], &missing[0]["error"]["kind"]),
        (&ids[1].as_str().into(), &"missing".into())
    );
}

#[test]
fn stored_stems_that_are_short_broken_or_gone_are_not_handed_out() {
    let program = Program::new();
    let track = program.put("a.wav", &tune(1, 6.0, 44_100, 2));
    program.put("b.wav", &tune(2, 2.0, 44_100, 2));
    imported(&program);
    stems(&program, ["--query", ""]).with_status(0);
    let shown = program.show(&track);
    let id = shown["id"].as_str().unwrap();
    let path = Path::new(shown["stems"]["files"]["other"].as_str().unwrap()).to_path_buf();
    let whole = fs::read(&path).unwrap();
    let cut = |count: usize| whole.iter().take(count).copied().collect::<Vec<u8>>();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0x40;
    let other_sound = fs::read(path.with_file_name("drums.flac")).unwrap();
    let elsewhere = program.list(&["b.wav"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let shorter = program.show(&elsewhere)["stems"]["files"]["other"].clone();
    let shorter = fs::read(shorter.as_str().unwrap()).unwrap();
    assert_ne!(other_sound, whole);
    for (case, bytes, word) in [
        ("half", Some(cut(whole.len() / 2)), "damaged"),
        ("its last frame", Some(cut(whole.len() - 20)), "damaged"),
        ("one bit", Some(flipped), "damaged"),
        ("of another track", Some(shorter), "damaged"),
        ("no FLAC", Some(vec![7; 5_000]), "cannot be read"),
        ("empty", Some(Vec::new()), "cannot be read"),
        ("gone", None, "cannot be read"),
    ] {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        for format in ["flac", "wav"] {
            let out = program.folder().join("out");
            let arguments = ["--query", "", "--format", format, "--out"].map(OsStr::new);
            let all = arguments.into_iter().chain([out.as_os_str()]);
            let ended = stems(&program, all).with_status(1);
            let told = &ended.stderr;
            assert!(
                told.contains(word) && told.contains("other.flac"),
                "{case} {format}: {told}"
            );
            let remedy = format!("tonearm analyze {id} --force --only stems");
            assert!(told.contains(&remedy), "{case}: {told}");
            assert!(!out.join(id).exists(), "{case} {format}");
            let lines = ended.lines();
            let (written, refused): (Vec<&Value>, Vec<&Value>) =
                lines.iter().partition(|line| line["error"].is_null());
            assert_eq!((written.len(), refused.len()), (1, 1), "{case} {format}");
            assert_eq!(
                (&refused[0]["id"], &refused[0]["error"]["kind"]),
                (&id.into(), &"damaged".into())
            );
            fs::remove_dir_all(&out).unwrap();
        }
    }
    program
        .run(["analyze", id, "--force", "--only", "stems"])
        .with_status(0);
    let out = program.folder().join("out");
    stems(&program, [id.as_ref(), "--out".as_ref(), out.as_os_str()]).with_status(0);
}

#[test]
fn a_disk_that_fills_up_meanwhile_leaves_nothing_half_made_and_the_wish_comes_back() {
    let program = Program::new();
    let place = program.folder().join("disk");
    // Enough for what is looked at before the work begins; what is not written takes no memory.
    let Some(disk) = SmallDisk::mount(&place, "1g") else {
        return;
    };
    let program = program.with_library(place.join("library"));
    let track = program.put("a.wav", &tune(1, 240.0, 44_100, 2));
    imported(&program);
    // Not the budget, which follows what is free, but the drive is to be in the way.
    program.run(["stems", "--budget", "1"]).with_status(0);
    let used = || {
        let asked = Command::new("df")
            .args(["--block-size=1", "--output=used"])
            .arg(&place)
            .output()
            .unwrap();
        let text = String::from_utf8(asked.stdout).unwrap();
        text.lines().last().unwrap().trim().parse::<u64>().unwrap()
    };
    let before = used();
    let mut command = program.command(["--json", "stems"]);
    command.arg(&track);
    let mut running = Running::start(command);
    while used() < before + 2_000_000 {
        drop(running.poll_line(Duration::from_millis(5)));
    }
    // From here on there is one more megabyte, of the thirty that are needed.
    disk.remount(&format!("size={}", used() + 1_000_000));
    let ended = running.end().with_status(1);
    let told = &ended.stderr;
    assert!(
        told.contains("stems cannot be written") && told.contains("Make room"),
        "{told}"
    );
    assert!(!told.contains("panicked"), "{told}");
    assert_eq!(
        kept(&program),
        Vec::<PathBuf>::new(),
        "nothing is half there"
    );
    let failed = artifact(&program.show(&track));
    assert_eq!(
        (&failed["state"], &failed["error"]["kind"]),
        (&"failed".into(), &"storage".into())
    );
    assert!(
        failed["error"]["retry_at"].is_string(),
        "it comes back by itself: {failed}"
    );
    // Where it is seen before that there is no room, nothing is begun.
    let ended = stems(&program, [track.as_os_str()]).with_status(1);
    assert!(ended.stderr.contains("stay free"), "{}", ended.stderr);
    assert_eq!(kept(&program), Vec::<PathBuf>::new());
    disk.remount("size=1g");
    stems(&program, [track.as_os_str()]).with_status(0);
    assert_eq!(kept(&program).len(), 8);
    assert_eq!(
        program.run(["--json", "verify"]).with_status(0).json()["sound"],
        true
    );
}

#[test]
fn show_says_in_words_whose_stems_there_are() {
    let (program, track) = with_a_track();
    let shown = || program.run([OsStr::new("show"), track.as_os_str()]).text();
    assert!(
        shown().contains("stems  none; made with tonearm stems"),
        "{}",
        shown()
    );
    stems(&program, [track.as_os_str()]).with_status(0);
    assert!(
        shown().contains("stems  draft by the built-in analysis, "),
        "{}",
        shown()
    );
}
