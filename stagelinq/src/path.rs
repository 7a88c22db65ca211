//! Names of values in the state map, typed; and which of them a client wants.

use std::fmt;

/// One of the decks of a player, counted from one on its front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deck {
    /// Left, or layer A.
    One,
    /// Right, or layer B.
    Two,
    /// Left, second layer.
    Three,
    /// Right, second layer.
    Four,
}

impl Deck {
    /// In order.
    pub const ALL: [Self; 4] = [Self::One, Self::Two, Self::Three, Self::Four];

    /// From zero, as in the frames of `BeatInfo`.
    pub fn index(self) -> usize {
        self as usize
    }

    /// From one, as in paths.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }

    /// `None` beyond the fourth.
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }
}

macro_rules! paths {
    ($(#[$about:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl $name {
            /// All, the most wanted first: values come in the order of subscriptions.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

paths! {
    /// Values that each deck has, below `/Engine/Deck1/` and so on.
    ///
    /// Positions and lengths are in samples of the file, tempo in beats per minute.
    DeckPath {
        TrackNetworkPath = "Track/TrackNetworkPath",
        SongLoaded = "Track/SongLoaded",
        PlayState = "PlayState",
        SampleRate = "Track/SampleRate",
        TrackLength = "Track/TrackLength",
        SongName = "Track/SongName",
        ArtistName = "Track/ArtistName",
        TrackName = "Track/TrackName",
        TrackUri = "Track/TrackUri",
        TrackBytes = "Track/TrackBytes",
        TrackData = "Track/TrackData",
        DeckIsMaster = "DeckIsMaster",
        Speed = "Speed",
        DeckBpm = "CurrentBPM",
        TrackBpm = "Track/CurrentBPM",
        CurrentKeyIndex = "Track/CurrentKeyIndex",
        CurrentKey = "Track/CurrentKey",
        KeyLock = "Track/KeyLock",
        CuePosition = "Track/CuePosition",
        LoopEnabled = "Track/LoopEnableState",
        LoopIn = "Track/CurrentLoopInPosition",
        LoopOut = "Track/CurrentLoopOutPosition",
        LoopBeats = "Track/CurrentLoopSizeInBeats",
        ExternalMixerVolume = "ExternalMixerVolume",
        Play = "Play",
        SpeedState = "SpeedState",
        SpeedRange = "SpeedRange",
        SyncMode = "SyncMode",
        WheelTouch = "ExternalScratchWheelTouch",
        SongAnalyzed = "Track/SongAnalyzed",
    }
}

paths! {
    /// Values of the player as a whole.
    UnitPath {
        Player = "/Client/Preferences/Player",
        DeckCount = "/Engine/DeckCount",
        MasterTempo = "/Engine/Master/MasterTempo",
        MasterStatus = "/Engine/Sync/Network/MasterStatus",
        Crossfader = "/Mixer/CrossfaderPosition",
        Fader1 = "/Mixer/CH1faderPosition",
        Fader2 = "/Mixer/CH2faderPosition",
        Fader3 = "/Mixer/CH3faderPosition",
        Fader4 = "/Mixer/CH4faderPosition",
        Channels = "/Mixer/NumberOfChannels",
        Assignment1 = "/Mixer/ChannelAssignment1",
        Assignment2 = "/Mixer/ChannelAssignment2",
        Assignment3 = "/Mixer/ChannelAssignment3",
        Assignment4 = "/Mixer/ChannelAssignment4",
        LayerA = "/Client/Preferences/LayerA",
        LayerB = "/Client/Preferences/LayerB",
        JogColorA = "/Client/Preferences/PlayerJogColorA",
        JogColorB = "/Client/Preferences/PlayerJogColorB",
        CurrentDevice = "/Client/Librarian/DevicesController/CurrentDevice",
        CurrentDeviceNetworkPath = "/Client/Librarian/DevicesController/CurrentDeviceNetworkPath",
        HasSdCard = "/Client/Librarian/DevicesController/HasSDCardConnected",
        HasUsb = "/Client/Librarian/DevicesController/HasUsbDeviceConnected",
    }
}

impl DeckPath {
    /// The value of one deck.
    pub fn on(self, deck: Deck) -> StatePath {
        StatePath::Deck(deck, self)
    }
}

/// Which value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatePath {
    /// Of a deck.
    Deck(Deck, DeckPath),
    /// Of the player.
    Unit(UnitPath),
    /// Not in our lists, as it came.
    Other(String),
}

impl StatePath {
    /// Of the text on the wire.
    pub fn parse(text: &str) -> Self {
        let of_deck = || {
            let (number, rest) = text.strip_prefix("/Engine/Deck")?.split_once('/')?;
            let index = number.parse::<usize>().ok()?.checked_sub(1)?;
            let parsed = DeckPath::parse(rest)?.on(Deck::from_index(index)?);
            // "+1" and "01" are numbers too, but no such deck exists.
            (number.len() == 1).then_some(parsed)
        };
        UnitPath::parse(text)
            .map(Self::Unit)
            .or_else(of_deck)
            .unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    /// Everything that a client of decks wants, 142 values: the player's number first, because it
    /// says which decks these are; then by importance, deck after deck.
    pub fn wanted() -> impl Iterator<Item = Self> {
        let decks = DeckPath::ALL
            .iter()
            .flat_map(|path| Deck::ALL.map(|deck| path.on(deck)));
        let (first, others) = UnitPath::ALL.split_at(2.min(UnitPath::ALL.len()));
        let unit = |path: &UnitPath| Self::Unit(*path);
        first
            .iter()
            .map(unit)
            .chain(decks)
            .chain(others.iter().map(unit))
    }
}

impl fmt::Display for StatePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deck(deck, path) => {
                write!(f, "/Engine/Deck{}/{}", deck.number(), path.as_str())
            }
            Self::Unit(path) => f.write_str(path.as_str()),
            Self::Other(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_paths_are_different_and_read_back_as_themselves() {
        let wanted: Vec<_> = StatePath::wanted().collect();
        assert_eq!(wanted.len(), 142);
        assert_eq!(wanted[0], StatePath::Unit(UnitPath::Player));
        for path in &wanted {
            assert_eq!(&StatePath::parse(&path.to_string()), path);
        }
        let different: std::collections::BTreeSet<_> = wanted.iter().collect();
        assert_eq!(different.len(), wanted.len());
    }

    #[test]
    fn what_is_not_in_the_lists_stays_as_it_is() {
        for text in [
            "",
            "/Engine/Deck5/Play",
            "/Engine/Deck0/Play",
            "/Engine/Deck01/Play",
            "/Engine/Deck+1/Play",
            "/Engine/Deck1/Gain",
        ] {
            assert_eq!(StatePath::parse(text), StatePath::Other(text.to_owned()));
        }
        assert_eq!(
            StatePath::parse("/Engine/Deck2/Play"),
            DeckPath::Play.on(Deck::Two)
        );
    }
}
