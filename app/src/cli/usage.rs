//! Arguments that cannot be understood: what is wrong with them, what would be right, and one example.

use super::command;
use crate::exit::ExitDocument;
use crate::output::{Color, Output};
use clap::error::ErrorKind;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

/// Prints what is wrong with `args`. Help and version come this way too, to standard output and with status 0.
pub(super) fn told(error: &clap::Error, args: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    drop(error.print());
    if error.kind() == ErrorKind::MissingRequiredArgument
        && let Some(examples) = examples(args)
    {
        Output::note(&format!("\n{examples}"));
    }
    let is_json = args
        .iter()
        .take_while(|word| *word != "--")
        .any(|word| word == "--json");
    // The same without colours and without the usage, which is for people.
    let text = error.render().to_string();
    let message = text.split("\n\n").next().unwrap_or_default().trim_end();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let document = ExitDocument::of_usage(message.to_owned());
    drop(Output::new(Color::Never).in_json(is_json).json(&document));
    ExitCode::from(2)
}

/// What the help of the command that `args` name shows as examples.
fn examples(args: &[OsString]) -> Option<String> {
    let command = command();
    let named = args
        .iter()
        .skip(1)
        .find_map(|word| command.find_subcommand(OsStr::new(word)))?;
    Some(named.get_after_help()?.to_string())
}
