//! A screen that nobody sees and a loudspeaker that nobody hears, for the real window (Linux).
#![expect(
    clippy::expect_used,
    reason = "a screen that cannot be had fails the test that asked for it"
)]

use crate::program::Program;
use crate::pulse::Pulse;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Width and height in pixels: small, the processor draws.
const SIZE: &str = "960x640x24";

/// One display and one sound server; both end with it.
#[derive(Debug)]
pub struct Screen {
    sound: Pulse,
    display: String,
    server: Child,
}

impl Screen {
    /// `Err` with the reason where no window can be opened without a real screen.
    pub fn open() -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("windows are tested on Linux only".to_owned());
        }
        if !is_installed("Xvfb") {
            return Err("Xvfb is not installed".to_owned());
        }
        if !has_vulkan_driver() {
            return Err("there is no Vulkan driver".to_owned());
        }
        let sound = Pulse::start().ok_or("PulseAudio is not installed")?;
        let (display, server) = start_display()?;
        Ok(Self {
            sound,
            display,
            server,
        })
    }

    /// The window of `program` on this screen, with `arguments` besides, to be looked into at `address`.
    pub fn command(&self, program: &Program, arguments: &[PathBuf], address: &str) -> Command {
        let mut command = program.command(arguments);
        self.sound
            .here(&mut command)
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("XDG_CONFIG_HOME")
            .env("DISPLAY", &self.display)
            .env("EGUI_INSPECTION", address);
        command
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// A display server and the number that it chose itself: no two tests get the same.
fn start_display() -> Result<(String, Child), String> {
    let mut command = Command::new("Xvfb");
    command
        .args(["-displayfd", "1", "-screen", "0", SIZE])
        .args(["-nolisten", "tcp", "-noreset"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut server = command.spawn().map_err(|error| error.to_string())?;
    let stdout = server.stdout.take().expect("standard output is piped");
    let mut number = String::new();
    let read = BufReader::new(stdout).read_line(&mut number);
    let number = number.trim();
    if read.is_err() || number.is_empty() {
        drop(server.kill());
        drop(server.wait());
        return Err("Xvfb gives no display".to_owned());
    }
    Ok((format!(":{number}"), server))
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
