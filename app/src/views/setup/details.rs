//! How everything stands as text, for a report.

use std::fmt::Write as _;
use tonearm_core::setup::{DeviceView, EnvironmentView, InterpreterView, ModelState, SetupView};

pub(super) fn text(view: &SetupView) -> String {
    let mut text = format!("Tonearm {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: &str, value: String| {
        let _infallible = writeln!(text, "{name}: {value}");
    };
    if let Some(trouble) = &view.trouble {
        line(
            "trouble",
            format!("{}. {}", trouble.message, trouble.remedy),
        );
    }
    line(
        "python",
        match &view.interpreter {
            InterpreterView::Unknown => "not looked for".to_owned(),
            InterpreterView::Found { version, path } => {
                format!("{version} at {}", path.display())
            }
            InterpreterView::Missing { reason, remedy, .. } => format!("{reason}. {remedy}"),
        },
    );
    if let Some(chosen) = &view.python {
        line("chosen python", chosen.display().to_string());
    }
    if let Some(chosen) = &view.variant {
        line(
            "torch for",
            format!("{}: {}", chosen.variant, chosen.reason),
        );
    }
    line(
        "packages",
        match &view.environment {
            EnvironmentView::Absent => "not there".to_owned(),
            EnvironmentView::Building(building) => {
                format!("{}, {} bytes", building.step.name(), building.bytes)
            }
            EnvironmentView::Ready {
                folder,
                variant,
                versions,
            } => format!("for {variant} in {}, {versions:?}", folder.display()),
            EnvironmentView::Broken { reason, .. } => format!("damaged: {reason}"),
        },
    );
    if let DeviceView::Known {
        device, devices, ..
    } = &view.device
    {
        line("device", format!("{device} of {}", devices.join(", ")));
    }
    if let Some(trouble) = view.without_card() {
        line("without a card", trouble.message);
    }
    for model in &view.models {
        let state = match &model.state {
            ModelState::Absent => "not there".to_owned(),
            ModelState::Fetching(fetching) => {
                format!("{} of {} bytes", fetching.bytes, fetching.total)
            }
            ModelState::Ready {
                sha256, is_checked, ..
            } => format!("ready, SHA-256 {sha256}, compared: {is_checked}"),
            ModelState::NotAccepted => "terms not agreed to".to_owned(),
            ModelState::Failed(failure) => format!("{}. {}", failure.message, failure.remedy),
        };
        line(&model.id, state);
    }
    text
}
