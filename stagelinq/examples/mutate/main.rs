//! Throws damaged messages at everything that reads from the network, for as long as is wanted: `mutate SECONDS [SEED]`.
//!
//! Messages of all kinds are made, then bytes are changed, cut, doubled and joined. What counts is that nothing panics,
//! hangs or grows; each round of a seed is the same everywhere. `mutate seeds FOLDER` writes the whole messages into files,
//! for the fuzzer in `fuzz/` to start from.
#![expect(clippy::print_stdout, reason = "printing is what this example is for")]

mod messages;
mod reading;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::time::{Duration, Instant};

use stagelinq::roster::Roster;

/// Numbers that look random and are the same for the same seed (splitmix64, Steele et al. 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, folder] = arguments.as_slice()
        && word == "seeds"
    {
        return write_seeds(Path::new(folder));
    }
    let mut numbers = arguments.iter().filter_map(|text| text.parse::<u64>().ok());
    let secs = numbers.next().unwrap_or(10);
    mutate(secs, Random(numbers.next().unwrap_or(1)));
    Ok(())
}

/// The piece size that the fuzzer takes from the first byte: so much that a message comes whole.
const WHOLE: u8 = u8::MAX;

fn write_seeds(folder: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    for (number, message) in messages::whole().into_iter().enumerate() {
        let bytes = [&[WHOLE], message.as_slice()].concat();
        std::fs::write(folder.join(format!("{number:02}")), bytes)?;
    }
    Ok(())
}

fn mutate(secs: u64, mut random: Random) {
    let whole = messages::whole();
    let mut roster = Roster::new(&messages::identity());
    let (began, mut rounds, mut bytes) = (Instant::now(), 0_u64, 0_u64);
    while began.elapsed() < Duration::from_secs(secs) {
        for _ in 0..1000 {
            let mut message = pick(&whole, &mut random);
            damage(&mut message, &whole, &mut random);
            bytes += message.len() as u64;
            reading::read(&message, 1 + random.below(80));
            let from = SocketAddrV4::new(Ipv4Addr::from(random.next() as u32 & 0xff), 51337);
            let now = Duration::from_millis(rounds);
            drop(roster.handle(&message, from, Ipv4Addr::LOCALHOST, now));
            drop(roster.expire(now));
            rounds += 1;
        }
    }
    println!("{rounds} damaged messages, {bytes} bytes, {secs} s, no panic");
}

fn pick(messages: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    messages
        .get(random.below(messages.len()))
        .cloned()
        .unwrap_or_default()
}

fn damage(message: &mut Vec<u8>, whole: &[Vec<u8>], random: &mut Random) {
    for _ in 0..=random.below(4) {
        let place = random.below(message.len());
        match random.below(6) {
            0 => message.truncate(place),
            1 => message.extend(pick(whole, random)),
            2 => {
                let end = (place + 1 + random.below(64)).min(message.len());
                let doubled: Vec<u8> = message.get(place..end).unwrap_or_default().to_vec();
                message.splice(place..place, doubled);
            }
            // Lengths and counts are what readers trust wrongly.
            3 => {
                let number = [
                    0,
                    1,
                    0x7fff_ffff,
                    0xffff_ffff,
                    0x1_0000,
                    random.next() as u32,
                ];
                let number = number
                    .get(random.below(number.len()))
                    .copied()
                    .unwrap_or_default();
                for (byte, new) in message.iter_mut().skip(place).zip(number.to_be_bytes()) {
                    *byte = new;
                }
            }
            _ => {
                if let Some(byte) = message.get_mut(place) {
                    *byte = random.next() as u8;
                }
            }
        }
        message.truncate(1 << 16);
    }
}
