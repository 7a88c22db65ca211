//! FLAC, written as the sound comes: two channels, any length, memory of one block.
//!
//! After the format as RFC 9639 tells it: blocks of one length, the channels as they are or as middle and side,
//! polynomials up to the fourth order or linear prediction, Rice codes in as many parts as pay.

mod bits;
mod linear;
mod predict;
mod rice;

use crate::units::SampleRate;
use bits::{Bits, crc8, crc16};
use predict::{Predictor, Subframe};
use std::io::{self, Seek, SeekFrom, Write};

/// Frames in each block but the last.
const BLOCK: usize = 4096;
/// How a block of [`BLOCK`] frames is called in its header, and one that tells its length in 16 bits.
const BLOCK_CODE: u64 = 12;
const OTHER_BLOCK_CODE: u64 = 7;
/// Bytes before the first block: the mark and the one description that must be there.
const HEAD: usize = 42;

/// Bits of a sample. Only these two have a use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    Bits16,
    Bits20,
}

impl Depth {
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits16 => 16,
            Self::Bits20 => 20,
        }
    }

    fn code(self) -> u64 {
        match self {
            Self::Bits16 => 4,
            Self::Bits20 => 5,
        }
    }
}

/// A file in the making. What was written before [`Self::finish`] can be played but does not tell its length.
#[derive(Debug)]
pub struct FlacWriter<W> {
    out: W,
    rate: SampleRate,
    depth: Depth,
    /// Left, right, middle and side of the block in hand.
    planes: [Vec<i32>; 4],
    predictor: Predictor,
    bits: Bits,
    blocks: u64,
    frames: u64,
    /// Bytes of the shortest and the longest block.
    extent: Option<(usize, usize)>,
}

impl<W: Write + Seek> FlacWriter<W> {
    /// Fails when `out` does not take the first bytes.
    pub fn new(mut out: W, rate: SampleRate, depth: Depth) -> io::Result<Self> {
        out.write_all(&[0; HEAD])?;
        Ok(Self {
            out,
            rate,
            depth,
            planes: Default::default(),
            predictor: Predictor::default(),
            bits: Bits::default(),
            blocks: 0,
            frames: 0,
            extent: None,
        })
    }

    /// The next frames, in steps of the depth; what does not fit into it is cut off.
    pub fn push(&mut self, frames: &[[i32; 2]]) -> io::Result<()> {
        let top = (1_i32 << (self.depth.bits() - 1)) - 1;
        for &[left, right] in frames {
            let [left, right] = [left, right].map(|sample| sample.clamp(-top - 1, top));
            let [lefts, rights, middles, sides] = &mut self.planes;
            lefts.push(left);
            rights.push(right);
            middles.push((left + right) >> 1);
            sides.push(left - right);
            if lefts.len() == BLOCK {
                self.write_block()?;
            }
        }
        Ok(())
    }

    /// What it writes to.
    pub fn out(&self) -> &W {
        &self.out
    }

    /// Writes the last block and the description; gives what it wrote to, at its end.
    pub fn finish(mut self) -> io::Result<W> {
        if self.planes.iter().any(|plane| !plane.is_empty()) {
            self.write_block()?;
        }
        let head = self.head();
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&head)?;
        self.out.seek(SeekFrom::End(0))?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// The mark and the description. No digest of the sound: 0 says so, and every block has a check sum of its own.
    fn head(&self) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.put(u64::from(u32::from_be_bytes(*b"fLaC")), 32);
        // The last description, of kind 0, 34 bytes long.
        bits.put(0x80, 8);
        bits.put(34, 24);
        bits.put(BLOCK as u64, 16);
        bits.put(BLOCK as u64, 16);
        let (least, most) = self.extent.unwrap_or((0, 0));
        bits.put(least as u64, 24);
        bits.put(most as u64, 24);
        bits.put(u64::from(self.rate.hz()), 20);
        bits.put(1, 3);
        bits.put(u64::from(self.depth.bits() - 1), 5);
        // More frames than fit are said as unknown.
        let frames = if self.frames < 1 << 36 {
            self.frames
        } else {
            0
        };
        bits.put(frames, 36);
        for _ in 0..4 {
            bits.put(0, 32);
        }
        bits.take()
    }

    fn write_block(&mut self) -> io::Result<()> {
        let frames = self.planes[0].len();
        let depth = self.depth.bits();
        let depths = [depth, depth, depth, depth + 1];
        let mut costs = [0; 4];
        for ((plane, depth), cost) in self.planes.iter().zip(depths).zip(&mut costs) {
            *cost = predict::estimate(plane, depth);
        }
        let [left, right, middle, side] = costs;
        let (code, chosen) = [
            (left + right, 1, [0, 1]),
            (left + side, 8, [0, 3]),
            (side + right, 9, [3, 1]),
            (middle + side, 10, [2, 3]),
        ]
        .into_iter()
        .min_by_key(|(cost, ..)| *cost)
        .map_or((1, [0, 1]), |(_, code, chosen)| (code, chosen));
        self.put_block_header(frames, code);
        for place in chosen {
            let subframe: Subframe = self.predictor.best(&self.planes[place], depths[place]);
            subframe.put(&self.planes[place], depths[place], &mut self.bits);
        }
        self.bits.align();
        let sum = crc16(self.bits.bytes());
        self.bits.put(u64::from(sum), 16);
        let block = self.bits.bytes();
        self.out.write_all(block)?;
        let length = block.len();
        let (least, most) = self.extent.unwrap_or((length, length));
        self.extent = Some((least.min(length), most.max(length)));
        self.bits.clear();
        self.blocks += 1;
        self.frames += frames as u64;
        self.planes.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    fn put_block_header(&mut self, frames: usize, channels: u64) {
        let bits = &mut self.bits;
        // The mark; blocks are numbered.
        bits.put(0b11_1111_1111_1110, 14);
        bits.put(0, 2);
        let is_whole = frames == BLOCK;
        bits.put(
            if is_whole {
                BLOCK_CODE
            } else {
                OTHER_BLOCK_CODE
            },
            4,
        );
        // The rate stands in the description.
        bits.put(0, 4);
        bits.put(channels, 4);
        bits.put(self.depth.code(), 3);
        bits.put(0, 1);
        bits.put_number(self.blocks);
        if !is_whole {
            bits.put(frames as u64 - 1, 16);
        }
        let sum = crc8(bits.bytes());
        bits.put(u64::from(sum), 8);
    }
}

#[cfg(test)]
mod tests;
