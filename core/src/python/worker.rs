//! Warm workers: one process for each family of models, started on demand, dropped when idle.

mod perform;

pub(super) use perform::perform;

use super::child::{Dying, Group};
use super::environment::InUse;
use super::protocol::{self, Done, ErrorKind, Family, Loaded, Reply, Request};
use super::replies::{Replies, replies};
use super::trouble::{Trouble, bad_model, being_replaced, missing_model, not_started, refused};
use super::words::Words;
use crate::control::{Cancelled, Control};
use crate::failure::{Failure, FailureKind};
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};
use std::{io, thread};

/// Replies to one request: an hour of stems has about 2,500 steps, and one sign of life a second.
const MOST_REPLIES: u64 = 200_000;
/// To a cancel: what was on its way already, and what a step says of itself.
const MOST_LATE_REPLIES: usize = 10_000;
/// A model of 200 MB comes from a slow network drive in less.
const LOAD_LONGEST: Duration = Duration::from_mins(10);
/// What a worker that closed its output gets to end, and to have said why.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How often a waiting job looks whether it was cancelled.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// Honest work takes less than this times what is expected.
const DEADLINE_FACTOR: u32 = 20;

/// How a worker is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    pub program: PathBuf,
    /// The family is added at the end.
    pub arguments: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    /// The environment that it runs in: not removed meanwhile, and broken when no worker gets up in it.
    pub home: Option<PathBuf>,
}

/// How long a worker is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until it says hello: a cold disk, an anxious virus scanner, a machine that does ten other things.
    pub hello: Duration,
    /// Without a sign of life while it works.
    pub silence: Duration,
    /// Until it obeys a cancel.
    pub cancel: Duration,
    /// Idle before it is dropped.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            hello: Duration::from_mins(3),
            silence: Duration::from_mins(2),
            cancel: Duration::from_millis(500),
            idle: Duration::from_secs(90),
        }
    }
}

/// What is to be in a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub model: PathBuf,
    /// Of the model's bytes as they were brought in.
    pub sha256: Option<String>,
    /// `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
    pub device: String,
    pub threads: usize,
}

/// One request to a model.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    pub family: Family,
    pub setting: &'a Setting,
    /// Raw little-endian f32 in the family's shape.
    pub pcm: &'a Path,
    pub frames: u64,
    /// An empty folder for what is too long for a line.
    pub out: &'a Path,
    /// On this machine; twenty times that is the end of patience.
    pub expected: Duration,
}

/// A task that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    pub done: Done,
    /// What it was done with.
    pub loaded: Loaded,
}

impl Ran {
    /// What it was computed on.
    pub fn device(&self) -> &str {
        if self.done.device.is_empty() {
            &self.loaded.device
        } else {
            &self.done.device
        }
    }

    /// The card that had not the memory for it, where the processor stood in.
    pub fn short(&self) -> Option<&str> {
        let short = self.done.short.as_ref().or(self.loaded.short.as_ref());
        short.map(String::as_str)
    }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TaskError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The environment is not whole, or is being replaced: says nothing of the task.
    #[error("{}", .0.message)]
    Unready(Failure),
    #[error("{}", .0.message)]
    Failed(Failure),
}

/// A worker under way.
#[derive(Debug)]
pub(super) struct Worker {
    family: Family,
    launch: Launch,
    group: Group,
    stdin: ChildStdin,
    replies: Replies,
    words: Words,
    loaded: Option<Inside>,
    next_id: u64,
    patience: Patience,
}

/// What is in a worker.
#[derive(Debug)]
struct Inside {
    /// As it was asked for.
    setting: Setting,
    loaded: Loaded,
}

