//! Pictures of tracks on decks, out of the databases of the players' media.

use super::UnitId;
use crate::track::ContentHash;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Pictures that are held, each of a megabyte at most: more decks than stand on any table.
const MOST: usize = 16;

/// A picture as a player's database holds it: PNG, JPEG or whatever, and not to be trusted.
#[derive(Clone, PartialEq, Eq)]
pub struct PlayerArt {
    pub hash: ContentHash,
    pub bytes: Vec<u8>,
}

impl PlayerArt {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self {
            hash: ContentHash(Sha256::digest(&bytes).into()),
            bytes,
        }
    }
}

impl fmt::Debug for PlayerArt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlayerArt({} bytes, {})", self.bytes.len(), self.hash)
    }
}

/// Where a picture stands: whose medium, its name, the number in the database there.
pub(super) type ArtKey = (UnitId, String, i64);

/// Reads one picture at a time, so that a database that takes long holds nothing else up.
#[derive(Debug, Default)]
pub(super) struct Arts {
    /// `None`: it is being read, or there is none.
    known: BTreeMap<ArtKey, Option<Arc<PlayerArt>>>,
    reading: Option<ArtKey>,
    wanted: BTreeSet<ArtKey>,
}

impl Arts {
    /// What is known of a picture; it counts as wanted until [`Self::keep_wanted`]. `read` is called when it is to be read
    /// now, and has to lead to [`Self::take`].
    pub(super) fn get(&mut self, key: ArtKey, read: impl FnOnce(ArtKey)) -> Option<Arc<PlayerArt>> {
        self.wanted.insert(key.clone());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        if self.reading.is_none() && self.known.len() < MOST {
            self.reading = Some(key.clone());
            self.known.insert(key.clone(), None);
            read(key);
        }
        None
    }

    /// Takes what was read; nobody may want it any more.
    pub(super) fn take(&mut self, key: &ArtKey, art: Option<Arc<PlayerArt>>) {
        if self.reading.as_ref() == Some(key) {
            self.reading = None;
        }
        if let Some(known) = self.known.get_mut(key) {
            *known = art;
        }
    }

    /// Drops those that nobody asked for since the last time.
    pub(super) fn keep_wanted(&mut self) {
        let wanted = std::mem::take(&mut self.wanted);
        self.known.retain(|key, _| wanted.contains(key));
    }

    /// The databases of this unit were read anew: numbers may mean other pictures.
    pub(super) fn forget(&mut self, unit: UnitId) {
        self.known.retain(|key, _| key.0 != unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(unit: u8, number: i64) -> ArtKey {
        (UnitId([unit; 16]), "USB".to_owned(), number)
    }

    fn art(byte: u8) -> Arc<PlayerArt> {
        Arc::new(PlayerArt::new(vec![byte]))
    }

    /// What is known of it, and whether it is to be read now.
    fn get(arts: &mut Arts, key: ArtKey) -> (Option<u8>, bool) {
        let mut is_read = false;
        let known = arts.get(key, |_| is_read = true);
        (known.map(|art| art.bytes[0]), is_read)
    }

    #[test]
    fn pictures_are_read_one_after_the_other_and_once() {
        let mut arts = Arts::default();
        assert_eq!(get(&mut arts, key(1, 2)), (None, true));
        assert_eq!(
            get(&mut arts, key(1, 3)),
            (None, false),
            "the other is read"
        );
        assert_eq!(get(&mut arts, key(1, 2)), (None, false));
        arts.take(&key(1, 2), Some(art(7)));
        assert_eq!(get(&mut arts, key(1, 2)), (Some(7), false));
        assert_eq!(get(&mut arts, key(1, 3)), (None, true));
        arts.take(&key(1, 3), None);
        assert_eq!(get(&mut arts, key(1, 3)), (None, false), "there is none");
    }

    #[test]
    fn what_no_deck_wants_goes_and_more_than_sixteen_are_not_read() {
        let mut arts = Arts::default();
        for number in 2..18 {
            assert_eq!(get(&mut arts, key(1, number)), (None, true), "{number}");
            arts.take(&key(1, number), Some(art(1)));
        }
        assert_eq!(get(&mut arts, key(1, 18)), (None, false));
        arts.keep_wanted();
        assert_eq!(get(&mut arts, key(1, 18)), (None, false));
        assert_eq!(get(&mut arts, key(1, 2)), (Some(1), false));
        arts.keep_wanted();
        assert_eq!(get(&mut arts, key(1, 18)), (None, true));
        assert_eq!(arts.known.len(), 2);
    }

    #[test]
    fn databases_that_are_read_anew_have_other_pictures() {
        let mut arts = Arts::default();
        for unit in [1, 2] {
            get(&mut arts, key(unit, 2));
            arts.take(&key(unit, 2), Some(art(unit)));
        }
        arts.forget(UnitId([1; 16]));
        assert_eq!(get(&mut arts, key(1, 2)), (None, true));
        assert_eq!(get(&mut arts, key(2, 2)), (Some(2), false));
        // One that was under way when its unit was forgotten comes for nobody.
        arts.forget(UnitId([1; 16]));
        arts.take(&key(1, 2), Some(art(9)));
        assert_eq!(get(&mut arts, key(1, 2)), (None, true));
    }
}
