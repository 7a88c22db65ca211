//! Going to a place in the track: by click, by beat, by bar.

use super::grid::Step;
use super::{Page, TrackPanel};
use crate::outbox::Outbox;
use tonearm_core::playback::PlayerCommand;
use tonearm_core::units::Secs;

/// Moves the sound to `at`. A track that is not in the player is put there.
pub(super) fn seek(page: &Page<'_>, at: f64, play: bool, out: &mut Outbox) {
    let at = Secs(at.clamp(0.0, page.duration.max(0.0)));
    if !page.loaded {
        out.sound.push(PlayerCommand::Load {
            track: page.row.track.id,
            path: page.row.track.path.as_path().to_path_buf(),
            from: at,
            play,
        });
        return;
    }
    out.sound.push(PlayerCommand::Seek(at));
    if play && !page.playing {
        out.sound.push(PlayerCommand::Play);
    }
}

/// While the sound runs, going back means the beat before the one that has only just passed.
const REACTION: f64 = 0.2;

pub(super) fn step(page: &Page<'_>, panel: &TrackPanel, step: Step, out: &mut Outbox) {
    let back = matches!(step, Step::BeatBack | Step::BarBack);
    let from = if back && page.playing {
        page.at - REACTION
    } else {
        page.at
    };
    let grid = &panel.kept.grid;
    let at = match grid.step(from, step) {
        Some(at) => at,
        None if grid.is_empty() => page.at + step.without_beats(),
        // Before the first beat lies the start; after the last nothing.
        None if back => 0.0,
        None => return,
    };
    seek(page, at, false, out);
}
