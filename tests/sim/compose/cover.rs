//! A small picture for each piece: a record, its label and the arm that plays it.

use std::f64::consts::{PI, TAU};

/// Width and height in pixels.
const SIDE: u32 = 300;

/// Draws the cover in `hue` (0 to 1 around the colour circle) as a PNG file in memory.
pub(crate) fn draw(hue: f64) -> Result<Vec<u8>, png::EncodingError> {
    let mut pixels = Vec::with_capacity((SIDE * SIDE * 3) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            pixels.extend(pixel(hue, x, y));
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

/// The mean of a few points inside the pixel, so that edges are smooth.
fn pixel(hue: f64, x: u32, y: u32) -> [u8; 3] {
    const POINTS: [f64; 3] = [1.0 / 6.0, 0.5, 5.0 / 6.0];
    let mut sum = [0.0; 3];
    for down in POINTS {
        for right in POINTS {
            let across = 2.0 * (f64::from(x) + right) / f64::from(SIDE) - 1.0;
            let along = 2.0 * (f64::from(y) + down) / f64::from(SIDE) - 1.0;
            for (total, part) in sum.iter_mut().zip(point(hue, across, along)) {
                *total += part / 9.0;
            }
        }
    }
    // Few steps of brightness keep the file small.
    sum.map(|value| ((value.clamp(0.0, 1.0) * 63.0).round() * 255.0 / 63.0) as u8)
}

/// Colour at a point of the picture, both coordinates from -1 to 1.
fn point(hue: f64, x: f64, y: f64) -> [f64; 3] {
    if near_arm(x, y) {
        return [0.93, 0.92, 0.88];
    }
    let (across, along) = (x + 0.12, y - 0.1);
    let radius = across.hypot(along);
    if radius > 0.78 {
        let stripe = ((x - y) * 4.0).floor().rem_euclid(2.0) * 0.04;
        return colour(hue, 0.62, 0.30 + stripe);
    }
    if radius < 0.025 {
        return [0.05; 3];
    }
    if radius < 0.27 {
        let ring = if radius > 0.24 { 0.86 } else { 0.72 };
        return colour(hue + 0.06, 0.75, ring);
    }
    // Grooves shine in two opposite fans, as vinyl does under a lamp.
    let angle = along.atan2(across);
    let shine = (2.0 * angle + 0.9).cos().max(0.0).powi(6) * 0.22;
    let groove = ((radius * 26.0).fract() - 0.5).abs() * 0.05;
    let gap = if (radius * 5.2).fract() < 0.05 {
        0.05
    } else {
        0.0
    };
    [0.07 + shine + groove + gap; 3]
}

/// Whether a point lies on the arm: a pivot, a tube and a head.
fn near_arm(x: f64, y: f64) -> bool {
    let pivot = (x - 0.78).hypot(y + 0.74) < 0.11;
    let tube = near_line([0.78, -0.74], [0.62, 0.22], [x, y]) < 0.018;
    let bend = near_line([0.62, 0.22], [0.38, 0.48], [x, y]) < 0.018;
    let head = near_line([0.40, 0.46], [0.34, 0.525], [x, y]) < 0.045;
    pivot || tube || bend || head
}

fn near_line(from: [f64; 2], to: [f64; 2], point: [f64; 2]) -> f64 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let out = [point[0] - from[0], point[1] - from[1]];
    let way = (out[0] * along[0] + out[1] * along[1]) / (along[0].powi(2) + along[1].powi(2));
    let way = way.clamp(0.0, 1.0);
    (out[0] - way * along[0]).hypot(out[1] - way * along[1])
}

/// A colour of a hue: three cosines a third of a turn apart.
fn colour(hue: f64, strength: f64, light: f64) -> [f64; 3] {
    [0.0, 1.0 / 3.0, 2.0 / 3.0].map(|shift| {
        let wave = 0.5 + 0.5 * ((hue - shift) * TAU + PI / 6.0).cos();
        light * (1.0 - strength + strength * wave)
    })
}
