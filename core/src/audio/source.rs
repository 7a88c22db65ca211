//! Opening a file: which container and codec its content is, which track is the sound, and which stretch of
//! what the decoder gives is meant to be heard.

use super::error::AudioError;
use super::mp4::{self, Movie, SoundTrack};
use super::unfinished;
use crate::track::AudioFormat;
use crate::units::{Frame, SampleRate, Secs};
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::LazyLock;
use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known as codec;
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::codecs::{CodecParameters, audio::CODEC_ID_NULL_AUDIO};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

/// Rates that a real recording can have.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=768_000;
const MAX_CHANNELS: usize = 32;

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    codecs
});

/// How a codec's packets are to be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// MPEG audio: packets carry nothing to trim by but their time.
    Mpeg,
    /// The decoder itself cuts what packets tell it to cut.
    Vorbis,
    Opus,
    Aac,
    /// Every packet stands alone.
    Lossless,
}

impl Family {
    fn of(codec: AudioCodecId) -> Self {
        match codec {
            codec::CODEC_ID_MP1 | codec::CODEC_ID_MP2 | codec::CODEC_ID_MP3 => Self::Mpeg,
            codec::CODEC_ID_VORBIS => Self::Vorbis,
            codec::CODEC_ID_OPUS => Self::Opus,
            codec::CODEC_ID_AAC => Self::Aac,
            _ => Self::Lossless,
        }
    }

    /// Frames to decode before a place for the decoder to be in the state it would have there.
    pub(super) fn pre_roll(self) -> u64 {
        match self {
            // The bit reservoir reaches back 511 bytes: ten frames at the lowest rates.
            Self::Mpeg => 11_520,
            Self::Vorbis => 16_384,
            // Opus predicts band energies from frame to frame and forgets by halves: 2 s until no bit differs.
            Self::Opus => 96_000,
            Self::Aac => 4_608,
            Self::Lossless => 0,
        }
    }
}

/// The stretch that is meant to be heard, in frames as decoded, counted from the first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Presented {
    pub(super) start: u64,
    pub(super) end: Option<u64>,
    /// The end is a header's claim, to be dropped when much more follows.
    pub(super) end_is_claim: bool,
}

/// An open file.
pub(super) struct Source {
    pub(super) reader: Box<dyn FormatReader>,
    pub(super) decoder: Box<dyn AudioDecoder>,
    pub(super) track_id: u32,
    pub(super) family: Family,
    pub(super) format: AudioFormat,
    pub(super) presented: Presented,
    /// Time stamps count frames, so that the container can be asked for one.
    pub(super) stamps_are_frames: bool,
    /// Frames that the container promises; `None` where it only guesses.
    pub(super) promised: Option<u64>,
    /// Of the file, without a tag in front.
    pub(super) bytes: u64,
    /// Written as a stream: the length was not known, and the file ends where it ends.
    pub(super) open_ended: bool,
}

pub(super) fn open(path: &Path) -> Result<Source, AudioError> {
    let mut file = File::open(path)?;
    let facts = file.metadata()?;
    if facts.is_dir() {
        return Err(AudioError::NotAudio);
    }
    if facts.len() == 0 {
        return Err(AudioError::NoBytes);
    }
    let movie = mp4::read_movie(&mut file)?;
    if let Some(movie) = &movie {
        refuse_hopeless(movie, facts.len())?;
    }
    let tag_bytes = unfinished::tag_bytes(&mut file)?;
    io::Seek::rewind(&mut file)?;
    let reader = probe(file).map_err(|error| match error {
        AudioError::NotAudio if unfinished::ends_before_sound(path) => AudioError::CutOff,
        other => other,
    })?;
    let track = choose_track(reader.as_ref(), movie.as_ref())?;
    let sound = movie
        .as_ref()
        .and_then(|movie| movie.sound.iter().find(|sound| sound.id == track.id));
    let mut source = build(&track, sound.copied(), reader, facts.len())?;
    source.bytes = source.bytes.saturating_sub(tag_bytes);
    Ok(source)
}

fn refuse_hopeless(movie: &Movie, file_bytes: u64) -> Result<(), AudioError> {
    if movie.sound.is_empty() && movie.has_video {
        return Err(AudioError::NoAudioTrack);
    }
    if !movie.sound.is_empty() && movie.sound.iter().all(|sound| sound.encrypted) {
        return Err(AudioError::Encrypted);
    }
    if movie
        .sound
        .iter()
        .any(|sound| sound.largest_packet > file_bytes)
    {
        return Err(AudioError::Damaged(
            "a packet is larger than the file".to_owned(),
        ));
    }
    Ok(())
}

fn probe(file: File) -> Result<Box<dyn FormatReader>, AudioError> {
    let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
    symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| match error {
            SymphoniaError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                AudioError::from(error)
            }
            SymphoniaError::DecodeError(detail) | SymphoniaError::LimitError(detail) => {
                AudioError::Damaged(detail.to_owned())
            }
            _ => AudioError::NotAudio,
        })
}

