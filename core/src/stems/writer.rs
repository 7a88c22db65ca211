//! Stems on their way to the disk: four sounds in, four FLAC files and their waveforms out, whole or not at all.

use super::{GAIN, SetKey, Stem, StemSet, folder, shelf};
use crate::artifact::Maker;
use crate::audio::Peaks;
use crate::audio::flac::{Depth, FlacWriter};
use crate::control::{Cancelled, Control};
use crate::failure::{Failure, FailureKind};
use crate::track::TrackId;
use crate::units::SampleRate;
use crate::waveform;
use jiff::Timestamp;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

/// Steps of full scale: those of 16 bits, in files of 20.
const STEPS: f32 = 32_768.0;
/// Ends the names of folders in the making. Whatever carries it may be deleted.
pub(crate) const UNFINISHED: &str = "unfinished";
/// What a residual of nothing is said to be, in dB: below any that can be heard or measured.
const EXACT_DB: f64 = -150.0;
/// Frames that are read and written at a time.
const PIECE: usize = 16_384;
/// Frames after which what was written of one of the four is put onto the disk, one after the other: ten seconds, so that
/// a slow disk has little left to do at the end, when nobody can stop it.
const SYNC_EVERY: u64 = 441_000;
/// Bytes that wait for the disk, per file.
const BUFFER: usize = 1 << 18;

/// Why no stems were stored. Nothing of them is left.
#[derive(Debug, thiserror::Error)]
pub enum StemError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error("the stems cannot be written: {error}\nFile: {}", path.display())]
    Write { error: io::Error, path: PathBuf },
    /// What a separator gave is not to be read, or not what it promised.
    #[error("the separated sound cannot be used: {0}")]
    Source(String),
}

impl StemError {
    fn write(error: io::Error, path: &Path) -> Self {
        let path = path.to_path_buf();
        Self::Write { error, path }
    }

    /// For the track's record; `None` when the job was only stopped.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Cancelled(_) => None,
            Self::Write { .. } => Some(Failure::new(
                FailureKind::Storage,
                self.to_string(),
                "Make room on the drive that holds the library, check that it may be written to, then try again",
            )),
            Self::Source(_) => Some(Failure::new(
                FailureKind::Bug,
                self.to_string(),
                "Please report it with the file, if you may; try again after an update",
            )),
        }
    }
}

/// Takes the four stems piece by piece, in step, in memory that does not grow with the sound but for its waveforms
/// (7 kB a second).
///
/// Dropped before [`Self::finish`], it leaves nothing; killed, a folder that says by its name that it is unfinished.
#[derive(Debug)]
pub struct StemWriter {
    key: SetKey,
    rate: SampleRate,
    unfinished: PathBuf,
    whole: PathBuf,
    /// One for each of [`Stem::ALL`]; none once it is finished.
    lanes: Vec<Lane>,
    frames: u64,
    residual: Residual,
    steps: [Vec<[i32; 2]>; 4],
    is_whole: bool,
}

/// One stem on its way.
#[derive(Debug)]
struct Lane {
    path: PathBuf,
    flac: FlacWriter<BufWriter<File>>,
    peaks: Peaks,
    mono: Vec<f32>,
}

impl StemWriter {
    /// Makes a folder for a new set of this track in `library`, beside the one that is there.
    pub fn create(library: &Path, track: TrackId, rate: SampleRate) -> Result<Self, StemError> {
        let shelf = shelf(library, track);
        let random = || getrandom::u32().map_err(io::Error::other);
        let key = SetKey(random().map_err(|error| StemError::write(error, &shelf))?);
        let whole = folder(library, track, key);
        let unfinished = shelf.join(format!("{track}.{:08x}.{UNFINISHED}", key.0));
        fs::create_dir_all(&unfinished).map_err(|error| StemError::write(error, &unfinished))?;
        let mut writer = Self {
            key,
            rate,
            unfinished,
            whole,
            lanes: Vec::with_capacity(Stem::ALL.len()),
            frames: 0,
            residual: Residual::default(),
            steps: Default::default(),
            is_whole: false,
        };
        for stem in Stem::ALL {
            let lane = Lane::open(writer.unfinished.join(stem.file_name()), rate)?;
            writer.lanes.push(lane);
        }
        Ok(writer)
    }

