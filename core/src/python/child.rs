//! Child processes that leave nothing behind: each leads a group of its own, which ends with it.

use super::environment::InUse;
use crate::control::{Cancelled, Control};
use std::io::Read;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use std::{io, thread};

/// Lines that may wait to be looked at; a child that says more waits.
const LINES: usize = 256;
/// The longest line that is kept whole, in bytes; the rest of a longer one is dropped.
const LONGEST_LINE: usize = 64 << 10;
/// How often a child is asked whether it has ended, and whether it should.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What a dead child's own children may still say before they are ended too.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// What a killed worker is waited for before a thread of its own does: the memory of a large one is taken back at that
/// worker's own low priority, which beside four busy programs took seven seconds.
const LAST_BREATH: Duration = Duration::from_millis(100);
/// What is waited for those that are dying before another is started beside them: one that does not even end after this
/// is held by the system.
const DEATH_LONGEST: Duration = Duration::from_mins(1);

/// A child with everything that it started. Dropping it ends them all.
#[derive(Debug)]
pub(super) struct Group {
    /// Until it was taken off the system's list, or left to a thread that does.
    child: Option<Child>,
    ended: Option<ExitStatus>,
    /// What the end is waited for, where not for ever.
    last_breath: Option<Duration>,
    /// Let go when it has ended.
    kept: Option<InUse>,
    /// Where it is counted while it dies.
    dying: Dying,
}

/// Counts children that were ended and are not gone yet, so that nobody starts another beside their memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Dying(Arc<AtomicUsize>);

impl Dying {
    /// Until all of them are gone, with their memory.
    pub(super) fn wait(&self, control: &Control) -> Result<(), Cancelled> {
        let began = Instant::now();
        while self.0.load(Ordering::Acquire) > 0 {
            control.check()?;
            if began.elapsed() > DEATH_LONGEST {
                tracing::warn!(
                    "a child that was ended does not end: another is started all the same"
                );
                break;
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn one_more(&self) -> OneDying {
        self.0.fetch_add(1, Ordering::AcqRel);
        OneDying(self.clone())
    }
}

/// Counted until it is dropped.
struct OneDying(Dying);

impl Drop for OneDying {
    fn drop(&mut self) {
        let Self(Dying(count)) = self;
        count.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Group {
    /// All three streams are pipes. While our end of its standard input is open it knows that we are there.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let [mark, ..] = super::NOT_HANDED_ON;
        if std::env::var_os(mark).is_some() {
            for name in super::NOT_HANDED_ON {
                command.env_remove(name);
            }
        }
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            command.process_group(0);
        }
        Ok(Self {
            child: Some(command.spawn()?),
            ended: None,
            last_breath: None,
            kept: None,
            dying: Dying::default(),
        })
    }

    /// Its end will not be waited for long: `dying` counts it until it is gone. `kept` is let go after it, not before.
    pub(super) fn outlived_by(&mut self, kept: Option<InUse>, dying: &Dying) {
        self.last_breath = Some(LAST_BREATH);
        self.kept = kept;
        self.dying = dying.clone();
    }

    pub(super) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.as_mut()?.stdin.take()
    }

    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.as_mut()?.stdout.take()
    }

    pub(super) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.as_mut()?.stderr.take()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none()
            && let Some(child) = &mut self.child
        {
            self.ended = child.try_wait()?;
            if self.ended.is_some() {
                // At once, while its number cannot belong to anybody else yet.
                kill_group(child.id());
            }
        }
        Ok(self.ended)
    }

    /// Ends it and all that it started, and takes it off the system's list.
    fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        if self.ended.is_some() {
            return;
        }
        kill_group(child.id());
        drop(child.kill());
        let kept = self.kept.take();
        let one_dying = self.dying.one_more();
        let bury = move || {
            drop(child.wait());
            drop(kept);
            drop(one_dying);
        };
        let Some(longest) = self.last_breath else {
            return bury();
        };
        let (say, gone) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("end of a child".to_owned())
            .spawn(move || {
                bury();
                // Nobody may wait any more.
                let _nobody = say.send(());
            });
        match thread {
            Ok(_detached) => drop(gone.recv_timeout(longest)),
            Err(error) => tracing::warn!(%error, "a child that was ended stays on the list"),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(unix)]
fn kill_group(leader: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(leader) = Pid::from_raw(leader.cast_signed())
        && let Err(error) = kill_process_group(leader, Signal::KILL)
    {
        tracing::trace!(%error, "nobody was left of a group");
    }
}

#[cfg(not(unix))]
fn kill_group(leader: u32) {
    let id = leader.to_string();
    let tree = Command::new("taskkill")
        .args(["/F", "/T", "/PID", &id])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(error) = tree {
        tracing::debug!(%error, "children of a process may be left");
    }
}

/// Which stream a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Error,
}

/// Hears a line, or `None` now and then while nothing is said.
pub(super) type OnLine<'a> = &'a mut dyn FnMut(Option<(Stream, &str)>);

