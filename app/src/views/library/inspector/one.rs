//! Everything that is known of one track.

use super::super::cells::{chip_ui, fonts, state_of};
use super::super::words::{self, Source};
use super::super::{LibraryPanel, menu, tips};
use super::{fact, group, named};
use crate::action::Action;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::shelf::ArtSize;
use crate::theme;
use crate::views::makers;
use eframe::egui::{
    Button, Image, Label, RichText, Sense, TextWrapMode, Ui, load::SizedTexture, vec2,
};
use std::sync::Arc;
use tonearm_core::artifact::Artifact;
use tonearm_core::core_loop::command::{Command, Selection};
use tonearm_core::export::document::TrackDetails;
use tonearm_core::harmony::{Chord, ChordSpan, Key, KeyFinding, Spelling};
use tonearm_core::row::{ArtifactState, Row};
use tonearm_core::track::{SourceKind, Text};
use tonearm_core::units::Secs;

/// Characters of a tag that are shown at most.
const MOST: usize = 300;

/// Alternatives, duplicates, chords that are listed at most.
const MOST_ITEMS: usize = 6;
/// What would be shown as 0 % is no alternative.
const LEAST_SURE: f32 = 0.005;

pub(super) fn track_ui(
    ui: &mut Ui,
    (scene, row): (&Scene<'_>, &Arc<Row>),
    panel: &mut LibraryPanel,
    out: &mut Outbox,
) {
    cover_ui(ui, scene, panel, row);
    let tags = &row.track.tags;
    let title = words::line(&words::title(row), MOST).into_owned();
    ui.add(Label::new(RichText::new(title).size(16.0).color(theme::TEXT)).wrap());
    let by = [tags.artist.as_deref(), tags.album.as_deref()];
    let by: Vec<_> = by
        .into_iter()
        .flatten()
        .map(|text| words::line(text, MOST))
        .collect();
    if !by.is_empty() {
        let text = RichText::new(by.join(" · ")).color(theme::TEXT_MUTED);
        ui.add(Label::new(text).wrap());
    }
    ui.add_space(6.0);
    ui.horizontal_wrapped(|ui| {
        for action in [Action::OpenTrack, Action::PlaySelected] {
            if ui.button(menu::name(action)).clicked() {
                out.act(action);
            }
        }
    });
    let details = scene.shelf.details(row).ready();
    sound_ui(ui, scene, row, details.as_deref());
    if let Some(details) = details.as_deref()
        && let Some(chords) = details.chords.as_deref()
    {
        chords_ui(ui, chords, details.key.as_ref());
    }
    tags_ui(ui, row);
    analysis_ui(ui, (scene, row), out);
    file_ui(ui, (scene, row), out);
    sources_ui(ui, row);
    duplicates_ui(ui, (scene, row), panel);
}

/// The libraries of other programs that hold the track.
fn sources_ui(ui: &mut Ui, row: &Row) {
    for source in row.track.sources.iter().take(MOST_ITEMS) {
        let SourceKind::EngineDj = source.kind;
        group(ui, "In Engine DJ");
        if let Some(library) = &source.library {
            let path = library.as_path().to_string_lossy();
            fact(ui, "Library", words::line(&path, MOST));
        }
        if let Some(stored) = &source.stored_path {
            fact(ui, "Path there", words::line(stored, MOST));
        }
        if let Some(service) = &source.stream {
            fact(ui, "Streamed by", words::line(service, MOST));
        }
        fact(ui, "Came from", words::line(&source.id.to_string(), MOST));
        if let Some(alias) = &source.alias {
            fact(ui, "Called", words::line(&alias.to_string(), MOST));
        }
        if source.is_gone {
            let text = "That library no longer has it";
            ui.add(Label::new(RichText::new(text).color(theme::TEXT_MUTED)).wrap());
        }
    }
    let more = row.track.sources.len().saturating_sub(MOST_ITEMS);
    if more > 0 {
        ui.label(RichText::new(format!("and {more} more")).color(theme::TEXT_FAINT));
    }
}

fn cover_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut LibraryPanel, row: &Row) {
    let ctx = ui.ctx().clone();
    let texture = panel.state.covers.get(&ctx, scene, row, ArtSize::Large);
    if texture.is_none() && !row.track.tags.has_art {
        return;
    }
    let side = ui.available_width().clamp(16.0, 220.0);
    let (rect, _) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    ui.painter().rect_filled(rect, theme::RADIUS, theme::RAISED);
    if let Some(texture) = texture {
        let image = Image::new(SizedTexture::new(texture, rect.size()))
            .corner_radius(theme::RADIUS)
            .alt_text("Cover");
        ui.put(rect, image);
    }
    ui.add_space(4.0);
}

