//! Tracks with the same bytes are the same music: one of them stands for all. Pure.

use crate::artifact::Artifact;
use crate::row::Row;
use jiff::Timestamp;
use std::cmp::Reverse;

/// What makes one of several twins worth more: what the user did by hand, then what analysis found, then a file that is
/// there, then to have been there first.
type Worth = (usize, usize, bool, Reverse<(Timestamp, u64)>);

fn worth(row: &Row) -> Worth {
    let by_hand = Artifact::ALL
        .iter()
        .filter(|artifact| row.knowledge.is_by_hand(**artifact))
        .count();
    let records = row.knowledge.records.values();
    let found = records.filter(|record| record.failure.is_none()).count();
    let track = &row.track;
    (
        by_hand,
        found,
        !track.missing,
        Reverse((track.added, track.id.0)),
    )
}

/// Leaves one of each set of twins, at the place of the first of them. `row`: the track of an item.
pub(super) fn without<T>(items: Vec<T>, row: impl Fn(&T) -> &Row) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    for item in items {
        let hash = row(&item).track.hash;
        let twin = kept
            .iter_mut()
            .find(|other| hash.is_some() && row(other).track.hash == hash);
        match twin {
            Some(twin) if worth(row(&item)) > worth(row(twin)) => *twin = item,
            Some(_) => {}
            None => kept.push(item),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{ArtifactRecord, Maker, Recipe};
    use crate::export::samples;
    use crate::failure::{Failure, FailureKind};
    use crate::track::{ContentHash, TrackId};

    fn row(id: u64, hash: Option<u8>) -> Row {
        let mut row = samples::bare_row();
        row.track.id = TrackId(id);
        row.track.hash = hash.map(|byte| ContentHash([byte; 32]));
        row
    }

    fn with(mut row: Row, artifact: Artifact, maker: Maker) -> Row {
        let recipe = Recipe {
            maker,
            version: 1,
            parameters: String::new(),
            model: None,
        };
        let record = ArtifactRecord {
            recipe: recipe.into(),
            made_from: row.track.stamp,
            cpu_secs: 0.0,
            failure: None,
            nothing_found: false,
        };
        row.knowledge.records.insert(artifact, record);
        row
    }

    fn left(rows: Vec<Row>) -> Vec<u64> {
        let left = without(rows, |row| row);
        left.iter().map(|row| row.track.id.0).collect()
    }

    #[test]
    fn of_twins_the_one_that_most_is_known_of_is_taken() {
        let plain = || row(1, Some(7));
        let second = || row(2, Some(7));
        let beats = |row| with(row, Artifact::Beats, Maker::Native);
        let key_by_hand = with(row(3, Some(7)), Artifact::Key, Maker::User);
        let mut later = row(0, Some(7));
        later.track.added = "2026-11-23T15:00:00Z".parse().unwrap();
        let mut gone = plain();
        gone.track.missing = true;
        let mut failed = beats(second());
        for record in failed.knowledge.records.values_mut() {
            record.failure = Some(Box::new(Failure::new(FailureKind::Damaged, "", "")));
        }
        for (case, rows, taken) in [
            ("the oldest", vec![later, plain(), second()], 1),
            ("one whose file is there", vec![gone, second()], 2),
            ("an analysed one", vec![plain(), beats(second())], 2),
            ("a failure is no analysis", vec![plain(), failed.clone()], 1),
            (
                "the user's hand above analysis",
                vec![
                    with(beats(plain()), Artifact::Chords, Maker::Native),
                    key_by_hand,
                ],
                3,
            ),
        ] {
            assert_eq!(left(rows), [taken], "{case}");
        }
    }

    #[test]
    fn others_stay_in_their_order() {
        let rows = vec![
            row(4, Some(2)),
            row(1, None),
            row(5, Some(3)),
            row(2, None),
            with(row(3, Some(2)), Artifact::Key, Maker::Native),
        ];
        assert_eq!(left(rows), [3, 1, 5, 2]);
    }
}
