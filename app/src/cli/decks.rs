//! `decks`: what plays on the players of the network, live, simulated or replayed.

use crate::cli::Context;
use crate::cli::library::{Library, interruptible};
use crate::exit::Exit;
use crate::format;
use crate::output::{Output, Style};
use clap::Args;
use jiff::Timestamp;
use std::io::{IsTerminal as _, Write as _, stdout};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};
use tonearm_core::core_loop::command::Command;
use tonearm_core::decks::lines::{DeviceDocument, Kind, Line, Teller};
use tonearm_core::decks::network;
use tonearm_core::decks::{
    DeckView, DecksCommand, DecksState, DecksView, Link, Listen, Matching, Moment, Recording,
    Source, UnitView,
};
use tonearm_core::failure::Failure;

/// How often lines on a terminal are drawn again, and Ctrl-C is looked for.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// Show what plays on the decks of the network
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tonearm decks\n  tonearm decks --simulate mixing\n  tonearm decks --json --seconds 30\n  tonearm decks --record gig.jsonl --redact\n  tonearm decks --replay gig.jsonl --rate 4"
)]
pub(crate) struct Decks {
    /// Stop after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<f64>,
    /// Only the network where this is the address of this computer
    #[arg(long, value_name = "IP", conflicts_with_all = ["simulate", "replay"])]
    interface: Option<Ipv4Addr>,
    /// Virtual players instead: mixing, scratch, power-cut, or a file
    #[arg(long, value_name = "SCRIPT", conflicts_with = "replay")]
    simulate: Option<String>,
    /// Write all that is heard into a file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Replace names, titles, places and tokens in it by others
    #[arg(long, requires = "record")]
    redact: bool,
    /// A recorded session instead
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// So many times as fast
    #[arg(long, value_name = "X", requires = "replay", default_value_t = 1.0)]
    rate: f64,
}

pub(crate) fn run(context: &Context, job: &Decks) -> Result<(), Exit> {
    if job.seconds.is_some_and(|secs| !(0.0..=1e9).contains(&secs)) {
        return Err(Exit::Usage("--seconds is a number above 0".to_owned()));
    }
    if !(0.01..=1000.0).contains(&job.rate) {
        return Err(Exit::Usage("--rate is between 0.01 and 1000".to_owned()));
    }
    is_of_this_computer(job.interface)?;
    let (woken, wakes) = sync_channel(1);
    let library = Library::open_woken(context, context.library.clone(), move || {
        // Full: whoever waits is woken already.
        let _woken = woken.try_send(());
    })?;
    let listen = Listen {
        record: job.record.clone().map(|file| Recording {
            file,
            redact: job.redact,
        }),
        interface: job.interface,
        from: match (&job.simulate, &job.replay) {
            (Some(script), _) => Source::Simulation(script.clone()),
            (None, Some(file)) => Source::Replay {
                file: file.clone(),
                rate: job.rate,
            },
            (None, None) => Source::Network,
        },
    };
    library
        .core
        .send(Command::Decks(DecksCommand::Start(listen)));
    let ended = follow(context, job, &library, &wakes);
    library.core.send(Command::Decks(DecksCommand::Stop));
    ended
}

/// An address that no network of this computer has would only be silent.
pub(super) fn is_of_this_computer(address: Option<Ipv4Addr>) -> Result<(), Exit> {
    let (Some(address), Ok(networks)) = (address, network::survey()) else {
        return Ok(());
    };
    let named = address.to_string();
    // That of a cable comes when the player is switched on.
    let may_come = address.is_loopback() || address.is_link_local();
    if may_come || networks.iter().any(|(_, its, _)| *its == named) {
        return Ok(());
    }
    let there: Vec<String> = networks
        .iter()
        .map(|(name, its, _)| format!("{its} ({name})"))
        .collect();
    Err(Exit::Usage(format!(
        "this computer has no address {address}; it has {}",
        there.join(", ")
    )))
}

