//! Making neural analysis possible on this machine: what is there, what is being done about it, what can be asked for.

pub mod desk;
pub mod places;
pub mod run;

mod models;

pub use crate::models::download::Fetching;
pub use crate::python::fingerprint::Variant;
pub use crate::python::protocol::Family;
pub use crate::python::{Building, Step};
pub use places::Places;

use crate::failure::{Failure, FailureKind};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Asked of the set-up. What is asked while it is busy is done after that.
#[derive(Debug, Clone, PartialEq)]
pub enum SetupCommand {
    /// Does all of it that is not done yet, one after the other. The same again while it is under way is ignored.
    Start(Wish),
    /// Stops it; what is whole stays, the rest is taken up where it was. What else was asked for is not begun.
    Cancel,
    /// Looks again, also for interpreters.
    Check,
    /// Whether others have changed anything meanwhile: reads small files, starts nothing, forgets nothing.
    Glance,
    /// The only Python that will do from now on, where a set-up names none; `None`: whichever fits. Looks for it.
    UsePython(Option<PathBuf>),
    /// Takes a model off this machine.
    RemoveModel(String),
}

/// What a set-up is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Whether the environment is to be made.
    pub environment: bool,
    /// Ids of models; `None`: all that may be had without agreeing to anything, and those in `accepted`.
    pub models: Option<Vec<String>>,
    /// Ids of models whose terms the user has read and agreed to.
    pub accepted: Vec<String>,
    /// Ids of models that are got once more, in place of those that are here.
    pub again: Vec<String>,
    /// The build of torch; `None`: as last time, else what suits the machine.
    pub torch: Option<Variant>,
    /// The only Python that will do; `None`: that of the settings, else that of last time, else whichever fits.
    pub python: Option<PathBuf>,
    /// A folder with models or packages, in place of the net.
    pub from: Option<PathBuf>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            environment: true,
            models: None,
            accepted: Vec::new(),
            again: Vec::new(),
            torch: None,
            python: None,
            from: None,
        }
    }
}

/// All that is to be seen of the set-up, at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetupView {
    pub interpreter: InterpreterView,
    /// The Python of the settings.
    pub python: Option<PathBuf>,
    pub environment: EnvironmentView,
    /// Which build of torch is or would be installed, and why.
    pub variant: Option<VariantView>,
    pub models: Vec<ModelView>,
    pub device: DeviceView,
    /// A set-up is under way.
    pub is_busy: bool,
    /// Why the last set-up did not come to its end, until the next.
    pub trouble: Option<Failure>,
}

impl SetupView {
    /// Families that can work now. Chords are heard in stems by a model: without those there are none.
    pub fn ready(&self) -> Vec<Family> {
        let mut ready = self.here();
        if !ready.contains(&Family::Stems) {
            ready.retain(|family| *family != Family::Harmony);
        }
        ready
    }

    /// The model that is lacking for one that is here to be of use.
    pub fn lacking(&self) -> Option<&ModelView> {
        let here = self.here();
        let lacks = here.contains(&Family::Harmony) && !here.contains(&Family::Stems);
        let mut models = self.models.iter();
        models.find(|model| lacks && model.family == Family::Stems)
    }

    /// Why models run on the processor although the packages are for a card, and what helps.
    pub fn without_card(&self) -> Option<Failure> {
        let EnvironmentView::Ready { variant, .. } = &self.environment else {
            return None;
        };
        let DeviceView::Known { devices, short, .. } = &self.device else {
            return None;
        };
        if let Some(short) = short {
            return Some(Failure::new(
                FailureKind::Unsupported,
                format!("{short} ran out of memory when models last ran: the processor stands in"),
                "Close other programs that use the card, then start Tonearm again: it is tried anew",
            ));
        }
        let (card, reason, remedy) = match variant {
            Variant::Cpu => return None,
            Variant::Cuda => (
                "cuda",
                "the packages are for an NVIDIA card, and PyTorch finds none that computes: models run on the processor",
                "See with nvidia-smi whether the card and a driver for it are there, update the driver, then set up again; without a card take the smaller packages: tonearm setup --torch cpu",
            ),
            Variant::Mps => (
                "mps",
                "PyTorch cannot compute on this Mac's graphics: models run on the processor",
                "Update macOS, then set up again",
            ),
        };
        let has_card = devices.iter().any(|device| device.starts_with(card));
        (!has_card).then(|| Failure::new(FailureKind::Unsupported, reason, remedy))
    }

