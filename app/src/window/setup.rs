//! Tells when a set-up that went on behind the page has come to its end.

use crate::notices::Notice;
use std::collections::BTreeSet;
use tonearm_core::setup::{Family, SetupView};

/// What was last seen of it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    was_busy: bool,
    /// The user looks elsewhere, and may do anything there.
    is_away: bool,
    ready: BTreeSet<&'static str>,
}

impl Watch {
    /// Whether the user comes back from another program.
    pub(super) fn is_back(&mut self, has_focus: bool) -> bool {
        std::mem::replace(&mut self.is_away, !has_focus) && has_focus
    }

    /// What there is to tell at the end of a set-up; `watched`: the user saw it.
    pub(super) fn see(&mut self, view: &SetupView, watched: bool) -> Option<Notice> {
        if view.is_busy {
            self.was_busy = true;
            return None;
        }
        let ready: BTreeSet<&'static str> = view.ready().into_iter().map(name).collect();
        let before = std::mem::replace(&mut self.ready, ready);
        let ended = std::mem::take(&mut self.was_busy);
        if !ended || watched {
            return None;
        }
        if let Some(trouble) = &view.trouble {
            let text = format!("Getting models ready stopped: {}", trouble.message);
            return Some(Notice::warning(text));
        }
        let fresh: Vec<&str> = self.ready.difference(&before).copied().collect();
        (!fresh.is_empty()).then(|| {
            let text = format!("Models are ready for {}", fresh.join(", "));
            Notice::good(text)
        })
    }
}

fn name(family: Family) -> &'static str {
    match family {
        Family::Beats => "beats",
        Family::Stems => "stems",
        Family::Harmony => "chords",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::Tone;
    use tonearm_core::failure::{Failure, FailureKind};

    #[test]
    fn whoever_comes_back_is_noticed_once() {
        let mut watch = Watch::default();
        let seen = [true, true, false, false, true, true, false, true];
        let back = seen.map(|has_focus| watch.is_back(has_focus));
        let expected = [false, false, false, false, true, false, false, true];
        assert_eq!(back, expected);
    }

    #[test]
    fn the_end_is_told_once_to_those_who_did_not_watch() {
        let busy = SetupView {
            is_busy: true,
            ..SetupView::default()
        };
        let stopped = SetupView {
            trouble: Some(Failure::new(FailureKind::Storage, "the disk is full", "")),
            ..SetupView::default()
        };
        let mut watch = Watch::default();
        assert_eq!(watch.see(&stopped, false), None);
        assert_eq!(watch.see(&busy, false), None);
        let told = watch.see(&stopped, false).unwrap();
        assert_eq!(told.tone, Tone::Warning);
        assert_eq!(told.text, "Getting models ready stopped: the disk is full");
        assert_eq!(watch.see(&stopped, false), None);
        assert_eq!(watch.see(&busy, true), None);
        assert_eq!(watch.see(&stopped, true), None);
        assert_eq!(watch.see(&busy, false), None);
        assert_eq!(watch.see(&SetupView::default(), false), None);
    }
}
