//! What this machine has that decides about the build of torch.

use super::fingerprint::{Machine, Nvidia};
use std::fs;
use std::path::Path;

/// What there is here, looked up in small files.
pub fn here() -> Machine<'static> {
    Machine {
        system: std::env::consts::OS,
        processor: std::env::consts::ARCH,
        nvidia: nvidia(),
    }
}

fn nvidia() -> Nvidia {
    if cfg!(windows) {
        let system = std::env::var_os("SystemRoot").unwrap_or_default();
        let driver = Path::new(&system).join("System32").join("nvcuda.dll");
        return if driver.is_file() {
            Nvidia::Driver(None)
        } else {
            Nvidia::Absent
        };
    }
    let version = Path::new("/proc/driver/nvidia/version");
    if version.exists() || Path::new("/dev/nvidiactl").exists() {
        let text = fs::read_to_string(version).unwrap_or_default();
        Nvidia::Driver(major_of(&text))
    } else {
        Nvidia::Absent
    }
}

/// The first number of the driver's version, from what it says of itself: `NVRM version: NVIDIA UNIX x86_64 Kernel
/// Module  535.183.01  Sun May 12 …`. `None` where it says it in another way.
fn major_of(text: &str) -> Option<u32> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("NVRM version:"))?;
    let version = line.split_whitespace().find(|word| {
        word.contains('.') && word.chars().all(|it| it.is_ascii_digit() || it == '.')
    })?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_the_driver_is_read_in_each_of_its_forms_and_never_guessed() {
        let gcc = "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)";
        for (text, expected) in [
            (
                format!(
                    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n{gcc}\n"
                ),
                Some(535),
            ),
            (
                format!(
                    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22-A01-12-2)\n{gcc}"
                ),
                Some(580),
            ),
            (
                "NVRM version: NVIDIA UNIX Kernel Module of tomorrow".to_owned(),
                None,
            ),
            ("NVRM version: .5 .".to_owned(), None),
            (gcc.to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(major_of(&text), expected, "{text}");
        }
    }
}
