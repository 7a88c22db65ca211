//! What a piece is before it sounds: its clock, sections and chords, and the truth written of it.

use super::stereo::Stereo;
use serde_json::{Value, json};
use tonearm_core::harmony::{Chord, Key, PitchClass, Quality};

/// Bars and beats to seconds, at one constant tempo.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    pub bpm: f64,
    pub beats_per_bar: u32,
    /// Time of bar 0, beat 0.
    pub first_beat_secs: f64,
}

impl Clock {
    pub fn beat_secs(self) -> f64 {
        60.0 / self.bpm
    }

    /// Time of a beat, which may be a fraction, counted from 0 in a bar counted from 0.
    pub fn secs(self, bar: u32, beat: f64) -> f64 {
        let beats = f64::from(bar * self.beats_per_bar) + beat;
        self.first_beat_secs + beats * self.beat_secs()
    }
}

/// One chord that lasts for a number of beats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) beats: u32,
    /// `None` where only drums play.
    pub(crate) chord: Option<Chord>,
}

/// A chord where it stands in the piece.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    /// Beats since the first beat of the piece.
    pub(crate) beat: u32,
    pub(crate) beats: u32,
    pub(crate) chord: Chord,
}

impl Placed {
    /// MIDI note of the root, at or above `lowest`.
    pub(crate) fn root_above(self, lowest: u8) -> f64 {
        above(self.chord.root.semitones(), lowest)
    }

    /// The chord's notes as MIDI numbers, each at or above `lowest`, in ascending order: chords
    /// that follow each other keep their common notes where they are.
    pub(crate) fn voiced_above(self, lowest: u8) -> Vec<f64> {
        let root = self.chord.root.semitones();
        let mut notes: Vec<f64> = self
            .chord
            .quality
            .intervals()
            .iter()
            .map(|interval| above(root + interval, lowest))
            .collect();
        notes.sort_by(f64::total_cmp);
        notes
    }
}

fn above(semitones: u8, lowest: u8) -> f64 {
    f64::from(lowest + (semitones + 120 - lowest) % 12)
}

/// A named stretch of a piece.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    pub name: &'static str,
    pub bars: u32,
}

/// A piece on paper.
#[derive(Debug, Clone)]
pub struct Score {
    /// File name without its ending.
    pub name: &'static str,
    pub title: &'static str,
    pub genre: &'static str,
    pub key: Key,
    pub clock: Clock,
    pub sections: Vec<Section>,
    pub(crate) steps: Vec<Step>,
    /// Seconds of sound after the last bar.
    pub(crate) tail_secs: f64,
}

impl Score {
    pub fn bars(&self) -> u32 {
        self.sections.iter().map(|section| section.bars).sum()
    }

    /// First bar of the named section and the one after its last.
    pub(crate) fn bars_of(&self, name: &str) -> (u32, u32) {
        let mut start = 0;
        for section in &self.sections {
            if section.name == name {
                return (start, start + section.bars);
            }
            start += section.bars;
        }
        (start, start)
    }

    pub fn secs(&self) -> f64 {
        self.clock.secs(self.bars(), 0.0) + self.tail_secs
    }

    pub(crate) fn silence(&self) -> Stereo {
        Stereo::silent(super::stereo::frame_at(self.secs()))
    }

    pub(crate) fn chords(&self) -> Vec<Placed> {
        let mut beat = 0;
        let mut placed = Vec::new();
        for step in &self.steps {
            if let Some(chord) = step.chord {
                placed.push(Placed {
                    beat,
                    beats: step.beats,
                    chord,
                });
            }
            beat += step.beats;
        }
        placed
    }

    /// The chord that sounds at a beat, if any does.
    pub(crate) fn chord_at(&self, beat: u32) -> Option<Placed> {
        self.chords()
            .into_iter()
            .find(|chord| (chord.beat..chord.beat + chord.beats).contains(&beat))
    }

    /// Times of all beats, each with its place in the bar, 1 being the downbeat.
    pub fn beats(&self) -> Vec<(f64, u32)> {
        let count = self.bars() * self.clock.beats_per_bar;
        (0..count)
            .map(|beat| {
                let secs = self.clock.secs(0, f64::from(beat));
                (secs, beat % self.clock.beats_per_bar + 1)
            })
            .collect()
    }

    /// Everything that is known about the piece, in the vocabulary of the evaluator. A chord label
    /// `X` marks what is not to be judged: the sound that rings on after the last bar.
    pub fn truth(&self) -> Value {
        let beats = self.beats();
        let first = round(self.clock.first_beat_secs);
        let end = round(self.secs());
        json!({
            "id": self.name,
            "title": self.title,
            "genre": self.genre,
            "duration": end,
            "meter": format!("{}/4", self.clock.beats_per_bar),
            "beats_per_bar": self.clock.beats_per_bar,
            "constant_tempo": true,
            "bpm": self.clock.bpm,
            "grid": { "bpm": self.clock.bpm, "first_beat": first, "first_downbeat": first },
            "tempo": [{ "start": first, "end": end, "bpm": self.clock.bpm }],
            "tuning_hz": 440.0,
            "key": self.key.to_string(),
            "keys": [{ "start": 0.0, "end": end, "key": self.key.to_string() }],
            "sections": self.section_truth(),
            "chords": self.chord_truth(),
            "beats": beats.iter().map(|(secs, _)| round(*secs)).collect::<Vec<_>>(),
            "positions": beats.iter().map(|(_, place)| *place).collect::<Vec<_>>(),
        })
    }

    fn section_truth(&self) -> Vec<Value> {
        let mut bar = 0;
        let mut spans = Vec::new();
        for section in &self.sections {
            let end = bar + section.bars;
            spans.push(json!({
                "start": round(self.clock.secs(bar, 0.0)),
                "end": round(self.clock.secs(end, 0.0)),
                "name": section.name,
            }));
            bar = end;
        }
        spans
    }

    fn chord_truth(&self) -> Vec<Value> {
        let mut spans = vec![(0.0, self.clock.first_beat_secs, "N".to_owned())];
        let mut beat = 0;
        for step in &self.steps {
            let label = step
                .chord
                .map_or_else(|| "N".to_owned(), |chord| chord.to_string());
            let start = self.clock.secs(0, f64::from(beat));
            beat += step.beats;
            let end = self.clock.secs(0, f64::from(beat));
            match spans.last_mut() {
                Some(last) if last.2 == label => last.1 = end,
                _ => spans.push((start, end, label)),
            }
        }
        spans.push((
            self.clock.secs(0, f64::from(beat)),
            self.secs(),
            "X".to_owned(),
        ));
        spans
            .into_iter()
            .map(|(start, end, label)| json!({ "start": round(start), "end": round(end), "label": label }))
            .collect()
    }
}

/// Microseconds are enough for the truth.
fn round(secs: f64) -> f64 {
    (secs * 1e6).round() / 1e6
}

/// `root` in semitones above C.
pub(crate) fn chord(root: u8, quality: Quality) -> Chord {
    Chord {
        root: PitchClass::new(root),
        quality,
        bass: None,
    }
}
