//! Standard output: text for people or JSON for programs, in colour where that is wanted.

use crate::exit::Exit;
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _, stderr, stdout};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// How to say things.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    color: bool,
}

/// The few styles that we use, as terminal codes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Strong,
    Dim,
    Good,
    Bad,
}

impl Output {
    pub(crate) fn new(color: Color) -> Self {
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self {
            json: false,
            quiet: false,
            color,
        }
    }

    /// Machine-readable, and therefore never in colour.
    pub(crate) fn in_json(self, json: bool) -> Self {
        let color = self.color && !json;
        Self {
            json,
            color,
            ..self
        }
    }

    pub(crate) fn quietly(self, quiet: bool) -> Self {
        Self { quiet, ..self }
    }

    /// A line for people. Not in JSON mode.
    pub(crate) fn line(self, text: &str) -> Result<(), Exit> {
        if !self.json {
            writeln!(stdout().lock(), "{text}")?;
        }
        Ok(())
    }

    /// A line for people that `--quiet` leaves out.
    pub(crate) fn aside(self, text: &str) -> Result<(), Exit> {
        if self.quiet { Ok(()) } else { self.line(text) }
    }

    /// One JSON value on a line of its own. Only in JSON mode.
    pub(crate) fn json(self, value: &impl Serialize) -> Result<(), Exit> {
        if self.json {
            let text =
                serde_json::to_string(value).map_err(|error| Exit::Failed(error.to_string()))?;
            writeln!(stdout().lock(), "{text}")?;
        }
        Ok(())
    }

    /// To standard error, always: failures and what goes on.
    pub(crate) fn note(text: &str) {
        // Nobody is left to tell when even this fails.
        let clean: String = text.chars().map(disarmed).collect();
        drop(writeln!(stderr().lock(), "{clean}"));
    }

    pub(crate) fn styled(self, style: Style, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match style {
            Style::Strong => "1",
            Style::Dim => "2",
            Style::Good => "32",
            Style::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Names of files may hold control characters; terminals get none but line ends.
fn disarmed(c: char) -> char {
    if c.is_control() && c != '\n' { ' ' } else { c }
}
