//! The outcomes of one track's artifacts: a small map in one piece of memory, as there is one for each row.

use crate::artifact::{Artifact, ArtifactRecord};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;

/// An outcome for each artifact that was tried, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records {
    /// Of which artifacts there are outcomes: a bit for each.
    known: u8,
    /// Theirs, in the order of the bits: without their names, which would cost as much as a number each.
    records: Box<[ArtifactRecord]>,
}

static ALL: [Artifact; Artifact::ALL.len()] = Artifact::ALL;

const _: () = assert!(ALL.len() <= u8::BITS as usize, "a bit for each artifact");

fn bit(artifact: Artifact) -> u8 {
    1 << artifact as u8
}

impl Records {
    pub fn new() -> Self {
        Self::default()
    }

    /// By [`Artifact::ALL`].
    fn of(slots: [Option<ArtifactRecord>; ALL.len()]) -> Self {
        let is_known = |(artifact, slot): (&Artifact, &Option<ArtifactRecord>)| match slot {
            Some(_) => bit(*artifact),
            None => 0,
        };
        let known = ALL.iter().zip(&slots).map(is_known).sum::<u8>();
        // Exactly as many as there are: what is too long is moved to be cut, and leaves a hole.
        let mut records = Vec::with_capacity(known.count_ones() as usize);
        records.extend(slots.into_iter().flatten());
        Self {
            known,
            records: records.into_boxed_slice(),
        }
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn get(&self, artifact: &Artifact) -> Option<&ArtifactRecord> {
        self.contains_key(artifact)
            .then(|| self.records.get(self.place(*artifact)))?
    }

    pub fn contains_key(&self, artifact: &Artifact) -> bool {
        self.known & bit(*artifact) != 0
    }

    /// Where the record of an artifact is, or would be.
    fn place(&self, artifact: Artifact) -> usize {
        (self.known & (bit(artifact) - 1)).count_ones() as usize
    }

    /// Gives the record that it replaces.
    pub fn insert(&mut self, artifact: Artifact, record: ArtifactRecord) -> Option<ArtifactRecord> {
        let place = self.place(artifact);
        if self.contains_key(&artifact) {
            let known = self.records.get_mut(place)?;
            return Some(std::mem::replace(known, record));
        }
        self.change(|records| {
            records.reserve_exact(1);
            records.insert(place, record);
        });
        self.known |= bit(artifact);
        None
    }

    pub fn remove(&mut self, artifact: &Artifact) -> Option<ArtifactRecord> {
        if !self.contains_key(artifact) {
            return None;
        }
        let place = self.place(*artifact);
        self.known &= !bit(*artifact);
        Some(self.change(|records| records.remove(place)))
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&Artifact, &mut ArtifactRecord) -> bool) {
        let known = self.known;
        let mut artifacts = ALL.iter().filter(|artifact| known & bit(**artifact) != 0);
        let mut kept = 0;
        self.change(|records| {
            records.retain_mut(|record| {
                let artifact = artifacts.next();
                let is_kept = artifact.is_some_and(|artifact| keep(artifact, record));
                kept |= artifact.filter(|_| is_kept).copied().map_or(0, bit);
                is_kept
            });
        });
        self.known = kept;
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter {
            artifacts: ALL.iter(),
            known: self.known,
            records: self.records.iter(),
        }
    }

    pub fn values(&self) -> impl Iterator<Item = &ArtifactRecord> {
        self.records.iter()
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut ArtifactRecord> {
        self.records.iter_mut()
    }

    /// Does something to the records that they have no room for as they lie.
    fn change<T>(&mut self, change: impl FnOnce(&mut Vec<ArtifactRecord>) -> T) -> T {
        let mut records = std::mem::take(&mut self.records).into_vec();
        let result = change(&mut records);
        self.records = records.into_boxed_slice();
        result
    }
}

/// Artifacts with their outcomes.
#[derive(Debug)]
pub struct Iter<'a> {
    artifacts: std::slice::Iter<'static, Artifact>,
    known: u8,
    records: std::slice::Iter<'a, ArtifactRecord>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'static Artifact, &'a ArtifactRecord);

