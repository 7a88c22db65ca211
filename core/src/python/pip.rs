//! What pip says, understood: how far it is, and why it failed.

use super::protocol::shortened;
use crate::failure::{Failure, FailureKind};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Lines kept for the case that it fails.
const LINES_KEPT: usize = 40;

/// What the makers of torch write behind the version of a build without CUDA: no other index has one of that name.
const OWN_BUILD: &str = "+cpu";
/// The packages that they build.
const OF_THEM: [&str; 2] = ["torch", "torchaudio"];

/// Packages in a folder of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheels {
    pub folder: PathBuf,
    /// Where in it they lie: it and folders below it, as pip looks no deeper.
    pub within: Vec<PathBuf>,
}

/// How far pip is.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// Bytes of files that are there.
    done: u64,
    /// Of the file in hand: had, whole.
    file: (u64, u64),
    pub(super) collected: usize,
    pub(super) installs: bool,
    /// The package in hand.
    pub(super) name: String,
    last: VecDeque<String>,
}

impl Progress {
    pub(super) fn hear(&mut self, line: &str) {
        let text = line.trim();
        if let Some((had, whole)) = raw_progress(text) {
            self.file = (had, whole);
            return;
        }
        if self.last.len() == LINES_KEPT {
            self.last.pop_front();
        }
        self.last.push_back(text.to_owned());
        if let Some(rest) = text.strip_prefix("Collecting ") {
            self.file_done();
            self.collected += 1;
            let name = rest.split([' ', '=', '<', '>', '!', '~', ';']).next();
            name.unwrap_or_default().clone_into(&mut self.name);
        } else if let Some(rest) = text.strip_prefix("Using cached ") {
            self.done += size_in(rest).unwrap_or(0);
        } else if let Some(rest) = text.strip_prefix("Downloading ") {
            self.file_done();
            self.file = (0, size_in(rest).unwrap_or(0));
        } else if text.starts_with("Installing collected packages") {
            self.file_done();
            self.installs = true;
        }
    }

    fn file_done(&mut self) {
        self.done += self.file.1;
        self.file = (0, 0);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.done + self.file.0
    }

    /// Why it ended with an error, in pip's own last words. `from`: the folder that it was to take everything from.
    pub(super) fn explain(&self, from: Option<&Path>) -> Failure {
        explain(self.last.iter().map(String::as_str), from)
    }

    /// Whether it ended because nobody had a build of torch without CUDA.
    pub(super) fn lacks_own_build(&self) -> bool {
        let lacking = self.last.iter().find_map(|line| lacking(line));
        lacking.is_some_and(|name| name.ends_with(OWN_BUILD))
    }
}

/// The requirement that pip says it found nothing for.
fn lacking(line: &str) -> Option<&str> {
    let words = [
        "No matching distribution found for ",
        "find a version that satisfies the requirement ",
    ];
    let (_, rest) = words.into_iter().find_map(|words| line.split_once(words))?;
    rest.split([' ', '(', ';']).next()
}

/// Whether pip says that it tries in vain to reach a server.
pub(super) fn is_unreachable(line: &str, server: &str) -> bool {
    line.contains(server) && line.contains("Retrying") && line.contains("connection")
}

/// `Progress 1024 of 2048`.
fn raw_progress(text: &str) -> Option<(u64, u64)> {
    let (had, whole) = text.strip_prefix("Progress ")?.split_once(" of ")?;
    Some((had.trim().parse().ok()?, whole.trim().parse().ok()?))
}

