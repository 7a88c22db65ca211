//! A waveform as bytes for the store: the finest level only, since the others follow from it.
//!
//! Layout, little-endian: `TAWF`, version (u8), rate (u32), frames (u64), packed columns, CRC-32 of all before (u32).
//! The number of columns follows from rate and frames. Columns are packed field by field (all `min`, then all
//! `max`, …), each the difference to the one before, then deflated with Huffman codes alone: neighbours are alike but hardly
//! ever repeat, so a search for repeats (LZ4, full deflate) costs more and finds nothing. A fifth to a third is saved.

use super::{COLUMNS_PER_SECOND, Column, Waveform};
use crate::units::SampleRate;
use miniz_oxide::deflate::core::{
    CompressionStrategy, CompressorOxide, TDEFLFlush, compress_to_output,
    create_comp_flags_from_zip_params,
};

const MAGIC: [u8; 4] = *b"TAWF";
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 17;
const CHECKSUM_BYTES: usize = 4;
const FIELDS: usize = size_of::<Column>();
/// Deflate cannot shrink more than this: a bound on what a few bytes may claim to hold.
const GREATEST_RATIO: u64 = 1_040;

/// Why bytes are no waveform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WaveformBytesError {
    #[error("the stored waveform ends too early")]
    Short,
    #[error("this is not a stored waveform")]
    Foreign,
    #[error("the stored waveform is of version {0}, which is newer than this program")]
    Newer(u8),
    #[error("the stored waveform is damaged")]
    Damaged,
}

/// The bytes that [`decode`] reads.
pub fn encode(waveform: &Waveform) -> Vec<u8> {
    let columns = waveform.levels.first().map_or(&[][..], Vec::as_slice);
    let mut bytes = Vec::with_capacity(HEAD_BYTES + columns.len() * FIELDS / 2);
    bytes.extend_from_slice(&MAGIC);
    bytes.push(VERSION);
    bytes.extend_from_slice(&waveform.rate.hz().to_le_bytes());
    bytes.extend_from_slice(&waveform.frames.to_le_bytes());
    pack(&split_fields(columns), &mut bytes);
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Reads a stored waveform and builds its coarser levels. Never trusts a length.
pub fn decode(bytes: &[u8]) -> Result<Waveform, WaveformBytesError> {
    let (content, checksum) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .ok_or(WaveformBytesError::Short)?;
    let (magic, rest) = content
        .split_first_chunk::<4>()
        .ok_or(WaveformBytesError::Short)?;
    if *magic != MAGIC {
        return Err(WaveformBytesError::Foreign);
    }
    let (&version, rest) = rest.split_first().ok_or(WaveformBytesError::Short)?;
    if version > VERSION {
        return Err(WaveformBytesError::Newer(version));
    }
    let (rate, rest) = rest
        .split_first_chunk::<4>()
        .ok_or(WaveformBytesError::Short)?;
    let (frames, packed) = rest
        .split_first_chunk::<8>()
        .ok_or(WaveformBytesError::Short)?;
    if version != VERSION || crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
        return Err(WaveformBytesError::Damaged);
    }
    let rate = SampleRate::new(u32::from_le_bytes(*rate)).ok_or(WaveformBytesError::Damaged)?;
    let frames = u64::from_le_bytes(*frames);
    let columns = unpack(packed, rate, frames).ok_or(WaveformBytesError::Damaged)?;
    Ok(Waveform::from_columns(rate, frames, columns))
}

fn pack(fields: &[u8], out: &mut Vec<u8>) {
    let raw_deflate = -15;
    let flags =
        create_comp_flags_from_zip_params(1, raw_deflate, CompressionStrategy::HuffmanOnly as i32);
    let mut compressor = Box::new(CompressorOxide::new(flags));
    compress_to_output(&mut compressor, fields, TDEFLFlush::Finish, |piece| {
        out.extend_from_slice(piece);
        true
    });
}

