//! What an entry of another program's library is to ours: known by its name, by where its file is, by its bytes, or
//! new. Pure.

use crate::failure::Failure;
use crate::import::tags::TagsRead;
use crate::track::{ContentHash, FileStamp, Source, SourceId, Tags, TrackId};
use std::path::{Path, PathBuf};

/// An entry of another library, with what the disk says of its file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    /// `None` where the library is damaged: then the path is all there is.
    pub(crate) source: Option<Source>,
    pub(crate) tags: Tags,
    /// Where the file is, or should be. Relative where there is none: a name that no file has.
    pub(crate) path: PathBuf,
    /// To be looked below when the file moves.
    pub(crate) root: PathBuf,
    /// Size of the file as the library knows it.
    pub(crate) bytes: Option<u64>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    There(FileStamp),
    /// Perhaps there, but it may not be read.
    Unreadable(Failure),
    /// The file is not where it should be, or there is no saying where that is.
    Absent(Failure),
    /// A service has it; no file is to be expected.
    Streamed,
}

/// What is asked of the library for one claim.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) names: Vec<SourceId>,
    pub(crate) path: PathBuf,
    /// Size of the file, where it is there.
    pub(crate) bytes: Option<u64>,
}

impl Claim {
    pub(crate) fn question(&self) -> Question {
        let names = self.source.iter().flat_map(Source::names);
        Question {
            names: names.cloned().collect(),
            path: self.path.clone(),
            bytes: match self.place {
                Place::There(stamp) => Some(stamp.bytes),
                Place::Unreadable(_) | Place::Absent(_) | Place::Streamed => None,
            },
        }
    }
}

/// The track that is meant. Where it came from first comes first, then what the library itself calls it, then its file.
pub(crate) fn decide(
    question: &Question,
    named: impl Fn(&SourceId) -> Option<TrackId>,
    at_path: impl Fn(&Path) -> Option<TrackId>,
) -> Option<TrackId> {
    let by_name = question.names.iter().find_map(named);
    by_name.or_else(|| at_path(&question.path))
}

/// The track that a claim means, as the library has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) track: TrackId,
    pub(crate) path: PathBuf,
    pub(crate) root: PathBuf,
    pub(crate) stamp: FileStamp,
    pub(crate) hash: Option<ContentHash>,
    /// Another track that has the file of the claim.
    pub(crate) holder: Option<TrackId>,
}

/// What looking at the files has shown.
#[derive(Debug)]
pub(crate) enum Standing {
    /// The file is the track's own and as it was.
    Same,
    /// The file is the track's from now on; its tags were read.
    Read(FileStamp, Box<Result<TagsRead, Failure>>),
    /// The track's own file is gone, and this one has its bytes.
    Moved(TrackId, FileStamp),
    /// The same bytes as a track's that has its own file.
    Copy(TrackId),
    /// The track has a file of its own at another place; nothing changes there.
    Elsewhere,
    /// The track's own file is gone; the one of the claim is another track's.
    Held(TrackId),
    /// There is no file.
    Absent(Failure),
    Streamed,
}

/// A claim after the files were looked at.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) claim: Claim,
    pub(crate) known: Option<TrackId>,
    pub(crate) standing: Standing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_comes_before_alias_and_alias_before_path() {
        let names: Vec<SourceId> = ["pc:5", "usb:7"].map(|name| name.parse().unwrap()).into();
        let question = Question {
            names: names.clone(),
            path: "/m/a.mp3".into(),
            bytes: None,
        };
        let decided = |known: &[(&str, u64)], held: Option<u64>| {
            decide(
                &question,
                |name| {
                    let known = known.iter().find(|(known, _)| name.to_string() == *known);
                    known.map(|(_, track)| TrackId(*track))
                },
                |_| held.map(TrackId),
            )
        };
        assert_eq!(
            decided(&[("usb:7", 2), ("pc:5", 1)], Some(3)),
            Some(TrackId(1))
        );
        assert_eq!(decided(&[("usb:7", 2)], Some(3)), Some(TrackId(2)));
        assert_eq!(decided(&[], Some(3)), Some(TrackId(3)));
        assert_eq!(decided(&[], None), None);
    }
}