fn choose_track(reader: &dyn FormatReader, movie: Option<&Movie>) -> Result<Track, AudioError> {
    let playable = |track: &&Track| {
        matches!(&track.codec_params, Some(CodecParameters::Audio(params))
            if params.codec != CODEC_ID_NULL_AUDIO)
    };
    if let Some(track) = reader
        .default_track(TrackType::Audio)
        .filter(playable)
        .or_else(|| reader.tracks().iter().find(playable))
    {
        return Ok(track.clone());
    }
    let has_sound = movie.is_some_and(|movie| !movie.sound.is_empty())
        || reader.first_track(TrackType::Audio).is_some();
    Err(if has_sound {
        AudioError::Unsupported("The codec of this file".to_owned())
    } else {
        AudioError::NoAudioTrack
    })
}

fn build(
    track: &Track,
    sound: Option<SoundTrack>,
    reader: Box<dyn FormatReader>,
    file_bytes: u64,
) -> Result<Source, AudioError> {
    let Some(CodecParameters::Audio(params)) = &track.codec_params else {
        return Err(AudioError::NoAudioTrack);
    };
    let family = Family::of(params.codec);
    let decoder = make_decoder(params, family)?;
    let decoded = decoder.codec_params();
    let rate = decoded.sample_rate.or(params.sample_rate).unwrap_or(0);
    let rate = SampleRate::new(rate)
        .filter(|rate| RATES.contains(&rate.hz()))
        .ok_or_else(|| AudioError::Unsupported(format!("A sample rate of {rate} Hz")))?;
    let channels = decoded.channels.as_ref().or(params.channels.as_ref());
    let channels = channels.map_or(0, Channels::count);
    if channels == 0 || channels > MAX_CHANNELS {
        return Err(AudioError::Unsupported(format!(
            "Sound with {channels} channels"
        )));
    }
    if family == Family::Aac {
        refuse_he_aac(params, sound.as_ref(), rate)?;
    }
    let presented = presented(track, sound, family, rate);
    let codec = codec_name(params, reader.as_ref(), decoder.as_ref());
    let open_ended = codec == "wav" && is_open_ended(track.num_frames, channels, params);
    let is_bare = reader.format_info().short_name == "aac";
    let promised = promised_frames(track, presented, (family, is_bare)).filter(|_| !open_ended);
    let frames = promised
        .or(track.num_frames)
        .filter(|_| !open_ended)
        .unwrap_or(0);
    let duration = rate.secs_from_frame(Frame(frames));
    let format = AudioFormat {
        codec: codec.into(),
        sample_rate: rate,
        channels: channels as u16,
        bitrate_kbps: bitrate_kbps(file_bytes, duration),
        duration,
    };
    let stamps_are_frames = track
        .time_base
        .is_some_and(|base| base.numer.get() == 1 && base.denom.get() == rate.hz());
    Ok(Source {
        track_id: track.id,
        family,
        format,
        presented,
        stamps_are_frames,
        promised,
        bytes: file_bytes,
        open_ended,
        decoder,
        reader,
    })
}

/// Whether a WAV claims no length, or all that its 32 bits can hold, as programs do that write to a pipe.
fn is_open_ended(frames: Option<u64>, channels: usize, params: &AudioCodecParameters) -> bool {
    let frame_bytes = u64::from(params.bits_per_sample.unwrap_or(16)).div_ceil(8) * channels as u64;
    frames.is_none_or(|frames| frames.saturating_mul(frame_bytes) > u64::from(u32::MAX) - (1 << 20))
}

pub(super) fn make_decoder(
    params: &AudioCodecParameters,
    family: Family,
) -> Result<Box<dyn AudioDecoder>, AudioError> {
    let mut params = params.clone();
    // The adapter would cut the pre-skip from the first packet that it decodes, wherever that is, and no
    // more than that packet holds. We cut by time instead.
    if family == Family::Opus
        && let Some(head) = &mut params.extra_data
        && let Some(pre_skip) = head.get_mut(10..12)
    {
        pre_skip.fill(0);
    }
    // MPEG and Opus are cut by us: a header's claim must not make music inaudible.
    let options = AudioDecoderOptions::default().gapless(family == Family::Vorbis);
    CODECS
        .make_audio_decoder(&params, &options)
        .map_err(|error| match error {
            SymphoniaError::Unsupported(detail) if family == Family::Aac => {
                aac_refusal(&params, detail)
            }
            SymphoniaError::Unsupported(detail) => AudioError::Unsupported(detail.to_owned()),
            other => AudioError::Damaged(other.to_string()),
        })
}

