//! Reads what a file says of itself: tags, format, cover art. Never writes.
//!
//! The only place (with its parts `tags_fields` and `tags_values`) that knows lofty.

use super::tags_fields::{Field, Fields};
use super::{presence, tags_values};
use crate::failure::{Failure, FailureKind};
use crate::track::{AudioFormat, Tags, Text};
use crate::units::{SampleRate, Secs};
use lofty::aac::AacFile;
use lofty::config::{ParseOptions, ParsingMode};
use lofty::error::FileParseError;
use lofty::file::{AudioFile, FileType};
use lofty::flac::FlacFile;
use lofty::iff::aiff::AiffFile;
use lofty::iff::wav::WavFile;
use lofty::mp4::{Mp4Codec, Mp4File};
use lofty::mpeg::{Layer, MpegFile};
use lofty::ogg::{OggPictureStorage as _, OpusFile, VorbisFile};
use lofty::picture::{Picture, PictureType};
use lofty::probe::Probe;
use lofty::properties::FileProperties;
use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Larger pictures are not shown.
pub(super) const MOST_ART_BYTES: usize = 16 << 20;

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TagsRead {
    pub tags: Tags,
    /// As the header tells; decoding knows better. `None` when it does not tell all of it.
    pub format: Option<AudioFormat>,
}

/// Tags and format of the file at `path`.
///
/// A failure means that nothing could be read, not that the file is no music: it is to be
/// recorded, and the import goes on.
pub fn read(path: &Path) -> Result<TagsRead, Failure> {
    let content = guarded(path)?;
    Ok(TagsRead {
        tags: tags_of(&content.fields),
        format: content.format,
    })
}

/// The cover: its media type and its bytes. `None` where there is none, or none that can be shown.
pub fn art(path: &Path) -> Option<(String, Vec<u8>)> {
    let pictures = guarded(path).ok()?.fields.pictures;
    let is_usable =
        |picture: &&Picture| !picture.data().is_empty() && picture.data().len() <= MOST_ART_BYTES;
    let cover = pictures
        .iter()
        .filter(is_usable)
        .find(|picture| picture.pic_type() == PictureType::CoverFront)
        .or_else(|| pictures.iter().find(is_usable))?;
    Some((media_type(cover)?, cover.data().to_vec()))
}

/// By the picture's first bytes, which are right more often than what is declared.
fn media_type(picture: &Picture) -> Option<String> {
    let known = match picture.data() {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'B', b'M', ..] => "image/bmp",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        _ => {
            return picture
                .mime_type()
                .map(|declared| declared.as_str().to_owned());
        }
    };
    Some(known.to_owned())
}

/// What is in a file, in our words.
#[derive(Default)]
struct Content {
    fields: Fields,
    format: Option<AudioFormat>,
}

/// Reads the file; a panic in the reader is a damaged file like any other.
fn guarded(path: &Path) -> Result<Content, Failure> {
    catch_unwind(AssertUnwindSafe(|| content_of(path)))
        .unwrap_or_else(|_| Err(damaged("its tags cannot be made sense of")))
}

fn content_of(path: &Path) -> Result<Content, Failure> {
    let file = File::open(path).map_err(|error| presence::failure_of(&error))?;
    let is_file = file
        .metadata()
        .map_err(|error| presence::unreadable(&error))?
        .is_file();
    if !is_file {
        return Err(unsupported());
    }
    let probe = Probe::new(BufReader::new(file))
        .guess_file_type()
        .map_err(|error| presence::unreadable(&error))?;
    let kind = probe
        .file_type()
        .or_else(|| FileType::from_path(path))
        .ok_or_else(unsupported)?;
    let mut reader = probe.into_inner();
    let careful = ParseOptions::new();
    // Where the sound's own header is broken, the tags may still be fine.
    let lenient = ParseOptions::new()
        .parsing_mode(ParsingMode::Relaxed)
        .read_properties(false);
    let result = parse(&mut reader, kind, careful).or_else(|_| parse(&mut reader, kind, lenient));
    match result {
        Ok(Some(content)) => Ok(content),
        Ok(None) => Err(unsupported()),
        Err(error) => Err(damaged(&format!("its tags cannot be read: {error}"))),
    }
}

