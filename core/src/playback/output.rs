//! Sound devices. The only file that knows cpal.
//!
//! Everything here may block or hang, and is called on threads that may be left behind.

use super::RATE;
use super::feed::Feed;
use super::view::{Device, DeviceId};
use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Frames asked for at a time: 43 ms; two such pieces are on their way. Half of it ran dry on a machine with
/// seven times more work than it has processors. What comes may be anything; without asking, some servers take seconds.
const PERIOD: u32 = 2_048;
/// Frames of silence before the first sound of a stream, 85 ms: two pieces, which is what was seen to be lost.
const WAKING: u32 = 2 * PERIOD;
/// Frames that are turned into the device's format at a time.
const CHUNK: usize = 512;
/// Longest word that is waited for from a server when a stream is made.
const OPENING: Duration = Duration::from_secs(4);
/// Longest that a kept connection is waited for: as long as cpal waits when it makes one.
const ANSWER: Duration = Duration::from_secs(2);

/// What a device complains of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Complaint {
    /// Does not end a stream.
    Harmless,
    /// Ends it unless sound is asked for again soon: a server that has just woken up may refuse a word or two.
    Passing,
    /// It is over with this stream.
    Fatal,
}

/// An open stream, as far as others need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) name: String,
    pub(super) rate: u32,
    pub(super) channels: u16,
    pub(super) latency: Option<Duration>,
    /// From one callback to the next.
    pub(super) period: Duration,
}

/// Why no stream could be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is nothing to play on.
    Absent(String),
    /// There is, but not now.
    Broken(String),
}

/// What plays: devices, or a test's.
pub(super) trait Backend: Send + Sync + 'static {
    fn devices(&self) -> Result<Vec<Device>, String>;

    /// Plays `feed` until what it gives back is dropped.
    fn open(
        &self,
        wanted: Option<&DeviceId>,
        feed: Feed,
    ) -> Result<(Opened, Box<dyn std::any::Any>), Refusal>;
}

/// A connection to the sound system that is used again for as long as it answers.
///
/// cpal's to a sound server holds a thread and a socket that never end by themselves: one for each question, and after 64
/// the server refuses everyone on the machine.
#[derive(Default)]
struct Connection(Mutex<Option<Arc<cpal::Host>>>);

impl Connection {
    fn host(&self) -> Arc<cpal::Host> {
        // Taken out meanwhile: whoever comes while it is asked makes another and does not wait.
        let kept = self.kept().take();
        // One that answers no more has lost its server, and ended with it.
        let host = kept
            .filter(answers)
            .unwrap_or_else(|| Arc::new(cpal::default_host()));
        // Where the server is away another kind stands in for it, but not for ever.
        if is_of_a_server(host.id()) {
            *self.kept() = Some(Arc::clone(&host));
        }
        host
    }

