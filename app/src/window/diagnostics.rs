//! What a report of a problem needs to say, without secrets and without the user's music.

use super::app::Published;
use crate::journal::journal;
use crate::settings::Settings;
use crate::views::settings::About;
use tonearm_core::core_loop::view::View;

/// Log lines in a report.
const LINES: usize = 100;
/// Failures in a list for the clipboard.
const FAILURES: usize = 5_000;

pub(super) fn text(about: &About, settings: &Settings, published: &Published) -> String {
    let (view, sound) = (&published.view, &published.sound);
    let mut text = format!(
        "Tonearm {}\nPlatform: {} {}, {} cores\nGraphics: {}\nSound: {:?}, {} underruns, {} devices\n\
         Library: {} ({} tracks, {} queued, {} running)\nSettings: {settings:?}\n\nLog:\n",
        about.version,
        std::env::consts::OS,
        std::env::consts::ARCH,
        std::thread::available_parallelism().map_or(1, usize::from),
        about.adapter,
        sound.output,
        sound.underruns,
        sound.devices.len(),
        about.library.display(),
        view.rows.len(),
        view.activity.queued,
        view.activity.running.len(),
    );
    let lines = journal().since(u64::MAX).map(|(_, lines)| lines);
    let lines = lines.unwrap_or_default();
    for line in lines.iter().skip(lines.len().saturating_sub(LINES)) {
        let (time, level) = (line.time(), line.level);
        text.extend([format!("{time} {level} {}: {}\n", line.target, line.text)]);
    }
    text
}

/// Every failure of the library: path, what, why, and what can be done.
pub(super) fn failures(view: &View) -> String {
    let mut text = String::new();
    let failed = view.rows.iter().flat_map(|row| {
        row.knowledge
            .outcomes()
            .filter_map(move |(artifact, record)| {
                let failure = record.failure.as_ref()?;
                Some((row, artifact, failure))
            })
    });
    for (row, artifact, failure) in failed.take(FAILURES) {
        text.extend([format!(
            "{}\t{}\t{}\t{}\n",
            row.track.path.as_path().display(),
            artifact.name(),
            failure.message,
            failure.remedy
        )]);
    }
    text
}