/// The decoder takes AAC-LC in mono and stereo. Says what else this is, by its `AudioSpecificConfig`
/// (ISO/IEC 14496-3, 1.6.2.1): five bits of object type, four of rate, four of channels.
fn aac_refusal(params: &AudioCodecParameters, detail: &'static str) -> AudioError {
    let config = params.extra_data.as_deref().unwrap_or_default();
    let (first, second) = match config {
        [first, second, ..] => (*first, *second),
        _ => (0, 0),
    };
    let (object_type, channels) = (first >> 3, (second >> 3) & 0xf);
    if matches!(object_type, 5 | 29) {
        AudioError::HeAac
    } else if channels > 2 {
        AudioError::Unsupported("AAC with more than two channels".to_owned())
    } else if object_type == 2 && detail.contains("complex") {
        // AAC-LC at its core, with the extension announced behind it.
        AudioError::HeAac
    } else {
        AudioError::Unsupported(format!("This kind of AAC ({detail})"))
    }
}

/// HE-AAC that is not announced in front decodes as AAC-LC of half the rate, without its upper octave. It may be
/// announced behind the configuration, or shows in the container, which gives the full rate.
fn refuse_he_aac(
    params: &AudioCodecParameters,
    sound: Option<&SoundTrack>,
    rate: SampleRate,
) -> Result<(), AudioError> {
    let config = params.extra_data.as_deref().unwrap_or_default();
    // A sync word of eleven bits, object type 5, and a bit that says yes.
    let announced = matches!(config, [_, _, 0x56, 0xe5, flags, ..] if flags & 0x80 != 0);
    let full_rate = rate.hz().saturating_mul(2);
    let told = sound.is_some_and(|sound| {
        sound.declared_rate == full_rate
            || (sound.timescale == full_rate && sound.packet_ticks == 2_048)
    });
    if announced || told {
        Err(AudioError::HeAac)
    } else {
        Ok(())
    }
}

fn presented(
    track: &Track,
    sound: Option<SoundTrack>,
    family: Family,
    rate: SampleRate,
) -> Presented {
    if let Some(sound) = sound
        && (sound.start > 0 || sound.length.is_some())
    {
        let frames = |ticks: u64| {
            let scale = u128::from(sound.timescale);
            let frames = (u128::from(ticks) * u128::from(rate.hz()) + scale / 2) / scale;
            u64::try_from(frames).unwrap_or(u64::MAX)
        };
        return Presented {
            start: frames(sound.start),
            end: sound
                .length
                .map(|length| frames(sound.start.saturating_add(length))),
            end_is_claim: false,
        };
    }
    match (family, track.delay) {
        (Family::Mpeg, Some(delay)) => Presented {
            start: u64::from(delay),
            end: track
                .num_frames
                .map(|frames| frames.saturating_add(u64::from(delay))),
            end_is_claim: true,
        },
        (Family::Opus, Some(delay)) => Presented {
            start: u64::from(delay),
            ..Presented::default()
        },
        _ => Presented::default(),
    }
}

/// Frames that the container says will be heard.
fn promised_frames(
    track: &Track,
    presented: Presented,
    (family, is_bare): (Family, bool),
) -> Option<u64> {
    if let Some(end) = presented.end {
        return Some(end.saturating_sub(presented.start));
    }
    match family {
        // Without a tag the demuxer guesses from the bit rate.
        Family::Mpeg => None,
        Family::Opus => track
            .num_frames
            .map(|frames| frames.saturating_sub(presented.start)),
        // A bare stream is not counted but sampled.
        Family::Aac if is_bare => None,
        Family::Vorbis | Family::Aac | Family::Lossless => track.num_frames,
    }
}

fn codec_name(
    params: &AudioCodecParameters,
    reader: &dyn FormatReader,
    decoder: &dyn AudioDecoder,
) -> String {
    let name = match params.codec {
        codec::CODEC_ID_MP3 => "mp3",
        codec::CODEC_ID_AAC => "aac",
        codec::CODEC_ID_ALAC => "alac",
        codec::CODEC_ID_FLAC => "flac",
        codec::CODEC_ID_VORBIS => "vorbis",
        codec::CODEC_ID_OPUS => "opus",
        _ => match reader.format_info().short_name {
            "wave" => "wav",
            "aiff" => "aiff",
            _ => decoder.codec_info().short_name,
        },
    };
    name.to_owned()
}

/// Average over the file, tags included: near enough until the packets have been counted.
fn bitrate_kbps(file_bytes: u64, duration: Secs) -> Option<u32> {
    let kbps = file_bytes as f64 * 8.0 / 1000.0 / duration.0;
    (kbps.is_finite() && (1.0..1e6).contains(&kbps)).then_some(kbps.round() as u32)
}

/// Runs foreign code on a file's bytes. Some readers panic on headers that make no sense (arithmetic overflow, in
/// builds that check for it): that is damage of the file, and none of the program.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| {
        Err(AudioError::Damaged(
            "its structure makes no sense".to_owned(),
        ))
    })
}
