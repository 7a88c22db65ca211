//! What an environment is made of, as one number: with the same fingerprint nothing has to be installed.

use super::interpreter::Interpreter;
use crate::track::ContentHash;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// Of a fingerprint: enough to tell a handful apart.
const DIGITS: usize = 16;

/// For what torch is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    Cpu,
    Cuda,
    Mps,
}

impl Variant {
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Mps => "mps",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are cpu, cuda and mps")]
pub struct UnknownVariant;

impl FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(text: &str) -> Result<Self, UnknownVariant> {
        [Self::Cpu, Self::Cuda, Self::Mps]
            .into_iter()
            .find(|variant| variant.name() == text)
            .ok_or(UnknownVariant)
    }
}

/// What decides about the variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine<'a> {
    /// As in `std::env::consts`.
    pub system: &'a str,
    pub processor: &'a str,
    pub nvidia: Nvidia,
}

/// Whether an NVIDIA card can be worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nvidia {
    Absent,
    /// The first number of its version, where that is known.
    Driver(Option<u32>),
}

/// The first driver for CUDA 13, which the pinned builds are made with.
const OLDEST_DRIVER: u32 = 580;

/// A variant, and why this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub variant: Variant,
    pub reason: String,
}

/// No build of torch runs here, or not the one that was wished for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoBuild(pub String);

/// Which build of torch to install.
pub fn choose(machine: Machine<'_>, wish: Option<Variant>) -> Result<Choice, NoBuild> {
    let chosen = |variant, reason: &str| {
        Ok(Choice {
            variant,
            reason: reason.to_owned(),
        })
    };
    let by_wish = "chosen by hand";
    match (machine.system, machine.processor, wish) {
        ("macos", "aarch64", None) => chosen(Variant::Mps, "this Mac's own graphics processor"),
        ("macos", "aarch64", Some(Variant::Cpu)) => chosen(Variant::Cpu, by_wish),
        ("macos", "aarch64", Some(Variant::Mps)) => chosen(Variant::Mps, by_wish),
        ("macos", "aarch64", Some(Variant::Cuda)) => {
            Err(NoBuild("CUDA needs an NVIDIA card, which no Mac has".to_owned()))
        }
        ("macos", ..) => Err(NoBuild(
            "PyTorch is no longer made for Macs with Intel processors: the built-in analysis goes on".to_owned(),
        )),
        ("linux" | "windows", "x86_64", Some(Variant::Mps)) => {
            Err(NoBuild("only Macs have MPS: cpu and cuda are left".to_owned()))
        }
        ("windows", "x86_64", Some(Variant::Cuda)) => Err(NoBuild(
            "the builds of PyTorch with CUDA for Windows are not pinned yet: cpu is left".to_owned(),
        )),
        ("windows", "x86_64", None | Some(Variant::Cpu)) => {
            chosen(Variant::Cpu, "the only build for Windows that is pinned")
        }
        ("linux", "x86_64", Some(variant)) => chosen(variant, by_wish),
        ("linux", "x86_64", None) => match machine.nvidia {
            Nvidia::Absent => chosen(Variant::Cpu, "there is no driver for an NVIDIA card"),
            Nvidia::Driver(Some(version)) if version < OLDEST_DRIVER => chosen(
                Variant::Cpu,
                &format!("the driver for the NVIDIA card is {version}, and CUDA 13 needs {OLDEST_DRIVER}"),
            ),
            Nvidia::Driver(_) => chosen(Variant::Cuda, "there is a driver for an NVIDIA card"),
        },
        ("linux", "aarch64", None | Some(Variant::Cpu)) => {
            chosen(Variant::Cpu, "the only build for this processor")
        }
        (system, processor, _) => Err(NoBuild(format!(
            "there is no build of PyTorch for {system} on {processor}: the built-in analysis goes on"
        ))),
    }
}

/// All variants that can be installed here.
pub fn possible(machine: Machine<'_>) -> Vec<Variant> {
    [Variant::Cpu, Variant::Cuda, Variant::Mps]
        .into_iter()
        .filter(|variant| choose(machine, Some(*variant)).is_ok())
        .collect()
}

