//! Finds where missing files went. Pure: decides from sizes, names and hashes that others collect.
//!
//! [`to_hash`] says which of the found files are worth hashing; with those hashes, [`plan`] says
//! which track goes where. Same content is proof; same size and name is no more than a suggestion.

use crate::track::{ContentHash, Text, TrackId};
use crate::units::Secs;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Lengths that differ by less are the same: headers round, and count padding or not.
const SAME_DURATION_SECS: f64 = 0.1;

/// More copies of one sound than anybody has: files that are all empty, say. Left to the user.
const MOST_COPIES: usize = 64;

/// A track whose file is not there.
#[derive(Debug, Clone, PartialEq)]
pub struct Missing {
    pub id: TrackId,
    pub path: PathBuf,
    pub bytes: u64,
    /// `None`: it went before it was ever hashed.
    pub hash: Option<ContentHash>,
    pub title: Option<Text>,
    pub duration: Option<Secs>,
}

/// A file that no track of the library has, or only a missing one.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub path: PathBuf,
    pub bytes: u64,
    /// `None`: not hashed (yet).
    pub hash: Option<ContentHash>,
    pub title: Option<Text>,
    pub duration: Option<Secs>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub id: TrackId,
    pub to: PathBuf,
}

/// A track and the files that it may be; the user decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub id: TrackId,
    pub candidates: Vec<PathBuf>,
}

/// Every missing track stands in exactly one of the lists, each in the order of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Same content: to be done.
    pub moves: Vec<Move>,
    /// Same content, but more than one way to match it.
    pub ambiguous: Vec<Choice>,
    /// Same size and name, content never known.
    pub suggestions: Vec<Choice>,
    pub unmatched: Vec<TrackId>,
}

/// Places in `found` whose size is that of a missing track of known content.
pub fn to_hash(missing: &[Missing], found: &[Candidate]) -> Vec<usize> {
    let sizes: BTreeSet<u64> = missing
        .iter()
        .filter(|track| track.hash.is_some())
        .map(|track| track.bytes)
        .collect();
    (0..found.len())
        .zip(found)
        .filter(|(_, file)| file.hash.is_none() && sizes.contains(&file.bytes))
        .map(|(place, _)| place)
        .collect()
}

/// Where the missing tracks are.
pub fn plan(missing: &[Missing], found: &[Candidate]) -> Plan {
    let mut plan = Plan::default();
    let mut tracks: BTreeMap<ContentHash, Vec<&Missing>> = BTreeMap::new();
    let mut files: HashMap<ContentHash, Vec<&Candidate>> = HashMap::new();
    let mut by_bytes: HashMap<u64, Vec<&Candidate>> = HashMap::new();
    for file in found {
        by_bytes.entry(file.bytes).or_default().push(file);
        if let Some(hash) = file.hash {
            files.entry(hash).or_default().push(file);
        }
    }
    for track in missing {
        if let Some(hash) = track.hash {
            tracks.entry(hash).or_default().push(track);
        } else {
            let of_size = by_bytes.get(&track.bytes).map_or(&[][..], Vec::as_slice);
            suggest(track, of_size, &mut plan);
        }
    }
    for (hash, tracks) in tracks {
        let files = files.remove(&hash).unwrap_or_default();
        match_content(tracks, files, &mut plan);
    }
    plan.moves.sort_by_key(|found| found.id);
    plan.ambiguous.sort_by_key(|choice| choice.id);
    plan.suggestions.sort_by_key(|choice| choice.id);
    plan.unmatched.sort_unstable();
    plan
}

/// Matches tracks and files that all have the same content.
fn match_content(mut tracks: Vec<&Missing>, mut files: Vec<&Candidate>, plan: &mut Plan) {
    let mut take =
        |tracks: &mut Vec<&Missing>, files: &mut Vec<&Candidate>, pair: (usize, usize)| {
            let track = tracks.swap_remove(pair.0);
            let file = files.swap_remove(pair.1);
            plan.moves.push(Move {
                id: track.id,
                to: file.path.clone(),
            });
        };
    // Most of the path in common comes first; it must be one pair's alone.
    while tracks.len().max(files.len()) <= MOST_COPIES
        && let Some(pair) = best_pair(&tracks, &files)
    {
        take(&mut tracks, &mut files, pair);
    }
    for track in tracks {
        if files.is_empty() {
            plan.unmatched.push(track.id);
        } else {
            plan.ambiguous.push(Choice {
                id: track.id,
                candidates: sorted_paths(&files),
            });
        }
    }
}

