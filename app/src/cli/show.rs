//! `show`: everything known of one track.

use crate::cli::Context;
use crate::cli::library::Library;
use crate::cli::report::told;
use crate::exit::Exit;
use crate::format;
use crate::output::{Output, Style};
use clap::Args;
use std::ffi::OsString;
use tonearm_core::artifact::{Artifact, Maker};
use tonearm_core::export::document::{TrackDetails, TrackDocument};
use tonearm_core::harmony::{ChordSpan, KeyFinding, Spelling};
use tonearm_core::row::{ArtifactState, Row};
use tonearm_core::track::Source;

/// Show everything known of one track
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tonearm show 3f9a --json")]
pub(crate) struct Show {
    /// An id, the beginning of one, a path, or the whole name of the file or the title
    #[arg(value_name = "TRACK")]
    track: OsString,
}

pub(crate) fn run(context: &Context, job: &Show) -> Result<(), Exit> {
    let library = Library::open_to_look(context)?;
    let row = library.track(&job.track)?;
    let details = library.core.details(row.track.id)?;
    let document = TrackDocument::full(&row, &details);
    context
        .output
        .json(&document.with_stems(&row, library.core.store().dir()))?;
    print(context.output, &row, &details)
}

pub(crate) fn print(output: Output, row: &Row, details: &TrackDetails) -> Result<(), Exit> {
    if output.json {
        return Ok(());
    }
    output.line(&output.styled(Style::Strong, &format::fit(&format::caption(row), 200)))?;
    for (name, value) in facts(row, details) {
        output.line(&format!(
            "  {}  {}",
            output.styled(Style::Dim, &format!("{name:>9}")),
            format::fit(&value, 300)
        ))?;
    }
    if row.track.missing {
        let (message, remedy) = row.track.missing_reason();
        let word = output.styled(Style::Bad, &format!("{:>9}", "missing"));
        output.line(&format!("  {word}  {message}. {remedy}"))?;
    }
    if let Some(chords) = &details.chords {
        for line in chord_lines(chords, details.key.as_ref()) {
            output.line(&format!(
                "  {}  {line}",
                output.styled(Style::Dim, &format!("{:>9}", "chords"))
            ))?;
        }
    }
    if let Some(damage) = &row.track.damage {
        let word = output.styled(Style::Bad, "  damaged");
        output.line(&format!("  {word}  {}", told(damage)))?;
    }
    for (artifact, what) in tried(row) {
        let word = output.styled(Style::Bad, &format!("{artifact:>9}"));
        output.line(&format!("  {word}  {what}"))?;
    }
    for (names, why) in failures(row) {
        let word = output.styled(Style::Bad, "   failed");
        output.line(&format!("  {word}  {} failed: {why}", names.join(", ")))?;
    }
    Ok(())
}

/// What failed, together where it is for the same reason, as with a file that cannot be read.
fn failures(row: &Row) -> Vec<(Vec<&'static str>, String)> {
    let mut failures: Vec<(Vec<&'static str>, String)> = Vec::new();
    for artifact in row.failed() {
        let record = row.knowledge.records.get(&artifact);
        let Some(failure) = record.and_then(|record| record.failure.as_deref()) else {
            continue;
        };
        let why = told(failure);
        match failures.iter_mut().find(|(_, other)| *other == why) {
            Some((names, _)) => names.push(artifact.name()),
            None => failures.push((vec![artifact.name()], why)),
        }
    }
    failures
}

fn facts(row: &Row, details: &TrackDetails) -> Vec<(&'static str, String)> {
    let track = &row.track;
    let mut facts = vec![
        ("id", track.id.to_string()),
        ("file", track.path.as_path().display().to_string()),
        ("state", row.state.name().to_owned()),
    ];
    if let Some(format) = &track.format {
        let rate = f64::from(format.sample_rate.hz()) / 1000.0;
        let bitrate = format
            .bitrate_kbps
            .map(|kbps| format!(", {kbps} kbit/s"))
            .unwrap_or_default();
        let duration = format::duration(format.duration);
        let (codec, channels) = (&format.codec, format.channels);
        facts.push((
            "audio",
            format!("{duration}, {codec}, {rate} kHz, {channels} channels{bitrate}"),
        ));
    }
    let tags = [
        ("album", &track.tags.album),
        ("genre", &track.tags.genre),
        ("label", &track.tags.label),
        ("remixer", &track.tags.remixer),
        ("comment", &track.tags.comment),
    ];
    facts.extend(
        tags.into_iter()
            .filter_map(|(name, text)| Some((name, text.as_ref()?.to_string()))),
    );
    facts.extend(track.sources.iter().map(|it| ("source", told_of(it))));
    facts.extend(musical_facts(row, details));
    facts
}

/// An entry of another library.
fn told_of(source: &Source) -> String {
    let alias = source.alias.as_ref().map(|alias| format!("there {alias}"));
    let gone = source
        .is_gone
        .then(|| "no longer in that library".to_owned());
    let parts = [alias, source.stored_path.clone(), gone];
    let parts: Vec<String> = std::iter::once(format!("Engine DJ {}", source.id))
        .chain(parts.into_iter().flatten())
        .collect();
    parts.join(", ")
}

/// What analysis found.
fn musical_facts(row: &Row, details: &TrackDetails) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(beats) = &details.beats {
        let steady = if beats.grid.is_some() {
            "constant"
        } else {
            "changing"
        };
        let others: Vec<String> = beats
            .alternatives
            .iter()
            .map(|other| format::tempo(other.bpm))
            .collect();
        let others = if others.is_empty() {
            String::new()
        } else {
            format!(", or {}", others.join(", "))
        };
        let sure = crate::format::percent(beats.confidence);
        facts.push((
            "tempo",
            format!(
                "{} BPM, {steady}, {sure} sure{others}",
                format::tempo(beats.bpm)
            ),
        ));
        facts.push(("beats", beats.beats.len().to_string()));
    }
    if let Some(found) = &details.key {
        let key = found.key;
        let text = format!(
            "{key}, {}, {}, {} sure",
            key.camelot(),
            key.open_key(),
            crate::format::percent(found.confidence)
        );
        facts.push(("key", text));
    }
    if let Some(loudness) = &row.knowledge.summary.loudness {
        let figures = [
            loudness.integrated.map(|lufs| format!("{lufs:.1} LUFS")),
            loudness
                .true_peak
                .map(|peak| format!("peak {peak:.1} dBTP")),
            loudness.range.map(|range| format!("range {range:.1} LU")),
        ];
        let told: Vec<String> = figures.into_iter().flatten().collect();
        if !told.is_empty() {
            facts.push(("loudness", told.join(", ")));
        }
    }
    facts.extend(makers(row, details));
    facts.push(("stems", stems_words(row)));
    facts
}