fn unpack(packed: &[u8], rate: SampleRate, frames: u64) -> Option<Vec<Column>> {
    let count = frames
        .checked_mul(u64::from(COLUMNS_PER_SECOND))?
        .div_ceil(u64::from(rate.hz()));
    let bytes = count.checked_mul(FIELDS as u64)?;
    if bytes > (packed.len() as u64).saturating_mul(GREATEST_RATIO) {
        return None;
    }
    let bytes = usize::try_from(bytes).ok()?;
    let fields = miniz_oxide::inflate::decompress_to_vec_with_limit(packed, bytes).ok()?;
    (fields.len() == bytes).then(|| join_fields(&fields))
}

/// Field after field, as differences.
fn split_fields(columns: &[Column]) -> Vec<u8> {
    let rows: &[[u8; FIELDS]] = bytemuck::cast_slice(columns);
    let mut out = Vec::with_capacity(rows.len() * FIELDS);
    for field in 0..FIELDS {
        let mut before = 0_u8;
        out.extend(rows.iter().map(|row| {
            let difference = row[field].wrapping_sub(before);
            before = row[field];
            difference
        }));
    }
    out
}

fn join_fields(fields: &[u8]) -> Vec<Column> {
    let count = fields.len() / FIELDS;
    let mut columns = vec![Column::default(); count];
    let rows: &mut [[u8; FIELDS]] = bytemuck::cast_slice_mut(&mut columns);
    for (field, differences) in fields.chunks_exact(count.max(1)).enumerate().take(FIELDS) {
        let mut value = 0_u8;
        for (row, difference) in rows.iter_mut().zip(differences) {
            value = value.wrapping_add(*difference);
            row[field] = value;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(columns: usize) -> Waveform {
        let rate = SampleRate::new(44_100).unwrap();
        let column = |index: usize| Column {
            min: -((index % 120) as i8),
            max: (index * 7 % 128) as i8,
            rms: (index % 200) as u8,
            low: (index / 3 % 256) as u8,
            mid: (index * index % 256) as u8,
            high: 255,
        };
        Waveform::from_columns(
            rate,
            columns as u64 * 147,
            (0..columns).map(column).collect(),
        )
    }

    #[test]
    fn stored_waveforms_come_back_whole() {
        for columns in [0, 1, 511, 513, 20_000] {
            let waveform = sample(columns);
            assert_eq!(decode(&encode(&waveform)), Ok(waveform), "{columns}");
        }
    }

    #[test]
    fn the_first_version_stays_readable() {
        let bytes = [84, 65, 87, 70, 1, 68, 172, 0, 0, 38, 1, 0, 0, 0, 0, 0, 0];
        assert_eq!(encode(&sample(2))[..bytes.len()], bytes);
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let mut bytes = encode(&sample(10));
        bytes[4] = 2;
        assert_eq!(decode(&bytes), Err(WaveformBytesError::Newer(2)));
        assert_eq!(
            decode(b"RIFFxxxxWAVEfmt xxxxx"),
            Err(WaveformBytesError::Foreign)
        );
        assert_eq!(decode(b"TAW"), Err(WaveformBytesError::Short));
    }

    #[test]
    fn a_claim_of_endless_sound_is_refused_before_memory_is_taken() {
        let mut bytes = encode(&sample(10));
        let end = bytes.len() - CHECKSUM_BYTES;
        for frames in [u64::MAX, 1 << 60, 1 << 40] {
            bytes[9..17].copy_from_slice(&frames.to_le_bytes());
            let checksum = crc32fast::hash(&bytes[..end]).to_le_bytes();
            bytes[end..].copy_from_slice(&checksum);
            assert_eq!(decode(&bytes), Err(WaveformBytesError::Damaged));
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = encode(&sample(300));
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            harms in prop::collection::vec((0..2_000_usize, any::<u8>()), 0..8),
            reseal in any::<bool>(),
        ) {
            let mut bytes = encode(&sample(700));
            let length = bytes.len();
            for (at, byte) in harms {
                bytes[at % length] = byte;
            }
            if reseal {
                let end = length - CHECKSUM_BYTES;
                let checksum = crc32fast::hash(&bytes[..end]).to_le_bytes();
                bytes[end..].copy_from_slice(&checksum);
            }
            if let Ok(waveform) = decode(&bytes) {
                prop_assert!(!waveform.levels.is_empty());
            }
        }

        #[test]
        fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&bytes).is_err());
        }
    }
}
