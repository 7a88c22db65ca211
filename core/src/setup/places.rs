//! Where environments and models lie, and what developers and tests put in their place.

use crate::failure::{Failure, FailureKind};
use crate::models::Manifest;
use crate::models::manifest::BadManifest;
use crate::python::environment::{self, Environment};
use crate::python::protocol::Family;
use crate::python::resources;
use crate::python::worker::{Launch, Setting};
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// May be thrown away: all of it can be made again or fetched again.
    pub cache: PathBuf,
    /// A list of models in place of ours.
    pub manifest: Option<PathBuf>,
    /// A folder with `python/` and `consonance-ACE/` in place of those in the program.
    pub resources: Option<PathBuf>,
    /// A program in place of Python and its worker.
    pub worker: Option<PathBuf>,
    /// What models run on; `None`: the best there is.
    pub device: Option<String>,
    /// The Python that the user chose in the settings.
    pub python: Option<PathBuf>,
    /// Bytes that count as free on the drive of the cache when an environment is made; `None`: what the system says.
    pub free_bytes: Option<u64>,
}

impl Places {
    /// As the environment says (`TONEARM_CACHE`, `TONEARM_MODELS`, `TONEARM_PYTHON_DIR`, `TONEARM_WORKER`,
    /// `TONEARM_DEVICE`), else with this cache folder. `None` where there is none.
    pub fn here(cache: Option<PathBuf>) -> Option<Self> {
        let set = |name| env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let path = |name| set(name).map(PathBuf::from);
        Some(Self {
            cache: path("TONEARM_CACHE").or(cache)?,
            manifest: path("TONEARM_MODELS"),
            resources: path("TONEARM_PYTHON_DIR"),
            worker: path("TONEARM_WORKER"),
            device: set("TONEARM_DEVICE").map(|value| value.to_string_lossy().into_owned()),
            python: None,
            free_bytes: None,
        })
    }

    pub fn models(&self) -> Result<Manifest, BadManifest> {
        match &self.manifest {
            Some(path) => Manifest::read(path),
            None => Manifest::ours(),
        }
    }

    /// How a worker is started; `None` where there is no environment for it.
    pub fn launch(&self, threads: usize) -> Result<Option<Launch>, Failure> {
        let environment = self.variables(threads);
        if let Some(program) = &self.worker {
            return Ok(Some(Launch {
                program: program.clone(),
                arguments: Vec::new(),
                environment,
                home: None,
            }));
        }
        let Environment::Ready(ready) = environment::check(&self.cache) else {
            return Ok(None);
        };
        let folder = self.resources()?;
        Ok(Some(Launch {
            program: ready.python,
            arguments: vec![
                "-I".into(),
                "-B".into(),
                "-X".into(),
                "utf8".into(),
                resources::worker_in(&folder).into(),
            ],
            environment,
            home: Some(ready.folder),
        }))
    }

    /// The folder with all that workers run, written out where it is not there as it should be.
    pub(super) fn resources(&self) -> Result<PathBuf, Failure> {
        match &self.resources {
            Some(folder) => Ok(folder.clone()),
            None => resources::write_out(&self.cache).map_err(|error| not_written(&error)),
        }
    }

    /// Nothing of a worker goes to the net or outside of our folder, and its threads do not spin while they wait.
    fn variables(&self, threads: usize) -> Vec<(OsString, OsString)> {
        let below = |name: &str| self.cache.join("workers").join(name).into_os_string();
        let threads = threads.to_string();
        vec![
            ("OMP_WAIT_POLICY".into(), "PASSIVE".into()),
            ("OMP_NUM_THREADS".into(), threads.as_str().into()),
            ("MKL_NUM_THREADS".into(), threads.as_str().into()),
            ("HF_HUB_OFFLINE".into(), "1".into()),
            ("TORCH_HOME".into(), below("torch")),
            ("HF_HOME".into(), below("huggingface")),
            ("XDG_CACHE_HOME".into(), below("cache")),
            ("NUMBA_CACHE_DIR".into(), below("numba")),
        ]
    }

    /// What a worker is to load: nothing where the model is not here.
    pub fn setting(&self, family: Family, threads: usize) -> Option<(Setting, String)> {
        let models = self.models().ok()?;
        let model = crate::models::shelf::installed(&self.cache, models.of(family)?)?;
        let setting = Setting {
            model: model.path,
            sha256: Some(model.note.sha256.clone()),
            device: self.device.clone().unwrap_or_else(|| "auto".to_owned()),
            threads,
        };
        Some((setting, model.note.sha256))
    }
}

fn not_written(error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Storage,
        format!("the workers of the models cannot be written into the cache folder: {error}"),
        "Make room on its drive, change its permissions, or name another with TONEARM_CACHE",
    )
}
