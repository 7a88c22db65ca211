//! Sleeves for the music of virtual players, drawn by their titles: rings in two colours.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Pixels a side.
const SIDE: u32 = 256;
/// Width of a ring, pixels.
const RING: f32 = 14.0;

/// A PNG, the same for the same title. `None`: it cannot be written.
pub(super) fn drawn(title: &str) -> Option<Vec<u8>> {
    let mut hasher = DefaultHasher::new();
    title.hash(&mut hasher);
    let seed = hasher.finish();
    let part = |shift: u32| (seed >> shift & 0xff) as f32 / 255.0;
    let (ground, ink) = (colour(part(0)), colour(part(0) + 0.3 + 0.4 * part(8)));
    let (x, y) = (part(16) * SIDE as f32, part(24) * SIDE as f32);
    let mut rgb = Vec::with_capacity((SIDE * SIDE * 3) as usize);
    for row in 0..SIDE {
        for column in 0..SIDE {
            let away = (column as f32 - x).hypot(row as f32 - y);
            let is_ink = (away / RING) as u32 % 2 == 1;
            rgb.extend(if is_ink { ink } else { ground });
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&rgb).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

/// A strong colour of this hue, 0 to 1 and around again.
fn colour(hue: f32) -> [u8; 3] {
    [0.0, 1.0 / 3.0, 2.0 / 3.0].map(|turn| {
        let wave = (std::f32::consts::TAU * (hue + turn)).cos();
        (130.0 + 95.0 * wave) as u8
    })
}
