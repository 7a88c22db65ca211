//! How fast work goes and how long the rest takes: only said when enough is known.

use std::collections::VecDeque;
use tonearm_core::track::TrackId;

/// Seconds that are looked back on.
const LOOK_BACK: f64 = 180.0;
/// Samples that are kept: one a second, then fewer.
const MOST_SAMPLES: usize = 240;
/// Finished tracks and seconds before anything is said.
const ENOUGH_TRACKS: u64 = 4;
const ENOUGH_SECS: f64 = 5.0;
/// The part of one track after which its own rest can be told.
const ENOUGH_DONE: f64 = 0.04;

/// Samples of `(seconds, finished tracks)`, oldest first; each is the first frame that saw its count.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pace {
    samples: VecDeque<(f64, u64)>,
    now: f64,
    /// Tracks that are being worked on: since when they have been seen, and the part done.
    jobs: Vec<(TrackId, f64, f64)>,
}

impl Pace {
    /// Takes in how many tracks are finished at `now`. A count that went down, or work that stands still, starts
    /// a new measurement.
    pub(super) fn note(&mut self, now: f64, finished: u64, is_moving: bool) {
        let went_back = self
            .samples
            .back()
            .is_some_and(|(_, last)| finished < *last);
        if went_back || !is_moving || now < self.now {
            self.samples.clear();
        }
        self.now = now;
        if !is_moving {
            return;
        }
        if self.samples.back().is_none_or(|(_, last)| finished > *last) {
            self.samples.push_back((now, finished));
        }
        let is_old = |sample: &(f64, u64)| now - sample.0 > LOOK_BACK;
        while self.samples.len() > MOST_SAMPLES
            || (self.samples.len() > ENOUGH_TRACKS as usize + 1
                && self.samples.get(1).is_some_and(is_old))
        {
            self.samples.pop_front();
        }
    }

    /// Takes in the tracks that are being worked on, with the part that is done of each.
    pub(super) fn note_jobs(&mut self, running: impl Iterator<Item = (TrackId, f32)>) {
        let seen = std::mem::take(&mut self.jobs);
        // What goes back has begun something new: the next part of the same track.
        let since = |track, done: f32| {
            let mut seen = seen.iter();
            let job = seen.find(|job| job.0 == track && f64::from(done) >= job.2)?;
            Some(job.1)
        };
        self.jobs = running
            .map(|(track, done)| {
                let since = since(track, done).unwrap_or(self.now);
                (track, since, f64::from(done))
            })
            .collect();
    }

    /// Seconds until the last of the tracks under way is done, as they have gone so far: a mix of two hours takes
    /// longer than a track.
    fn secs_under_way(&self) -> Option<f64> {
        let left = |job: &(TrackId, f64, f64)| self.secs_of_job(*job);
        self.jobs.iter().filter_map(left).reduce(f64::max)
    }

    fn secs_of_job(&self, (_, since, done): (TrackId, f64, f64)) -> Option<f64> {
        (done >= ENOUGH_DONE).then(|| (self.now - since) * (1.0 - done.min(1.0)) / done)
    }

    /// Seconds for what is in hand of this track, once it has gone on for long enough to tell.
    pub(super) fn secs_of(&self, track: TrackId) -> Option<f64> {
        let job = self.jobs.iter().find(|job| job.0 == track)?;
        self.secs_of_job(*job)
            .filter(|_| self.now - job.1 >= ENOUGH_SECS)
    }

    /// Tracks a minute; `None` while too little has been seen.
    pub(super) fn per_minute(&self) -> Option<f64> {
        let (&(since, before), &(_, last)) = (self.samples.front()?, self.samples.back()?);
        // Up to this moment: a long wait for the next one counts.
        let (secs, tracks) = (self.now - since, last.saturating_sub(before));
        (tracks >= ENOUGH_TRACKS && secs >= ENOUGH_SECS).then(|| tracks as f64 * 60.0 / secs)
    }

    /// Seconds for `rest` tracks, fractions of running ones included.
    pub(super) fn secs_left(&self, rest: f64) -> Option<f64> {
        let per_minute = self.per_minute()?;
        let all = (rest > 0.0 && per_minute > 0.0).then(|| rest * 60.0 / per_minute)?;
        Some(all.max(self.secs_under_way().unwrap_or(0.0)))
    }
}

/// `42 tracks/min`, `7.5 tracks/min`, `12 tracks/h`.
pub(super) fn rate_text(per_minute: f64) -> String {
    if per_minute >= 10.0 {
        format!("{per_minute:.0} tracks/min")
    } else if per_minute >= 1.0 {
        format!("{per_minute:.1} tracks/min")
    } else {
        format!("{:.0} tracks/h", per_minute * 60.0)
    }
}

