//! What was wrong with a file that could be decoded all the same, in words.

use crate::failure::{Failure, FailureKind};
use crate::units::Secs;

/// Packets that a healthy file may lose: what stands between tags and sound is not always told from sound.
const HARMLESS_PACKETS: u64 = 2;

/// What is shorter is no loss to be told of.
const HARMLESS_SECS: f64 = 0.1;

/// What was wrong with a file that could be decoded all the same.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Damage {
    /// Packets that could not be decoded; silence stands in their place.
    pub skipped_packets: u64,
    /// Samples that are no numbers, or beyond all reason; silence stands in their place.
    pub bad_samples: u64,
    /// What is not there, while more comes after it.
    pub lost: Secs,
    /// Where the first of all that begins, as far as that is known.
    pub first: Option<Secs>,
    /// Where the first piece is that is of no use, harmless or not.
    first_skipped: Option<Secs>,
    pub end: End,
}

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum End {
    /// Where it should.
    #[default]
    Complete,
    /// Before its container says that it would: after so much, where the container tells.
    Early { promised: Option<Secs> },
    /// It goes on, but what follows makes no sense.
    Unreadable,
}

impl Damage {
    /// A piece of the file is of no use.
    pub(super) fn skip(&mut self, at: Secs) {
        self.skipped_packets += 1;
        let first = *self.first_skipped.get_or_insert(at);
        if self.skipped_packets > HARMLESS_PACKETS {
            self.first.get_or_insert(first);
        }
    }

    pub(super) fn spoil(&mut self, samples: u64, at: Secs) {
        self.bad_samples += samples;
        self.first.get_or_insert(at);
    }

    /// The container goes on after a gap.
    pub(super) fn lose(&mut self, lost: Secs, at: Secs) {
        self.lost.0 += lost.0;
        self.first.get_or_insert(at);
    }

    /// No sound is missing after all.
    pub(super) fn without_gaps(mut self) -> Self {
        if self.lost.0 > 0.0 {
            self.lost = Secs(0.0);
            let is_other = self.bad_samples > 0 || self.skipped_packets > HARMLESS_PACKETS;
            self.first = self.first.filter(|_| is_other);
        }
        self
    }

    /// What becomes of it when a file ended where more was `promised`. What is `missing` is lost within it or after its end.
    pub(super) fn ended(mut self, promised: Secs, missing: Secs, is_within: bool) -> Self {
        if is_within {
            self.lost.0 += missing.0;
            self.first = self.first.or(self.first_skipped);
        } else if self.end != End::Unreadable {
            self.end = End::Early {
                promised: Some(promised),
            };
        }
        self
    }

    /// Whether the file ends before its container says that it would.
    pub fn is_cut_off(&self) -> bool {
        matches!(self.end, End::Early { .. })
    }

    /// Damage that the user should know of, in a file of which `heard` could be decoded.
    pub fn failure(&self, heard: Secs) -> Option<Failure> {
        let message = self.message(heard)?;
        let remedy = "Get the file again from where it came, then import it again";
        Some(Failure::new(FailureKind::Damaged, message, remedy))
    }

    fn message(&self, heard: Secs) -> Option<String> {
        let place = match self.first {
            Some(first) => format!("the file is damaged at {}", clock(first)),
            None => "the file is damaged".to_owned(),
        };
        match self.end {
            End::Early { promised } => {
                let whole = promised.map(|whole| format!(" of {}", clock(whole)));
                let whole = whole.unwrap_or_default();
                return Some(format!(
                    "the file is cut off: it ends after {}{whole}, and that much can be played",
                    clock(heard)
                ));
            }
            End::Unreadable => {
                return Some(format!(
                    "the file is damaged: nothing after {} can be read, and what is before can be played",
                    clock(heard)
                ));
            }
            End::Complete => {}
        }
        if self.lost.0 > HARMLESS_SECS {
            let lost = self.lost.0;
            return Some(format!(
                "{place}: {lost:.1} s of it are lost, and the rest can be played"
            ));
        }
        if self.skipped_packets > HARMLESS_PACKETS {
            let count = self.skipped_packets;
            return Some(format!(
                "{place}: {count} pieces of it cannot be decoded and are silent, and the rest can be played"
            ));
        }
        let [count, are] = match self.bad_samples {
            0 => return None,
            1 => ["1 sample".to_owned(), "is".to_owned()],
            count => [format!("{count} samples"), "are".to_owned()],
        };
        Some(format!(
            "{place}: {count} of it {are} no sound but a fault of the program that wrote it; silence stands there"
        ))
    }
}

/// `3:05`, `1:02:03`.
fn clock(secs: Secs) -> String {
    let total = secs.0.max(0.0) as u64;
    let (hours, minutes, secs) = (total / 3600, total / 60 % 60, total % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_as_cut_off_only_where_it_ends_early() {
        let at = |secs| Some(Secs(secs));
        let cut = |promised| Damage {
            end: End::Early { promised },
            ..Damage::default()
        };
        let told = |damage: Damage| damage.failure(Secs(65.4)).map(|it| it.message);
        assert_eq!(told(Damage::default()), None);
        for (damage, words) in [
            (cut(at(3_700.0)), "cut off: it ends after 1:05 of 1:01:40"),
            (cut(None), "cut off: it ends after 1:05,"),
            (
                Damage {
                    end: End::Unreadable,
                    ..Damage::default()
                },
                "nothing after 1:05 can be read",
            ),
            (
                Damage {
                    lost: Secs(0.25),
                    skipped_packets: 9,
                    first: at(30.9),
                    ..Damage::default()
                },
                "damaged at 0:30: 0.2 s of it are lost, and the rest can be played",
            ),
            (
                Damage {
                    skipped_packets: 3,
                    ..Damage::default()
                },
                "the file is damaged: 3 pieces",
            ),
            (
                Damage {
                    bad_samples: 1,
                    first: at(0.0),
                    ..Damage::default()
                },
                "damaged at 0:00: 1 sample of it is no sound",
            ),
        ] {
            let told = told(damage).unwrap();
            assert!(told.contains(words), "{told}");
            assert_eq!(told.contains("cut off"), damage.is_cut_off(), "{told}");
        }
    }
}
