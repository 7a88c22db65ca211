//! A screen that nobody sees and a loudspeaker that nobody hears, for the real window (Linux).
#![expect(
    clippy::expect_used,
    reason = "a screen that cannot be had fails the test that asked for it"
)]

use crate::program::Program;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Width and height in pixels: small, the processor draws.
const SIZE: &str = "960x640x24";

/// One display and one sound server; both end with it.
#[derive(Debug)]
pub struct Screen {
    dir: TempDir,
    display: String,
    children: Vec<Child>,
}

impl Screen {
    /// `Err` with the reason where no window can be opened without a real screen.
    pub fn open() -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("windows are tested on Linux only".to_owned());
        }
        for program in ["Xvfb", "pulseaudio"] {
            if !is_installed(program) {
                return Err(format!("{program} is not installed"));
            }
        }
        if !has_vulkan_driver() {
            return Err("there is no Vulkan driver".to_owned());
        }
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut screen = Self {
            dir,
            display: String::new(),
            children: Vec::new(),
        };
        screen.display = screen.start_display()?;
        screen.start_sound()?;
        Ok(screen)
    }

    /// The display's number, chosen by the server itself: no two tests get the same.
    fn start_display(&mut self) -> Result<String, String> {
        let mut server = Command::new("Xvfb");
        server
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                SIZE,
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = server.spawn().map_err(|error| error.to_string())?;
        let stdout = child.stdout.take().expect("standard output is piped");
        self.children.push(child);
        let mut number = String::new();
        BufReader::new(stdout)
            .read_line(&mut number)
            .map_err(|error| error.to_string())?;
        if number.trim().is_empty() {
            return Err("Xvfb gives no display".to_owned());
        }
        Ok(format!(":{}", number.trim()))
    }

    fn start_sound(&mut self) -> Result<(), String> {
        use std::fmt::Write as _;
        let mut script = String::new();
        for line in [
            "load-module module-null-sink sink_name=nobody rate=48000",
            "load-module module-native-protocol-unix auth-anonymous=1",
        ] {
            let _infallible = writeln!(script, "{line}");
        }
        let path = self.dir.path().join("sound.pa");
        std::fs::write(&path, script).map_err(|error| error.to_string())?;
        let mut server = Command::new("pulseaudio");
        server
            .args([
                "-n",
                "--daemonize=no",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
                "-F",
            ])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.furnish(&mut server);
        let child = server.spawn().map_err(|error| error.to_string())?;
        self.children.push(child);
        Ok(())
    }

    /// The environment in which a program finds this screen and no other.
    pub fn furnish(&self, command: &mut Command) {
        for name in [
            "WAYLAND_DISPLAY",
            "DBUS_SESSION_BUS_ADDRESS",
            "PULSE_SERVER",
            "XDG_CONFIG_HOME",
        ] {
            command.env_remove(name);
        }
        command
            .env("XDG_RUNTIME_DIR", self.dir.path())
            .env("HOME", self.dir.path())
            .env("DISPLAY", &self.display);
    }

    /// The window of `program` on this screen, with `arguments` besides, to be looked into at `address`.
    pub fn command(&self, program: &Program, arguments: &[PathBuf], address: &str) -> Command {
        let mut command = program.command(arguments);
        self.furnish(&mut command);
        command
            // Its settings are of the program, not of the screen.
            .env("HOME", program.folder())
            .env("EGUI_INSPECTION", address);
        command
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for child in &mut self.children {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn has_vulkan_driver() -> bool {
    ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"]
        .into_iter()
        .filter_map(|folder| std::fs::read_dir(Path::new(folder)).ok())
        .any(|mut entries| entries.next().is_some())
}
