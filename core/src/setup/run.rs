//! One set-up from beginning to end, told step by step; the same for the window and the command line.

use super::models::{get_models, model_view};
use super::{
    DeviceView, EnvironmentView, InterpreterView, ModelState, Places, PossibleVariant, SetupView,
    Variant, VariantView, Wish,
};
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use crate::models::manifest::{BadManifest, Manifest};
use crate::models::shelf;
use crate::python::environment::{self, Environment, Ready};
use crate::python::interpreter::{self, Interpreter, NotFound, Wanted};
use crate::python::{Build, BuildError, Building, Step, Wheels, build, holds, still};
use crate::python::{device, fingerprint, machine};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What was found or done.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Interpreter(InterpreterView),
    Variant(VariantView),
    Environment(EnvironmentView),
    Device(DeviceView),
    /// By id.
    Model(String, ModelState),
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SetupError {
    #[error("cancelled")]
    Cancelled,
    #[error("{}", .0.message)]
    Failed(Failure),
}

impl SetupView {
    pub fn take(&mut self, told: Told) {
        match told {
            Told::Interpreter(interpreter) => self.interpreter = interpreter,
            Told::Variant(variant) => self.variant = Some(variant),
            Told::Environment(environment) => self.environment = environment,
            Told::Device(device) => self.device = device,
            Told::Model(id, state) => {
                if let Some(model) = self.models.iter_mut().find(|model| model.id == id) {
                    model.state = state;
                }
            }
        }
    }
}

/// What there is. Reads small files and starts nothing.
pub fn survey(places: &Places) -> SetupView {
    let mut view = SetupView {
        environment: environment_view(&environment::check(&places.cache)),
        device: device_view(&places.cache),
        python: places.python.clone(),
        ..SetupView::default()
    };
    if let Environment::Ready(ready) = environment::check(&places.cache)
        && is_chosen(places, &ready.interpreter)
    {
        view.interpreter = found(&ready.interpreter);
    }
    if let Some(worker) = &places.worker {
        view.environment = EnvironmentView::Ready {
            folder: worker.clone(),
            variant: Variant::Cpu,
            versions: BTreeMap::default(),
        };
    }
    view.variant = chosen(places, None).ok();
    match places.models() {
        Ok(manifest) => {
            view.models = manifest
                .models
                .iter()
                .map(|model| model_view(places, model))
                .collect();
        }
        Err(error) => view.trouble = Some(bad_list(&error)),
    }
    view
}

/// Whether the user chose no other Python in the settings: that one would have to be asked.
fn is_chosen(places: &Places, interpreter: &Interpreter) -> bool {
    let chosen = places.python.as_deref();
    chosen
        .is_none_or(|chosen| chosen == interpreter.path || is_same_file(chosen, &interpreter.path))
}

fn bad_list(error: &BadManifest) -> Failure {
    Failure::new(
        FailureKind::Damaged,
        error.to_string(),
        "Correct the file that TONEARM_MODELS names",
    )
}

/// As [`survey`], and asks interpreters where none is known, or one was chosen: whether it still works is not to be seen
/// from here. `python`: the only one that will do.
pub fn check(places: &Places, python: Option<&Path>, control: &Control) -> SetupView {
    let mut view = survey(places);
    let is_chosen = python.is_some() || places.python.is_some();
    if view.interpreter == InterpreterView::Unknown || is_chosen {
        view.interpreter = match find_python(places, python, control) {
            Ok(interpreter) => found(&interpreter),
            Err(_) if control.check().is_err() => InterpreterView::Unknown,
            Err(missing) => not_found(missing),
        };
    }
    view
}

/// The named one, else that of the settings, else that of last time where it still fits, else whichever does.
fn find_python(
    places: &Places,
    named: Option<&Path>,
    control: &Control,
) -> Result<Interpreter, NotFound> {
    let last = environment::last_python(&places.cache);
    let wanted = Wanted {
        named,
        setting: places.python.as_deref(),
        last: last.as_deref(),
    };
    interpreter::find(wanted, control)
}

