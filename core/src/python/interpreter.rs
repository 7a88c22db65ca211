//! Finds a Python 3.12: who might be one, what each says of itself, which is taken, how to get one where there is none.

use super::child::{self, ChildError};
use super::trial;
use crate::control::Control;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

/// The only minor version that the pinned packages have files for.
pub const MINOR: (u32, u32) = (3, 12);

/// A Python that takes longer to say who it is hangs.
const ASK_LONGEST: Duration = Duration::from_secs(30);
/// Candidates that are asked; a machine with more has the right one among the first.
const MOST_CANDIDATES: usize = 24;
/// Versions looked at in a folder of a version manager.
const MOST_VERSIONS: usize = 64;

/// What a Python says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// The program itself.
    pub path: PathBuf,
    pub version: (u32, u32, u32),
    /// `linux-x86_64`, `macosx-14.0-arm64`, `win-amd64`.
    pub platform: String,
}

impl Interpreter {
    pub fn version_text(&self) -> String {
        let (major, minor, patch) = self.version;
        format!("{major}.{minor}.{patch}")
    }
}

/// A command that may be a Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub from: Origin,
}

/// Why a command is a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// On the command line.
    Named,
    Setting,
    LastTime,
    Path,
    Pyenv,
    Uv,
    Homebrew,
    Launcher,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "--python",
            Self::Setting => "the settings",
            Self::LastTime => "the last set-up",
            Self::Path => "the PATH",
            Self::Pyenv => "pyenv",
            Self::Uv => "uv",
            Self::Homebrew => "Homebrew",
            Self::Launcher => "the py launcher",
        })
    }
}

/// The words of a Python that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Words {
    version: (u32, u32, u32),
    implementation: String,
    platform: String,
    executable: PathBuf,
    venv: bool,
    bits: u32,
}

/// Why a candidate is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// There is no such program.
    Absent,
    Silent(String),
    Version((u32, u32, u32)),
    NotCPython(String),
    NoVenv,
    Only32Bits,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("is not there"),
            Self::Silent(reason) => write!(f, "does not answer: {reason}"),
            Self::Version((major, minor, patch)) => {
                write!(f, "is version {major}.{minor}.{patch}, and 3.12 is needed")
            }
            Self::NotCPython(name) => write!(f, "is {name}, and the usual Python is needed"),
            Self::NoVenv => {
                f.write_str("cannot make environments: its package for venv is missing")
            }
            Self::Only32Bits => f.write_str("has 32 bits, and 64 are needed"),
        }
    }
}

/// No Python 3.12 on this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotFound {
    pub reason: String,
    pub remedy: String,
    /// The remedy is one command that gets it here.
    pub is_command: bool,
}

/// In an environment of the user's own it names the Python that this was made with: the environment may go any day.
const QUESTION: &str = "import json, os, sysconfig, importlib.util as u
has = lambda name: u.find_spec(name) is not None
base = getattr(sys, '_base_executable', None) if sys.prefix != sys.base_prefix else None
print(json.dumps({'version': list(sys.version_info[:3]), 'implementation': sys.implementation.name,
    'platform': sysconfig.get_platform(),
    'executable': base if base and os.path.isfile(base) else sys.executable,
    'venv': has('venv') and has('ensurepip'), 'bits': 64 if sys.maxsize > 2**32 else 32}))";

/// Which Python is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// On the command line: the only one that will do.
    pub named: Option<&'a Path>,
    /// In the settings: so is this, where none is named.
    pub setting: Option<&'a Path>,
    /// What was taken last time: the first to be asked.
    pub last: Option<&'a Path>,
}

/// The first fitting Python.
pub fn find(wanted: Wanted<'_>, control: &Control) -> Result<Interpreter, NotFound> {
    let candidates = candidates(wanted, &Surroundings::here());
    let mut unfit = Vec::new();
    for candidate in candidates.into_iter().take(MOST_CANDIDATES) {
        match ask(&candidate, control).and_then(judge) {
            Ok(interpreter) => return Ok(interpreter),
            Err(reason) => {
                tracing::debug!(?candidate, %reason, "not this one");
                unfit.push((candidate, reason));
            }
        }
    }
    let has = |name: &str| on_path(name).is_some();
    Err(not_found(
        &unfit,
        &Tools {
            system: env::consts::OS,
            uv: has("uv"),
            pyenv: has("pyenv"),
            brew: has("brew"),
            winget: has("winget"),
            debian: debian_release(),
        },
    ))
}

