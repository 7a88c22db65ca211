//! Lists the worker's files, so that the program carries them and works without the source tree.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What the program carries, beside the sources of this package.
const FOLDERS: [&str; 2] = ["python", "consonance-ACE"];
const FILES: [&str; 1] = ["requirements.txt"];
/// Endings of what a worker needs.
const ENDINGS: [&str; 4] = ["py", "txt", "json", "gin"];
/// Folders that no worker needs.
const LEFT_OUT: [&str; 2] = ["tests", "__pycache__"];

fn main() -> io::Result<()> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let root = package.parent().unwrap_or(&package).to_path_buf();
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        collect(&root.join(folder), &mut files)?;
    }
    for file in FILES {
        println!("cargo::rerun-if-changed={}", root.join(file).display());
        files.extend(Some(root.join(file)).filter(|file| file.is_file()));
    }
    files.sort();
    let entries: Vec<String> = files
        .iter()
        .map(|file| {
            let name: Vec<String> = file
                .strip_prefix(&root)
                .unwrap_or(file)
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            let from = file.to_string_lossy();
            format!("({:?}, include_bytes!({from:?}))", name.join("/"))
        })
        .collect();
    let list = format!("&[{}]", entries.join(",\n"));
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("resources.rs"), list)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !LEFT_OUT.contains(&name.as_ref()) && !name.starts_with('.') {
                collect(&path, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|ending| ENDINGS.iter().any(|it| *it == ending))
        {
            files.push(path);
        }
    }
    Ok(())
}
