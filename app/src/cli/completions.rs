//! `completions`: what shells need to complete our commands.

use crate::exit::Exit;
use clap::Args;
use clap_complete::Shell;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tonearm completions bash > ~/.local/share/bash-completion/completions/tonearm"
)]
pub(crate) struct Completions {
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(job: &Completions, mut command: clap::Command) -> Result<(), Exit> {
    let mut script = Vec::new();
    clap_complete::generate(job.shell, &mut command, "tonearm", &mut script);
    std::io::Write::write_all(&mut std::io::stdout().lock(), &script)?;
    Ok(())
}
