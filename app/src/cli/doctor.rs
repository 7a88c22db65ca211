//! `doctor`: what this machine and this library have, with reason and remedy where something is missing.

mod hardware;

use crate::cli::Context;
use crate::cli::library::{Library, interruptible};
use crate::cli::setup;
use crate::exit::Exit;
use crate::format;
use crate::output::Style;
use clap::Args;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonearm_core::control::Control;
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::view::View;
use tonearm_core::decks::network::{self, NetworkView, Reach};
use tonearm_core::decks::{DecksCommand, DecksState, Listen};
use tonearm_core::row::{Row, TrackState};
use tonearm_core::setup::{EnvironmentView, InterpreterView, ModelState, SetupView};
use tonearm_core::stems::{StemSet, room};
use tonearm_core::store::BadRecord;

/// Tell what this machine and this library have, and what to do about what they lack
///
/// Ends with status 1 where a row says failed: something is broken that was working or asked for. What is merely absent,
/// or concerns single tracks, is a warning.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tonearm doctor --json")]
pub(crate) struct Doctor {
    /// Listen for decks for so many seconds, and tell who is heard and what to try
    #[arg(long, value_name = "SECONDS")]
    listen: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    /// `ok`, `warning` or `failed`.
    state: &'static str,
    /// What was found.
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn ok(name: &'static str, reason: String) -> Self {
        Self {
            name,
            state: "ok",
            reason,
            remedy: None,
        }
    }

    fn trouble(name: &'static str, state: &'static str, reason: String, remedy: &str) -> Self {
        Self {
            name,
            state,
            reason,
            remedy: Some(remedy.to_owned()),
        }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    platform: String,
    checks: Vec<Finding>,
    /// What was sent and heard while listening for decks.
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<NetworkView>,
}

pub(crate) fn run(context: &Context, job: &Doctor) -> Result<(), Exit> {
    if job
        .listen
        .is_some_and(|secs| !(0.0..=600.0).contains(&secs))
    {
        return Err(Exit::Usage(
            "--listen is between 0 and 600 seconds".to_owned(),
        ));
    }
    let mut checks = vec![
        machine(),
        hardware::graphics(),
        hardware::sound(),
        networks(),
    ];
    checks.extend(neural(context.verbose)?);
    let mut network = None;
    let opened = library(context, &mut checks, |library| {
        network = job.listen.and_then(|secs| listen(library, secs));
    });
    if let Some(network) = &network {
        checks.extend(heard(network));
    }
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        checks,
        network,
    };
    context.output.json(&report)?;
    context.output.line(&format!(
        "Tonearm {} on {}",
        report.version, report.platform
    ))?;
    for check in &report.checks {
        let style = if check.state == "ok" {
            Style::Good
        } else {
            Style::Bad
        };
        let state = context.output.styled(style, &format!("{:>7}", check.state));
        context
            .output
            .line(&format!("{state}  {:<9} {}", check.name, check.reason))?;
        if let Some(remedy) = &check.remedy {
            context
                .output
                .line(&format!("                   {remedy}"))?;
        }
    }
    opened?;
    if report.checks.iter().any(|check| check.state == "failed") {
        return Err(Exit::SomeFailed);
    }
    Ok(())
}

fn machine() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Finding::ok("machine", format!("{cores} cores for analysis"))
}

/// Whether neural analysis is possible, row by row.
fn neural(verbose: bool) -> Result<Vec<Finding>, Exit> {
    let (view, took) = setup::survey(&Control::default())?;
    let mut rows = vec![match &view.interpreter {
        InterpreterView::Found { version, path } => {
            Finding::ok("python", format!("{version} at {}", path.display()))
        }
        InterpreterView::Missing { reason, remedy, .. } => {
            // One that was chosen and does not work is not merely absent.
            let state = if view.python.is_some() {
                "failed"
            } else {
                "warning"
            };
            Finding::trouble("python", state, reason.clone(), remedy)
        }
        InterpreterView::Unknown => Finding::ok("python", "not looked for".to_owned()),
    }];
    let took = if verbose {
        format!("; looked at in {:.1} ms", took.as_secs_f64() * 1e3)
    } else {
        String::new()
    };
    rows.push(match &view.environment {
        EnvironmentView::Ready {
            variant, versions, ..
        } => {
            let torch = versions.get("torch").map_or("?", String::as_str);
            Finding::ok(
                "neural",
                format!("environment for {variant} with torch {torch}{took}"),
            )
        }
        EnvironmentView::Broken { reason, remedy } => {
            let reason = format!("the environment is of no use: {reason}{took}");
            Finding::trouble("neural", "failed", reason, remedy)
        }
        EnvironmentView::Absent | EnvironmentView::Building(_) => Finding::trouble(
            "neural",
            "warning",
            format!("no environment; the built-in analysis works without{took}"),
            "Run tonearm setup",
        ),
    });
    rows.extend(models(&view));
    rows.push(match (view.without_card(), &view.device) {
        (Some(trouble), _) => {
            Finding::trouble("device", "warning", trouble.message, &trouble.remedy)
        }
        (None, device) => Finding::ok("device", setup::device_words(device)),
    });
    Ok(rows)
}