/// Why a child did not come to its own end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChildError {
    #[error("it cannot be started: {0}")]
    NotStarted(#[source] io::Error),
    #[error("cancelled")]
    Cancelled,
    #[error("it took longer than {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("it was lost: {0}")]
    Lost(#[source] io::Error),
}

/// Runs a command to its end and hands over each line that it says. Carriage returns end lines too.
pub(super) fn follow(
    command: &mut Command,
    longest: Duration,
    control: &Control,
    on_line: OnLine<'_>,
) -> Result<ExitStatus, ChildError> {
    let started = Instant::now();
    let mut group = Group::start(command).map_err(ChildError::NotStarted)?;
    let held_open = group.stdin();
    let (say, lines) = sync_channel(LINES);
    listen(group.stdout(), Stream::Out, &say).map_err(ChildError::Lost)?;
    listen(group.stderr(), Stream::Error, &say).map_err(ChildError::Lost)?;
    drop(say);
    loop {
        match lines.recv_timeout(LOOK_EVERY) {
            Ok((stream, line)) => on_line(Some((stream, &line))),
            Err(RecvTimeoutError::Timeout) => on_line(None),
            // Both streams are closed: nothing is left but its end.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(LOOK_EVERY),
        }
        if control.check().is_err() {
            return Err(ChildError::Cancelled);
        }
        if let Some(status) = group.ended().map_err(ChildError::Lost)? {
            last_words(&lines, on_line);
            drop(held_open);
            return Ok(status);
        }
        if started.elapsed() > longest {
            return Err(ChildError::TimedOut(longest));
        }
    }
}

fn last_words(lines: &Receiver<(Stream, String)>, on_line: OnLine<'_>) {
    let until = Instant::now() + LAST_WORDS;
    while let Ok((stream, line)) =
        lines.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        on_line(Some((stream, &line)));
    }
}

fn listen(
    from: Option<impl Read + Send + 'static>,
    stream: Stream,
    say: &SyncSender<(Stream, String)>,
) -> io::Result<()> {
    let Some(from) = from else { return Ok(()) };
    let say = say.clone();
    thread::Builder::new()
        .name("child's words".to_owned())
        .spawn(move || {
            each_line(from, LONGEST_LINE, &mut |line| {
                let text = String::from_utf8_lossy(line).into_owned();
                say.send((stream, text)).is_ok()
            });
        })
        .map(drop)
}

/// Hands over line after line, cut off after `longest` bytes, until the end or until `take` has had enough.
pub(super) fn each_line(mut from: impl Read, longest: usize, take: &mut dyn FnMut(&[u8]) -> bool) {
    let mut piece = [0; 8192];
    let mut line = Vec::new();
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        for byte in piece.iter().take(count) {
            if matches!(byte, b'\n' | b'\r') {
                if !line.is_empty() && !take(&line) {
                    return;
                }
                line.clear();
            } else if line.len() < longest {
                line.push(*byte);
            }
        }
    }
    if !line.is_empty() {
        take(&line);
    }
}

/// A command's first words on standard output, and how it ended.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: ExitStatus,
    pub(super) out: String,
    pub(super) error: String,
}

/// Runs a command that says little.
pub(super) fn ask(
    command: &mut Command,
    longest: Duration,
    control: &Control,
) -> Result<Answer, ChildError> {
    const MOST: usize = 64 << 10;
    let (mut out, mut error) = (String::new(), String::new());
    let status = follow(command, longest, control, &mut |line| {
        let Some((stream, line)) = line else { return };
        let text = match stream {
            Stream::Out => &mut out,
            Stream::Error => &mut error,
        };
        if text.len() < MOST {
            text.push_str(line);
            text.push('\n');
        }
    })?;
    Ok(Answer { status, out, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_either_sign_and_long_ones_are_cut() {
        let mut lines = Vec::new();
        each_line(&b"one\rtwo\r\n\nthree and more\nfour"[..], 5, &mut |line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
            true
        });
        assert_eq!(lines, ["one", "two", "three", "four"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn one_that_is_left_in_a_hurry_is_buried_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let mut group = Group::start(Command::new("sleep").arg("600")).unwrap();
        let dying = Dying::default();
        group.outlived_by(InUse::hold(folder.path()).unwrap(), &dying);
        group.last_breath = Some(Duration::ZERO);
        let id = group.child.as_ref().unwrap().id();
        drop(group);
        let began = Instant::now();
        // Not even a zombie of it.
        while std::path::Path::new(&format!("/proc/{id}")).exists()
            || super::super::environment::is_used(folder.path())
        {
            assert!(began.elapsed() < Duration::from_mins(1));
            thread::yield_now();
        }
        assert_eq!(dying.wait(&Control::default()), Ok(()));
    }

    #[test]
    fn whoever_starts_another_waits_for_those_that_are_dying_unless_it_is_stopped() {
        let dying = Dying::default();
        let control = Control::default();
        assert_eq!(dying.wait(&control), Ok(()));
        let one = dying.one_more();
        thread::scope(|scope| {
            let waits = scope.spawn(|| dying.wait(&control));
            control.cancel();
            assert_eq!(waits.join().unwrap(), Err(Cancelled));
        });
        let control = Control::default();
        thread::scope(|scope| {
            let waits = scope.spawn(|| dying.wait(&control));
            assert!(!waits.is_finished());
            drop(one);
            assert_eq!(waits.join().unwrap(), Ok(()));
        });
    }
}
