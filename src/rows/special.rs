//! Finds the bytes of a text that need work, sixteen at a time.

use wide::u8x16;

/// How many bytes are looked at together.
pub(super) const BLOCK: usize = 16;

/// Which bytes end a plain run: quote, backslash and NUL always; where `lines` says so, also the
/// other control characters up to the carriage return, tab and line ends among them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Special {
    quote: u8,
    /// The highest control character that ends a run.
    last_control: u8,
}

impl Special {
    pub(super) fn new(quote: u8, lines: bool) -> Self {
        Special {
            quote,
            last_control: if lines { b'\r' } else { 0 },
        }
    }

    /// Whether `byte` is special.
    pub(super) fn is(self, byte: u8) -> bool {
        byte == self.quote || byte == b'\\' || byte <= self.last_control
    }

    /// Where in `block` the first special byte is; [`BLOCK`] if there is none.
    #[inline]
    pub(super) fn first(self, block: &[u8; BLOCK]) -> usize {
        let bytes = u8x16::from(*block);
        let is_control = bytes.min(u8x16::splat(self.last_control)).simd_eq(bytes);
        let is_quote = bytes.simd_eq(u8x16::splat(self.quote));
        let is_backslash = bytes.simd_eq(u8x16::splat(b'\\'));
        let special = (is_control | is_quote | is_backslash).to_bitmask();
        // A bit above all of them, so that there is always one.
        (special | 1 << BLOCK).trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_of_a_block_is_found() {
        for lines in [false, true] {
            let special = Special::new(b'\'', lines);
            for byte in 0..=255u8 {
                for at in 0..BLOCK {
                    // What follows the first is of no consequence.
                    let mut block = [b'\\'; BLOCK];
                    block[..at].fill(b'x');
                    block[at] = byte;
                    let expected = if special.is(byte) { at } else { at + 1 };
                    assert_eq!(special.first(&block), expected, "{byte} at {at}");
                }
            }
            assert!(special.is(0) && special.is(b'\n') == lines && !special.is(0x1b));
        }
    }
}
