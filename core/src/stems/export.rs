//! Stems out of the library, as files that any program reads: all four or none, over others only when asked to.

mod draft;

use super::{Stem, StemFiles};
use crate::audio::flac::{Depth, FlacWriter};
use crate::audio::{AudioError, Decoder};
use crate::control::{Cancelled, Control};
use crate::failure::Failure;
use draft::Draft;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

/// Steps of full scale in the library's files, once their gain is applied.
const STEPS: f32 = 32_768.0;
/// Bytes of a WAV before its samples, with what 32-bit floats need.
const HEADER: usize = 58;
/// The most that the format says of the bytes after its first eight.
const LONGEST_WAV: u64 = u32::MAX as u64 - HEADER as u64;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 16 bits; 20 where a stem is louder than full scale, all four quieter then.
    Flac,
    /// 32-bit floats, as loud as in the mix.
    Wav,
}

impl Format {
    pub fn extension(self) -> &'static str {
        match self {
            Self::Flac => "flac",
            Self::Wav => "wav",
        }
    }
}

/// What becomes of other files with the names of ours. Those that hold the very same bytes stay in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They stay, and nothing is written.
    Keep,
    Replace,
}

/// What came of one of the four files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Written,
    /// The same bytes were there.
    AlreadyThere,
    /// Another file was there.
    Replaced,
}

/// What there is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// In the order of [`Stem::ALL`].
    pub paths: [PathBuf; 4],
    pub outcomes: [Outcome; 4],
    /// What the samples of all four are multiplied by to be as loud as in the mix: 1 but where they did not fit.
    pub gain: f32,
}

/// Why not all was written: then nothing is, but for [`Self::NotPutBack`].
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error("another file is there already and stays as it is: --overwrite replaces it, --out names another folder\nFile: {}", path.display())]
    Taken { path: PathBuf },
    #[error("this is no file, and cannot be replaced\nPath: {}", path.display())]
    NoFile { path: PathBuf },
    #[error("cannot write: {}\nFile: {}", Failure::words_of_writing(error), path.display())]
    Write { error: io::Error, path: PathBuf },
    /// Not all could be written, and one that was replaced could not be put back.
    #[error("cannot write: {error}; what was there before is kept: move it back\nFile: {}\nKept as: {}", path.display(), kept.display())]
    NotPutBack {
        error: io::Error,
        path: PathBuf,
        kept: PathBuf,
    },
    #[error("the stems in the library cannot be read: {error}\nFile: {}", path.display())]
    Read { error: AudioError, path: PathBuf },
    /// What is stored of a stem is not what was made.
    #[error("the stems in the library are damaged: {reason}\nFile: {}", path.display())]
    Damaged { reason: String, path: PathBuf },
    #[error("this is too long for WAV: use FLAC")]
    TooLong,
}

impl ExportError {
    /// Whether the stems have to be made again before they can be written.
    pub fn is_of_the_library(&self) -> bool {
        match self {
            Self::Read { .. } | Self::Damaged { .. } => true,
            Self::Cancelled(_)
            | Self::Taken { .. }
            | Self::NoFile { .. }
            | Self::Write { .. }
            | Self::NotPutBack { .. }
            | Self::TooLong => false,
        }
    }
}

/// What the four files in `folder` are called, in the order of [`Stem::ALL`].
pub fn paths(folder: &Path, format: Format) -> [PathBuf; 4] {
    Stem::ALL.map(|stem| folder.join(format!("{stem}.{}", format.extension())))
}

/// Writes all four into `folder`, which is made when it is not there.
pub fn export(
    files: &StemFiles,
    folder: &Path,
    (format, others): (Format, Others),
    control: &Control,
) -> Result<Exported, ExportError> {
    let paths = paths(folder, format);
    if format == Format::Wav && files.frames.saturating_mul(8) > LONGEST_WAV {
        return Err(ExportError::TooLong);
    }
    for path in &paths {
        if fs::symlink_metadata(path).is_ok() && !fs::metadata(path).is_ok_and(|it| it.is_file()) {
            let path = path.clone();
            return Err(match others {
                Others::Keep => ExportError::Taken { path },
                Others::Replace => ExportError::NoFile { path },
            });
        }
        // Told before the work, where that is certain.
        let is_longer_or_shorter = |there: fs::Metadata| there.len() != wav_length(files);
        if (format, others) == (Format::Wav, Others::Keep)
            && fs::metadata(path).is_ok_and(is_longer_or_shorter)
        {
            return Err(ExportError::Taken { path: path.clone() });
        }
    }
    let scale = match format {
        Format::Wav => Scale::Floats,
        Format::Flac => Scale::fitting(files, control)?,
    };
    let draft = Draft::beside(folder)?;
    let mut outcomes = [Outcome::Written; 4];
    for ((from, path), outcome) in files.paths.iter().zip(&paths).zip(&mut outcomes) {
        let to = draft.folder.join(path.file_name().unwrap_or_default());
        write(files, from, &to, (scale, control))?;
        if fs::symlink_metadata(path).is_ok() {
            *outcome = match (are_equal(&to, path)?, others) {
                (true, _) => Outcome::AlreadyThere,
                (false, Others::Replace) => Outcome::Replaced,
                (false, Others::Keep) => return Err(ExportError::Taken { path: path.clone() }),
            };
        }
    }
    draft.move_to(folder, &paths, outcomes)?;
    let gain = match scale {
        Scale::Floats | Scale::Whole => 1.0,
        Scale::Quieter(halvings) => 2.0_f32.powi(halvings as i32),
    };
    Ok(Exported {
        paths,
        outcomes,
        gain,
    })
}

