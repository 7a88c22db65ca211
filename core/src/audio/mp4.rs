//! What an MP4 file says about its sound that the demuxer does not pass on: the edit list, Apple's gapless
//! tag, encryption, and signs of HE-AAC.
//!
//! Boxes after ISO/IEC 14496-12; `iTunSMPB` as iTunes writes it: hexadecimal words, of which the second is
//! the encoder's delay, the third its padding, the fourth the true length in frames.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

/// A movie header larger than this is not read: a day of AAC needs about 16 MiB.
const MAX_MOVIE_BYTES: u64 = 64 << 20;
/// Boxes looked at in one container.
const MAX_BOXES: usize = 4096;

/// What was found for one sound track, in frames of its own time scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SoundTrack {
    pub(crate) id: u32,
    /// Ticks per second; for sound nearly always the sample rate.
    pub(crate) timescale: u32,
    /// First tick that is meant to be heard.
    pub(crate) start: u64,
    /// Ticks meant to be heard, where told.
    pub(crate) length: Option<u64>,
    /// Ticks of all samples together.
    pub(crate) total: u64,
    /// Ticks of the first sample (an AAC packet).
    pub(crate) packet_ticks: u32,
    pub(crate) encrypted: bool,
    /// Size in bytes of the largest sample.
    pub(crate) largest_packet: u64,
}

/// What the whole file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Movie {
    pub(crate) sound: Vec<SoundTrack>,
    pub(crate) has_video: bool,
}

/// Reads the movie header of `file`; `None` when this is no MP4 or its header makes no sense.
pub(crate) fn read_movie(file: &mut File) -> io::Result<Option<Movie>> {
    let length = file.seek(SeekFrom::End(0))?;
    let Some(bytes) = movie_bytes(file, length)? else {
        return Ok(None);
    };
    Ok(parse_movie(&bytes))
}

/// The payload of the `moov` box, found by walking the top-level boxes.
fn movie_bytes(file: &mut File, length: u64) -> io::Result<Option<Vec<u8>>> {
    let mut at = 0_u64;
    for index in 0..MAX_BOXES {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0_u8; 16];
        let got = read_up_to(file, &mut head)?;
        let Some((name, size, head_bytes)) = box_head(&head[..got], length - at) else {
            return Ok(None);
        };
        if index == 0 && &name != b"ftyp" {
            return Ok(None);
        }
        if &name == b"moov" {
            let payload = size - head_bytes;
            if payload > MAX_MOVIE_BYTES || at + size > length {
                return Ok(None);
            }
            file.seek(SeekFrom::Start(at + head_bytes))?;
            let mut bytes = vec![0; payload as usize];
            file.read_exact(&mut bytes)?;
            return Ok(Some(bytes));
        }
        at = match at.checked_add(size) {
            Some(next) if next < length => next,
            _ => return Ok(None),
        };
    }
    Ok(None)
}

fn read_up_to(file: &mut File, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match file.read(&mut out[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Name, whole size and size of the head of the box that starts `bytes`, of which `left` exist.
fn box_head(bytes: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let (name, rest) = rest.split_first_chunk::<4>()?;
    let (size, head) = match u32::from_be_bytes(*size) {
        0 => (left, 8),
        1 => (u64::from_be_bytes(*rest.first_chunk::<8>()?), 16),
        small => (u64::from(small), 8),
    };
    (size >= head).then_some((*name, size, head))
}

/// The boxes directly inside `bytes`, up to the first that makes no sense.
fn boxes(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (name, size, head) = box_head(rest, rest.len() as u64)?;
        let payload = rest.get(head as usize..usize::try_from(size).ok()?)?;
        rest = rest.get(size as usize..)?;
        Some((name, payload))
    })
    .take(MAX_BOXES)
}

fn child<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes)
        .find(|(found, _)| found == name)
        .map(|(_, payload)| payload)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*word))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_be_bytes(*word))
}

fn parse_movie(bytes: &[u8]) -> Option<Movie> {
    let movie_timescale = child(bytes, b"mvhd").and_then(timescale_of)?;
    let mut movie = Movie::default();
    for (name, track) in boxes(bytes) {
        if &name != b"trak" {
            continue;
        }
        let handler = child(track, b"mdia").and_then(|media| child(media, b"hdlr"));
        match handler.and_then(|handler| handler.get(8..12)) {
            Some(b"soun") => movie.sound.extend(parse_sound(track, movie_timescale)),
            Some(b"vide") => movie.has_video = true,
            _ => {}
        }
    }
    // The tag speaks of the only sound track; the edit list of a file that has one is the same or coarser.
    if let ([sound], Some(gapless)) = (movie.sound.as_mut_slice(), find_gapless_tag(bytes)) {
        apply_gapless_tag(sound, gapless);
    }
    Some(movie)
}

/// Time scale of an `mvhd` or `mdhd` box.
fn timescale_of(header: &[u8]) -> Option<u32> {
    let at = if *header.first()? == 1 { 20 } else { 12 };
    u32_at(header, at).filter(|&scale| scale > 0)
}

