//! Finds the structural characters of rows, sixty-four bytes at a time: parentheses and semicolons
//! outside of strings.

use wide::u8x16;

/// So many bytes are examined together: one for each bit of a mask.
pub(super) const BLOCK: usize = 64;

/// Whether the next byte is in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StringState {
    /// In a string in single quotes.
    pub(super) in_string: bool,
    /// Behind a backslash in the string.
    pub(super) escaped: bool,
}

/// The bytes `'`, `\`, other quotes, and parentheses and semicolons of a block, as masks: bit n is
/// byte n.
#[derive(Default)]
struct Masks {
    quotes: u64,
    backslashes: u64,
    other_quotes: u64,
    structure: u64,
}

/// The structural characters of `block` as a mask, and the state of the byte behind the block. None if the
/// block must be examined byte by byte: it has other quotes or backslashes outside of strings. Without `ESCAPES` a
/// backslash is an ordinary character.
#[inline]
pub(super) fn structural_mask<const ESCAPES: bool>(
    block: &[u8; BLOCK],
    state: StringState,
) -> Option<(u64, StringState)> {
    let masks = masks::<ESCAPES>(block);
    let (escaped, carry) = escaped(masks.backslashes, state.escaped);
    let quotes = masks.quotes & !escaped;
    // From each opening quote up to its closing one, exclusive.
    let in_strings = odd_before(quotes) ^ if state.in_string { u64::MAX } else { 0 };
    if (masks.backslashes | masks.other_quotes) & !in_strings != 0 {
        return None;
    }
    let behind = StringState {
        in_string: state.in_string ^ (quotes.count_ones() % 2 == 1),
        escaped: carry,
    };
    Some((masks.structure & !in_strings, behind))
}

#[inline]
fn masks<const ESCAPES: bool>(block: &[u8; BLOCK]) -> Masks {
    let mut masks = Masks::default();
    let (parts, _) = block.as_chunks::<16>();
    for (number, part) in parts.iter().enumerate() {
        let bytes = u8x16::from(*part);
        let is = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
        let mask = |found: u8x16| u64::from(found.to_bitmask()) << (16 * number);
        // The parentheses differ in their lowest bit only.
        let parentheses = (bytes | u8x16::splat(1)).simd_eq(u8x16::splat(b')'));
        masks.quotes |= mask(is(b'\''));
        if ESCAPES {
            masks.backslashes |= mask(is(b'\\'));
        }
        masks.other_quotes |= mask(is(b'"') | is(b'`'));
        masks.structure |= mask(parentheses | is(b';'));
    }
    masks
}

/// The bits with odd numbers.
const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;

/// The bytes that a backslash escapes, and whether the byte behind the block is escaped. In a run of
/// backslashes every second one is escaped, and so is the byte behind a run of odd length. One addition
/// finds the ends of all runs, without a branch.
#[inline]
fn escaped(backslashes: u64, first_is: bool) -> (u64, bool) {
    let first = u64::from(first_is);
    let backslashes = backslashes & !first;
    let behind = backslashes << 1 | first;
    let begins_odd = backslashes & ODD & !behind;
    // The addition clears the runs that begin at an odd place, and sets the bit behind each; the others are unchanged.
    let (sum, carry) = begins_odd.overflowing_add(backslashes);
    ((!ODD ^ sum << 1) & behind, carry)
}

/// Bit n is set if an odd number of the bits up to n are.
#[inline]
fn odd_before(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, byte by byte.
    fn slowly(block: &[u8; BLOCK], mut state: StringState) -> Option<(u64, StringState)> {
        let mut structure = 0;
        for (at, byte) in block.iter().enumerate() {
            if std::mem::take(&mut state.escaped) {
                continue;
            }
            match byte {
                b'\'' => state.in_string ^= true,
                b'\\' if state.in_string => state.escaped = true,
                b'\\' | b'"' | b'`' if !state.in_string => return None,
                b'(' | b')' | b';' if !state.in_string => structure |= 1 << at,
                _ => {}
            }
        }
        Some((structure, state))
    }

    #[test]
    fn blocks_are_as_byte_by_byte() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut with_structure = 0;
        for round in 0..200_000 {
            let bytes: &[u8] = match round % 3 {
                0 => b"'\\();x,",
                1 => b"''\\\\xxxxxxxxxx(),;\"`",
                _ => b"'xxxxxxxxxxxxxxxxxxxxxx()",
            };
            let block: [u8; BLOCK] = std::array::from_fn(|_| bytes[random.usize(..bytes.len())]);
            let in_string = random.bool();
            let state = StringState {
                in_string,
                escaped: in_string && random.bool(),
            };
            let found = structural_mask::<true>(&block, state);
            with_structure += u64::from(found.is_some_and(|(mask, _)| mask != 0));
            let shown = String::from_utf8_lossy(&block);
            assert_eq!(found, slowly(&block, state), "{shown} {state:?}");
        }
        assert!(with_structure > 10_000);
    }
}
