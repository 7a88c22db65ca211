//! Covers: decoded within limits, scaled down, on an opaque ground.

use super::{Art, ArtSize};
use image::imageops::FilterType;
use image::{DynamicImage, ImageError, ImageReader, Limits};
use std::io::Cursor;
use tonearm_core::failure::{Failure, FailureKind};

/// What a picture may take to be shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// Pixels a side.
    side: u32,
    /// Bytes that decoding may take.
    bytes: u64,
}

/// For the user's own files.
pub(super) const OWN: Most = Most {
    side: 8_192,
    bytes: 64 << 20,
};
/// For what came over the network: its covers have some hundred pixels a side, and nothing else may wait for long.
pub(super) const FOREIGN: Most = Most {
    side: 4_096,
    bytes: 16 << 20,
};
/// What shows through transparent pixels, in each channel: close to the panels' own grey.
const GROUND: u32 = 0x1c;

/// The picture in `bytes`, in its own proportions, no larger than `size`.
pub(super) fn scaled(bytes: &[u8], size: ArtSize, within: Most) -> Result<Art, Failure> {
    let picture = decode(bytes, within).map_err(|error| match error {
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

fn decode(bytes: &[u8], within: Most) -> Result<DynamicImage, ImageError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(within.side);
    limits.max_image_height = Some(within.side);
    limits.max_alloc = Some(within.bytes);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits);
    reader.decode()
}

/// Coarsely by whole pixels first, which is fast, then with a filter that keeps edges sharp.
fn shrunk(picture: &DynamicImage, most: u32) -> DynamicImage {
    let longest = picture.width().max(picture.height());
    let side = |length: u32| (u64::from(length) * u64::from(most) / u64::from(longest)).max(1);
    let (width, height) = (side(picture.width()) as u32, side(picture.height()) as u32);
    let sharp = |picture: &DynamicImage| picture.resize_exact(width, height, FilterType::Lanczos3);
    if longest > 4 * most {
        sharp(&picture.thumbnail_exact(2 * width, 2 * height))
    } else {
        sharp(picture)
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

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Rgba, RgbaImage};

    fn scaled(bytes: &[u8], size: ArtSize) -> Result<Art, Failure> {
        super::scaled(bytes, size, OWN)
    }

    fn encoded(width: u32, height: u32, pixel: [u8; 4], format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::from(RgbaImage::from_pixel(width, height, Rgba(pixel)));
        let picture = match format {
            ImageFormat::Jpeg => picture.to_rgb8().into(),
            _ => picture,
        };
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_kind_of_picture_that_tags_hold_is_shown() {
        for format in [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::Gif,
            ImageFormat::Bmp,
            ImageFormat::WebP,
        ] {
            let art = scaled(
                &encoded(900, 900, [200, 10, 10, 255], format),
                ArtSize::Large,
            );
            let art = art.unwrap();
            assert_eq!((art.width, art.height), (512, 512), "{format:?}");
            assert!(art.rgb[0] > 180 && art.rgb[1] < 40, "{format:?}");
        }
    }

    #[test]
    fn clear_pixels_let_the_ground_through() {
        let art = scaled(
            &encoded(4, 4, [255, 255, 255, 0], ImageFormat::Png),
            ArtSize::Row,
        );
        assert!(
            art.unwrap()
                .rgb
                .iter()
                .all(|&channel| u32::from(channel) == GROUND)
        );
    }

    #[test]
    fn extreme_shapes_keep_at_least_a_pixel() {
        let art = scaled(&encoded(8_000, 1, [9; 4], ImageFormat::Png), ArtSize::Row).unwrap();
        assert_eq!((art.width, art.height), (64, 1));
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_refused_before_it_is_unpacked() {
        let mut bytes = encoded(4, 4, [1; 4], ImageFormat::Bmp);
        bytes[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
        bytes[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
        let failure = scaled(&bytes, ArtSize::Row).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unsupported);
        let wide = encoded(8_200, 1, [1; 4], ImageFormat::Png);
        assert_eq!(
            scaled(&wide, ArtSize::Row).unwrap_err().message,
            "the cover is too large to be shown"
        );
    }

    #[test]
    fn pictures_from_the_network_may_take_less_than_the_users_own() {
        for (width, height, is_shown) in [
            (2_000, 2_000, true),
            (2_100, 2_100, false),
            (4_100, 1, false),
        ] {
            let bytes = encoded(width, height, [1; 4], ImageFormat::Png);
            assert!(scaled(&bytes, ArtSize::Row).is_ok());
            let shown = super::scaled(&bytes, ArtSize::Row, FOREIGN);
            assert_eq!(shown.is_ok(), is_shown, "{width} x {height}");
        }
    }

    #[test]
    fn damaged_pictures_fail_wherever_they_are_cut_or_changed() {
        for format in [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::Gif,
            ImageFormat::WebP,
        ] {
            let whole = encoded(40, 30, [200, 10, 10, 255], format);
            for cut in 0..whole.len().min(400) {
                // Some decoders show what they have got: anything but a panic will do.
                drop(scaled(&whole[..cut], ArtSize::Row));
                let mut changed = whole.clone();
                changed[cut] ^= 0xff;
                drop(scaled(&changed, ArtSize::Row));
            }
        }
        assert_eq!(
            scaled(b"", ArtSize::Row).unwrap_err().kind,
            FailureKind::Unsupported
        );
    }
}