fn ask(candidate: &Candidate, control: &Control) -> Result<Words, Unfit> {
    let mut command = Command::new(&candidate.program);
    command
        .args(&candidate.arguments)
        .args(["-I", "-c", &trial::ending_with_us(QUESTION)])
        .env_remove("PYTHONHOME")
        .env_remove("PYTHONPATH");
    let answer = child::ask(&mut command, ASK_LONGEST, control).map_err(|error| match error {
        ChildError::NotStarted(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Unfit::Absent
        }
        error => Unfit::Silent(error.to_string()),
    })?;
    let last = answer.out.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|_not_json| {
        let said = answer.error.lines().last().unwrap_or_default().trim();
        Unfit::Silent(if said.is_empty() {
            answer.status.to_string()
        } else {
            super::protocol::shortened(said)
        })
    })
}

fn judge(words: Words) -> Result<Interpreter, Unfit> {
    let (major, minor, _) = words.version;
    if words.implementation != "cpython" {
        return Err(Unfit::NotCPython(super::protocol::shortened(
            &words.implementation,
        )));
    }
    if (major, minor) != MINOR {
        return Err(Unfit::Version(words.version));
    }
    if words.bits != 64 {
        return Err(Unfit::Only32Bits);
    }
    if !words.venv {
        return Err(Unfit::NoVenv);
    }
    Ok(Interpreter {
        path: words.executable,
        version: words.version,
        platform: words.platform,
    })
}

/// Where to look.
#[derive(Debug, Clone, Default)]
struct Surroundings {
    path: Vec<PathBuf>,
    /// Folders that hold one folder for each version.
    pyenv: Option<PathBuf>,
    uv: Option<PathBuf>,
    is_windows: bool,
    is_mac: bool,
}

impl Surroundings {
    fn here() -> Self {
        let folder = |name| {
            env::var_os(name)
                .filter(|it| !it.is_empty())
                .map(PathBuf::from)
        };
        let home = folder("HOME").or_else(|| folder("USERPROFILE"));
        let in_home = |below: &str| home.as_ref().map(|home| home.join(below));
        let is_windows = cfg!(windows);
        let uv_data = if is_windows {
            folder("APPDATA").map(|data| data.join("uv").join("python"))
        } else {
            folder("XDG_DATA_HOME")
                .or_else(|| in_home(".local/share"))
                .map(|data| data.join("uv").join("python"))
        };
        Self {
            path: env::var_os("PATH")
                .map(|path| env::split_paths(&path).collect())
                .unwrap_or_default(),
            pyenv: folder("PYENV_ROOT")
                .or_else(|| in_home(".pyenv"))
                .map(|root| root.join("versions")),
            uv: folder("UV_PYTHON_INSTALL_DIR").or(uv_data),
            is_windows,
            is_mac: cfg!(target_os = "macos"),
        }
    }
}

impl Surroundings {
    /// All programs of that name, each once: one that is of no use may stand before one that is.
    fn in_path(&self, name: &str) -> Vec<PathBuf> {
        let mut seen = Vec::new();
        let all = self.path.iter().map(|folder| folder.join(name));
        all.filter(|program| program.is_file())
            .filter(|program| {
                let itself = fs::canonicalize(program).unwrap_or_else(|_| program.clone());
                let is_new = !seen.contains(&itself);
                seen.push(itself);
                is_new
            })
            .collect()
    }
}