/// Tells until the time is over, Ctrl-C comes, or nothing can be heard.
fn follow(
    context: &Context,
    job: &Decks,
    library: &Library,
    wakes: &Receiver<()>,
) -> Result<(), Exit> {
    let interrupt = interruptible();
    let end = job
        .seconds
        .map(|secs| Instant::now() + Duration::from_secs_f64(secs));
    let mut teller = Teller::default();
    let mut screen = Screen::new(context.output);
    let mut was_running = false;
    loop {
        let now = Instant::now();
        let left = end.map_or(REDRAW_EVERY, |end| end.saturating_duration_since(now));
        // A wake and a timeout are the same: time to look.
        let _woken = wakes.recv_timeout(left.min(REDRAW_EVERY));
        let view = library.core.decks();
        match &view.state {
            DecksState::Failed(failure) => {
                return Err(Failure::clone(failure).into());
            }
            DecksState::Off if was_running => return screen.end(),
            DecksState::Off => {}
            DecksState::Running => was_running = true,
        }
        let now = Instant::now();
        for line in teller.tell(&view, now, Timestamp::now()) {
            context.output.json(&line)?;
            screen.say(&line, &view)?;
        }
        screen.draw(&view, now)?;
        if interrupt.check().is_err() {
            screen.end()?;
            return Err(Exit::Interrupted);
        }
        if view.is_over || end.is_some_and(|end| now >= end) {
            screen.end()?;
            if let Some(failure) = &view.trouble {
                return Err(Failure::clone(failure).into());
            }
            return Ok(());
        }
    }
}

/// One line per deck that stays where it is on a terminal, one per event elsewhere.
struct Screen {
    output: Output,
    is_live: bool,
    drawn: Option<Instant>,
    /// Lines that stand there now.
    lines: usize,
}

impl Screen {
    fn new(output: Output) -> Self {
        Self {
            output,
            is_live: !output.json && stdout().is_terminal(),
            drawn: None,
            lines: 0,
        }
    }

    /// What happens, where nothing can be drawn over.
    fn say(&self, line: &Line, view: &DecksView) -> Result<(), Exit> {
        if self.is_live || self.output.json {
            return Ok(());
        }
        let text = match line.kind {
            Kind::Appeared | Kind::Connected | Kind::Lost => {
                let name = line
                    .device
                    .as_ref()
                    .map(DeviceDocument::name)
                    .unwrap_or_default();
                let reason = line.reason.as_deref().map(|reason| format!(": {reason}"));
                let kind = match line.kind {
                    Kind::Appeared => "is on the network",
                    Kind::Connected => "is connected",
                    _ => "is lost",
                };
                format!("{name} {kind}{}", reason.unwrap_or_default())
            }
            Kind::Deck => match &line.deck {
                Some(deck) => {
                    let shown = view.decks().find(|(_, shown)| {
                        *shown.label == deck.label && shown.id.deck == deck.deck
                    });
                    match shown {
                        Some((unit, deck)) => deck_text(self.output, unit, deck, Instant::now()),
                        None => return Ok(()),
                    }
                }
                None => return Ok(()),
            },
            Kind::Diagnosis => {
                let advice = line.network.iter().flat_map(|network| &network.advice);
                for advice in advice {
                    self.output.line(advice)?;
                }
                return Ok(());
            }
        };
        self.output.line(&text)
    }

    fn draw(&mut self, view: &DecksView, now: Instant) -> Result<(), Exit> {
        let is_early = |drawn: Instant| now.saturating_duration_since(drawn) < REDRAW_EVERY;
        if !self.is_live || self.drawn.is_some_and(is_early) {
            return Ok(());
        }
        self.drawn = Some(now);
        let mut lines: Vec<String> = Vec::new();
        for (unit, deck) in view.decks() {
            lines.push(deck_text(self.output, unit, deck, now));
        }
        if lines.is_empty() {
            lines.push(self.output.styled(Style::Dim, "Listening for players…"));
        }
        let advice = view.network.advice.iter();
        lines.extend(advice.map(|advice| self.output.styled(Style::Dim, advice)));
        let mut out = stdout().lock();
        // Lines that are too long are cut by the terminal: broken ones could not be drawn over.
        write!(out, "\u{1b}[?7l")?;
        if self.lines > 0 {
            write!(out, "\u{1b}[{}A\r", self.lines)?;
        }
        for line in &lines {
            writeln!(out, "\u{1b}[2K{line}")?;
        }
        write!(out, "\u{1b}[J")?;
        out.flush()?;
        self.lines = lines.len();
        Ok(())
    }

