//! What the state map of a virtual player holds at one moment.

use std::collections::BTreeMap;

use super::motion::{Performance, Truth};
use super::script::PlayerSpec;
use crate::identity::Token;
use crate::path::{Deck, DeckPath, StatePath, UnitPath};
use crate::wire::state_map::Value;

/// JSON by path.
pub(super) type Values = BTreeMap<String, String>;

const FLOAT: u8 = 0;
const STATE: u8 = 1;
const CHOICE: u8 = 4;
const STRING: u8 = 8;
const WHOLE: u8 = 10;
const DOUBLE: u8 = 14;
const COLOR: u8 = 16;

pub(super) fn values(spec: &PlayerSpec, token: Token, show: &Performance, secs: f64) -> Values {
    let mut values = Values::new();
    let mut put = |path: StatePath, value: Value, kind: u8| {
        values.insert(path.to_string(), value.to_json(kind));
    };
    let truths = || {
        (0..show.decks()).filter_map(|deck| Some((Deck::from_index(deck)?, show.at(deck, secs)?)))
    };
    let master = truths().find(|(_, truth)| truth.is_master);
    let tempo = master.map_or(120.0, |(_, truth)| effective_bpm(&truth));
    let unit = [
        (
            UnitPath::Player,
            Value::Text(spec.player.to_string()),
            CHOICE,
        ),
        (
            UnitPath::DeckCount,
            Value::Number(f64::from(spec.decks)),
            WHOLE,
        ),
        (UnitPath::MasterTempo, Value::Number(tempo), FLOAT),
        (UnitPath::MasterStatus, Value::Flag(master.is_some()), STATE),
        (UnitPath::Channels, Value::Number(4.0), WHOLE),
        (UnitPath::LayerA, Value::Flag(true), STATE),
        (UnitPath::LayerB, Value::Flag(false), STATE),
        (UnitPath::JogColorA, Value::Color(0xffea_2828), COLOR),
        (UnitPath::JogColorB, Value::Color(0xff28_28ea), COLOR),
        (UnitPath::HasUsb, Value::Flag(true), STATE),
        (UnitPath::HasSdCard, Value::Flag(false), STATE),
    ];
    for (path, value, kind) in unit {
        put(StatePath::Unit(path), value, kind);
    }
    for (deck, truth) in truths() {
        for (path, value, kind) in deck_values(&truth, token) {
            put(path.on(deck), value, kind);
        }
    }
    values
}

fn effective_bpm(truth: &Truth<'_>) -> f64 {
    truth
        .track
        .map_or(120.0, |(_, track)| track.bpm * truth.pitch)
}

fn deck_values(truth: &Truth<'_>, token: Token) -> Vec<(DeckPath, Value, u8)> {
    let text = |text: &str| Value::Text(text.to_owned());
    let track = truth.track.map(|(_, track)| track);
    let of =
        |choose: fn(&super::script::TrackSpec) -> f64| Value::Number(track.map_or(0.0, choose));
    let name = |choose: fn(&super::script::TrackSpec) -> &str| text(track.map_or("", choose));
    let place = track.map_or(String::new(), |track| {
        format!("net://{token}/{}/{}", track.source, track.path)
    });
    let rate = track.map_or(44_100.0, |track| track.sample_rate);
    let (start, length) = truth.looped.unwrap_or_default();
    vec![
        (DeckPath::TrackNetworkPath, text(&place), STRING),
        (DeckPath::SongLoaded, Value::Flag(track.is_some()), STATE),
        (DeckPath::PlayState, Value::Flag(truth.is_playing), STATE),
        (DeckPath::Play, Value::Flag(truth.is_playing), STATE),
        (DeckPath::SampleRate, Value::Number(rate), WHOLE),
        (
            DeckPath::TrackLength,
            of(|track| (track.secs * track.sample_rate).round()),
            WHOLE,
        ),
        (DeckPath::SongName, name(|track| &track.title), STRING),
        (DeckPath::ArtistName, name(|track| &track.artist), STRING),
        (DeckPath::TrackName, text(&place), STRING),
        (DeckPath::TrackUri, text(""), STRING),
        (DeckPath::TrackBytes, of(|track| track.bytes as f64), WHOLE),
        (DeckPath::TrackData, Value::Flag(track.is_some()), 3),
        (DeckPath::SongAnalyzed, Value::Flag(track.is_some()), STATE),
        (DeckPath::DeckIsMaster, Value::Flag(truth.is_master), STATE),
        (DeckPath::Speed, Value::Number(truth.pitch), FLOAT),
        (
            DeckPath::DeckBpm,
            Value::Number(effective_bpm(truth)),
            FLOAT,
        ),
        (
            DeckPath::TrackBpm,
            Value::Number(effective_bpm(truth)),
            FLOAT,
        ),
        (
            DeckPath::CurrentKeyIndex,
            of(|track| f64::from(track.key_index)),
            WHOLE,
        ),
        (DeckPath::CurrentKey, name(|track| &track.key), STRING),
        (DeckPath::KeyLock, Value::Flag(true), STATE),
        (
            DeckPath::ExternalMixerVolume,
            Value::Number(truth.fader),
            FLOAT,
        ),
        (
            DeckPath::LoopEnabled,
            Value::Flag(truth.looped.is_some()),
            STATE,
        ),
        (
            DeckPath::LoopIn,
            Value::Number((start * rate).round()),
            DOUBLE,
        ),
        (
            DeckPath::LoopOut,
            Value::Number(((start + length) * rate).round()),
            DOUBLE,
        ),
        (DeckPath::SyncMode, text("BeatOrBarSync"), CHOICE),
    ]
}
