//! The rows that are not models: Python, the packages, what the models run on.

use super::parts::{self, Head, muted, row_ui, trouble_ui};
use super::standing::variant_name;
use super::{Asked, SetupPanel, standing};
use crate::format;
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::{Button, ComboBox, Label, Ui};
use tonearm_core::setup::{DeviceView, EnvironmentView, InterpreterView, SetupView};

pub(super) fn packages_ui(ui: &mut Ui, view: &SetupView, panel: &mut SetupPanel, out: &mut Outbox) {
    python_ui(ui, view, panel, out);
    environment_ui(ui, view, panel);
    device_ui(ui, view);
}

fn python_ui(ui: &mut Ui, view: &SetupView, panel: &mut SetupPanel, out: &mut Outbox) {
    let (colour, state) = match &view.interpreter {
        InterpreterView::Unknown => (theme::TEXT_FAINT, "Not looked for yet".to_owned()),
        InterpreterView::Found { version, .. } => (theme::OK, format!("{version} found")),
        InterpreterView::Missing { .. } => (theme::WARN, "Not found".to_owned()),
    };
    let head = Head {
        colour,
        name: "Python 3.12",
        state: &state,
    };
    row_ui(
        ui,
        &head,
        |ui| choice_ui(ui, view, panel),
        |ui| {
            let found = match &view.interpreter {
                InterpreterView::Unknown => None,
                InterpreterView::Found { path, .. } => {
                    let text = format::fit(&path.to_string_lossy(), 200);
                    ui.add(Label::new(muted(&text)).truncate());
                    Some(path)
                }
                InterpreterView::Missing {
                    reason,
                    remedy,
                    is_command,
                } => {
                    missing_ui(ui, view, (reason, remedy, *is_command), out);
                    None
                }
            };
            if let Some(chosen) = view.python.as_ref().filter(|it| Some(*it) != found) {
                let path = format::fit(&chosen.to_string_lossy(), 200);
                let text = format!("Chosen by you for whenever packages are made: {path}");
                ui.add(Label::new(muted(&text)).truncate());
            }
        },
    );
}

/// Another Python, or no particular one.
fn choice_ui(ui: &mut Ui, view: &SetupView, panel: &mut SetupPanel) {
    let idle = !view.is_busy;
    let mut button = |text, hint, asked| {
        let button = ui.add_enabled(idle, Button::new(text));
        if button.on_hover_text(hint).clicked() {
            panel.asked = Some(asked);
        }
    };
    let hint = "The program of a Python 3.12 that is not found by itself";
    button("Choose another…", hint, Asked::Python);
    if view.python.is_some() {
        let hint = "Takes whichever Python 3.12 is found";
        button("Look for one", hint, Asked::AnyPython);
    }
}

fn missing_ui(
    ui: &mut Ui,
    view: &SetupView,
    (reason, remedy, is_command): (&str, &str, bool),
    out: &mut Outbox,
) {
    // At the top it stands only while there are no packages.
    let is_above = !matches!(view.environment, EnvironmentView::Ready { .. });
    match (is_command, is_above) {
        (false, _) => trouble_ui(ui, (reason, remedy)),
        (true, true) => trouble_ui(ui, (reason, "The line above gets it")),
        (true, false) => {
            trouble_ui(ui, (reason, "This line gets it"));
            parts::command_ui(ui, remedy, out);
        }
    }
}