    /// Families whose model is here, with what it runs in.
    fn here(&self) -> Vec<Family> {
        if !matches!(self.environment, EnvironmentView::Ready { .. }) {
            return Vec::new();
        }
        let is_here = |model: &&ModelView| matches!(model.state, ModelState::Ready { .. });
        let models = self.models.iter().filter(is_here);
        models.map(|model| model.family).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum InterpreterView {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    Found {
        version: String,
        path: PathBuf,
    },
    Missing {
        reason: String,
        remedy: String,
        /// The remedy is one command that gets it here.
        is_command: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Default)]
pub enum EnvironmentView {
    #[default]
    Absent,
    Building(Building),
    Ready {
        folder: PathBuf,
        variant: Variant,
        /// Of the packages that matter, by name.
        versions: BTreeMap<String, String>,
    },
    Broken {
        reason: String,
        remedy: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantView {
    pub variant: Variant,
    pub reason: String,
    /// All that there are for this machine.
    pub possible: Vec<PossibleVariant>,
}

impl VariantView {
    pub fn size_of(&self, variant: Variant) -> Option<PossibleVariant> {
        let mut possible = self.possible.iter();
        possible.find(|size| size.variant == variant).copied()
    }
}

/// A build that runs here, and how large its packages are, about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PossibleVariant {
    pub variant: Variant,
    /// Bytes that are fetched.
    pub download: u64,
    /// Bytes on the disk.
    pub disk: u64,
}

/// One model, whether here or not.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelView {
    pub id: String,
    pub family: Family,
    pub title: String,
    /// What it makes, in a few words.
    pub is_for: String,
    /// Of the file where it is there, otherwise about what it will take.
    pub bytes: u64,
    pub code_licence: String,
    pub weight_licence: String,
    /// Whether the user has to agree to anything first.
    pub is_free: bool,
    /// What has to be read before it is fetched.
    pub notice: Option<String>,
    pub link: String,
    pub state: ModelState,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ModelState {
    Absent,
    Fetching(Fetching),
    Ready {
        path: PathBuf,
        sha256: String,
        /// Whether it was compared with a published checksum; `false` is a warning.
        is_checked: bool,
    },
    /// Its terms have to be agreed to first.
    NotAccepted,
    Failed(Failure),
}

/// What the models run on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceView {
    /// No model has run yet.
    #[default]
    Unknown,
    Known {
        /// `cpu`, `cuda:0`, `mps`: tried with a real calculation.
        device: String,
        /// All that there are.
        devices: Vec<String>,
        /// A card that ran out of memory: the processor stands in for it.
        short: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_the_packages_are_for_and_that_is_not_used_is_told() {
        let mut view = SetupView::default();
        for (variant, devices, short, words) in [
            (
                Variant::Cuda,
                &["cpu"][..],
                None,
                Some("finds none that computes"),
            ),
            (Variant::Cuda, &["cuda", "cpu"], None, None),
            (Variant::Cuda, &["cuda:1", "cpu"], None, None),
            (
                Variant::Cuda,
                &["cuda", "cpu"],
                Some("cuda"),
                Some("cuda ran out of memory"),
            ),
            (Variant::Cpu, &["cpu"], None, None),
            (Variant::Mps, &["cpu"], None, Some("this Mac's graphics")),
            (Variant::Mps, &["mps", "cpu"], None, None),
        ] {
            view.environment = EnvironmentView::Ready {
                folder: PathBuf::new(),
                variant,
                versions: BTreeMap::new(),
            };
            view.device = DeviceView::Unknown;
            assert_eq!(view.without_card(), None);
            view.device = DeviceView::Known {
                device: devices[0].to_owned(),
                devices: devices.iter().map(|it| (*it).to_owned()).collect(),
                short: short.map(str::to_owned),
            };
            let told = view.without_card().map(|it| it.message);
            let is_told = told
                .as_ref()
                .zip(words)
                .is_some_and(|(told, words)| told.contains(words));
            assert_eq!(
                (told.is_some(), is_told),
                (words.is_some(), words.is_some()),
                "{told:?}"
            );
        }
        view.environment = EnvironmentView::Absent;
        assert_eq!(view.without_card(), None);
    }
}
