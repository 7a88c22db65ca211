//! The house rules as tests. Each rule is a function from files to complaints; each is also shown
//! a file that breaks it, so that a rule that sees nothing cannot pass for one that is kept.

mod code;
mod documents;
mod layout;
mod licences;
mod repository;

use repository::{File, Repository};

type Rule = fn(&Repository) -> Vec<String>;

/// Runs a rule over this repository.
fn keep(rule: Rule) {
    let complaints = rule(&Repository::here());
    assert!(
        complaints.is_empty(),
        "{} broken:\n  {}",
        complaints.len(),
        complaints.join("\n  ")
    );
}

/// Asserts that a rule complains of these files exactly `times` times.
fn complains(rule: Rule, times: usize, files: &[(&str, &str)]) {
    let repository = Repository {
        files: files
            .iter()
            .map(|(path, text)| File::of(path, text))
            .collect(),
    };
    let complaints = rule(&repository);
    assert_eq!(complaints.len(), times, "{files:?}: {complaints:?}");
}

#[test]
fn the_walk_finds_the_repository() {
    let repository = Repository::here();
    for path in [
        "Cargo.toml",
        "core/src/lib.rs",
        "tests/it/tidy.rs",
        "ARCHITECTURE.md",
    ] {
        assert!(
            repository.files.iter().any(|file| file.path == path),
            "{path} not found"
        );
    }
    assert!(
        !repository
            .files
            .iter()
            .any(|file| file.path.starts_with("target/"))
    );
}

#[test]
fn dependencies_point_one_way() {
    keep(layout::dependency_direction);
    let rule = layout::dependency_direction;
    complains(
        rule,
        1,
        &[(
            "core/Cargo.toml",
            "[dependencies]\ntonearm.workspace = true\n",
        )],
    );
    complains(
        rule,
        1,
        &[(
            "app/Cargo.toml",
            "[dependencies]\nstagelinq = { path = \"x\" }\n",
        )],
    );
    complains(
        rule,
        1,
        &[("stagelinq/Cargo.toml", "[dependencies.tonearm_core]\n")],
    );
    complains(
        rule,
        0,
        &[(
            "app/Cargo.toml",
            "[dependencies]\ntonearm_core.workspace = true\n",
        )],
    );
}

#[test]
fn imports_stay_in_their_areas() {
    keep(code::imports);
    let rule = code::imports;
    complains(rule, 1, &[("core/src/query.rs", "use redb::Database;\n")]);
    complains(
        rule,
        1,
        &[("core/src/query.rs", "fn f() { lofty::probe(); }\n")],
    );
    complains(rule, 1, &[("app/src/cli.rs", "use symphonia::core::x;\n")]);
    complains(
        rule,
        1,
        &[("core/src/jobs.rs", "use std::process::Command;\n")],
    );
    complains(
        rule,
        1,
        &[("core/src/row.rs", "fn f() { println!(\"\"); }\n")],
    );
    complains(rule, 1, &[("core/src/view.rs", "use egui::Ui;\n")]);
    complains(
        rule,
        0,
        &[("core/src/store/tables.rs", "use redb::TableDefinition;\n")],
    );
    complains(
        rule,
        0,
        &[("core/src/audio/decode.rs", "use symphonia::core::x;\n")],
    );
    complains(
        rule,
        0,
        &[("core/src/row.rs", "// as redb::Database does\n")],
    );
    let tested = "fn f() {}\n#[cfg(test)]\nmod tests {\n    use redb::Database;\n}\n";
    complains(rule, 0, &[("core/src/row.rs", tested)]);
}

#[test]
fn files_are_at_most_500_production_lines() {
    keep(code::length);
    let long = "x\n".repeat(501);
    let allowed = "x\n".repeat(500);
    let tested = format!("{allowed}#[cfg(test)]\nmod tests {{\n{long}}}\n");
    complains(code::length, 1, &[("core/src/row.rs", &long)]);
    complains(code::length, 0, &[("core/src/row.rs", &allowed)]);
    complains(code::length, 0, &[("core/src/row.rs", &tested)]);
    complains(code::length, 0, &[("core/src/row/tests.rs", &long)]);
    complains(
        code::length,
        1,
        &[("core/src/row.rs", &format!("{tested}{long}"))],
    );
}

#[test]
fn every_file_says_first_what_it_is_for() {
    keep(code::first_line);
    complains(
        code::first_line,
        1,
        &[("core/src/row.rs", "use x;\n//! Rows.\n")],
    );
    complains(code::first_line, 1, &[("core/src/row.rs", "//!\n")]);
    complains(code::first_line, 0, &[("core/src/row.rs", "//! Rows.\n")]);
}

