//! Who speaks: tokens, names, and which kinds of device there are.

use std::fmt;
use std::str::FromStr;

/// The 16 bytes by which a program or device is known on the network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Token(pub [u8; 16]);

impl Token {
    /// Sixteen zeros: "nobody yet" in the second place of a reference.
    pub const NONE: Self = Self([0; 16]);

    /// A token for a client, made from random bytes.
    ///
    /// Some players silently ignore clients whose first bit is set, or one of the first two bits
    /// of byte 8; these bits are cleared here. Zero is taken for "nobody", so it becomes one.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[0] &= 0x7f;
        bytes[8] &= 0x3f;
        if bytes == [0; 16] {
            bytes[15] = 1;
        }
        Self(bytes)
    }

    /// A fresh token. Keep it: players remember who connected.
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(NoRandomness)?;
        Ok(Self::from_random(bytes))
    }

    /// Whether every known player accepts a client with this token.
    pub fn suits_client(self) -> bool {
        self != Self::NONE && self == Self::from_random(self.0)
    }
}

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct NoRandomness(getrandom::Error);

impl fmt::Display for Token {
    /// As a UUID, which is how players write it in network paths.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let dash = if matches!(at, 4 | 6 | 8 | 10) {
                "-"
            } else {
                ""
            };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token is 32 hexadecimal digits, with or without dashes")]
pub struct MalformedToken;

impl FromStr for Token {
    type Err = MalformedToken;

    fn from_str(text: &str) -> Result<Self, MalformedToken> {
        let mut bytes = [0; 16];
        let mut digits = text
            .bytes()
            .filter(|byte| *byte != b'-')
            .map(|byte| char::from(byte).to_digit(16));
        for byte in &mut bytes {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(MalformedToken);
            };
            *byte = (high << 4 | low) as u8;
        }
        match digits.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err(MalformedToken),
        }
    }
}

/// What a program or device says of itself in every announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who it is.
    pub token: Token,
    /// The machine: `sc6000`, `prime4`; programs use a name of their own.
    pub source: String,
    /// The model code of a device (`JP13`), or the name of a program.
    pub software: String,
    /// Its version, free text.
    pub version: String,
}

/// What stands behind an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A player, with the number of its decks where the model is known.
    Player {
        /// Name in shops, `None` for a code in no list of ours.
        name: Option<&'static str>,
        /// 2 or 4.
        decks: Option<u8>,
    },
    /// A mixer: dials the players itself and refuses calls.
    Mixer(&'static str),
    /// A controller without a player of its own.
    Controller(&'static str),
    /// The analysis process inside a player.
    Analyzer,
    /// Lighting software, on a computer or built into a player.
    Lighting,
    /// Video software.
    Video,
    /// A program that listens to players, like this crate.
    Listener,
}

/// Model codes as announced, names and decks.
const PLAYERS: [(&str, &str, u8); 12] = [
    ("JC11", "Prime 4", 4),
    ("JC16", "Prime 2", 2),
    ("JP11", "Prime Go", 2),
    ("JP07", "SC5000", 2),
    ("JP08", "SC5000M", 2),
    ("JP13", "SC6000", 2),
    ("JP14", "SC6000M", 2),
    ("JP20", "SC Live 2", 2),
    ("JP21", "SC Live 4", 4),
    ("NH08", "Mixstream Pro", 2),
    ("NH09", "Mixstream Pro+", 2),
    ("NH10", "Mixstream Pro Go", 2),
];

impl Kind {
    /// Of the `software` field of an announcement. What is in no list counts as a player: models
    /// newer than this list must work.
    pub fn from_software(software: &str) -> Self {
        if let Some((_, name, decks)) = PLAYERS.iter().find(|(code, ..)| *code == software) {
            return Self::Player {
                name: Some(name),
                decks: Some(*decks),
            };
        }
        let starts = |prefix| software.starts_with(prefix);
        match software {
            "JM08" => Self::Mixer("X1800"),
            "JM10" => Self::Mixer("X1850"),
            "JC20" => Self::Controller("LC6000"),
            "OfflineAnalyzer" => Self::Analyzer,
            _ if starts("SoundSwitch") || starts("SSS") => Self::Lighting,
            _ if starts("Resolume") => Self::Video,
            _ if starts("nowplaying") || starts("np2") => Self::Listener,
            _ => Self::Player {
                name: None,
                decks: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_tokens_lack_the_bits_that_players_refuse() {
        let all = Token::from_random([0xff; 16]);
        assert_eq!(all.0[0], 0x7f);
        assert_eq!(all.0[8], 0x3f);
        assert_eq!(all.0[1], 0xff);
        assert!(all.suits_client());
        assert!(!Token([0xff; 16]).suits_client());
        assert!(!Token::NONE.suits_client());
        assert_ne!(Token::from_random([0; 16]), Token::NONE);
        assert!(Token::random().unwrap().suits_client());
    }

    #[test]
    fn tokens_round_trip_as_text_and_reject_damage() {
        let text = "8fba5ced-9381-4d5c-b334-5bf935b8e49e";
        let token: Token = text.parse().unwrap();
        assert_eq!(token.to_string(), text);
        assert_eq!(text.replace('-', "").parse(), Ok(token));
        for bad in [
            "",
            "8fba",
            &text.replace('8', "g"),
            &format!("{text}0"),
            "ä",
        ] {
            assert_eq!(bad.parse::<Token>(), Err(MalformedToken), "{bad:?}");
        }
    }

    #[test]
    fn unknown_models_count_as_players() {
        assert!(matches!(
            Kind::from_software("JP13"),
            Kind::Player { decks: Some(2), .. }
        ));
        assert!(matches!(
            Kind::from_software("JX99"),
            Kind::Player { decks: None, .. }
        ));
        assert!(matches!(Kind::from_software("JM08"), Kind::Mixer("X1800")));
        assert_eq!(Kind::from_software("OfflineAnalyzer"), Kind::Analyzer);
        assert_eq!(Kind::from_software("SSS0"), Kind::Lighting);
        assert_eq!(Kind::from_software("Resolume Arena"), Kind::Video);
    }
}
