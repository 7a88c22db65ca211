//! Bits into bytes, highest first, and the check sums over them.

/// Bits put so far.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// The lowest `waiting` bits are still to become bytes.
    rest: u64,
    waiting: u32,
}

impl Bits {
    /// The lowest `count` bits of `value`, at most 48.
    pub(super) fn put(&mut self, value: u64, count: u32) {
        self.rest = self.rest << count | value & ((1 << count) - 1);
        self.waiting += count;
        while self.waiting >= 8 {
            self.waiting -= 8;
            self.bytes.push((self.rest >> self.waiting) as u8);
        }
    }

    /// `count` bits of 0, then a 1.
    pub(super) fn put_unary(&mut self, mut count: u32) {
        while count >= 32 {
            self.put(0, 32);
            count -= 32;
        }
        self.put(1, count + 1);
    }

    /// A sample of `count` bits, in two's complement.
    pub(super) fn put_signed(&mut self, value: i32, count: u32) {
        self.put(i64::from(value) as u64, count);
    }

    /// A number of up to 36 bits as UTF-8 would write it, were there letters so far up.
    pub(super) fn put_number(&mut self, number: u64) {
        if number < 0x80 {
            self.put(number, 8);
            return;
        }
        // n bytes after the first hold 6 bits each, the first 6 − n.
        let after = (1..6)
            .find(|after| number < 1 << (6 * after + 6 - after))
            .unwrap_or(6);
        let mark = (0xff00_u64 >> (after + 1)) & 0xff;
        self.put(mark | number >> (6 * after), 8);
        for place in (0..after).rev() {
            self.put(0x80 | (number >> (6 * place)) & 0x3f, 8);
        }
    }

    /// Fills the last byte up with 0.
    pub(super) fn align(&mut self) {
        if self.waiting > 0 {
            self.put(0, 8 - self.waiting);
        }
    }

    /// Whole bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn take(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.rest = 0;
        self.waiting = 0;
    }
}

/// x⁸ + x² + x + 1, over headers.
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum: u8, _| {
            if sum & 0x80 == 0 {
                sum << 1
            } else {
                sum << 1 ^ 0x07
            }
        })
    })
}

/// x¹⁶ + x¹⁵ + x² + 1, over whole blocks.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum: u16, byte| {
        let place = usize::from((sum >> 8) as u8 ^ byte);
        sum << 8 ^ CRC16.get(place).copied().unwrap_or_default()
    })
}

/// What a byte adds to the sum.
const CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 0x8000 == 0 {
                sum << 1
            } else {
                sum << 1 ^ 0x8005
            };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_stand_highest_first_and_numbers_like_letters() {
        let mut bits = Bits::default();
        bits.put(0b101, 3);
        bits.put_unary(2);
        bits.put_signed(-1, 5);
        bits.align();
        assert_eq!(bits.bytes(), [0b1010_0111, 0b1110_0000]);
        // As the standard's own examples and UTF-8 have them.
        for (number, written) in [
            (0x7f, vec![0x7f]),
            (0x80, vec![0xc2, 0x80]),
            (0x20ac, vec![0xe2, 0x82, 0xac]),
            (0x1_f600, vec![0xf0, 0x9f, 0x98, 0x80]),
            (0x20_0000, vec![0xf8, 0x88, 0x80, 0x80, 0x80]),
            (0x8000_0000, vec![0xfe, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80]),
        ] {
            let mut bits = Bits::default();
            bits.put_number(number);
            assert_eq!(bits.bytes(), written, "{number:x}");
        }
    }

    #[test]
    fn check_sums_are_those_of_the_catalogue() {
        // CRC-8/SMBUS and CRC-16/UMTS of the nine digits.
        assert_eq!(crc8(b"123456789"), 0xf4);
        assert_eq!(crc16(b"123456789"), 0xfee8);
    }
}
