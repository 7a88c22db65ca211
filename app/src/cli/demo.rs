//! No subcommand: until there is a window, the main job done on the demo music, in the terminal.

use crate::cli::library::Library;
use crate::cli::{Context, From, import, show, waveform};
use crate::exit::Exit;
use crate::output::{Output, Style};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tonearm_core::core_loop::command::{Command, Extent, RequestId};
use tonearm_core::export::document::TrackDocument;
use tonearm_core::export::file::write_atomic;

/// The demo music, part of the program so that it works wherever the program is.
const MUSIC: [(&str, &[u8]); 3] = [
    (
        "night-ferry.mp3",
        include_bytes!("../../../assets/demo/night-ferry.mp3"),
    ),
    (
        "low-orbit.m4a",
        include_bytes!("../../../assets/demo/low-orbit.m4a"),
    ),
    (
        "window-seat.ogg",
        include_bytes!("../../../assets/demo/window-seat.ogg"),
    ),
];

/// Writes the demo music into `folder`, where it is not there already; tells the paths.
pub(crate) fn write_music(folder: &Path) -> Result<Vec<PathBuf>, Exit> {
    std::fs::create_dir_all(folder)?;
    let mut paths = Vec::new();
    for (name, bytes) in MUSIC {
        let path = folder.join(name);
        if std::fs::metadata(&path).is_ok_and(|file| file.len() == bytes.len() as u64) {
            paths.push(path);
            continue;
        }
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(&path).map_err(|error| error.error)?;
        paths.push(path);
    }
    Ok(paths)
}

/// The user's own library is not for demonstrations: only one named for this very command is.
fn place(library: &Path, from: From) -> PathBuf {
    match from {
        From::Argument => library.to_path_buf(),
        From::Environment => library.join("demo"),
        From::Default => library.with_file_name("demo"),
    }
}

pub(super) fn run(context: &Context) -> Result<(), Exit> {
    let output = context.output;
    let place = place(&context.library, context.library_from);
    let strong = |text: &str| output.styled(Style::Strong, text);
    output.aside(
        "There is no screen to open a window on: here is the main job, on the demo music, in the terminal.",
    )?;
    output.aside(&format!(
        "Everything it makes goes to {}\n",
        place.display()
    ))?;

    output.aside(&strong("Importing and analysing"))?;
    let music = place.join("music");
    write_music(&music)?;
    let library = Library::open_at(context, place.clone())?;
    let command = Command::Import {
        request: RequestId(1),
        paths: vec![music.clone()],
        analyze: Some(Extent::Everything),
        engine: None,
    };
    import::carry_out(context, &library, command)?;

    let results = place.join("results");
    std::fs::create_dir_all(&results)?;
    let view = library.core.view();
    for row in view
        .rows
        .iter()
        .filter(|row| row.track.path.as_path().starts_with(&music))
    {
        output.aside("")?;
        let details = library.core.details(row.track.id)?;
        show::print(output, row, &details)?;
        let stem = row.track.path.as_path().file_stem().unwrap_or_default();
        let path = |ending: &str| {
            let mut name = stem.to_owned();
            name.push(ending);
            results.join(name)
        };
        let (png, json) = (path(".png"), path(".json"));
        waveform::draw_to(&library, row, &png)?;
        let document =
            TrackDocument::full(row, &details).with_stems(row, library.core.store().dir());
        write_json(&json, &document)?;
        output.json(&document)?;
        for file in [&png, &json] {
            output.aside(&format!(
                "  {}  {}",
                output.styled(Style::Dim, "  written"),
                file.display()
            ))?;
        }
    }
    farewell(output)
}

fn write_json(path: &Path, document: &TrackDocument<'_>) -> Result<(), Exit> {
    write_atomic(path, |out| {
        serde_json::to_writer_pretty(&mut *out, document).map_err(std::io::Error::from)?;
        out.write_all(b"\n")
    })
    .map_err(|error| Exit::Failed(error.to_string()))
}

fn farewell(output: Output) -> Result<(), Exit> {
    output.aside("")?;
    output.aside(&output.styled(Style::Strong, "Now with your own music"))?;
    output.aside("  tonearm import ~/Music      bring it in; nothing is copied or changed")?;
    output.aside("  tonearm list bpm:120-128    find what fits")?;
    output.aside("  tonearm --help              everything else")
}
