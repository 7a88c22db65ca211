//! What the program and a worker say to each other: one JSON object a line. Version 1; `python/README.md` is its description.

use crate::units::Secs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub const VERSION: u32 = 1;

/// The longest line that is read: three hours of chord posteriors are under 4 MiB.
pub const LONGEST_REPLY: usize = 16 << 20;

/// No music has more beats a second (1200 BPM), no chord model more changes.
const MOST_BEATS_PER_SEC: f64 = 20.0;
const MOST_SPANS_PER_SEC: f64 = 50.0;
/// What even a very short sound may have.
const MOST_ANYWAY: f64 = 16.0;
/// Results may lie this far behind the end: frames are counted up to whole chunks.
const BEHIND_END_SECS: f64 = 1.0;
/// The longest message, name or label that is kept, in characters.
const LONGEST_TEXT: usize = 2_000;

/// One kind of worker, with one kind of model in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    Beats,
    Stems,
    Harmony,
}

impl Family {
    pub const ALL: [Self; 3] = [Self::Beats, Self::Stems, Self::Harmony];

    pub fn name(self) -> &'static str {
        match self {
            Self::Beats => "beats",
            Self::Stems => "stems",
            Self::Harmony => "harmony",
        }
    }

    /// Hz and channels of the sound that its model was trained on.
    pub fn shape(self) -> (u32, usize) {
        match self {
            Self::Beats | Self::Harmony => (22_050, 1),
            Self::Stems => (44_100, 2),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Asked of a worker.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request<'a> {
    Load {
        path: &'a Path,
        /// That of the file as it was brought in: the worker compares.
        #[serde(skip_serializing_if = "Option::is_none")]
        sha256: Option<&'a str>,
        device: &'a str,
        threads: usize,
        dtype: &'static str,
    },
    Run {
        id: u64,
        /// Raw little-endian f32, interleaved.
        pcm: &'a Path,
        frames: u64,
        channels: usize,
        rate: u32,
        out: &'a Path,
    },
    Cancel {
        id: u64,
    },
}

impl Request<'_> {
    /// The line, with its end. `None` for a path that is not text: JSON cannot say it.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut line = serde_json::to_vec(self).ok()?;
        line.push(b'\n');
        Some(line)
    }
}

/// Said by a worker.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Reply {
    Hello {
        protocol: u32,
        family: Family,
        python: String,
        pid: u32,
    },
    Loaded(Loaded),
    Progress {
        id: u64,
        done: u64,
        total: u64,
    },
    Alive,
    Done(Done),
    Cancelled {
        id: u64,
    },
    Error {
        id: Option<u64>,
        kind: ErrorKind,
        message: String,
    },
}

impl Reply {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Loaded(_) => "loaded",
            Self::Progress { .. } => "progress",
            Self::Alive => "alive",
            Self::Done(_) => "done",
            Self::Cancelled { .. } => "cancelled",
            Self::Error { .. } => "error",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Loaded {
    /// What the model runs on, after the worker tried it out.
    pub device: String,
    /// The card that had not the memory for it: the processor stands in.
    pub short: Option<String>,
    pub devices: Vec<String>,
    pub versions: BTreeMap<String, serde_json::Value>,
    pub model: serde_json::Value,
    pub seconds: f64,
    /// Where the system tells.
    pub rss_bytes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Done {
    pub id: u64,
    /// Where it was computed: on the processor, where a card had not the memory for it.
    #[serde(default)]
    pub device: String,
    /// That card.
    #[serde(default)]
    pub short: Option<String>,
    /// Read by the family's own reader below.
    pub result: serde_json::Value,
    #[serde(default)]
    pub cpu_seconds: f64,
    /// Of those, in the network alone: by the clock, and of CPU.
    #[serde(default)]
    pub inference_seconds: f64,
    #[serde(default)]
    pub inference_cpu_seconds: f64,
    /// Where the system tells.
    #[serde(default)]
    pub rss_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    BadRequest,
    BadModel,
    BadAudio,
    OutOfMemory,
    NoDevice,
    /// No room.
    Disk,
    /// A file that was named cannot be read or written; the message says which.
    Unreadable,
    Internal,
}

/// Something that is not a reply of version 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the worker said what nobody understands: {0}")]
pub struct Malformed(pub String);

impl Malformed {
    fn new(reason: impl fmt::Display) -> Self {
        Self(shortened(&reason.to_string()))
    }
}

/// Reads one line, with or without its end.
pub fn decode(line: &[u8]) -> Result<Reply, Malformed> {
    if line.len() > LONGEST_REPLY {
        return Err(Malformed::new("a line of more than 16 MiB"));
    }
    let mut reply: Reply = serde_json::from_slice(line).map_err(Malformed::new)?;
    if let Reply::Error { message, .. } = &mut reply {
        *message = shortened(message);
    }
    Ok(reply)
}

/// Control characters as spaces, and no longer than anyone reads.
pub(super) fn shortened(text: &str) -> String {
    text.trim()
        .chars()
        .map(|it| {
            if it.is_control() && it != '\n' {
                ' '
            } else {
                it
            }
        })
        .take(LONGEST_TEXT)
        .collect()
}

/// What `beat_this` heard.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HeardBeats {
    /// Seconds, ascending.
    pub beats: Vec<f64>,
    pub downbeats: Vec<f64>,
    /// 0 to 1, one for each beat.
    pub beat_scores: Vec<f32>,
}

/// What `htdemucs` wrote.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SplitStems {
    /// Names of files in the folder that was given, by stem.
    pub files: BTreeMap<String, String>,
    pub frames: u64,
}

