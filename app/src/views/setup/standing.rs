//! How it stands with analysis by models, in plain words, and what comes next.

use super::SetupPanel;
use super::parts::{Progress, building, fetching};
use crate::format;
use crate::theme;
use eframe::egui::Color32;
use tonearm_core::setup::{
    EnvironmentView, Family, InterpreterView, ModelState, ModelView, SetupView, Variant,
};

/// What stands at the top of the sheet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    pub(super) headline: String,
    pub(super) colour: Color32,
    pub(super) details: Vec<String>,
    /// To be put into a terminal.
    pub(super) command: Option<String>,
    pub(super) progress: Option<Progress>,
    pub(super) primary: Primary,
}

/// What the one button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Primary {
    Nothing,
    /// Its name.
    Start(&'static str),
    Look,
    Cancel,
}

impl Standing {
    fn new(headline: impl Into<String>, primary: Primary) -> Self {
        Self {
            headline: headline.into(),
            colour: theme::TEXT,
            details: Vec::new(),
            command: None,
            progress: None,
            primary,
        }
    }

    fn tell(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    fn in_colour(self, colour: Color32) -> Self {
        Self { colour, ..self }
    }
}

pub(super) fn of(view: &SetupView, panel: &SetupPanel) -> Standing {
    if view.is_busy {
        return busy(view);
    }
    let has_packages = matches!(view.environment, EnvironmentView::Ready { .. });
    // Where nothing runs, a Python would be got in vain.
    let runs_nothing = view.variant.is_none() && !has_packages;
    if let InterpreterView::Missing {
        reason,
        remedy,
        is_command,
    } = &view.interpreter
        && !has_packages
        && !runs_nothing
    {
        let standing = Standing::new("Better analysis needs Python 3.12", Primary::Look)
            .tell("The built-in analysis works without it.")
            .tell(sentence(reason));
        return if *is_command {
            Standing {
                command: Some(remedy.clone()),
                ..standing.tell("Put this line into a terminal, then look again.")
            }
        } else {
            standing.tell(sentence(remedy))
        };
    }
    if let Some(trouble) = &view.trouble {
        return Standing::new("Getting ready stopped", Primary::Start("Try again"))
            .in_colour(theme::WARN)
            .tell(sentence(&trouble.message))
            .tell(sentence(&trouble.remedy))
            .tell("What was fetched is kept. The built-in analysis works.");
    }
    if runs_nothing {
        return Standing::new("This machine cannot run the models", Primary::Nothing)
            .tell("There is no build of PyTorch for it. The built-in analysis works.");
    }
    match &view.environment {
        EnvironmentView::Ready { variant, .. } => match panel.torch {
            Some(wished) if wished != *variant => change_over(view, wished),
            _ => with_packages(view, panel),
        },
        EnvironmentView::Broken { reason, .. } => Standing::new(
            "The packages of the models are damaged",
            Primary::Start("Repair"),
        )
        .in_colour(theme::WARN)
        .tell(sentence(reason))
        .tell("What is whole is kept. The built-in analysis works."),
        EnvironmentView::Absent | EnvironmentView::Building(_) => nothing_yet(view, panel),
    }
}

fn busy(view: &SetupView) -> Standing {
    let standing = |what: String, progress| Standing {
        progress,
        ..Standing::new(what, Primary::Cancel)
            .tell("You can close this and go on working; it goes on by itself.")
    };
    if let EnvironmentView::Building(build) = &view.environment {
        return standing("Getting the packages".to_owned(), Some(building(build)));
    }
    let fetched = view.models.iter().find_map(|model| match &model.state {
        ModelState::Fetching(state) => Some((model, state)),
        _ => None,
    });
    match fetched {
        Some((model, state)) => standing(
            format!("Getting {}", model.title),
            Some(fetching(&model.title, state)),
        ),
        None => standing("Looking at what is there".to_owned(), None),
    }
}

fn nothing_yet(view: &SetupView, panel: &SetupPanel) -> Standing {
    // With what comes only after a tick: the words tell of all that is better then.
    let bytes = needed(view, panel, &|_| true);
    let disk = view
        .variant
        .as_ref()
        .and_then(|it| it.size_of(panel.torch.unwrap_or(it.variant)))
        .map_or(0, |size| size.disk);
    let headline = format!(
        "The built-in analysis works. Better {} need about {} more",
        list(&better(view, &|model| !is_ready(model))),
        about(bytes)
    );
    let standing = Standing::new(headline, Primary::Start("Get ready"));
    let standing = standing.tell(format!(
        "They are fetched once and take about {} on the disk. You can go on working meanwhile.",
        about(disk.max(bytes))
    ));
    match bound(view).find(|model| !panel.accepted.contains(&model.id)) {
        Some(model) => standing.tell(format!(
            "{} has terms of its own: read them below, and tick the box to have it too.",
            model.title
        )),
        None => standing,
    }
}

fn with_packages(view: &SetupView, panel: &SetupPanel) -> Standing {
    let free = view
        .models
        .iter()
        .filter(|model| model.is_free && !is_ready(model));
    let missing = free.count() > 0;
    let ticked = bound(view).any(|model| panel.accepted.contains(&model.id));
    if missing || ticked {
        let headline = format!(
            "Better {} need about {} more",
            list(&better(view, &|model| {
                !is_ready(model) && (model.is_free || panel.accepted.contains(&model.id))
            })),
            about(needed(view, panel, &|model| model.is_free))
        );
        return Standing::new(headline, Primary::Start("Go on"))
            .tell("The packages are there; models are still to be fetched.");
    }
    let mut ready = better(view, &is_ready);
    let stems = view.ready().contains(&Family::Stems);
    if !stems {
        // Chords are heard in stems by a model.
        ready.retain(|what| *what == "beats");
    }
    let Some(model) = bound(view).next() else {
        return Standing::new("Everything is ready", Primary::Nothing)
            .in_colour(theme::OK)
            .tell(format!(
                "Models can make {} on this machine. Choose tracks and make stems, or let models analyse them: in the inspector, under Analysis.",
                list(&ready)
            ));
    };
    Standing::new(
        format!("Better {} are ready", list(&ready)),
        Primary::Nothing,
    )
    .in_colour(theme::OK)
    .tell(format!(
        "Better stems, chords and keys need {} too: read its terms below and tick the box.",
        model.title
    ))
}

fn change_over(view: &SetupView, wished: Variant) -> Standing {
    let size = view.variant.as_ref().and_then(|it| it.size_of(wished));
    let bytes = size.map_or(0, |size| size.download);
    Standing::new(
        format!("The packages are made anew for {}", variant_name(wished)),
        Primary::Start("Change over"),
    )
    .tell(format!(
        "About {} are fetched. Until all of it is there, the present ones stay in use.",
        about(bytes)
    ))
}

/// Models with terms to agree to that are not here.
fn bound(view: &SetupView) -> impl Iterator<Item = &ModelView> {
    view.models
        .iter()
        .filter(|model| !model.is_free && !is_ready(model))
}

pub(super) fn is_ready(model: &ModelView) -> bool {
    matches!(model.state, ModelState::Ready { .. })
}

/// What these models make, in the order in which DJs miss it.
fn better(view: &SetupView, which: &dyn Fn(&ModelView) -> bool) -> Vec<&'static str> {
    let order = [
        (Family::Stems, "stems"),
        (Family::Beats, "beats"),
        (Family::Harmony, "chords"),
    ];
    let has = |family| {
        view.models
            .iter()
            .any(|model| model.family == family && which(model))
    };
    let found = order.into_iter().filter(|(family, _)| has(*family));
    found.map(|(_, name)| name).collect()
}

