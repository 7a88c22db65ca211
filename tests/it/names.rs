//! Files with names that nobody expects.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use tonearm_tests::program::{Program, of_event, summary};
use tonearm_tests::waves::tune;

/// Names of all kinds, without their ending.
const NAMES: [&[u8]; 9] = [
    b"no \xff\xfe UTF-8 \x80",
    b"a new\nline",
    b"\x1b[31mred\x1b[0m \x07bell",
    b"-rf",
    b"  spaces  ",
    b"quote ' and \" and $(touch x) and `y`",
    "größe 東京 🎛 e\u{301}".as_bytes(),
    b"100% {} %s \\n",
    b"bpm:120 or (state:failed",
];

fn with_names() -> Program {
    let program = Program::new();
    for (seed, name) in (0..).zip(NAMES) {
        let mut name = name.to_vec();
        name.extend(b".wav");
        program.put(OsStr::from_bytes(&name), &tune(seed, 0.5, 11_025, 1));
    }
    // The longest that a file system takes.
    program.put(
        format!("{}.wav", "x".repeat(251)),
        &tune(90, 0.5, 11_025, 1),
    );
    let deep: String = "deeper and deeper/".repeat(40);
    program.put(format!("{deep}end.wav"), &tune(91, 0.5, 11_025, 1));
    program
}

#[test]
fn files_of_any_name_are_imported_listed_exported_and_known_again() {
    let program = with_names();
    let lines = program.import();
    let count = NAMES.len() + 2;
    assert_eq!(summary(&lines)["added"], count as u64);
    assert_eq!(program.list(&["state:ready"]).len(), count);
    assert_eq!(summary(&program.import())["unchanged"], count as u64);
    for format in ["json", "csv", "m3u8"] {
        let out = program.folder().join("out");
        program
            .run(["export", format, out.to_str().unwrap()])
            .with_status(0);
        assert!(fs::metadata(&out).unwrap().len() > 500);
    }
    assert!(!program.folder().join("x").exists());
}

#[test]
fn no_name_reaches_a_terminal_with_its_control_characters() {
    let program = with_names();
    let music = program.music();
    let arguments = [
        &["import", music.to_str().unwrap()][..],
        &["list"],
        &["export", "m3u8", "-"],
    ];
    for arguments in arguments {
        let ended = program.run(arguments).with_status(0);
        let text = ended.text() + &ended.stderr;
        if arguments[0] != "export" {
            assert!(
                !text.contains('\u{1b}') && !text.contains('\u{7}'),
                "{text:?}"
            );
        }
    }
    let red = program.list(&["bell"]);
    let text = program
        .run(["show", red[0]["id"].as_str().unwrap()])
        .with_status(0)
        .text();
    assert!(!text.contains('\u{1b}'), "{text:?}");
    fs::remove_dir_all(program.music()).unwrap();
    fs::create_dir(program.music()).unwrap();
    for arguments in [
        &["verify"][..],
        &["import", music.to_str().unwrap()],
        &["relink", "."],
        &["doctor"],
    ] {
        let ended = program.run(arguments);
        let text = ended.text() + &ended.stderr;
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{7}'),
            "{arguments:?}: {text:?}"
        );
    }
}

#[test]
fn a_track_can_be_named_by_a_path_of_any_bytes() {
    let program = with_names();
    program.import();
    for (at, name) in NAMES.iter().enumerate() {
        let mut name = name.to_vec();
        name.extend(b".wav");
        let path = program.music().join(OsStr::from_bytes(&name));
        let track = program.show(&path);
        assert_eq!(track["state"], "ready", "{at}");
        let picture = program.folder().join("out.png");
        let arguments = [
            "waveform".as_ref(),
            path.as_os_str(),
            "--png".as_ref(),
            picture.as_os_str(),
        ];
        program.run(arguments).with_status(0);
        let ended = program
            .run([
                "--json".as_ref(),
                "analyze".as_ref(),
                "--force".as_ref(),
                "--only".as_ref(),
                "hash".as_ref(),
                path.as_os_str(),
            ])
            .with_status(0);
        assert_eq!(of_event(&ended.lines(), "artifact").len(), 1);
    }
}
