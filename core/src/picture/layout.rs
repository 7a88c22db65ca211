//! Where everything goes: what there is room for, from the most to the least important.

use super::canvas::Rect;

/// What could be shown.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each part is there or not, whatever the others are"
)]
pub(super) struct Content {
    pub header: bool,
    /// Only a part of the track is in view.
    pub zoomed: bool,
    pub beats: bool,
    pub chords: bool,
    /// The key changes on the way.
    pub keys: bool,
}

/// Areas in pixels; `None` where there is no room or nothing to show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    /// Size of a point of text and of every distance that goes with it: 1 for small pictures, 2 for large ones.
    pub scale: f32,
    pub header: Option<Rect>,
    pub overview: Option<Rect>,
    pub ruler: Option<Rect>,
    pub wave: Rect,
    pub chords: Option<Rect>,
    pub keys: Option<Rect>,
    pub times: Option<Rect>,
}

/// Parts in the order in which they get room: height at scale 1, and how high the picture must be for it.
const HEADER: (f32, f32) = (46.0, 150.0);
const CHORDS: (f32, f32) = (24.0, 90.0);
const RULER: (f32, f32) = (17.0, 110.0);
const TIMES: (f32, f32) = (17.0, 130.0);
const KEYS: (f32, f32) = (20.0, 190.0);
const OVERVIEW: (f32, f32) = (40.0, 220.0);

impl Layout {
    pub(super) fn new(width: u32, height: u32, content: Content) -> Self {
        let (width, height) = (width as f32, height as f32);
        let fit = (height / 320.0).min(width / 720.0);
        let scale = ((fit * 4.0).round() / 4.0).clamp(1.0, 8.0);
        let points = height / scale;
        let wide = width / scale >= 240.0;
        let given = |wanted: bool, part: (f32, f32)| {
            (wanted && points >= part.1).then(|| (part.0 * scale).round())
        };
        let header = given(content.header && wide, HEADER);
        let overview = given(content.zoomed, OVERVIEW);
        let ruler = given(content.beats && wide, RULER);
        let chords = given(content.chords, CHORDS);
        let keys = given(content.keys && wide, KEYS);
        let times = given(wide, TIMES);
        let margin = if points >= 130.0 {
            (12.0 * scale).round()
        } else {
            (width.min(height) / 40.0).round()
        };
        let gap = (6.0 * scale).round();
        let inner = (width - 2.0 * margin).max(1.0);
        let mut top = if header.is_some() {
            margin.min((8.0 * scale).round())
        } else {
            margin
        };
        let mut take = |part: Option<f32>, after: f32| {
            part.map(|part| {
                let area = Rect::new(margin, top, inner, part);
                top += part + after;
                area
            })
        };
        let header = take(header, gap);
        let overview = take(overview, gap);
        let ruler = take(ruler, 0.0);
        let wave_top = top;
        let below: f32 = [chords, keys]
            .into_iter()
            .flatten()
            .map(|lane| lane + 1.0)
            .sum();
        let bottom = match times {
            Some(times) => height - times - (4.0 * scale).round(),
            None => height - margin,
        };
        let wave_height = (bottom - below - wave_top).max(1.0);
        let wave = Rect::new(margin, wave_top, inner, wave_height);
        let mut top = wave.bottom() + 1.0;
        let mut take = |part: Option<f32>| {
            part.map(|part| {
                let area = Rect::new(margin, top, inner, part);
                top += part + 1.0;
                area
            })
        };
        let chords = take(chords);
        let keys = take(keys);
        let times = times.map(|times| Rect::new(margin, bottom, inner, times));
        Self {
            scale,
            header,
            overview,
            ruler,
            wave,
            chords,
            keys,
            times,
        }
    }

    /// Wave and the lanes beneath it.
    pub(super) fn panel(&self) -> Rect {
        let bottom = [self.chords, self.keys]
            .into_iter()
            .flatten()
            .fold(self.wave.bottom(), |bottom, lane| bottom.max(lane.bottom()));
        Rect {
            h: bottom - self.wave.y,
            ..self.wave
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_lie_within_the_picture_and_under_one_another(
            width in 64_u32..16384, height in 64_u32..16384, flags in 0_u8..32,
        ) {
            let flag = |bit: u8| flags >> bit & 1 == 1;
            let layout = Layout::new(width, height, Content {
                header: flag(0), zoomed: flag(1), beats: flag(2), chords: flag(3), keys: flag(4),
            });
            let parts = [
                layout.header, layout.overview, layout.ruler, Some(layout.wave), layout.chords, layout.keys,
                layout.times,
            ];
            let mut top = 0.0;
            for part in parts.into_iter().flatten() {
                prop_assert!(part.y >= top, "{layout:?}");
                prop_assert!(part.x >= 0.0 && part.right() <= width as f32);
                top = part.bottom();
            }
            prop_assert!(top <= height as f32, "{layout:?}");
            prop_assert!(layout.wave.h >= height as f32 * 0.15, "{layout:?}");
        }
    }
}