/// Tempo, key, loudness, with what else they may be.
fn sound_ui(ui: &mut Ui, scene: &Scene<'_>, row: &Row, details: Option<&TrackDetails>) {
    group(ui, "Sound");
    match words::tempo(row) {
        None => fact(ui, "Tempo", words::UNKNOWN),
        Some(tempo) => {
            let steady = match row.knowledge.summary.constant_tempo {
                Some(false) => ", changing",
                Some(true) | None => "",
            };
            fact(
                ui,
                "Tempo",
                format!(
                    "{:.2} BPM{steady}{}",
                    tempo.value,
                    trust(tempo.confidence, tempo.from)
                ),
            );
        }
    }
    let beats = details.and_then(|details| details.beats.as_ref());
    if let Some(beats) = beats {
        let others: Vec<String> = beats
            .alternatives
            .iter()
            .filter(|it| it.confidence >= LEAST_SURE)
            .take(MOST_ITEMS)
            .map(|it| {
                format!(
                    "{:.2} ({})",
                    it.bpm.0,
                    crate::format::percent(it.confidence)
                )
            })
            .collect();
        if !others.is_empty() {
            fact(ui, "Or tempo", others.join(", "));
        }
    }
    key_ui(ui, scene, row, details);
    if let Some(loudness) = row.knowledge.summary.loudness {
        let mut parts = Vec::new();
        for (value, unit) in [
            (loudness.integrated, "LUFS"),
            (loudness.range, "LU range"),
            (loudness.true_peak, "dBTP"),
        ] {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                parts.push(format!("{value:.1} {unit}"));
            }
        }
        let text = if parts.is_empty() {
            "silent".to_owned()
        } else {
            parts.join(" · ")
        };
        fact(ui, "Loudness", text);
    }
    if let Some(length) = words::length(row) {
        fact(ui, "Length", length);
    }
}

fn trust(confidence: Option<f32>, from: Source) -> String {
    match (from, confidence) {
        (Source::Tag, _) => " · tag".to_owned(),
        (Source::Hand, _) => " · by hand".to_owned(),
        (Source::Analysis, None) => String::new(),
        (Source::Analysis, Some(confidence)) => {
            let doubt = if confidence < words::DOUBT { " ?" } else { "" };
            format!("{doubt} · {} sure", crate::format::percent(confidence))
        }
    }
}

fn key_ui(ui: &mut Ui, scene: &Scene<'_>, row: &Row, details: Option<&TrackDetails>) {
    let Some(found) = words::key_of(row) else {
        return fact(ui, "Key", words::UNKNOWN);
    };
    named(ui, "Key", |ui| {
        let (chip, _) = ui.allocate_exact_size(vec2(36.0, 18.0), Sense::hover());
        let text = words::key(found.value, scene.settings.key_notation);
        let look = (theme::key(found.value), found.is_doubtful(), found.from);
        chip_ui(ui.painter(), chip, &text, look, &fonts(ui).1);
        let text = format!("{}{}", found.value, trust(found.confidence, found.from));
        ui.add(Label::new(RichText::new(text).color(theme::TEXT)).wrap());
    });
    let finding = details.and_then(|details| details.key.as_ref());
    let Some(finding) = finding else { return };
    let name = |key: Key| words::key(key, scene.settings.key_notation);
    let others: Vec<String> = finding
        .alternatives
        .iter()
        .filter(|(_, confidence)| *confidence >= LEAST_SURE)
        .take(MOST_ITEMS)
        .map(|(key, confidence)| {
            format!("{} ({})", name(*key), crate::format::percent(*confidence))
        })
        .collect();
    if !others.is_empty() {
        fact(ui, "Or key", others.join(", "));
    }
    if finding.segments.len() > 1 {
        let changes: Vec<String> = finding
            .segments
            .iter()
            .take(MOST_ITEMS)
            .map(|span| format!("{} from {}", span.key, crate::format::duration(span.start)))
            .collect();
        fact(ui, "changes", changes.join(", "));
    }
}

