//! Which stems are heard: what the listener chose, and the gains that it comes to.

use super::mixer::{Levels, ORIGINAL};
use crate::stems::Stem;

/// Stems that are on, one that is heard alone, and how loud each is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StemMix {
    /// In the order of [`Stem::ALL`].
    on: [bool; 4],
    solo: Option<Stem>,
    /// Linear, 0 to 1.
    volume: [f32; 4],
}

impl Default for StemMix {
    fn default() -> Self {
        Self {
            on: [true; 4],
            solo: None,
            volume: [1.0; 4],
        }
    }
}

impl StemMix {
    /// Only these, at their own level.
    pub fn only(stems: &[Stem]) -> Self {
        Self {
            on: Stem::ALL.map(|stem| stems.contains(&stem)),
            ..Self::default()
        }
    }

    /// Whether it is to be heard now.
    pub fn is_audible(&self, stem: Stem) -> bool {
        match self.solo {
            Some(solo) => solo == stem,
            None => self.on[stem as usize],
        }
    }

    pub fn solo(&self) -> Option<Stem> {
        self.solo
    }

    pub fn volume(&self, stem: Stem) -> f32 {
        self.volume[stem as usize]
    }

    /// Turns a stem off or on. While one is heard alone, the others that were heard before it do not come back: what is
    /// audible is what is counted from.
    #[must_use]
    pub fn toggled(mut self, stem: Stem) -> Self {
        self.on = Stem::ALL.map(|other| self.is_audible(other));
        self.solo = None;
        self.on[stem as usize] ^= true;
        self
    }

    /// Hears a stem alone, or again what was heard before.
    #[must_use]
    pub fn solo_toggled(mut self, stem: Stem) -> Self {
        self.solo = (self.solo != Some(stem)).then_some(stem);
        self
    }

    /// `volume`: linear, 0 to 1; anything else is brought there.
    #[must_use]
    pub fn with_volume(mut self, stem: Stem, volume: f32) -> Self {
        if volume.is_finite() {
            self.volume[stem as usize] = volume.clamp(0.0, 1.0);
        }
        self
    }

    /// All four as they are: then the track itself is heard.
    pub fn is_whole(&self) -> bool {
        Stem::ALL.map(|stem| self.level(stem)) == [1.0; 4]
    }

    fn level(&self, stem: Stem) -> f32 {
        if self.is_audible(stem) {
            self.volume(stem)
        } else {
            0.0
        }
    }

    pub(super) fn levels(&self) -> Levels {
        if self.is_whole() {
            return ORIGINAL;
        }
        let [drums, bass, other, vocals] = Stem::ALL.map(|stem| self.level(stem));
        [0.0, drums, bass, other, vocals]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stem::{Bass, Drums, Other, Vocals};

    fn heard(mix: StemMix) -> Vec<Stem> {
        let all = Stem::ALL.into_iter();
        all.filter(|stem| mix.is_audible(*stem)).collect()
    }

    #[test]
    fn toggles_and_solos_do_what_a_mixer_does() {
        let all = StemMix::default();
        let cases = [
            (all, vec![Drums, Bass, Other, Vocals]),
            (all.toggled(Vocals), vec![Drums, Bass, Other]),
            (
                all.toggled(Vocals).toggled(Vocals),
                vec![Drums, Bass, Other, Vocals],
            ),
            (all.solo_toggled(Bass), vec![Bass]),
            (all.toggled(Bass).solo_toggled(Bass), vec![Bass]),
            (all.solo_toggled(Bass).solo_toggled(Drums), vec![Drums]),
            (
                all.toggled(Bass).solo_toggled(Drums).solo_toggled(Drums),
                vec![Drums, Other, Vocals],
            ),
            (all.solo_toggled(Bass).toggled(Drums), vec![Drums, Bass]),
            (StemMix::only(&[Drums, Vocals]), vec![Drums, Vocals]),
            (StemMix::only(&[]), vec![]),
        ];
        for (number, (mix, expected)) in cases.into_iter().enumerate() {
            assert_eq!(heard(mix), expected, "case {number}");
        }
    }

    #[test]
    fn all_four_at_their_own_level_are_the_track_itself() {
        let all = StemMix::default();
        assert_eq!(all.levels(), [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(all.toggled(Bass).levels(), [0.0, 1.0, 0.0, 1.0, 1.0]);
        let softer = all.with_volume(Vocals, 0.25);
        assert_eq!(softer.levels(), [0.0, 1.0, 1.0, 1.0, 0.25]);
        assert_eq!(softer.with_volume(Vocals, 1.0).levels(), ORIGINAL);
        let damaged = all.with_volume(Drums, f32::NAN).with_volume(Bass, 7.0);
        assert_eq!(damaged.levels(), ORIGINAL);
    }
}
