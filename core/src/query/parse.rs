//! Text to query.

use super::error::{Problem, QueryError};
use super::field::{Field, Possession};
use super::fold::Needle;
use super::value::{self, Unit};
use super::{Expr, FieldTerm, Test, WordTerm};
use crate::harmony::Key;
use crate::row::TrackState;
use jiff::Zoned;

/// Nobody types more; a pasted page must not become a search.
const MAX_CHARS: usize = 4096;
const MAX_DEPTH: usize = 32;

pub(super) fn parse(text: &str, now: &Zoned) -> Result<Expr, QueryError> {
    let chars: Vec<char> = text.chars().take(MAX_CHARS + 1).collect();
    if chars.len() > MAX_CHARS {
        return Err(QueryError {
            at: MAX_CHARS,
            problem: Problem::TooLong { limit: MAX_CHARS },
        });
    }
    let mut parser = Parser {
        chars: &chars,
        at: 0,
        depth: 0,
        now,
    };
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(QueryError::expected("a \"(\" before this", ")", parser.at)),
    }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    depth: usize,
    now: &'a Zoned,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// `a b or c d`: until the end or a closing parenthesis.
    fn any(&mut self) -> Result<Expr, QueryError> {
        let mut choices = Vec::new();
        loop {
            match self.all()? {
                Expr::All(parts) if parts.is_empty() => {}
                Expr::Any(more) => choices.extend(more),
                choice => choices.push(choice),
            }
            if !self.take_or() {
                break;
            }
        }
        Ok(match choices.len() {
            0 => Expr::All(Vec::new()),
            1 => choices.remove(0),
            _ => Expr::Any(choices),
        })
    }

    /// `a b`: until the end, a closing parenthesis or an `or`.
    fn all(&mut self) -> Result<Expr, QueryError> {
        let mut parts = Vec::new();
        loop {
            self.skip_space();
            if matches!(self.peek(), None | Some(')')) || self.or_length().is_some() {
                break;
            }
            match self.one()? {
                None => {}
                Some(Expr::All(more)) => parts.extend(more),
                Some(part) => parts.push(part),
            }
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expr::All(parts)
        })
    }

    /// Length of an `or` that stands here as a word of its own.
    fn or_length(&self) -> Option<usize> {
        let rest = self.chars.get(self.at..)?;
        let (word, after) = match rest {
            ['|', after @ ..] => (1, after),
            ['o' | 'O', 'r' | 'R', after @ ..] => (2, after),
            _ => return None,
        };
        ends_word(after.first().copied()).then_some(word)
    }

    fn take_or(&mut self) -> bool {
        let length = self.or_length();
        self.at += length.unwrap_or(0);
        length.is_some()
    }

    /// One condition; `None` for a dash that stands alone or empty quotes, as in a pasted `Artist - Title`.
    fn one(&mut self) -> Result<Option<Expr>, QueryError> {
        match self.peek() {
            Some('-') => {
                self.at += 1;
                if ends_word(self.peek()) && self.peek() != Some('(') {
                    return Ok(None);
                }
                let inner = self.nested(Self::one)?;
                Ok(inner.map(|inner| Expr::Not(Box::new(inner))))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.nested(Self::any)?;
                if self.peek() == Some(')') {
                    self.at += 1;
                }
                Ok(Some(inner))
            }
            Some('"') => {
                let raw = self.phrase();
                let needle = Needle::new(&raw);
                Ok((!needle.text().is_empty()).then_some(Expr::Word(WordTerm { raw, needle })))
            }
            _ => self.word_or_field(),
        }
    }

    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let problem = Problem::TooDeep { limit: MAX_DEPTH };
            return Err(QueryError {
                at: self.at,
                problem,
            });
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// What stands in quotes; doubled quotes inside are one. An end that is not there is not missed.
    fn phrase(&mut self) -> String {
        let mut text = String::new();
        self.at += 1;
        while let Some(c) = self.peek() {
            self.at += 1;
            if c == '"' {
                if self.peek() != Some('"') {
                    break;
                }
                self.at += 1;
            }
            text.push(c);
        }
        text
    }

    fn bare(&mut self) -> String {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let word: String = rest.iter().take_while(|c| !ends_word(Some(**c))).collect();
        self.at += word.chars().count();
        word
    }

    fn word_or_field(&mut self) -> Result<Option<Expr>, QueryError> {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        if let Some(name_length) = field_name_length(rest) {
            let name: String = rest.iter().take(name_length).collect();
            return self.field(&name).map(Some);
        }
        let raw = self.bare();
        let needle = Needle::new(&raw);
        let means_nothing = needle.text().bytes().all(|byte| byte == b'-');
        Ok((!means_nothing).then_some(Expr::Word(WordTerm { raw, needle })))
    }

    fn field(&mut self, name: &str) -> Result<Expr, QueryError> {
        let Some(field) = Field::from_name(name) else {
            return Err(QueryError::unknown_field(name, &Field::names(), self.at));
        };
        self.at += name.len() + 1;
        let at = self.at;
        let exact = self.peek() == Some('=');
        self.at += usize::from(exact);
        let raw = if self.peek() == Some('"') {
            self.phrase()
        } else {
            self.bare()
        };
        let test = test(field, &raw, exact, self.now).map_err(|wrong| match wrong {
            Wrong::Expected(expected) => QueryError::expected(expected, &raw, at),
            Wrong::Choice(choices) => QueryError::unknown_choice(field.name(), &raw, &choices, at),
        })?;
        Ok(Expr::Field(FieldTerm {
            field,
            raw,
            exact,
            test,
        }))
    }
}

