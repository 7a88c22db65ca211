//! What models run on, as it was last found out: a small file in the cache folder.

use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::Path;
use std::{fs, io};
use tempfile::NamedTempFile;

const FILE: &str = "device.json";
/// What is longer is none of ours.
const LONGEST: u64 = 64 << 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDevice {
    /// `cpu`, `cuda:1`, `mps`: tried with a real calculation.
    pub device: String,
    /// All that there are.
    pub devices: Vec<String>,
    /// A card that ran out of memory: the processor stands in for it.
    #[serde(default)]
    pub short: Option<String>,
}

/// `None` where nothing was found out yet.
pub fn known(cache: &Path) -> Option<KnownDevice> {
    let path = cache.join(FILE);
    if fs::metadata(&path).ok()?.len() > LONGEST {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Remembers it, whole or not at all.
pub fn keep(cache: &Path, known: &KnownDevice) {
    let keep = || -> io::Result<()> {
        fs::create_dir_all(cache)?;
        let mut file = NamedTempFile::new_in(cache)?;
        file.write_all(&serde_json::to_vec(known)?)?;
        file.persist(cache.join(FILE))?;
        Ok(())
    };
    if let Err(error) = keep() {
        tracing::debug!(%error, "what models run on is not remembered");
    }
}