/// The chords that are heard longest, and how many different ones there are.
fn chords_ui(ui: &mut Ui, chords: &[ChordSpan], key: Option<&KeyFinding>) {
    // Named as where it is first heard: in another key it may be written differently.
    let mut lengths: Vec<(Chord, Secs, f64)> = Vec::new();
    let mut changes = 0;
    for span in chords.iter().take(10_000) {
        let Some(chord) = span.chord else { continue };
        changes += 1;
        let length = span.end.0 - span.start.0;
        match lengths.iter_mut().find(|(known, ..)| *known == chord) {
            Some((.., sum)) => *sum += length,
            None => lengths.push((chord, span.start, length)),
        }
    }
    if lengths.is_empty() {
        return fact(ui, "Chords", "none heard");
    }
    lengths.sort_by(|one, other| other.2.total_cmp(&one.2));
    let most: Vec<String> = lengths
        .iter()
        .take(MOST_ITEMS)
        .map(|(chord, start, _)| chord.short_name(Spelling::of(key, *start)))
        .collect();
    let text = format!(
        "{} · {} different, {changes} in all",
        most.join(", "),
        lengths.len()
    );
    fact(ui, "Chords", text);
}

fn tags_ui(ui: &mut Ui, row: &Row) {
    let tags = &row.track.tags;
    let number = |number: Option<i64>| number.map(|number| number.to_string());
    let text = |text: &Option<Text>| text.as_deref().map(|it| words::line(it, MOST).into_owned());
    let facts = [
        ("Genre", text(&tags.genre)),
        ("Year", number(tags.year.map(i64::from))),
        ("Label", text(&tags.label)),
        ("Remixer", text(&tags.remixer)),
        ("Composer", text(&tags.composer)),
        ("Track no.", number(tags.track_number.map(i64::from))),
        ("Rating", tags.rating.map(|stars| format!("{stars} of 5"))),
        ("Comment", text(&tags.comment)),
        ("BPM tag", tags.bpm.map(|bpm| format!("{bpm:.2}"))),
        ("Key tag", text(&tags.key)),
    ];
    let mut known = facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|it| !it.is_empty())?)))
        .peekable();
    if known.peek().is_some() {
        group(ui, "Tags");
    }
    for (name, value) in known {
        fact(ui, name, value);
    }
}