    fn next(&mut self) -> Option<Self::Item> {
        let known = self.known;
        let is_known = |artifact: &&Artifact| known & bit(**artifact) != 0;
        let artifact = self.artifacts.find(is_known)?;
        Some((artifact, self.records.next()?))
    }
}

impl<'a> IntoIterator for &'a Records {
    type Item = (&'static Artifact, &'a ArtifactRecord);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<(Artifact, ArtifactRecord)> for Records {
    fn from_iter<I: IntoIterator<Item = (Artifact, ArtifactRecord)>>(records: I) -> Self {
        let mut slots = [const { None }; ALL.len()];
        for (artifact, record) in records {
            if let Some(slot) = slots.get_mut(artifact as usize) {
                *slot = Some(record);
            }
        }
        Self::of(slots)
    }
}

impl<const N: usize> From<[(Artifact, ArtifactRecord); N]> for Records {
    fn from(records: [(Artifact, ArtifactRecord); N]) -> Self {
        records.into_iter().collect()
    }
}

impl From<BTreeMap<Artifact, ArtifactRecord>> for Records {
    fn from(records: BTreeMap<Artifact, ArtifactRecord>) -> Self {
        records.into_iter().collect()
    }
}

impl Index<&Artifact> for Records {
    type Output = ArtifactRecord;

    /// Panics where there is none, as maps do.
    fn index(&self, artifact: &Artifact) -> &ArtifactRecord {
        match self.get(artifact) {
            Some(record) => record,
            None => panic!("nothing is known of {artifact}"),
        }
    }
}

impl Serialize for Records {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Records {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Records;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("outcomes by artifact")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Records, A::Error> {
                let mut slots = [const { None }; ALL.len()];
                while let Some((artifact, record)) = map.next_entry::<Artifact, _>()? {
                    if let Some(slot) = slots.get_mut(artifact as usize) {
                        *slot = Some(record);
                    }
                }
                Ok(Records::of(slots))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Maker, Recipe};
    use crate::track::FileStamp;
    use proptest::prelude::*;

    fn record(number: u32) -> ArtifactRecord {
        ArtifactRecord {
            recipe: Recipe {
                maker: Maker::Native,
                version: number,
                parameters: String::new(),
                model: None,
            }
            .into(),
            made_from: FileStamp {
                bytes: 1,
                modified_ns: 2,
            },
            cpu_secs: 0.0,
            failure: None,
            nothing_found: false,
        }
    }

    #[test]
    fn artifacts_are_numbered_as_they_are_listed() {
        let numbers = Artifact::ALL.map(|artifact| artifact as usize);
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    proptest! {
        #[test]
        fn records_do_what_a_map_does(
            steps in prop::collection::vec((0..4_u8, 0..8_usize, 0..9_u32), 0..40),
        ) {
            let mut map = BTreeMap::new();
            let mut records = Records::new();
            for (step, which, number) in steps {
                let artifact = Artifact::ALL[which];
                match step {
                    0 | 1 => {
                        let before = records.insert(artifact, record(number));
                        prop_assert_eq!(before, map.insert(artifact, record(number)));
                    }
                    2 => {
                        let before = records.remove(&artifact);
                        prop_assert_eq!(before, map.remove(&artifact));
                    }
                    _ => {
                        let keep = |kind: &Artifact, one: &mut ArtifactRecord| {
                            one.cpu_secs += 1.0;
                            *kind != artifact && one.recipe.version != number
                        };
                        records.retain(keep);
                        map.retain(keep);
                    }
                }
                let all = records.iter().map(|(artifact, record)| (*artifact, record));
                prop_assert!(all.eq(map.iter().map(|(artifact, record)| (*artifact, record))));
                prop_assert_eq!((records.len(), records.is_empty()), (map.len(), map.is_empty()));
                for artifact in &Artifact::ALL {
                    prop_assert_eq!(records.get(artifact), map.get(artifact));
                }
            }
            prop_assert_eq!(&Records::from(map.clone()), &records);
            let bytes = rmp_serde::to_vec_named(&records).unwrap();
            prop_assert_eq!(&bytes, &rmp_serde::to_vec_named(&map).unwrap());
            prop_assert_eq!(rmp_serde::from_slice::<Records>(&bytes).unwrap(), records);
        }
    }
}
