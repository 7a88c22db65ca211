//! Time on the waveform: beats, bars and clock, only as dense as can be read.

use super::canvas::{Canvas, Rect};
use super::layout::Layout;
use super::palette::{BEAT, DOWNBEAT, TEXT_FAINT, TEXT_MUTED};
use super::text::{Fonts, Ink};
use crate::beats::Beats;
use crate::timeline::{Grid, Line};

/// Seconds to pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub from: f64,
    pub to: f64,
    pub left: f32,
    pub width: f32,
}

impl Axis {
    pub(super) fn x(self, secs: f64) -> f32 {
        let share = (secs - self.from) / (self.to - self.from);
        self.left + (share * f64::from(self.width)) as f32
    }

    fn pixels_per_sec(self) -> f64 {
        f64::from(self.width) / (self.to - self.from)
    }

    fn shows(self, secs: f64) -> bool {
        secs >= self.from && secs < self.to
    }
}

/// The lines to draw: all beats, or bars, or every 2nd, 4th, 8th … bar.
pub(super) fn lines(beats: &Beats, axis: Axis, scale: f32) -> Vec<Line> {
    let per_point = f64::from(scale) / axis.pixels_per_sec();
    let mut lines = Grid::new(beats).lines(axis.from, axis.to, per_point);
    lines.retain(|line| axis.shows(line.at));
    lines
}

/// Draws the lines; `share` 1 as seen on an empty ground, less when laid over the waveform.
pub(super) fn draw_lines(
    canvas: &mut Canvas,
    lines: &[Line],
    axis: Axis,
    layout: &Layout,
    share: f32,
) {
    let wave = layout.wave;
    let thin = (layout.scale * 0.75).round().max(1.0);
    for line in lines {
        let x = (axis.x(line.at) - thin / 2.0).round();
        let area = Rect::new(x, wave.y, thin, wave.h);
        match line.bar {
            Some(_) if line.labelled => canvas.fill(area, DOWNBEAT, 0.66 * share),
            Some(_) => canvas.fill(area, DOWNBEAT, 0.36 * share),
            None => canvas.fill(area, BEAT, 0.12 * share),
        }
    }
}

/// Bar numbers above the waveform, with a tick at each bar line.
pub(super) fn draw_ruler(
    canvas: &mut Canvas,
    fonts: &Fonts<'_>,
    lines: &[Line],
    axis: Axis,
    layout: &Layout,
) {
    let Some(ruler) = layout.ruler else {
        return;
    };
    let scale = layout.scale;
    let size = 10.5 * scale;
    let thin = (scale * 0.75).round().max(1.0);
    for line in lines {
        let Some(number) = line.bar else {
            continue;
        };
        let x = (axis.x(line.at) - thin / 2.0).round();
        let tick = if line.labelled {
            ruler.h - 3.0 * scale
        } else {
            4.0 * scale
        };
        let area = Rect::new(x, ruler.bottom() - tick, thin, tick);
        canvas.fill(area, DOWNBEAT, if line.labelled { 0.66 } else { 0.36 });
        if line.labelled {
            let text = number.to_string();
            let left = x + 4.0 * scale;
            if left + fonts.width(&text, size) <= ruler.right() {
                let ink = Ink {
                    size,
                    rgb: TEXT_MUTED,
                    alpha: 1.0,
                };
                fonts.draw(canvas, &text, (left, ruler.bottom() - 4.5 * scale), ink);
            }
        }
    }
}

