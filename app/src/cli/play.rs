//! `play`: a track on a sound device, or into a file exactly as a device would have got it.

use crate::cli::Context;
use crate::cli::library::{Library, interruptible};
use crate::exit::Exit;
use crate::format;
use clap::Args;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;
use tonearm_core::control::Control;
use tonearm_core::export::file::write_new_sound;
use tonearm_core::failure::Failure;
use tonearm_core::playback::{
    Device, DeviceId, Offline, OutputState, Player, PlayerCommand, PlayerView, RATE, StemMix,
    StemSound, Transport,
};
use tonearm_core::row::Row;
use tonearm_core::stems::{Stem, StemFiles};
use tonearm_core::units::Secs;

/// Frames rendered at a time.
const PIECE: usize = 1_024;
/// How often Ctrl-C is looked for.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes before the samples of the file that `--render` writes.
const HEADER: u32 = 58;

/// Play a track
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tonearm play 3f9a --from 60 --seconds 15\n  tonearm play 3f9a --stems drums,bass\n  tonearm play 3f9a --render out.wav"
)]
pub(crate) struct Play {
    /// An id, the beginning of one, a path, or the whole name of the file or the title
    #[arg(value_name = "TRACK")]
    track: OsString,
    /// The sound device: its name, a part of it, or its id
    #[arg(long, value_name = "NAME", conflicts_with = "render")]
    device: Option<String>,
    /// Second to start at
    #[arg(long, value_name = "S", default_value_t = 0.0)]
    from: f64,
    /// Seconds to play
    #[arg(long, value_name = "N")]
    seconds: Option<f64>,
    /// Only these stems, which must have been made: drums, bass, other, vocals
    #[arg(long, value_name = "STEM,…", value_delimiter = ',', value_parser = stem)]
    stems: Option<Vec<Stem>>,
    /// 0 is silent, 1 is the file's own level
    #[arg(long, default_value_t = 1.0)]
    volume: f32,
    /// Write a WAV (48 kHz, stereo, 32-bit float) instead of playing; nothing is written over
    #[arg(long, value_name = "OUT")]
    render: Option<PathBuf>,
}

fn stem(name: &str) -> Result<Stem, String> {
    Stem::from_name(name.trim()).ok_or_else(|| {
        let names: Vec<&str> = Stem::ALL.into_iter().map(Stem::name).collect();
        format!("stems are {}", names.join(", "))
    })
}

/// The files of stems that are to be heard, and which of them.
type Apart = Option<(Arc<StemFiles>, StemMix)>;

fn apart(library: &Library, row: &Row, job: &Play) -> Result<Apart, Exit> {
    let Some(stems) = &job.stems else {
        return Ok(None);
    };
    let Some(files) = library.core.reader().stems(row) else {
        let caption = format::caption(row);
        let words = format!(
            "{caption} has no stems\nMake them first: tonearm analyze --only stems {}",
            row.track.id
        );
        return Err(Exit::Failed(words));
    };
    Ok(Some((Arc::new(files), StemMix::only(stems))))
}

/// What was sent to the device.
struct Played {
    frames: u64,
    underruns: u64,
    interrupted: bool,
}

pub(crate) fn run(context: &Context, job: &Play) -> Result<(), Exit> {
    if !(job.from.is_finite() && job.from >= 0.0) {
        return Err(Exit::Usage("--from is a second of the track".to_owned()));
    }
    if job
        .seconds
        .is_some_and(|secs| !(secs.is_finite() && secs > 0.0))
    {
        return Err(Exit::Usage("--seconds is a number above 0".to_owned()));
    }
    if !(0.0..=2.0).contains(&job.volume) {
        return Err(Exit::Usage("--volume is between 0 and 2".to_owned()));
    }
    // Closed again at once: others may use the library while the music plays.
    let (row, apart) = {
        let library = Library::open_to_look(context)?;
        let row = library.track(&job.track)?;
        let apart = apart(&library, &row, job)?;
        (row, apart)
    };
    ends_after(&row, job.from)?;
    let played = match &job.render {
        Some(out) => Played {
            frames: render((&row, apart), job, out)?,
            underruns: 0,
            interrupted: false,
        },
        None => play(context, (&row, apart), job)?,
    };
    let json = serde_json::json!({ "frames": played.frames, "underruns": played.underruns });
    context.output.json(&json)?;
    if played.interrupted {
        return Err(Exit::Interrupted);
    }
    Ok(())
}

