//! The colours of a picture: those of the window's dark theme.

use crate::harmony::{Chord, Key, Mode, PitchClass};

/// sRGB, 0 to 255 a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rgb(pub [f32; 3]);

impl Rgb {
    const fn hex(hex: u32) -> Self {
        Self([
            (hex >> 16 & 0xff) as f32,
            (hex >> 8 & 0xff) as f32,
            (hex & 0xff) as f32,
        ])
    }

    /// `share` 0 gives this colour, 1 the other.
    pub(super) fn mix(self, other: Self, share: f32) -> Self {
        let [r, g, b] = self.0;
        let [or, og, ob] = other.0;
        let mix = |a: f32, b: f32| a + (b - a) * share;
        Self([mix(r, or), mix(g, og), mix(b, ob)])
    }

    /// `HSLuv` (hsluv.org): hue in degrees, saturation and lightness 0 to 100. Equal lightness looks equal.
    pub(super) fn hsluv(hue: f32, saturation: f32, lightness: f32) -> Self {
        hsluv::to_rgb(hue, saturation, lightness)
    }
}

pub(super) const BACKGROUND: Rgb = Rgb::hex(0x000E_1015);
pub(super) const WAVE_BACKGROUND: Rgb = Rgb::hex(0x000B_0D12);
pub(super) const PANEL_EDGE: Rgb = Rgb::hex(0x001C_2029);
pub(super) const TEXT: Rgb = Rgb::hex(0x00E8_EBF2);
pub(super) const TEXT_MUTED: Rgb = Rgb::hex(0x0098_A1B3);
pub(super) const TEXT_FAINT: Rgb = Rgb::hex(0x0064_6D80);
pub(super) const DOWNBEAT: Rgb = Rgb::hex(0x00FF_5555);
pub(super) const BEAT: Rgb = Rgb::hex(0x00FF_FFFF);
pub(super) const NO_CHORD: Rgb = Rgb::hex(0x003A_4150);

/// Which bands sound at one height: bit 0 low, bit 1 mid, bit 2 high.
pub(super) const REGIONS: [Rgb; 8] = [
    Rgb::hex(0x001C_5CF2),
    Rgb::hex(0x001C_5CF2),
    Rgb::hex(0x00FF_9F1C),
    Rgb::hex(0x00C1_721E),
    Rgb::hex(0x00EC_F1FF),
    Rgb::hex(0x00A8_C1FF),
    Rgb::hex(0x00FF_E2B2),
    Rgb::hex(0x00F8_F1E3),
];

/// The colour of a key: its place on the wheel of fifths, minor darker than major.
pub(super) fn key_colour(key: Key) -> Rgb {
    let lightness = match key.mode {
        Mode::Major => 68.0,
        Mode::Minor => 55.0,
    };
    Rgb::hsluv(f32::from(key.camelot_number()) * 30.0, 70.0, lightness)
}

/// The same hue, light enough for text on a dark ground.
pub(super) fn key_text_colour(key: Key) -> Rgb {
    Rgb::hsluv(f32::from(key.camelot_number()) * 30.0, 75.0, 74.0)
}

/// The colour of the key whose tonic triad the chord stands on.
pub(super) fn chord_colour(chord: Chord) -> Rgb {
    key_colour(Key {
        tonic: PitchClass::new(chord.root.semitones()),
        mode: chord.third(),
    })
}

mod hsluv {
    use super::Rgb;

    /// Linear sRGB from CIE XYZ (D65).
    const FROM_XYZ: [[f64; 3]; 3] = [
        [
            3.240_969_941_904_521,
            -1.537_383_177_570_093,
            -0.498_610_760_293,
        ],
        [
            -0.969_243_636_280_87,
            1.875_967_501_507_72,
            0.041_555_057_407_175,
        ],
        [
            0.055_630_079_696_993,
            -0.203_976_958_888_97,
            1.056_971_514_242_878,
        ],
    ];
    /// CIE 1976 constants and the white point's u' and v'.
    const KAPPA: f64 = 903.296_296_296_296_3;
    const EPSILON: f64 = 0.008_856_451_679_035_631;
    const WHITE_U: f64 = 0.197_830_006_642_836_83;
    const WHITE_V: f64 = 0.468_319_994_938_791;