/// Each model, or why none is known.
fn models(view: &SetupView) -> Vec<Finding> {
    let trouble = view.trouble.iter().map(|trouble| {
        let reason = trouble.message.clone();
        Finding::trouble("model", "failed", reason, &trouble.remedy)
    });
    let models = view.models.iter().map(|model| {
        let words = format!(
            "{} for {}: {}",
            model.id,
            model.is_for,
            setup::model_words(&model.state)
        );
        match &model.state {
            ModelState::Ready { .. } => return Finding::ok("model", words),
            ModelState::Failed(failure) => {
                let reason = format!("{} for {}: {}", model.id, model.is_for, failure.message);
                return Finding::trouble("model", "failed", reason, &failure.remedy);
            }
            ModelState::Absent | ModelState::Fetching(_) | ModelState::NotAccepted => {}
        }
        let agree = if model.is_free {
            format!("Run tonearm setup --models {}", model.id)
        } else {
            format!(
                "Read {}, then run tonearm setup --accept-licence {}",
                model.link, model.id
            )
        };
        Finding::trouble("model", "warning", words, &agree)
    });
    trouble.chain(models).collect()
}

/// Which networks decks could be on.
fn networks() -> Finding {
    let networks = match network::survey() {
        Ok(networks) => networks,
        Err(reason) => {
            let remedy = "Close other programs that listen to players, then try again";
            return Finding::trouble("network", "failed", reason, remedy);
        }
    };
    let named: Vec<String> = networks
        .iter()
        .filter_map(|(name, address, reach)| match reach {
            Reach::Network => Some(format!("{name} ({address})")),
            Reach::Cable => Some(format!("{name} ({address}, a cable without a router)")),
            Reach::ThisMachine | Reach::OnePeer => None,
        })
        .collect();
    if named.is_empty() {
        return Finding::trouble(
            "network",
            "warning",
            "none that decks could be on".to_owned(),
            "Connect the player with a cable, or both to one switch; decks --simulate mixing needs none",
        );
    }
    Finding::ok("network", named.join(", "))
}

/// Listens for decks.
fn listen(library: &Library, secs: f64) -> Option<NetworkView> {
    let interrupt = interruptible();
    let command = |command| library.core.send(Command::Decks(command));
    command(DecksCommand::Start(Listen::default()));
    let end = Instant::now() + Duration::from_secs_f64(secs);
    while Instant::now() < end && interrupt.check().is_ok() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let view = library.core.decks();
    command(DecksCommand::Stop);
    (view.state == DecksState::Running).then(|| (*view.network).clone())
}

/// Who was heard, what became of each, and what to try.
fn heard(network: &NetworkView) -> Vec<Finding> {
    let mut findings: Vec<Finding> = network
        .announcers
        .iter()
        .map(|seen| {
            let who = format!(
                "{} ({} {}) at {}",
                seen.name, seen.software, seen.version, seen.address
            );
            let stage = network
                .connections
                .iter()
                .find(|player| player.unit == seen.unit);
            let what = match (&seen.ignored, stage) {
                (Some(reason), _) => format!("ignored: {reason}"),
                (None, Some(player)) => format!(
                    "{}, {:.0} frames a second",
                    player.stage, player.frames_per_sec
                ),
                (None, None) => "not called yet".to_owned(),
            };
            Finding::ok(
                "heard",
                format!("{who}: {what}").replace(char::is_control, " "),
            )
        })
        .collect();
    let advice = network.advice.iter();
    findings.extend(advice.map(|advice| {
        Finding::trouble(
            "decks",
            "warning",
            "something is to be tried".to_owned(),
            advice,
        )
    }));
    findings
}

/// What stems take, of what they may.
fn stems(view: &View) -> Finding {
    let sets: Vec<&StemSet> = view
        .rows
        .iter()
        .filter_map(|row| row.knowledge.stems.as_deref())
        .collect();
    let count = sets.len();
    let taken = room::taken(sets);
    let budget = view.stem_room.bytes;
    let reason = format!(
        "of {count} track{}, {} of at most {} ({})",
        if count == 1 { "" } else { "s" },
        format::bytes(taken),
        format::bytes(budget),
        if view.stem_room.is_chosen {
            "as you chose"
        } else {
            "as fits the drive"
        },
    );
    if taken <= budget {
        return Finding::ok("stems", reason);
    }
    let remedy =
        "The least recently used go when others are made; tonearm stems --budget GB allows more";
    Finding::trouble("stems", "warning", reason, remedy)
}

