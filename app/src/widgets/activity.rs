//! Which stems sound when: four thin lines on a time axis, each as bright as its stem is loud.

use crate::shelf::Stems;
use crate::theme;
use eframe::egui::{Mesh, Painter, Rect};
use tonearm_core::stems::Stem;
use tonearm_core::waveform::Waveform;

/// Points across that are drawn as one.
const STEP: f32 = 3.0;
/// Levels of a stem that are just seen, and in full, in decibels below full scale.
const FAINTEST_DB: f32 = -48.0;
const FULL_DB: f32 = -16.0;
/// Seconds before and after a moment that count for it.
const MOMENT: f64 = 0.25;

/// Draws into `rect`, whose left edge is at `start` seconds, with `per_point` seconds in a point.
pub fn paint(painter: &Painter, rect: Rect, (start, per_point): (f64, f64), stems: &Stems) {
    if !(rect.is_positive() && per_point.is_finite() && per_point > 0.0) {
        return;
    }
    let height = rect.height() / 4.0;
    let mut mesh = Mesh::default();
    for (place, (waveform, colour)) in (0_u8..).zip(stems.waveforms.iter().zip(theme::STEMS)) {
        let top = rect.top() + f32::from(place) * height;
        let lane = rect.with_min_y(top + 0.5).with_max_y(top + height - 0.5);
        let mut x = rect.left();
        while x < rect.right() {
            let from = start + f64::from(x - rect.left()) * per_point;
            let seen = share(waveform, from, from + f64::from(STEP) * per_point);
            if seen > 0.02 {
                let right = (x + STEP).min(rect.right());
                mesh.add_colored_rect(
                    lane.with_min_x(x).with_max_x(right),
                    colour.gamma_multiply(seen),
                );
            }
            x += STEP;
        }
    }
    painter.with_clip_rect(rect).add(mesh);
}

/// The stems that are heard about a moment.
pub fn sounding(stems: &Stems, at: f64) -> impl Iterator<Item = Stem> {
    let each = Stem::ALL.into_iter().zip(&stems.waveforms);
    each.filter(move |(_, waveform)| share(waveform, at - MOMENT, at + MOMENT) > 0.1)
        .map(|(stem, _)| stem)
}

/// How much is to be seen of a stem between two moments, 0 to 1.
fn share(waveform: &Waveform, from: f64, to: f64) -> f32 {
    let level = waveform.level_for(1.0 / (to - from));
    let Some(columns) = waveform.levels.get(level) else {
        return 0.0;
    };
    let per_second = Waveform::columns_per_second(level);
    let first = (from * per_second).floor().max(0.0) as usize;
    let last = (to * per_second).ceil().max(0.0) as usize;
    let columns = columns.get(first.min(columns.len())..last.min(columns.len()));
    let loudest = columns
        .unwrap_or_default()
        .iter()
        .map(|column| column.rms)
        .max();
    // Companded: the square root of a level.
    let amplitude = (f32::from(loudest.unwrap_or(0)) / 255.0).powi(2);
    let decibels = 20.0 * amplitude.max(1e-6).log10();
    ((decibels - FAINTEST_DB) / (FULL_DB - FAINTEST_DB)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonearm_core::units::SampleRate;
    use tonearm_core::waveform::Column;

    /// Silence, but for one loud second.
    fn waveform() -> Waveform {
        let column = |loud: bool| Column {
            rms: if loud { 200 } else { 0 },
            ..Column::default()
        };
        let finest = (0..3_000).map(|at| column((900..1_200).contains(&at)));
        Waveform::from_columns(SampleRate::new(44_100).unwrap(), 441_000, finest.collect())
    }

    #[test]
    fn a_stem_shines_where_it_sounds_and_nowhere_else() {
        let waveform = waveform();
        for (from, to, seen) in [
            (0.0, 0.5, 0.0),
            (3.1, 3.2, 1.0),
            (3.5, 3.502, 1.0),
            (2.5, 3.5, 1.0),
            (4.5, 6.0, 0.0),
            (-3.0, -1.0, 0.0),
            (100.0, 101.0, 0.0),
        ] {
            assert_eq!(share(&waveform, from, to), seen, "{from}");
        }
    }
}