    pub(super) fn to_rgb(hue: f32, saturation: f32, lightness: f32) -> Rgb {
        let (hue, l) = (f64::from(hue).to_radians(), f64::from(lightness));
        let chroma = most_chroma(l, hue) * f64::from(saturation) / 100.0;
        let (u, v) = (chroma * hue.cos(), chroma * hue.sin());
        let (u, v) = (u / (13.0 * l) + WHITE_U, v / (13.0 * l) + WHITE_V);
        let y = if l > 8.0 {
            ((l + 16.0) / 116.0).powi(3)
        } else {
            l / KAPPA
        };
        let x = 9.0 * y * u / (4.0 * v);
        let z = y * (12.0 - 3.0 * u - 20.0 * v) / (4.0 * v);
        Rgb(FROM_XYZ.map(|[from_x, from_y, from_z]| {
            let linear = from_x * x + from_y * y + from_z * z;
            (gamma(linear) * 255.0).clamp(0.0, 255.0) as f32
        }))
    }

    fn gamma(linear: f64) -> f64 {
        if linear <= 0.003_130_8 {
            12.92 * linear
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        }
    }

    /// How far from grey sRGB reaches at this lightness in this direction: the nearest of the six lines
    /// where a channel is 0 or 1.
    fn most_chroma(l: f64, hue: f64) -> f64 {
        let cubed = (l + 16.0).powi(3) / 1_560_896.0;
        let level = if cubed > EPSILON { cubed } else { l / KAPPA };
        let mut nearest = f64::INFINITY;
        for [m1, m2, m3] in FROM_XYZ {
            for limit in [0.0, 1.0] {
                let run = (284_517.0 * m1 - 94_839.0 * m3) * level;
                let rise = (838_422.0 * m3 + 769_860.0 * m2 + 731_718.0 * m1) * l * level
                    - 769_860.0 * limit * l;
                let scale = (632_260.0 * m3 - 126_452.0 * m2) * level + 126_452.0 * limit;
                let (slope, offset) = (run / scale, rise / scale);
                let length = offset / (hue.sin() - slope * hue.cos());
                if length >= 0.0 {
                    nearest = nearest.min(length);
                }
            }
        }
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harmony::Quality;

    #[test]
    fn hsluv_agrees_with_published_colours() {
        for (hue, saturation, lightness, rgb) in [
            (12.177, 100.0, 53.237, [255.0, 0.0, 0.0]),
            (127.715, 100.0, 87.735, [0.0, 255.0, 0.0]),
            (265.874, 100.0, 32.3, [0.0, 0.0, 255.0]),
            (0.0, 0.0, 100.0, [255.0, 255.0, 255.0]),
        ] {
            let colour = Rgb::hsluv(hue, saturation, lightness);
            for (found, wanted) in colour.0.into_iter().zip(rgb) {
                assert!((found - wanted).abs() < 1.5, "{colour:?} for {rgb:?}");
            }
        }
    }

    #[test]
    fn neighbours_in_harmony_share_hues_and_major_is_brighter() {
        let colour = |root: u8, quality| {
            chord_colour(Chord {
                root: PitchClass::new(root),
                quality,
                bass: None,
            })
        };
        let sum = |rgb: Rgb| rgb.0.iter().sum::<f32>();
        assert!(sum(colour(0, Quality::Major)) > sum(colour(9, Quality::Minor)));
        assert_eq!(colour(0, Quality::Major), colour(0, Quality::Dominant7));
        assert_eq!(
            colour(9, Quality::Minor),
            key_colour(Key::parse("8A").unwrap())
        );
        assert_ne!(colour(0, Quality::Major), colour(7, Quality::Major));
    }
}
