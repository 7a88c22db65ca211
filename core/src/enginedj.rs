//! Reads the libraries of Denon's Engine DJ, schema 2.x and 3.x. The only place that knows SQLite.
//!
//! Order of work: [`find::find`] → [`Library::open`], which takes a private copy of the database →
//! [`Library::tracks`] → [`locate::Locator`] for each track. Nothing is ever written into the user's folders,
//! and the live database is never opened by SQLite: a reader can make Engine DJ's own writes fail.

mod art;
pub mod error;
pub mod find;
mod guard;
pub mod locate;
pub mod medium;
pub mod paths;
pub mod place;
mod read;
mod schema;
mod snapshot;
pub mod track;
mod values;

pub use error::EngineError;
pub use read::{Item, Lost, Tracks};
pub use schema::{About, Version};
pub use track::EngineTrack;

use crate::control::Control;
use find::Found;
use guard::Guard;
use jiff::Timestamp;
use schema::Columns;
use snapshot::Snapshot;
use std::path::{Path, PathBuf};

/// How much of a library is dealt with, and where the private copy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where the temporary folder with the copy is made.
    pub scratch: PathBuf,
    /// Database and journals together, in bytes. Real ones have some hundred megabytes at most.
    pub most_bytes: u64,
    /// Rows of tracks. Whatever comes after them is told of as lost.
    pub most_rows: u64,
    /// Look through the whole file for damage first, so that it can be told of even where reading meets none.
    /// Worth it for a file that came without its journal, as from a player.
    pub check: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scratch: std::env::temp_dir(),
            most_bytes: 4 << 30,
            most_rows: 1_000_000,
            check: true,
        }
    }
}

/// A private copy of an Engine DJ library as it was at one instant. The copy goes when this is dropped.
#[derive(Debug)]
pub struct Library {
    // Closed before the folder is removed: fields are dropped in this order.
    guard: Guard,
    snapshot: Snapshot,
    folder: Option<PathBuf>,
    about: About,
    columns: Columns,
    most_rows: u64,
}

impl Library {
    /// Copies the database and looks at what it is. Takes as long as reading the file twice.
    pub fn open(found: &Found, options: &Options, control: &Control) -> Result<Self, EngineError> {
        let snapshot = Snapshot::take(&found.database, options, control)?;
        let guard = Guard::open(&snapshot.database(), options.most_bytes, control)?;
        let (mut about, columns) = schema::look(&guard)?;
        if options.check
            && let Some(damage) = guard.damage()?
        {
            about.warnings.push(damage);
        }
        if snapshot.rolled_back() {
            tracing::info!(
                "the copy was taken while a change was being written; it shows what was before"
            );
        }
        Ok(Self {
            guard,
            snapshot,
            folder: found.folder.clone(),
            about,
            columns,
            most_rows: options.most_rows,
        })
    }

    pub fn about(&self) -> &About {
        &self.about
    }

    /// When the copy was complete. What Engine DJ did later is not in it.
    pub fn taken_at(&self) -> Timestamp {
        self.snapshot.taken_at()
    }

    /// The `Engine Library` folder that paths of tracks start from, where it is known.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The picture with this number ([`EngineTrack::art`]), as the file holds it: PNG, JPEG or whatever. `None` where it
    /// is empty, lies elsewhere, or is larger than covers are.
    pub fn art(&self, number: i64) -> Result<Option<Vec<u8>>, EngineError> {
        art::read(&self.guard, number)
    }

    /// All tracks, in the order of their numbers. Each call starts from the beginning.
    pub fn tracks(&self) -> Tracks<'_> {
        Tracks::new(self)
    }
}
