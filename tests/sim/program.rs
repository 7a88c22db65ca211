//! Drives the real `tonearm` binary: each with a library and a home of its own, in a folder that goes with it.
#![expect(
    clippy::expect_used,
    reason = "a driver that cannot drive fails the test that called it"
)]

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// A program that takes longer hangs. Nothing is measured with it.
const DEADLINE: Duration = Duration::from_mins(4);

/// The binary, built once for each test process: as the whole workspace is, so that a window can be looked into.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--locked",
            "--workspace",
            "--bin",
            "tonearm",
            "--message-format=json",
        ])
        .current_dir(repository())
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    // Some build scripts watch these, which are of the tests' package here and of none in an ordinary build: with them
    // half of the program would be built anew each time.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_CRATE_",
            "CARGO_BIN_",
        ]
        .iter()
        .any(|it| text.starts_with(it))
        {
            command.env_remove(&name);
        }
    }
    let built = command.output().expect("cargo can be run");
    assert!(built.status.success(), "tonearm does not build");
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "tonearm")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo tells where the binary is")
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A place of its own for the program: a library, a folder for music, a home.
#[derive(Debug)]
pub struct Program {
    dir: TempDir,
    library: PathBuf,
}

impl Default for Program {
    fn default() -> Self {
        Self::new()
    }
}

impl Program {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let library = dir.path().join("library");
        let place = Self { dir, library };
        std::fs::create_dir_all(place.music()).expect("a folder for music");
        place
    }

    /// The same place with its library elsewhere.
    #[must_use]
    pub fn with_library(mut self, library: PathBuf) -> Self {
        self.library = library;
        self
    }

    /// Goes with the program.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub fn library(&self) -> &Path {
        &self.library
    }

    /// Where the tests put what they import.
    pub fn music(&self) -> PathBuf {
        self.dir.path().join("music")
    }

    /// Puts a file into the music folder, with the folders above it.
    pub fn put(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.music().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&path)).expect("a folder");
        std::fs::write(&path, bytes).expect("a file can be written");
        path
    }

    /// The binary with these arguments and nothing of the machine's own settings.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(binary());
        command
            .arg("--library")
            .arg(&self.library)
            .args(arguments)
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path())
            .env_remove("XDG_DATA_HOME")
            .env_remove("TONEARM_LIBRARY")
            .env_remove("TONEARM_CACHE")
            .env_remove("TONEARM_MODELS")
            .env_remove("TONEARM_PYTHON_DIR")
            .env_remove("TONEARM_WORKER")
            .env_remove("TONEARM_DEVICE")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("TONEARM_LOG")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs to the end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        finish(self.command(arguments))
    }

    /// Starts, to be listened to line by line.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Running {
        Running::start(self.command(arguments))
    }

    /// Imports the music folder as JSON lines and expects that all of it works.
    pub fn import(&self) -> Vec<Value> {
        let music = self.music();
        self.run([
            OsStr::new("--json"),
            OsStr::new("import"),
            music.as_os_str(),
        ])
        .with_status(0)
        .lines()
    }

    /// The track objects of `list`.
    pub fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let all = ["--json", "list"].iter().chain(arguments);
        match self.run(all).with_status(0).json() {
            Value::Array(tracks) => tracks,
            other => panic!("not an array: {other}"),
        }
    }

    /// The track object of `show`.
    pub fn show(&self, track: impl AsRef<OsStr>) -> Value {
        self.run([OsStr::new("--json"), OsStr::new("show"), track.as_ref()])
            .with_status(0)
            .json()
    }
}

/// Runs a command to its end, within the deadline.
pub fn finish(command: Command) -> Ended {
    let mut running = Running::start(command);
    while running.next_line().is_some() {}
    running.end()
}

/// A program under way. Its output is read on threads, so that it never waits for us.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Option<Receiver<String>>,
    heard: Vec<String>,
    errors: Option<JoinHandle<String>>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program can be started");
        let lines = child.stdout.take().map(read_lines);
        let errors = child.stderr.take().map(read_errors);
        Self {
            child,
            lines,
            heard: Vec::new(),
            errors,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its standard output; `None` when it has closed that.
    pub fn next_line(&mut self) -> Option<String> {
        match self.lines.as_ref()?.recv_timeout(DEADLINE) {
            Ok(line) => {
                self.heard.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                self.kill();
                panic!("the program hangs; it said {:?}", self.heard)
            }
        }
    }

    /// The next line, or `Err(())` when nothing was said for a moment.
    pub fn poll_line(&mut self, moment: Duration) -> Result<Option<String>, RecvTimeoutError> {
        let Some(lines) = &self.lines else {
            return Ok(None);
        };
        match lines.recv_timeout(moment) {
            Ok(line) => {
                self.heard.push(line.clone());
                Ok(Some(line))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(timeout) => Err(timeout),
        }
    }

    /// The most memory that it has had so far, in bytes (Linux; `None` elsewhere and after its end).
    pub fn peak_memory_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        drop(self.child.kill());
    }

    /// Asks it to end as Ctrl-C does.
    pub fn interrupt(&self) {
        let sent = Command::new("kill")
            .args(["-INT", &self.id().to_string()])
            .status()
            .expect("kill can be run");
        assert!(sent.success(), "no signal could be sent");
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        while self.next_line().is_some() {}
        let status = self.child.wait().expect("the program can be waited for");
        let stderr = self.errors();
        Ended {
            status,
            stdout: self.heard,
            stderr,
        }
    }

    /// All of its standard error, when it has ended; once.
    pub fn errors(&mut self) -> String {
        match self.errors.take() {
            Some(thread) => thread.join().expect("standard error can be read"),
            None => String::new(),
        }
    }
}

fn read_lines(stdout: ChildStdout) -> Receiver<String> {
    let (said, lines) = sync_channel(1 << 16);
    let work = move || {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|count| count > 0)
        {
            let text = String::from_utf8_lossy(&line);
            if said.send(text.trim_end_matches('\n').to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    };
    std::thread::Builder::new()
        .spawn(work)
        .expect("a thread for standard output");
    lines
}

fn read_errors(mut stderr: ChildStderr) -> JoinHandle<String> {
    std::thread::Builder::new()
        .spawn(move || {
            let mut bytes = Vec::new();
            drop(stderr.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        })
        .expect("a thread for standard error")
}

/// A program that has ended, with what it said.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// Line by line.
    pub stdout: Vec<String>,
    pub stderr: String,
}

impl Ended {
    /// Checks how it ended, and that it did not panic on the way.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "often the check is all that is wanted"
    )]
    pub fn with_status(self, code: i32) -> Self {
        assert!(
            !self.stderr.contains("panicked at"),
            "a panic: {}",
            self.stderr
        );
        assert_eq!(
            self.status.code(),
            Some(code),
            "{:?}\nstdout: {}\nstderr: {}",
            self.status,
            self.text(),
            self.stderr
        );
        self
    }

    pub fn text(&self) -> String {
        self.stdout.join("\n")
    }

    /// Standard output as one JSON document.
    pub fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Standard output as JSON lines.
    pub fn lines(&self) -> Vec<Value> {
        self.stdout
            .iter()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }
}

/// Says why a test was not made.
#[expect(clippy::print_stderr, reason = "the place where test runners look")]
pub fn skipped(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// The lines of one event.
pub fn of_event<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

/// The summary, which is the last line.
pub fn summary(lines: &[Value]) -> &Value {
    let last = lines.last().expect("at least a summary");
    assert_eq!(last["event"], "summary", "{last}");
    last
}
