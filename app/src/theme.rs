//! All colours, sizes and fonts of the window. The only file that makes colours.

pub mod icon;

mod fonts;
mod style;

pub use fonts::strong;
pub use style::{install, style};

use eframe::egui::Color32;
use tonearm_core::harmony::{Key, Mode};

const fn hex(rgb: u32) -> Color32 {
    Color32::from_rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
}

pub const APP: Color32 = hex(0x0E_10_15);
pub const PANEL: Color32 = hex(0x14_17_1E);
pub const RAISED: Color32 = hex(0x1C_20_29);
pub const WAVE: Color32 = hex(0x0B_0D_12);
pub const HOVER: Color32 = hex(0x24_2A_36);
pub const LINE: Color32 = hex(0x2A_30_3C);
pub const TEXT: Color32 = hex(0xE8_EB_F2);
pub const TEXT_MUTED: Color32 = hex(0x98_A1_B3);
pub const TEXT_FAINT: Color32 = hex(0x64_6D_80);
pub const ACCENT: Color32 = hex(0x5B_8C_FF);
/// Behind a selected row.
pub const ACCENT_BACK: Color32 = hex(0x1E_2B_4D);
pub const OK: Color32 = hex(0x4C_C3_8A);
pub const WARN: Color32 = hex(0xF5_B8_3D);
pub const ERROR: Color32 = hex(0xF2_55_5A);
pub const PLAYHEAD: Color32 = hex(0xFF_4D_4D);
/// Drawn with alpha 0.75.
pub const DOWNBEAT: Color32 = hex(0xFF_55_55);
/// On chips in a key's colour.
pub const ON_CHIP: Color32 = hex(0x0E_10_15);
/// Under whatever floats.
pub const SHADOW: Color32 = Color32::from_black_alpha(140);
/// Over the page when something lies above it.
pub const VEIL: Color32 = Color32::from_black_alpha(150);
pub const NO_CHORD: Color32 = hex(0x3A_41_50);

/// Regions of the three-band waveform: low, mid, low+mid, high, low+high, mid+high, all. Index: bits low 1,
/// mid 2, high 4, less one.
pub const BANDS: [Color32; 7] = [
    hex(0x1C_5C_F2),
    hex(0xFF_9F_1C),
    hex(0xC1_72_1E),
    hex(0xEC_F1_FF),
    hex(0xA8_C1_FF),
    hex(0xFF_E2_B2),
    hex(0xF8_F1_E3),
];

/// Drums, bass, other, vocals.
pub const STEMS: [Color32; 4] = [
    hex(0x4C_C9_F0),
    hex(0xE9_45_60),
    hex(0x57_D1_8A),
    hex(0xC7_7D_FF),
];

/// The regions of [`BANDS`] for a waveform that is all of one colour: lighter where more of it sounds.
pub fn bands_of(colour: Color32) -> [Color32; 7] {
    [0.0, 0.12, 0.2, 0.45, 0.55, 0.6, 0.72].map(|light| colour.lerp_to_gamma(TEXT, light))
}

/// The same for what is shown but not heard.
pub fn bands_of_silent() -> [Color32; 7] {
    [0.3, 0.34, 0.38, 0.42, 0.45, 0.48, 0.5].map(|light| WAVE.lerp_to_gamma(TEXT_FAINT, light))
}

/// Decks in the order in which they are shown.
pub const DECKS: [Color32; 4] = [
    hex(0x3F_A7_FF),
    hex(0xFF_8A_3D),
    hex(0x5F_D3_8D),
    hex(0xD2_7B_FF),
];

/// Silence is a line, not a hole.
pub const CENTRE_LINE: Color32 = Color32::from_rgba_unmultiplied_const(255, 255, 255, 36);
/// The trace of single samples.
pub const SAMPLES: Color32 = hex(0xF4_F6_FB);

/// Heights and gaps in points.
pub const ROW: f32 = 26.0;
pub const ROW_COMPACT: f32 = 22.0;
pub const CONTROL: f32 = 28.0;
pub const RADIUS: f32 = 6.0;
pub const PADDING: f32 = 12.0;

/// The colour of a key: one hue for each place on the wheel of fifths, lighter for major.
pub fn key(key: Key) -> Color32 {
    let lightness = match key.mode {
        Mode::Minor => 0.62,
        Mode::Major => 0.74,
    };
    hue(30.0 * f32::from(key.camelot_number()), lightness)
}

/// A colour of even saturation; `degrees` on the colour wheel.
fn hue(degrees: f32, lightness: f32) -> Color32 {
    let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * 0.7;
    let channel = |shift: f32| {
        let place = (degrees / 30.0 + shift).rem_euclid(12.0);
        let part = (place - 3.0).min(9.0 - place).clamp(-1.0, 1.0);
        ((lightness - chroma / 2.0 * part) * 255.0).round() as u8
    };
    Color32::from_rgb(channel(0.0), channel(8.0), channel(4.0))
}