#[test]
fn nothing_is_left_for_later_without_an_issue() {
    keep(code::leftovers);
    let later = concat!("TO", "DO");
    for left in [
        later,
        concat!("FIX", "ME"),
        concat!("HA", "CK"),
        concat!("db", "g!(x)"),
    ] {
        complains(
            code::leftovers,
            1,
            &[("core/src/row.rs", &format!("// {left} later\n"))],
        );
    }
    complains(
        code::leftovers,
        0,
        &[("core/src/row.rs", &format!("// {later}(#12): later\n"))],
    );
    complains(
        code::leftovers,
        0,
        &[("core/src/row.rs", "use fonts::HACK_REGULAR;\n")],
    );
}

#[test]
fn no_machine_is_named() {
    keep(documents::machine_paths);
    for path in ["/ro@ot/x", "/ho@me/ana/x", "/tm@p/x", "/wo@rk/x"] {
        let path = path.replace('@', "");
        complains(
            documents::machine_paths,
            1,
            &[("a.rs", &format!("open(\"{path}\")\n"))],
        );
    }
    complains(
        documents::machine_paths,
        0,
        &[("a.md", "see docs/work/plan and a/tmp/b\n")],
    );
}

#[test]
fn binary_files_are_small_and_in_their_place() {
    keep(layout::binaries);
    let place = |path: &str, size| {
        let files = vec![File {
            path: path.to_owned(),
            size,
            text: None,
        }];
        layout::binaries(&Repository { files }).len()
    };
    assert_eq!(place("core/src/blob.bin", 10), 1);
    assert_eq!(place("tests/fixtures/a.wav", 600 * 1024), 1);
    assert_eq!(place("tests/fixtures/a.wav", 500 * 1024), 0);
    assert_eq!(place("assets/demo/a.mp3", 3 << 20), 1);
    assert_eq!(place("assets/demo/a.mp3", 1 << 20), 0);
}

#[test]
fn the_code_map_names_every_module_and_nothing_else() {
    keep(layout::code_map);
    let map = "`core` (package x)\n\n| `row` | one line | yes |\n| `audio` + `audio/{decode}` | x | no |\n";
    let row = ("core/src/row.rs", "");
    let audio = ("core/src/audio.rs", "");
    let decode = ("core/src/audio/decode.rs", "");
    let map = ("ARCHITECTURE.md", map);
    complains(layout::code_map, 0, &[map, row, audio, decode]);
    complains(
        layout::code_map,
        1,
        &[map, row, audio, decode, ("core/src/new.rs", "")],
    );
    complains(layout::code_map, 1, &[map, audio, decode]);
    complains(layout::code_map, 1, &[map, row, audio]);
}

#[test]
fn a_document_has_one_title() {
    keep(documents::titles);
    complains(documents::titles, 1, &[("a.md", "Text\n")]);
    complains(documents::titles, 1, &[("a.md", "# One\n# Two\n")]);
    complains(
        documents::titles,
        0,
        &[("a.md", "# One\n```\n# not a title\n```\n## Part\n")],
    );
}

#[test]
fn links_between_documents_lead_somewhere() {
    keep(documents::links);
    complains(documents::links, 1, &[("docs/a.md", "[b](b.md)")]);
    complains(
        documents::links,
        1,
        &[("docs/a.md", "[b](../../b.md)"), ("b.md", "")],
    );
    complains(
        documents::links,
        0,
        &[
            (
                "docs/a.md",
                "[b](../b.md#part) [c](./c.md) [w](https://x.y) [h](#part)",
            ),
            ("b.md", ""),
            ("docs/c.md", ""),
        ],
    );
    complains(
        documents::links,
        0,
        &[("a.md", "[folder](docs/)"), ("docs/b.md", "")],
    );
}

#[test]
fn every_table_of_the_store_is_described() {
    keep(documents::tables);
    let code = (
        "core/src/store/tables.rs",
        "TableDefinition::new(\"tracks\");\n",
    );
    complains(documents::tables, 1, &[code]);
    complains(
        documents::tables,
        1,
        &[code, ("core/STORE.md", "# Store\n")],
    );
    complains(
        documents::tables,
        0,
        &[code, ("core/STORE.md", "# Store\n`tracks`\n")],
    );
}

#[test]
fn dependencies_come_from_the_registry_under_allowed_licences() {
    keep(licences::sources);
    keep(licences::allowed);
    let lock = "[[package]]\nname = \"x\"\nsource = \"git+https://x.y/z\"\n";
    complains(licences::sources, 1, &[("Cargo.lock", lock)]);
}