    fn kept(&self) -> MutexGuard<'_, Option<Arc<cpal::Host>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether its server does, in time: one that hangs would keep the question for ever.
fn answers(host: &Arc<cpal::Host>) -> bool {
    let host = Arc::clone(host);
    let (say, heard) = sync_channel(1);
    let ask = move || say.send(host.output_devices().is_ok());
    let thread = std::thread::Builder::new().name("sound server".to_owned());
    thread.spawn(ask).is_ok() && heard.recv_timeout(ANSWER) == Ok(true)
}

fn is_of_a_server(host: cpal::HostId) -> bool {
    "pulseaudio".parse() == Ok(host)
}

/// The devices of this machine, asked for anew; the one that is used unless another is chosen comes first.
///
/// # Errors
///
/// Why they cannot be told. A sound server that hangs is given up.
pub fn devices() -> Result<Vec<Device>, String> {
    let (say, heard) = sync_channel(1);
    let ask = move || say.send(Machine::default().devices());
    let thread = std::thread::Builder::new().name("sound server".to_owned());
    thread.spawn(ask).map_err(|error| error.to_string())?;
    // Connecting may take as long as answering.
    heard
        .recv_timeout(2 * ANSWER)
        .unwrap_or_else(|_| Err("the sound server does not answer".to_owned()))
}

/// The machine's devices. What plays has a connection of its own, so that questions do not keep it waiting.
#[derive(Default)]
pub(super) struct Machine {
    asking: Connection,
    playing: Connection,
}

impl Backend for Machine {
    fn devices(&self) -> Result<Vec<Device>, String> {
        let host = self.asking.host();
        let default = host.default_output_device();
        let default = default.and_then(|device| device.id().ok());
        let devices = host.output_devices().map_err(|error| error.to_string())?;
        let mut found: Vec<Device> = devices
            .filter_map(|device| {
                let id = device.id().ok().filter(is_heard)?;
                Some(Device {
                    name: device.to_string(),
                    is_default: Some(&id) == default.as_ref(),
                    id: DeviceId(id.to_string()),
                })
            })
            .collect();
        found.sort_by(|a, b| {
            (!a.is_default, &a.name, &a.id.0).cmp(&(!b.is_default, &b.name, &b.id.0))
        });
        found.dedup_by(|a, b| a.id == b.id);
        Ok(found)
    }

