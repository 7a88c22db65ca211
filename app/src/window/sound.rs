//! What the user asks of the sound, said to the player.

use super::app::{App, Library, Published};
use crate::action::Action;
use crate::outbox::Outbox;
use crate::panels::Page;
use crate::settings::{Settings, fader_from_gain, gain_from_fader};
use crate::shelf::Loadable;
use crate::views::track::stems;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonearm_core::core_loop::command::Command;
use tonearm_core::failure::FailureKind;
use tonearm_core::playback::{
    DeviceId, Player, PlayerCommand, PlayerView, Playhead, StemSound, Transport,
};
use tonearm_core::track::TrackId;
use tonearm_core::units::Secs;

/// One press on the volume keys, on the fader.
const VOLUME_STEP: f32 = 0.05;

/// What is chosen on any page is kept, from the moment at which it is asked for: the player answers later, and
/// in between more may be asked for.
fn remember(settings: &mut Settings, command: &PlayerCommand) {
    match command {
        PlayerCommand::SetVolume(gain) => settings.volume = fader_from_gain(*gain),
        PlayerCommand::SetDevice(device) => {
            settings.output = device.as_ref().map(|device| device.0.clone());
        }
        _ => {}
    }
}

/// Whether to play what is loaded takes opening it again. What plays goes on: then it is about to be paused.
fn wants_opening(view: &PlayerView, moved: bool) -> bool {
    let broken = view
        .loaded
        .as_ref()
        .is_some_and(|loaded| loaded.trouble.is_some());
    (broken || moved) && view.transport != Transport::Playing
}

/// More cue points than anybody sets in one session.
const MOST_CUES: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The cue points that were set since the start: a track that comes back into the player has its own again.
#[derive(Debug)]
pub(super) struct Cues {
    set: LruCache<TrackId, Secs>,
    /// The track that was last put into the player.
    loaded: Option<TrackId>,
}

impl Default for Cues {
    fn default() -> Self {
        Self {
            set: LruCache::new(MOST_CUES),
            loaded: None,
        }
    }
}

impl Cues {
    fn set(&mut self, at: Secs) {
        if let Some(track) = self.loaded {
            self.set.put(track, at);
        }
    }

    /// `track` comes into the player: where its cue point was.
    fn load(&mut self, track: TrackId) -> Option<Secs> {
        self.loaded = Some(track);
        self.set.get(&track).copied()
    }
}

/// A place that the sound was sent to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sought {
    to: Secs,
    since: Instant,
}

/// By then it is at the ear, or never will be.
const ARRIVES: Duration = Duration::from_millis(500);
/// Seconds that sound which has arrived may be away from where it was sent.
const NEAR: f64 = 0.2;

/// Where the sound will be that is on its way to the ear; `None`: it is there.
pub(super) fn sought(
    asked: Option<Sought>,
    playhead: Option<Playhead>,
    now: Instant,
) -> Option<Secs> {
    let asked = asked?;
    let waited = now.saturating_duration_since(asked.since);
    let playhead = playhead.filter(|_| waited < ARRIVES)?;
    let to = asked.to.0 + waited.as_secs_f64() * playhead.speed;
    ((playhead.at.0 - to).abs() > NEAR).then_some(Secs(to))
}

impl App {
    pub(super) fn sound(&self, command: PlayerCommand) {
        self.waker.asked();
        match &command {
            PlayerCommand::Seek(to) => self.sought.set(Some(Sought {
                to: *to,
                since: Instant::now(),
            })),
            PlayerCommand::ToCue => self.sought.set(None),
            PlayerCommand::SetCue(at) => self.cues.borrow_mut().set(*at),
            PlayerCommand::Load { track, .. } => {
                self.sought.set(None);
                let cue = self.cues.borrow_mut().load(*track);
                self.send(command);
                if let Some(cue) = cue {
                    self.send(PlayerCommand::SetCue(cue));
                }
                return;
            }
            _ => {}
        }
        self.send(command);
    }

    fn send(&self, command: PlayerCommand) {
        if let Some(player) = &self.player
            && !player.send(command)
        {
            tracing::warn!("the player has too much to do");
        }
    }

    /// A player that has just started plays as the last one did.
    pub(super) fn tune(&mut self) {
        let gain = gain_from_fader(self.settings.volume);
        self.sound(PlayerCommand::SetVolume(gain));
        if let Some(id) = self.settings.output.clone() {
            self.sound(PlayerCommand::SetDevice(Some(DeviceId(id))));
            // For its name, and to know that it is there.
            self.sound(PlayerCommand::FindDevices);
        }
        self.load_shown();
    }

