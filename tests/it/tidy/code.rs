//! Rules about what stands in Rust files.

use super::repository::{File, Repository};

/// What may be mentioned only in files whose path starts with one of the places. A rule looks at
/// the crates' `src` folders alone.
const AREAS: [(&str, &[&str]); 14] = [
    ("redb", &["core/src/store"]),
    ("symphonia", &["core/src/audio"]),
    ("symphonia_adapter_libopus", &["core/src/audio"]),
    ("rubato", &["core/src/audio"]),
    ("lofty", &["core/src/import/tags"]),
    ("rusqlite", &["core/src/enginedj"]),
    ("cpal", &["core/src/playback/output"]),
    (
        "process::Command",
        &[
            "core/src/python",
            "app/src/window/again",
            "app/src/window/heap",
        ],
    ),
    ("egui", &["app/src"]),
    ("eframe", &["app/src"]),
    ("wgpu", &["app/src"]),
    ("rfd", &["app/src"]),
    ("println!", &["app/src"]),
    ("eprintln!", &["app/src"]),
];

pub(crate) fn imports(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in repository.code().filter(|file| is_program(file)) {
        for (number, line) in production_lines(file) {
            let line = without_comment(line);
            for (name, places) in AREAS {
                let at_home = places.iter().any(|place| file.path.starts_with(place));
                if !at_home && mentions(line, name) {
                    complaints.push(format!(
                        "{}:{number}: `{name}` belongs in {} only",
                        file.path,
                        places.join(", ")
                    ));
                }
            }
        }
    }
    complaints
}

pub(crate) fn length(repository: &Repository) -> Vec<String> {
    repository
        .code()
        .map(|file| (file, production_lines(file).len()))
        .filter(|(_, lines)| *lines > 500)
        .map(|(file, lines)| {
            format!(
                "{}: {lines} lines without tests, 500 are allowed: split it by noun",
                file.path
            )
        })
        .collect()
}

pub(crate) fn first_line(repository: &Repository) -> Vec<String> {
    repository
        .code()
        .filter(|file| {
            let first = file.lines().next().map_or("", |(_, line)| line);
            first
                .strip_prefix("//! ")
                .is_none_or(|purpose| purpose.trim().is_empty())
        })
        .map(|file| {
            format!(
                "{}: the first line is not `//! what the file is for`",
                file.path
            )
        })
        .collect()
}

pub(crate) fn leftovers(repository: &Repository) -> Vec<String> {
    const LATER: &str = concat!("TO", "DO");
    let never = [
        concat!("FIX", "ME"),
        concat!("HA", "CK"),
        concat!("db", "g!"),
    ];
    let mut complaints = Vec::new();
    for file in repository.code() {
        for (number, line) in file.lines() {
            for word in never.into_iter().filter(|word| has_word(line, word)) {
                complaints.push(format!("{}:{number}: `{word}`", file.path));
            }
            if has_word(line, LATER) && !line.contains(&format!("{LATER}(#")) {
                complaints.push(format!(
                    "{}:{number}: `{LATER}` without (#issue)",
                    file.path
                ));
            }
        }
    }
    complaints
}

fn is_program(file: &File) -> bool {
    let mut parts = file.path.split('/');
    let member = parts.next().unwrap_or_default();
    member != "tests" && parts.next() == Some("src")
}

/// The lines of a file but for its tests: a file of tests has none.
fn production_lines(file: &File) -> Vec<(usize, &str)> {
    let is_test = file.path.ends_with("/tests.rs")
        || file.path.contains("/tests/")
        || file.path.starts_with("tests/it/");
    if is_test {
        return Vec::new();
    }
    let mut kept = Vec::new();
    let mut lines = file.lines().peekable();
    while let Some((number, line)) = lines.next() {
        let opens_tests = line == "#[cfg(test)]"
            && lines
                .peek()
                .is_some_and(|(_, next)| next.starts_with("mod ") && next.ends_with('{'));
        if opens_tests {
            // Formatted code closes a module with a brace in the first column.
            lines.by_ref().find(|(_, line)| *line == "}");
        } else {
            kept.push((number, line));
        }
    }
    kept
}

fn without_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// Whether a crate, path or macro is used by a line.
fn mentions(line: &str, name: &str) -> bool {
    let plain = name.ends_with('!') || name.contains("::");
    line.match_indices(name).any(|(start, _)| {
        let (before, rest) = line.split_at(start);
        let after = rest.strip_prefix(name).unwrap_or_default();
        let used = after.starts_with("::")
            || (after.starts_with(';') && line.trim_start().starts_with("use "))
            || after.starts_with(" as ");
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_') && (plain || used)
    })
}

fn has_word(line: &str, word: &str) -> bool {
    let is_inside = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let (before, rest) = line.split_at(start);
        let after = rest.strip_prefix(word).unwrap_or_default();
        !before.ends_with(is_inside) && !after.starts_with(is_inside)
    })
}
