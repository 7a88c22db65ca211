//! Writes the demo music: `compose [FOLDER]`, by default into `assets/demo`.
//! `compose --wav FOLDER` writes plain WAV files, for measuring.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use tonearm_tests::compose::Piece;
use tonearm_tests::compose::publish::{PublishError, publish, write_wav};

fn main() -> Result<(), PublishError> {
    let mut plain = false;
    let mut folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../assets/demo");
    for argument in std::env::args_os().skip(1) {
        if argument == "--wav" {
            plain = true;
        } else {
            folder = argument.into();
        }
    }
    fs::create_dir_all(&folder)?;
    for piece in Piece::all() {
        let path = write(&piece, plain, &folder)?;
        writeln!(io::stdout(), "{}", path.display())?;
    }
    Ok(())
}

fn write(piece: &Piece, plain: bool, folder: &Path) -> Result<PathBuf, PublishError> {
    let sound = piece.play();
    if plain {
        write_wav(&piece.score, &sound, folder)
    } else {
        publish(piece, &sound, folder)
    }
}