    fn end(&self) -> Result<(), Exit> {
        let mut out = stdout().lock();
        if self.is_live {
            write!(out, "\u{1b}[?7h")?;
        }
        out.flush()?;
        Ok(())
    }
}

/// `1A ▶ 0:32.1 −0:32.3  124.0  8A  17.3  A:min7 → F:maj in 2.0  Night Ferry – Tonearm`
fn deck_text(output: Output, unit: &UnitView, deck: &DeckView, now: Instant) -> String {
    let label = if unit.has_twin || unit.player.is_none() {
        format!("{} {}", unit.name, deck.label)
    } else {
        deck.label.to_string()
    };
    let label = output.styled(Style::Strong, &format!("{label:<3}"));
    if let Link::Lost(reason) = &unit.link {
        return format!(
            "{label} {}",
            output.styled(Style::Bad, &format!("lost: {reason}"))
        );
    }
    if deck.is_loaded != Some(true) {
        return format!("{label} {}", output.styled(Style::Dim, "empty"));
    }
    let moment = deck.at(now);
    let state = match (
        deck.is_playing,
        moment.is_some_and(|moment| moment.is_stale),
    ) {
        (_, true) => "?",
        (Some(true), _) => "▶",
        (Some(false), _) => "‖",
        (None, _) => " ",
    };
    let time = |secs: Option<f64>| secs.map_or_else(|| "–".to_owned(), format::position);
    let at = time(moment.map(|moment| moment.position.0));
    let rest = time(
        moment
            .and_then(|moment| moment.remaining)
            .map(|rest| -rest.0),
    );
    let bpm = moment.and_then(|moment| moment.bpm).or(deck.bpm);
    let bpm = bpm.map_or_else(|| "–".to_owned(), |bpm| format!("{:.1}", bpm.0));
    let key = deck.key().map(tonearm_core::harmony::Key::camelot);
    let beat = moment.and_then(|moment| moment.beat);
    let beat = beat.map_or_else(String::new, |beat| format!("{}.{}", beat.bar, beat.in_bar));
    let mut parts = vec![format!(
        "{label} {state} {at:>8} {rest:>8}  {bpm:>5}  {:>3}  {beat:>5}",
        key.unwrap_or_default()
    )];
    parts.push(harmony_text(moment.as_ref()));
    let title = output.styled(Style::Strong, deck.title().unwrap_or("untitled"));
    parts.push(match deck.artist() {
        Some(artist) => format!("{title} – {artist}"),
        None => title,
    });
    let note = match &deck.matching {
        Matching::Found(found) => found.by.words().to_owned(),
        Matching::Unsure(several) => format!("{} tracks may be it", several.len()),
        Matching::Unknown(why) => why.to_string(),
        Matching::Nothing => String::new(),
    };
    parts.push(output.styled(Style::Dim, &note));
    if deck.is_master == Some(true) {
        parts.push(output.styled(Style::Dim, "master"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}

/// `A:min7 → F:maj in 2.0`
fn harmony_text(moment: Option<&Moment>) -> String {
    let now = moment.and_then(|moment| Some((moment.chord.chord()?, moment.spelling)));
    let next = moment.and_then(|moment| moment.next_chord);
    let now = now
        .map(|(chord, spelling)| chord.harte(spelling))
        .unwrap_or_default();
    match next {
        Some(next) => {
            let coming = next.chord.harte(next.spelling);
            format!("{now:<7} → {coming} in {:.1}", next.in_beats)
        }
        None => now,
    }
}
