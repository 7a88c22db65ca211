//! A sound server of the test's own, with a sink that nobody hears and a recorder of what it gets.
#![expect(
    clippy::expect_used,
    reason = "a driver that cannot drive fails the test that called it"
)]

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use tempfile::TempDir;

/// What takes longer hangs.
const DEADLINE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Pulse {
    dir: TempDir,
    server: Child,
}

impl Pulse {
    /// `None` where `PulseAudio` is not installed.
    pub fn start() -> Option<Self> {
        for tool in ["pulseaudio", "pactl", "parec"] {
            let there = Command::new(tool).arg("--version").output();
            there.ok().filter(|output| output.status.success())?;
        }
        let dir = tempfile::tempdir().expect("a temporary folder");
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(dir.path(), private).expect("a folder of our own");
        let server = serve(&dir);
        let pulse = Self { dir, server };
        // The server says nothing when it is ready.
        for _ in 0..400 {
            if pulse.control(&["info"]) {
                return Some(pulse);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the sound server does not answer");
    }

    /// Makes a command play and record here.
    pub fn here<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("XDG_RUNTIME_DIR", self.dir.path())
            .env(
                "PULSE_SERVER",
                format!("unix:{}", socket(&self.dir).display()),
            )
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("DISPLAY")
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("pactl");
        command.args(arguments).env("HOME", self.dir.path());
        let output = self.here(&mut command).output();
        output.is_ok_and(|output| output.status.success())
    }

    /// How often the server has said that sound ran out, or that a recorder fell behind.
    pub fn complaints(&self) -> usize {
        let log = std::fs::read(self.dir.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let complaints = ["Implicit underrun", "Underrun on", "Failed to push data"];
        log.lines()
            .filter(|line| complaints.iter().any(|complaint| line.contains(complaint)))
            .count()
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        let log = std::fs::read(self.dir.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
        count("client.c: Created").saturating_sub(count("client.c: Freed"))
    }

    /// Takes the sink away, as a cable that is pulled does.
    pub fn unload_sink(&self) {
        assert!(self.control(&["unload-module", "module-null-sink"]));
    }

    pub fn load_sink(&self) {
        assert!(self.control(&[
            "load-module",
            "module-null-sink",
            "sink_name=ci",
            "rate=48000",
            "channels=2",
            "format=float32le",
        ]));
    }

    pub fn kill(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }

    /// Records all that the sink gets from now on.
    pub fn record(&self) -> Recorder {
        let mut command = Command::new("parec");
        command
            .args(["-d", "ci.monitor", "--raw", "--format=float32le"])
            .args(["--rate=48000", "--channels=2", "--latency-msec=50"])
            .env("HOME", self.dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = self.here(&mut command).spawn().expect("a recorder");
        let mut sound = child.stdout.take().expect("its output");
        // Pieces are small: a minute is more than a hundred thousand of them.
        let (heard, pieces) = sync_channel(1 << 20);
        std::thread::Builder::new()
            .spawn(move || {
                let mut piece = vec![0; 1 << 14];
                while let Ok(count) = sound.read(&mut piece)
                    && count > 0
                    && heard.send(piece[..count].to_vec()).is_ok()
                {}
            })
            .expect("a thread");
        let mut recorder = Recorder {
            child,
            pieces,
            bytes: Vec::new(),
        };
        recorder.more(1);
        recorder
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.kill();
    }
}

fn socket(dir: &TempDir) -> PathBuf {
    dir.path().join("socket")
}

fn serve(dir: &TempDir) -> Child {
    let protocol = format!(
        "module-native-protocol-unix auth-anonymous=1 socket={}",
        socket(dir).display()
    );
    Command::new("pulseaudio")
        .args(["-n", "--daemonize=no", "--exit-idle-time=-1"])
        .args(["--realtime=no", "--high-priority=no", "--use-pid-file=no"])
        .arg("-vvvv")
        .arg(format!(
            "--log-target=newfile:{}",
            dir.path().join("log").display()
        ))
        .args(["-L", &protocol, "-L"])
        .arg("module-null-sink sink_name=ci rate=48000 channels=2 format=float32le")
        .env("XDG_RUNTIME_DIR", dir.path())
        .env("HOME", dir.path())
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("DISPLAY")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the sound server can be started")
}

#[derive(Debug)]
pub struct Recorder {
    child: Child,
    pieces: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Recorder {
    /// Waits for so many more frames.
    pub fn more(&mut self, frames: usize) {
        while let Ok(piece) = self.pieces.try_recv() {
            self.bytes.extend(piece);
        }
        let enough = self.bytes.len() + frames * 8;
        while self.bytes.len() < enough {
            let piece = self.pieces.recv_timeout(DEADLINE).expect("sound goes on");
            self.bytes.extend(piece);
        }
    }

    /// All frames so far.
    pub fn stop(mut self) -> Vec<[f32; 2]> {
        drop(self.child.kill());
        drop(self.child.wait());
        let samples: Vec<f32> = self
            .bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        samples.as_chunks::<2>().0.to_vec()
    }
}
