//! What is derived from a track: which artifacts there are, what they need, who made them.

use crate::failure::Failure;
use crate::track::FileStamp;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Recipes that are kept once each. There are as many as engines and versions of them; a library that claims more
/// keeps the others by themselves.
const MOST_SHARED: usize = 64;

/// One kind of derived data. The order is the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Artifact {
    Tags,
    Hash,
    Waveform,
    Beats,
    Key,
    Chords,
    Stems,
    Loudness,
}

impl Artifact {
    pub const ALL: [Self; 8] = [
        Self::Tags,
        Self::Hash,
        Self::Waveform,
        Self::Beats,
        Self::Key,
        Self::Chords,
        Self::Stems,
        Self::Loudness,
    ];

    /// The name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Hash => "hash",
            Self::Waveform => "waveform",
            Self::Beats => "beats",
            Self::Key => "key",
            Self::Chords => "chords",
            Self::Stems => "stems",
            Self::Loudness => "loudness",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|artifact| artifact.name() == name)
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who made an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Maker {
    /// The built-in analysis.
    Native,
    BeatThis,
    Htdemucs,
    Ace,
    EngineDj,
    /// The user's own hand: outranks every other.
    User,
}

impl Maker {
    /// Whether it is a model that somebody trained.
    pub fn is_model(self) -> bool {
        match self {
            Self::BeatThis | Self::Htdemucs | Self::Ace => true,
            Self::Native | Self::EngineDj | Self::User => false,
        }
    }
}

/// Who is to analyse a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// The built-in analysis at once; models for what is set to follow by itself, and for stems that were asked for.
    #[default]
    Auto,
    /// The built-in analysis alone.
    Native,
    /// The built-in analysis at once, then every model that is ready.
    Neural,
}

impl Engine {
    /// For records that leave out what is usual.
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

/// How an artifact was made. Another recipe means the result is due again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Recipe {
    pub maker: Maker,
    /// Raised whenever the same input would give another result.
    pub version: u32,
    /// Whatever else the result depends on (settings), as text; empty for defaults.
    pub parameters: String,
    /// Hash or name of the model file, where there is one.
    pub model: Option<String>,
}

/// A recipe as records hold it: hundreds of thousands share a handful.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct SharedRecipe(#[serde(serialize_with = "as_recipe")] Arc<Recipe>);

fn as_recipe<S: serde::Serializer>(recipe: &Arc<Recipe>, to: S) -> Result<S::Ok, S::Error> {
    recipe.as_ref().serialize(to)
}

impl Deref for SharedRecipe {
    type Target = Recipe;

    fn deref(&self) -> &Recipe {
        &self.0
    }
}

impl From<Recipe> for SharedRecipe {
    fn from(recipe: Recipe) -> Self {
        static SHARED: Mutex<Vec<Arc<Recipe>>> = Mutex::new(Vec::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shared.iter().find(|known| ***known == recipe) {
            return Self(Arc::clone(known));
        }
        let recipe = Arc::new(recipe);
        if shared.len() < MOST_SHARED {
            shared.push(Arc::clone(&recipe));
        }
        Self(recipe)
    }
}

impl PartialEq<Recipe> for SharedRecipe {
    fn eq(&self, other: &Recipe) -> bool {
        **self == *other
    }
}

impl<'de> Deserialize<'de> for SharedRecipe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Recipe::deserialize(deserializer).map(Self::from)
    }
}

/// The last outcome for one artifact of one track. Seven for each track are always in memory, so it is small.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArtifactRecord {
    pub recipe: SharedRecipe,
    /// The file it was made from: another stamp means the result is due again.
    pub made_from: FileStamp,
    pub cpu_secs: f32,
    /// `None`: done.
    pub failure: Option<Box<Failure>>,
    /// Done, and there was nothing of the kind: no beats in silence.
    #[serde(default)]
    pub nothing_found: bool,
}