    /// The next frames of all four, interleaved stereo, in the order of [`Stem::ALL`]; and of the mix, when the distance
    /// to it is to be measured: then with every piece.
    ///
    /// Samples that are no numbers count as silence.
    pub fn push(&mut self, stems: [&[f32]; 4], mix: Option<&[f32]>) -> Result<(), StemError> {
        let samples = stems[0].len();
        let is_even = samples.is_multiple_of(2) && stems.iter().all(|stem| stem.len() == samples);
        if !is_even || mix.is_some_and(|mix| mix.len() != samples) {
            return Err(StemError::Source(
                "the stems are not equally long".to_owned(),
            ));
        }
        let frames = samples / 2;
        into_steps(stems.map(|stem| stem.as_chunks::<2>().0), &mut self.steps);
        if let Some(mix) = mix {
            self.residual.add(mix.as_chunks::<2>().0, &self.steps);
        }
        for (lane, steps) in self.lanes.iter_mut().zip(&self.steps) {
            lane.push(steps)?;
        }
        let before = self.frames / SYNC_EVERY;
        self.frames += frames as u64;
        let after = self.frames / SYNC_EVERY;
        if after > before
            && let Some(lane) = self.lanes.get((after % Stem::ALL.len() as u64) as usize)
        {
            lane.sync()?;
        }
        Ok(())
    }

    /// Takes everything from raw files of 32-bit floats, little-endian, interleaved stereo, as separators write them.
    pub fn take(
        &mut self,
        mut stems: [&mut dyn Read; 4],
        mut mix: Option<&mut dyn Read>,
        control: &Control,
    ) -> Result<(), StemError> {
        let mut pieces: [Vec<f32>; 5] = Default::default();
        loop {
            control.check()?;
            for (stem, piece) in stems.iter_mut().zip(&mut pieces) {
                read_piece(stem, piece)?;
            }
            if let Some(mix) = &mut mix {
                read_piece(mix, &mut pieces[4])?;
            }
            let [drums, bass, other, vocals, whole] = &pieces;
            self.push(
                [drums, bass, other, vocals],
                mix.is_some().then_some(whole.as_slice()),
            )?;
            if drums.len() < PIECE * 2 {
                return Ok(());
            }
        }
    }

    /// Puts everything onto the disk and gives the folder its name. From then on the set is whole; it counts when the
    /// library refers to it.
    pub fn finish(
        mut self,
        maker: Maker,
        now: Timestamp,
        control: &Control,
    ) -> Result<StemSet, StemError> {
        let mut bytes = 0;
        for (lane, stem) in std::mem::take(&mut self.lanes).into_iter().zip(Stem::ALL) {
            control.check()?;
            bytes += lane.finish(&self.unfinished.join(stem.waveform_name()))?;
        }
        let in_place = sync_folder(&self.unfinished)
            .and_then(|()| fs::rename(&self.unfinished, &self.whole))
            .and_then(|()| sync_folder(self.whole.parent().unwrap_or(Path::new("."))));
        in_place.map_err(|error| StemError::write(error, &self.whole))?;
        self.is_whole = true;
        Ok(StemSet {
            key: self.key,
            maker,
            rate: self.rate,
            frames: self.frames,
            gain: GAIN,
            residual_db: self.residual.decibels(),
            bytes,
            made: now,
            used: now,
        })
    }
}

impl Drop for StemWriter {
    fn drop(&mut self) {
        if self.is_whole {
            return;
        }
        // Some systems do not let go of what is open.
        self.lanes.clear();
        for folder in [&self.unfinished, &self.whole] {
            if let Err(error) = remove_folder(folder) {
                tracing::warn!(%error, folder = %folder.display(), "unfinished stems stay behind until the next start");
            }
        }
    }
}

impl Lane {
    fn open(path: PathBuf, rate: SampleRate) -> Result<Self, StemError> {
        let flac = File::create_new(&path).and_then(|file| {
            FlacWriter::new(BufWriter::with_capacity(BUFFER, file), rate, Depth::Bits20)
        });
        Ok(Self {
            flac: flac.map_err(|error| StemError::write(error, &path))?,
            path,
            peaks: Peaks::new(rate),
            mono: Vec::new(),
        })
    }

    fn push(&mut self, steps: &[[i32; 2]]) -> Result<(), StemError> {
        let pushed = self.flac.push(steps);
        pushed.map_err(|error| StemError::write(error, &self.path))?;
        self.mono.clear();
        let halves = steps
            .iter()
            .map(|[left, right]| (left + right) as f32 * (0.5 / STEPS));
        self.mono.extend(halves);
        self.peaks.push(&self.mono);
        Ok(())
    }

