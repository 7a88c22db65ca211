//! Rules about where things stand: crates, modules, binary files.

use super::repository::Repository;

/// Our packages that a member must not depend on.
const UNREACHABLE: [(&str, &[&str]); 3] = [
    ("stagelinq", &["tonearm", "tonearm_core", "tonearm_tests"]),
    ("core", &["tonearm", "tonearm_tests"]),
    ("app", &["stagelinq", "tonearm_tests"]),
];

pub(crate) fn dependency_direction(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for (member, forbidden) in UNREACHABLE {
        let manifest = repository
            .text(&format!("{member}/Cargo.toml"))
            .unwrap_or_default();
        for name in dependencies(manifest).filter(|name| forbidden.contains(name)) {
            complaints.push(format!(
                "{member} depends on {name}; the order is app → core → stagelinq"
            ));
        }
    }
    complaints
}

/// Names under `[dependencies]` and its like; `[dependencies.name]` counts too.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    manifest.lines().filter_map(move |line| {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header.ends_with("dependencies");
            let (_, name) = header.split_once("dependencies.")?;
            return Some(name);
        }
        let name = line.split(['.', ' ', '=']).next()?;
        (inside && !name.is_empty()).then_some(name)
    })
}

pub(crate) fn binaries(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in &repository.files {
        let allowed = if file.path.starts_with("assets/") {
            2 << 20
        } else if file.path.starts_with("tests/fixtures/")
            || file.path.starts_with("app/tests/snapshots/")
        {
            512 << 10
        } else if file.text.is_none() {
            complaints.push(format!(
                "{}: binary files live in assets/, tests/fixtures/ and app/tests/snapshots/",
                file.path
            ));
            continue;
        } else {
            continue;
        };
        if file.size > allowed {
            complaints.push(format!(
                "{}: {} bytes, {allowed} are allowed",
                file.path, file.size
            ));
        }
    }
    complaints
}

/// Every module right under `src` has a row in the code map of `ARCHITECTURE.md`, and every row
/// names a module, at any depth (`audio`, `audio::decode`, `audio/{decode,peaks}`), that exists.
pub(crate) fn code_map(repository: &Repository) -> Vec<String> {
    let map = mapped(repository.text("ARCHITECTURE.md").unwrap_or_default());
    let mut complaints = Vec::new();
    for member in ["app", "core", "stagelinq"] {
        let source = format!("{member}/src/");
        let modules = repository.code().filter_map(|file| {
            let name = file.path.strip_prefix(&source)?.strip_suffix(".rs")?;
            (!name.contains('/') && name != "lib" && name != "main").then_some(name)
        });
        for name in modules {
            if !map.iter().any(|row| row.0 == member && row.1 == name) {
                complaints.push(format!(
                    "ARCHITECTURE.md has no row for `{name}` of {member}"
                ));
            }
        }
    }
    for (member, name) in &map {
        let path = format!("{member}/src/{name}.rs");
        if repository.text(&path).is_none() {
            complaints.push(format!(
                "ARCHITECTURE.md names `{name}` of {member}; {path} is not there"
            ));
        }
    }
    complaints
}

/// (member, module path with `/`) of every table row that starts with names in backticks. A line
/// that starts with a member's name in backticks, a heading or not, opens its part of the map.
fn mapped(document: &str) -> Vec<(String, String)> {
    let mut member = None;
    let mut rows = Vec::new();
    for line in document.lines() {
        let start = line.trim_start_matches(['#', ' ']);
        if let Some((name, _)) = start
            .strip_prefix('`')
            .and_then(|rest| rest.split_once('`'))
        {
            member = Some(name.trim_end_matches('/').to_owned());
        } else if line.starts_with('#') {
            member = None;
        }
        let (Some(member), Some(cell)) = (&member, line.strip_prefix("| `")) else {
            continue;
        };
        let cell = cell.split(" |").next().unwrap_or_default();
        for name in format!("`{cell}").split('`').skip(1).step_by(2) {
            rows.extend(
                expand(&name.replace("::", "/"))
                    .into_iter()
                    .map(|name| (member.clone(), name)),
            );
        }
    }
    rows.retain(|(_, name)| name != "lib" && name != "main");
    rows
}

/// `a/{b,c}` is `a/b` and `a/c`.
fn expand(name: &str) -> Vec<String> {
    let Some((stem, parts)) = name.split_once('{') else {
        return vec![name.to_owned()];
    };
    parts
        .trim_end_matches('}')
        .split(',')
        .map(|part| format!("{stem}{}", part.trim()))
        .collect()
}