/// What the chord model heard.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HeardHarmony {
    pub spans: Vec<HeardChord>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HeardChord {
    pub start: f64,
    pub end: f64,
    /// In Harte's notation; `N` for none.
    pub label: String,
    pub confidence: f32,
    /// Probabilities that C to B sound.
    pub notes: [f32; 12],
}

impl HeardBeats {
    /// `length`: of the sound that was handed over.
    pub fn read(result: serde_json::Value, length: Secs) -> Result<Self, Malformed> {
        let heard: Self = serde_json::from_value(result).map_err(Malformed::new)?;
        times(&heard.beats, length, MOST_BEATS_PER_SEC)?;
        times(&heard.downbeats, length, MOST_BEATS_PER_SEC)?;
        if heard.beat_scores.len() != heard.beats.len() {
            return Err(Malformed::new("as many scores as beats are needed"));
        }
        probabilities(&heard.beat_scores)?;
        Ok(heard)
    }
}

impl SplitStems {
    pub fn read(result: serde_json::Value) -> Result<Self, Malformed> {
        let split: Self = serde_json::from_value(result).map_err(Malformed::new)?;
        let is_plain = |name: &String| {
            !name.is_empty()
                && name.len() < 64
                && !name.contains(['/', '\\', ':', '\0'])
                && name != ".."
        };
        match split.files.values().find(|name| !is_plain(name)) {
            Some(name) => Err(Malformed::new(format!("a file named {name:?}"))),
            None => Ok(split),
        }
    }
}

impl HeardHarmony {
    pub fn read(result: serde_json::Value, length: Secs) -> Result<Self, Malformed> {
        let heard: Self = serde_json::from_value(result).map_err(Malformed::new)?;
        let starts: Vec<f64> = heard.spans.iter().map(|span| span.start).collect();
        times(&starts, length, MOST_SPANS_PER_SEC)?;
        for span in &heard.spans {
            let ends = span.end.is_finite() && span.end >= span.start;
            if !ends || span.end > length.0 + BEHIND_END_SECS || span.label.len() > 64 {
                return Err(Malformed::new(format!(
                    "a chord from {} to {}",
                    span.start, span.end
                )));
            }
            probabilities(&span.notes)?;
            probabilities(&[span.confidence])?;
        }
        Ok(heard)
    }
}

/// Ascending, within the sound, and not more than anyone could play.
fn times(times: &[f64], length: Secs, most_per_sec: f64) -> Result<(), Malformed> {
    if times.len() as f64 > length.0 * most_per_sec + MOST_ANYWAY {
        return Err(Malformed::new(format!(
            "{} times in {:.1} s",
            times.len(),
            length.0
        )));
    }
    let within = |at: &f64| (0.0..=length.0 + BEHIND_END_SECS).contains(at);
    if let Some(at) = times.iter().find(|at| !within(at)) {
        return Err(Malformed::new(format!(
            "a time of {at} s in {:.1} s",
            length.0
        )));
    }
    if times.windows(2).any(|pair| pair[1] < pair[0]) {
        return Err(Malformed::new("times that go back"));
    }
    Ok(())
}

