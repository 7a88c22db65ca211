//! A graphics card that can be lost while the window draws with it (Linux, with a C compiler).
#![expect(
    clippy::expect_used,
    reason = "a card that cannot be lost fails the test that asked for it"
)]

use crate::program::repository;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// Goes with its folder.
#[derive(Debug)]
pub struct Card {
    folder: TempDir,
    loader: PathBuf,
}

impl Card {
    /// `Err` with the reason where no such card can be made.
    pub fn build() -> Result<Self, String> {
        let loader = vulkan_loader().ok_or("there is no Vulkan loader")?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(folder.path().join("libvulkan.so.1"))
            .arg(repository().join("tests/fixtures/lost_card.c"))
            .arg("-ldl")
            .status()
            .map_err(|error| format!("there is no C compiler: {error}"))?;
        if built.success() {
            Ok(Self { folder, loader })
        } else {
            Err("the card does not build".to_owned())
        }
    }

    /// The program that is started so draws with this card.
    pub fn here(&self, command: &mut Command) {
        command
            .env("LD_LIBRARY_PATH", self.folder.path())
            .env("LOST_CARD_LOADER", &self.loader)
            .env("LOST_CARD_FILE", self.file());
    }

    /// Lost as soon as the program draws.
    pub fn lose(&self) {
        std::fs::write(self.file(), "").expect("a file can be written");
    }

    /// Whether the program has met the loss.
    pub fn is_lost(&self) -> bool {
        !self.file().exists()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("lost")
    }
}

fn vulkan_loader() -> Option<PathBuf> {
    let known = Command::new("ldconfig").arg("-p").output().ok()?;
    String::from_utf8_lossy(&known.stdout)
        .lines()
        .filter(|line| line.trim_start().starts_with("libvulkan.so.1 "))
        .find_map(|line| line.split_once("=> "))
        .map(|(_, path)| PathBuf::from(path))
}
