//! The rollback journal of a copied database: what SQLite must not be left to judge by itself.
//!
//! Layout (sqlite.org/fileformat2.html, section 3, and the comments of its pager): a header of magic, count of
//! records, checksum start, pages before the change, sector size, page size, all big-endian; a change over several
//! databases ends the journal with the name of a further journal, its length, its checksum and the magic.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
const HEADER: usize = 28;
/// Length, checksum and magic after the name.
const TRAILER: u64 = 16;
/// Longest name of a journal that is believed, in bytes.
const MOST_NAME: u64 = 4096;

/// The journal of a change over several databases: such a change is complete when that file is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Super {
    #[default]
    None,
    /// Named and there: the change is not complete.
    There,
    /// Named and not there any more: it is.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JournalFate {
    /// No change was being written.
    Quiet,
    /// SQLite will undo a change in the copy.
    Hot,
    /// To undo it would make a file of so many bytes.
    TooLarge(u64),
}

impl Super {
    /// Reads the name from the copied `journal` and looks for it beside the original `database`.
    pub(super) fn look(database: &Path, journal: &Path) -> io::Result<Self> {
        let mut file = match File::open(journal) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::None),
            Err(error) => return Err(error),
        };
        let Some(name) = super_name(&mut file)? else {
            return Ok(Self::None);
        };
        // On a drive that was pulled out of a player the path is that player's: the name counts.
        let beside = name
            .file_name()
            .and_then(|name| Some(database.parent()?.join(name)));
        let is_there = name.is_absolute() && fs::symlink_metadata(&name).is_ok()
            || beside.is_some_and(|beside| fs::symlink_metadata(beside).is_ok());
        Ok(if is_there { Self::There } else { Self::Gone })
    }
}

/// The name that a journal ends with, if it does.
fn super_name(file: &mut File) -> io::Result<Option<PathBuf>> {
    let length = file.metadata()?.len();
    let Some(end) = length.checked_sub(TRAILER) else {
        return Ok(None);
    };
    let mut trailer = [0; TRAILER as usize];
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut trailer)?;
    let [size, checksum] = [0, 4].map(|at| u32_at(&trailer, at));
    let start = end.checked_sub(u64::from(size));
    let Some(start) = start.filter(|_| size > 0 && u64::from(size) < MOST_NAME) else {
        return Ok(None);
    };
    if !trailer.ends_with(&MAGIC) {
        return Ok(None);
    }
    let mut name = vec![0; size as usize];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut name)?;
    // The sum of the bytes, as signed ones where the platform has them so: text in ASCII knows no difference.
    let sum = |signed: bool| {
        name.iter().fold(0_u32, |sum, &byte| {
            sum.wrapping_add(if signed {
                i32::from(byte.cast_signed()).cast_unsigned()
            } else {
                u32::from(byte)
            })
        })
    };
    let is_whole = sum(true) == checksum || sum(false) == checksum;
    let name = String::from_utf8_lossy(&name).into_owned();
    Ok((is_whole && name.contains("-mj") && !name.contains('\0')).then(|| PathBuf::from(name)))
}

/// Decides what becomes of the copied journal at `path`.
///
/// Left alone with such a name, SQLite would look for that file in the user's folder, and could even remove it.
pub(super) fn settle(path: &Path, named: Super, most_bytes: u64) -> io::Result<JournalFate> {
    let mut file = match OpenOptions::new().read(true).append(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(JournalFate::Quiet),
        Err(error) => return Err(error),
    };
    let mut header = Vec::with_capacity(HEADER);
    (&mut file).take(HEADER as u64).read_to_end(&mut header)?;
    if named == Super::Gone || !header.starts_with(&MAGIC) || header.len() < HEADER {
        drop(file);
        fs::remove_file(path)?;
        return Ok(JournalFate::Quiet);
    }
    let [pages, page_bytes] = [16, 24].map(|at| u64::from(u32_at(&header, at)));
    // Old SQLite wrote no size: the largest is assumed.
    let page_bytes = if page_bytes == 0 { 65_536 } else { page_bytes };
    let bytes = pages.saturating_mul(page_bytes);
    if bytes > most_bytes {
        return Ok(JournalFate::TooLarge(bytes));
    }
    // Too short for a record, and no magic at the end: whatever name stands before is no longer seen.
    file.write_all(&[0; TRAILER as usize])?;
    Ok(JournalFate::Hot)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .map_or(0, |chunk| u32::from_be_bytes(*chunk))
}