/// Does all of a wish that is not done yet. What cannot be had does not keep the rest from being got, as far as that is
/// possible; the first reason is given at the end.
pub fn run(
    places: &Places,
    wish: &Wish,
    control: &Control,
    tell: &mut dyn FnMut(Told),
) -> Result<(), SetupError> {
    let manifest = places
        .models()
        .map_err(|error| SetupError::Failed(bad_list(&error)))?;
    are_known(&manifest, wish)?;
    if let Some(folder) = wish.from.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(SetupError::Failed(Failure::new(
            FailureKind::Missing,
            format!(
                "there is no folder to take models from\nFolder: {}",
                folder.display()
            ),
            "Name a folder that holds models or packages",
        )));
    }
    let made = if wish.environment && places.worker.is_none() {
        make_environment(places, wish, (control, tell))
    } else {
        Ok(())
    };
    match made {
        // What lies in a folder needs neither packages nor the net.
        Err(SetupError::Failed(first)) if wish.from.is_some() => {
            match get_models(places, &manifest, wish, (control, tell)) {
                Err(SetupError::Cancelled) => Err(SetupError::Cancelled),
                Ok(()) | Err(SetupError::Failed(_)) => Err(SetupError::Failed(first)),
            }
        }
        Err(error) => Err(error),
        Ok(()) => get_models(places, &manifest, wish, (control, tell)),
    }
}

fn are_known(manifest: &Manifest, wish: &Wish) -> Result<(), SetupError> {
    let named = wish.models.iter().flatten();
    let unknown = named.chain(&wish.accepted).chain(&wish.again);
    for id in unknown {
        if manifest.get(id).is_none() {
            let known: Vec<&str> = manifest
                .models
                .iter()
                .map(|model| model.id.as_str())
                .collect();
            return Err(SetupError::Failed(Failure::new(
                FailureKind::Unsupported,
                format!("there is no model named {id}"),
                format!("There are {}", known.join(", ")),
            )));
        }
    }
    Ok(())
}

fn make_environment(
    places: &Places,
    wish: &Wish,
    (control, tell): (&Control, &mut dyn FnMut(Told)),
) -> Result<(), SetupError> {
    let workers = places.resources().map_err(SetupError::Failed)?;
    let ready = match environment::check(&places.cache) {
        Environment::Ready(ready) => Some(ready),
        Environment::Absent | Environment::Broken { .. } => None,
    };
    let suits = |ready: &Ready| {
        let mine = &ready.interpreter.path;
        wish.torch.is_none_or(|torch| torch == ready.variant)
            && wish
                .python
                .as_ref()
                .is_none_or(|python| python == mine || is_same_file(python, mine))
    };
    if let Some(ready) = ready.filter(|ready| suits(ready))
        && works(&ready, (&places.cache, &workers), (control, tell))?
    {
        tell(Told::Interpreter(found(&ready.interpreter)));
        tell(Told::Environment(environment_view(&Environment::Ready(
            ready,
        ))));
        tell(Told::Device(device_view(&places.cache)));
        return Ok(());
    }
    // A machine without a build of torch needs no Python either.
    let variant = chosen(places, wish.torch).map_err(SetupError::Failed)?;
    let asked = find_python(places, wish.python.as_deref(), control);
    // Whoever is stopped while it answers has not said that it will not do.
    control
        .check()
        .map_err(|_cancelled| SetupError::Cancelled)?;
    let interpreter = asked.map_err(|missing| {
        tell(Told::Interpreter(not_found(missing.clone())));
        SetupError::Failed(Failure::new(
            FailureKind::Missing,
            missing.reason,
            missing.remedy,
        ))
    })?;
    tell(Told::Interpreter(found(&interpreter)));
    tell(Told::Variant(variant.clone()));
    let wheels = wish.from.as_deref().and_then(wheels_below);
    let job = Build {
        cache: &places.cache,
        interpreter: &interpreter,
        variant: variant.variant,
        wheels: wheels.as_ref(),
        workers: &workers,
        free_bytes: places.free_bytes,
    };
    let built = build(&job, control, &mut |building| {
        tell(Told::Environment(EnvironmentView::Building(building)));
    });
    match built {
        Ok(ready) => {
            tell(Told::Environment(environment_view(&Environment::Ready(
                Box::new(ready),
            ))));
            tell(Told::Device(device_view(&places.cache)));
            Ok(())
        }
        Err(error) => {
            tell(Told::Environment(environment_view(&environment::check(
                &places.cache,
            ))));
            Err(error.into())
        }
    }
}

