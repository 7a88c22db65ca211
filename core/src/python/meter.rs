//! What pip says and what lies on the disk, as progress that can be shown.

use super::pip::Progress;
use super::venv::{Building, Step, still};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// Turns what pip says into progress that can be shown.
pub(super) struct Meter {
    started: Instant,
    told: Option<Instant>,
    total: u64,
    packages: usize,
    site: Option<PathBuf>,
    folder: PathBuf,
}

impl Meter {
    pub(super) fn new(total: u64, packages: usize, folder: &Path) -> Self {
        Self {
            started: Instant::now(),
            told: None,
            total,
            packages,
            site: None,
            folder: folder.to_path_buf(),
        }
    }

    pub(super) fn tell(&mut self, progress: &Progress, tell: &mut dyn FnMut(Building)) {
        if self.told.is_some_and(|told| told.elapsed() < TELL_EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        let bytes = progress.bytes();
        if progress.installs {
            let what = format!(
                "{} of {} packages",
                self.installed().min(self.packages),
                self.packages
            );
            tell(Building {
                bytes,
                total: Some(bytes),
                ..still(Step::Installing, &what)
            });
            return;
        }
        let total = self.total.max(bytes);
        let rate = bytes as f64 / self.started.elapsed().as_secs_f64().max(0.1);
        let left = (rate > 1e4).then(|| Duration::from_secs_f64((total - bytes) as f64 / rate));
        tell(Building {
            bytes,
            total: Some(total),
            left,
            ..still(Step::Downloading, &progress.name)
        });
    }

    /// Packages whose description lies in the environment.
    fn installed(&mut self) -> usize {
        if self.site.is_none() {
            self.site = site_packages(&self.folder);
        }
        let entries = self
            .site
            .as_deref()
            .and_then(|site| fs::read_dir(site).ok());
        entries
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(".dist-info"))
            .count()
    }
}

fn site_packages(folder: &Path) -> Option<PathBuf> {
    let windows = folder.join("Lib").join("site-packages");
    if windows.is_dir() {
        return Some(windows);
    }
    let lib = fs::read_dir(folder.join("lib")).ok()?;
    lib.flatten()
        .map(|entry| entry.path().join("site-packages"))
        .find(|path| path.is_dir())
}
