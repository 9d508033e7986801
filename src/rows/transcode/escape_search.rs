//! Searches a text for the bytes that need an escape, or are one: sixteen bytes at a time.

use wide::u8x16;

/// So many bytes are examined together.
pub(super) const BLOCK: usize = 16;

/// The bytes that end a run of plain bytes: quote, backslash and NUL; in COPY's text format also the other control
/// characters up to the carriage return, such as tab and line ends. In that format some escapes are plain, since
/// they mean the same in both notations.
#[derive(Debug, Clone, Copy)]
pub(super) struct EscapeSearch {
    quote: u8,
    /// The highest control character that ends a run.
    last_control: u8,
    keeps_escapes: bool,
}

/// The bytes behind a backslash in the escapes that are the same in both notations. A backslash would be one
/// more, but runs of backslashes are handled byte by byte.
const KEPT: [u8; 4] = [b'n', b'r', b't', b'b'];

impl EscapeSearch {
    pub(super) fn new(quote: u8, is_copy_text: bool) -> Self {
        EscapeSearch {
            quote,
            last_control: if is_copy_text { b'\r' } else { 0 },
            keeps_escapes: is_copy_text,
        }
    }

    /// The same, in a text in which a backslash escapes nothing: each one ends a run.
    pub(super) fn without_escapes(self) -> Self {
        EscapeSearch {
            keeps_escapes: false,
            ..self
        }
    }

    /// Whether `byte` ends a run, whatever follows it.
    pub(super) fn stops_at(self, byte: u8) -> bool {
        byte == self.quote || byte == b'\\' || byte <= self.last_control
    }

    /// The position of the first byte in `block` that ends a run; [`BLOCK`] if there is none. The block must not begin
    /// within an escape, and the result does not cut one.
    #[inline]
    pub(super) fn first(self, block: &[u8; BLOCK]) -> usize {
        let bytes = u8x16::from(*block);
        let is_control = bytes.min(u8x16::splat(self.last_control)).simd_eq(bytes);
        let is_quote = bytes.simd_eq(u8x16::splat(self.quote));
        let is_backslash = bytes.simd_eq(u8x16::splat(b'\\'));
        let mut special = (is_control | is_quote | is_backslash).to_bitmask();
        if self.keeps_escapes {
            let backslashes = is_backslash.to_bitmask();
            // Of two in a row it is unknown here which one is escaped.
            if backslashes & backslashes << 1 == 0 {
                let [n, r, t, b] = KEPT.map(|letter| bytes.simd_eq(u8x16::splat(letter)));
                let letters = (n | r | t | b).to_bitmask();
                special &= !(backslashes & letters >> 1);
            }
        }
        // One more bit above the block, so that there is always a first one.
        (special | 1 << BLOCK).trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_of_a_block_is_found() {
        for is_copy_text in [false, true] {
            let search = EscapeSearch::new(b'\'', is_copy_text);
            for byte in 0..=255u8 {
                for at in 0..BLOCK {
                    // What follows the first is of no consequence.
                    let mut block = [b'\\'; BLOCK];
                    block[..at].fill(b'x');
                    block[at] = byte;
                    let expected = if search.stops_at(byte) { at } else { at + 1 };
                    assert_eq!(search.first(&block), expected, "{byte} at {at}");
                }
            }
            assert!(
                search.stops_at(0)
                    && search.stops_at(b'\n') == is_copy_text
                    && !search.stops_at(0x1b)
            );
        }
    }

    #[test]
    fn escapes_that_stay_as_they_are_do_not_end_a_run() {
        let search = EscapeSearch::new(b'\'', true);
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..100_000 {
            let block: [u8; BLOCK] =
                std::array::from_fn(|_| *rng.choice(br"\\nrtbxyzxyz0'").unwrap_or(&b'x'));
            let found = search.first(&block);
            let mut at = 0;
            // An escape is passed over as a whole; one that is cut by the end is not.
            while at < found {
                match block[at] {
                    b'\\' => {
                        assert!(KEPT.contains(&block[at + 1]), "{block:?} at {at}");
                        at += 2;
                    }
                    byte => {
                        assert!(!search.stops_at(byte), "{block:?} at {at}");
                        at += 1;
                    }
                }
            }
            assert_eq!(at, found, "{block:?}: an escape was cut");
            assert!(found == BLOCK || search.stops_at(block[found]), "{block:?}");
        }
        let plain = search.first(br"a\nb\tc\rd\be'xx");
        assert_eq!(plain, 13);
        assert_eq!(
            EscapeSearch::new(b'\'', false).first(br"a\nb\tc\rd\be'xx"),
            1
        );
    }
}