    /// Has the track ready that is shown large, as soon as the library and the player are there.
    pub(super) fn load_shown(&mut self) {
        if self.panels.page == Page::Track
            && self.player.is_some()
            && let Some(track) = self.panels.track.track
        {
            self.load(track, false);
        }
    }

    /// Shows a track large and has it ready to play. What waits to be made of it goes first: somebody looks.
    pub(super) fn open_track(&mut self, track: TrackId) {
        self.panels.track.track = Some(track);
        self.panels.page = Page::Track;
        self.panels.sheet = None;
        self.panels.library.selected = vec![track];
        self.command(Command::Prioritize(vec![track]));
        if !self.is_playing() {
            // Whoever listens may look at another track meanwhile.
            self.load(track, false);
        }
    }

    fn is_playing(&self) -> bool {
        let view = self.player.as_ref().map(Player::view);
        view.is_some_and(|view| view.transport == Transport::Playing)
    }

    /// Puts a track into the player, unless it is there.
    fn load(&mut self, track: TrackId, play: bool) {
        let loaded = self.loaded();
        if loaded == Some(track) && !play {
            return;
        }
        self.load_from(track, Secs(0.0), play);
    }

    pub(super) fn load_from(&mut self, track: TrackId, from: Secs, play: bool) {
        let Some(path) = self.path_of(track) else {
            return;
        };
        self.loaded_path = Some(path.clone());
        self.sound(PlayerCommand::Load {
            track,
            path,
            from,
            play,
        });
    }

    fn path_of(&self, track: TrackId) -> Option<PathBuf> {
        let Library::Open(core) = &self.library else {
            return None;
        };
        let view = core.view();
        let row = view.rows.get(track)?;
        Some(row.track.path.as_path().to_path_buf())
    }

    /// What a view asks of the sound. To play a file that could not be read, or that is now elsewhere, is to
    /// open it again.
    pub(super) fn asked_of_sound(&mut self, command: PlayerCommand) {
        remember(&mut self.settings, &command);
        match &command {
            PlayerCommand::Play | PlayerCommand::Toggle if self.play_again() => {}
            PlayerCommand::Load { path, .. } => {
                self.loaded_path = Some(path.clone());
                self.sound(command);
            }
            _ => self.sound(command),
        }
    }

    /// Opens the loaded track again and plays it where it stood, when playing on as it is cannot help.
    fn play_again(&mut self) -> bool {
        let Some(player) = &self.player else {
            return false;
        };
        let view = player.view();
        let Some(loaded) = &view.loaded else {
            return false;
        };
        let now_at = self.path_of(loaded.track);
        let moved = now_at.is_some() && now_at != self.loaded_path;
        if now_at.is_none() || !wants_opening(&view, moved) {
            return false;
        }
        let from = match player.playhead() {
            Some(playhead) if view.transport != Transport::Ended => playhead.at,
            _ => Secs(0.0),
        };
        self.load_from(loaded.track, from, true);
        true
    }

    /// The player did not find a file that the library believes in, or plays one that is missing by its account: the library
    /// looks, once.
    pub(super) fn look_for_lost(&mut self, published: &Published) {
        let lost = published.sound.loaded.as_ref().and_then(|loaded| {
            let row = published.view.rows.get(loaded.track)?;
            let now = (row.track.path.as_path().to_path_buf(), row.track.missing);
            let is_news = match &loaded.trouble {
                Some(trouble) => trouble.kind == FailureKind::Missing && !row.track.missing,
                None => published.sound.transport == Transport::Playing && row.track.missing,
            };
            if self
                .looked_for
                .as_ref()
                .is_some_and(|before| *before != now)
            {
                // Another track, or the library has changed its mind: the next time is news again.
                self.looked_for = None;
            }
            is_news.then_some(now)
        });
        let Some(lost) = lost.filter(|lost| self.looked_for.as_ref() != Some(lost)) else {
            return;
        };
        self.looked_for = Some(lost.clone());
        let (lost, _) = lost;
        let request = self.errands.request();
        self.command(Command::Import {
            request,
            paths: vec![lost],
            analyze: None,
            engine: None,
        });
    }

