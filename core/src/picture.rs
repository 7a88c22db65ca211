//! A track as a picture to look at and to share: waveform, beats, chords, key.

mod axis;
mod canvas;
mod header;
mod lanes;
mod layout;
mod palette;
mod text;
mod wave;

use crate::beats::Beats;
use crate::harmony::{ChordSpan, Key, KeySpan};
use crate::loudness::Loudness;
use crate::units::{Bpm, Secs};
use crate::waveform::Waveform;
use axis::Axis;
use canvas::{Canvas, Rect};
use layout::{Content, Layout};
use palette::{BACKGROUND, BEAT, PANEL_EDGE, WAVE_BACKGROUND};
use text::Fonts;
use wave::Strip;

/// Pixels along one side.
pub const SIDES: std::ops::RangeInclusive<u32> = 64..=16_384;

/// Pixels in all: 128 MiB while drawing.
pub const MOST_PIXELS: u64 = 1 << 25;

/// What to draw. Everything but the waveform may be unknown.
#[derive(Debug, Clone, Copy)]
pub struct PictureRequest<'a> {
    /// Pixels, within [`SIDES`] and together at most [`MOST_PIXELS`].
    pub width: u32,
    pub height: u32,
    /// The part of the track in view; `None` for its start and its end.
    pub from: Option<Secs>,
    pub to: Option<Secs>,
    pub waveform: &'a Waveform,
    pub beats: Option<&'a Beats>,
    pub chords: &'a [ChordSpan],
    pub key: Option<Key>,
    /// Drawn where the key changes.
    pub key_segments: &'a [KeySpan],
    pub bpm: Option<Bpm>,
    pub loudness: Option<Loudness>,
    pub title: Option<&'a str>,
    pub artist: Option<&'a str>,
    /// Typefaces (TTF or OTF) to look into for letters that the built-in ones lack, such as Chinese.
    pub more_fonts: &'a [&'a [u8]],
}

impl<'a> PictureRequest<'a> {
    /// The whole track, with nothing known but its sound.
    pub fn new(waveform: &'a Waveform, width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            from: None,
            to: None,
            waveform,
            beats: None,
            chords: &[],
            key: None,
            key_segments: &[],
            bpm: None,
            loudness: None,
            title: None,
            artist: None,
            more_fonts: &[],
        }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error(
        "{width} x {height} pixels: each side can be {} to {}, and the picture {} million pixels",
        SIDES.start(), SIDES.end(), MOST_PIXELS / 1_000_000
    )]
    Size { width: u32, height: u32 },
    #[error("nothing lies between {from} s and {to} s: the track has {duration:.1} s")]
    Range { from: f64, to: f64, duration: f64 },
    #[error("cannot write the PNG: {0}")]
    Encode(#[from] png::EncodingError),
}

/// Draws the picture and returns the bytes of a PNG file.
pub fn render(request: &PictureRequest<'_>) -> Result<Vec<u8>, PictureError> {
    let canvas = draw(request)?;
    Ok(encode(&canvas)?)
}

fn draw(request: &PictureRequest<'_>) -> Result<Canvas, PictureError> {
    let (width, height) = (request.width, request.height);
    let too_large = u64::from(width) * u64::from(height) > MOST_PIXELS;
    if !SIDES.contains(&width) || !SIDES.contains(&height) || too_large {
        return Err(PictureError::Size { width, height });
    }
    let (from, to) = view(request)?;
    let duration = request.waveform.duration().0;
    let zoomed = to - from < duration * 0.999;
    let layout = Layout::new(
        width,
        height,
        Content {
            header: request.title.or(request.artist).is_some()
                || request.bpm.is_some()
                || request.key.is_some(),
            zoomed,
            beats: request.beats.is_some_and(|beats| !beats.beats.is_empty()),
            chords: !request.chords.is_empty(),
            keys: request.key_segments.len() > 1,
        },
    );
    let Some(mut canvas) = Canvas::new(width, height, BACKGROUND) else {
        return Err(PictureError::Size { width, height });
    };
    let fonts = Fonts::new(request.more_fonts);
    if let Some(area) = layout.header {
        header::draw(&mut canvas, &fonts, request, (area, layout.scale));
    }
    if let Some(area) = layout.overview {
        draw_overview(&mut canvas, request, (area, layout.scale), (from, to));
    }
    let axis = Axis {
        from,
        to,
        left: layout.wave.x,
        width: layout.wave.w,
    };
    draw_wave(&mut canvas, &fonts, request, (axis, &layout));
    let scale = layout.scale;
    if let Some(area) = layout.chords {
        let chords = (request.chords, request.key_segments);
        lanes::draw_chords(&mut canvas, &fonts, chords, (area, axis, scale));
    }
    if let Some(area) = layout.keys {
        lanes::draw_keys(
            &mut canvas,
            &fonts,
            request.key_segments,
            (area, axis, scale),
        );
    }
    axis::draw_times(&mut canvas, &fonts, axis, &layout);
    Ok(canvas)
}

