//! Finds where the rows of an INSERT end, and where its statement does.
//!
//! It is fast: only quotes, backslashes, parentheses and the end of the statement matter, and they are
//! searched in whole blocks.

use memchr::memchr2;

use super::piece::{Piece, Scanned};
use super::structural_mask::{BLOCK, StringState, structural_mask};
use crate::dump::charset::Multibyte;
use crate::dump::quoting::Quoting;

/// What was found in a slice of rows.
#[derive(Default)]
struct Found {
    /// How many rows end in it, and where the last of them does.
    rows: u32,
    last_end: Option<usize>,
    /// Where the statement ends, if it does.
    statement_end: Option<usize>,
}

/// A resumable scanner of rows.
#[derive(Debug, Clone)]
pub(super) struct RowScanner {
    /// Depth of parentheses.
    depth: u32,
    /// The quote of the string we are in, and whether a backslash came just before.
    quote: Option<u8>,
    escaped: bool,
    /// Which bytes may be half a character, although they look like a quote or a backslash; and whether the
    /// first half of one ended the last slice.
    multibyte: Multibyte,
    after_lead: bool,
    quoting: Quoting,
    /// The last byte of the slices before this one that is not blank.
    last_byte: u8,
    /// Whether a clause behind the rows is read.
    in_clause: bool,
}

impl Default for RowScanner {
    fn default() -> Self {
        RowScanner {
            depth: 0,
            quote: None,
            escaped: false,
            multibyte: Multibyte::None,
            after_lead: false,
            quoting: Quoting::default(),
            last_byte: b',',
            in_clause: false,
        }
    }
}

impl RowScanner {
    /// Sets how quotes and backslashes are read from here on.
    pub(super) fn set_quoting(&mut self, quoting: Quoting) {
        self.quoting = quoting;
    }

    /// Sets the character set of the texts from here on.
    pub(super) fn set_multibyte(&mut self, multibyte: Multibyte) {
        self.multibyte = multibyte;
    }

    /// The rows of a statement begin.
    pub(super) fn begin(&mut self) {
        self.depth = 0;
        self.quote = None;
        self.escaped = false;
        self.last_byte = b',';
        self.in_clause = false;
    }

    /// Scans `input` up to the end of the statement, or to its own end.
    pub(super) fn scan(&mut self, input: &[u8]) -> Scanned {
        // The blocks are examined by code of its own for each mode, so that the usual one stays fast.
        if self.quoting.backslash_escapes {
            self.scan_in_mode::<true>(input)
        } else {
            self.scan_in_mode::<false>(input)
        }
    }

    fn scan_in_mode<const ESCAPES: bool>(&mut self, input: &[u8]) -> Scanned {
        // The byte behind a backslash at the end of the last slice is escaped.
        let mut at = usize::from(self.escaped && !input.is_empty());
        self.escaped &= input.is_empty();
        if let Some(first) = input.first()
            && std::mem::take(&mut self.after_lead)
        {
            at = usize::from(self.multibyte.is_trail(*first));
        }
        let mut found = Found::default();
        // Go byte by byte up to here.
        let mut slow_until = at;
        while at < input.len() {
            if at >= slow_until
                && let Some(block) = self.block(input, at)
            {
                at = self.scan_blocks::<ESCAPES>(input, at, block, &mut found);
                slow_until = at + BLOCK;
            } else if let Some(quote) = self.quote {
                at = self.scan_string(input, at, quote);
            } else {
                match input[at] {
                    byte @ (b'\'' | b'"' | b'`') => self.quote = Some(byte),
                    byte => self.structural(input, byte, at, &mut found),
                }
                at += 1;
            }
            if let Some(used) = found.statement_end {
                let Found { rows, last_end, .. } = found;
                return Scanned {
                    used,
                    piece: Piece::LastRows { rows, last_end },
                };
            }
        }
        let mut bytes = input.iter().rev();
        if let Some(last) = bytes.find(|byte| !byte.is_ascii_whitespace()) {
            self.last_byte = *last;
        }
        let Found { rows, last_end, .. } = found;
        Scanned {
            used: input.len(),
            piece: Piece::Rows { rows, last_end },
        }
    }