/// The track and the file whose paths end alike for longer than any other pair of either. With one
/// of each left there is nothing to compare.
fn best_pair(tracks: &[&Missing], files: &[&Candidate]) -> Option<(usize, usize)> {
    if let ([_], [_]) = (tracks, files) {
        return Some((0, 0));
    }
    let mut best: Option<(usize, (usize, usize))> = None;
    let mut is_tied = false;
    for (t, track) in tracks.iter().enumerate() {
        for (f, file) in files.iter().enumerate() {
            let alike = common_ending(&track.path, &file.path);
            match best {
                Some((most, _)) if alike < most => {}
                Some((most, _)) if alike == most => is_tied = true,
                _ => {
                    best = Some((alike, (t, f)));
                    is_tied = false;
                }
            }
        }
    }
    let (alike, pair) = best?;
    if !is_tied {
        return Some(pair);
    }
    if alike == 0 {
        return None;
    }
    // Equally good pairs are fine as long as they are not about the same track or file.
    let rivals = |t: usize, f: usize| -> usize {
        let of_track = files.iter().filter(|file| {
            tracks
                .get(t)
                .is_some_and(|track| common_ending(&track.path, &file.path) == alike)
        });
        let of_file = tracks.iter().filter(|track| {
            files
                .get(f)
                .is_some_and(|file| common_ending(&track.path, &file.path) == alike)
        });
        of_track.count().max(of_file.count())
    };
    (0..tracks.len())
        .flat_map(|t| (0..files.len()).map(move |f| (t, f)))
        .filter(|&(t, f)| {
            let pair = tracks.get(t).zip(files.get(f));
            pair.is_some_and(|(track, file)| common_ending(&track.path, &file.path) == alike)
        })
        .find(|&(t, f)| rivals(t, f) == 1)
}

/// How many names two paths share at their ends, the file's own name first.
fn common_ending(a: &Path, b: &Path) -> usize {
    a.iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| same_name(a, b))
        .count()
}

/// Names alike but for their case: drives differ in what they keep of it.
fn same_name(a: &OsStr, b: &OsStr) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// For a track whose content was never known.
fn suggest(track: &Missing, of_size: &[&Candidate], plan: &mut Plan) {
    let alike: Vec<&Candidate> = of_size
        .iter()
        .copied()
        .filter(|file| common_ending(&file.path, &track.path) > 0)
        .filter(|file| match (&file.title, &track.title) {
            (Some(found), Some(known)) => found == known,
            _ => true,
        })
        .filter(|file| match (file.duration, track.duration) {
            (Some(found), Some(known)) => (found.0 - known.0).abs() <= SAME_DURATION_SECS,
            _ => true,
        })
        .collect();
    if alike.is_empty() {
        plan.unmatched.push(track.id);
    } else {
        plan.suggestions.push(Choice {
            id: track.id,
            candidates: sorted_paths(&alike),
        });
    }
}

