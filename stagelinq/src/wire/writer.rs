//! Puts fields behind each other.

use crate::identity::Token;

/// Bytes of a message under construction.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn i32(&mut self, value: i32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn f64(&mut self, value: f64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn token(&mut self, token: Token) -> &mut Self {
        self.bytes(&token.0)
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.u32(2 * text.encode_utf16().count() as u32);
        for unit in text.encode_utf16() {
            self.u16(unit);
        }
        self
    }

    pub(crate) fn text_or_null(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.u32(u32::MAX),
        }
    }

    /// A frame: the length of what `fill` writes stands before it.
    pub(crate) fn frame(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.0.len();
        self.u32(0);
        fill(self);
        let length = (self.0.len() - start - 4) as u32;
        if let Some(place) = self.0.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        self
    }
}
