//! Writes a piece as files: the sound, its tags and cover, and the truth beside it.

use super::stereo::RATE;
use super::{Codec, Piece, Score, Stereo};
use lofty::TextEncoding;
use lofty::config::WriteOptions;
use lofty::file::{AudioFile as _, TaggedFileExt as _};
use lofty::id3::v2::{AttachedPictureFrame, Frame, Id3v2Tag};
use lofty::picture::{MimeType, Picture, PictureType};
use lofty::tag::{Accessor, Tag, TagExt as _, TagType};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a piece was not written.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
    #[error("cannot write the sound: {0}")]
    Wav(#[from] hound::Error),
    #[error("cannot draw the cover: {0}")]
    Cover(#[from] png::EncodingError),
    #[error("cannot read what was encoded: {0}")]
    Parse(#[from] lofty::error::FileParseError),
    #[error("cannot write tags: {0}")]
    Tags(#[from] lofty::error::FileEncodingError),
    #[error("ffmpeg did not encode\n{said}")]
    Encode { said: String },
}

/// Writes `<name>.wav` only.
pub fn write_wav(score: &Score, sound: &Stereo, folder: &Path) -> Result<PathBuf, PublishError> {
    let path = folder.join(format!("{}.wav", score.name));
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec)?;
    for sample in sound.0.as_flattened() {
        writer.write_sample((sample * 32_767.0).round() as i16)?;
    }
    writer.finalize()?;
    Ok(path)
}

/// Writes the encoded sound with tags and cover, and `<name>.truth.json`. Without ffmpeg the sound
/// stays a WAV file. The path of the sound comes back.
pub fn publish(piece: &Piece, sound: &Stereo, folder: &Path) -> Result<PathBuf, PublishError> {
    fs::create_dir_all(folder)?;
    let wav = write_wav(&piece.score, sound, folder)?;
    let path = if has_ffmpeg() {
        let encoded = folder.join(format!("{}.{}", piece.score.name, piece.codec.extension()));
        encode(&wav, &encoded, piece.codec)?;
        fs::remove_file(&wav)?;
        encoded
    } else {
        wav
    };
    tag(piece, &path)?;
    write_truth(piece, folder, &path)?;
    Ok(path)
}

fn write_truth(piece: &Piece, folder: &Path, sound: &Path) -> Result<(), PublishError> {
    let mut truth = piece.score.truth();
    if let Some(name) = sound.file_name() {
        truth["audio"] = name.to_string_lossy().into();
    }
    let path = folder.join(format!("{}.truth.json", piece.score.name));
    fs::write(path, format!("{truth}\n"))?;
    Ok(())
}

fn has_ffmpeg() -> bool {
    Command::new("ffmpeg")
        .arg("-version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn encode(wav: &Path, path: &Path, codec: Codec) -> Result<(), PublishError> {
    let settings: &[&str] = match codec {
        Codec::Mp3 => &["-c:a", "libmp3lame", "-b:a", "192k"],
        // A little quieter and darker: this encoder lets peaks grow by two decibels otherwise.
        Codec::Aac => &[
            "-af",
            "volume=-0.9dB",
            "-c:a",
            "aac",
            "-b:a",
            "192k",
            "-cutoff",
            "17000",
            "-aac_pns",
            "0",
            "-movflags",
            "+faststart",
        ],
        Codec::Vorbis => &["-c:a", "libvorbis", "-q:a", "6"],
    };
    // Bit-exact: no dates, no versions, no random serial numbers.
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-i"])
        .arg(wav)
        .args(["-map_metadata", "-1"])
        .args(settings)
        .args(["-fflags", "+bitexact", "-flags:a", "+bitexact"])
        .arg(path)
        .output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(PublishError::Encode {
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

fn tag(piece: &Piece, path: &Path) -> Result<(), PublishError> {
    let cover = Picture::unchecked(piece.cover()?)
        .pic_type(PictureType::CoverFront)
        .mime_type(MimeType::Png)
        .build();
    let mut file = lofty::read_from_path(path)?;
    let kind = file.primary_tag_type();
    if kind == TagType::Id3v2 {
        // Made frame by frame: the general tag below would put them in another order each time.
        let mut tag = Id3v2Tag::new();
        describe(piece, &mut tag);
        tag.insert(Frame::Picture(AttachedPictureFrame::new(
            TextEncoding::UTF8,
            cover,
        )));
        tag.save_to_path(path, WriteOptions::default())?;
    } else {
        let mut tag = Tag::new(kind);
        describe(piece, &mut tag);
        tag.push_picture(cover);
        file.insert_tag(tag);
        file.save_to_path(path, WriteOptions::default())?;
    }
    Ok(())
}

fn describe(piece: &Piece, tag: &mut impl Accessor) {
    tag.set_title(piece.score.title.to_owned());
    tag.set_artist("Tonearm".to_owned());
    tag.set_album("Demo".to_owned());
    tag.set_genre(piece.score.genre.to_owned());
    tag.set_comment("Made by code for Tonearm. CC0.".to_owned());
}