fn sorted_paths(files: &[&Candidate]) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn missing(id: u64, path: &str, hash: Option<u8>) -> Missing {
        Missing {
            id: TrackId(id),
            path: PathBuf::from(path),
            bytes: hash.map_or(50, u64::from),
            hash: hash.map(|hash| ContentHash([hash; 32])),
            title: None,
            duration: None,
        }
    }

    fn file(path: &str, hash: Option<u8>) -> Candidate {
        Candidate {
            path: PathBuf::from(path),
            bytes: hash.map_or(50, u64::from),
            hash: hash.map(|hash| ContentHash([hash; 32])),
            title: None,
            duration: None,
        }
    }

    fn moves(plan: &Plan) -> Vec<(u64, &str)> {
        plan.moves
            .iter()
            .map(|moved| (moved.id.0, moved.to.to_str().unwrap()))
            .collect()
    }

    #[test]
    fn only_files_of_the_right_size_are_hashed() {
        let missing = [missing(1, "/a", Some(7)), missing(2, "/b", None)];
        let mut found = [file("/x", Some(7)), file("/y", Some(8)), file("/z", None)];
        found[0].hash = None;
        found[1].hash = None;
        assert_eq!(to_hash(&missing, &found), [0]);
    }

    #[test]
    fn a_file_is_found_by_its_content_whatever_it_is_called() {
        let plan = plan(
            &[
                missing(1, "/old/a.mp3", Some(7)),
                missing(2, "/old/b.mp3", Some(8)),
            ],
            &[
                file("/new/renamed.mp3", Some(7)),
                file("/new/b.mp3", Some(9)),
            ],
        );
        assert_eq!(moves(&plan), [(1, "/new/renamed.mp3")]);
        assert_eq!(plan.unmatched, [TrackId(2)]);
    }

    #[test]
    fn copies_are_told_apart_by_their_paths() {
        let plan = plan(
            &[
                missing(1, "/old/x/a.mp3", Some(7)),
                missing(2, "/old/y/a.mp3", Some(7)),
                missing(3, "/old/c.mp3", Some(7)),
            ],
            &[
                file("/new/c.mp3", Some(7)),
                file("/new/y/a.mp3", Some(7)),
                file("/new/x/a.mp3", Some(7)),
            ],
        );
        assert_eq!(
            moves(&plan),
            [(1, "/new/x/a.mp3"), (2, "/new/y/a.mp3"), (3, "/new/c.mp3")]
        );
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_guessed() {
        let plan = plan(
            &[missing(1, "/old/a.mp3", Some(7))],
            &[file("/p/a.mp3", Some(7)), file("/q/a.mp3", Some(7))],
        );
        assert_eq!(plan.moves, []);
        assert_eq!(plan.ambiguous.len(), 1);
        assert_eq!(plan.ambiguous[0].candidates.len(), 2);
    }

    #[test]
    fn without_known_content_there_are_only_suggestions() {
        let mut track = missing(1, "/old/a.mp3", None);
        track.duration = Some(Secs(10.0));
        let mut right = file("/new/A.MP3", None);
        right.duration = Some(Secs(10.05));
        let mut long = file("/long/a.mp3", None);
        long.duration = Some(Secs(11.0));
        let plan = plan(&[track], &[right, long, file("/new/other.mp3", None)]);
        assert_eq!(plan.moves, []);
        assert_eq!(
            plan.suggestions[0].candidates,
            [PathBuf::from("/new/A.MP3")]
        );
    }

    proptest! {
        #[test]
        fn every_track_is_answered_once_and_no_file_is_given_twice(
            tracks in proptest::collection::vec((0u8..4, 0u8..3, 0u8..3), 0..12),
            files in proptest::collection::vec((0u8..4, 0u8..3, 0u8..3), 0..12),
        ) {
            let tracks: Vec<Missing> = tracks.iter().enumerate()
                .map(|(id, (hash, folder, name))| {
                    missing(id as u64, &format!("/old/{folder}/{name}"), (*hash > 0).then_some(*hash))
                })
                .collect();
            let mut files: Vec<Candidate> = files.iter()
                .map(|(hash, folder, name)| {
                    file(&format!("/new/{hash}/{folder}/{name}"), (*hash > 0).then_some(*hash))
                })
                .collect();
            files.sort_by(|a, b| a.path.cmp(&b.path));
            files.dedup_by(|a, b| a.path == b.path);
            let plan = plan(&tracks, &files);
            let mut ids: Vec<TrackId> = plan.unmatched.clone();
            ids.extend(plan.moves.iter().map(|moved| moved.id));
            ids.extend(plan.ambiguous.iter().chain(&plan.suggestions).map(|choice| choice.id));
            ids.sort_unstable();
            prop_assert_eq!(ids, tracks.iter().map(|track| track.id).collect::<Vec<_>>());
            let targets: BTreeSet<&PathBuf> = plan.moves.iter().map(|moved| &moved.to).collect();
            prop_assert_eq!(targets.len(), plan.moves.len());
            for moved in &plan.moves {
                let track = tracks.iter().find(|track| track.id == moved.id).unwrap();
                let file = files.iter().find(|file| file.path == moved.to).unwrap();
                prop_assert_eq!(track.hash, file.hash);
            }
        }
    }
}