/// Also through links, as in environments of the user's own.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let whole = |path| fs::canonicalize(path).ok();
    whole(one).is_some_and(|one| whole(other) == Some(one))
}

impl From<BuildError> for SetupError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Cancelled => Self::Cancelled,
            BuildError::Failed(failure) => Self::Failed(failure),
        }
    }
}

/// Whether an environment that looks whole can be worked with; else it counts as broken and is to be made anew.
fn works(
    ready: &Ready,
    (cache, workers): (&Path, &Path),
    (control, tell): (&Control, &mut dyn FnMut(Told)),
) -> Result<bool, SetupError> {
    let building = still(Step::Trying, "whether everything can be loaded");
    tell(building.into());
    holds(ready, (cache, workers), control).map_err(|error| {
        let as_before = Environment::Ready(Box::new(ready.clone()));
        tell(Told::Environment(environment_view(&as_before)));
        error.into()
    })
}

/// The packages in a folder, looked for as far as models are; it may hold models alone.
fn wheels_below(folder: &Path) -> Option<Wheels> {
    let files = shelf::files_below(folder);
    let is_wheel = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "whl");
    let wheels = files.iter().filter(is_wheel);
    let within: BTreeSet<&Path> = wheels.filter_map(|wheel| wheel.parent()).collect();
    (!within.is_empty()).then(|| Wheels {
        folder: folder.to_path_buf(),
        within: within.into_iter().map(Path::to_path_buf).collect(),
    })
}

/// Which build of torch: the wish, else as last time, else what suits the machine.
fn chosen(places: &Places, wish: Option<Variant>) -> Result<VariantView, Failure> {
    let last = environment::last_variant(&places.cache);
    let machine = machine::here();
    let choice = fingerprint::choose(machine, wish.or(last)).map_err(|error| {
        let remedy = "Choose another build: tonearm setup --torch cpu";
        Failure::new(FailureKind::Unsupported, error.to_string(), remedy)
    })?;
    let sized = |variant| {
        let (download, disk) = crate::python::sizes(variant);
        PossibleVariant {
            variant,
            download,
            disk,
        }
    };
    Ok(VariantView {
        variant: choice.variant,
        reason: choice.reason,
        possible: fingerprint::possible(machine)
            .into_iter()
            .map(sized)
            .collect(),
    })
}

fn found(interpreter: &Interpreter) -> InterpreterView {
    InterpreterView::Found {
        version: interpreter.version_text(),
        path: interpreter.path.clone(),
    }
}

fn not_found(missing: NotFound) -> InterpreterView {
    InterpreterView::Missing {
        reason: missing.reason,
        remedy: missing.remedy,
        is_command: missing.is_command,
    }
}

fn environment_view(environment: &Environment) -> EnvironmentView {
    match environment {
        Environment::Absent => EnvironmentView::Absent,
        Environment::Ready(ready) => EnvironmentView::Ready {
            folder: ready.folder.clone(),
            variant: ready.variant,
            versions: ready.versions.clone(),
        },
        Environment::Broken { reason } => EnvironmentView::Broken {
            reason: reason.clone(),
            remedy: "Set up again; models that are here are not fetched again".to_owned(),
        },
    }
}

fn device_view(cache: &Path) -> DeviceView {
    device::known(cache).map_or(DeviceView::Unknown, |known| DeviceView::Known {
        device: known.device,
        devices: known.devices,
        short: known.short,
    })
}

impl From<Building> for Told {
    fn from(building: Building) -> Self {
        Self::Environment(EnvironmentView::Building(building))
    }
}

/// In words, for a line of progress.
pub fn in_words(building: &Building) -> &'static str {
    match building.step {
        Step::Waiting => "Waiting for another Tonearm",
        Step::Preparing => "Preparing",
        Step::Downloading => "Downloading",
        Step::Installing => "Installing",
        Step::Trying => "Trying it out",
    }
}