    /// A track that was taken out of the library is taken out of the player too: nothing would show what is heard.
    pub(super) fn unload_removed(&self, published: &Published) {
        let is_gone = |track| published.view.rows.get(track).is_none();
        let is_open = matches!(self.library, Library::Open(_));
        let loaded = published.sound.loaded.as_ref();
        if is_open && loaded.is_some_and(|loaded| is_gone(loaded.track)) {
            self.sound(PlayerCommand::Unload);
        }
    }

    /// Gives the player the stems of its track, and takes them away when they are gone.
    pub(super) fn offer_stems(&mut self, published: &Published) {
        let Some(loaded) = &published.sound.loaded else {
            self.offered = None;
            return;
        };
        let Some(row) = published.view.rows.get(loaded.track) else {
            return;
        };
        let there = match self.shelf.stems(row) {
            Loadable::Ready(stems) => Some(stems),
            Loadable::Absent | Loadable::Failed(_) => None,
            Loadable::Pending => return,
        };
        let offered = self.offered.as_ref().filter(|it| it.0 == loaded.track);
        let is_known = match (offered.and_then(|it| it.1.as_ref()), &there) {
            (Some(offered), Some(there)) => Arc::ptr_eq(offered, there),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        // A track that is loaded anew begins without.
        let is_forgotten = there.is_some() && loaded.stems == StemSound::Absent;
        if is_known && !is_forgotten {
            return;
        }
        let track = loaded.track;
        let files = there.as_ref().map(|stems| Arc::clone(&stems.files));
        if files.is_some() {
            self.command(Command::UseStems(vec![track]));
        }
        self.offered = Some((track, there));
        self.sound(PlayerCommand::SetStems { track, files });
    }

    pub(super) fn loaded(&self) -> Option<TrackId> {
        let view = self.player.as_ref()?.view();
        view.loaded.as_ref().map(|loaded| loaded.track)
    }

    pub(super) fn play(&mut self, action: Action, published: &Published) {
        let sound = &published.sound;
        let playhead = self.player.as_ref().and_then(Player::playhead);
        let at = playhead.map_or(Secs(0.0), |playhead| playhead.at);
        let from = sought(self.sought.get(), playhead, published.moment).unwrap_or(at);
        match action {
            Action::PlaySelected => {
                if let Some(track) = self.panels.library.focus() {
                    self.load(track, true);
                }
            }
            Action::PlayPause => self.play_or_pause(),
            Action::ToStart => self.sound(PlayerCommand::Seek(Secs(0.0))),
            Action::BeatBack => self.step(published, from, -1),
            Action::BeatForward => self.step(published, from, 1),
            Action::BarBack => self.step(published, from, -4),
            Action::BarForward => self.step(published, from, 4),
            Action::SetCue if sound.transport == Transport::Playing => {
                self.sound(PlayerCommand::ToCue);
            }
            Action::SetCue => self.sound(PlayerCommand::SetCue(at)),
            Action::ToCue => self.sound(PlayerCommand::ToCue),
            action if let Some((stem, alone)) = stems::meant(action) => self.sound(if alone {
                PlayerCommand::SoloStem(stem)
            } else {
                PlayerCommand::ToggleStem(stem)
            }),
            Action::VolumeUp => self.turn(VOLUME_STEP),
            Action::VolumeDown => self.turn(-VOLUME_STEP),
            _ => {}
        }
    }

    fn play_or_pause(&mut self) {
        let shown = match self.panels.page {
            Page::Track => self.panels.track.track,
            Page::Library | Page::Decks => None,
        };
        match (self.loaded(), shown) {
            (loaded, Some(shown)) if loaded != Some(shown) => self.load(shown, true),
            (Some(_), _) => self.asked_of_sound(PlayerCommand::Toggle),
            // Among live decks nothing is chosen to be played.
            (None, _) if self.panels.page == Page::Decks => {}
            (None, _) => {
                if let Some(track) = self.panels.library.focus() {
                    self.load(track, true);
                }
            }
        }
    }

    fn turn(&mut self, step: f32) {
        self.settings.volume = (self.settings.volume + step).clamp(0.0, 1.0);
        let gain = gain_from_fader(self.settings.volume);
        self.sound(PlayerCommand::SetVolume(gain));
    }

    /// Moves by beats of the found tempo, for a page that does not do it along its own beats.
    fn step(&self, published: &Published, at: Secs, beats: i32) {
        let bpm = self
            .loaded()
            .and_then(|track| published.view.rows.get(track))
            .and_then(|row| row.knowledge.summary.bpm)
            .map_or(120.0, |bpm| bpm.0.clamp(20.0, 400.0));
        let to = at.0 + f64::from(beats) * 60.0 / bpm;
        self.sound(PlayerCommand::Seek(Secs(to.max(0.0))));
    }

    /// Goes on to the track before or after in the order of the list; what played goes on with it.
    pub(super) fn go_on(&mut self, action: Action, published: &Published) {
        let mut panels = std::mem::take(&mut self.panels);
        let on_track = panels.page == Page::Track;
        let current = match panels.track.track {
            Some(track) if on_track => Some(track),
            _ => panels.library.focus(),
        };
        panels.library.selected = current.into_iter().collect();
        let mut out = Outbox::default();
        panels.library.act(action, &self.scene(published), &mut out);
        let next = panels.library.focus();
        self.panels = panels;
        let Some(next) = next.filter(|next| Some(*next) != current) else {
            return;
        };
        let playing = published.sound.transport == Transport::Playing;
        if on_track {
            self.panels.track.track = Some(next);
            self.load(next, playing);
        } else if playing {
            self.load(next, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonearm_core::failure::Failure;
    use tonearm_core::playback::{Loaded, StemMix};

    #[test]
    fn the_output_and_the_volume_that_any_page_chooses_are_kept() {
        let mut settings = Settings::default();
        let device = DeviceId("booth".to_owned());
        remember(&mut settings, &PlayerCommand::SetDevice(Some(device)));
        remember(
            &mut settings,
            &PlayerCommand::SetVolume(gain_from_fader(0.5)),
        );
        remember(&mut settings, &PlayerCommand::Pause);
        assert_eq!(settings.output.as_deref(), Some("booth"));
        assert!((settings.volume - 0.5).abs() < 1e-6);
        remember(&mut settings, &PlayerCommand::SetDevice(None));
        assert_eq!(settings.output, None);
    }

    #[test]
    fn steps_go_on_from_the_place_asked_for_until_it_is_at_the_ear() {
        let since = Instant::now();
        let after = |ms| since + Duration::from_millis(ms);
        let asked = Some(Sought {
            to: Secs(10.0),
            since,
        });
        let heard = |at, speed| {
            Some(Playhead {
                track: TrackId(1),
                at: Secs(at),
                speed,
            })
        };
        assert_eq!(sought(asked, heard(8.0, 0.0), after(50)), Some(Secs(10.0)));
        let running = sought(asked, heard(8.05, 1.0), after(100)).unwrap();
        assert!((running.0 - 10.1).abs() < 1e-9, "{running:?}");
        // There, a little later than it was asked for.
        assert_eq!(sought(asked, heard(10.02, 1.0), after(120)), None);
        assert_eq!(sought(asked, heard(8.0, 0.0), after(600)), None);
        assert_eq!(sought(asked, None, after(50)), None);
        assert_eq!(sought(None, heard(8.0, 1.0), after(50)), None);
    }

    #[test]
    fn a_track_that_comes_back_has_its_cue_point_again() {
        let mut cues = Cues::default();
        cues.set(Secs(9.0));
        assert_eq!(cues.load(TrackId(1)), None);
        cues.set(Secs(5.0));
        assert_eq!(cues.load(TrackId(2)), None, "another track has its own");
        assert_eq!(cues.load(TrackId(1)), Some(Secs(5.0)));
    }

    #[test]
    fn a_file_that_was_broken_or_moved_is_opened_again_to_be_played() {
        let view = |transport, trouble: bool| PlayerView {
            transport,
            loaded: Some(Loaded {
                track: TrackId(1),
                duration: Secs(1.0),
                cue: Secs(0.0),
                stems: StemSound::Absent,
                mix: StemMix::default(),
                trouble: trouble.then(|| Failure::new(FailureKind::Missing, "gone", "find it")),
            }),
            ..PlayerView::default()
        };
        assert!(wants_opening(&view(Transport::Paused, true), false));
        assert!(wants_opening(&view(Transport::Ended, true), false));
        assert!(wants_opening(&view(Transport::Paused, false), true));
        assert!(!wants_opening(&view(Transport::Paused, false), false));
        assert!(!wants_opening(&view(Transport::Playing, true), true));
        assert!(!wants_opening(&PlayerView::default(), false));
    }
}
