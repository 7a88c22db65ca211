//! How much room stems may take, which go for others, and what a batch of them will cost.

use super::StemSet;
use crate::artifact::Artifact;
use crate::failure::{Failure, FailureKind};
use crate::row::Row;
use crate::track::TrackId;
use crate::units::Secs;
use jiff::Timestamp;

/// What all stems together may take where nobody said: 20 GB, about 500 tracks.
const USUAL_BUDGET: u64 = 20_000_000_000;
/// And no more than this share of what would be free without them: a fifth.
const SHARE_OF_FREE: u64 = 5;
/// What a second of sound takes on the disk before any was measured: 18 MB a minute for all four, as drafts of dense
/// music take.
const USUAL_BYTES: f64 = 300_000.0;
/// And what it takes of a processor: the built-in separation on a machine of its time.
const USUAL_CPU: f64 = 0.05;
/// The same for a model that takes sound apart.
const USUAL_CPU_OF_MODEL: f64 = 0.9;
/// Sets whose cost is looked at: the mean of more is no other.
const MOST_MEASURED: usize = 500;
/// A track whose length nobody knows yet.
const USUAL_SECS: f64 = 300.0;

/// What all stems together may take, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StemRoom {
    pub bytes: u64,
    /// The user said so; otherwise it is what fits the drive.
    pub is_chosen: bool,
}

/// The set of a track as its room is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub track: TrackId,
    pub bytes: u64,
    pub used: Timestamp,
    /// Nobody plays it or makes it anew, and it is older than the wish that it would go for.
    pub may_go: bool,
}

/// What those that may not go take, in bytes, so that there is no room whatever goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowded(pub u64);

/// The tracks whose sets go, the least recently used first, so that the others and `more` bytes fit into `budget`.
/// None goes where that would not do.
pub fn evicted(mut held: Vec<Held>, more: u64, budget: u64) -> Result<Vec<TrackId>, Crowded> {
    let sum = |sets: &mut dyn Iterator<Item = &Held>| {
        sets.fold(0_u64, |sum, set| sum.saturating_add(set.bytes))
    };
    let stays = sum(&mut held.iter().filter(|set| !set.may_go));
    if stays.saturating_add(more) > budget {
        return Err(Crowded(stays));
    }
    let mut over = sum(&mut held.iter())
        .saturating_add(more)
        .saturating_sub(budget);
    held.retain(|set| set.may_go);
    held.sort_by_key(|set| (set.used, set.track));
    let gone = held
        .into_iter()
        .take_while(|set| {
            let goes = over > 0;
            over = over.saturating_sub(set.bytes);
            goes
        })
        .map(|set| set.track);
    Ok(gone.collect())
}

impl StemRoom {
    /// What makes more room. Where nobody chose one and the drive is what keeps it small, that is the drive.
    pub fn remedy(self) -> &'static str {
        if !self.is_chosen && self.bytes < USUAL_BUDGET {
            "Free space on the drive that holds the library: stems may take a fifth of it. Or set their room in the \
             settings, or with tonearm stems --budget"
        } else {
            "Allow more room for stems in the settings, or with tonearm stems --budget"
        }
    }
}

/// Why stems that would take `bytes` find no `room`.
pub fn refusal(bytes: u64, crowded: Crowded, room: StemRoom) -> Failure {
    let (Crowded(stays), budget) = (crowded, room.bytes);
    let [needed, all, taken] = [bytes, budget, stays].map(in_words);
    let message = if bytes > budget {
        format!("the stems would take about {needed}, and all stems together may take {all}")
    } else {
        format!(
            "the stems would take about {needed}, and of the {all} for all stems {taken} are taken by those that were \
             made or used since these were asked for"
        )
    };
    Failure::new(FailureKind::Storage, message, room.remedy())
}

/// What a batch of stems lacks of the room for all, in bytes: those that are there may go for it, its own may not.
pub fn lacking(batch: u64, budget: u64) -> u64 {
    batch.saturating_sub(budget)
}

