//! Small WAV files, sound and unsound, made in memory.

use std::f64::consts::TAU;

/// How samples are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Pcm16,
    Float32,
}

impl Coding {
    fn tag(self) -> u16 {
        match self {
            Self::Pcm16 => 1,
            Self::Float32 => 3,
        }
    }

    fn bytes(self) -> u32 {
        match self {
            Self::Pcm16 => 2,
            Self::Float32 => 4,
        }
    }
}

/// A WAV file of `body`, whose header says that the sound has `claimed` bytes.
pub fn wav(coding: Coding, rate: u32, channels: u16, body: &[u8], claimed: u32) -> Vec<u8> {
    let frame = coding.bytes() * u32::from(channels);
    let mut file = Vec::with_capacity(44 + body.len());
    file.extend(b"RIFF");
    file.extend(claimed.saturating_add(36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(coding.tag().to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend(rate.saturating_mul(frame).to_le_bytes());
    file.extend((frame as u16).to_le_bytes());
    file.extend((coding.bytes() as u16 * 8).to_le_bytes());
    file.extend(b"data");
    file.extend(claimed.to_le_bytes());
    file.extend(body);
    file
}

/// An honest WAV file of 16 bits.
pub fn honest(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let body: Vec<u8> = samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    wav(Coding::Pcm16, rate, channels, &body, body.len() as u32)
}

/// One frame value of a little tune at `secs`: clicks at 120 BPM over a tone that depends on `seed`.
pub fn tune_at(seed: u32, secs: f64) -> f64 {
    let tone = 110.0 * 2.0_f64.powf(f64::from(seed % 36) / 12.0);
    let since_beat = secs % 0.5;
    let click = (-since_beat * 60.0).exp() * (TAU * 1_800.0 * since_beat).sin();
    // The last part makes the bytes of each seed its own without being heard.
    let own = f64::from(seed) * 1e-5 * (TAU * 31.0 * secs).sin();
    0.3 * (TAU * tone * secs).sin() + 0.6 * click + own
}

/// A tune of `secs` seconds, the same on all `channels`.
pub fn tune(seed: u32, secs: f64, rate: u32, channels: u16) -> Vec<u8> {
    let frames = (secs * f64::from(rate)) as usize;
    let samples: Vec<i16> = (0..frames)
        .flat_map(|frame| {
            let value = tune_at(seed, frame as f64 / f64::from(rate));
            let sample = (value.clamp(-1.0, 1.0) * 32_000.0) as i16;
            std::iter::repeat_n(sample, usize::from(channels))
        })
        .collect();
    honest(rate, channels, &samples)
}
