//! What PostgreSQL accepts as JSON: RFC 8259, for `json` whatever the escapes stand for, for `jsonb` without NUL.

use memchr::memmem;

/// PostgreSQL's parser is recursive, and refuses what is nested deeper than its stack allows. MySQL allows 100 levels, and
/// MariaDB 32.
const MAX_DEPTH: usize = 1000;

/// Whether a `jsonb` cannot hold `text`, which is JSON, because of the escape `\u0000`.
pub(super) fn has_nul(text: &[u8]) -> bool {
    memmem::find_iter(text, b"\\u0000").any(|at| {
        let backslashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\');
        // An even count of backslashes before it are characters of their own.
        backslashes.count() % 2 == 0
    })
}

/// Whether `text` is JSON.
pub(super) fn is_json(text: &[u8]) -> bool {
    let mut parser = Parser {
        rest: text,
        open: Vec::new(),
    };
    parser.document().is_some()
}

struct Parser<'a> {
    rest: &'a [u8],
    /// The brackets that close what is open.
    open: Vec<u8>,
}

impl Parser<'_> {
    /// Each method returns none if the text is not JSON.
    fn document(&mut self) -> Option<()> {
        loop {
            self.value()?;
            // A value is complete: it may complete what contains it.
            loop {
                let Some(close) = self.open.last().copied() else {
                    return (self.next() == 0 && self.rest.is_empty()).then_some(());
                };
                match self.next() {
                    b',' => {
                        self.take(1);
                        if close == b'}' {
                            self.key()?;
                        }
                        break;
                    }
                    byte if byte == close => {
                        self.take(1);
                        self.open.pop();
                    }
                    _ => return None,
                }
            }
        }
    }

    /// A value, or the beginning of one that has others in it, up to the first of these.
    fn value(&mut self) -> Option<()> {
        loop {
            let byte = self.next();
            if !matches!(byte, b'{' | b'[') {
                return self.scalar(byte);
            }
            self.take(1);
            let close = if byte == b'{' { b'}' } else { b']' };
            if self.next() == close {
                self.take(1);
                return Some(());
            }
            self.open.push(close);
            if self.open.len() > MAX_DEPTH {
                return None;
            }
            if close == b'}' {
                self.key()?;
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        if self.next() != b'"' {
            return None;
        }
        self.string()?;
        if self.next() != b':' {
            return None;
        }
        self.take(1);
        Some(())
    }

    fn scalar(&mut self, first: u8) -> Option<()> {
        match first {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let words: [&[u8]; 3] = [b"true", b"false", b"null"];
                let word = words.iter().find(|word| self.rest.starts_with(word))?;
                self.take(word.len());
                let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
                (!self.rest.first().is_some_and(goes_on)).then_some(())
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.take(1);
        loop {
            let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
            let end = self.rest.iter().position(ends)?;
            let byte = self.rest[end];
            self.take(end + 1);
            match byte {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let escaped = *self.rest.first()?;
        self.take(1);
        match escaped {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.rest.get(..4)?;
                let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
                self.take(4);
                is_hex.then_some(())
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        self.skip(b"-");
        if self.rest.first() == Some(&b'0') {
            self.take(1);
        } else {
            self.digits()?;
        }
        if self.skip(b".") {
            self.digits()?;
        }
        if self.skip(b"e") || self.skip(b"E") {
            let _ = self.skip(b"+") || self.skip(b"-");
            self.digits()?;
        }
        let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
        (!self.rest.first().is_some_and(goes_on)).then_some(())
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.take(count);
        (count > 0).then_some(())
    }

    fn skip(&mut self, bytes: &[u8]) -> bool {
        let is_here = self.rest.starts_with(bytes);
        if is_here {
            self.take(bytes.len());
        }
        is_here
    }

    /// The next byte that is no white space, or 0 at the end.
    fn next(&mut self) -> u8 {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.take(self.rest.iter().take_while(blank).count());
        self.rest.first().copied().unwrap_or(0)
    }

    fn take(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_from_what_is_not() {
        for text in [
            "{}",
            " [ ] ",
            r#"{"a":1,"a":{"b":[1,-2.50e+3,true,null,"x"]}}"#,
            "0",
            "-0.0",
            r#""\u0000\ud800 é\/""#,
            "[[],{},[{}]]",
            "\t1\n",
        ] {
            assert!(is_json(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            " ",
            "{",
            "]",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{1:2}",
            "[1 2]",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "nulla",
            "NULL",
            "tru",
            "'a'",
            "\"a",
            "\"\n\"",
            r#""\x""#,
            r#""\u12g4""#,
            "1 2",
            "[1}",
            "{}}",
            "NaN",
            "\u{a0}1",
        ] {
            assert!(!is_json(text.as_bytes()), "{text}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_json(nested(MAX_DEPTH).as_bytes()));
        // The innermost brackets have nothing in them.
        assert!(!is_json(nested(MAX_DEPTH + 2).as_bytes()));
    }

    #[test]
    fn escapes_of_nul_are_found() {
        for (text, expected) in [
            (r#""\u0000""#, true),
            (r#""a\\\u0000""#, true),
            (r#""\\u0000""#, false),
            (r#""u0000""#, false),
            (r#""\\u0000\u0000""#, true),
        ] {
            assert_eq!(has_nul(text.as_bytes()), expected, "{text}");
        }
    }
}
