//! Takes fields off the front of received bytes.

use super::{DecodeError, MAX_TEXT};
use crate::identity::Token;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let Some((head, tail)) = self.0.split_first_chunk() else {
            return Err(DecodeError::Short {
                field,
                needed: N,
                left: self.0.len(),
            });
        };
        self.0 = tail;
        Ok(*head)
    }

    pub(crate) fn bytes(
        &mut self,
        field: &'static str,
        length: usize,
    ) -> Result<&'a [u8], DecodeError> {
        let Some((head, tail)) = self.0.split_at_checked(length) else {
            return Err(DecodeError::Short {
                field,
                needed: length,
                left: self.0.len(),
            });
        };
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.array(field).map(i32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_be_bytes)
    }

    pub(crate) fn f64(&mut self, field: &'static str) -> Result<f64, DecodeError> {
        self.array(field).map(f64::from_be_bytes)
    }

    pub(crate) fn token(&mut self, field: &'static str) -> Result<Token, DecodeError> {
        self.array(field).map(Token)
    }

    /// A `u32` that always has the same value.
    pub(crate) fn expect_u32(
        &mut self,
        field: &'static str,
        wanted: u32,
    ) -> Result<(), DecodeError> {
        match self.u32(field)? {
            value if value == wanted => Ok(()),
            value => Err(DecodeError::Unknown {
                field,
                value: u64::from(value),
            }),
        }
    }

    /// A number of things of at least `size` bytes each, which must therefore be there.
    pub(crate) fn count(&mut self, field: &'static str, size: usize) -> Result<usize, DecodeError> {
        let length = self.u32(field)? as usize;
        let limit = self.0.len() / size.max(1);
        if length > limit {
            return Err(DecodeError::Long {
                field,
                length,
                limit,
            });
        }
        Ok(length)
    }

    /// `None` is the null string. Halves of pairs that stand alone become `U+FFFD`: names with
    /// such damage exist on sticks, and one of them must not end the conversation.
    pub(crate) fn text_or_null(
        &mut self,
        field: &'static str,
    ) -> Result<Option<String>, DecodeError> {
        let length = self.u32(field)?;
        if length == u32::MAX {
            return Ok(None);
        }
        let length = length as usize;
        if length > MAX_TEXT {
            return Err(DecodeError::Long {
                field,
                length,
                limit: MAX_TEXT,
            });
        }
        if !length.is_multiple_of(2) {
            return Err(DecodeError::NotText { field });
        }
        let bytes = self.bytes(field, length)?;
        let units = bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|unit| u16::from_be_bytes(*unit));
        Ok(Some(
            char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
        ))
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Result<String, DecodeError> {
        Ok(self.text_or_null(field)?.unwrap_or_default())
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn end(self) -> Result<(), DecodeError> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing { left }),
        }
    }
}