/// The size in brackets at the end: `torch-2.whl (530.6 MB)`.
fn size_in(text: &str) -> Option<u64> {
    let inside = text.rsplit_once('(')?.1.strip_suffix(')')?;
    let (number, unit) = inside.trim().split_once(' ')?;
    let number: f64 = number.parse().ok()?;
    let factor = match unit {
        "bytes" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    Some((number * factor) as u64)
}

fn explain<'a>(
    lines: impl DoubleEndedIterator<Item = &'a str> + Clone,
    from: Option<&Path>,
) -> Failure {
    if let Some(folder) = from
        && let Some(name) = lines.clone().find_map(lacking)
    {
        return not_in(folder, name);
    }
    let says = |words: &[&str]| {
        lines
            .clone()
            .any(|line| words.iter().any(|word| line.contains(word)))
    };
    let (kind, remedy) = if says(&["No space left", "not enough space", "Errno 28"]) {
        (
            FailureKind::Storage,
            "Make room on the drive that holds the cache folder, then set up again",
        )
    } else if says(&["DO NOT MATCH THE HASHES"]) {
        (
            FailureKind::Damaged,
            if from.is_some() {
                "A package in the folder is not what it should be: get it again, as tonearm setup --help says"
            } else {
                "A package is not what it should be: set up again, over another network if it stays so"
            },
        )
    } else if says(&[
        "NewConnectionError",
        "Temporary failure in name resolution",
        "Max retries exceeded",
        "ConnectTimeout",
        "ReadTimeoutError",
        "Connection reset",
        "CERTIFICATE_VERIFY_FAILED",
        "ProxyError",
    ]) {
        (
            FailureKind::Unreadable,
            "Check the connection and set up again; without one, tonearm setup --from DIR takes packages from a folder",
        )
    } else if says(&["No matching distribution", "Could not find a version"]) {
        (
            FailureKind::Unsupported,
            "Check the connection; if it is well, there is no package for this computer, and the built-in analysis goes on",
        )
    } else {
        (
            FailureKind::Bug,
            "Set up again; if it stays so, report it with these words",
        )
    };
    let error = lines.clone().rev().find(|line| line.starts_with("ERROR:"));
    let last = error.or_else(|| lines.rev().find(|line| !line.is_empty()));
    let last = last
        .unwrap_or("it said nothing")
        .trim_start_matches("ERROR:")
        .trim();
    Failure::new(
        kind,
        format!("pip could not install the packages: {}", shortened(last)),
        remedy,
    )
}

/// What a folder with packages lacks.
fn not_in(folder: &Path, name: &str) -> Failure {
    Failure::new(
        FailureKind::Missing,
        format!(
            "{} is not in the folder for this computer and Python 3.12\nFolder: {}",
            shortened(name),
            folder.display()
        ),
        "Fill the folder as tonearm setup --help says, or set up without --from, then set up again",
    )
}

/// The same requirement, of nothing but the build without CUDA, where it is of the makers of torch. The hashes are those
/// of all builds.
pub(super) fn without_cuda(requirement: &str) -> String {
    let end = requirement.find([' ', ';']).unwrap_or(requirement.len());
    let (pin, rest) = requirement.split_at(end);
    match pin.split_once("==") {
        Some((name, _)) if OF_THEM.contains(&name) => format!("{pin}{OWN_BUILD}{rest}"),
        Some(_) | None => requirement.to_owned(),
    }
}

