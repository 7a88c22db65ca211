//! The outcomes of one track's artifacts: a small map in one piece of memory, as there is one for each row.

use crate::artifact::{Artifact, ArtifactRecord};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;

/// An outcome for each artifact that was tried, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records(Vec<(Artifact, ArtifactRecord)>);

impl Records {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, artifact: &Artifact) -> Option<&ArtifactRecord> {
        let known = self.0.iter().find(|(known, _)| known == artifact);
        known.map(|(_, record)| record)
    }

    pub fn contains_key(&self, artifact: &Artifact) -> bool {
        self.get(artifact).is_some()
    }

    /// Gives the record that it replaces.
    pub fn insert(&mut self, artifact: Artifact, record: ArtifactRecord) -> Option<ArtifactRecord> {
        match self.0.binary_search_by_key(&artifact, |(known, _)| *known) {
            Ok(at) => {
                let (_, known) = self.0.get_mut(at)?;
                Some(std::mem::replace(known, record))
            }
            Err(at) => {
                self.0.reserve_exact(1);
                self.0.insert(at, (artifact, record));
                None
            }
        }
    }

    pub fn remove(&mut self, artifact: &Artifact) -> Option<ArtifactRecord> {
        let at = self.0.iter().position(|(known, _)| known == artifact)?;
        Some(self.0.remove(at).1)
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&Artifact, &mut ArtifactRecord) -> bool) {
        self.0
            .retain_mut(|(artifact, record)| keep(artifact, record));
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    pub fn values(&self) -> impl Iterator<Item = &ArtifactRecord> {
        self.0.iter().map(|(_, record)| record)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut ArtifactRecord> {
        self.0.iter_mut().map(|(_, record)| record)
    }
}

/// Artifacts with their outcomes.
#[derive(Debug)]
pub struct Iter<'a>(std::slice::Iter<'a, (Artifact, ArtifactRecord)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Artifact, &'a ArtifactRecord);

    fn next(&mut self) -> Option<Self::Item> {
        let (artifact, record) = self.0.next()?;
        Some((artifact, record))
    }
}

impl<'a> IntoIterator for &'a Records {
    type Item = (&'a Artifact, &'a ArtifactRecord);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<(Artifact, ArtifactRecord)> for Records {
    fn from_iter<I: IntoIterator<Item = (Artifact, ArtifactRecord)>>(records: I) -> Self {
        let mut all = Self::default();
        for (artifact, record) in records {
            all.insert(artifact, record);
        }
        all
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
                // What a record claims to hold is not believed: there are only so many artifacts.
                let expected = map.size_hint().unwrap_or(0).min(Artifact::ALL.len());
                let mut records = Records(Vec::with_capacity(expected));
                while let Some((artifact, record)) = map.next_entry()? {
                    records.insert(artifact, record);
                }
                Ok(records)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}