/// `1.2 MB`, `90 MB`, `20 GB`.
pub(super) fn in_words(bytes: u64) -> String {
    const MEGABYTE: f64 = 1e6;
    let (size, unit) = match bytes as f64 / MEGABYTE {
        megabytes if megabytes < 1_000.0 => (megabytes, "MB"),
        megabytes => (megabytes / 1_000.0, "GB"),
    };
    let decimals = usize::from(size < 10.0 && size.fract() > 0.0);
    format!("{size:.decimals$} {unit}")
}

/// The room for stems where the user set none: from what is free on their drive and what they take already.
pub fn default_budget(free: Option<u64>, taken: u64) -> u64 {
    let share = free.map(|free| free.saturating_add(taken) / SHARE_OF_FREE);
    share.map_or(USUAL_BUDGET, |share| share.min(USUAL_BUDGET))
}

/// What stems cost, by the second of sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    pub cpu_secs: f64,
    pub bytes: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            cpu_secs: USUAL_CPU,
            bytes: USUAL_BYTES,
        }
    }
}

impl Pace {
    /// As measured on what is there that models made, or the built-in separation; the usual where nothing is.
    pub fn measured<'a>(rows: impl IntoIterator<Item = &'a Row>, by_model: bool) -> Self {
        let mut sums = (0.0, 0.0, 0.0);
        let made = rows.into_iter().filter_map(|row| {
            let set = row.knowledge.stems.as_deref()?;
            if set.maker.is_model() != by_model {
                return None;
            }
            let record = row.knowledge.records.get(&Artifact::Stems)?;
            Some((set, record.cpu_secs))
        });
        for (set, cpu_secs) in made.take(MOST_MEASURED) {
            sums.0 += set.duration().0;
            sums.1 += f64::from(cpu_secs.max(0.0));
            sums.2 += set.bytes as f64;
        }
        let (secs, cpu_secs, bytes) = sums;
        if secs < 1.0 || !cpu_secs.is_finite() {
            return Self {
                cpu_secs: if by_model {
                    USUAL_CPU_OF_MODEL
                } else {
                    USUAL_CPU
                },
                bytes: USUAL_BYTES,
            };
        }
        Self {
            cpu_secs: cpu_secs / secs,
            bytes: bytes / secs,
        }
    }

    /// What stems of tracks of these lengths will cost on `threads` of them at a time.
    pub fn estimate(
        self,
        lengths: impl IntoIterator<Item = Option<Secs>>,
        threads: usize,
    ) -> Estimate {
        let mut estimate = Estimate::default();
        for length in lengths {
            let secs = length.map_or(USUAL_SECS, |secs| secs.0.max(0.0));
            estimate.tracks += 1;
            estimate.audio_secs += secs;
        }
        let threads = threads.min(estimate.tracks).max(1) as f64;
        estimate.secs = estimate.audio_secs * self.cpu_secs / threads;
        estimate.bytes = self.bytes_for(estimate.audio_secs);
        estimate
    }

    fn bytes_for(self, secs: f64) -> u64 {
        // Casts of floats saturate.
        (secs * self.bytes) as u64
    }
}

/// Time and room that stems will take.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    pub tracks: usize,
    pub audio_secs: f64,
    pub secs: f64,
    pub bytes: u64,
}

/// What the stems of one track are expected to take, in bytes, before any were made.
pub fn expected_bytes(length: Option<Secs>) -> u64 {
    Pace::default().bytes_for(length.map_or(USUAL_SECS, |secs| secs.0.max(0.0)))
}