/// Clock times beneath, at round steps.
pub(super) fn draw_times(canvas: &mut Canvas, fonts: &Fonts<'_>, axis: Axis, layout: &Layout) {
    const STEPS: [f64; 15] = [
        0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
    ];
    let Some(area) = layout.times else {
        return;
    };
    let scale = layout.scale;
    let wanted = 88.0 * scale;
    let readable = |step: &f64| (step * axis.pixels_per_sec()) as f32 >= wanted;
    let step = STEPS.into_iter().find(readable).unwrap_or_else(|| {
        let hours = f64::from(wanted) / axis.pixels_per_sec() / 3600.0;
        3600.0 * hours.ceil()
    });
    let ink = Ink {
        size: 10.5 * scale,
        rgb: TEXT_FAINT,
        alpha: 1.0,
    };
    let first = (axis.from / step).ceil();
    let count = ((axis.to - axis.from) / step).ceil().min(1000.0) as u32;
    let mut free_from = area.x;
    for index in 0..=count {
        let at = (first + f64::from(index)) * step;
        if at > axis.to {
            break;
        }
        let text = clock(at, step);
        let width = fonts.width(&text, ink.size);
        let x = axis.x(at);
        let left = (x - width / 2.0).clamp(area.x, (area.right() - width).max(area.x));
        if left >= free_from {
            canvas.fill(
                Rect::new(
                    x.round().min(area.right() - 1.0),
                    area.y + 1.0,
                    scale.round().max(1.0),
                    3.0 * scale,
                ),
                TEXT_FAINT,
                0.7,
            );
            fonts.draw(canvas, &text, (left, area.y + 14.5 * scale), ink);
            free_from = left + width + 6.0 * scale;
        }
    }
}

/// `1:05`, `1:02:30`, `0:07.2`: with tenths where steps are shorter than a second.
fn clock(secs: f64, step: f64) -> String {
    let tenths = (secs * 10.0).round().max(0.0) as u64;
    let (whole, tenth) = (tenths / 10, tenths % 10);
    let (hours, minutes, secs) = (whole / 3600, whole / 60 % 60, whole % 60);
    let text = if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    };
    if step < 1.0 {
        format!("{text}.{tenth}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beats::{Beat, TempoSegment};
    use crate::units::{Bpm, Secs};

    fn beats(count: u32) -> Beats {
        Beats {
            beats: (0..count)
                .map(|beat| Beat {
                    at: Secs(f64::from(beat) * 0.5),
                    position: (beat % 4 + 1) as u8,
                })
                .collect(),
            grid: None,
            segments: vec![TempoSegment {
                start: Secs(0.0),
                bpm: Bpm(120.0),
                beats_per_bar: 4,
            }],
            bpm: Bpm(120.0),
            confidence: 1.0,
            alternatives: Vec::new(),
        }
    }

    fn axis(to: f64) -> Axis {
        Axis {
            from: 0.0,
            to,
            left: 0.0,
            width: 1000.0,
        }
    }

    #[test]
    fn lines_thin_out_as_more_comes_into_view_and_never_crowd() {
        let beats = beats(20_000);
        let mut last = f32::INFINITY;
        for to in [4.0, 20.0, 60.0, 300.0, 3600.0, 10_000.0] {
            let lines = lines(&beats, axis(to), 1.0);
            assert!(!lines.is_empty(), "{to}");
            let density = lines.len() as f32 / 1000.0;
            assert!(density < 0.12, "{} lines for {to} s", lines.len());
            let labels = lines.iter().filter(|line| line.labelled).count();
            assert!((1..=20).contains(&labels), "{labels} labels for {to} s");
            last = last.min(density);
        }
        let close = lines(&beats, axis(4.0), 1.0);
        assert_eq!(close.len(), 8);
        assert_eq!(close.iter().filter(|line| line.bar.is_some()).count(), 2);
        let far = lines(&beats, axis(3600.0), 1.0);
        assert!(
            far.iter()
                .all(|line| line.bar.is_some_and(|bar| bar % 8 == 1))
        );
    }

    #[test]
    fn one_beat_or_none_is_no_trouble() {
        assert_eq!(lines(&beats(0), axis(10.0), 1.0).len(), 0);
        assert_eq!(lines(&beats(1), axis(10.0), 1.0).len(), 1);
    }

    #[test]
    fn clocks_carry_tenths_only_between_seconds() {
        for (secs, step, text) in [
            (65.0, 5.0, "1:05"),
            (3750.0, 30.0, "1:02:30"),
            (7.2, 0.2, "0:07.2"),
            (59.96, 0.1, "1:00.0"),
        ] {
            assert_eq!(clock(secs, step), text);
        }
    }
}