/// Whether `path` holds the very bytes of `ours`. What cannot be read is another file.
fn are_equal(ours: &Path, path: &Path) -> Result<bool, ExportError> {
    let failed = |error| ExportError::Write {
        error,
        path: ours.to_path_buf(),
    };
    let mine = File::open(ours).map_err(failed)?;
    let Ok(theirs) = File::open(path) else {
        return Ok(false);
    };
    let length = |file: &File| file.metadata().map(|it| it.len()).ok();
    if length(&mine) != length(&theirs) {
        return Ok(false);
    }
    let (mut mine, mut theirs) = (BufReader::new(mine), BufReader::new(theirs));
    loop {
        let left = mine.fill_buf().map_err(failed)?;
        let Ok(right) = theirs.fill_buf() else {
            return Ok(false);
        };
        let count = left.len().min(right.len());
        if count == 0 {
            return Ok(left.len() == right.len());
        }
        if left.get(..count) != right.get(..count) {
            return Ok(false);
        }
        mine.consume(count);
        theirs.consume(count);
    }
}

/// How samples become numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Floats,
    /// Steps of 16 bits as they are.
    Whole,
    /// Steps of 20 bits, halved so often: nothing is lost, for there are 16 of them to each step.
    Quieter(u32),
}

impl Scale {
    /// The loudest that fits all four.
    fn fitting(files: &StemFiles, control: &Control) -> Result<Self, ExportError> {
        let mut most = 0.0_f32;
        for path in &files.paths {
            each_block((files, path), control, |block| {
                most = block
                    .iter()
                    .fold(most, |most, sample| most.max(sample.abs()));
                Ok(())
            })?;
        }
        let most = most * files.gain;
        let halvings = (0..=4).find(|&halvings| most <= 2.0_f32.powi(halvings) - 1.0 / STEPS);
        Ok(match halvings {
            Some(0) => Self::Whole,
            Some(halvings) => Self::Quieter(halvings.unsigned_abs()),
            None => Self::Quieter(4),
        })
    }
}

/// All of one stored stem. It fails where that is not whole, at its end at the latest.
fn each_block(
    (files, path): (&StemFiles, &Path),
    control: &Control,
    mut visit: impl FnMut(&[f32]) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let failed = |error| ExportError::Read {
        error,
        path: path.to_path_buf(),
    };
    let damaged = |reason| {
        Err(ExportError::Damaged {
            reason,
            path: path.to_path_buf(),
        })
    };
    let mut decoder = Decoder::open(path).map_err(failed)?;
    let format = decoder.format();
    if (format.sample_rate, format.channels) != (files.rate, 2) {
        return damaged("it is another kind of sound".to_owned());
    }
    let mut block = Vec::new();
    let mut frames = 0;
    while decoder.next_block(&mut block).map_err(failed)?.is_some() {
        control.check()?;
        frames += block.len() as u64 / 2;
        // A file that goes on for ever is not read to its end.
        if frames > files.frames || decoder.damage().skipped_packets > 0 {
            break;
        }
        visit(&block)?;
    }
    let damage = decoder.damage();
    if damage.skipped_packets > 0 {
        return damaged("a piece of it cannot be decoded".to_owned());
    }
    if frames != files.frames {
        return damaged(format!("{frames} frames in the place of {}", files.frames));
    }
    Ok(())
}

