//! Files that begin as music does and end before any of it: downloads and copies that were broken off.

use super::mp4;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;

/// Boxes, blocks or pages that are walked over.
const MOST_PARTS: usize = 4_096;

/// The longest head of any of them: a page of Ogg with 255 segments.
const LONGEST_HEAD: usize = 27 + 255;

/// Whether the file at `path` is of a kind that we know, and ends before its first sound, or before what says where that
/// is. Asked only where no reader wants it.
pub(super) fn ends_before_sound(path: &Path) -> bool {
    look(path).unwrap_or(false)
}

fn look(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut head = [0; 12];
    let got = mp4::read_up_to(&mut file, &mut head)?;
    let chunk_end = |size: u32| u64::from(size) + 8;
    Ok(match head {
        [b'f', b'L', b'a', b'C', ..] => walk(&mut file, length, 4, flac_block)?,
        [b'O', b'g', b'g', b'S', ..] => walk(&mut file, length, 0, ogg_page)?,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => walk(&mut file, length, 0, mp4_box)?,
        [b'I', b'D', b'3', ..] => id3_bytes(&head) >= length,
        [b'R', b'I', b'F', b'F', a, b, c, d, rest @ ..] => {
            let is_ours = got < head.len() || &rest == b"WAVE";
            is_ours && chunk_end(u32::from_le_bytes([a, b, c, d])) > length
        }
        [b'F', b'O', b'R', b'M', a, b, c, d, rest @ ..] => {
            let is_ours = got < head.len() || matches!(&rest, b"AIFF" | b"AIFC");
            is_ours && chunk_end(u32::from_be_bytes([a, b, c, d])) > length
        }
        _ => false,
    })
}

/// How many bytes of an ID3 tag stand in front of the file.
pub(super) fn tag_bytes(file: &mut File) -> io::Result<u64> {
    let mut head = [0; 12];
    file.rewind()?;
    mp4::read_up_to(file, &mut head)?;
    Ok(id3_bytes(&head))
}

fn id3_bytes(head: &[u8; 12]) -> u64 {
    let [b'I', b'D', b'3', _, _, _, a, b, c, d, ..] = *head else {
        return 0;
    };
    let size = [a, b, c, d].map(|byte| u64::from(byte & 0x7f));
    size.into_iter().fold(0, |sum, byte| (sum << 7) | byte) + 10
}

/// What stands at one place of a file.
enum Part {
    /// A part of so many bytes, and another after it.
    Whole(u64),
    /// A part of so many bytes, and sound after it.
    Last(u64),
    /// Nothing that we know.
    Other,
}

/// Goes from part to part. Whether the last of them ends with the file, or would end after it.
fn walk(
    file: &mut File,
    length: u64,
    start: u64,
    part: fn(&[u8], u64) -> Option<Part>,
) -> io::Result<bool> {
    let mut at = start;
    for _ in 0..MOST_PARTS {
        if at >= length {
            return Ok(true);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; LONGEST_HEAD];
        let got = mp4::read_up_to(file, &mut head)?;
        match part(head.get(..got).unwrap_or_default(), length - at) {
            Some(Part::Whole(bytes)) => at = at.saturating_add(bytes.max(1)),
            Some(Part::Last(bytes)) => return Ok(at.saturating_add(bytes) >= length),
            Some(Part::Other) => return Ok(false),
            // Its head itself is not whole.
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// A block of what stands before the first frame of a FLAC: an embedded cover, for one.
fn flac_block(head: &[u8], _left: u64) -> Option<Part> {
    let &[kind, a, b, c] = head.first_chunk()?;
    let bytes = 4 + u64::from(u32::from_be_bytes([0, a, b, c]));
    Some(if kind & 0x80 == 0 {
        Part::Whole(bytes)
    } else {
        Part::Last(bytes)
    })
}

fn ogg_page(head: &[u8], _left: u64) -> Option<Part> {
    if head.first_chunk()? != b"OggS" {
        return Some(Part::Other);
    }
    // The last page of its stream: it is whole, and holds something else.
    if head.get(5)? & 4 != 0 {
        return Some(Part::Other);
    }
    let count = usize::from(*head.get(26)?);
    let segments = head.get(27..27 + count)?;
    let payload: u64 = segments.iter().map(|&bytes| u64::from(bytes)).sum();
    Some(Part::Whole(27 + count as u64 + payload))
}

fn mp4_box(head: &[u8], left: u64) -> Option<Part> {
    head.first_chunk::<8>()?;
    // With all its boxes it is another kind of file.
    Some(match mp4::box_head(head, left) {
        Some((_, bytes, _)) if bytes != left => Part::Whole(bytes),
        _ => Part::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(bytes: &[u8]) -> bool {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        ends_before_sound(file.path())
    }

    #[test]
    fn what_was_broken_off_is_told_from_what_is_something_else() {
        let flac = |cover: u32, there: usize| {
            let mut bytes = b"fLaC\0\0\0\x22".to_vec();
            bytes.extend([0; 34]);
            bytes.push(0x86);
            bytes.extend(&cover.to_be_bytes()[1..]);
            bytes.resize(bytes.len() + there, 0);
            bytes
        };
        let page = |payload: usize| {
            let mut bytes = b"OggS".to_vec();
            bytes.resize(26, 0);
            bytes.extend([1, 200]);
            bytes.resize(28 + payload, 0);
            bytes
        };
        let riff = |kind: &[u8], size: u32| [b"RIFF", &size.to_le_bytes(), kind].concat();
        for broken_off in [
            flac(300_000, 1_000),
            flac(10, 10),
            b"fLaC".to_vec(),
            page(199),
            page(200),
            b"OggS".to_vec(),
            riff(b"WAVE", 1_000),
            riff(b"", 1_000),
            b"FORM\0\0\x10\0AIFF".to_vec(),
            b"\0\0\0\x08ftyp\0\x10\0\0moov".to_vec(),
            b"\0\0\0\x08ftyp\0\0".to_vec(),
            b"ID3\x04\0\0\0\0\x08\0 and some of it".to_vec(),
        ] {
            assert!(ends(&broken_off), "{broken_off:?}");
        }
        for other in [
            riff(b"AVI ", 1_000),
            riff(b"WAVE", 4),
            b"FORM\0\0\x10\0ILBM".to_vec(),
            b"\0\0\0\x08ftyp\0\0\0\x08free".to_vec(),
            [page(200), b"no page, and more than one head of it".to_vec()].concat(),
            b"ID3\x04\0\0\0\0\0\0no music".to_vec(),
            b"words".to_vec(),
        ] {
            assert!(!ends(&other), "{other:?}");
        }
    }
}
