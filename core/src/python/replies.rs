//! What a worker says, on its way to whoever asked: bounded in number and in bytes.

use super::child::each_line;
use super::protocol::{self, LONGEST_REPLY, Malformed, Reply};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Replies that may wait to be looked at; a worker that says more waits.
const WAITING: usize = 256;
/// Longer lines, in bytes, wait one at a time: results, and whatever a broken worker says. All that waits is so no more
/// than this often [`WAITING`], and one of the longest.
const SHORT: usize = 4 << 10;

type Heard = Result<Reply, Malformed>;

/// The end at which replies come out.
#[derive(Debug)]
pub(super) struct Replies(Receiver<(Heard, Option<Turn>)>);

/// The end at which they go in.
pub(super) struct Saying {
    out: SyncSender<(Heard, Option<Turn>)>,
    turns: Receiver<()>,
    back: SyncSender<()>,
}

/// That of the one long line; the next may come when it is dropped.
#[derive(Debug)]
struct Turn(SyncSender<()>);

impl Drop for Turn {
    fn drop(&mut self) {
        // There is room: there is one turn only. Nobody may be left to want it.
        let _nobody = self.0.try_send(());
    }
}

pub(super) fn replies() -> (Saying, Replies) {
    let (out, heard) = sync_channel(WAITING);
    let (back, turns) = sync_channel(1);
    drop(Turn(back.clone()));
    (Saying { out, turns, back }, Replies(heard))
}

impl Replies {
    pub(super) fn next(&self, longest: Duration) -> Result<Heard, RecvTimeoutError> {
        self.0.recv_timeout(longest).map(|(heard, _turn)| heard)
    }
}

impl Saying {
    /// Passes on line after line, until the end, a line that is none of ours, or nobody listens.
    pub(super) fn pass_on(&self, stdout: impl io::Read) {
        // One byte more than is allowed, so that a longer line is seen to be one.
        each_line(stdout, LONGEST_REPLY + 1, &mut |line| self.say(line));
    }

    fn say(&self, line: &[u8]) -> bool {
        let turn = if line.len() > SHORT {
            // Ours is one of the senders: this ends when the other long line was taken, or thrown away.
            self.turns.recv().ok().map(|()| Turn(self.back.clone()))
        } else {
            None
        };
        let reply = protocol::decode(line);
        let is_sound = reply.is_ok();
        self.out.send((reply, turn)).is_ok() && is_sound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(length: usize) -> Vec<u8> {
        let message = "x".repeat(length);
        format!(r#"{{"event":"error","id":1,"kind":"internal","message":"{message}"}}"#).into()
    }

    #[test]
    fn of_long_lines_one_waits_at_a_time() {
        let (saying, heard) = replies();
        assert!(saying.say(&error(10)) && saying.say(&error(SHORT)));
        assert!(saying.turns.try_recv().is_err(), "another has to wait");
        assert!(saying.say(&error(10)), "short ones need not");
        heard.next(Duration::ZERO).unwrap().unwrap();
        assert!(saying.turns.try_recv().is_err());
        heard.next(Duration::ZERO).unwrap().unwrap();
        assert!(saying.say(&error(SHORT)), "the first was taken");
        drop(heard);
        assert!(!saying.say(&error(SHORT)), "nobody listens, nobody waits");
    }

    #[test]
    fn all_lines_arrive_in_order_and_none_after_nonsense() {
        let (saying, heard) = replies();
        let lines = [
            error(SHORT),
            error(1),
            error(SHORT),
            b"?".to_vec(),
            error(2),
        ];
        let text = lines.join(&b'\n');
        let mut lengths = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(move || saying.pass_on(&text[..]));
            while let Ok(reply) = heard.next(Duration::from_mins(1)) {
                match reply {
                    Ok(Reply::Error { message, .. }) => lengths.push(message.len()),
                    Ok(other) => panic!("{other:?}"),
                    Err(_nonsense) => lengths.push(0),
                }
            }
        });
        assert_eq!(lengths, [2_000, 1, 2_000, 0]);
    }
}
