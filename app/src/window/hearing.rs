//! What the core says once, gathered on its own thread without ever holding it up, for the next frame.

use crate::notices::Notice;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tonearm_core::core_loop::command::RequestId;
use tonearm_core::core_loop::event::{Event, Outcome, RelinkOutcome, Tally};
use tonearm_core::edits::Refusal;
use tonearm_core::track::TrackId;

/// Notices that may wait for a frame; a hidden window draws none.
const NOTICES: usize = 16;

/// Which track of an import to open when it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// The file at this path.
    File(PathBuf),
    /// Whatever comes first.
    First,
}

#[derive(Debug, Default)]
struct Gathered {
    wishes: HashMap<RequestId, Wish>,
    opened: Option<TrackId>,
    imported: Option<Tally>,
    notices: Vec<Notice>,
    /// Notices that found no room.
    dropped: u64,
    found_again: u64,
}

/// Since the last frame.
#[derive(Debug, Default, PartialEq)]
pub(super) struct News {
    /// A track that was wished for is there.
    pub(super) opened: Option<TrackId>,
    /// What became of an import that has ended.
    pub(super) imported: Option<Tally>,
    pub(super) notices: Vec<Notice>,
    pub(super) dropped: u64,
}

/// Shared by the core's thread, which tells, and the window, which takes.
#[derive(Debug, Clone, Default)]
pub(super) struct Hearing(Arc<Mutex<Gathered>>);

impl Hearing {
    pub(super) fn wish(&self, request: RequestId, wish: Wish) {
        self.with(|gathered| gathered.wishes.insert(request, wish));
    }

    pub(super) fn hear(&self, event: Event) {
        self.with(|gathered| gathered.hear(event));
    }

    /// Has a notice shown in the next frame.
    pub(super) fn tell(&self, notice: Notice) {
        self.with(|gathered| gathered.say(Some(notice)));
    }

    pub(super) fn take(&self) -> News {
        self.with(|gathered| News {
            opened: gathered.opened.take(),
            imported: gathered.imported.take(),
            notices: std::mem::take(&mut gathered.notices),
            dropped: std::mem::take(&mut gathered.dropped),
        })
    }