/// `None` for formats that we do not play. Tags are taken in the order of their standing.
fn parse(
    reader: &mut BufReader<File>,
    kind: FileType,
    options: ParseOptions,
) -> Result<Option<Content>, FileParseError> {
    let mut content = Content::default();
    let Content { fields, format } = &mut content;
    match kind {
        FileType::Mpeg => {
            let file: MpegFile = open(reader, options)?;
            file.id3v2().into_iter().for_each(|tag| fields.id3v2(tag));
            file.ape().into_iter().for_each(|tag| fields.ape(tag));
            file.id3v1().into_iter().for_each(|tag| fields.id3v1(tag));
            *format = format_of(mpeg_codec(&file), *file.properties());
        }
        FileType::Aac => {
            let file: AacFile = open(reader, options)?;
            file.id3v2().into_iter().for_each(|tag| fields.id3v2(tag));
            file.id3v1().into_iter().for_each(|tag| fields.id3v1(tag));
            *format = format_of("aac", *file.properties());
        }
        FileType::Flac => {
            let file: FlacFile = open(reader, options)?;
            file.vorbis_comments()
                .into_iter()
                .for_each(|tag| fields.vorbis(tag));
            file.id3v2().into_iter().for_each(|tag| fields.id3v2(tag));
            let pictures = file.pictures().iter().map(|(picture, _)| picture.clone());
            fields.pictures.extend(pictures);
            *format = format_of("flac", *file.properties());
        }
        FileType::Mp4 => {
            let file: Mp4File = open(reader, options)?;
            file.ilst().into_iter().for_each(|tag| fields.mp4(tag));
            *format = format_of(mp4_codec(&file), file.properties().clone());
        }
        FileType::Opus => {
            let file: OpusFile = open(reader, options)?;
            fields.vorbis(file.vorbis_comments());
            *format = format_of("opus", *file.properties());
        }
        FileType::Vorbis => {
            let file: VorbisFile = open(reader, options)?;
            fields.vorbis(file.vorbis_comments());
            *format = format_of("vorbis", *file.properties());
        }
        FileType::Wav => {
            let file: WavFile = open(reader, options)?;
            file.id3v2().into_iter().for_each(|tag| fields.id3v2(tag));
            file.riff_info()
                .into_iter()
                .for_each(|tag| fields.riff(tag));
            *format = format_of("wav", *file.properties());
        }
        FileType::Aiff => {
            let file: AiffFile = open(reader, options)?;
            file.id3v2().into_iter().for_each(|tag| fields.id3v2(tag));
            file.text_chunks()
                .into_iter()
                .for_each(|tag| fields.aiff(tag));
            *format = format_of("aiff", file.properties().clone());
        }
        _ => return Ok(None),
    }
    Ok(Some(content))
}

fn mpeg_codec(file: &MpegFile) -> &'static str {
    match file.properties().layer() {
        Layer::Layer1 => "mp1",
        Layer::Layer2 => "mp2",
        Layer::Layer3 => "mp3",
    }
}

fn mp4_codec(file: &Mp4File) -> &'static str {
    match file.properties().codec() {
        Some(Mp4Codec::ALAC) => "alac",
        Some(Mp4Codec::MP3) => "mp3",
        Some(Mp4Codec::FLAC) => "flac",
        _ => "aac",
    }
}

fn open<T: AudioFile>(
    reader: &mut BufReader<File>,
    options: ParseOptions,
) -> Result<T, FileParseError> {
    reader.rewind()?;
    T::read_from(reader, options)
}

fn format_of(codec: &str, properties: impl Into<FileProperties>) -> Option<AudioFormat> {
    let properties = properties.into();
    let duration = properties.duration();
    let channels = properties.channels().filter(|&channels| channels > 0)?;
    if duration.is_zero() {
        return None;
    }
    Some(AudioFormat {
        codec: codec.into(),
        sample_rate: SampleRate::new(properties.sample_rate()?)?,
        channels: channels.into(),
        bitrate_kbps: properties
            .audio_bitrate()
            .or(properties.overall_bitrate())
            .filter(|&rate| rate > 0),
        duration: Secs(duration.as_secs_f64()),
    })
}

fn tags_of(fields: &Fields) -> Tags {
    let text = |field| first(fields, field, tags_values::text).map(Text::from);
    let by_writer = fields
        .popularimeters
        .iter()
        .find_map(|(writer, value)| tags_values::popularimeter(writer, *value));
    Tags {
        title: text(Field::Title),
        artist: text(Field::Artist),
        album: text(Field::Album),
        genre: text(Field::Genre),
        comment: first(fields, Field::Comment, tags_values::comment).map(Text::from),
        label: text(Field::Label),
        remixer: text(Field::Remixer),
        composer: text(Field::Composer),
        year: first(fields, Field::Year, tags_values::year),
        track_number: first(fields, Field::TrackNumber, tags_values::track_number),
        rating: by_writer.or_else(|| first(fields, Field::Rating, tags_values::rating)),
        bpm: best_bpm(fields),
        key: text(Field::Key),
        has_art: !fields.pictures.is_empty(),
    }
}

/// The first text of `field` that `parse` accepts.
fn first<T>(fields: &Fields, field: Field, parse: fn(&str) -> Option<T>) -> Option<T> {
    all(fields, field, parse).next()
}

fn all<T>(fields: &Fields, field: Field, parse: fn(&str) -> Option<T>) -> impl Iterator<Item = T> {
    fields
        .texts
        .iter()
        .filter(move |(found, _)| *found == field)
        .filter_map(move |(_, text)| parse(text))
}

/// Some tags hold the tempo twice, once rounded to a whole number: the exact one is taken.
fn best_bpm(fields: &Fields) -> Option<f64> {
    let first = first(fields, Field::Bpm, tags_values::bpm)?;
    all(fields, Field::Bpm, tags_values::bpm)
        .find(|bpm| first.fract() == 0.0 && bpm.fract() != 0.0 && (bpm - first).abs() <= 1.0)
        .or(Some(first))
}

fn unsupported() -> Failure {
    Failure {
        kind: FailureKind::Unsupported,
        message: "this is not a sound file of a kind that we know".to_owned(),
        remedy: "Convert it to FLAC, WAV or MP3 and import that".to_owned(),
        attempts: 1,
        retry_at: None,
    }
}

fn damaged(message: &str) -> Failure {
    Failure {
        kind: FailureKind::Damaged,
        message: message.to_owned(),
        remedy: "Write its tags anew in a tag editor, or get the file again".to_owned(),
        attempts: 1,
        retry_at: None,
    }
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
