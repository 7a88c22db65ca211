//! Going to a place in the track: by click, by beat, by bar.

use super::{Page, TrackPanel};
use crate::outbox::Outbox;
use eframe::egui::accesskit::Action;
use eframe::egui::{Response, Sense, Ui};
use tonearm_core::playback::PlayerCommand;
use tonearm_core::timeline::Step;
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
    let at = page.scene.sought.map_or(page.at, |sought| sought.0);
    let from = if back && page.playing {
        at - REACTION
    } else {
        at
    };
    let grid = &panel.kept.grid;
    let at = match grid.step(from, step) {
        Some(at) => at,
        None if grid.is_empty() => at + step.without_beats(),
        // Before the first beat lies the start; after the last nothing.
        None if back => 0.0,
        None => return,
    };
    seek(page, at, false, out);
}

/// For what shows the track and is pointed at. It never has the focus: Space and the arrows stay with the actions
/// of the page, which move the sound.
pub(super) const POINTED_AT: Sense = Sense::CLICK.union(Sense::DRAG);

/// What a screen reader asks of the place in the track: a beat back or on.
pub(super) fn asked(
    ui: &Ui,
    response: &Response,
    page: &Page<'_>,
    panel: &TrackPanel,
    out: &mut Outbox,
) {
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.add_action(Action::Increment);
        node.add_action(Action::Decrement);
    });
    for (action, way) in [
        (Action::Increment, Step::BeatForward),
        (Action::Decrement, Step::BeatBack),
    ] {
        if ui.input(|input| input.has_accesskit_action_request(response.id, action)) {
            step(page, panel, way, out);
        }
    }
}