    /// Takes a byte outside of strings that may be structural.
    fn structural(&mut self, input: &[u8], byte: u8, at: usize, found: &mut Found) {
        match byte {
            b'(' => {
                if self.depth == 0 && !self.follows_comma(input, at) {
                    self.in_clause = true;
                }
                self.depth += 1;
            }
            b')' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 && !self.in_clause {
                    found.rows += 1;
                    found.last_end = Some(at + 1);
                }
            }
            b';' if self.depth == 0 => found.statement_end = Some(at + 1),
            _ => {}
        }
    }

    /// Whether the parenthesis at `at` opens a row: a comma stands before it. In `ON DUPLICATE KEY UPDATE a = VALUES(a)`
    /// none does.
    #[inline]
    fn follows_comma(&self, input: &[u8], at: usize) -> bool {
        let before = &input[..at];
        before.last() == Some(&b',') || self.follows_comma_and_blanks(before)
    }

    fn follows_comma_and_blanks(&self, before: &[u8]) -> bool {
        let mut bytes = before.iter().rev();
        let last = bytes.find(|byte| !byte.is_ascii_whitespace());
        *last.unwrap_or(&self.last_byte) == b','
    }

    /// The block at `at`, if it can be examined as a whole.
    fn block<'a>(&self, input: &'a [u8], at: usize) -> Option<&'a [u8; BLOCK]> {
        let simple = self.multibyte == Multibyte::None && matches!(self.quote, None | Some(b'\''));
        simple.then(|| input[at..].first_chunk()).flatten()
    }

    /// Takes `block`, which begins at `at`, and the following ones, until a block must be examined byte by byte or
    /// the statement ends. Returns the position of the first byte that was not taken.
    fn scan_blocks<'a, const ESCAPES: bool>(
        &mut self,
        input: &'a [u8],
        mut at: usize,
        mut block: &'a [u8; BLOCK],
        found: &mut Found,
    ) -> usize {
        let mut state = StringState {
            in_string: self.quote.is_some(),
            escaped: false,
        };
        while let Some((mut structural, behind)) = structural_mask::<ESCAPES>(block, state) {
            while structural != 0 {
                let index = structural.trailing_zeros() as usize;
                self.structural(input, block[index], at + index, found);
                if found.statement_end.is_some() {
                    self.quote = None;
                    return at;
                }
                structural &= structural - 1;
            }
            state = behind;
            at += BLOCK;
            match input[at..].first_chunk() {
                Some(next) => block = next,
                None => break,
            }
        }
        self.quote = state.in_string.then_some(b'\'');
        self.escaped = state.escaped && at == input.len();
        at + usize::from(state.escaped && at < input.len())
    }

    /// Skips the string that `at` is in, or a part of it; returns the position behind that.
    fn scan_string(&mut self, input: &[u8], at: usize, quote: u8) -> usize {
        if self.multibyte != Multibyte::None {
            return self.scan_multibyte_character(input, at, quote);
        }
        // Where nothing is escaped, only the quote is searched.
        let backslash = if self.quoting.escapes_in(quote) {
            b'\\'
        } else {
            quote
        };
        match memchr2(quote, backslash, &input[at..]) {
            None => input.len(),
            Some(offset) if input[at + offset] == quote => {
                self.quote = None;
                at + offset + 1
            }
            Some(offset) => {
                self.escaped = at + offset + 1 == input.len();
                (at + offset + 2).min(input.len())
            }
        }
    }

    /// As `scan_string`, but one character at a time.
    fn scan_multibyte_character(&mut self, input: &[u8], at: usize, quote: u8) -> usize {
        let byte = input[at];
        if byte == quote {
            self.quote = None;
        } else if byte == b'\\' && self.quoting.escapes_in(quote) {
            self.escaped = at + 1 == input.len();
            return (at + 2).min(input.len());
        } else if self.multibyte.is_lead(byte) {
            match input.get(at + 1) {
                None => self.after_lead = true,
                Some(next) => return at + 1 + usize::from(self.multibyte.is_trail(*next)),
            }
        }
        at + 1
    }
}