    fn open(
        &self,
        wanted: Option<&DeviceId>,
        mut feed: Feed,
    ) -> Result<(Opened, Box<dyn std::any::Any>), Refusal> {
        let device = find(&self.playing, wanted)?;
        let (config, format) = choose(&device)?;
        feed.set_rate(config.sample_rate)
            .map_err(|error| Refusal::Broken(error.to_string()))?;
        feed.begin_with_silence(WAKING);
        let name = device.to_string();
        let stream = build_any(&device, config, format, feed)?;
        stream.play().map_err(|error| broken(&error))?;
        let frames = stream.buffer_size().unwrap_or(PERIOD);
        let period =
            Duration::from_secs_f64(f64::from(frames) / f64::from(config.sample_rate.max(1)));
        let opened = Opened {
            name,
            rate: config.sample_rate,
            channels: config.channels,
            latency: None,
            period,
        };
        Ok((opened, Box::new(stream)))
    }
}

/// ALSA has a device that swallows everything.
fn is_heard(id: &cpal::DeviceId) -> bool {
    id.to_string() != "alsa:null"
}

fn find(playing: &Connection, wanted: Option<&DeviceId>) -> Result<cpal::Device, Refusal> {
    if let Some(DeviceId(id)) = wanted {
        let parsed = id.parse::<cpal::DeviceId>().ok();
        let found = parsed.and_then(|id| {
            if !is_of_a_server(id.host()) {
                return cpal::host_from_id(id.host()).ok()?.device_by_id(&id);
            }
            let host = playing.host();
            (host.id() == id.host()).then(|| host.device_by_id(&id))?
        });
        return found.ok_or_else(|| {
            Refusal::Absent(
                "the chosen device is not there: connect it, or choose another".to_owned(),
            )
        });
    }
    let host = playing.host();
    host.default_output_device()
        // Some servers have devices and call none of them the default.
        .or_else(|| {
            let mut devices = host.output_devices().ok()?;
            devices.find(|device| device.id().is_ok_and(|id| is_heard(&id)))
        })
        .ok_or_else(|| {
            Refusal::Absent(
                "no sound device was found: connect one, or start the sound server".to_owned(),
            )
        })
}

/// Stereo floats at our rate where the device has them, else what comes nearest.
fn choose(device: &cpal::Device) -> Result<(StreamConfig, SampleFormat), Refusal> {
    let usual = device
        .default_output_config()
        .map_err(|error| broken(&error))?;
    let channels = usual.channels().max(1);
    let offers: Vec<_> = device
        .supported_output_configs()
        .map(Iterator::collect)
        .unwrap_or_default();
    let best = offers
        .iter()
        .filter(|offer| rank(offer.sample_format()).is_some())
        .max_by_key(|offer: &&cpal::SupportedStreamConfigRange| {
            (
                offer.contains_rate(RATE),
                offer.channels() == channels.max(2),
                offer.channels() >= 2,
                rank(offer.sample_format()),
                std::cmp::Reverse(offer.channels()),
            )
        });
    let (channels, rate, format) = match best {
        Some(offer) if offer.contains_rate(RATE) => (offer.channels(), RATE, offer.sample_format()),
        Some(offer) => {
            let wanted = usual.sample_rate();
            let rate = if offer.contains_rate(wanted) {
                wanted
            } else {
                offer.max_sample_rate()
            };
            (offer.channels(), rate, offer.sample_format())
        }
        None => (channels, usual.sample_rate(), usual.sample_format()),
    };
    let config = StreamConfig {
        channels,
        sample_rate: rate,
        buffer_size: BufferSize::Fixed(PERIOD),
    };
    Ok((config, format))
}

/// Formats we can give, the better the higher.
fn rank(format: SampleFormat) -> Option<u8> {
    match format {
        SampleFormat::F32 => Some(5),
        SampleFormat::I32 => Some(4),
        SampleFormat::I16 => Some(3),
        SampleFormat::U16 => Some(2),
        SampleFormat::F64 => Some(1),
        _ => None,
    }
}

fn build_any(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    feed: Feed,
) -> Result<cpal::Stream, Refusal> {
    match format {
        SampleFormat::F32 => build::<f32>(device, config, feed),
        SampleFormat::I32 => build::<i32>(device, config, feed),
        SampleFormat::I16 => build::<i16>(device, config, feed),
        SampleFormat::U16 => build::<u16>(device, config, feed),
        SampleFormat::F64 => build::<f64>(device, config, feed),
        other => Err(Refusal::Broken(format!(
            "the device wants samples that we cannot give ({other})"
        ))),
    }
}

fn build<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut feed: Feed,
) -> Result<cpal::Stream, Refusal> {
    let complain = feed.complainer();
    let underrun = feed.note_underrun();
    let channels = usize::from(config.channels);
    let mut stereo = [0.0_f32; CHUNK * 2];
    let play = move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
        let times = info.timestamp();
        let mut delay = times.playback.saturating_duration_since(times.callback);
        for out in out.chunks_mut(CHUNK * channels) {
            let frames = out.len() / channels;
            let stereo = stereo.get_mut(..frames * 2).unwrap_or_default();
            feed.fill(stereo, delay);
            spread(stereo, out, channels);
            delay +=
                Duration::from_nanos(frames as u64 * 1_000_000_000 / u64::from(feed.device_rate()));
        }
    };
    let complained = move |error: cpal::Error| match error.kind() {
        ErrorKind::Xrun => {
            underrun();
            complain(Complaint::Harmless);
        }
        ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => complain(Complaint::Harmless),
        ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated => complain(Complaint::Fatal),
        _ => complain(Complaint::Passing),
    };
    device
        .build_output_stream(config, play, complained, Some(OPENING))
        .map_err(|error| broken(&error))
}

/// Left and right to the first two channels, silence to the others; one channel gets the mean.
fn spread<T: SizedSample + FromSample<f32>>(stereo: &[f32], out: &mut [T], channels: usize) {
    let frames = stereo.as_chunks::<2>().0;
    for (out, &[left, right]) in out.chunks_mut(channels).zip(frames) {
        match out {
            [only] => *only = T::from_sample(f32::midpoint(left, right)),
            [to_left, to_right, others @ ..] => {
                *to_left = T::from_sample(left);
                *to_right = T::from_sample(right);
                others.fill(T::EQUILIBRIUM);
            }
            [] => {}
        }
    }
}

fn broken(error: &cpal::Error) -> Refusal {
    match error.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => Refusal::Absent(
            "no sound device answers: connect one, or start the sound server".to_owned(),
        ),
        _ => Refusal::Broken(error.to_string()),
    }
}
