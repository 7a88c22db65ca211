//! A waveform while it is being made: what is there already, in all levels.

use crate::gpu::Source;
use crate::scene::Scene;
use std::sync::Arc;
use tonearm_core::artifact::Artifact;
use tonearm_core::audio::LiveColumns;
use tonearm_core::core_loop::view::RunningJob;
use tonearm_core::row::Row;
use tonearm_core::track::TrackId;
use tonearm_core::units::SampleRate;
use tonearm_core::waveform::{COLUMNS_PER_SECOND, Column, LEVEL_STEP, Waveform};

/// The coarsest level has at most this many columns.
const COARSEST: usize = 512;
/// Columns taken over in one frame: two hours.
const MOST_AT_ONCE: usize = 7200 * COLUMNS_PER_SECOND as usize;

/// The columns of the job that makes the waveform of `track` now.
pub(super) fn live<'a>(scene: &Scene<'a>, track: TrackId) -> Option<&'a LiveColumns> {
    let makes = |job: &&RunningJob| job.track == track && job.wants.contains(&Artifact::Waveform);
    scene
        .view
        .activity
        .running
        .iter()
        .find(makes)?
        .live
        .as_ref()
}

/// A source without columns, with room for as many as the file's length promises.
pub(super) fn begun(row: &Row, edition: u64) -> Option<Source> {
    let format = row.track.format.as_ref();
    let rate = format.map(|format| format.sample_rate);
    let expected = expected_columns(format.map_or(600.0, |format| format.duration.0));
    Some(Source {
        track: row.track.id.0,
        edition,
        waveform: Arc::new(empty(rate.or(SampleRate::new(44_100))?, expected)),
        expected,
    })
}

/// Takes over what has been made since. `false`: it was begun anew, and so must the source be.
pub(super) fn advance(source: &mut Source, live: &LiveColumns) -> bool {
    let there = source.waveform.levels.first().map_or(0, Vec::len);
    let fresh: Option<Vec<Column>> = live.read(|columns| {
        let to = columns.len().min(there.saturating_add(MOST_AT_ONCE));
        columns.get(there..to).map(<[Column]>::to_vec)
    });
    let Some(fresh) = fresh else { return false };
    if !fresh.is_empty() {
        append(&mut Arc::make_mut(&mut source.waveform).levels, &fresh);
    }
    true
}

/// Columns of the finest level; a day at most.
fn expected_columns(secs: f64) -> usize {
    let secs = if secs.is_finite() {
        secs.clamp(1.0, 86_400.0)
    } else {
        600.0
    };
    (secs * f64::from(COLUMNS_PER_SECOND)).ceil() as usize
}

/// All levels that there will be, with nothing in them.
fn empty(rate: SampleRate, expected: usize) -> Waveform {
    let mut levels = vec![Vec::new()];
    let mut columns = expected;
    while columns > COARSEST {
        columns = columns.div_ceil(LEVEL_STEP);
        levels.push(Vec::new());
    }
    let frames = expected as u64 * u64::from(rate.hz()) / u64::from(COLUMNS_PER_SECOND);
    Waveform {
        rate,
        frames,
        levels,
    }
}

/// Coarse levels get only what is whole: what is there never changes.
fn append(levels: &mut [Vec<Column>], fresh: &[Column]) {
    let Some((finest, mut coarser)) = levels.split_first_mut() else {
        return;
    };
    finest.extend_from_slice(fresh);
    let mut finer: &[Column] = finest;
    while let Some((level, rest)) = coarser.split_first_mut() {
        let new = finer.get(level.len() * LEVEL_STEP..).unwrap_or_default();
        let (whole, _) = new.as_chunks::<LEVEL_STEP>();
        level.extend(whole.iter().map(|step| Column::merged(step)));
        (finer, coarser) = (level, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonearm_core::audio::Peaks;

    fn sound(count: usize) -> Vec<f32> {
        (0..count)
            .map(|at| (at as f32 * 0.05).sin() * 0.5)
            .collect()
    }

    #[test]
    fn a_growing_waveform_becomes_the_finished_one() {
        let rate = SampleRate::new(44_100).unwrap();
        let live = LiveColumns::default();
        let mut peaks = Peaks::new(rate).watched_by(live.clone());
        let expected = 20 * 300;
        let mut source = Source {
            track: 1,
            edition: 1,
            waveform: Arc::new(empty(rate, expected)),
            expected,
        };
        for _ in 0..20 {
            peaks.push(&sound(44_100));
            assert!(advance(&mut source, &live));
        }
        let there = source.waveform.levels[0].len();
        assert!(there >= 19 * 300, "{there}");
        let whole = Waveform::from_columns(rate, 0, source.waveform.levels[0].clone());
        for (grown, whole) in source.waveform.levels.iter().zip(&whole.levels) {
            assert_eq!(grown[..], whole[..grown.len()]);
            assert!(whole.len() - grown.len() <= 1);
        }
    }

    #[test]
    fn a_job_that_begins_anew_is_noticed() {
        let rate = SampleRate::new(44_100).unwrap();
        let live = LiveColumns::default();
        Peaks::new(rate)
            .watched_by(live.clone())
            .push(&sound(88_200));
        let mut source = Source {
            track: 1,
            edition: 1,
            waveform: Arc::new(empty(rate, 600)),
            expected: 600,
        };
        assert!(advance(&mut source, &live));
        assert!(!advance(&mut source, &LiveColumns::default()));
    }
}
