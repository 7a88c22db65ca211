//! Commands for a Python that end with this program, and the trial: whether everything in an environment can be loaded.

use super::child::{ChildError, ask};
use super::device::{self, KnownDevice};
use super::environment::Ready;
use super::fingerprint::{Variant, possible};
use super::machine;
use super::protocol::shortened;
use super::resources;
use super::venv::BuildError;
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Making an empty environment, and importing everything from a cold disk.
pub(super) const STEP_LONGEST: Duration = Duration::from_mins(10);
/// Ends the process when our end of its standard input closes: also when this program is killed. Where there are groups
/// it leads one, and all that it has started ends with it.
const WATCH: &str = "import os, sys, threading
def watch():
    while os.read(0, 4096):
        pass
    if os.name == 'posix' and os.getpgrp() == os.getpid():
        os.killpg(0, 9)
    os._exit(70)
watcher = threading.Thread(target=watch)
watcher.daemon = True
watcher.start()";
const RUN_MODULE: &str = "import runpy
module = sys.argv.pop(1)
runpy.run_module(module, run_name='__main__', alter_sys=True)";
/// Packages whose import shows that all is well, whose versions are told, and what they compute on. The folder of the
/// workers' modules follows.
const TRIED: &str = "import json, sys
from importlib.metadata import version
import numpy, torch, torchaudio, einops, safetensors, rotary_embedding_torch
import beat_this.model.beat_tracker, demucs.htdemucs
torch.zeros(4).sum().item()
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from tonearm_worker.devices import available
print(json.dumps({'devices': available(), 'versions': {name: version(name) for name in
    ('torch', 'torchaudio', 'beat-this', 'demucs', 'numpy')}}))";
/// What it says at its end.
#[derive(Debug, Deserialize)]
struct Tried {
    versions: BTreeMap<String, String>,
    /// The best first.
    devices: Vec<String>,
}
/// What would make Python or pip work elsewhere than in our folder. Where the user's packages come from stays.
const LEFT_OUT: [&str; 8] = [
    "PYTHONHOME",
    "PYTHONPATH",
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_PYTHON",
    "PIP_REQUIRE_VIRTUALENV",
];

/// Runs a module, whose arguments follow.
pub(super) fn module(python: &Path, name: &str) -> Command {
    let mut command = guarded(python, RUN_MODULE);
    command.arg(name);
    command
}

/// A script that ends with this program.
pub(super) fn ending_with_us(script: &str) -> String {
    format!("{WATCH}\n{script}")
}

fn guarded(python: &Path, script: &str) -> Command {
    let mut command = Command::new(python);
    command.args(["-I", "-X", "utf8", "-c", &ending_with_us(script)]);
    for name in LEFT_OUT {
        command.env_remove(name);
    }
    command
}

/// Why not all that matters was loaded.
enum Unsound {
    /// It was tried to its end, and cannot be.
    Broken(Failure),
    /// The trial did not come to its own end, which says nothing of the packages.
    Unknown(BuildError),
}

/// Loads all that matters; gives the versions. What it computes on is remembered.
pub(super) fn load(
    python: &Path,
    (cache, workers): (&Path, &Path),
    variant: Variant,
    control: &Control,
) -> Result<BTreeMap<String, String>, BuildError> {
    try_out(python, (cache, workers), variant, control).map_err(|unsound| match unsound {
        Unsound::Broken(failure) => BuildError::Failed(failure),
        Unsound::Unknown(error) => error,
    })
}

fn try_out(
    python: &Path,
    (cache, workers): (&Path, &Path),
    variant: Variant,
    control: &Control,
) -> Result<BTreeMap<String, String>, Unsound> {
    let mut command = guarded(python, TRIED);
    command.arg(resources::modules_in(workers));
    let answer = ask(&mut command, STEP_LONGEST, control);
    let answer = answer.map_err(|error| Unsound::Unknown(broke(&error)))?;
    let last = answer.out.lines().last().unwrap_or_default();
    let tried = serde_json::from_str(last).ok();
    if let Some(Tried { versions, devices }) = tried.filter(|_| answer.status.success()) {
        if let Some(best) = devices.first() {
            let known = KnownDevice {
                device: best.clone(),
                devices,
                short: None,
            };
            device::keep(cache, &known);
        }
        return Ok(versions);
    }
    let said = answer.error.lines().rfind(|line| !line.trim().is_empty());
    let said = shortened(said.unwrap_or("they said nothing"));
    // Where memory is short, the system ends it, or Python itself gives up.
    if answer.status.code().is_none() || said.starts_with("MemoryError") {
        return Err(Unsound::Unknown(BuildError::Failed(Failure::new(
            FailureKind::Unreadable,
            format!(
                "the packages could not be tried out: {} ({said})",
                answer.status
            ),
            "Close other programs, then set up again",
        ))));
    }
    Err(Unsound::Broken(Failure::new(
        FailureKind::Unsupported,
        format!("the packages are installed and cannot be loaded: {said}"),
        another(variant, &possible(machine::here())),
    )))
}