/// Who might be a Python 3.12, likeliest first.
fn candidates(wanted: Wanted<'_>, around: &Surroundings) -> Vec<Candidate> {
    let only = |program: &Path, origin| vec![plain(program.to_path_buf(), origin)];
    if let Some(program) = wanted.named {
        return only(program, Origin::Named);
    }
    if let Some(program) = wanted.setting {
        return only(program, Origin::Setting);
    }
    let mut found = Vec::new();
    found.extend(wanted.last.map(|last| plain(last.into(), Origin::LastTime)));
    let names: &[&str] = if around.is_windows {
        &["python3.12.exe", "python3.exe", "python.exe"]
    } else {
        &["python3.12", "python3", "python"]
    };
    let in_path = |name: &&str| {
        let programs = around.in_path(name).into_iter();
        programs.map(|program| plain(program, Origin::Path))
    };
    found.extend(names.iter().take(1).flat_map(in_path));
    for (versions, origin) in [(&around.pyenv, Origin::Pyenv), (&around.uv, Origin::Uv)] {
        let versions = versions.as_deref().map(versions_in).unwrap_or_default();
        found.extend(versions.into_iter().map(|program| plain(program, origin)));
    }
    if around.is_mac {
        for prefix in ["/opt/homebrew", "/usr/local"] {
            for below in ["bin/python3.12", "opt/python@3.12/bin/python3.12"] {
                let program = Path::new(prefix).join(below);
                found.extend(program.is_file().then(|| plain(program, Origin::Homebrew)));
            }
        }
    }
    if around.is_windows {
        let launchers = around.in_path("py.exe").into_iter().take(1);
        found.extend(launchers.map(|program| Candidate {
            program,
            arguments: vec!["-3.12".into()],
            from: Origin::Launcher,
        }));
    }
    found.extend(names.iter().skip(1).flat_map(in_path));
    found
}

fn plain(program: PathBuf, from: Origin) -> Candidate {
    Candidate {
        program,
        arguments: Vec::new(),
        from,
    }
}

/// The Pythons of a folder with a folder for each version (`3.12.1`, `cpython-3.12.9-linux-x86_64-gnu`), newest first.
fn versions_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .take(MOST_VERSIONS)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let patch = patch_of(&name.to_string_lossy())?;
            let program = ["bin/python3.12", "bin/python", "python.exe"]
                .iter()
                .map(|below| entry.path().join(below))
                .find(|it| it.is_file())?;
            Some((patch, program))
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, program)| program).collect()
}

/// The last number of a folder's name that says 3.12.
fn patch_of(name: &str) -> Option<u32> {
    let name = name.strip_prefix("cpython-").unwrap_or(name);
    let rest = name.strip_prefix("3.12.")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What there is to get a Python with.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not the states of one machine"
)]
struct Tools {
    system: &'static str,
    uv: bool,
    pyenv: bool,
    brew: bool,
    winget: bool,
    /// The codename's release number, where this is Debian or Ubuntu.
    debian: Option<Debian>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Debian {
    /// Has python3.12 in its own packages.
    With312,
    /// Has not.
    Without312,
}

fn not_found(unfit: &[(Candidate, Unfit)], tools: &Tools) -> NotFound {
    let only = unfit.iter().find_map(|(candidate, reason)| {
        let (who, remedy) = match candidate.from {
            Origin::Named => (
                "the Python of --python",
                "Name another Python 3.12 with --python, or none, so that one is looked for",
            ),
            Origin::Setting => (
                "the Python of the settings",
                "Choose another Python 3.12 under Models, or none, so that one is looked for",
            ),
            Origin::LastTime
            | Origin::Path
            | Origin::Pyenv
            | Origin::Uv
            | Origin::Homebrew
            | Origin::Launcher => return None,
        };
        Some(NotFound {
            reason: format!("{who} {reason}\nFile: {}", candidate.program.display()),
            remedy: remedy.to_owned(),
            is_command: false,
        })
    });
    if let Some(only) = only {
        return only;
    }
    let lacks_venv = unfit.iter().any(|(_, reason)| *reason == Unfit::NoVenv);
    if lacks_venv && tools.debian.is_some() {
        return NotFound {
            reason: "Python 3.12 is there, but its package for environments is not".to_owned(),
            remedy: "sudo apt install python3.12-venv".to_owned(),
            is_command: true,
        };
    }
    let best = unfit.iter().find_map(|(candidate, reason)| match reason {
        Unfit::Version((major, minor, patch)) => {
            Some(format!("; {} has {major}.{minor}.{patch}", candidate.from))
        }
        _ => None,
    });
    NotFound {
        reason: format!(
            "there is no Python 3.12 on this machine{}",
            best.unwrap_or_default()
        ),
        remedy: remedy(tools).to_owned(),
        is_command: true,
    }
}

/// The one command that gets a Python 3.12 here.
fn remedy(tools: &Tools) -> &'static str {
    const BY_UV: &str = "uv python install 3.12";
    const UV_FIRST: &str =
        "curl -LsSf https://astral.sh/uv/install.sh | sh && ~/.local/bin/uv python install 3.12";
    match tools {
        Tools { uv: true, .. } => BY_UV,
        Tools { pyenv: true, .. } => "pyenv install 3.12",
        Tools {
            system: "macos",
            brew: true,
            ..
        } => "brew install python@3.12",
        Tools {
            system: "windows",
            winget: true,
            ..
        } => "winget install Python.Python.3.12",
        Tools {
            system: "windows", ..
        } => "powershell -c \"irm https://astral.sh/uv/install.ps1 | iex; uv python install 3.12\"",
        Tools {
            debian: Some(Debian::With312),
            ..
        } => "sudo apt install python3.12-venv",
        _ => UV_FIRST,
    }
}

