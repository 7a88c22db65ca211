//! Which frame is at the ear: the device's clock, written by one thread and read by any, without a lock.

use super::RATE;
use super::mixer::Passage;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Stretches that are remembered: what the ear hears is at most a few changes behind.
const KEPT: usize = 6;
/// Words of a stretch.
const WORDS: usize = 6;
/// A clock that jumps further was stopped meanwhile; smaller steps are smoothed out.
const JUMP_NANOS: u64 = 60_000_000;
/// Share of a difference between the device's word and our count that is believed at each buffer.
const BELIEF: i64 = 16;
/// Looks at the board before its last state is taken as it is; the writer needs a microsecond.
const LOOKS: usize = 1_000;

/// Sound that runs without a break, and the stillness after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stretch {
    /// Grows with each stretch.
    pub(super) number: u64,
    pub(super) epoch: u32,
    /// When its first frame is at the ear.
    pub(super) ear_nanos: u64,
    pub(super) from: u64,
    pub(super) ran: u64,
    /// Frames of the device that it lasted, the stillness included.
    pub(super) total: u64,
}

impl Stretch {
    fn end_nanos(&self) -> u64 {
        self.ear_nanos.saturating_add(nanos(self.total))
    }

    fn runs(&self) -> bool {
        self.ran == self.total && self.total > 0
    }
}

/// What is at the ear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Heard {
    pub(super) stretch: u64,
    pub(super) epoch: u32,
    pub(super) frame: f64,
    pub(super) runs: bool,
}

/// Put together by whoever renders.
#[derive(Debug, Default)]
pub(super) struct Tape {
    /// The newest last.
    stretches: [Stretch; KEPT],
    /// The jump of the newest one.
    jump: u64,
}

impl Tape {
    /// A buffer of `frames` was rendered, whose first frame is at the ear at `ear_nanos`.
    pub(super) fn add(&mut self, passage: &Passage, frames: u64, ear_nanos: u64) {
        let [.., last] = &mut self.stretches;
        let expected = last.end_nanos();
        let off = ear_nanos.abs_diff(expected);
        let believed = if off > JUMP_NANOS {
            ear_nanos
        } else {
            let step = (ear_nanos as i64 - expected as i64) / BELIEF;
            expected.saturating_add_signed(step)
        };
        let here = last.epoch == passage.epoch
            && self.jump == passage.jump
            && last.from + last.ran == passage.from
            && off <= JUMP_NANOS;
        if here && (last.runs() || passage.ran == 0) {
            last.ear_nanos = (last.ear_nanos + believed).saturating_sub(expected);
            last.ran += passage.ran;
            last.total += frames;
            return;
        }
        let number = last.number + 1;
        self.jump = passage.jump;
        self.push(Stretch {
            number,
            epoch: passage.epoch,
            ear_nanos: believed,
            from: passage.from,
            ran: passage.ran,
            total: frames,
        });
    }

    /// Nothing is rendered: the place itself is the playhead.
    pub(super) fn stand(&mut self, passage: &Passage) {
        let [.., last] = self.stretches;
        self.jump = passage.jump;
        self.stretches = [Stretch::default(); KEPT];
        self.push(Stretch {
            number: last.number + 1,
            epoch: passage.epoch,
            ear_nanos: 0,
            from: passage.from,
            ran: 0,
            total: 0,
        });
    }

    fn push(&mut self, stretch: Stretch) {
        self.stretches.rotate_left(1);
        let [.., last] = &mut self.stretches;
        *last = stretch;
    }

    pub(super) fn publish(&self, board: &Board) {
        let before = board.turn.load(Ordering::Relaxed);
        board.turn.store(before + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (cells, stretch) in board.cells.iter().zip(&self.stretches) {
            let words = [
                stretch.number,
                u64::from(stretch.epoch),
                stretch.ear_nanos,
                stretch.from,
                stretch.ran,
                stretch.total,
            ];
            for (cell, word) in cells.iter().zip(words) {
                cell.store(word, Ordering::Relaxed);
            }
        }
        board.turn.store(before + 2, Ordering::Release);
    }
}

/// A snapshot of the tape: an odd turn while it is being written.
#[derive(Debug, Default)]
pub(super) struct Board {
    turn: AtomicU64,
    cells: [[AtomicU64; WORDS]; KEPT],
}

impl Board {
    fn read(&self) -> [Stretch; KEPT] {
        let mut stretches = [Stretch::default(); KEPT];
        for _ in 0..LOOKS {
            let turn = self.turn.load(Ordering::Acquire);
            for (stretch, cells) in stretches.iter_mut().zip(&self.cells) {
                let [number, epoch, ear_nanos, from, ran, total] =
                    cells.each_ref().map(|cell| cell.load(Ordering::Relaxed));
                *stretch = Stretch {
                    number,
                    epoch: epoch as u32,
                    ear_nanos,
                    from,
                    ran,
                    total,
                };
            }
            fence(Ordering::Acquire);
            if turn.is_multiple_of(2) && self.turn.load(Ordering::Relaxed) == turn {
                return stretches;
            }
            std::hint::spin_loop();
        }
        stretches
    }