/// Seconds at the edges of the picture. A track without any sound still has a second to draw.
fn view(request: &PictureRequest<'_>) -> Result<(f64, f64), PictureError> {
    let duration = request.waveform.duration().0;
    let from = request.from.map_or(0.0, |from| from.0);
    let to = request.to.map_or(duration, |to| to.0);
    if duration <= 0.0 && request.from.is_none() && request.to.is_none() {
        return Ok((0.0, 1.0));
    }
    let (shown_from, shown_to) = (from.max(0.0), to.min(duration));
    // A tenth of a millisecond is less than anybody can look at.
    let least = duration.min(1e-4);
    if from.is_finite() && to.is_finite() && shown_to - shown_from >= least && least > 0.0 {
        Ok((shown_from, shown_to))
    } else {
        Err(PictureError::Range { from, to, duration })
    }
}

fn draw_wave(
    canvas: &mut Canvas,
    fonts: &Fonts<'_>,
    request: &PictureRequest<'_>,
    place: (Axis, &Layout),
) {
    let (axis, layout) = place;
    let edge = layout.scale.round().max(1.0);
    let panel = layout.panel();
    let frame = Rect::new(
        panel.x - edge,
        panel.y - edge,
        panel.w + 2.0 * edge,
        panel.h + 2.0 * edge,
    );
    canvas.fill(frame, PANEL_EDGE, 1.0);
    canvas.fill(panel, BACKGROUND, 1.0);
    canvas.fill(layout.wave, WAVE_BACKGROUND, 1.0);
    let lines = request
        .beats
        .map(|beats| axis::lines(beats, axis, layout.scale))
        .unwrap_or_default();
    axis::draw_lines(canvas, &lines, axis, layout, 1.0);
    let strip = Strip {
        area: layout.wave,
        from: axis.from,
        to: axis.to,
        gain: wave::filling_gain(request.waveform),
        alpha: 1.0,
    };
    wave::draw(canvas, request.waveform, strip);
    axis::draw_lines(canvas, &lines, axis, layout, 0.3);
    axis::draw_ruler(canvas, fonts, &lines, axis, layout);
}

/// The whole track, small, with the part in view lit and framed.
fn draw_overview(
    canvas: &mut Canvas,
    request: &PictureRequest<'_>,
    place: (Rect, f32),
    view: (f64, f64),
) {
    let (area, scale) = place;
    let duration = request.waveform.duration().0;
    canvas.fill(area, WAVE_BACKGROUND, 1.0);
    let strip = Strip {
        area,
        from: 0.0,
        to: duration,
        gain: wave::filling_gain(request.waveform) * 0.92,
        alpha: 1.0,
    };
    wave::draw(canvas, request.waveform, strip);
    let whole = Axis {
        from: 0.0,
        to: duration,
        left: area.x,
        width: area.w,
    };
    let (left, right) = (whole.x(view.0), whole.x(view.1));
    let shade = |canvas: &mut Canvas, from: f32, to: f32| {
        canvas.fill(Rect::new(from, area.y, to - from, area.h), BACKGROUND, 0.62);
    };
    shade(canvas, area.x, left);
    shade(canvas, right, area.right());
    let window = Rect::new(left, area.y, (right - left).max(2.0 * scale), area.h);
    canvas.fill(window, BEAT, 0.05);
    let line = (1.25 * scale).round().max(1.0);
    let inner = window.inset(line / 2.0, line / 2.0);
    canvas.stroke_rounded(inner, 2.0 * scale, (line, BEAT, 0.75));
}

fn encode(canvas: &Canvas) -> Result<Vec<u8>, png::EncodingError> {
    use std::io::Write as _;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, canvas.width(), canvas.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    for row in canvas.rgb_rows() {
        stream.write_all(&row)?;
    }
    stream.finish()?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
