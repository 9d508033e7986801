//! What the escapes of MySQL's texts become in each format.

/// What an escape is written as: at most four bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Escape {
    bytes: [u8; 4],
    length: usize,
}

impl Escape {
    /// NUL, which no text of PostgreSQL can hold.
    const NUL: Escape = Escape {
        bytes: [0; 4],
        length: 0,
    };

    pub(super) const fn byte(byte: u8) -> Escape {
        Escape {
            bytes: [byte, 0, 0, 0],
            length: 1,
        }
    }

    const fn pair(first: u8, second: u8) -> Escape {
        Escape {
            bytes: [first, second, 0, 0],
            length: 2,
        }
    }

    /// Whether it is NUL. Nothing is written for it.
    pub(super) fn is_nul(self) -> bool {
        self.length == 0
    }

    #[inline]
    pub(super) fn write(self, out: &mut Vec<u8>) {
        // A copy of a fixed size is faster; the excess is truncated.
        out.extend_from_slice(&self.bytes);
        out.truncate(out.len() - (self.bytes.len() - self.length));
    }
}

const fn text_escape(letter: u8) -> Escape {
    match letter {
        b'0' | 0 => Escape::NUL,
        // They mean the same in both formats.
        b'\\' | b'n' | b'r' | b't' | b'b' => Escape::pair(b'\\', letter),
        b'\n' => Escape::pair(b'\\', b'n'),
        b'\r' => Escape::pair(b'\\', b'r'),
        b'\t' => Escape::pair(b'\\', b't'),
        b'Z' => Escape::byte(0x1a),
        b'%' | b'_' => Escape {
            bytes: [b'\\', b'\\', letter, 0],
            length: 3,
        },
        other => Escape::byte(other),
    }
}

/// What a byte behind a backslash stands for.
const fn plain_escape(letter: u8) -> Escape {
    match letter {
        b'0' | 0 => Escape::NUL,
        b'n' => Escape::byte(b'\n'),
        b'r' => Escape::byte(b'\r'),
        b't' => Escape::byte(b'\t'),
        b'b' => Escape::byte(8),
        b'Z' => Escape::byte(0x1a),
        b'%' | b'_' => Escape::pair(b'\\', letter),
        other => Escape::byte(other),
    }
}

/// The escapes of the text format.
pub(super) const TEXT_ESCAPES: [Escape; 256] = table(true);

/// The escapes for a format without escapes.
pub(super) const PLAIN_ESCAPES: [Escape; 256] = table(false);

const fn table(text: bool) -> [Escape; 256] {
    let mut table = [Escape::NUL; 256];
    let mut letter: u8 = 0;
    loop {
        table[letter as usize] = if text {
            text_escape(letter)
        } else {
            plain_escape(letter)
        };
        if letter == u8::MAX {
            return table;
        }
        letter += 1;
    }
}