impl Worker {
    fn start(
        family: Family,
        launch: &Launch,
        (patience, dying): (Patience, &Dying),
        control: &Control,
    ) -> Result<Self, Trouble> {
        // Until it is gone, one that was ended has its memory.
        dying
            .wait(control)
            .map_err(|Cancelled| Trouble::Cancelled)?;
        let hopeless = |error: io::Error| Trouble::Hopeless(not_started(&error));
        let in_use = launch.home.as_deref().map(InUse::hold).transpose();
        let in_use = in_use.map_err(|replaced| Trouble::Unready(being_replaced(&replaced)))?;
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.arguments)
            .arg("--family")
            .arg(family.name());
        for (name, value) in &launch.environment {
            command.env(name, value);
        }
        let mut group = Group::start(&mut command).map_err(|error| {
            let is_gone = launch.home.is_some() && !launch.program.exists();
            if is_gone {
                return Trouble::Unready(not_started(&error));
            }
            hopeless(error)
        })?;
        group.outlived_by(in_use.flatten(), dying);
        let lost = || hopeless(io::Error::other("a pipe is missing"));
        let stdin = group.stdin().ok_or_else(lost)?;
        let stdout = group.stdout().ok_or_else(lost)?;
        let stderr = group.stderr().ok_or_else(lost)?;
        let (saying, replies) = replies();
        let name = |what| format!("{family}: {what}");
        thread::Builder::new()
            .name(name("replies"))
            .spawn(move || saying.pass_on(stdout))
            .map_err(hopeless)?;
        let words = Words::listen(name("words"), stderr).map_err(hopeless)?;
        let mut worker = Self {
            family,
            launch: launch.clone(),
            group,
            stdin,
            replies,
            words,
            loaded: None,
            next_id: 1,
            patience,
        };
        match worker.greet(control) {
            Ok(()) => Ok(worker),
            Err(Trouble::Broken(failure)) => match worker.group.ended() {
                // One that somebody ended says nothing of what it lay in.
                Ok(Some(status)) if status.code().is_some() => Err(Trouble::Stillborn(failure)),
                Ok(Some(_) | None) | Err(_) => Err(Trouble::Broken(failure)),
            },
            Err(trouble) => Err(trouble),
        }
    }

    fn greet(&mut self, control: &Control) -> Result<(), Trouble> {
        let until = Instant::now() + self.patience.hello;
        match self.next(until, control)? {
            Reply::Hello {
                protocol, family, ..
            } if protocol == protocol::VERSION && family == self.family => Ok(()),
            Reply::Hello {
                protocol, family, ..
            } => Err(Trouble::Hopeless(Failure::new(
                FailureKind::Bug,
                format!(
                    "the worker for {family} speaks version {protocol}, not {}",
                    protocol::VERSION
                ),
                "Run tonearm setup again; it writes out the workers of this program",
            ))),
            other => Err(self.broken(&format!("it began with {}", other.name()))),
        }
    }

    /// Whether it may be used for this setting: alive, started in this way, and not loaded with another.
    fn suits(&mut self, launch: &Launch, setting: &Setting) -> bool {
        let is_alive = matches!(self.group.ended(), Ok(None));
        let is_as_asked = |inside: &Inside| inside.setting == *setting;
        is_alive && self.launch == *launch && self.loaded.as_ref().is_none_or(is_as_asked)
    }

    /// The card that was too small for its model.
    pub(super) fn short(&self) -> Option<&str> {
        self.loaded.as_ref()?.loaded.short.as_deref()
    }

    /// `short`: a card that is not to be tried again.
    fn load(
        &mut self,
        (setting, short): (&Setting, Option<&str>),
        control: &Control,
    ) -> Result<Loaded, Trouble> {
        if let Some(inside) = &self.loaded {
            return Ok(inside.loaded.clone());
        }
        let request = Request::Load {
            path: &setting.model,
            sha256: setting.sha256.as_deref(),
            device: without(short, &setting.device),
            threads: setting.threads,
            dtype: "float32",
        };
        self.send(&request)?;
        let mut heard = Instant::now();
        let deadline = heard + LOAD_LONGEST;
        while heard < deadline {
            match self.next(deadline.min(heard + self.patience.silence), control)? {
                Reply::Loaded(loaded) => {
                    self.loaded = Some(Inside {
                        setting: setting.clone(),
                        loaded: loaded.clone(),
                    });
                    return Ok(loaded);
                }
                Reply::Alive => heard = Instant::now(),
                // Another Tonearm has got it again, or removed it.
                Reply::Error {
                    kind: ErrorKind::BadModel | ErrorKind::Unreadable,
                    message,
                    ..
                } if !setting.model.exists() => {
                    return Err(Trouble::Unready(missing_model(&message)));
                }
                Reply::Error {
                    kind: ErrorKind::BadModel,
                    message,
                    ..
                } => return Err(bad_model(&setting.model, &message)),
                Reply::Error { kind, message, .. } => {
                    return Err(refused(kind, &message, &setting.model));
                }
                other => return Err(self.broken(&format!("it answered with {}", other.name()))),
            }
        }
        Err(self.broken("its model would not come"))
    }

    fn run(&mut self, task: &Task<'_>, control: &Control) -> Result<Done, Trouble> {
        let (rate, channels) = self.family.shape();
        let mine = self.next_id;
        self.next_id += 1;
        self.send(&Request::Run {
            id: mine,
            pcm: task.pcm,
            frames: task.frames,
            channels,
            rate,
            out: task.out,
        })?;
        let deadline = Instant::now() + task.expected * DEADLINE_FACTOR;
        let mut heard = Instant::now();
        for _ in 0..MOST_REPLIES {
            let until = deadline.min(heard + self.patience.silence);
            let reply = match self.next(until, control) {
                Ok(reply) => reply,
                Err(Trouble::Cancelled) => {
                    // Whether it obeys is seen to by whoever asked.
                    drop(self.send(&Request::Cancel { id: mine }));
                    return Err(Trouble::Cancelled);
                }
                Err(_) if Instant::now() >= deadline => return Err(self.too_slow(task)),
                Err(trouble) => return Err(trouble),
            };
            heard = Instant::now();
            match reply {
                Reply::Done(done) if done.id == mine => return Ok(done),
                Reply::Progress { id, done, total } if id == mine && total > 0 => {
                    control.set_progress((done as f64 / total as f64) as f32);
                }
                Reply::Error {
                    id: Some(id),
                    kind,
                    message,
                } if id == mine => {
                    return Err(refused(kind, &message, &task.setting.model));
                }
                Reply::Error {
                    id: None,
                    kind,
                    message,
                } => return Err(refused(kind, &message, &task.setting.model)),
                // Of a request before this one, which was cancelled.
                Reply::Alive
                | Reply::Progress { .. }
                | Reply::Done(_)
                | Reply::Cancelled { .. }
                | Reply::Error { .. } => {}
                Reply::Hello { .. } | Reply::Loaded(_) => {
                    return Err(self.broken(&format!("it said {} in between", reply.name())));
                }
            }
        }
        Err(self.broken("it would not stop talking"))
    }

    /// After a cancel: whether it stopped in time and may be used on.
    fn settles(&mut self, control: &Control) -> bool {
        if self.loaded.is_none() {
            return false;
        }
        let until = Instant::now() + self.patience.cancel;
        for _ in 0..MOST_LATE_REPLIES {
            match self.next_unless(until, &|| control.is_abandoned()) {
                Ok(Reply::Cancelled { id } | Reply::Done(Done { id, .. }))
                    if id + 1 == self.next_id =>
                {
                    return true;
                }
                Ok(Reply::Error { .. }) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        false
    }

    fn send(&mut self, request: &Request<'_>) -> Result<(), Trouble> {
        let line = request.encode().ok_or_else(|| {
            Trouble::Refused(Failure::new(
                FailureKind::Unsupported,
                "the path of a model or of the library is not text",
                "Move it to a folder with an ordinary name",
            ))
        })?;
        let sent = self
            .stdin
            .write_all(&line)
            .and_then(|()| self.stdin.flush());
        sent.map_err(|error| self.broken(&error.to_string()))
    }

    /// The next reply; `Broken` when there is none until then.
    fn next(&mut self, until: Instant, control: &Control) -> Result<Reply, Trouble> {
        self.next_unless(until, &|| control.check().is_err())
    }

    fn next_unless(&mut self, until: Instant, stops: &dyn Fn() -> bool) -> Result<Reply, Trouble> {
        loop {
            if stops() {
                return Err(Trouble::Cancelled);
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.replies.next(left.min(LOOK_EVERY)) {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(malformed)) => return Err(self.broken(&malformed.to_string())),
                Err(RecvTimeoutError::Disconnected) => return Err(self.gone()),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                    return Err(
                        self.broken("it gives no sign of life; other programs may be in its way")
                    );
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn gone(&mut self) -> Trouble {
        let until = Instant::now() + LAST_WORDS;
        while matches!(self.group.ended(), Ok(None)) && Instant::now() < until {
            thread::sleep(LOOK_EVERY);
        }
        let how = match self.group.ended() {
            Ok(Some(status)) => {
                self.words.hear_out(until);
                format!("it ended ({status})")
            }
            Ok(None) | Err(_) => "it closed its output".to_owned(),
        };
        self.broken(&how)
    }

    fn broken(&self, how: &str) -> Trouble {
        let said = self.words.last();
        let said = if said.is_empty() {
            String::new()
        } else {
            format!("; its last words: {said}")
        };
        Trouble::Broken(Failure::new(
            FailureKind::Bug,
            format!("the worker for {} broke down: {how}{said}", self.family),
            "Try again; if it stays so, run tonearm doctor, and tonearm setup to repair the environment",
        ))
    }

    fn too_slow(&self, task: &Task<'_>) -> Trouble {
        let secs = (task.expected * DEADLINE_FACTOR).as_secs();
        Trouble::Hopeless(Failure::new(
            FailureKind::Timeout,
            format!("the model for {} took longer than {secs} s", self.family),
            "Close other programs and try again, or use the built-in analysis for this track",
        ))
    }
}

/// The device to ask for: the processor in place of a card that is short of memory.
fn without<'a>(short: Option<&str>, asked: &'a str) -> &'a str {
    let name = |device| if device == "cuda:0" { "cuda" } else { device };
    let is_short = |short| asked == "auto" || name(asked) == name(short);
    if short.is_some_and(is_short) {
        "cpu"
    } else {
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_a_card_without_memory_the_processor_is_asked() {
        for (short, asked, expected) in [
            (None, "auto", "auto"),
            (Some("cuda"), "auto", "cpu"),
            (Some("cuda"), "cuda:0", "cpu"),
            (Some("cuda:0"), "cuda", "cpu"),
            (Some("mps"), "mps", "cpu"),
            (Some("cuda"), "cuda:1", "cuda:1"),
            (Some("cuda:1"), "cuda:1", "cpu"),
            (Some("cuda"), "cpu", "cpu"),
        ] {
            assert_eq!(without(short, asked), expected, "{short:?} {asked}");
        }
    }
}
