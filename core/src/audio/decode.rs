//! A file as a stream of samples on the track's timeline, with exact seeks and damage counted, not fatal.

mod flaws;

use super::damage::{Damage, End};
use super::error::AudioError;
use super::interleave;
use super::source::{self, Family, Source, contained};
use crate::track::AudioFormat;
use crate::units::{Frame, Secs};
use std::fmt;
use std::path::{Path, PathBuf};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::{SeekMode, SeekTo, TrackType};
use symphonia::core::packet::Packet;
use symphonia::core::units::Timestamp;

/// Unreadable packets in a row that silence stands in for; more are dropped.
const MAX_PATCHED: u32 = 64;
/// Longest silence for a packet that fails before any was good, in frames.
const FIRST_GUESS: usize = 8_192;
/// Demuxer errors in a row after which the rest of the file is given up.
const MAX_DEMUX_ERRORS: u32 = 32;
/// Frames beyond a claimed end that padding may explain: more prove that the claim was wrong.
const MAX_PADDING: usize = 3 * 1152;
/// Frames that a file may lack of its promise without being called damaged: one packet of any codec.
const SLACK: u64 = 4_608;

/// Whether the frame that comes next is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Known,
    /// After a seek: the next packet with sound says by its time stamp where we are.
    Anchoring,
    /// The container jumped too far.
    Overshot,
}

