//! A library file that cannot be written to, opened all the same: what the database writes stays in memory and is gone
//! with it, so that a file that was not closed properly can be read too.

use redb::{Database, DatabaseError, StorageBackend};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that are kept as one piece once one of them was written.
const PIECE: u64 = 4096;
/// The most that is kept in memory, in bytes: a repair writes a few pages, and nothing else is let through to the database.
const MOST: u64 = 256 << 20;

/// Opens `path` without write access.
pub(super) fn open(path: &Path) -> Result<Database, DatabaseError> {
    Database::builder()
        .set_cache_size(super::database::CACHE_BYTES)
        .create_with_backend(Overlay::over(File::open(path)?, MOST)?)
}

#[derive(Debug)]
struct Overlay(Mutex<State>);

#[derive(Debug)]
struct State {
    file: File,
    /// What is read from the file ends here: it may have been cut since.
    from_file: u64,
    length: u64,
    /// By their place in pieces.
    written: BTreeMap<u64, Vec<u8>>,
    /// Bytes that these may take.
    most: u64,
}

impl Overlay {
    fn over(file: File, most: u64) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self(Mutex::new(State {
            file,
            from_file: length,
            length,
            written: BTreeMap::new(),
            most,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// One piece as it is now; zeros where nothing is.
    fn piece(&mut self, number: u64) -> io::Result<Vec<u8>> {
        if let Some(written) = self.written.get(&number) {
            return Ok(written.clone());
        }
        let mut piece = vec![0; PIECE as usize];
        let start = number.saturating_mul(PIECE);
        let there = self.from_file.saturating_sub(start).min(PIECE) as usize;
        if there > 0 {
            self.file.seek(SeekFrom::Start(start))?;
            let place = piece.get_mut(..there).unwrap_or_default();
            self.file.read_exact(place)?;
        }
        Ok(piece)
    }
}

/// The pieces that `count` bytes from `offset` on lie in: which, from where in it, how many.
fn pieces(offset: u64, count: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let end = offset.saturating_add(count as u64);
    let mut at = offset;
    std::iter::from_fn(move || {
        let (number, from) = (at / PIECE, at % PIECE);
        let length = (PIECE - from).min(end.saturating_sub(at));
        at = at.saturating_add(length);
        (length > 0).then_some((number, from as usize, length as usize))
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        if offset.saturating_add(out.len() as u64) > state.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut rest = out;
        for (number, from, length) in pieces(offset, rest.len()) {
            let piece = state.piece(number)?;
            let (place, after) = rest.split_at_mut(length);
            place.copy_from_slice(piece.get(from..from + length).unwrap_or_default());
            rest = after;
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.state();
        if length < state.length {
            // What comes back there later is zeros.
            state.from_file = state.from_file.min(length);
            let (last, from) = (length / PIECE, (length % PIECE) as usize);
            let mut piece = state.piece(last)?;
            piece.get_mut(from..).unwrap_or_default().fill(0);
            state.written.retain(|number, _| *number < last);
            state.written.insert(last, piece);
        }
        state.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let mut rest = data;
        for (number, from, length) in pieces(offset, rest.len()) {
            let mut piece = state.piece(number)?;
            let (part, after) = rest.split_at(length);
            let place = piece.get_mut(from..from + length).unwrap_or_default();
            place.copy_from_slice(part);
            rest = after;
            let taken = (state.written.len() as u64).saturating_mul(PIECE);
            if taken >= state.most && !state.written.contains_key(&number) {
                // Not the disk is full, and no room on it would help.
                return Err(io::Error::other(
                    "it has to be repaired, which takes more memory than is given to it: open it once where it can be written to",
                ));
            }
            state.written.insert(number, piece);
        }
        state.length = state.length.max(offset.saturating_add(data.len() as u64));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_the_file_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..10_000_u32).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let overlay = Overlay::over(File::open(&path).unwrap(), MOST).unwrap();
        let mut model = bytes.clone();
        let check = |model: &[u8]| {
            assert_eq!(overlay.len().unwrap(), model.len() as u64);
            let mut all = vec![1; model.len()];
            overlay.read(0, &mut all).unwrap();
            assert!(all == model);
            assert!(overlay.read(1, &mut all).is_err(), "beyond the end");
        };
        check(&model);
        // Across pieces, at the end, beyond it, and shorter and longer again.
        for (offset, count) in [(4_090, 10_usize), (9_990, 30), (0, 4_096), (20_000, 1)] {
            let end = offset + count;
            model.resize(model.len().max(end), 0);
            model[offset..end].fill(7);
            overlay.write(offset as u64, &vec![7; count]).unwrap();
            check(&model);
        }
        for length in [5_000, 12_000, 4_096, 8_192, 0, 100] {
            model.resize(length, 0);
            overlay.set_len(length as u64).unwrap();
            check(&model);
        }
        assert!(std::fs::read(&path).unwrap() == bytes);
    }
    #[test]
    fn memory_that_runs_out_is_not_told_as_a_full_disk() {
        let file = tempfile::tempfile().unwrap();
        let overlay = Overlay::over(file, 2 * PIECE).unwrap();
        overlay.write(0, &vec![1; 2 * PIECE as usize]).unwrap();
        let error = overlay.write(2 * PIECE, &[1]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Other);
        let told = super::super::error::StoreError::io(error, Path::new("/l"));
        assert!(told.to_string().contains("more memory"), "{told}");
        // What is kept already takes no more of it.
        overlay.write(PIECE, &[2]).unwrap();
    }
}
