//! The last lines of the log, kept in memory for the log view and for reports.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Lines that are kept.
const LINES: usize = 500;
/// A longer line is cut.
const CHARACTERS: usize = 400;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub at: Timestamp,
    pub level: Level,
    /// The part of the program.
    pub target: String,
    pub text: String,
}

impl Line {
    /// `12:03:44.120`, where the user is.
    pub fn time(&self) -> String {
        let local = self.at.to_zoned(TimeZone::system());
        local.strftime("%H:%M:%S%.3f").to_string()
    }
}

/// Cloning gives another handle on the same lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<Line>,
    /// Lines ever written: another number means other lines.
    written: u64,
}

/// The program's own.
pub(crate) fn journal() -> &'static Journal {
    static JOURNAL: OnceLock<Journal> = OnceLock::new();
    JOURNAL.get_or_init(Journal::default)
}

impl Journal {
    fn note(&self, line: Line) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.lines.len() == LINES {
            kept.lines.pop_front();
        }
        kept.lines.push_back(line);
        kept.written += 1;
    }

    /// The lines, when there are others than at `seen`, and what to call `seen` next time.
    pub(crate) fn since(&self, seen: u64) -> Option<(u64, Arc<[Line]>)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.written != seen).then(|| (kept.written, kept.lines.iter().cloned().collect()))
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let mut text = words.message;
        text.push_str(&words.fields);
        if text.chars().count() > CHARACTERS {
            text = text.chars().take(CHARACTERS - 1).chain(['…']).collect();
        }
        self.note(Line {
            at: Timestamp::now(),
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            text,
        });
    }
}

#[derive(Debug, Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message.extend([format!("{value:?}")]);
        } else {
            self.fields.extend([format!(" {}={value:?}", field.name())]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn the_last_lines_are_kept_with_their_fields() {
        let journal = Journal::default();
        let subscriber = tracing_subscriber::registry().with(journal.clone());
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..600 {
                tracing::info!(number, "line");
            }
        });
        let (seen, lines) = journal.since(0).unwrap();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0].text, "line number=100");
        assert_eq!(lines[LINES - 1].text, "line number=599");
        assert!(journal.since(seen).is_none(), "nothing new");
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let journal = Journal::default();
        let subscriber = tracing_subscriber::registry().with(journal.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!("{}", "é".repeat(100_000));
        });
        let (_, lines) = journal.since(0).unwrap();
        assert_eq!(lines[0].text.chars().count(), CHARACTERS);
    }
}