fn library(
    context: &Context,
    checks: &mut Vec<Finding>,
    with: impl FnOnce(&Library),
) -> Result<(), Exit> {
    let library = match Library::open_to_look(context) {
        Ok(library) => library,
        Err(exit) => {
            let (reason, remedy, told) = match exit {
                Exit::Store(error) => {
                    let told = if Exit::is_of_unusable_library(&error) {
                        Exit::LibraryTold
                    } else {
                        Exit::SomeFailed
                    };
                    (error.to_string(), error.remedy(), told)
                }
                other => (
                    other.to_string(),
                    "Try again with -v, which tells more".to_owned(),
                    Exit::SomeFailed,
                ),
            };
            checks.push(Finding::trouble("library", "failed", reason, &remedy));
            // It has been told; the exit status says it once more.
            return Err(told);
        }
    };
    with(&library);
    let view = library.core.view();
    let with = |state| {
        let fits = |row: &&Arc<Row>| match state {
            TrackState::Failed => row.has_failure(),
            other => row.state == other,
        };
        view.rows.iter().filter(fits).count()
    };
    let place = context.library.display();
    checks.push(Finding::ok(
        "library",
        format!("{} tracks in {place}", view.rows.len()),
    ));
    checks.push(writable(&context.library));
    checks.push(records(library.core.unreadable()));
    checks.push(stems(&view));
    for (state, (name, what), remedy) in [
        (
            TrackState::Missing,
            ("missing", "whose files are not there"),
            "Connect their drives and import their folders again, or run tonearm relink FOLDER",
        ),
        (
            TrackState::Failed,
            ("failed", "failed or damaged"),
            "tonearm list state:failed finds them, tonearm show says why",
        ),
        (
            TrackState::Partial,
            ("due", "to be analysed"),
            "Run tonearm analyze --all",
        ),
    ] {
        let count = with(state);
        checks.push(if count == 0 {
            Finding::ok(name, "no tracks".to_owned())
        } else {
            let tracks = if count == 1 { "track" } else { "tracks" };
            Finding::trouble(name, "warning", format!("{count} {tracks} {what}"), remedy)
        });
    }
    Ok(())
}

/// Whether all that is said of the tracks could be read.
fn records(unreadable: &[BadRecord]) -> Finding {
    const NAMED: usize = 5;
    if unreadable.is_empty() {
        return Finding::ok("records", "all can be read".to_owned());
    }
    let mut named: Vec<String> = unreadable
        .iter()
        .take(NAMED)
        .map(|bad| {
            let track = bad.track.map(|id| format!(" of track {id}"));
            format!("{}{}", bad.what, track.unwrap_or_default())
        })
        .collect();
    if unreadable.len() > NAMED {
        named.push("…".to_owned());
    }
    let reason = format!("{} cannot be read: {}", unreadable.len(), named.join(", "));
    let remedy = if unreadable
        .iter()
        .any(|bad| bad.what == BadRecord::OF_A_TRACK)
    {
        "Tracks are missing from the library: restore a backup with tonearm restore FILE. To import their files again makes new tracks of them"
    } else {
        "Run tonearm analyze --all to make again what is lost, or restore a backup"
    };
    Finding::trouble("records", "failed", reason, remedy)
}

/// Whether the library's folder takes a file.
fn writable(dir: &Path) -> Finding {
    match tempfile::NamedTempFile::new_in(dir) {
        Ok(_) => Finding::ok("disk", "the library's folder can be written".to_owned()),
        Err(error) => Finding::trouble(
            "disk",
            "failed",
            format!("the library's folder cannot be written: {error}"),
            "Make room, or change its permissions",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonearm_core::track::TrackId;

    #[test]
    fn records_that_cannot_be_read_are_named_with_the_way_back() {
        let bad = |what| BadRecord {
            track: Some(TrackId(7)),
            what,
            reason: "its checksum is wrong".to_owned(),
        };
        assert_eq!(records(&[]).state, "ok");
        let lost = records(&[bad("analysis summary")]);
        assert_eq!(lost.state, "failed");
        assert!(lost.remedy.unwrap().contains("analyze --all"));
        let gone = records(&[bad("analysis summary"), bad(BadRecord::OF_A_TRACK)]);
        assert!(gone.reason.contains("0000000000000007"), "{}", gone.reason);
        assert!(gone.remedy.unwrap().contains("restore"));
    }
}