fn environment_ui(ui: &mut Ui, view: &SetupView, panel: &mut SetupPanel) {
    let (colour, state) = match &view.environment {
        EnvironmentView::Absent => (theme::TEXT_FAINT, "Not there yet".to_owned()),
        EnvironmentView::Building(_) => (theme::ACCENT, "Being made".to_owned()),
        EnvironmentView::Ready { variant, .. } => {
            (theme::OK, format!("Ready, for {}", variant_name(*variant)))
        }
        EnvironmentView::Broken { .. } => (theme::WARN, "Damaged".to_owned()),
    };
    let head = Head {
        colour,
        name: "Packages",
        state: &state,
    };
    let busy = view.is_busy;
    let torch = panel.torch;
    row_ui(
        ui,
        &head,
        |ui| torch_ui(ui, view, (panel, busy)),
        |ui| {
            match &view.environment {
                EnvironmentView::Absent => {}
                EnvironmentView::Building(build) => {
                    parts::progress_ui(ui, &parts::building(build));
                }
                EnvironmentView::Ready { versions, .. } => {
                    let named: Vec<String> = versions
                        .iter()
                        .map(|(name, version)| format!("{name} {version}"))
                        .collect();
                    let text = format::fit(&named.join(" · "), 300);
                    ui.add(Label::new(muted(&text)).wrap());
                }
                EnvironmentView::Broken { reason, remedy } => trouble_ui(ui, (reason, remedy)),
            }
            let Some(chosen) = &view.variant else { return };
            let wanted = torch.unwrap_or(chosen.variant);
            let why = if wanted == chosen.variant {
                chosen.reason.as_str()
            } else {
                "chosen by you"
            };
            let size = chosen.size_of(wanted).map_or_else(String::new, |size| {
                format!(
                    " · {} to fetch, {} on the disk",
                    standing::about(size.download),
                    standing::about(size.disk)
                )
            });
            let text = format!("PyTorch for {}: {why}{size}", variant_name(wanted));
            ui.add(Label::new(muted(&text)).wrap());
        },
    );
}

/// Which build of torch, where there is a choice.
fn torch_ui(ui: &mut Ui, view: &SetupView, (panel, busy): (&mut SetupPanel, bool)) {
    let Some(chosen) = view.variant.as_ref().filter(|it| it.possible.len() > 1) else {
        return;
    };
    let wanted = panel.torch.unwrap_or(chosen.variant);
    ui.add_enabled_ui(!busy, |ui| {
        let combo = ComboBox::from_id_salt("torch")
            .selected_text(parts::variant_short(wanted))
            .width(190.0)
            .show_ui(ui, |ui| {
                for size in &chosen.possible {
                    let name = parts::variant_short(size.variant);
                    if ui.selectable_label(size.variant == wanted, name).clicked() {
                        panel.torch = Some(size.variant).filter(|it| *it != chosen.variant);
                    }
                }
            });
        combo.response.widget_info(|| {
            let mut info = eframe::egui::WidgetInfo::labeled(
                eframe::egui::Role::ComboBox,
                !busy,
                "What the packages are made for",
            );
            info.current_text_value = Some(parts::variant_short(wanted));
            info
        });
    });
}

fn device_ui(ui: &mut Ui, view: &SetupView) {
    let without = view.without_card();
    let (colour, state, others) = match &view.device {
        DeviceView::Unknown => (
            theme::TEXT_FAINT,
            "Known when a model has run for the first time".to_owned(),
            String::new(),
        ),
        DeviceView::Known {
            device, devices, ..
        } => {
            let others: Vec<&str> = devices
                .iter()
                .filter(|it| *it != device)
                .map(String::as_str)
                .collect();
            let others = match others.as_slice() {
                [] => String::new(),
                others => format!("Also there: {}", format::fit(&others.join(", "), 120)),
            };
            let colour = match without {
                Some(_) => theme::WARN,
                None => theme::OK,
            };
            (colour, device_name(device), others)
        }
    };
    let head = Head {
        colour,
        name: "Runs on",
        state: &state,
    };
    row_ui(
        ui,
        &head,
        |_ui| {},
        |ui| {
            if let Some(trouble) = &without {
                trouble_ui(ui, (&trouble.message, &trouble.remedy));
            }
            if !others.is_empty() {
                ui.add(Label::new(muted(&others)).wrap());
            }
        },
    );
}

fn device_name(device: &str) -> String {
    let name = match device {
        "cpu" => "The processor",
        "mps" => "This Mac's graphics (MPS)",
        cuda if cuda.starts_with("cuda") => "The NVIDIA card",
        _ => "",
    };
    if name.is_empty() {
        format::fit(device, 60)
    } else {
        format!("{name} ({})", format::fit(device, 20))
    }
}
