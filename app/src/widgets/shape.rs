//! A column of a waveform as heights and colours: the one law that every drawing of a waveform follows.
//!
//! The shader does the same arithmetic; a test holds the two together.

use crate::theme;
use eframe::egui::Color32;
use tonearm_core::waveform::Column;

/// How steep heights are over levels: soft passages stay visible beside loud ones.
pub const LAW: f32 = 0.8;

/// What sounds in one column: levels 0 to 1 of full scale, `up` and `down` from the centre line.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shape {
    pub up: f32,
    pub down: f32,
    pub rms: f32,
    /// Low, mid, high.
    pub bands: [f32; 3],
}

impl Shape {
    pub fn of(column: Column) -> Self {
        let level = |companded: u8| (f32::from(companded) / 255.0).powi(2);
        Self {
            up: (f32::from(column.max) / 127.0).max(0.0),
            down: (f32::from(column.min) / -127.0).max(0.0),
            rms: level(column.rms),
            bands: [level(column.low), level(column.mid), level(column.high)],
        }
    }

    pub fn peak(&self) -> f32 {
        self.up.max(self.down)
    }

    /// Levels to heights, both 0 to 1; `gain` as of [`filling_gain`], `law` as [`LAW`].
    #[must_use]
    pub fn raised(&self, gain: f32, law: f32) -> Self {
        let raise = |level: f32| (level * gain).clamp(0.0, 1.0).powf(law);
        let [low, mid, high] = self.bands;
        let (up, down) = (raise(self.up), raise(self.down));
        let peak = up.max(down);
        let high = crushed(high * gain).clamp(0.0, 1.0).powf(law);
        Self {
            up,
            down,
            rms: raise(self.rms),
            bands: [raise(low).min(peak), raise(mid).min(peak), high.min(peak)],
        }
    }

    /// The bands, tallest first, each with the colour of all that sound below its height.
    /// `palette`: as of [`theme::BANDS`].
    pub fn regions(&self, palette: &[Color32; 7]) -> [(f32, Color32); 3] {
        let [low, mid, high] = self.bands;
        let mut bands = [(low, 1_usize), (mid, 2), (high, 4)];
        bands.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut sounding = 0;
        bands.map(|(height, bit)| {
            sounding |= bit;
            (height, region(palette, sounding))
        })
    }
}

/// Weak highs weaker still, so that white stands for transients and not for every cymbal's tail.
fn crushed(level: f32) -> f32 {
    0.5 - 0.5 * (std::f32::consts::PI * (level * 1.3).clamp(0.0, 1.0)).cos()
}

/// The colour of the bands in `bits`: low 1, mid 2, high 4.
fn region(palette: &[Color32; 7], bits: usize) -> Color32 {
    let found = palette.get(bits.wrapping_sub(1));
    found.copied().unwrap_or(theme::WAVE)
}

/// The gain at which a track nearly fills its strip: its loudest moments, but for the few that stand out.
/// Quiet recordings are raised by 18 dB at most, so that noise stays noise.
pub fn filling_gain(coarse: &[Column]) -> f32 {
    let mut peaks: Vec<f32> = coarse.iter().map(|it| Shape::of(*it).peak()).collect();
    peaks.sort_by(f32::total_cmp);
    let loud = peaks.get(peaks.len() * 9 / 10).copied().unwrap_or(0.0);
    let loudest = peaks.last().copied().unwrap_or(0.0);
    if loudest <= 0.0 {
        return 1.0;
    }
    (0.94 / loud.max(0.6 * loudest)).min(8.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tallest_band_is_outermost_and_all_sound_at_the_centre() {
        let shape = Shape {
            up: 1.0,
            down: 1.0,
            rms: 0.5,
            bands: [0.9, 0.2, 0.4],
        };
        let [outer, middle, inner] = shape.regions(&theme::BANDS);
        assert_eq!(outer, (0.9, theme::BANDS[0]));
        assert_eq!(middle, (0.4, theme::BANDS[4]));
        assert_eq!(inner, (0.2, theme::BANDS[6]));
    }

    #[test]
    fn no_band_reaches_beyond_the_sound_itself() {
        let quiet = Shape {
            up: 0.1,
            down: 0.05,
            rms: 0.02,
            bands: [1.0, 1.0, 1.0],
        };
        let raised = quiet.raised(2.0, LAW);
        assert!(raised.bands.iter().all(|band| *band <= raised.up));
    }

    #[test]
    fn gain_fills_the_strip_but_leaves_noise_low() {
        let peak = |max: i8| Column {
            max,
            ..Column::default()
        };
        assert_eq!(filling_gain(&[]), 1.0);
        assert_eq!(filling_gain(&[Column::default()]), 1.0);
        assert!((filling_gain(&[peak(127); 9]) - 0.94).abs() < 1e-6);
        assert_eq!(filling_gain(&[peak(1); 9]), 8.0);
        // One click does not make a quiet track look silent.
        let mut columns = [peak(40); 50];
        columns[7] = peak(127);
        assert!(filling_gain(&columns) > 1.5);
    }
}