/// All that sets take.
pub fn taken<'a>(sets: impl IntoIterator<Item = &'a StemSet>) -> u64 {
    sets.into_iter()
        .fold(0, |sum, set| sum.saturating_add(set.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(track: u64, bytes: u64, used: i64, may_go: bool) -> Held {
        Held {
            track: TrackId(track),
            bytes,
            used: Timestamp::from_second(used).unwrap(),
            may_go,
        }
    }

    #[test]
    fn the_least_recently_used_go_first_and_none_that_is_in_use() {
        let sets = vec![
            held(1, 100, 50, true),
            held(2, 100, 10, true),
            held(3, 100, 5, false),
            held(4, 100, 20, true),
        ];
        for (more, budget, expected) in [
            (0, 400, &[][..]),
            (0, 399, &[2]),
            (1, 400, &[2]),
            (100, 400, &[2]),
            (101, 400, &[2, 4]),
            (0, 150, &[2, 4, 1]),
            (300, 400, &[2, 4, 1]),
        ] {
            let gone = evicted(sets.clone(), more, budget).unwrap();
            let gone: Vec<u64> = gone.into_iter().map(|track| track.0).collect();
            assert_eq!(gone, expected, "{more} {budget}");
        }
        for (more, budget) in [(301, 400), (0, 99), (u64::MAX, 400)] {
            let gone = evicted(sets.clone(), more, budget);
            assert_eq!(gone, Err(Crowded(100)), "none goes in vain");
        }
    }

    #[test]
    fn the_usual_room_is_a_fifth_of_what_is_free_and_never_more_than_twenty_gigabytes() {
        for (free, taken, expected) in [
            (None, 7, 20_000_000_000),
            (Some(1_000_000_000_000), 0, 20_000_000_000),
            (Some(10_000_000_000), 0, 2_000_000_000),
            (Some(8_000_000_000), 2_000_000_000, 2_000_000_000),
            (Some(0), 0, 0),
            (Some(u64::MAX), u64::MAX, 20_000_000_000),
        ] {
            assert_eq!(default_budget(free, taken), expected, "{free:?} {taken}");
        }
    }

    #[test]
    fn a_batch_is_estimated_from_its_lengths_also_of_three_hours() {
        let pace = Pace {
            cpu_secs: 0.1,
            bytes: 1_000.0,
        };
        let estimate = pace.estimate([Some(Secs(10_800.0)), Some(Secs(200.0)), None], 2);
        assert_eq!(
            estimate,
            Estimate {
                tracks: 3,
                audio_secs: 11_300.0,
                secs: 565.0,
                bytes: 11_300_000,
            }
        );
        assert_eq!(pace.estimate([], 2), Estimate::default());
        assert_eq!(expected_bytes(Some(Secs(10_800.0))), 3_240_000_000);
        assert_eq!(expected_bytes(Some(Secs(f64::INFINITY))), u64::MAX);
        assert_eq!(expected_bytes(Some(Secs(f64::NAN))), 0);
    }

    #[test]
    fn why_there_is_no_room_is_said_with_what_to_do() {
        for (bytes, stays, budget, words) in [
            (90_000_000, 0, 50_000_000, "may take 50 MB"),
            (
                90_000_000,
                60_000_000,
                100_000_000,
                "60 MB are taken by those",
            ),
        ] {
            let room = StemRoom {
                bytes: budget,
                is_chosen: true,
            };
            let failure = refusal(bytes, Crowded(stays), room);
            assert!(failure.message.contains(words), "{}", failure.message);
            assert!(failure.message.contains("90 MB"), "{}", failure.message);
            assert_eq!(failure.kind, FailureKind::Storage);
        }
        assert_eq!((lacking(10, 10), lacking(11, 10)), (0, 1));
        for (bytes, is_chosen, first) in [
            (50_000_000, false, "Free space on the drive"),
            (50_000_000, true, "Allow more room"),
            (20_000_000_000, false, "Allow more room"),
        ] {
            let failure = refusal(90_000_000_000, Crowded(0), StemRoom { bytes, is_chosen });
            assert!(failure.remedy.starts_with(first), "{}", failure.remedy);
        }
    }
}
