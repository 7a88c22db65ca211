//! A lost graphics card: its driver crashed, or it was unplugged. Windows cannot change over to another card, so the
//! program ends in order and starts again where it was.

use super::app::{App, Library};
use crate::notices::Notice;
use eframe::egui::Context;
use eframe::egui_wgpu::NativeAdapterSelectorMethod;
use eframe::wgpu::{Adapter, DeviceType};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tonearm_core::playback::{PlayerCommand, Transport};
use tonearm_core::track::TrackId;
use tonearm_core::units::Secs;

/// The argument in which the old program tells the new one where it was.
const ARGUMENT: &str = "--again";
/// A card that is lost sooner after a start than this had not come back.
const SOON: Duration = Duration::from_mins(1);
/// So many losses in a row, and another start would be of no use. The last try is made without a card.
const MOST: u32 = 3;
/// More text than anybody writes here.
const LONGEST: usize = 1_000;

/// What a program that starts again goes on with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Again {
    /// Cards lost in a row, each soon after the start.
    losses: u32,
    sound: Option<Sound>,
    /// An import was not done with looking.
    import_cut: bool,
}

/// What was in the player.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sound {
    track: TrackId,
    at: Secs,
    cue: Secs,
    plays: bool,
}

/// What follows when the window has closed for want of a card.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next {
    Start(Again),
    /// It was lost again and again.
    GiveUp,
}

impl Again {
    /// What the program before this one told.
    pub(crate) fn read(text: &str) -> Option<Self> {
        (text.len() <= LONGEST)
            .then(|| serde_json::from_str(text).ok())
            .flatten()
    }

    pub(super) fn notice(&self) -> Notice {
        let mut text = "The graphics card was lost: Tonearm started again where it was.".to_owned();
        if self.import_cut {
            text.push_str(" An import was cut off: add the same folder again, what is there is left as it is.");
        }
        Notice::warning(text)
    }

    /// Draws with the processor when the card was lost twice in a row; `None`: with whatever is best.
    pub(super) fn adapter(&self) -> Option<NativeAdapterSelectorMethod> {
        (self.losses + 1 == MOST).then(|| {
            let choose: NativeAdapterSelectorMethod = Arc::new(|adapters, surface| {
                let fits = |adapter: &&Adapter| {
                    surface.is_none_or(|surface| adapter.is_surface_supported(surface))
                };
                let draws_by_processor =
                    |adapter: &&Adapter| adapter.get_info().device_type == DeviceType::Cpu;
                let by_processor = adapters.iter().filter(fits).find(draws_by_processor);
                let any = || adapters.iter().find(fits);
                let found = by_processor.or_else(any).cloned();
                found.ok_or_else(|| "there is none left".to_owned())
            });
            choose
        })
    }
}

/// Decides after a loss, `lived` after a start that itself came after the losses of `before`.
fn next(before: Option<&Again>, lived: Duration, now: Again) -> Next {
    let earlier = before.filter(|_| lived < SOON).map_or(0, |it| it.losses);
    let losses = earlier.saturating_add(1);
    if losses < MOST {
        Next::Start(Again { losses, ..now })
    } else {
        Next::GiveUp
    }
}

impl App {
    /// True from the loss of the card on: nothing can be drawn any more.
    pub(super) fn is_blind(&self) -> bool {
        self.card_lost.load(Ordering::Relaxed)
    }

    /// Closes for want of a card, once.
    pub(super) fn leave_when_blind(&mut self, ctx: &Context) {
        if self.is_blind() && self.closing.is_none() {
            let import = self.published().view.activity.import.is_some();
            let now = Again {
                import_cut: import,
                sound: self.in_player(),
                losses: 0,
            };
            let next = next(self.opening.again.as_ref(), super::since_start(), now);
            tracing::warn!(?next, "the window closes for want of a graphics card");
            self.after = Some(next);
            self.begin_closing(ctx);
        }
    }