fn analysis_ui(ui: &mut Ui, (scene, row): (&Scene<'_>, &Row), out: &mut Outbox) {
    group(ui, "Analysis");
    for artifact in Artifact::ALL {
        let is_expected = artifact != Artifact::Stems;
        if is_expected || state_of(row, artifact) != ArtifactState::Absent {
            tips::artifact_ui(ui, scene, row, artifact);
        }
    }
    ui.add_space(4.0);
    let (id, engine) = (row.track.id, row.knowledge.engine);
    makers::engine_ui(ui, (scene.setup, Some(engine)), &[id], out);
    ui.horizontal_wrapped(|ui| {
        for action in [Action::AnalyzeAgain, Action::MakeStems] {
            if ui.add(Button::new(menu::name(action)).small()).clicked() {
                out.act(action);
            }
        }
    });
    if row.has_failed() && ui.button(menu::name(Action::RetryFailed)).clicked() {
        let tracks = Selection::Tracks(vec![row.track.id]);
        out.commands.push(Command::Retry(tracks));
    }
    if let Some(damage) = &row.track.damage {
        let text = words::sentence(&damage.message, MOST);
        ui.add(Label::new(RichText::new(text).color(theme::WARN)).wrap());
    }
}

fn file_ui(ui: &mut Ui, (scene, row): (&Scene<'_>, &Row), out: &mut Outbox) {
    group(ui, "File");
    let track = &row.track;
    if track.missing {
        let (message, remedy) = track.missing_reason();
        let text = RichText::new(words::sentence(message, MOST)).color(theme::WARN);
        ui.add(Label::new(text).wrap());
        ui.add(Label::new(RichText::new(remedy).color(theme::TEXT_MUTED)).wrap());
    }
    if let Some(format) = &track.format {
        let rate = f64::from(format.sample_rate.hz()) / 1000.0;
        let channels = match format.channels {
            1 => "mono".to_owned(),
            2 => "stereo".to_owned(),
            more => format!("{more} channels"),
        };
        let bitrate = format
            .bitrate_kbps
            .map_or_else(String::new, |kbps| format!(" · {kbps} kbit/s"));
        let codec = words::line(&format.codec, 40);
        fact(
            ui,
            "Format",
            format!("{codec} · {rate} kHz · {channels}{bitrate}"),
        );
    }
    fact(ui, "Size", crate::format::bytes(track.stamp.bytes));
    let path = track.path.as_path().to_string_lossy();
    fact(ui, "Path", words::line(&path, 1000));
    ui.horizontal_wrapped(|ui| {
        for action in [Action::ShowInFolder, Action::CopyPath] {
            if ui.add(Button::new(menu::name(action)).small()).clicked() {
                out.act(action);
            }
        }
    });
    let added = track.added.to_zoned(jiff::tz::TimeZone::system());
    fact(ui, "Added", added.strftime("%Y-%m-%d %H:%M").to_string());
    if let Ok(modified) = jiff::Timestamp::from_nanosecond(i128::from(track.stamp.modified_ns)) {
        let modified = modified.to_zoned(jiff::tz::TimeZone::system());
        fact(
            ui,
            "Modified",
            modified.strftime("%Y-%m-%d %H:%M").to_string(),
        );
    }
    fact(ui, "Id", track.id.to_string());
    if let Some(hash) = track.hash {
        let text = hash.to_string();
        let short: String = text.chars().take(16).collect();
        let shown = RichText::new(format!("SHA-256 {short}…")).color(theme::TEXT_FAINT);
        let button = ui.add(Button::new(shown.small()).frame(false));
        if button
            .on_hover_text(format!("{text}\nClick to copy"))
            .clicked()
        {
            out.copied = Some(text);
        }
    }
    let _: &Scene<'_> = scene;
}

/// Tracks with the same bytes; a click goes there.
fn duplicates_ui(ui: &mut Ui, (scene, row): (&Scene<'_>, &Row), panel: &mut LibraryPanel) {
    if row.duplicates.is_empty() {
        return;
    }
    group(ui, "The same file at other places");
    for id in row.duplicates.iter().take(MOST_ITEMS) {
        let Some(twin) = scene.view.rows.get(*id) else {
            continue;
        };
        let path = twin.track.path.as_path().to_string_lossy();
        let text = RichText::new(words::line(&path, 200)).color(theme::ACCENT);
        let button = Button::new(text)
            .frame(false)
            .wrap_mode(TextWrapMode::Truncate);
        if ui.add(button).on_hover_text("Select it").clicked() {
            panel.go_to(*id);
        }
    }
    let more = row.duplicates.len().saturating_sub(MOST_ITEMS);
    if more > 0 {
        ui.label(RichText::new(format!("and {more} more")).color(theme::TEXT_FAINT));
    }
}