    /// What is at the ear at `now_nanos`. `None` before anything was loaded.
    pub(super) fn heard(&self, now_nanos: u64) -> Option<Heard> {
        let stretches = self.read();
        let known = || stretches.iter().rev().filter(|stretch| stretch.number > 0);
        let stretch = known()
            .find(|stretch| stretch.ear_nanos <= now_nanos)
            .or_else(|| known().next_back())?;
        let since = now_nanos.saturating_sub(stretch.ear_nanos) as f64;
        let frames = since * f64::from(RATE) / 1e9;
        // Nothing can be heard that has not been rendered.
        let ran = stretch.ran as f64;
        Some(Heard {
            stretch: stretch.number,
            epoch: stretch.epoch,
            frame: stretch.from as f64 + frames.min(ran),
            runs: frames < ran || stretch.runs(),
        })
    }
}

fn nanos(frames: u64) -> u64 {
    (u128::from(frames) * 1_000_000_000 / u128::from(RATE)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn passage(from: u64, ran: u64, jump: u64) -> Passage {
        Passage {
            epoch: 1,
            jump,
            from,
            ran,
            ready: true,
            ..Passage::default()
        }
    }

    fn heard(tape: &Tape, now: u64) -> (f64, bool) {
        let board = Board::default();
        tape.publish(&board);
        let heard = board.heard(now).unwrap();
        (heard.frame, heard.runs)
    }

    #[test]
    fn the_playhead_follows_the_ear_and_not_the_render() {
        let mut tape = Tape::default();
        // Buffers of 20 ms, each heard 40 ms after it was rendered.
        for buffer in 0..10 {
            tape.add(
                &passage(buffer * 960, 960, 1),
                960,
                1_000 * MS + (buffer * 20 + 40) * MS,
            );
        }
        assert_eq!(heard(&tape, 1_000 * MS), (0.0, true));
        assert_eq!(heard(&tape, 1_050 * MS), (480.0, true));
        assert_eq!(heard(&tape, 1_150 * MS), (5_280.0, true));
        // Not rendered yet: it waits.
        assert_eq!(heard(&tape, 2_000 * MS), (9_600.0, true));
    }

    #[test]
    fn the_old_place_is_heard_until_the_new_one_arrives() {
        let mut tape = Tape::default();
        tape.add(&passage(0, 960, 1), 960, 1_040 * MS);
        tape.add(&passage(48_000, 960, 2), 960, 1_060 * MS);
        assert_eq!(heard(&tape, 1_050 * MS).0, 480.0);
        assert_eq!(heard(&tape, 1_070 * MS).0, 48_480.0);
        // Fades out over 240 frames and stands.
        tape.add(&passage(48_960, 240, 2), 960, 1_080 * MS);
        assert_eq!(heard(&tape, 1_083 * MS), (49_104.0, true));
        assert_eq!(heard(&tape, 1_090 * MS), (49_200.0, false));
    }

    #[test]
    fn a_trembling_clock_moves_the_playhead_little() {
        let mut tape = Tape::default();
        for buffer in 0..500_u64 {
            let tremble = if buffer.is_multiple_of(2) { 4 * MS } else { 0 };
            let ear = 1_000 * MS + buffer * 20 * MS + tremble;
            tape.add(&passage(buffer * 960, 960, 1), 960, ear);
        }
        let (frame, _) = heard(&tape, 1_000 * MS + 499 * 20 * MS);
        let off = (frame - 499.0 * 960.0).abs();
        assert!(off < 0.004 * 48_000.0, "{off} frames off");
    }
}
