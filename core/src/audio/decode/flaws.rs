//! What is wrong with a file, noted while it is decoded: where, and once.

use super::{Decoder, Place, SLACK};
use crate::audio::damage::Damage;
use crate::audio::source::Family;
use crate::units::Secs;

impl Decoder {
    /// The damage of a file that ended at `heard`, where its container promised more.
    pub fn damage_of_end(&self, heard: Secs, promised: Secs) -> Damage {
        let [behind, slack] = [self.behind, SLACK].map(|it| self.secs(it).0);
        if promised.0 - heard.0 <= slack {
            // All of it is there: where time stamps jumped, it was only they.
            return self.damage.without_gaps();
        }
        let missing = Secs(promised.0 - heard.0 - behind);
        // From the middle on it cannot be told what of an MPEG stream is missing, and where.
        let is_unknown = self.source.family == Family::Mpeg && !self.linear;
        if missing.0 <= slack || is_unknown {
            return self.damage;
        }
        let is_within = self.source.family == Family::Mpeg && self.has_bytes_of(missing);
        self.damage.ended(promised, missing, is_within)
    }

    /// MPEG frames do not say where they belong: what is lost among them shows only in the bytes that are there and were
    /// of no use.
    fn has_bytes_of(&self, missing: Secs) -> bool {
        let spare = self.source.bytes.saturating_sub(self.payload_bytes);
        let per_sec = self.payload_bytes as f64 / self.secs(self.raw).0.max(0.1);
        spare as f64 > 0.5 * missing.0 * per_sec
    }

    /// Where every packet stands alone, the samples are what somebody wrote; elsewhere the packet was not what it seemed.
    pub(super) fn note_bad(&mut self, samples: u64) {
        if self.source.family == Family::Lossless {
            self.damage.spoil(samples, self.at());
        } else {
            self.damage.skip(self.at());
        }
    }

    /// The raw frame that comes next, as far as that is known.
    fn here(&self) -> u64 {
        match self.place {
            Place::Known => self.raw,
            Place::Anchoring | Place::Overshot => self.wanted,
        }
    }

    /// Whether what comes next was not decoded before: what is wrong with it counts once, however often it is heard.
    pub(super) fn is_news(&self) -> bool {
        self.here() >= self.furthest
    }

    /// Where we are on the timeline, by what the container told.
    fn at(&self) -> Secs {
        let here = self.here().saturating_add(self.behind);
        self.secs(here.saturating_sub(self.source.presented.start))
    }

    pub(super) fn skip(&mut self) {
        if self.is_news() {
            self.damage.skip(self.at());
        }
    }

    /// Packets that are missing before one with this time stamp. Where it is not known which frame comes next, or time
    /// stamps do not count frames, nothing is to be told.
    pub(super) fn note_gap(&mut self, stamp: i64) {
        if self.place != Place::Known || !self.source.stamps_are_frames {
            return;
        }
        let due = u64::try_from(stamp.saturating_sub(self.origin)).unwrap_or(0);
        let gap = due.saturating_sub(self.raw.saturating_add(self.behind));
        if gap <= SLACK {
            return;
        }
        if self.is_news() {
            self.damage.lose(self.secs(gap), self.at());
        }
        self.behind += gap;
    }
}