/// Where the track's length is known, something is to be heard from `from` on.
fn ends_after(row: &Row, from: f64) -> Result<(), Exit> {
    match &row.track.format {
        Some(format) if from >= format.duration.0 && from > 0.0 => Err(Exit::Usage(format!(
            "the track ends at {}: --from is before that",
            format::duration(format.duration)
        ))),
        _ => Ok(()),
    }
}

fn until(job: &Play) -> Option<Secs> {
    job.seconds.map(|secs| Secs(job.from + secs))
}

fn cannot(row: &Row, failure: &Failure) -> Exit {
    Exit::Because(Failure {
        message: format!("{}: {}", format::caption(row), failure.message),
        ..failure.clone()
    })
}

fn render((row, apart): (&Row, Apart), job: &Play, out: &Path) -> Result<u64, Exit> {
    let path = row.track.path.as_path();
    let mut sound =
        Offline::open(path, Secs(job.from), until(job)).map_err(|failure| cannot(row, &failure))?;
    sound.set_volume(job.volume);
    if let Some((files, mix)) = apart {
        sound.set_stems(&files, &mix);
    }
    let interrupt = interruptible();
    let frames =
        write_new_sound(out, |out| write_wav(out, &mut sound, &interrupt)).map_err(|error| {
            match interrupt.check() {
                Ok(()) => Exit::Failed(error.to_string()),
                Err(_cancelled) => Exit::Interrupted,
            }
        })?;
    match sound.trouble() {
        Some(failure) => Err(cannot(row, failure)),
        None => Ok(frames),
    }
}

fn write_wav(
    out: &mut (impl Write + std::io::Seek + ?Sized),
    sound: &mut Offline,
    interrupt: &Control,
) -> std::io::Result<u64> {
    out.write_all(&header(0))?;
    let mut piece = vec![0.0_f32; PIECE * 2];
    let mut bytes = Vec::with_capacity(PIECE * 8);
    let mut frames = 0_u64;
    while !sound.has_ended() {
        if interrupt.check().is_err() {
            return Err(std::io::Error::other("interrupted"));
        }
        sound.supply(8);
        let ran = sound.render(&mut piece);
        frames += ran as u64;
        bytes.clear();
        for sample in piece.iter().take(ran * 2) {
            bytes.extend_from_slice(&sample.to_le_bytes());
        }
        out.write_all(&bytes)?;
        if frames * 8 > u64::from(u32::MAX - HEADER) {
            return Err(std::io::Error::other(
                "more than a WAV can hold: use --seconds",
            ));
        }
    }
    out.seek(std::io::SeekFrom::Start(0))?;
    out.write_all(&header((frames * 8) as u32))?;
    Ok(frames)
}

/// RIFF with a `fmt ` chunk for floats, a `fact` chunk, and `data` of so many bytes.
fn header(data: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER as usize);
    let mut put = |part: &[u8]| bytes.extend_from_slice(part);
    put(b"RIFF");
    put(&(HEADER - 8 + data).to_le_bytes());
    put(b"WAVEfmt ");
    put(&18_u32.to_le_bytes());
    // Floats, two channels.
    put(&3_u16.to_le_bytes());
    put(&2_u16.to_le_bytes());
    put(&RATE.to_le_bytes());
    put(&(RATE * 8).to_le_bytes());
    put(&8_u16.to_le_bytes());
    put(&32_u16.to_le_bytes());
    put(&0_u16.to_le_bytes());
    put(b"fact");
    put(&4_u32.to_le_bytes());
    put(&(data / 8).to_le_bytes());
    put(b"data");
    put(&data.to_le_bytes());
    bytes
}

