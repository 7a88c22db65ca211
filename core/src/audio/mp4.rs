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
    /// Sample rate in the sample entry, Hz; 0 where it does not fit into 16 bits.
    pub(crate) declared_rate: u32,
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

pub(super) fn read_up_to(file: &mut File, out: &mut [u8]) -> io::Result<usize> {
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
pub(super) fn box_head(bytes: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
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

fn child(bytes: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    boxes(bytes)
        .find(|(found, _)| *found == name)
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
    let movie_timescale = child(bytes, *b"mvhd").and_then(timescale_of)?;
    let mut movie = Movie::default();
    for (name, track) in boxes(bytes) {
        if &name != b"trak" {
            continue;
        }
        let handler = child(track, *b"mdia").and_then(|media| child(media, *b"hdlr"));
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
    let header = child(track, *b"tkhd")?;
    let id = u32_at(header, if *header.first()? == 1 { 20 } else { 12 })?;
    let media = child(track, *b"mdia")?;
    let timescale = child(media, *b"mdhd").and_then(timescale_of)?;
    let table = child(child(media, *b"minf")?, *b"stbl")?;
    let mut sound = SoundTrack {
        id,
        timescale,
        ..SoundTrack::default()
    };
    if let Some(times) = child(table, *b"stts") {
        (sound.total, sound.packet_ticks) = sum_times(times);
    }
    if let Some(sizes) = child(table, *b"stsz") {
        sound.largest_packet = largest_size(sizes);
    }
    let entry = child(table, *b"stsd").unwrap_or_default();
    sound.encrypted = matches!(entry.get(12..16), Some(b"enca" | b"drms"));
    sound.declared_rate = u32_at(entry, 40).unwrap_or(0) >> 16;
    if let Some(edits) = child(track, *b"edts").and_then(|edits| child(edits, *b"elst")) {
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
    let meta = child(child(movie, *b"udta")?, *b"meta")?;
    // A `meta` box has a version word in front in MP4 and none in QuickTime files.
    let list = child(meta.get(4..)?, *b"ilst").or_else(|| child(meta, *b"ilst"))?;
    boxes(list)
        .filter(|(name, _)| name == b"----")
        .find_map(|(_, item)| {
            let name = child(item, *b"name")?.get(4..)?;
            if name != b"iTunSMPB" {
                return None;
            }
            parse_gapless_text(child(item, *b"data")?.get(8..)?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_box(name: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let size = (payload.len() as u32 + 8).to_be_bytes();
        [&size[..], &name, payload].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// What a made-up file says.
    struct Told {
        movie_timescale: u32,
        /// Packets and ticks of each.
        times: [u32; 4],
        /// Duration and start of each edit.
        edits: Vec<[u32; 2]>,
        gapless: Option<&'static str>,
    }

    impl Told {
        fn movie(&self) -> Vec<u8> {
            let header = a_box(*b"mvhd", &words(&[0, 0, 0, self.movie_timescale, 0]));
            let track_header = a_box(*b"tkhd", &words(&[0, 0, 0, 9, 0, 0]));
            let [packets, ticks, more, more_ticks] = self.times;
            let table = [
                a_box(
                    *b"stsd",
                    &[&words(&[0, 1, 36])[..], b"mp4a", &[0; 28]].concat(),
                ),
                a_box(*b"stts", &words(&[0, 2, packets, ticks, more, more_ticks])),
                a_box(*b"stsz", &words(&[0, 0, 3, 300, 500, 400])),
            ]
            .concat();
            let media = [
                a_box(*b"mdhd", &words(&[0, 0, 0, 44_100, 0, 0])),
                a_box(*b"hdlr", &[&words(&[0, 0])[..], b"soun", &[0; 12]].concat()),
                a_box(*b"minf", &a_box(*b"stbl", &table)),
            ]
            .concat();
            let mut edits = words(&[0, self.edits.len() as u32]);
            for [duration, start] in &self.edits {
                edits.extend(words(&[*duration, *start, 0x1_0000]));
            }
            let edits = a_box(*b"edts", &a_box(*b"elst", &edits));
            let track = [track_header, edits, a_box(*b"mdia", &media)].concat();
            let mut all = [header, a_box(*b"trak", &track)].concat();
            if let Some(text) = self.gapless {
                let item = [
                    a_box(*b"mean", b"\0\0\0\0com.apple.iTunes"),
                    a_box(*b"name", b"\0\0\0\0iTunSMPB"),
                    a_box(*b"data", &[&words(&[1, 0])[..], text.as_bytes()].concat()),
                ]
                .concat();
                let list = a_box(*b"ilst", &a_box(*b"----", &item));
                let meta = a_box(*b"meta", &[&[0; 4][..], &list].concat());
                all.extend(a_box(*b"udta", &meta));
            }
            all
        }

        fn sound(&self) -> SoundTrack {
            parse_movie(&self.movie()).unwrap().sound[0]
        }
    }

    const PLAIN: Told = Told {
        movie_timescale: 1_000,
        times: [108, 1_024, 1, 683],
        edits: Vec::new(),
        gapless: None,
    };

    #[test]
    fn the_sum_of_packets_sharpens_an_edit_in_milliseconds() {
        // As ffmpeg writes a source of 110 251 frames: 2.5 s, after a delay of 1024.
        let sound = Told {
            edits: vec![[2_500, 1_024]],
            ..PLAIN
        }
        .sound();
        assert_eq!(sound.total, 108 * 1_024 + 683);
        assert_eq!((sound.start, sound.length), (1_024, Some(110_251)));
        assert_eq!(
            (sound.id, sound.packet_ticks, sound.largest_packet),
            (9, 1_024, 500)
        );
    }

    #[test]
    fn an_edit_that_cuts_for_real_is_kept() {
        let sound = Told {
            edits: vec![[1_000, 4_410]],
            ..PLAIN
        }
        .sound();
        assert_eq!((sound.start, sound.length), (4_410, Some(44_100)));
    }

    #[test]
    fn a_gap_before_the_first_edit_is_not_played() {
        let sound = Told {
            edits: vec![[50, u32::MAX], [2_500, 1_024]],
            ..PLAIN
        }
        .sound();
        assert_eq!(sound.start, 1_024);
    }

    #[test]
    fn edits_beyond_the_sound_are_ignored() {
        let sound = Told {
            edits: vec![[2_500, 900_000]],
            ..PLAIN
        }
        .sound();
        assert_eq!((sound.start, sound.length), (0, None));
    }

    #[test]
    fn apples_tag_gives_delay_and_length() {
        // 2112 frames in front, 0x1A4AB of sound.
        let text = " 00000000 00000840 0000001C 000000000001A4AB 00000000";
        let sound = Told {
            gapless: Some(text),
            ..PLAIN
        }
        .sound();
        assert_eq!((sound.start, sound.length), (2_112, Some(107_691)));
        for nonsense in [
            "",
            " 00000000 00000840",
            " 0 840 1C FFFFFFFFFFFF",
            " 0 FFFFF 1 1",
            "\u{e4}",
        ] {
            let sound = Told {
                gapless: Some(nonsense),
                ..PLAIN
            }
            .sound();
            assert_eq!((sound.start, sound.length), (0, None), "{nonsense:?}");
        }
    }

    proptest! {
        #[test]
        fn any_movie_is_read_without_panic(
            harms in prop::collection::vec((0..2_000_usize, any::<u8>()), 0..10),
            length in 0..2_000_usize,
        ) {
            let text = " 00000000 00000840 0000001C 000000000001A4AB 00000000";
            let mut bytes = Told { edits: vec![[2_500, 1_024]], gapless: Some(text), ..PLAIN }.movie();
            for (at, byte) in harms {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            bytes.truncate(length.max(40));
            let movie = parse_movie(&bytes);
            for sound in movie.into_iter().flat_map(|movie| movie.sound) {
                prop_assert!(sound.timescale > 0);
            }
        }
    }
}