    /// Held for a few instructions only, on either side.
    fn with<T>(&self, change: impl FnOnce(&mut Gathered) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Gathered {
    fn hear(&mut self, event: Event) {
        match event {
            Event::Imported {
                request,
                track: Some(track),
                path,
                ..
            } => {
                let fulfilled = match self.wishes.get(&request) {
                    Some(Wish::First) => true,
                    Some(Wish::File(wished)) => *wished == path,
                    None => false,
                };
                if fulfilled {
                    self.wishes.remove(&request);
                    self.opened = Some(track);
                }
            }
            Event::ImportFinished {
                request,
                tally,
                cancelled,
            } => {
                self.wishes.remove(&request);
                if !cancelled {
                    self.say(Some(import_notice(&tally)));
                    self.imported = Some(tally);
                } else if tally != Tally::default() {
                    // Those that had not begun are not worth a word.
                    self.say(Some(cancelled_notice(&tally)));
                    self.imported = Some(tally);
                }
            }
            Event::Relinked {
                to: RelinkOutcome::Moved(_),
                ..
            } => self.found_again += 1,
            Event::RelinkFinished { .. } => {
                let found = std::mem::take(&mut self.found_again);
                self.say(Some(match found {
                    0 => Notice::news("No missing file was found there"),
                    1 => Notice::good("One missing file was found again"),
                    _ => Notice::good(format!("{found} missing files were found again")),
                }));
            }
            Event::Removed { tracks } => self.say(Some(Notice::news(match tracks.len() {
                1 => "One track removed from the library; undo brings it back".to_owned(),
                count => format!("{count} tracks removed from the library; undo brings them back"),
            }))),
            Event::Undone { words, .. } => {
                self.say(Some(Notice::news(format!("Taken back: {words}"))));
            }
            Event::Redone { words, .. } => {
                self.say(Some(Notice::news(format!("Made again: {words}"))));
            }
            // "Back to analysis" asks for beats and key alike; most tracks have only one of them changed.
            Event::EditRefused { reason, .. }
                if !matches!(reason, Refusal::BeatsAreAsFound | Refusal::KeyIsAsFound) =>
            {
                self.say(Some(Notice::news(format!("Nothing was changed: {reason}"))));
            }
            // Told in the rows, in the line of work, and by a banner as long as it lasts.
            Event::Imported { .. }
            | Event::Made { .. }
            | Event::Damaged { .. }
            | Event::DuplicateFound { .. }
            | Event::Relinked { .. }
            | Event::Edited { .. }
            | Event::EditRefused { .. }
            | Event::StorageFailed(_)
            | Event::Idle => {}
        }
    }

    fn say(&mut self, notice: Option<Notice>) {
        let Some(notice) = notice else { return };
        if self.notices.len() == NOTICES {
            self.notices.remove(0);
            self.dropped += 1;
        }
        self.notices.push(notice);
    }
}

fn cancelled_notice(tally: &Tally) -> Notice {
    match tally.of(Outcome::Added) {
        0 => Notice::news("The import was cancelled; no track was added"),
        1 => Notice::news("The import was cancelled; the track that it had added stays"),
        added => Notice::news(format!(
            "The import was cancelled; the {added} tracks that it had added stay"
        )),
    }
}

/// What came of an import, in a sentence.
fn import_notice(tally: &Tally) -> Notice {
    let tracks = |count: u64| match count {
        1 => "one track".to_owned(),
        _ => format!("{count} tracks"),
    };
    let of = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| tally.of(*outcome)).sum();
    let added: u64 = of(&[Outcome::Added]);
    let changed: u64 = of(&[Outcome::Updated, Outcome::Merged, Outcome::Moved]);
    let known: u64 = of(&[Outcome::Unchanged]);
    let missing: u64 = of(&[Outcome::Missing]);
    let failed: u64 = of(&[Outcome::Failed]);
    let mut parts = Vec::new();
    if added > 0 {
        parts.push(format!("{} added", tracks(added)));
    }
    if changed > 0 {
        parts.push(format!("{} brought up to date", tracks(changed)));
    }
    if failed > 0 {
        parts.push(format!("{failed} could not be read"));
    }
    if missing > 0 {
        parts.push(format!("{missing} not where they should be"));
    }
    let text = match (parts.is_empty(), known) {
        (true, 0) => "No music was found there".to_owned(),
        (true, 1) => "The track is in the library already".to_owned(),
        (true, _) => format!("All {known} tracks are in the library already"),
        (false, _) => crate::format::capitalised(&parts.join(", ")),
    };
    if failed > 0 {
        Notice::warning(text)
    } else if added + changed > 0 {
        Notice::good(text)
    } else {
        Notice::news(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::Tone;

    fn tally(outcomes: &[(Outcome, u64)]) -> Tally {
        let mut tally = Tally::default();
        for (outcome, count) in outcomes {
            for _ in 0..*count {
                tally.add(*outcome);
            }
        }
        tally
    }

    fn imported(request: u64, path: &str, track: u64) -> Event {
        Event::Imported {
            request: RequestId(request),
            outcome: Outcome::Added,
            track: Some(TrackId(track)),
            path: path.into(),
            source: None,
            failure: None,
        }
    }

    #[test]
    fn what_became_of_an_import_is_handed_over_once() {
        let hearing = Hearing::default();
        let tally = tally(&[(Outcome::Added, 3)]);
        hearing.hear(Event::ImportFinished {
            request: RequestId(1),
            tally,
            cancelled: false,
        });
        assert_eq!(hearing.take().imported, Some(tally));
        assert_eq!(hearing.take().imported, None);
    }

    #[test]
    fn an_import_is_told_in_a_sentence() {
        for (outcomes, tone, text) in [
            (&[][..], Tone::News, "No music was found there"),
            (&[(Outcome::Added, 1)], Tone::Good, "One track added"),
            (
                &[(Outcome::Added, 12), (Outcome::Failed, 2)],
                Tone::Warning,
                "12 tracks added, 2 could not be read",
            ),
            (
                &[(Outcome::Unchanged, 3)],
                Tone::News,
                "All 3 tracks are in the library already",
            ),
        ] {
            let expected = Notice::new(tone, text);
            assert_eq!(import_notice(&tally(outcomes)), expected);
        }
    }

    #[test]
    fn the_file_that_was_dropped_is_opened_once_and_nothing_else() {
        let hearing = Hearing::default();
        hearing.wish(RequestId(7), Wish::File("/music/b.mp3".into()));
        hearing.hear(imported(7, "/music/a.mp3", 1));
        hearing.hear(imported(8, "/music/b.mp3", 2));
        assert_eq!(hearing.take().opened, None);
        hearing.hear(imported(7, "/music/b.mp3", 3));
        assert_eq!(hearing.take().opened, Some(TrackId(3)));
        hearing.hear(imported(7, "/music/b.mp3", 3));
        assert_eq!(hearing.take().opened, None);
    }

    #[test]
    fn a_wish_ends_with_its_import() {
        let hearing = Hearing::default();
        hearing.wish(RequestId(7), Wish::First);
        hearing.hear(Event::ImportFinished {
            request: RequestId(7),
            tally: Tally::default(),
            cancelled: false,
        });
        hearing.hear(imported(7, "/music/a.mp3", 1));
        assert_eq!(hearing.take().opened, None);
    }

    #[test]
    fn news_that_nobody_takes_stays_bounded_and_is_counted() {
        let hearing = Hearing::default();
        for request in 0..100 {
            hearing.hear(Event::ImportFinished {
                request: RequestId(request),
                tally: Tally::default(),
                cancelled: false,
            });
        }
        let news = hearing.take();
        assert_eq!(news.notices.len(), NOTICES);
        assert_eq!(news.dropped, 100 - NOTICES as u64);
    }

    #[test]
    fn what_the_window_itself_has_to_tell_is_shown_in_the_next_frame() {
        let hearing = Hearing::default();
        hearing.tell(Notice::trouble("not done"));
        assert_eq!(hearing.take().notices, [Notice::trouble("not done")]);
        assert_eq!(hearing.take(), News::default());
    }
}