    /// What the system has of the sound goes onto the disk.
    fn sync(&self) -> Result<(), StemError> {
        let synced = self.flac.out().get_ref().sync_data();
        synced.map_err(|error| StemError::write(error, &self.path))
    }

    /// Both files onto the disk; gives how long they are together.
    fn finish(self, picture: &Path) -> Result<u64, StemError> {
        let Self {
            path, flac, peaks, ..
        } = self;
        let sound = || {
            let file = flac
                .finish()?
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            Ok(file.metadata()?.len())
        };
        let sound: u64 = sound().map_err(|error| StemError::write(error, &path))?;
        let bytes = waveform::encode(&peaks.finish());
        let drawn = File::create_new(picture).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        drawn.map_err(|error| StemError::write(error, picture))?;
        Ok(sound + bytes.len() as u64)
    }
}

/// Replaces `steps` by the samples in steps. Three are rounded each by itself; the other one takes what that leaves, so
/// that the sum of the four is the rounded sum, not the sum of four roundings.
fn into_steps(stems: [&[[f32; 2]]; 4], steps: &mut [Vec<[i32; 2]>; 4]) {
    let [drums, bass, other, vocals] = stems;
    steps.iter_mut().for_each(Vec::clear);
    for (((drums, bass), other), vocals) in drums.iter().zip(bass).zip(other).zip(vocals) {
        let sides = [0, 1].map(|side| {
            let exact = [drums[side], bass[side], other[side], vocals[side]].map(sound);
            let [drums, bass, other, vocals] = exact.map(|sample| (sample * STEPS).round() as i32);
            let sum = exact.iter().map(|&sample| f64::from(sample)).sum::<f64>();
            let rest = (sum * f64::from(STEPS)).round() as i32 - drums - bass - vocals;
            // Beyond what a rounding can do, somebody's samples were out of all bounds.
            let rest = if (rest - other).abs() <= 2 {
                rest
            } else {
                other
            };
            [drums, bass, rest, vocals]
        });
        for (steps, (left, right)) in steps.iter_mut().zip(sides[0].into_iter().zip(sides[1])) {
            steps.push([left, right]);
        }
    }
}

/// What is no number is silence; nothing is louder than a file can hold.
fn sound(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-GAIN, GAIN)
    } else {
        0.0
    }
}

/// How far the stored stems are from the mix.
#[derive(Debug, Default)]
struct Residual {
    mix: f64,
    rest: f64,
    is_measured: bool,
}

impl Residual {
    fn add(&mut self, mix: &[[f32; 2]], steps: &[Vec<[i32; 2]>; 4]) {
        self.is_measured = true;
        let [drums, bass, other, vocals] = steps;
        for ((((mix, drums), bass), other), vocals) in
            mix.iter().zip(drums).zip(bass).zip(other).zip(vocals)
        {
            for side in 0..2 {
                let mix = f64::from(sound(mix[side]));
                let sum = drums[side] + bass[side] + other[side] + vocals[side];
                self.mix += mix * mix;
                self.rest += (mix - f64::from(sum) / f64::from(STEPS)).powi(2);
            }
        }
    }

    fn decibels(&self) -> Option<f32> {
        if !self.is_measured || self.mix == 0.0 {
            return None;
        }
        Some((10.0 * (self.rest / self.mix).log10()).max(EXACT_DB) as f32)
    }
}

/// Replaces `piece` by the next samples; fewer than [`PIECE`] frames only at the end.
fn read_piece(from: &mut dyn Read, piece: &mut Vec<f32>) -> Result<(), StemError> {
    let mut bytes = Vec::with_capacity(PIECE * 8);
    let read = from.take(PIECE as u64 * 8).read_to_end(&mut bytes);
    read.map_err(|error| StemError::Source(error.to_string()))?;
    let (samples, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() || !samples.len().is_multiple_of(2) {
        return Err(StemError::Source("it ends within a frame".to_owned()));
    }
    piece.clear();
    piece.extend(samples.iter().map(|sample| f32::from_le_bytes(*sample)));
    Ok(())
}

/// Makes what was created or renamed in `folder` durable, where the system needs that said.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// That it is gone already is fine.
pub(crate) fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