fn write(
    files: &StemFiles,
    from: &Path,
    to: &Path,
    (scale, control): (Scale, &Control),
) -> Result<(), ExportError> {
    let failed = |error| ExportError::Write {
        error,
        path: to.to_path_buf(),
    };
    let mut out = BufWriter::new(File::create_new(to).map_err(failed)?);
    let (depth, factor) = match scale {
        Scale::Floats => {
            write_wav(files, from, &mut out, control)?;
            return out.get_ref().sync_all().map_err(failed);
        }
        Scale::Whole => (Depth::Bits16, STEPS),
        Scale::Quieter(halvings) => (Depth::Bits20, STEPS * 16.0 / 2.0_f32.powi(halvings as i32)),
    };
    let mut flac = FlacWriter::new(out, files.rate, depth).map_err(failed)?;
    let mut steps = Vec::new();
    each_block((files, from), control, |block| {
        steps.clear();
        let frames = block.as_chunks::<2>().0;
        steps.extend(
            frames
                .iter()
                .map(|frame| frame.map(|it| (it * files.gain * factor).round() as i32)),
        );
        flac.push(&steps).map_err(failed)
    })?;
    let file = flac
        .finish()
        .and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error));
    file.and_then(|file| file.sync_all()).map_err(failed)
}

fn write_wav(
    files: &StemFiles,
    from: &Path,
    out: &mut (impl Write + Seek),
    control: &Control,
) -> Result<(), ExportError> {
    let failed = |error| ExportError::Write {
        error,
        path: from.with_extension("wav"),
    };
    out.write_all(&wav_header(files)).map_err(failed)?;
    each_block((files, from), control, |block| {
        let bytes: Vec<u8> = block
            .iter()
            .flat_map(|sample| (sample * files.gain).to_le_bytes())
            .collect();
        out.write_all(&bytes).map_err(failed)
    })?;
    out.flush().map_err(failed)
}

/// Bytes of each file.
fn wav_length(files: &StemFiles) -> u64 {
    files.frames.saturating_mul(8).saturating_add(HEADER as u64)
}

/// RIFF with `fmt ` of floats and the `fact` that such need.
fn wav_header(files: &StemFiles) -> [u8; HEADER] {
    let bytes = (files.frames * 8) as u32;
    let hz = files.rate.hz();
    let mut header = [0; HEADER];
    let fields: [(usize, &[u8]); 17] = [
        (0, b"RIFF"),
        (4, &(bytes + HEADER as u32 - 8).to_le_bytes()),
        (8, b"WAVE"),
        (12, b"fmt "),
        (16, &18_u32.to_le_bytes()),
        (20, &3_u16.to_le_bytes()),
        (22, &2_u16.to_le_bytes()),
        (24, &hz.to_le_bytes()),
        (28, &(hz * 8).to_le_bytes()),
        (32, &8_u16.to_le_bytes()),
        (34, &32_u16.to_le_bytes()),
        (36, &0_u16.to_le_bytes()),
        (38, b"fact"),
        (42, &4_u32.to_le_bytes()),
        (46, &(files.frames as u32).to_le_bytes()),
        (50, b"data"),
        (54, &bytes.to_le_bytes()),
    ];
    for (at, value) in fields {
        for (to, from) in header.iter_mut().skip(at).zip(value) {
            *to = *from;
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SampleRate;

    #[test]
    fn what_cannot_be_read_is_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, path) = (dir.path().join("ours"), dir.path().join("path"));
        fs::write(&ours, b"12").unwrap();
        assert!(!are_equal(&ours, &path).unwrap(), "it cannot be opened");
        for (bytes, equal) in [(b"12".as_slice(), true), (b"13", false), (b"1", false)] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(are_equal(&ours, &path).unwrap(), equal, "{bytes:?}");
        }
        are_equal(&dir.path().join("gone"), &path).unwrap_err();
    }

    #[test]
    fn a_wav_of_another_length_is_told_before_any_work() {
        let dir = tempfile::tempdir().unwrap();
        let files = StemFiles {
            // Work would end with these.
            paths: ["1", "2", "3", "4"].map(|name| dir.path().join(name)),
            gain: 1.0,
            frames: 10,
            rate: SampleRate::new(44_100).unwrap(),
        };
        let bass = dir.path().join("bass.wav");
        let attempt = |bytes: usize, others| {
            fs::write(&bass, vec![0; bytes]).unwrap();
            export(
                &files,
                dir.path(),
                (Format::Wav, others),
                &Control::default(),
            )
            .unwrap_err()
        };
        for bytes in [0, 137, 139] {
            let error = attempt(bytes, Others::Keep);
            assert!(
                matches!(&error, ExportError::Taken { path } if *path == bass),
                "{bytes}: {error}"
            );
        }
        for (bytes, others) in [(138, Others::Keep), (137, Others::Replace)] {
            let error = attempt(bytes, others);
            assert!(
                matches!(error, ExportError::Read { .. }),
                "{bytes}: {error}"
            );
        }
    }
}