/// SHA-256 over everything that an environment depends on, as 16 hex digits.
pub fn fingerprint(locks: &[(&str, &[u8])], python: &Interpreter, variant: Variant) -> String {
    let mut hash = Sha256::new();
    // Lengths first, so that no text can pass for the end of one and the beginning of another.
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(b"1");
    for (name, text) in locks {
        part(name.as_bytes());
        part(text);
    }
    part(python.version_text().as_bytes());
    part(python.platform.as_bytes());
    part(variant.name().as_bytes());
    let whole = ContentHash(hash.finalize().into()).to_string();
    whole.chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn python(patch: u32, platform: &str) -> Interpreter {
        Interpreter {
            path: PathBuf::from("anywhere"),
            version: (3, 12, patch),
            platform: platform.to_owned(),
        }
    }

    #[test]
    fn whatever_an_environment_depends_on_changes_its_fingerprint() {
        let locks: &[(&str, &[u8])] = &[("a", b"x"), ("b", b"y")];
        let of =
            |locks, patch, platform, variant| fingerprint(locks, &python(patch, platform), variant);
        let first = of(locks, 1, "linux-x86_64", Variant::Cpu);
        assert_eq!(first.len(), 16);
        assert_eq!(first, of(locks, 1, "linux-x86_64", Variant::Cpu));
        let others = [
            of(&[("a", b"xb"), ("", b"y")], 1, "linux-x86_64", Variant::Cpu),
            of(&[("a", b"x"), ("b", b"z")], 1, "linux-x86_64", Variant::Cpu),
            of(locks, 2, "linux-x86_64", Variant::Cpu),
            of(locks, 1, "win-amd64", Variant::Cpu),
            of(locks, 1, "linux-x86_64", Variant::Cuda),
        ];
        for other in &others {
            assert_ne!(*other, first);
        }
    }

    #[test]
    fn the_build_of_torch_follows_from_the_machine_unless_the_user_says_otherwise() {
        let choice = |system, processor, nvidia, wish| {
            let machine = Machine {
                system,
                processor,
                nvidia,
            };
            choose(machine, wish).map(|choice| choice.variant).ok()
        };
        let (none, unknown) = (Nvidia::Absent, Nvidia::Driver(None));
        let (old, new) = (Nvidia::Driver(Some(579)), Nvidia::Driver(Some(580)));
        for (system, processor, nvidia, wish, expected) in [
            ("linux", "x86_64", none, None, Some(Variant::Cpu)),
            ("linux", "x86_64", unknown, None, Some(Variant::Cuda)),
            ("linux", "x86_64", new, None, Some(Variant::Cuda)),
            ("linux", "x86_64", old, None, Some(Variant::Cpu)),
            (
                "linux",
                "x86_64",
                new,
                Some(Variant::Cpu),
                Some(Variant::Cpu),
            ),
            (
                "linux",
                "x86_64",
                none,
                Some(Variant::Cuda),
                Some(Variant::Cuda),
            ),
            ("linux", "x86_64", none, Some(Variant::Mps), None),
            ("linux", "aarch64", none, None, Some(Variant::Cpu)),
            ("windows", "x86_64", unknown, None, Some(Variant::Cpu)),
            ("windows", "x86_64", unknown, Some(Variant::Cuda), None),
            ("macos", "aarch64", none, None, Some(Variant::Mps)),
            ("macos", "aarch64", none, Some(Variant::Cuda), None),
            ("macos", "x86_64", none, None, None),
            ("freebsd", "x86_64", none, None, None),
        ] {
            assert_eq!(
                choice(system, processor, nvidia, wish),
                expected,
                "{system} {processor} {nvidia:?} {wish:?}"
            );
        }
        let why = |nvidia| {
            let machine = Machine {
                system: "linux",
                processor: "x86_64",
                nvidia,
            };
            choose(machine, None).unwrap().reason
        };
        assert_eq!(
            why(old),
            "the driver for the NVIDIA card is 579, and CUDA 13 needs 580"
        );
        assert_eq!(why(none), "there is no driver for an NVIDIA card");
    }

    #[test]
    fn only_builds_that_run_here_are_offered() {
        for (system, processor, offered) in [
            ("linux", "x86_64", &[Variant::Cpu, Variant::Cuda][..]),
            ("macos", "aarch64", &[Variant::Cpu, Variant::Mps]),
            ("windows", "x86_64", &[Variant::Cpu]),
            ("macos", "x86_64", &[]),
        ] {
            let machine = Machine {
                system,
                processor,
                nvidia: Nvidia::Absent,
            };
            assert_eq!(possible(machine), offered, "{system} {processor}");
        }
    }
}
