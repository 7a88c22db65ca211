//! Ready scripts for virtual players: decks to rehearse with, without hardware.

use crate::failure::{Failure, FailureKind};
use stagelinq::virtual_player::Script;
use std::path::Path;

/// Bytes of a script.
const MAX_BYTES: u64 = 4 << 20;

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

pub(super) fn refused(reason: String) -> Failure {
    let remedy = "Take one of the ready scripts, or mend the file";
    Failure::new(FailureKind::Unsupported, reason, remedy)
}

fn read_file(path: &Path) -> Result<String, Failure> {
    let names: Vec<&str> = READY.iter().map(|(name, ..)| *name).collect();
    let size = std::fs::metadata(path).map_err(|error| {
        Failure::new(
            FailureKind::Missing,
            format!("{}: {error}", path.display()),
            format!("Name a file, or one of {}", names.join(", ")),
        )
    })?;
    if size.len() > MAX_BYTES {
        return Err(refused("the script is larger than 4 MiB".to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| Failure::from_io(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ready_scripts_can_be_performed() {
        for (name, _, json) in READY {
            Script::parse(json).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(ready(name), Some(json));
        }
        assert_eq!(ready("dancing"), None);
    }
}