/// `240 files/s`, `42 files/min`.
pub(super) fn files_text(per_minute: f64) -> String {
    if per_minute >= 120.0 {
        format!("{:.0} files/s", per_minute / 60.0)
    } else {
        format!("{per_minute:.0} files/min")
    }
}

/// No more exact than it can be.
pub(in crate::views) fn left_text(secs: f64) -> String {
    let minutes = secs / 60.0;
    if secs < 20.0 {
        "a few seconds left".to_owned()
    } else if secs < 50.0 {
        "less than a minute left".to_owned()
    } else if minutes < 9.5 {
        format!("about {:.0} min left", minutes.max(1.0))
    } else if minutes < 57.5 {
        format!("about {:.0} min left", (minutes / 5.0).round() * 5.0)
    } else if minutes < 60.0 * 9.75 {
        let halves = (minutes / 30.0).round() / 2.0;
        format!("about {halves} h left")
    } else if minutes < 60.0 * 36.0 {
        format!("about {:.0} h left", minutes / 60.0)
    } else {
        format!("about {:.0} days left", minutes / 60.0 / 24.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_track_under_way_is_waited_for() {
        let mut pace = Pace::default();
        let at = |pace: &mut Pace, now: f64, finished, done| {
            pace.note(now, finished, true);
            pace.note_jobs([(TrackId(7), done)].into_iter());
        };
        at(&mut pace, 0.0, 0, 0.0);
        at(&mut pace, 10.0, 10, 0.01);
        assert_eq!(pace.secs_left(1.0), Some(1.0));
        at(&mut pace, 20.0, 20, 0.1);
        assert!((pace.secs_left(1.0).unwrap() - 180.0).abs() < 0.1);
    }

    #[test]
    fn nothing_is_said_before_enough_is_known() {
        let mut pace = Pace::default();
        for (now, finished) in [(0.0, 0), (1.0, 1), (2.0, 2), (3.0, 3), (4.0, 4)] {
            pace.note(now, finished, true);
            assert_eq!(pace.per_minute(), None, "{now}");
        }
        pace.note(5.0, 5, true);
        assert_eq!(pace.per_minute(), Some(60.0));
        assert_eq!(pace.secs_left(30.0), Some(30.0));
        assert_eq!(pace.secs_left(0.0), None);
    }

    #[test]
    fn a_wait_for_a_long_track_counts() {
        let mut pace = Pace::default();
        for second in 0..=10 {
            pace.note(f64::from(second), second as u64, true);
        }
        pace.note(20.0, 10, true);
        assert_eq!(pace.per_minute(), Some(30.0));
    }

    #[test]
    fn only_the_last_minutes_count() {
        let mut pace = Pace::default();
        let mut finished = 0;
        for second in 0..2_000 {
            finished += if second < 1_000 { 10 } else { 1 };
            pace.note(f64::from(second), finished, true);
        }
        let rate = pace.per_minute().unwrap();
        assert!((59.0..61.0).contains(&rate), "{rate}");
        assert!(pace.samples.len() <= MOST_SAMPLES);
    }

    #[test]
    fn slow_work_is_measured_over_as_long_as_it_takes() {
        let mut pace = Pace::default();
        for hour in 0..10_u64 {
            pace.note(hour as f64 * 3_600.0, hour, true);
        }
        let rate = pace.per_minute().unwrap();
        assert_eq!(rate_text(rate), "1 tracks/h");
    }

    #[test]
    fn a_pause_and_a_new_queue_start_over() {
        let mut pace = Pace::default();
        for second in 0..=10 {
            pace.note(f64::from(second), second as u64, true);
        }
        let mut paused = pace.clone();
        paused.note(11.0, 11, false);
        assert_eq!(paused.per_minute(), None);
        pace.note(11.0, 0, true);
        assert_eq!(pace.per_minute(), None);
    }

    #[test]
    fn time_left_is_told_as_roughly_as_it_is_known() {
        for (secs, text) in [
            (3.0, "a few seconds left"),
            (40.0, "less than a minute left"),
            (55.0, "about 1 min left"),
            (200.0, "about 3 min left"),
            (1_000.0, "about 15 min left"),
            (3_440.0, "about 55 min left"),
            (3_600.0, "about 1 h left"),
            (9_100.0, "about 2.5 h left"),
            (40_000.0, "about 11 h left"),
            (400_000.0, "about 5 days left"),
        ] {
            assert_eq!(left_text(secs), text);
        }
    }
}