fn probabilities(values: &[f32]) -> Result<(), Malformed> {
    match values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        Some(value) => Err(Malformed::new(format!("a probability of {value}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requests_are_lines_of_json() {
        let load = Request::Load {
            path: Path::new("m/final0.ckpt"),
            sha256: Some("0a1b"),
            device: "auto",
            threads: 2,
            dtype: "float32",
        };
        assert_eq!(
            String::from_utf8(load.encode().unwrap()).unwrap(),
            "{\"op\":\"load\",\"path\":\"m/final0.ckpt\",\"sha256\":\"0a1b\",\"device\":\"auto\",\"threads\":2,\"dtype\":\"float32\"}\n"
        );
        let run = Request::Run {
            id: 7,
            pcm: Path::new("a.f32"),
            frames: 3,
            channels: 1,
            rate: 22_050,
            out: Path::new("out"),
        };
        assert_eq!(
            String::from_utf8(run.encode().unwrap()).unwrap(),
            "{\"op\":\"run\",\"id\":7,\"pcm\":\"a.f32\",\"frames\":3,\"channels\":1,\"rate\":22050,\"out\":\"out\"}\n"
        );
    }

    #[test]
    fn replies_are_read_and_fields_that_nobody_knows_passed_over() {
        let hello = br#"{"event":"hello","protocol":1,"family":"stems","python":"3.12.1","pid":5,"new":[1]}"#;
        assert_eq!(
            decode(hello),
            Ok(Reply::Hello {
                protocol: 1,
                family: Family::Stems,
                python: "3.12.1".to_owned(),
                pid: 5
            })
        );
        assert_eq!(decode(b"{\"event\":\"alive\"}\n"), Ok(Reply::Alive));
        assert_eq!(
            decode(br#"{"event":"error","id":null,"kind":"bad_model","message":"x\u0007y"}"#),
            Ok(Reply::Error {
                id: None,
                kind: ErrorKind::BadModel,
                message: "x y".to_owned()
            })
        );
    }

    #[test]
    fn memory_that_the_system_does_not_tell_is_unknown() {
        for (field, expected) in [
            ("", None),
            (r#","rss_bytes":null"#, None),
            (r#","rss_bytes":7"#, Some(7)),
        ] {
            let loaded = format!(r#"{{"event":"loaded","device":"cpu"{field}}}"#);
            match decode(loaded.as_bytes()) {
                Ok(Reply::Loaded(loaded)) => assert_eq!(loaded.rss_bytes, expected, "{field}"),
                other => panic!("{other:?}"),
            }
            let done = format!(r#"{{"event":"done","id":1,"result":{{}}{field}}}"#);
            match decode(done.as_bytes()) {
                Ok(Reply::Done(done)) => assert_eq!(done.rss_bytes, expected, "{field}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for line in [
            &b""[..],
            b"Downloading weights",
            b"[]",
            b"{\"event\":\"surprise\"}",
            b"{\"event\":\"progress\",\"id\":-1,\"done\":1,\"total\":2}",
            b"{\"event\":\"progress\",\"id\":1,\"done\":NaN,\"total\":2}",
            b"\xff\xfe",
        ] {
            assert!(decode(line).is_err(), "{}", String::from_utf8_lossy(line));
        }
        let long = vec![b' '; LONGEST_REPLY + 1];
        assert!(decode(&long).is_err());
    }

    #[test]
    fn results_out_of_all_reason_are_refused() {
        let beats = |beats: &[f64], scores: &[f64]| {
            let result = json!({"beats": beats, "downbeats": [], "beat_scores": scores});
            HeardBeats::read(result, Secs(2.0))
        };
        assert!(beats(&[0.5, 1.0], &[0.9, 1.0]).is_ok());
        for (times, scores) in [
            (&[1.0, 0.5][..], &[0.9, 0.9][..]),
            (&[-0.1], &[0.9]),
            (&[3.5], &[0.9]),
            (&[0.5], &[]),
            (&[0.5], &[1.5]),
            (&[0.1; 80], &[0.5; 80]),
        ] {
            assert!(beats(times, scores).is_err(), "{times:?} {scores:?}");
        }
        let stems = |name: &str| SplitStems::read(json!({"files": {"drums": name}, "frames": 1}));
        assert!(stems("drums.f32").is_ok());
        for name in ["../drums.f32", "/drums", "", "..", "a\\b"] {
            assert!(stems(name).is_err(), "{name}");
        }
        let chord = |start: f64, end: f64, confidence: f64| {
            let span = json!({"start": start, "end": end, "label": "C:maj", "confidence": confidence,
                "notes": vec![0.5; 12]});
            HeardHarmony::read(json!({"spans": [span]}), Secs(2.0))
        };
        assert!(chord(0.0, 2.0, 0.5).is_ok());
        for (start, end, confidence) in [(1.0, 0.5, 0.5), (0.0, 9.0, 0.5), (0.0, 1.0, 2.0)] {
            assert!(chord(start, end, confidence).is_err());
        }
    }
}
