//! Rules about documents, and about what documents must say.

use super::repository::{File, Repository};

pub(crate) fn titles(repository: &Repository) -> Vec<String> {
    repository
        .documents()
        .map(|file| {
            (
                file,
                prose(file).filter(|line| line.starts_with("# ")).count(),
            )
        })
        .filter(|(_, titles)| *titles != 1)
        .map(|(file, titles)| format!("{}: {titles} titles (`# `), one is wanted", file.path))
        .collect()
}

pub(crate) fn links(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in repository.documents() {
        for target in prose(file).flat_map(link_targets) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            if !resolves(repository, &file.path, path) {
                complaints.push(format!("{}: no file for the link `{target}`", file.path));
            }
        }
    }
    complaints
}

pub(crate) fn machine_paths(repository: &Repository) -> Vec<String> {
    let roots = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/tm", "p/"),
    ];
    let mut complaints = Vec::new();
    for file in &repository.files {
        for (number, line) in file.lines() {
            for root in roots.into_iter().filter(|root| starts_path(line, root)) {
                complaints.push(format!(
                    "{}:{number}: a path of one machine, `{root}`",
                    file.path
                ));
            }
        }
    }
    complaints
}

/// Every table of the store stands in `STORE.md`, in backticks.
pub(crate) fn tables(repository: &Repository) -> Vec<String> {
    let described = repository
        .documents()
        .find(|file| file.path.ends_with("STORE.md"))
        .and_then(|file| file.text.as_deref())
        .unwrap_or_default();
    let code = repository
        .code()
        .filter(|file| file.path.starts_with("core/src/store"));
    code.flat_map(File::lines)
        .filter_map(|(_, line)| {
            let (_, name) = line.split_once("TableDefinition::new(\"")?;
            name.split('"').next()
        })
        .filter(|name| !described.contains(&format!("`{name}`")))
        .map(|name| format!("STORE.md does not describe the table `{name}`"))
        .collect()
}

/// The lines of a document outside code blocks.
fn prose(file: &File) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    file.lines().map(|(_, line)| line).filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

/// Whether a relative link from one document leads to a file or a folder with files.
fn resolves(repository: &Repository, from: &str, target: &str) -> bool {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    repository
        .files
        .iter()
        .any(|file| file.path == path || file.path.starts_with(&format!("{path}/")))
}

/// Whether a line has an absolute path that starts with `root`.
fn starts_path(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(start, _)| {
        let before = line.split_at(start).0.chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-~/}".contains(c)))
    })
}
