//! Files that go away, come back, or are found elsewhere.

use crate::again::{import, outcome};
use serde_json::Value;
use std::fs;
use tonearm_tests::program::{Program, of_event, summary};
use tonearm_tests::waves::tune;

#[test]
fn a_vanished_file_becomes_missing_and_comes_back_as_it_was() {
    let program = Program::new();
    let path = program.put("sub/a.wav", &tune(1, 2.0, 22_050, 1));
    program.put("b.wav", &tune(2, 2.0, 22_050, 1));
    program.import();
    let before = program.show(&path);
    let aside = program.folder().join("aside.wav");
    fs::rename(&path, &aside).unwrap();
    let lines = program.import();
    assert_eq!(
        outcome(&lines, "a.wav"),
        (
            before["id"].as_str().unwrap().to_owned(),
            "missing".to_owned()
        )
    );
    let line = of_event(&lines, "track")
        .into_iter()
        .find(|line| line["outcome"] == "missing")
        .unwrap();
    assert_eq!(line["error"]["kind"], "missing");
    let missing = program.show(before["id"].as_str().unwrap());
    assert_eq!(missing["state"], "missing");
    assert_eq!(
        missing["beats"], before["beats"],
        "what is known of it stays"
    );
    assert_eq!(program.list(&["state:missing"]).len(), 1);
    assert_eq!(
        summary(&program.import())["missing"],
        1,
        "it is still missing"
    );

    fs::rename(&aside, &path).unwrap();
    let lines = program.import();
    assert_eq!(outcome(&lines, "a.wav").0, before["id"].as_str().unwrap());
    assert_eq!(of_event(&lines, "artifact"), Vec::<&Value>::new());
    assert_eq!(program.show(&path), before);
}

#[test]
fn a_drive_that_is_away_loses_nothing_and_is_named() {
    let program = Program::new();
    let drive = program.folder().join("drive");
    fs::create_dir(&drive).unwrap();
    for seed in 0..3 {
        fs::write(
            drive.join(format!("{seed}.wav")),
            tune(seed, 1.0, 22_050, 1),
        )
        .unwrap();
    }
    import(&program, &drive);
    let before = program.list(&["--sort", "path"]);
    let away = program.folder().join("unplugged");
    fs::rename(&drive, &away).unwrap();
    let ended = program
        .run(["--json", "import", drive.to_str().unwrap()])
        .with_status(1);
    assert_eq!(summary(&ended.lines())["missing"], 3, "{}", ended.text());
    assert!(ended.text().contains("Connect it"), "{}", ended.text());
    let ended = program.run(["--json", "analyze", "--all"]);
    assert_eq!(
        summary(&ended.lines())["artifacts_failed"],
        0,
        "{}",
        ended.text()
    );
    fs::rename(&away, &drive).unwrap();
    import(&program, &drive);
    assert_eq!(program.list(&["--sort", "path"]), before);
}

#[test]
fn a_moved_folder_is_found_by_content_first_without_and_then_with_changes() {
    let program = Program::new();
    for seed in 0..3 {
        program.put(format!("old/{seed}.wav"), &tune(seed, 1.0, 22_050, 1));
    }
    program.put("stays.wav", &tune(7, 1.0, 22_050, 1));
    program.import();
    let before = program.list(&["--sort", "path"]);
    let new = program.folder().join("elsewhere");
    fs::rename(program.music().join("old"), &new).unwrap();
    fs::remove_file(new.join("2.wav")).unwrap();
    let relink = |more: &[&str]| {
        let arguments = ["--json", "relink", new.to_str().unwrap()];
        program
            .run(arguments.iter().chain(more))
            .with_status(0)
            .lines()
    };
    let lines = relink(&["--dry-run"]);
    let outcomes: Vec<&Value> = of_event(&lines, "relink")
        .iter()
        .map(|line| &line["outcome"])
        .collect();
    assert_eq!(
        outcomes
            .iter()
            .filter(|what| ***what == "would_move")
            .count(),
        2,
        "{lines:?}"
    );
    assert_eq!(
        outcomes.iter().filter(|what| ***what == "missing").count(),
        1,
        "{lines:?}"
    );
    assert_eq!(
        program.list(&["--sort", "path"]),
        before,
        "a dry run changes nothing"
    );

    let lines = relink(&[]);
    assert_eq!(
        (&summary(&lines)["moved"], &summary(&lines)["missing"]),
        (&2.into(), &1.into())
    );
    for (seed, known) in before.iter().enumerate().take(2) {
        let track = program.show(new.join(format!("{seed}.wav")));
        assert_eq!(track["id"], known["id"]);
        assert_eq!(track["state"], "ready");
    }
    let lines = relink(&[]);
    assert_eq!(summary(&lines)["moved"], 0, "nothing is left to find");
    let ended = program.run(["relink", "/no/such/folder"]).with_status(1);
    assert!(ended.stderr.contains("/no/such/folder"));
}

#[test]
fn where_two_files_fit_none_is_chosen() {
    let program = Program::new();
    let path = program.put("a.wav", &tune(1, 1.0, 22_050, 1));
    program.import();
    let new = program.folder().join("elsewhere");
    fs::create_dir(&new).unwrap();
    fs::copy(&path, new.join("one.wav")).unwrap();
    fs::rename(&path, new.join("two.wav")).unwrap();
    let ended = program
        .run(["--json", "relink", new.to_str().unwrap()])
        .with_status(0);
    let lines = ended.lines();
    let line = of_event(&lines, "relink")[0];
    assert_eq!(line["outcome"], "ambiguous");
    assert_eq!(line["candidates"].as_array().unwrap().len(), 2);
    assert_eq!(program.list(&[])[0]["path"], path.to_str().unwrap());
}