fn parse_sound(track: &[u8], movie_timescale: u32) -> Option<SoundTrack> {
    let header = child(track, b"tkhd")?;
    let id = u32_at(header, if *header.first()? == 1 { 20 } else { 12 })?;
    let media = child(track, b"mdia")?;
    let timescale = child(media, b"mdhd").and_then(timescale_of)?;
    let table = child(child(media, b"minf")?, b"stbl")?;
    let mut sound = SoundTrack {
        id,
        timescale,
        ..SoundTrack::default()
    };
    if let Some(times) = child(table, b"stts") {
        (sound.total, sound.packet_ticks) = sum_times(times);
    }
    if let Some(sizes) = child(table, b"stsz") {
        sound.largest_packet = largest_size(sizes);
    }
    let entry = child(table, b"stsd").and_then(|entries| entries.get(12..16));
    sound.encrypted = matches!(entry, Some(b"enca" | b"drms"));
    if let Some(edits) = child(track, b"edts").and_then(|edits| child(edits, b"elst")) {
        apply_edits(&mut sound, edits, movie_timescale);
    }
    Some(sound)
}

/// Ticks of all samples, and of the first.
fn sum_times(times: &[u8]) -> (u64, u32) {
    let entries = times.get(8..).unwrap_or_default();
    let mut total = 0_u64;
    for entry in entries.chunks_exact(8) {
        let (Some(count), Some(ticks)) = (u32_at(entry, 0), u32_at(entry, 4)) else {
            break;
        };
        total = total.saturating_add(u64::from(count) * u64::from(ticks));
    }
    (total, u32_at(entries, 4).unwrap_or(0))
}

fn largest_size(sizes: &[u8]) -> u64 {
    match u32_at(sizes, 4) {
        Some(0) => sizes
            .get(12..)
            .unwrap_or_default()
            .chunks_exact(4)
            .filter_map(|size| u32_at(size, 0))
            .max()
            .map_or(0, u64::from),
        Some(all) => u64::from(all),
        None => 0,
    }
}

/// Takes the first edit that plays something. Later edits and gaps before it are not used for music.
fn apply_edits(sound: &mut SoundTrack, edits: &[u8], movie_timescale: u32) {
    let wide = edits.first() == Some(&1);
    let entry_bytes = if wide { 20 } else { 12 };
    for entry in edits.get(8..).unwrap_or_default().chunks_exact(entry_bytes) {
        let (duration, start) = if wide {
            (u64_at(entry, 0), u64_at(entry, 8).map(|start| start as i64))
        } else {
            let start = u32_at(entry, 4).map(|start| i64::from(start as i32));
            (u32_at(entry, 0).map(u64::from), start)
        };
        let (Some(duration), Some(start)) = (duration, start) else {
            return;
        };
        let Ok(start) = u64::try_from(start) else {
            continue;
        };
        if sound.total > 0 && start >= sound.total {
            return;
        }
        sound.start = start;
        sound.length = edit_length(sound, duration, movie_timescale);
        return;
    }
}

/// The edit's duration is told in the movie's ticks, often milliseconds: too coarse to cut by. Within
/// that coarseness the sum of the sample times is the exact answer.
fn edit_length(sound: &SoundTrack, duration: u64, movie_timescale: u32) -> Option<u64> {
    if duration == 0 {
        return None;
    }
    let scale = u128::from(sound.timescale);
    let movie = u128::from(movie_timescale);
    let told = (u128::from(duration) * scale + movie / 2) / movie;
    let told = u64::try_from(told).ok()?;
    let tick = u64::from(sound.timescale / movie_timescale) + 1;
    let rest = sound.total.saturating_sub(sound.start);
    if sound.total == 0 {
        return Some(told);
    }
    Some(if told.abs_diff(rest) <= tick {
        rest
    } else {
        told.min(rest)
    })
}

/// Delay and length in frames.
type Gapless = (u64, u64);

fn find_gapless_tag(movie: &[u8]) -> Option<Gapless> {
    let meta = child(child(movie, b"udta")?, b"meta")?;
    // A `meta` box has a version word in front in MP4 and none in QuickTime files.
    let list = child(meta.get(4..)?, b"ilst").or_else(|| child(meta, b"ilst"))?;
    boxes(list)
        .filter(|(name, _)| name == b"----")
        .find_map(|(_, item)| {
            let name = child(item, b"name")?.get(4..)?;
            if name != b"iTunSMPB" {
                return None;
            }
            parse_gapless_text(child(item, b"data")?.get(8..)?)
        })
}

fn parse_gapless_text(text: &[u8]) -> Option<Gapless> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split_ascii_whitespace().skip(1);
    let mut word = || u64::from_str_radix(words.next()?, 16).ok();
    let (delay, _padding, length) = (word()?, word()?, word()?);
    (delay < 1 << 16 && length > 0).then_some((delay, length))
}

fn apply_gapless_tag(sound: &mut SoundTrack, (delay, length): Gapless) {
    // An edit list that says the same stands; a tag beyond the samples that exist is a lie.
    let fits = delay
        .checked_add(length)
        .is_some_and(|end| end <= sound.total.max(1));
    if fits {
        sound.start = delay;
        sound.length = Some(length);
    }
}