/// One open file. Gives interleaved samples from time 0 on.
pub struct Decoder {
    path: PathBuf,
    source: Source,
    /// Read ahead when opening: tells where time stamps start.
    pending: Option<Packet>,
    /// Time stamp of raw frame 0.
    origin: i64,
    /// Raw frame (counted from the first packet, encoder delay included) that comes next.
    raw: u64,
    /// Raw frames before this one are not passed on.
    wanted: u64,
    place: Place,
    /// Frames that the container has skipped since the last seek: so far are we behind its time stamps.
    behind: u64,
    /// What is wrong before this raw frame has been counted.
    furthest: u64,
    /// Frames beyond a claimed end, kept until it is known whether they are padding.
    overrun: Vec<f32>,
    damage: Damage,
    failed_in_row: u32,
    /// Length of the last good packet, in frames.
    usual_frames: usize,
    payload_bytes: u64,
    /// No seek so far: what was counted is the whole file.
    linear: bool,
    ended: bool,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("path", &self.path)
            .field("format", &self.source.format)
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// Content decides what the file is; its name does not matter.
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        contained(|| Self::open_unguarded(path))
    }

    fn open_unguarded(path: &Path) -> Result<Self, AudioError> {
        let source = source::open(path)?;
        let wanted = source.presented.start;
        let mut decoder = Self {
            path: path.to_owned(),
            source,
            pending: None,
            origin: 0,
            raw: 0,
            wanted,
            place: Place::Known,
            behind: 0,
            furthest: 0,
            overrun: Vec::new(),
            damage: Damage::default(),
            failed_in_row: 0,
            usual_frames: FIRST_GUESS,
            payload_bytes: 0,
            linear: true,
            ended: false,
        };
        decoder.pending = decoder.read_packet()?;
        if let Some(first) = &decoder.pending {
            decoder.origin = decoder.first_frame_stamp(first);
            // An Ogg stream may ask for its start to be cut by stamps below zero.
            if decoder.source.family == Family::Vorbis && decoder.origin < 0 {
                decoder.source.presented.start = decoder.origin.unsigned_abs();
                decoder.wanted = decoder.source.presented.start;
            }
        }
        Ok(decoder)
    }

    /// What is known so far; exact in length and bit rate once everything has been decoded.
    pub fn format(&self) -> &AudioFormat {
        &self.source.format
    }

    /// How many frames the container promises, where it does so in earnest.
    pub fn promised(&self) -> Option<u64> {
        self.source.promised
    }

    /// What had to be left out so far.
    pub fn damage(&self) -> Damage {
        self.damage
    }

    fn secs(&self, frames: u64) -> Secs {
        let rate = self.source.format.sample_rate;
        rate.secs_from_frame(Frame(frames))
    }

    /// The timeline frame that the next block starts with.
    pub fn position(&self) -> Frame {
        let next = match self.place {
            Place::Known => self.wanted.max(self.raw),
            Place::Anchoring | Place::Overshot => self.wanted,
        };
        Frame(next - self.source.presented.start)
    }

    /// Replaces `out` by the next interleaved samples and tells how many frames they are, always more than 0.
    /// `None` at the end.
    pub fn next_block(&mut self, out: &mut Vec<f32>) -> Result<Option<usize>, AudioError> {
        let result = contained(|| self.next_block_unguarded(out));
        if result.is_err() {
            out.clear();
            self.ended = true;
        }
        result
    }

    fn next_block_unguarded(&mut self, out: &mut Vec<f32>) -> Result<Option<usize>, AudioError> {
        let channels = usize::from(self.source.format.channels);
        while !self.ended {
            let Some(packet) = self.next_packet()? else {
                self.finish();
                break;
            };
            self.decode_packet(&packet, out);
            if self.place == Place::Overshot {
                self.start_over()?;
                continue;
            }
            if !out.is_empty() {
                return Ok(Some(out.len() / channels));
            }
        }
        out.clear();
        Ok(None)
    }

    /// Makes the next block start at `to`, to the sample. Beyond the end, the next block is `None`.
    pub fn seek(&mut self, to: Frame) -> Result<(), AudioError> {
        let target = self.source.presented.start.saturating_add(to.0);
        let pre_roll = self.source.family.pre_roll();
        let ahead = target
            .checked_sub(self.raw)
            .filter(|_| !self.ended && self.place == Place::Known);
        self.linear = false;
        if ahead.is_some_and(|ahead| ahead <= pre_roll + 8_192) && self.overrun.is_empty() {
            self.wanted = target;
            return Ok(());
        }
        if self.ended {
            // Readers that have seen the end do not all find back.
            self.restart()?;
        }
        let from = target.saturating_sub(pre_roll);
        if from == 0 || !self.source.stamps_are_frames || !self.jump(from) {
            self.restart()?;
        }
        self.wanted = target;
        Ok(())
    }

    /// Asks the container for raw frame `from`. `false` when it cannot.
    fn jump(&mut self, from: u64) -> bool {
        let Some(stamp) = i64::try_from(from)
            .ok()
            .and_then(|from| from.checked_add(self.origin))
        else {
            return false;
        };
        let to = SeekTo::Timestamp {
            ts: Timestamp::new(stamp),
            track_id: self.source.track_id,
        };
        let jumped = contained(|| {
            let reader = &mut self.source.reader;
            reader
                .seek(SeekMode::Accurate, to)
                .map_err(|error| AudioError::Damaged(error.to_string()))?;
            self.source.decoder.reset();
            Ok(())
        });
        if jumped.is_err() {
            return false;
        }
        self.pending = None;
        self.overrun.clear();
        self.place = Place::Anchoring;
        self.behind = 0;
        self.ended = false;
        self.failed_in_row = 0;
        true
    }

    /// Starts again from the first packet.
    fn restart(&mut self) -> Result<(), AudioError> {
        let (damage, furthest) = (self.damage, self.furthest);
        let format = self.source.format.clone();
        let end_is_claim = self.source.presented.end_is_claim;
        *self = Self::open(&self.path)?;
        self.source.presented.end_is_claim &= end_is_claim;
        self.source.format = format;
        self.damage = damage;
        self.furthest = furthest;
        self.linear = false;
        Ok(())
    }

    /// The container cannot be trusted with seeks: counts from the start instead.
    fn start_over(&mut self) -> Result<(), AudioError> {
        let wanted = self.wanted;
        self.restart()?;
        self.source.stamps_are_frames = false;
        self.wanted = wanted;
        Ok(())
    }

    fn next_packet(&mut self) -> Result<Option<Packet>, AudioError> {
        match self.pending.take() {
            Some(packet) => Ok(Some(packet)),
            None => self.read_packet(),
        }
    }

    /// The next packet of our track; `None` at the end, or where the container is too broken to go on.
    fn read_packet(&mut self) -> Result<Option<Packet>, AudioError> {
        let mut errors = 0;
        loop {
            match self.source.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.source.track_id => {
                    return Ok(Some(packet));
                }
                Ok(Some(_other_track)) => {}
                Ok(None) => return Ok(None),
                Err(SymphoniaError::ResetRequired) => {
                    if !self.take_next_stream() {
                        self.damage.end = End::Unreadable;
                        return Ok(None);
                    }
                }
                Err(SymphoniaError::IoError(error))
                    if error.kind() == std::io::ErrorKind::UnexpectedEof =>
                {
                    if !self.source.open_ended {
                        self.damage.end = End::Early { promised: None };
                    }
                    return Ok(None);
                }
                Err(SymphoniaError::IoError(error)) => return Err(error.into()),
                Err(_) => {
                    self.skip();
                    errors += 1;
                    if errors >= MAX_DEMUX_ERRORS {
                        self.damage.end = End::Unreadable;
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Ogg files may be several streams in a row. Goes on with the next one if it sounds alike.
    fn take_next_stream(&mut self) -> bool {
        let Some(track) = self.source.reader.default_track(TrackType::Audio).cloned() else {
            return false;
        };
        let Some(CodecParameters::Audio(params)) = &track.codec_params else {
            return false;
        };
        let alike = params.sample_rate == Some(self.source.format.sample_rate.hz())
            && params.channels.as_ref().is_some_and(|channels| {
                channels.count() == usize::from(self.source.format.channels)
            });
        let Ok(decoder) = source::make_decoder(params, self.source.family) else {
            return false;
        };
        if !alike {
            return false;
        }
        self.source.decoder = decoder;
        self.source.track_id = track.id;
        // Time stamps start again: only counting frames is right from here on.
        self.source.stamps_are_frames = false;
        self.source.promised = None;
        true
    }

    /// The time stamp of the first frame that decoding `packet` gives.
    fn first_frame_stamp(&self, packet: &Packet) -> i64 {
        let cut = if self.source.family == Family::Vorbis {
            i64::try_from(packet.trim_start.get()).unwrap_or(0)
        } else {
            0
        };
        packet.pts.get().saturating_add(cut)
    }

    fn decode_packet(&mut self, packet: &Packet, out: &mut Vec<f32>) {
        self.payload_bytes += packet.data.len() as u64;
        let stamp = self.first_frame_stamp(packet);
        let channels = usize::from(self.source.format.channels);
        let rate = self.source.format.sample_rate.hz();
        let is_news = self.is_news();
        self.note_gap(stamp);
        let mut bad_samples = 0;
        let good = match self.source.decoder.decode(packet) {
            Ok(buffer) if buffer.num_planes() == channels && buffer.spec().rate() == rate => {
                bad_samples = interleave::copy(&buffer, out);
                true
            }
            Ok(buffer) => {
                out.clear();
                buffer.is_empty()
            }
            Err(_broken) => false,
        };
        if self.place == Place::Anchoring {
            if !good || out.is_empty() {
                out.clear();
                return;
            }
            self.raw = u64::try_from(stamp.saturating_sub(self.origin)).unwrap_or(0);
            self.place = Place::Known;
            if self.raw > self.wanted {
                self.place = Place::Overshot;
                out.clear();
                return;
            }
        }
        if good {
            self.failed_in_row = 0;
            if !out.is_empty() {
                self.usual_frames = out.len() / channels;
            }
        } else {
            self.patch(packet, out);
        }
        self.cut_to_timeline(out);
        // What is not heard does no harm.
        if bad_samples > 0 && !out.is_empty() && is_news {
            self.note_bad(bad_samples);
        }
    }

    /// Puts silence in place of a broken packet, so that what follows stays at its time.
    fn patch(&mut self, packet: &Packet, out: &mut Vec<f32>) {
        self.skip();
        self.failed_in_row += 1;
        out.clear();
        if self.failed_in_row <= MAX_PATCHED {
            let told = usize::try_from(packet.dur.get()).unwrap_or(usize::MAX);
            let frames = told.min(self.usual_frames);
            out.resize(frames * usize::from(self.source.format.channels), 0.0);
        }
    }

    /// Takes `out` as the frames from `raw` on, and leaves of it what is wanted and meant to be heard.
    fn cut_to_timeline(&mut self, out: &mut Vec<f32>) {
        let channels = usize::from(self.source.format.channels);
        let first = self.raw;
        let frames = out.len() / channels;
        self.raw = first.saturating_add(frames as u64);
        self.furthest = self.furthest.max(self.raw);
        let mut begins = first;
        let presented = self.source.presented;
        if let Some(end) = presented.end
            && self.raw > end
        {
            let kept = usize::try_from(end.saturating_sub(first)).unwrap_or(frames);
            let kept = kept.min(frames) * channels;
            if presented.end_is_claim {
                self.overrun.extend_from_slice(&out[kept..]);
            } else if kept == 0 {
                self.ended = true;
                self.finish();
            }
            out.truncate(kept);
            if self.overrun.len() > MAX_PADDING * channels {
                // Far more sound than claimed (files joined end to end): all of it is meant to be heard.
                out.append(&mut self.overrun);
                self.source.presented.end = None;
                self.source.promised = None;
                begins = self.raw - (out.len() / channels) as u64;
            }
        }
        let early = self.wanted.saturating_sub(begins);
        let early = usize::try_from(early).unwrap_or(usize::MAX);
        out.drain(..early.saturating_mul(channels).min(out.len()));
    }

    /// Everything has been read: what was counted replaces what was promised.
    fn finish(&mut self) {
        self.ended = true;
        self.overrun.clear();
        if !self.linear {
            return;
        }
        let presented = self.source.presented;
        let end = presented.end.unwrap_or(u64::MAX).min(self.raw);
        let heard = end.saturating_sub(presented.start);
        if let Some(promised) = self.source.promised {
            self.damage = self.damage_of_end(self.secs(heard), self.secs(promised));
        }
        let format = &mut self.source.format;
        format.duration = format.sample_rate.secs_from_frame(Frame(heard));
        let Secs(secs) = format.sample_rate.secs_from_frame(Frame(self.raw));
        if secs > 0.0 {
            let kbps = self.payload_bytes as f64 * 8.0 / 1000.0 / secs;
            format.bitrate_kbps = Some(kbps.round() as u32);
        }
    }
}