/// Who made beats, key and chords, as far as there are any.
fn makers(row: &Row, details: &TrackDetails) -> Option<(&'static str, String)> {
    let made = [Artifact::Beats, Artifact::Key, Artifact::Chords];
    let told = made.into_iter().filter_map(|artifact| {
        let name = artifact.name();
        if details.by_hand.contains(&artifact) {
            return Some(format!("{name} by you"));
        }
        let record = row.knowledge.records.get(&artifact)?;
        let is_there = record.failure.is_none() && !record.nothing_found;
        is_there.then(|| match record.recipe.maker {
            Maker::Native => format!("{name} by the built-in analysis"),
            model => format!("{name} by {}", engine(model)),
        })
    });
    let told = told.collect::<Vec<_>>().join(", ");
    (!told.is_empty()).then_some(("made by", told))
}

/// Whose stems there are, or what is to be expected.
fn stems_words(row: &Row) -> String {
    let Some(set) = row.stems() else {
        return match row.artifacts[Artifact::Stems as usize] {
            _ if row.knowledge.stems.is_some() => {
                "of the file as it was before; made again with tonearm stems"
            }
            ArtifactState::Running => "being made",
            ArtifactState::Due | ArtifactState::Waiting => "asked for, not made yet",
            ArtifactState::Failed => "none",
            ArtifactState::Absent | ArtifactState::Done => "none; made with tonearm stems",
        }
        .to_owned();
    };
    let by = match set.maker {
        Maker::Native => "draft by the built-in analysis".to_owned(),
        other => format!("by {}", engine(other)),
    };
    let (size, day) = (format::bytes(set.bytes), set.made.strftime("%Y-%m-%d"));
    format!("{by}, {size}, made {day}")
}

/// As in JSON.
pub(crate) fn engine(maker: Maker) -> &'static str {
    match maker {
        Maker::Native => "native",
        Maker::BeatThis => "beat_this",
        Maker::Htdemucs => "htdemucs",
        Maker::Ace => "ace",
        Maker::EngineDj => "engine_dj",
        Maker::User => "user",
    }
}

/// Where a model failed at what stands, or found nothing.
fn tried(row: &Row) -> Vec<(&'static str, String)> {
    let tried = row.knowledge.tried.iter();
    let words = tried.filter_map(|(artifact, record)| {
        let model = engine(record.recipe.maker);
        let what = match &record.failure {
            Some(failure) => format!(
                "{model} failed, so the built-in result stays: {}",
                told(failure)
            ),
            None if record.nothing_found => {
                format!("{model} found none, so the built-in result stays")
            }
            None => return None,
        };
        Some((artifact.name(), what))
    });
    words.collect()
}

/// Chord labels in lines of eight, each line with the time at which it begins.
fn chord_lines(chords: &[ChordSpan], key: Option<&KeyFinding>) -> Vec<String> {
    const LINES: usize = 12;
    let mut lines: Vec<String> = chords
        .chunks(8)
        .take(LINES)
        .map(|line| {
            let start = line
                .first()
                .map(|span| format::duration(span.start))
                .unwrap_or_default();
            let labels: Vec<String> = line
                .iter()
                .map(|span| {
                    span.chord.map_or_else(
                        || "N".to_owned(),
                        |chord| chord.harte(Spelling::of(key, span.start)),
                    )
                })
                .collect();
            format!("{start:>5}  {}", labels.join("  "))
        })
        .collect();
    let more = chords.len().saturating_sub(LINES * 8);
    if more > 0 {
        lines.push(format!("       … and {more} more"));
    }
    lines
}
