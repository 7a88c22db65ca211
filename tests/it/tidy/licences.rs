//! Where dependencies come from and under which licences, for machines without `cargo-deny`. The
//! list of what is allowed stands in `deny.toml` alone.

use super::repository::Repository;
use serde_json::Value;
use std::env;
use std::process::Command;

pub(crate) fn sources(repository: &Repository) -> Vec<String> {
    let lock = repository.text("Cargo.lock").unwrap_or_default();
    lock.lines()
        .filter(|line| line.starts_with("source = ") && !line.starts_with("source = \"registry+"))
        .map(|line| format!("Cargo.lock: not from the registry: {line}"))
        .collect()
}

/// Asks cargo for every package in the tree and compares its licence with `deny.toml`.
pub(crate) fn allowed(repository: &Repository) -> Vec<String> {
    let settings = repository.text("deny.toml").unwrap_or_default();
    let allowed = list(settings, "\nallow = [");
    assert!(allowed.len() > 3, "deny.toml has no list of licences");
    packages()
        .into_iter()
        .filter(|(_, licence)| !permits(licence, &allowed))
        .map(|(name, licence)| format!("{name}: the licence `{licence}` is not in deny.toml"))
        .collect()
}

/// (name, licence) of every package that is built on this machine.
fn packages() -> Vec<(String, String)> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let host = Command::new("rustc").arg("-vV").output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let output = Command::new(cargo)
        .current_dir(Repository::root())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            host,
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {said}");
    let tree: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let packages = tree["packages"].as_array().unwrap();
    assert!(packages.len() > 20, "cargo metadata lists few packages");
    packages
        .iter()
        .map(|package| (text(&package["name"]), text(&package["license"])))
        .collect()
}

/// The quoted strings between `opening` and the next closing bracket.
fn list<'a>(text: &'a str, opening: &str) -> Vec<&'a str> {
    let Some((_, rest)) = text.split_once(opening) else {
        return Vec::new();
    };
    let inside = rest.split(']').next().unwrap_or_default();
    inside.split('"').skip(1).step_by(2).collect()
}

/// Whether an SPDX expression leaves a choice that is allowed. `AND` binds stronger than `OR`; the
/// old `/` means `OR`.
fn permits(expression: &str, allowed: &[&str]) -> bool {
    let text = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut words = words.as_slice();
    let permitted = any(&mut words, allowed);
    permitted && words.is_empty()
}

fn any(words: &mut &[&str], allowed: &[&str]) -> bool {
    let mut permitted = all(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        permitted |= all(words, allowed);
    }
    permitted
}

fn all(words: &mut &[&str], allowed: &[&str]) -> bool {
    let mut permitted = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        permitted &= one(words, allowed);
    }
    permitted
}

fn one(words: &mut &[&str], allowed: &[&str]) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let permitted = any(words, allowed);
            *words = words.strip_prefix(&[")"]).unwrap_or_default();
            permitted
        }
        // An exception only gives more rights than its licence.
        [name, "WITH", _, rest @ ..] | [name, rest @ ..] => {
            *words = rest;
            allowed.contains(name)
        }
        [] => false,
    }
}

#[test]
fn licence_expressions_are_read_as_spdx_says() {
    let allowed = ["MIT", "Zlib"];
    for (expression, permitted) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("(GPL-3.0 OR MIT) AND OFL-1.1", false),
        ("MIT WITH exception OR GPL-3.0", true),
        ("none", false),
        ("", false),
    ] {
        assert_eq!(permits(expression, &allowed), permitted, "{expression:?}");
    }
}
