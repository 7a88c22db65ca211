//! Who made a result, or will: in words, and where that is chosen.

use crate::action::Action;
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::{Label, RichText, Ui, vec2};
use std::collections::BTreeSet;
use tonearm_core::artifact::{Artifact, ArtifactRecord, Engine, Maker};
use tonearm_core::core_loop::command::{Command, Extent, RequestId, Selection};
use tonearm_core::row::Row;
use tonearm_core::setup::{Family, SetupView};
use tonearm_core::track::TrackId;

pub(super) fn maker(maker: Maker) -> &'static str {
    match maker {
        Maker::Native => "built-in analysis",
        Maker::BeatThis => "Beat This!",
        Maker::Htdemucs => "HT Demucs",
        Maker::Ace => "ACE",
        Maker::EngineDj => "Engine DJ",
        Maker::User => "set by hand",
    }
}

/// Who made what `record` is about; stems by the built-in analysis are a draft.
pub(super) fn made_by(artifact: Artifact, record: &ArtifactRecord) -> String {
    match (artifact, record.recipe.maker) {
        (Artifact::Stems, Maker::Native) => "draft by the built-in analysis".to_owned(),
        (_, Maker::User) => maker(Maker::User).to_owned(),
        (_, by) => format!("{} {}", maker(by), record.recipe.version),
    }
}

/// The model that makes this, by name.
pub(super) fn model_of(artifact: Artifact) -> Option<&'static str> {
    let by = match artifact {
        Artifact::Beats => Maker::BeatThis,
        Artifact::Stems => Maker::Htdemucs,
        Artifact::Key | Artifact::Chords => Maker::Ace,
        Artifact::Tags | Artifact::Hash | Artifact::Waveform | Artifact::Loudness => return None,
    };
    Some(maker(by))
}

/// Whether a model would make the stems of this track.
pub(super) fn has_better_stems(setup: &SetupView, row: &Row) -> bool {
    row.knowledge.engine != Engine::Native && setup.ready().contains(&Family::Stems)
}

/// `beats, key and chords`, in lower case.
pub(super) fn list(artifacts: &BTreeSet<Artifact>) -> String {
    let names: Vec<&str> = artifacts.iter().map(|artifact| artifact.name()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => "nothing".to_owned(),
    }
}

fn engine_name(engine: Engine) -> &'static str {
    match engine {
        Engine::Auto => "Automatic",
        Engine::Native => "Built-in",
        Engine::Neural => "Models",
    }
}

fn engine_hint(engine: Engine) -> &'static str {
    match engine {
        Engine::Auto => "The built-in analysis; models for stems, where there are such",
        Engine::Native => "The built-in analysis alone",
        Engine::Neural => "The built-in analysis at once, then every model that is ready",
    }
}

/// Who analyses these tracks from now on. `engine`: of all of them, if it is the same.
pub(super) fn engine_ui(
    ui: &mut Ui,
    (setup, engine): (&SetupView, Option<Engine>),
    tracks: &[TrackId],
    out: &mut Outbox,
) {
    ui.horizontal_wrapped(|ui| {
        // Menus have none.
        ui.spacing_mut().button_padding = vec2(8.0, 4.0);
        for choice in [Engine::Auto, Engine::Native, Engine::Neural] {
            let is_chosen = engine == Some(choice);
            let button = ui.selectable_label(is_chosen, engine_name(choice));
            let name = format!("Engine: {}", engine_name(choice));
            button.widget_info(|| {
                eframe::egui::WidgetInfo::selected(
                    eframe::egui::Role::RadioButton,
                    ui.is_enabled(),
                    is_chosen,
                    &name,
                )
            });
            if button.on_hover_text(engine_hint(choice)).clicked() && !is_chosen {
                out.commands.push(Command::Analyze {
                    request: RequestId::default(),
                    tracks: Selection::Tracks(tracks.to_vec()),
                    extent: Extent::Everything,
                    force: false,
                    engine: Some(choice),
                });
            }
        }
    });
    if engine == Some(Engine::Neural) && setup.ready().is_empty() {
        let text = RichText::new("No models are here yet: built-in results stay until there are");
        ui.add(Label::new(text.color(theme::TEXT_MUTED)).wrap());
        if ui.button(Action::Setup.name()).clicked() {
            out.act(Action::Setup);
        }
    }
}