/// What helps where the packages of a build cannot be loaded: another one, where there is one for this machine.
fn another(tried: Variant, possible: &[Variant]) -> String {
    match possible.iter().find(|build| **build != tried) {
        Some(build) => {
            format!(
                "Try another build: tonearm setup --torch {build}; or report it with these words"
            )
        }
        None => "Report it with these words; the built-in analysis goes on".to_owned(),
    }
}

/// Whether an environment that looks well is well: one that is not counts as broken from now on, and `false` is given.
/// One that could not be tried to the end, for want of time or memory, is left as it is.
pub(crate) fn holds(
    ready: &Ready,
    places: (&Path, &Path),
    control: &Control,
) -> Result<bool, BuildError> {
    match try_out(&ready.python, places, ready.variant, control) {
        Ok(_) => Ok(true),
        Err(Unsound::Broken(failure)) => {
            tracing::warn!(reason = %failure.message, "the environment is made anew");
            super::environment::distrust(&ready.folder);
            Ok(false)
        }
        Err(Unsound::Unknown(error)) => Err(error),
    }
}

pub(super) fn broke(error: &ChildError) -> BuildError {
    match error {
        ChildError::Cancelled => BuildError::Cancelled,
        ChildError::TimedOut(_) => BuildError::Failed(Failure::new(
            FailureKind::Timeout,
            error.to_string(),
            "Check the connection and the drive, then set up again",
        )),
        ChildError::NotStarted(_) | ChildError::Lost(_) => BuildError::Failed(Failure::new(
            FailureKind::Unreadable,
            format!("Python: {error}"),
            "Name another Python 3.12 with --python, then set up again",
        )),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::python::interpreter::Interpreter;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    #[test]
    fn what_was_tried_is_not_proposed_again() {
        for (tried, possible, words) in [
            (
                Variant::Cpu,
                &[Variant::Cpu, Variant::Cuda][..],
                "--torch cuda",
            ),
            (Variant::Cuda, &[Variant::Cpu, Variant::Cuda], "--torch cpu"),
            (Variant::Mps, &[Variant::Cpu, Variant::Mps], "--torch cpu"),
            (Variant::Cpu, &[Variant::Cpu], "Report it"),
        ] {
            let remedy = another(tried, possible);
            assert!(remedy.contains(words), "{tried}: {remedy}");
        }
    }

    #[test]
    fn an_environment_counts_as_broken_only_when_its_packages_were_tried_to_the_end() {
        for (script, ended, is_trusted) in [
            (
                Some(r#"echo '{"versions": {}, "devices": ["cpu"]}'"#),
                Some(true),
                true,
            ),
            (
                Some("echo 'ImportError: no torch' >&2; exit 1"),
                Some(false),
                false,
            ),
            (Some("echo 'MemoryError' >&2; exit 1"), None, true),
            (Some("kill -9 $$"), None, true),
            (None, None, true),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let python = folder.path().join("python");
            if let Some(script) = script {
                fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
                fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
            }
            let marker = folder.path().join("ready.json");
            fs::write(&marker, "{}").unwrap();
            let ready = Ready {
                folder: folder.path().to_path_buf(),
                python,
                interpreter: Interpreter {
                    path: PathBuf::new(),
                    version: (3, 12, 1),
                    platform: String::new(),
                },
                variant: Variant::Cpu,
                versions: BTreeMap::new(),
            };
            let places = (folder.path(), folder.path());
            let held = holds(&ready, places, &Control::default());
            assert_eq!(
                (held.ok(), marker.exists()),
                (ended, is_trusted),
                "{script:?}"
            );
        }
    }
}