fn debian_release() -> Option<Debian> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    debian_of(&text)
}

/// From the text of `os-release`.
fn debian_of(text: &str) -> Option<Debian> {
    let value = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(line.trim_matches('"').to_owned())
    };
    match (
        value("ID")?.as_str(),
        value("VERSION_ID").unwrap_or_default().as_str(),
    ) {
        ("ubuntu", "24.04" | "24.10") => Some(Debian::With312),
        ("ubuntu" | "debian", _) => Some(Debian::Without312),
        _ => None,
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let ending = env::consts::EXE_SUFFIX;
    env::split_paths(&path)
        .map(|folder| folder.join(format!("{name}{ending}")))
        .find(|it| it.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(version: (u32, u32, u32)) -> Words {
        Words {
            version,
            implementation: "cpython".to_owned(),
            platform: "linux-x86_64".to_owned(),
            executable: PathBuf::from("python"),
            venv: true,
            bits: 64,
        }
    }

    #[test]
    fn only_a_whole_cpython_of_3_12_is_taken() {
        assert_eq!(judge(words((3, 12, 1))).unwrap().version_text(), "3.12.1");
        for version in [(3, 11, 9), (3, 13, 0), (2, 7, 18)] {
            assert_eq!(judge(words(version)), Err(Unfit::Version(version)));
        }
        let with = |change: fn(&mut Words)| {
            let mut words = words((3, 12, 4));
            change(&mut words);
            judge(words)
        };
        assert_eq!(with(|it| it.venv = false), Err(Unfit::NoVenv));
        assert_eq!(with(|it| it.bits = 32), Err(Unfit::Only32Bits));
        assert_eq!(
            with(|it| it.implementation = "pypy".to_owned()),
            Err(Unfit::NotCPython("pypy".to_owned()))
        );
    }

    #[test]
    fn version_managers_are_looked_through_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "3.12.1",
            "3.12.10",
            "3.11.9",
            "cpython-3.12.4-linux-x86_64-gnu",
            "3.12",
            "3.12.x",
        ] {
            let bin = dir.path().join(name).join("bin");
            fs::create_dir_all(&bin).unwrap();
            fs::write(bin.join("python3.12"), "").unwrap();
        }
        let around = Surroundings {
            pyenv: Some(dir.path().to_path_buf()),
            ..Surroundings::default()
        };
        let found: Vec<String> = candidates(Wanted::default(), &around)
            .iter()
            .map(|it| {
                it.program
                    .strip_prefix(dir.path())
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        assert_eq!(
            found,
            [
                "3.12.10/bin/python3.12",
                "cpython-3.12.4-linux-x86_64-gnu/bin/python3.12",
                "3.12.1/bin/python3.12"
            ]
        );
        let last = Wanted {
            last: Some(Path::new("last")),
            ..Wanted::default()
        };
        let all = candidates(last, &around);
        assert_eq!(all[0], plain(PathBuf::from("last"), Origin::LastTime));
        assert_eq!(all.len(), 4, "the others stand behind it");
        let chosen = Wanted {
            setting: Some(Path::new("chosen")),
            ..last
        };
        let only = |program, origin| vec![plain(PathBuf::from(program), origin)];
        assert_eq!(candidates(chosen, &around), only("chosen", Origin::Setting));
        let named = Wanted {
            named: Some(Path::new("named")),
            ..chosen
        };
        assert_eq!(candidates(named, &around), only("named", Origin::Named));
    }

    #[cfg(unix)]
    #[test]
    fn every_program_of_a_name_on_the_path_is_asked_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str| dir.path().join(name);
        for (below, name) in [
            ("one", "python3.12"),
            ("two", "python3.12"),
            ("two", "python3"),
        ] {
            fs::create_dir_all(folder(below)).unwrap();
            fs::write(folder(below).join(name), "").unwrap();
        }
        std::os::unix::fs::symlink(folder("two"), folder("again")).unwrap();
        let around = Surroundings {
            path: ["none", "one", "two", "again"].map(folder).to_vec(),
            ..Surroundings::default()
        };
        let found: Vec<PathBuf> = candidates(Wanted::default(), &around)
            .into_iter()
            .map(|it| it.program)
            .collect();
        let expected = ["one/python3.12", "two/python3.12", "two/python3"];
        assert_eq!(found, expected.map(folder));
    }

    #[test]
    fn each_platform_is_told_its_own_command() {
        let linux = Tools {
            system: "linux",
            ..Tools::default()
        };
        let debian = |release| Tools {
            debian: Some(release),
            ..linux
        };
        for (tools, expected) in [
            (Tools { uv: true, ..linux }, "uv python install 3.12"),
            (
                Tools {
                    pyenv: true,
                    ..linux
                },
                "pyenv install 3.12",
            ),
            (debian(Debian::With312), "sudo apt install python3.12-venv"),
            (
                Tools {
                    system: "macos",
                    brew: true,
                    ..linux
                },
                "brew install python@3.12",
            ),
            (
                Tools {
                    system: "windows",
                    winget: true,
                    ..linux
                },
                "winget install Python.Python.3.12",
            ),
        ] {
            assert_eq!(remedy(&tools), expected, "{tools:?}");
        }
        assert!(remedy(&debian(Debian::Without312)).contains("uv python install 3.12"));
        assert_eq!(
            debian_of("ID=debian\nVERSION_ID=\"12\"\n"),
            Some(Debian::Without312)
        );
        assert_eq!(
            debian_of("ID=ubuntu\nVERSION_ID=\"24.04\"\n"),
            Some(Debian::With312)
        );
        assert_eq!(debian_of("ID=fedora\n"), None);
    }

    #[test]
    fn a_machine_without_python_3_12_is_told_what_there_is() {
        let old = (
            plain(PathBuf::from("p"), Origin::Path),
            Unfit::Version((3, 11, 2)),
        );
        let told = not_found(std::slice::from_ref(&old), &Tools::default());
        assert_eq!(
            told.reason,
            "there is no Python 3.12 on this machine; the PATH has 3.11.2"
        );
        assert!(told.is_command);
        for (origin, who, what) in [
            (Origin::Named, "the Python of --python", "with --python"),
            (
                Origin::Setting,
                "the Python of the settings",
                "under Models",
            ),
        ] {
            let only = (plain(PathBuf::from("p"), origin), Unfit::NoVenv);
            let told = not_found(&[only], &Tools::default());
            let reason = format!("{who} cannot make environments");
            assert!(told.reason.starts_with(&reason), "{told:?}");
            assert!(told.remedy.contains(what) && !told.is_command, "{told:?}");
        }
        let bare = (plain(PathBuf::from("p"), Origin::Path), Unfit::NoVenv);
        let on_debian = Tools {
            debian: Some(Debian::With312),
            ..Tools::default()
        };
        assert_eq!(
            not_found(&[bare], &on_debian).remedy,
            "sudo apt install python3.12-venv"
        );
    }
}