fn ends_word(c: Option<char>) -> bool {
    c.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'))
}

/// Letters before a colon that is not that of a web address; one letter alone is a drive.
pub(super) fn field_name_length(chars: &[char]) -> Option<usize> {
    let letters = chars
        .iter()
        .take_while(|c| c.is_ascii_alphabetic() || **c == '_')
        .count();
    let after = chars.get(letters..)?;
    (letters >= 2 && after.first() == Some(&':') && !after.starts_with(&[':', '/', '/']))
        .then_some(letters)
}

enum Wrong {
    Expected(&'static str),
    Choice(Vec<&'static str>),
}

fn test(field: Field, raw: &str, exact: bool, now: &Zoned) -> Result<Test, Wrong> {
    let numbers = |unit, expected| {
        value::range(raw, unit, exact)
            .map(Test::Number)
            .ok_or(Wrong::Expected(expected))
    };
    let lower = raw.to_lowercase();
    match field {
        Field::Year => numbers(Unit::Whole, "a year like 2019, 2010-2019 or >=2015"),
        Field::Rating => numbers(Unit::Whole, "stars like 4, 3-5 or >=3"),
        Field::Duration => numbers(
            Unit::Duration,
            "a duration like 6:02, 3:00-6:00, >6m or <90s",
        ),
        Field::Conf => numbers(Unit::Share, "a confidence like <0.5 or >=80%"),
        Field::Lufs => numbers(Unit::Measure, "a loudness like -9, -12..-8 or >-8"),
        Field::Bpm => {
            let octaves = raw.strip_prefix('~');
            let range = value::range(octaves.unwrap_or(raw), Unit::Measure, exact).ok_or(
                Wrong::Expected("a tempo like 128, 120-128, >=120 or ~128 (half and double too)"),
            )?;
            Ok(match octaves {
                Some(_) => Test::BpmOctaves(range),
                None => Test::Number(range),
            })
        }
        Field::Key => {
            let name = raw.strip_suffix('~').unwrap_or(raw);
            let key = Key::parse(name).ok_or(Wrong::Expected(
                "a key like 8A, Am, 1m or \"A minor\", with ~ for all that mix with it",
            ))?;
            Ok(Test::Key {
                key,
                compatible: name.len() < raw.len(),
            })
        }
        Field::Added => value::period(&lower, now)
            .map(Test::Added)
            .ok_or(Wrong::Expected(
                "an age like 7d, 2w, >1y or a date like 2026, 2026-11, 2026-11-22, >=2026-11",
            )),
        Field::State => state(&lower),
        Field::Has => Possession::from_name(&lower)
            .map(Test::Has)
            .ok_or_else(|| Wrong::Choice(Possession::names())),
        Field::Id => {
            let is_id = (1..=16).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_hexdigit());
            is_id
                .then_some(Test::Id(lower))
                .ok_or(Wrong::Expected("an id or its first digits, 0-9 and a-f"))
        }
        Field::Artist
        | Field::Title
        | Field::Album
        | Field::Genre
        | Field::Label
        | Field::Comment
        | Field::Remixer
        | Field::Composer
        | Field::Path
        | Field::Codec
        | Field::Source => Some(Needle::new(raw))
            .filter(|needle| !needle.text().is_empty())
            .map(Test::Text)
            .ok_or(Wrong::Expected(
                "a word or \"words in quotes\" right after the colon",
            )),
    }
}

fn state(name: &str) -> Result<Test, Wrong> {
    const STATES: [TrackState; 6] = [
        TrackState::Ready,
        TrackState::Analyzing,
        TrackState::Partial,
        TrackState::Failed,
        TrackState::Missing,
        TrackState::Streaming,
    ];
    if name == "duplicate" {
        return Ok(Test::Duplicate);
    }
    STATES
        .into_iter()
        .find(|state| state.name() == name)
        .map(Test::State)
        .ok_or_else(|| {
            let mut names: Vec<_> = STATES.into_iter().map(TrackState::name).collect();
            names.push("duplicate");
            Wrong::Choice(names)
        })
}
