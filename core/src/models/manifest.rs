//! The list of models, as it stands in `assets/models.json` or in a file of the user's own with mirrors.

use crate::python::protocol::Family;
use serde::Deserialize;
use std::fs;
use std::path::Path;

const OURS: &str = include_str!("../../../assets/models.json");
/// A list of three models has 3 kB.
const LONGEST: u64 = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    pub models: Vec<Model>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Model {
    /// Also the name of its folder.
    pub id: String,
    pub family: Family,
    pub title: String,
    /// What it makes, in a few words.
    pub is_for: String,
    pub code_licence: String,
    pub weight_licence: String,
    /// Whether anybody may use the weights for anything.
    pub is_free: bool,
    /// What must be read before they are downloaded.
    pub notice: Option<String>,
    /// Where the terms stand.
    pub link: String,
    /// Any one of them will do; the first is the best.
    pub files: Vec<ModelFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ModelFile {
    pub name: String,
    /// Other names under which people have it.
    pub also: Vec<String>,
    pub urls: Vec<String>,
    pub about_bytes: u64,
    /// Nothing longer is taken.
    pub most_bytes: u64,
    pub check: Check,
}

/// How it is known that a file is the right one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Nobody has published a checksum.
    Unpinned,
    Sha256(String),
    /// The first digits, which stand in the file's name.
    Sha256Begins(String),
    /// The name that Git gives to the content.
    GitBlob(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the list of models cannot be read: {0}")]
pub struct BadManifest(pub String);

impl Manifest {
    /// The program's own list.
    pub fn ours() -> Result<Self, BadManifest> {
        Self::parse(OURS)
    }

    /// A list of the user's own.
    pub fn read(path: &Path) -> Result<Self, BadManifest> {
        let said =
            |error: std::io::Error| BadManifest(format!("{error}\nFile: {}", path.display()));
        if fs::metadata(path).map_err(said)?.len() > LONGEST {
            return Err(BadManifest(format!(
                "it is too long\nFile: {}",
                path.display()
            )));
        }
        Self::parse(&fs::read_to_string(path).map_err(said)?)
    }

    fn parse(text: &str) -> Result<Self, BadManifest> {
        let manifest: Self =
            serde_json::from_str(text).map_err(|error| BadManifest(error.to_string()))?;
        let plain = |name: &str| {
            let allowed = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
            !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed)
        };
        for model in &manifest.models {
            let names = model.files.iter().map(|file| file.name.as_str());
            if let Some(name) = names.chain([model.id.as_str()]).find(|name| !plain(name)) {
                return Err(BadManifest(format!("{name:?} is no name for a file")));
            }
        }
        Ok(manifest)
    }

    pub fn of(&self, family: Family) -> Option<&Model> {
        self.models.iter().find(|model| model.family == family)
    }

    pub fn get(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_list_has_a_model_for_each_family_and_only_secure_sources() {
        let ours = Manifest::ours().unwrap();
        for family in Family::ALL {
            let model = ours.of(family).unwrap();
            assert!(!model.files.is_empty());
            for file in &model.files {
                assert!(file.about_bytes <= file.most_bytes);
                assert!(
                    file.urls.iter().all(|url| url.starts_with("https://")),
                    "{file:?}"
                );
            }
        }
        let demucs = ours.get("htdemucs").unwrap();
        assert!(!demucs.is_free && demucs.notice.is_some());
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../x", "a/b", ".hidden", ""] {
            let text = OURS.replacen("beat_this-final0.ckpt", name, 1);
            assert!(Manifest::parse(&text).is_err(), "{name}");
        }
        assert!(Manifest::parse("{").is_err());
    }
}
