//! What a set-up tells, as JSON and in words.

use serde_json::{Map, Value, json};
use tonearm_core::failure::Failure;
use tonearm_core::setup::run::Told;
use tonearm_core::setup::{DeviceView, EnvironmentView, InterpreterView, ModelState, ModelView};

/// The line of JSON, and whether it is only about progress.
pub(super) fn line_of(told: &Told) -> (Value, bool) {
    match told {
        Told::Interpreter(interpreter) => (interpreter_json(interpreter), false),
        Told::Variant(choice) => (
            json!({"event": "torch", "variant": choice.variant.name(), "reason": choice.reason}),
            false,
        ),
        Told::Environment(EnvironmentView::Building(building)) => (
            json!({"event": "environment", "state": "building", "step": building.step.name(),
                "bytes": building.bytes, "total": building.total,
                "seconds_left": building.left.map(|left| left.as_secs()), "what": building.what}),
            true,
        ),
        Told::Environment(environment) => (environment_json(environment), false),
        Told::Device(device) => (device_json(device), false),
        Told::Model(id, ModelState::Fetching(fetching)) => (
            json!({"event": "model", "id": id, "state": "downloading", "step": id, "bytes": fetching.bytes,
                "total": fetching.total, "seconds_left": fetching.left.map(|left| left.as_secs())}),
            true,
        ),
        Told::Model(id, state) => (model_json(id, state), false),
    }
}

pub(super) fn interpreter_json(interpreter: &InterpreterView) -> Value {
    match interpreter {
        InterpreterView::Unknown => json!({"event": "interpreter", "state": "unknown"}),
        InterpreterView::Found { version, path } => {
            json!({"event": "interpreter", "state": "found", "version": version, "path": path.to_string_lossy()})
        }
        InterpreterView::Missing { reason, remedy, .. } => {
            json!({"event": "interpreter", "state": "missing", "reason": reason, "remedy": remedy})
        }
    }
}

pub(super) fn environment_json(environment: &EnvironmentView) -> Value {
    match environment {
        EnvironmentView::Absent => json!({"event": "environment", "state": "absent"}),
        EnvironmentView::Building(_) => json!({"event": "environment", "state": "building"}),
        EnvironmentView::Ready {
            folder,
            variant,
            versions,
        } => json!({"event": "environment", "state": "ready",
            "path": folder.to_string_lossy(), "variant": variant.name(), "versions": versions}),
        EnvironmentView::Broken { reason, remedy } => {
            json!({"event": "environment", "state": "broken", "reason": reason, "remedy": remedy})
        }
    }
}

pub(super) fn device_json(device: &DeviceView) -> Value {
    match device {
        DeviceView::Unknown => json!({"event": "device", "device": null}),
        DeviceView::Known {
            device,
            devices,
            short,
        } => {
            json!({"event": "device", "device": device, "devices": devices, "short_of_memory": short})
        }
    }
}

fn model_json(id: &str, state: &ModelState) -> Value {
    let mut line = Map::new();
    line.insert("event".to_owned(), "model".into());
    line.insert("id".to_owned(), id.into());
    let more = match state {
        ModelState::Absent => json!({"state": "absent"}),
        ModelState::Fetching(_) => json!({"state": "downloading"}),
        ModelState::Ready {
            path,
            sha256,
            is_checked,
        } => json!({"state": "ready",
            "path": path.to_string_lossy(), "sha256": sha256, "checked": is_checked}),
        ModelState::NotAccepted => json!({"state": "not_accepted"}),
        ModelState::Failed(failure) => {
            json!({"state": "failed", "reason": failure.message, "remedy": failure.remedy})
        }
    };
    if let Value::Object(more) = more {
        line.extend(more);
    }
    Value::Object(line)
}

pub(super) fn words_of(told: &Told) -> String {
    match told {
        Told::Interpreter(interpreter) => interpreter_words(interpreter),
        Told::Variant(choice) => format!("torch for {}: {}", choice.variant, choice.reason),
        Told::Environment(environment) => environment_words(environment),
        Told::Device(device) => device_words(device),
        Told::Model(id, state) => format!("{id}: {}", model_words(state)),
    }
}

pub(super) fn interpreter_words(interpreter: &InterpreterView) -> String {
    match interpreter {
        InterpreterView::Unknown => "Python: not looked for yet".to_owned(),
        InterpreterView::Found { version, path } => {
            format!("Python {version} at {}", path.display())
        }
        InterpreterView::Missing { reason, remedy, .. } => format!("Python: {reason}\n  {remedy}"),
    }
}

pub(super) fn environment_words(environment: &EnvironmentView) -> String {
    match environment {
        EnvironmentView::Absent => "environment: not there yet".to_owned(),
        EnvironmentView::Building(_) => "environment: being built".to_owned(),
        EnvironmentView::Ready {
            folder, variant, ..
        } => {
            format!("environment: ready for {variant} in {}", folder.display())
        }
        EnvironmentView::Broken { reason, remedy } => format!("environment: {reason}\n  {remedy}"),
    }
}

pub(crate) fn device_words(device: &DeviceView) -> String {
    match device {
        DeviceView::Known {
            device, devices, ..
        } => format!("models run on {device} (there are {})", devices.join(", ")),
        DeviceView::Unknown => "tried out when a model first runs".to_owned(),
    }
}

pub(crate) fn model_words(state: &ModelState) -> String {
    match state {
        ModelState::Absent => "not there yet".to_owned(),
        ModelState::Fetching(_) => "being downloaded".to_owned(),
        ModelState::Ready {
            is_checked: true, ..
        } => "ready".to_owned(),
        ModelState::Ready { sha256, .. } => {
            let short: String = sha256.chars().take(12).collect();
            format!(
                "ready; nobody has published a whole checksum to compare it with, it has {short}…"
            )
        }
        ModelState::NotAccepted => "its terms have to be agreed to first".to_owned(),
        ModelState::Failed(failure) => format!("{}\n  {}", failure.message, failure.remedy),
    }
}

/// A model with its terms.
pub(super) fn about(model: &ModelView) -> Value {
    let mut line = model_json(&model.id, &model.state);
    if let Value::Object(line) = &mut line {
        line.insert("bytes".to_owned(), model.bytes.into());
        line.insert("code_licence".to_owned(), model.code_licence.clone().into());
        line.insert(
            "weight_licence".to_owned(),
            model.weight_licence.clone().into(),
        );
        line.insert("notice".to_owned(), model.notice.clone().into());
        line.insert("link".to_owned(), model.link.clone().into());
    }
    line
}

pub(super) fn error_json(failure: Option<&Failure>) -> Option<Value> {
    failure.map(|failure| json!({"message": failure.message, "remedy": failure.remedy}))
}
