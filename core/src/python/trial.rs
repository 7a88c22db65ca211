//! Commands for a Python that end with this program, and the trial: whether everything in an environment can be loaded.

use super::child::{ChildError, ask};
use super::environment::Ready;
use super::protocol::shortened;
use super::venv::BuildError;
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
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
/// Packages whose import shows that all is well, and whose versions are told.
const TRIED: &str = "import json
from importlib.metadata import version
import numpy, torch, torchaudio, einops, safetensors, rotary_embedding_torch
import beat_this.model.beat_tracker, demucs.htdemucs
torch.zeros(4).sum().item()
print(json.dumps({name: version(name) for name in
    ('torch', 'torchaudio', 'beat-this', 'demucs', 'numpy')}))";
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

/// Loads all that matters; gives the versions.
pub(super) fn load(
    python: &Path,
    control: &Control,
) -> Result<BTreeMap<String, String>, BuildError> {
    let mut command = guarded(python, TRIED);
    let answer = ask(&mut command, STEP_LONGEST, control).map_err(|error| broke(&error))?;
    let last = answer.out.lines().last().unwrap_or_default();
    if let (true, Ok(versions)) = (answer.status.success(), serde_json::from_str(last)) {
        return Ok(versions);
    }
    let said = answer.error.lines().rfind(|line| !line.trim().is_empty());
    Err(BuildError::Failed(Failure::new(
        FailureKind::Unsupported,
        format!(
            "the packages are installed and cannot be loaded: {}",
            shortened(said.unwrap_or("they said nothing"))
        ),
        "Try another build: tonearm setup --torch cpu; or report it with these words",
    )))
}

/// Whether an environment that looks well is well: one that is not counts as broken from now on, and `false` is given.
/// One that is merely slow is left as it is.
pub(crate) fn holds(ready: &Ready, control: &Control) -> Result<bool, BuildError> {
    match load(&ready.python, control) {
        Ok(_) => Ok(true),
        Err(BuildError::Failed(failure)) if failure.kind != FailureKind::Timeout => {
            tracing::warn!(reason = %failure.message, "the environment is made anew");
            super::environment::distrust(&ready.folder);
            Ok(false)
        }
        Err(error) => Err(error),
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
