//! `simulate-decks`: virtual players on the network, for rehearsal and for trying other programs.

use crate::cli::library::interruptible;
use crate::cli::{Context, decks};
use crate::exit::Exit;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tonearm_core::decks::rehearsal::{Document, PlayerDocument, Rehearsal};
use tonearm_core::decks::scripts;

/// How often Ctrl-C is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// Be virtual players on the network
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tonearm simulate-decks\n  tonearm simulate-decks --script scratch --bind 169.254.3.4 --json"
)]
pub(crate) struct SimulateDecks {
    /// Only the network where this is the address of this computer
    #[arg(long, value_name = "IP")]
    bind: Option<Ipv4Addr>,
    /// What they do: mixing, scratch, power-cut, or a file
    #[arg(long, value_name = "FILE", default_value = "mixing")]
    script: String,
    /// Stop after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<f64>,
}

/// The first line.
#[derive(Debug, Serialize)]
struct Started<'a> {
    schema: u32,
    at: Timestamp,
    event: &'static str,
    script: &'a str,
    players: &'a [PlayerDocument],
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    schema: u32,
    at: Timestamp,
    #[serde(flatten)]
    happening: &'a Document,
}

pub(crate) fn run(context: &Context, job: &SimulateDecks) -> Result<(), Exit> {
    if job.seconds.is_some_and(|secs| !(0.0..=1e9).contains(&secs)) {
        return Err(Exit::Usage("--seconds is a number above 0".to_owned()));
    }
    decks::is_of_this_computer(job.bind)?;
    let interrupt = interruptible();
    let rehearsal = Rehearsal::start(&job.script, job.bind).map_err(Exit::Because)?;
    let output = context.output;
    output.json(&Started {
        schema: 1,
        at: Timestamp::now(),
        event: "started",
        script: &job.script,
        players: &rehearsal.players,
    })?;
    let about = scripts::READY.iter().find(|(name, ..)| *name == job.script);
    let about = about.map_or("as the file says", |(_, about, _)| *about);
    output.aside(&format!("{}: {about}", job.script))?;
    for player in &rehearsal.players {
        output.aside(&format!(
            "{} ({}), player {}, {} decks",
            player.name, player.model, player.player, player.decks
        ))?;
    }
    let end = job
        .seconds
        .map(|secs| Instant::now() + Duration::from_secs_f64(secs));
    loop {
        let left = end.map_or(LOOK, |end| end.saturating_duration_since(Instant::now()));
        if let Some(happening) = rehearsal.next(left.min(LOOK)) {
            output.json(&Line {
                schema: 1,
                at: Timestamp::now(),
                happening: &happening,
            })?;
            output.line(&text(&happening))?;
        }
        if interrupt.check().is_err() {
            return Err(Exit::Interrupted);
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            return Ok(());
        }
    }
}

fn text(happening: &Document) -> String {
    let about = |word: &str, what: Option<String>| what.map(|what| format!("{word}{what}"));
    let client = happening
        .client
        .as_ref()
        .map(|client| format!("{} ({} {})", client.name, client.software, client.version));
    let parts = [
        Some(format!("{:9.3} s ", happening.seconds)),
        happening.player.as_ref().map(|player| format!("{player}:")),
        Some(happening.event.replace('_', " ")),
        client,
        happening.service.map(str::to_owned),
        happening.what.clone(),
        about("from ", happening.address.clone()),
        about(
            "to values: ",
            happening.values.map(|values| values.to_string()),
        ),
        about("TCP port ", happening.port.map(|port| port.to_string())),
    ];
    let text: Vec<String> = parts.into_iter().flatten().collect();
    // What clients call themselves is not to control the terminal.
    text.join(" ").replace(char::is_control, " ")
}
