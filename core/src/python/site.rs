//! An environment under construction: made empty, filled by pip, tried out.

use super::child::{ask, follow};
use super::environment;
use super::fingerprint::{Variant, possible};
use super::machine;
use super::meter::Meter;
use super::pip::{self, Progress};
use super::resources;
use super::trial::{self, STEP_LONGEST, broke};
use super::venv::{Build, BuildError, Building, Step, sizes, still};
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Not even 3 GB over a slow line take longer.
const PIP_LONGEST: Duration = Duration::from_hours(6);
/// The server of torch's makers, which alone has builds for Linux without CUDA.
const CPU_INDEX: &str = "https://download.pytorch.org/whl/cpu";
const CPU_SERVER: &str = "download.pytorch.org";
/// pip tries each package there again and again before it gives up.
const MOST_UNREACHABLE: u32 = 4;

/// An environment under construction.
pub(super) struct Site<'a> {
    pub(super) job: &'a Build<'a>,
    pub(super) folder: PathBuf,
    pub(super) control: &'a Control,
}

/// Where pip keeps what it has fetched.
pub(super) fn downloads(cache: &Path) -> PathBuf {
    environment::root(cache).join("pip")
}

impl Site<'_> {
    /// Makes it, and tries it out; gives the versions of what is in it.
    pub(super) fn make(
        &self,
        locks: &[(&str, &[u8])],
        tell: &mut dyn FnMut(Building),
    ) -> Result<BTreeMap<String, String>, BuildError> {
        tell(still(Step::Preparing, "an empty environment"));
        let temporary = self.folder.join("tmp");
        self.run(
            &self.job.interpreter.path,
            "venv",
            &["--without-pip".into(), self.folder.clone().into()],
        )?;
        fs::create_dir_all(&temporary)?;
        let python = environment::python_in(&self.folder);
        self.run(
            &python,
            "ensurepip",
            &["--upgrade".into(), "--default-pip".into()],
        )?;
        tell(still(Step::Preparing, "the installer"));
        let pip_lock = self.written("pip.txt", &String::from_utf8_lossy(resources::pip_lock()))?;
        self.pip(&pip_lock, &[], &mut |_| ())?;
        self.install(locks, tell)?;
        tell(still(Step::Trying, "whether everything can be loaded"));
        let places = (self.job.cache, self.job.workers);
        let versions = trial::load(&python, places, self.job.variant, self.control)?;
        fs::remove_dir_all(&temporary)?;
        Ok(versions)
    }

    fn install(
        &self,
        locks: &[(&str, &[u8])],
        tell: &mut dyn FnMut(Building),
    ) -> Result<(), BuildError> {
        let mut all: Vec<String> = Vec::new();
        for (_, text) in locks {
            for requirement in pip::requirements(&String::from_utf8_lossy(text)) {
                let requirement = if self.is_without_cuda() {
                    pip::without_cuda(&requirement)
                } else {
                    requirement
                };
                if !all.contains(&requirement) {
                    all.push(requirement);
                }
            }
        }
        let mut meter = Meter::new(sizes(self.job.variant).0, all.len(), &self.folder);
        let file = self.written("locks.txt", &all.join("\n"))?;
        let index = [OsString::from("--extra-index-url"), CPU_INDEX.into()];
        let index = if self.has_own_index() {
            index.as_slice()
        } else {
            &[]
        };
        let raw = [OsString::from("--progress-bar"), "raw".into()];
        self.pip(&file, &[index, &raw].concat(), &mut |progress| {
            meter.tell(progress, tell);
        })
    }

    /// Whether torch comes from its makers' own server.
    fn has_own_index(&self) -> bool {
        let has_none = cfg!(target_os = "macos") || self.job.wheels.is_some();
        self.job.variant == Variant::Cpu && !has_none
    }

    /// Whether the build without CUDA is asked for by its name. Where a server gives none, pip passes over that in silence
    /// and takes the common build, which for Linux is the one with CUDA.
    fn is_without_cuda(&self) -> bool {
        let is_on_linux = self.job.variant == Variant::Cpu && cfg!(target_os = "linux");
        self.has_own_index() || is_on_linux
    }

    /// A file for pip, beside what it builds.
    fn written(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.join("tmp").join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Installs what stands in `lock`, and nothing that is not of the hash that stands there.
    fn pip(
        &self,
        lock: &Path,
        more: &[OsString],
        hear: &mut dyn FnMut(&Progress),
    ) -> Result<(), BuildError> {
        let mut arguments: Vec<OsString> = [
            "install",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--no-input",
            "--disable-pip-version-check",
            "--no-color",
            "-r",
        ]
        .map(OsString::from)
        .to_vec();
        arguments.push(lock.into());
        arguments.extend(more.iter().cloned());
        if let Some(wheels) = self.job.wheels {
            arguments.push("--no-index".into());
            for folder in &wheels.within {
                arguments.push("--find-links".into());
                arguments.push(folder.into());
            }
        }
        let mut command = self.command(&environment::python_in(&self.folder), "pip");
        command.args(arguments);
        let mut progress = Progress::default();
        let stop = Control::default();
        let mut unreachable = 0;
        let ended = follow(&mut command, PIP_LONGEST, &stop, &mut |line| {
            if self.control.check().is_err() || unreachable > MOST_UNREACHABLE {
                stop.cancel();
            }
            if let Some((_, line)) = line {
                tracing::debug!(target: "pip", "{line}");
                progress.hear(line);
                unreachable += u32::from(pip::is_unreachable(line, CPU_SERVER));
            }
            hear(&progress);
        });
        if self.control.check().is_ok() && unreachable > MOST_UNREACHABLE {
            return Err(unreachable_server(&possible(machine::here())));
        }
        match ended.map_err(|error| broke(&error))? {
            status if status.success() => Ok(()),
            _ if self.has_own_index() && progress.lacks_own_build() => {
                Err(unreachable_server(&possible(machine::here())))
            }
            _ => {
                let from = self.job.wheels.map(|wheels| wheels.folder.as_path());
                Err(BuildError::Failed(progress.explain(from)))
            }
        }
    }

    fn command(&self, python: &Path, module: &str) -> Command {
        let mut command = trial::module(python, module);
        let temporary = self.folder.join("tmp");
        for name in ["TMPDIR", "TEMP", "TMP"] {
            command.env(name, &temporary);
        }
        // What was fetched is not fetched again where something fails after it, and lies nowhere else.
        command.env("PIP_CACHE_DIR", downloads(self.job.cache));
        command
    }

    fn run(&self, python: &Path, module: &str, arguments: &[OsString]) -> Result<(), BuildError> {
        let mut command = self.command(python, module);
        command.args(arguments);
        // The folder for temporary files is made with the environment.
        if module == "venv" {
            for name in ["TMPDIR", "TEMP", "TMP"] {
                command.env_remove(name);
            }
        }
        let answer =
            ask(&mut command, STEP_LONGEST, self.control).map_err(|error| broke(&error))?;
        if answer.status.success() {
            return Ok(());
        }
        let said = answer
            .error
            .lines()
            .chain(answer.out.lines())
            .map(str::trim);
        let last = said
            .rev()
            .find(|line| !line.is_empty())
            .unwrap_or("it said nothing");
        Err(BuildError::Failed(Failure::new(
            FailureKind::Bug,
            format!(
                "Python's {module} failed: {}",
                super::protocol::shortened(last)
            ),
            "Make sure that this Python is whole (its venv package too), or choose another",
        )))
    }
}

/// The common build comes from elsewhere, where there is one.
fn unreachable_server(possible: &[Variant]) -> BuildError {
    let otherwise = if possible.contains(&Variant::Cuda) {
        "or take the common build, which is larger: tonearm setup --torch cuda"
    } else {
        "or bring the packages in a folder: tonearm setup --from DIR"
    };
    BuildError::Failed(Failure::new(
        FailureKind::Unreadable,
        format!("{CPU_SERVER}, which has PyTorch without CUDA, cannot be reached"),
        format!("Check the connection and set up again; {otherwise}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_build_is_offered_only_where_it_can_be_had() {
        for (possible, what) in [
            (&[Variant::Cpu, Variant::Cuda][..], "--torch cuda"),
            (&[Variant::Cpu], "--from"),
            (&[], "--from"),
        ] {
            let BuildError::Failed(failure) = unreachable_server(possible) else {
                panic!("no failure");
            };
            assert!(failure.remedy.contains(what), "{}", failure.remedy);
        }
    }
}