/// Bytes to fetch for what `counts`, and for what was agreed to.
fn needed(view: &SetupView, panel: &SetupPanel, counts: &dyn Fn(&ModelView) -> bool) -> u64 {
    let packages = match (&view.environment, &view.variant) {
        (EnvironmentView::Ready { .. }, _) | (_, None) => 0,
        (_, Some(chosen)) => chosen
            .size_of(panel.torch.unwrap_or(chosen.variant))
            .map_or(0, |size| size.download),
    };
    let wanted = |model: &&ModelView| {
        !is_ready(model) && (counts(model) || panel.accepted.contains(&model.id))
    };
    let models: u64 = view
        .models
        .iter()
        .filter(wanted)
        .map(|model| model.bytes)
        .sum();
    packages.saturating_add(models)
}

/// `0.6 GB`, `81 MB`: no more exact than it is known.
pub(super) fn about(bytes: u64) -> String {
    if bytes >= 950_000_000 {
        format!("{:.1} GB", bytes as f64 / 1e9)
    } else if bytes >= 100_000_000 {
        format!("{} MB", (bytes as f64 / 1e7).round() as u64 * 10)
    } else {
        format!("{} MB", (bytes as f64 / 1e6).round().max(1.0) as u64)
    }
}

pub(super) fn variant_name(variant: Variant) -> &'static str {
    match variant {
        Variant::Cpu => "the processor",
        Variant::Cuda => "an NVIDIA card (CUDA)",
        Variant::Mps => "this Mac's graphics (MPS)",
    }
}

/// `stems, beats and chords`.
fn list(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => "analysis".to_owned(),
    }
}

/// With a capital, in one piece that can be drawn.
pub(super) fn sentence(text: &str) -> String {
    /// Longer would push everything else off the sheet.
    const MOST: usize = 400;
    // Names of files and hosts stay as they are.
    let word = text.split_whitespace().next().unwrap_or_default();
    if word.chars().any(|it| !it.is_alphabetic() && it != ',') {
        return format::fit(text, MOST);
    }
    format::fit(&format::capitalised(text), MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_as_exactly_as_they_are_known() {
        for (bytes, text) in [
            (3, "1 MB"),
            (81_064_816, "81 MB"),
            (586_000_000, "590 MB"),
            (2_950_000_000, "3.0 GB"),
        ] {
            assert_eq!(about(bytes), text);
        }
    }
}
