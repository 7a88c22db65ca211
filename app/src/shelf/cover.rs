//! Covers: decoded within limits, scaled down, on an opaque ground.

use super::{Art, ArtSize};
use image::imageops::FilterType;
use image::{DynamicImage, ImageError, ImageReader, Limits};
use std::io::Cursor;
use tonearm_core::failure::{Failure, FailureKind};

/// Pixels a side.
const MOST_SIDE: u32 = 8_192;
/// Bytes that decoding may take.
const MOST_BYTES: u64 = 64 << 20;
/// What shows through transparent pixels, in each channel: close to the panels' own grey.
const GROUND: u32 = 0x1c;

/// The picture in `bytes`, in its own proportions, no larger than `size`.
pub(super) fn scaled(bytes: &[u8], size: ArtSize) -> Result<Art, Failure> {
    let picture = decode(bytes).map_err(|error| match error {
        ImageError::Unsupported(_) => failed(
            FailureKind::Unsupported,
            "the cover is a picture of a kind that we cannot show",
        ),
        ImageError::Limits(_) => failed(
            FailureKind::Unsupported,
            "the cover is too large to be shown",
        ),
        _ => failed(FailureKind::Damaged, "the cover is damaged"),
    })?;
    if picture.width() == 0 || picture.height() == 0 {
        return Err(failed(FailureKind::Empty, "the cover has no pixels"));
    }
    let most = size.most_pixels();
    let small = if picture.width().max(picture.height()) <= most {
        picture
    } else {
        shrunk(&picture, most)
    };
    Ok(opaque(&small))
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits);
    reader.decode()
}

/// Coarsely by whole pixels first, which is fast, then with a filter that keeps edges sharp.
fn shrunk(picture: &DynamicImage, most: u32) -> DynamicImage {
    let longest = picture.width().max(picture.height());
    if longest > 4 * most {
        picture
            .thumbnail(2 * most, 2 * most)
            .resize(most, most, FilterType::Lanczos3)
    } else {
        picture.resize(most, most, FilterType::Lanczos3)
    }
}

fn opaque(picture: &DynamicImage) -> Art {
    let rgba = picture.to_rgba8();
    let (width, height) = rgba.dimensions();
    let over = |channel: u8, alpha: u8| {
        let alpha = u32::from(alpha);
        ((u32::from(channel) * alpha + GROUND * (255 - alpha)) / 255) as u8
    };
    let rgb = rgba
        .pixels()
        .flat_map(|pixel| {
            let [red, green, blue, alpha] = pixel.0;
            [over(red, alpha), over(green, alpha), over(blue, alpha)]
        })
        .collect();
    Art {
        width: width as usize,
        height: height as usize,
        rgb,
    }
}

fn failed(kind: FailureKind, message: &str) -> Failure {
    Failure::new(
        kind,
        message,
        "Put another picture into the file with a tag editor",
    )
}