/// The requirements of a lock file as logical lines, without comments.
pub(super) fn requirements(text: &str) -> Vec<String> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    joined
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("--"))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_add_up_over_files_from_the_net_and_from_the_cache() {
        let mut progress = Progress::default();
        for line in [
            "Collecting torch==2.11.0 (from -r locks.txt (line 4))",
            "  Downloading torch-2.11.0-cp312-cp312-manylinux_2_28_x86_64.whl (530.6 MB)",
            "Progress 1000 of 530600000",
            "Progress 530000000 of 530600000",
        ] {
            progress.hear(line);
        }
        assert_eq!(
            (progress.bytes(), progress.name.as_str()),
            (530_000_000, "torch")
        );
        for line in [
            "Collecting numpy==2.5.5",
            "  Using cached numpy-2.5.5-cp312-cp312-manylinux_2_28_x86_64.whl (16.6 MB)",
            "Collecting einops==0.8.2",
            "  Downloading einops-0.8.2-py3-none-any.whl (66 kB)",
            "Progress 66000 of 66000",
        ] {
            progress.hear(line);
        }
        assert_eq!(progress.bytes(), 530_600_000 + 16_600_000 + 66_000);
        assert_eq!((progress.collected, progress.installs), (3, false));
        progress.hear("Installing collected packages: einops, numpy, torch");
        assert!(progress.installs);
    }

    #[test]
    fn a_server_that_cannot_be_reached_is_noticed() {
        let line = "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(\"HTTPSConnection(host='s.org')\")': /x";
        assert!(is_unreachable(line, "s.org"));
        assert!(!is_unreachable(line, "t.org"));
        assert!(!is_unreachable(
            "Looking in indexes: https://s.org/simple",
            "s.org"
        ));
    }

    #[test]
    fn each_way_to_fail_has_its_remedy() {
        for (lines, kind, word) in [
            (
                &[
                    "WARNING: Retrying after connection broken by 'NewConnectionError'",
                    "ERROR: Could not find a version that satisfies the requirement torch==2.11.0",
                ][..],
                FailureKind::Unreadable,
                "--from",
            ),
            (
                &[
                    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
                ],
                FailureKind::Storage,
                "Make room",
            ),
            (
                &["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."],
                FailureKind::Damaged,
                "another network",
            ),
            (
                &["ERROR: No matching distribution found for torch"],
                FailureKind::Unsupported,
                "built-in",
            ),
            (&["Segmentation fault"], FailureKind::Bug, "report"),
        ] {
            let failure = explain(lines.iter().copied(), None);
            assert_eq!(failure.kind, kind, "{lines:?}");
            assert!(failure.remedy.contains(word), "{failure:?}");
        }
        let failure = explain(["ERROR: first", "note: x", ""].into_iter(), None);
        assert_eq!(failure.message, "pip could not install the packages: first");
    }

    #[test]
    fn of_a_folder_it_is_told_what_is_not_in_it() {
        for line in [
            "ERROR: Could not find a version that satisfies the requirement einops==0.8.2 (from versions: none)",
            "ERROR: No matching distribution found for einops==0.8.2",
        ] {
            let failure = explain([line].into_iter(), Some(Path::new("packages")));
            assert_eq!(failure.kind, FailureKind::Missing);
            assert!(
                failure
                    .message
                    .starts_with("einops==0.8.2 is not in the folder"),
                "{failure:?}"
            );
            assert!(failure.message.ends_with("Folder: packages"), "{failure:?}");
            assert!(failure.remedy.contains("setup --help"), "{failure:?}");
        }
        let wrong = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.";
        let failure = explain([wrong].into_iter(), Some(Path::new("packages")));
        assert!(failure.remedy.contains("in the folder"), "{failure:?}");
    }

    #[test]
    fn only_a_build_without_cuda_is_missed_at_its_makers() {
        for (line, is_missed) in [
            (
                "ERROR: No matching distribution found for torch==2.11.0+cpu",
                true,
            ),
            (
                "ERROR: No matching distribution found for numpy==2.5.5",
                false,
            ),
            ("ERROR: Max retries exceeded", false),
        ] {
            let mut progress = Progress::default();
            progress.hear(line);
            assert_eq!(progress.lacks_own_build(), is_missed, "{line}");
        }
    }

    #[test]
    fn the_build_without_cuda_is_named_and_every_hash_of_the_lock_stays() {
        let locks = crate::python::resources::locks(crate::python::fingerprint::Variant::Cpu);
        let (mut named, mut all) = (Vec::new(), 0);
        for (_, text) in locks.unwrap() {
            for requirement in requirements(&String::from_utf8_lossy(text)) {
                all += 1;
                let asked = without_cuda(&requirement);
                assert_eq!(asked.replacen("+cpu ", " ", 1), requirement);
                if asked != requirement {
                    named.push(asked.split("==").next().unwrap().to_owned());
                    // Those of its makers, for three systems, and those of the common index.
                    assert!(asked.matches("--hash=sha256:").count() > 3, "{asked}");
                }
            }
        }
        assert_eq!(named, OF_THEM);
        assert!(all > named.len());
        assert_eq!(
            without_cuda("torch==2.11.0; sys_platform == 'linux' --hash=sha256:aa"),
            "torch==2.11.0+cpu; sys_platform == 'linux' --hash=sha256:aa"
        );
    }

    #[test]
    fn a_lock_is_read_requirement_by_requirement() {
        let lock = "# head\n--only-binary :all:\ntorch==2.11.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nnumpy==2.5.5 --hash=sha256:cc  # why\n";
        let all = requirements(lock);
        assert_eq!(
            all,
            [
                "torch==2.11.0 --hash=sha256:aa --hash=sha256:bb",
                "numpy==2.5.5 --hash=sha256:cc"
            ]
        );
    }
}
