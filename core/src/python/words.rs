//! What a process says on standard error, of which the end is kept for the day it breaks down.

use super::protocol;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, mem};

/// What is kept, in bytes.
const MOST: usize = 64 << 10;
/// Lines of it that are shown.
const SHOWN: usize = 3;
/// How often the end of the words is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Listens on a thread of its own until the stream is closed.
#[derive(Debug)]
pub(super) struct Words {
    kept: Arc<Mutex<VecDeque<u8>>>,
    listener: JoinHandle<()>,
}

impl Words {
    pub(super) fn listen(name: String, stream: impl io::Read + Send + 'static) -> io::Result<Self> {
        let kept = Arc::default();
        let listener = thread::Builder::new().name(name).spawn({
            let kept = Arc::clone(&kept);
            move || keep_tail(stream, &kept)
        })?;
        Ok(Self { kept, listener })
    }

    /// Waits for the rest of what a process said that has ended. Whoever inherited its stream may keep it open: no
    /// longer than `until`.
    pub(super) fn hear_out(&self, until: Instant) {
        while !self.listener.is_finished() && Instant::now() < until {
            thread::sleep(LOOK_EVERY);
        }
    }

    /// The last lines so far, on one; empty when nothing was said.
    pub(super) fn last(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (front, back) = kept.as_slices();
        let bytes = [front, back].concat();
        mem::drop(kept);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let from = lines.len().saturating_sub(SHOWN);
        protocol::shortened(&lines.get(from..).unwrap_or_default().join(" / "))
    }
}

fn keep_tail(mut stream: impl io::Read, kept: &Mutex<VecDeque<u8>>) {
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(piece.iter().take(count));
        let extra = kept.len().saturating_sub(MOST);
        kept.drain(..extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, sync_channel};

    /// A stream that stays silent until it is let go, then says `text` and ends.
    struct Late(Receiver<()>, &'static [u8]);

    impl io::Read for Late {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.recv().ok();
            io::Read::read(&mut self.1, buffer)
        }
    }

    #[test]
    fn the_last_three_lines_are_shown() {
        let text = &b"one\n\n two\nthree\r\nfour\n"[..];
        let words = Words::listen("test".to_owned(), text).unwrap();
        words.hear_out(Instant::now() + Duration::from_mins(1));
        assert_eq!(words.last(), "two / three / four");
    }

    #[test]
    fn what_was_said_late_is_waited_for_but_not_for_ever() {
        let (let_go, held) = sync_channel(0);
        let words = Words::listen("test".to_owned(), Late(held, b"the roof")).unwrap();
        words.hear_out(Instant::now());
        assert_eq!(words.last(), "");
        drop(let_go);
        words.hear_out(Instant::now() + Duration::from_mins(1));
        assert_eq!(words.last(), "the roof");
    }

    #[test]
    fn only_the_end_of_a_flood_is_kept() {
        let flood = io::Read::chain(io::Read::take(io::repeat(b'x'), 1 << 20), &b"\nthe end"[..]);
        let words = Words::listen("test".to_owned(), flood).unwrap();
        words.hear_out(Instant::now() + Duration::from_mins(1));
        assert_eq!(words.kept.lock().unwrap().len(), MOST);
    }
}