fn play(context: &Context, (row, apart): (&Row, Apart), job: &Play) -> Result<Played, Exit> {
    let (changed, change) = sync_channel(1);
    let player = Player::start(move || {
        // Full: whoever waits is woken already.
        let _woken = changed.try_send(());
    })?;
    let next = || match change.recv_timeout(LOOK) {
        Ok(()) | Err(RecvTimeoutError::Timeout) => {}
        Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
    };
    let interrupt = interruptible();
    if let Some(named) = &job.device {
        player.send(PlayerCommand::FindDevices);
        let mut looks = 0;
        let found = loop {
            let view = player.view();
            if let Some(id) = named_device(&view.devices, named)? {
                break id;
            }
            looks += 1;
            if looks > 30 || interrupt.check().is_err() {
                return Err(no_such_device(&view.devices, named));
            }
            next();
        };
        player.send(PlayerCommand::SetDevice(Some(found)));
    }
    let track = row.track.id;
    player.send(PlayerCommand::SetVolume(job.volume));
    player.send(PlayerCommand::Load {
        track,
        path: row.track.path.as_path().to_owned(),
        from: Secs(job.from),
        play: false,
    });
    if let Some((files, mix)) = apart {
        let files = Some(files);
        player.send(PlayerCommand::SetStems { track, files });
        player.send(PlayerCommand::SetStemMix(mix));
    }
    player.send(PlayerCommand::StopAt(until(job)));
    player.send(PlayerCommand::Play);
    context
        .output
        .aside(&format!("playing {}", format::caption(row)))?;
    let mut started = false;
    let mut said = OutputState::Closed;
    loop {
        next();
        let view = player.view();
        say(context, &view.output, &mut said)?;
        let interrupted = interrupt.check().is_err();
        started |= view.transport == Transport::Playing;
        if let Some(outcome) = outcome(&view, started, row).filter(|_| !interrupted) {
            outcome?;
            wait_for_silence(&player);
        } else if !interrupted {
            continue;
        }
        return Ok(Played {
            frames: player.frames_played(),
            underruns: player.view().underruns,
            interrupted,
        });
    }
}

/// Tells where the sound goes, when that changes.
fn say(context: &Context, output: &OutputState, said: &mut OutputState) -> Result<(), Exit> {
    if output == said {
        return Ok(());
    }
    match output {
        OutputState::Open { name, .. } => context.output.aside(&format!("on {name}"))?,
        OutputState::Lost { reason } => context.output.aside(&format!("interrupted: {reason}"))?,
        OutputState::Absent { .. } | OutputState::Opening | OutputState::Closed => {}
    }
    *said = output.clone();
    Ok(())
}

/// `None` while it plays.
fn outcome(view: &PlayerView, started: bool, row: &Row) -> Option<Result<(), Exit>> {
    let loaded = view.loaded.as_ref();
    if let Some(StemSound::Broken(failure)) = loaded.map(|loaded| &loaded.stems) {
        return Some(Err(cannot(row, failure)));
    }
    let trouble = loaded.and_then(|loaded| loaded.trouble.as_ref());
    match (view.transport, &view.output) {
        (Transport::Paused, OutputState::Absent { reason } | OutputState::Lost { reason }) => {
            Some(Err(Exit::Failed(reason.clone())))
        }
        (Transport::Ended, _) => Some(trouble.map_or(Ok(()), |failure| Err(cannot(row, failure)))),
        (Transport::Paused, _) if trouble.is_some() => {
            trouble.map(|failure| Err(cannot(row, failure)))
        }
        (Transport::Paused, _) if started => Some(Ok(())),
        _ => None,
    }
}

/// What was rendered last is still on its way to the ear.
fn wait_for_silence(player: &Player) {
    for _ in 0..40 {
        match player.playhead() {
            Some(playhead) if playhead.speed > 0.0 => std::thread::sleep(LOOK / 4),
            _ => break,
        }
    }
    std::thread::sleep(LOOK);
}

fn named_device(devices: &[Device], named: &str) -> Result<Option<DeviceId>, Exit> {
    let exact = devices
        .iter()
        .find(|device| device.id.0 == named || device.name == named);
    if let Some(device) = exact {
        return Ok(Some(device.id.clone()));
    }
    let part = named.to_lowercase();
    let mut fitting = devices
        .iter()
        .filter(|device| device.name.to_lowercase().contains(&part));
    match (fitting.next(), fitting.next()) {
        (Some(device), None) => Ok(Some(device.id.clone())),
        (Some(_), Some(_)) => Err(Exit::Failed(format!(
            "several devices are called {named}: give more of the name"
        ))),
        (None, _) => Ok(None),
    }
}

fn no_such_device(devices: &[Device], named: &str) -> Exit {
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    Exit::Failed(if names.is_empty() {
        "no sound device was found: connect one, or start the sound server".to_owned()
    } else {
        format!(
            "no device is called {named}; there are: {}",
            names.join(", ")
        )
    })
}
