//! Ready scripts for virtual players: decks to rehearse with, without hardware.

mod databases;
mod sleeve;

use crate::failure::{Failure, FailureKind};
use stagelinq::virtual_player::Script;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Bytes of a script.
const MAX_BYTES: u64 = 4 << 20;

/// Files on the media of virtual players, and their bytes.
const MAX_FILES: usize = 1000;
const MAX_MEDIA_BYTES: u64 = 512 << 20;

/// Name, what happens, and the script.
pub const READY: [(&str, &str, &str); 3] = [
    (
        "mixing",
        "two players mix the demo music, over and over",
        include_str!("../../../assets/scripts/mixing.json"),
    ),
    (
        "scratch",
        "a hand on the platter: scratches, brakes, reverse, loops, jumps",
        include_str!("../../../assets/scripts/scratch.json"),
    ),
    (
        "power-cut",
        "a player loses power, comes back, and restarts",
        include_str!("../../../assets/scripts/power-cut.json"),
    ),
];

/// The ready script of this name.
pub fn ready(name: &str) -> Option<&'static str> {
    let found = READY.iter().find(|(known, ..)| *known == name);
    found.map(|(_, _, json)| *json)
}

/// A ready script by its name, or a script of the user's own. Reads the disk.
pub(super) fn load(name: &str) -> Result<Script, Failure> {
    let read;
    let json = if let Some(json) = ready(name) {
        json
    } else {
        read = read_file(Path::new(name))?;
        &read
    };
    Script::parse(json).map_err(|error| refused(error.to_string()))
}

/// What the players of a script have on their media: the files in the folder `NAME.media` beside `NAME.json`, each medium a
/// folder of its own (`DEMO (USB 1)`), and a database of the script's tracks where a medium has none. Reads and writes the
/// disk, as far as there is room.
pub(super) fn media(name: &str, script: &Script) -> BTreeMap<String, Arc<[u8]>> {
    let mut files = match ready(name) {
        Some(_) => BTreeMap::new(),
        None => files_beside(name),
    };
    for (path, database) in databases::of(script) {
        files.entry(path).or_insert(database);
    }
    files
}

fn files_beside(name: &str) -> BTreeMap<String, Arc<[u8]>> {
    let mut files = BTreeMap::new();
    let mut bytes = 0;
    let mut waiting = vec![(Path::new(name).with_extension("media"), String::new())];
    while let Some((folder, path)) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten().take(MAX_FILES) {
            let Ok(about) = entry.metadata() else {
                continue;
            };
            let path = format!("{path}/{}", entry.file_name().to_string_lossy());
            bytes += about.len();
            if about.is_dir() && waiting.len() < MAX_FILES {
                waiting.push((entry.path(), path));
            } else if about.is_file()
                && files.len() < MAX_FILES
                && bytes < MAX_MEDIA_BYTES
                && let Ok(content) = std::fs::read(entry.path())
            {
                files.insert(path, content.into());
            }
        }
    }
    files
}

pub(super) fn refused(reason: String) -> Failure {
    let remedy = "Take one of the ready scripts, or mend the file";
    Failure::new(FailureKind::Unsupported, reason, remedy)
}

fn read_file(path: &Path) -> Result<String, Failure> {
    let names: Vec<&str> = READY.iter().map(|(name, ..)| *name).collect();
    let size = std::fs::metadata(path).map_err(|error| Failure {
        remedy: format!("Name a script, or one of {}", names.join(", ")),
        ..Failure::of_named(&error)
    })?;
    if size.len() > MAX_BYTES {
        return Err(refused("the script is larger than 4 MiB".to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| Failure::of_named(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use crate::enginedj::paths::Paths;
    use std::collections::BTreeSet;

    #[test]
    fn all_ready_scripts_can_be_performed() {
        for (name, _, json) in READY {
            Script::parse(json).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(ready(name), Some(json));
        }
        assert_eq!(ready("dancing"), None);
    }

    #[test]
    fn virtual_players_have_a_database_of_their_tracks_on_each_medium() {
        let json = r#"{ "players": [{}], "tracks": { "a": {}, "b": { "path": "b.mp3" },
            "c": { "source": "OTHER (USB 2)", "path": "Engine Library/Music/c.mp3" } } }"#;
        let files = media("no such file", &Script::parse(json).unwrap());
        let paths: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "/DEMO (USB 1)/Engine Library/Database2/m.db",
                "/OTHER (USB 2)/Engine Library/Database2/m.db"
            ]
        );
        for bytes in files.values() {
            assert!(bytes.starts_with(b"SQLite format 3\0"));
        }
        let mixing = Script::parse(ready("mixing").unwrap()).unwrap();
        assert_eq!(media("mixing", &mixing).len(), 1);
    }

    #[test]
    fn many_tracks_share_sixty_four_sleeves() {
        let tracks: Vec<String> = (0..200)
            .map(|number| {
                format!(r#""{number}": {{ "title": "T{number}", "path": "Engine Library/Music/{number}.mp3" }}"#)
            })
            .collect();
        let json = format!(
            r#"{{ "players": [{{}}], "tracks": {{ {} }} }}"#,
            tracks.join(",")
        );
        let files = media("no such file", &Script::parse(&json).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("m.db");
        std::fs::write(&file, files.values().next().unwrap()).unwrap();
        let paths = Paths::read(&file, folder.path(), &Control::default()).unwrap();
        let arts: BTreeSet<i64> = (0..200)
            .map(|number| paths.art_at(&format!("Music/{number}.mp3")).unwrap())
            .collect();
        assert_eq!(arts.len(), 64);
    }

    #[test]
    fn sleeves_are_pictures_of_their_titles() {
        let drawn = |title| sleeve::drawn(title).unwrap();
        assert!(drawn("Night Ferry").starts_with(b"\x89PNG\r\n\x1a\n"));
        assert_eq!(drawn("Night Ferry"), drawn("Night Ferry"));
        assert_ne!(drawn("Night Ferry"), drawn("Low Orbit"));
    }
}