    /// What is in the player, or was to come back into it.
    fn in_player(&self) -> Option<Sound> {
        let now = self.player.as_ref().and_then(|player| {
            let view = player.view();
            let loaded = view.loaded.as_ref()?;
            Some(Sound {
                track: loaded.track,
                at: player.playhead().map_or(Secs(0.0), |playhead| playhead.at),
                cue: loaded.cue,
                plays: view.transport == Transport::Playing,
            })
        });
        now.or_else(|| self.opening.again.as_ref()?.sound.clone())
    }

    /// Goes on with the sound of before, as soon as the library and the player are there.
    pub(super) fn resume_sound(&mut self) {
        if self.player.is_none() || !matches!(self.library, Library::Open(_)) {
            return;
        }
        let again = self.opening.again.as_mut();
        if let Some(sound) = again.and_then(|again| again.sound.take()) {
            self.load_from(sound.track, sound.at, sound.plays);
            self.sound(PlayerCommand::SetCue(sound.cue));
        }
    }

    /// The end of a program that lost its card: to take down what is left of the card would be to panic in its libraries.
    pub(super) fn end_blind(&mut self) {
        // The thread that closes has had its time.
        self.player = None;
        let status = match self.after.take() {
            None => 0,
            Some(Next::Start(again)) => match start(&again, &self.opening.words) {
                Ok(()) => 0,
                Err(error) => {
                    complain(&format!("and Tonearm could not start again: {error}"));
                    1
                }
            },
            Some(Next::GiveUp) => {
                complain(&format!(
                    "{MOST} times in a row. Your library is safe. Restart the computer or update the card's driver"
                ));
                1
            }
        };
        std::process::exit(status);
    }
}

fn complain(rest: &str) {
    crate::output::Output::note(&format!("tonearm: the graphics card was lost {rest}"));
}

/// Starts the program anew, in the place of this one where the system can do that.
fn start(again: &Again, words: &[OsString]) -> io::Result<()> {
    let told = serde_json::to_string(again).map_err(io::Error::other)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words).arg(ARGUMENT).arg(told);
    replace(command)
}

#[cfg(unix)]
fn replace(mut command: Command) -> io::Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn replace(mut command: Command) -> io::Result<()> {
    command.spawn().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(next: Next) -> Again {
        match next {
            Next::Start(again) => again,
            Next::GiveUp => panic!("it gave up"),
        }
    }

    #[test]
    fn the_third_loss_in_a_row_is_the_last_and_a_minute_of_light_forgets_them() {
        let (soon, late) = (Duration::from_secs(59), Duration::from_secs(61));
        // The first one may come at any time.
        let next = |before, lived| next(before, lived, Again::default());
        let first = started(next(None, soon));
        assert!(first.adapter().is_none());
        let second = started(next(Some(&first), soon));
        assert!(second.adapter().is_some(), "the last try is without a card");
        assert_eq!(next(Some(&second), soon), Next::GiveUp);
        let forgotten = started(next(Some(&second), late));
        assert_eq!(forgotten, first);
    }

    #[test]
    fn where_the_sound_was_is_told_to_the_next_program() {
        let sound = Sound {
            track: TrackId(u64::MAX),
            at: Secs(61.25),
            cue: Secs(-0.5),
            plays: true,
        };
        let now = Again {
            sound: Some(sound),
            import_cut: true,
            losses: 0,
        };
        let again = started(next(None, SOON, now));
        let told = serde_json::to_string(&again).unwrap();
        assert!(told.len() < LONGEST);
        assert_eq!(Again::read(&told), Some(again));
    }

    #[test]
    fn what_is_no_such_thing_is_not_heard() {
        for text in ["", "1", "{\"sound\":7}", &format!("\"{:1$}\"", "", LONGEST)] {
            assert_eq!(Again::read(text), None, "{text}");
        }
    }
}
