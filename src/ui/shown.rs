//! Names and texts of others on a line for people.
//!
//! A name may have anything: line ends that would forge a line, control characters that a terminal obeys, characters that
//! turn the direction of what follows or that nobody sees. They are escaped where a line is written.

use std::fmt::{self, Display, Formatter, Write};

/// Characters that nobody sees, besides those that Unicode calls control, format, separator or not assigned: each is
/// ignored when it is displayed, or looks like a space.
const INVISIBLE: [(char, char); 10] = [
    ('\u{34f}', '\u{34f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// A text as a part of one line: what is not visible is shown as `\u{…}`.
#[derive(Debug, Clone, Copy)]
pub struct Shown<T>(pub T);

impl<T: Display> Display for Shown<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.chars().all(is_visible) {
            return self.0.write_str(text);
        }
        for c in text.chars() {
            if is_visible(c) {
                self.0.write_char(c)?;
            } else {
                write!(self.0, "{}", c.escape_unicode())?;
            }
        }
        Ok(())
    }
}

/// A name in a list whose columns are separated by spaces: in quotes if it has any.
#[must_use]
pub fn in_column(name: &str) -> String {
    if name.is_empty() || name.contains([' ', '"']) {
        return format!("\"{}\"", Shown(name.replace('"', "\"\"")));
    }
    Shown(name).to_string()
}

/// `json` with characters that a terminal would not show written as `\u….`, which means the same.
#[must_use]
pub fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        // The line ends between values are the only control characters: in a text they are escaped.
        if c == '\n' || is_visible(c) {
            shown.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    shown
}

/// `text` as a word of a shell.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Writes `text` as one line.
pub fn line(to: &mut impl Write, text: impl Display) -> fmt::Result {
    writeln!(to, "{}", Shown(text))
}

/// Whether a character is displayed as itself, and nothing else changes by it.
#[must_use]
pub fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_control();
    }
    if INVISIBLE
        .iter()
        .any(|(from, to)| (*from..=*to).contains(&c))
    {
        return false;
    }
    // The standard library knows what is printable. Behind another character, it does not escape an accent.
    let mut buffer = [b'a', 0, 0, 0, 0];
    let length = c.encode_utf8(&mut buffer[1..]).len();
    let behind = std::str::from_utf8(&buffer[..=length]).unwrap_or_default();
    behind.escape_debug().nth(1) == Some(c)
}

/// Writes a line like `writeln!`, with what is not visible escaped.
macro_rules! write_line {
    ($to:expr, $($text:tt)*) => {
        $crate::ui::shown::line($to, format_args!($($text)*))
    };
}

pub(crate) use write_line;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_visible_is_escaped() {
        for (text, expected) in [
            ("a\nb\tc\r", "a\\u{a}b\\u{9}c\\u{d}"),
            ("\u{1b}[2J\0\u{7f}\u{9b}", "\\u{1b}[2J\\u{0}\\u{7f}\\u{9b}"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
            ("\u{200b}\u{feff}\u{ad}", "\\u{200b}\\u{feff}\\u{ad}"),
            ("\u{2028}\u{2029}\u{85}", "\\u{2028}\\u{2029}\\u{85}"),
            ("\u{e0041}\u{378}\u{e000}", "\\u{e0041}\\u{378}\\u{e000}"),
            ("\u{a0}\u{3164}\u{2800}", "\\u{a0}\\u{3164}\\u{2800}"),
            (
                "é e\u{301} हिन्दी 日本 … – ‘😀’ \\ \"",
                "é e\u{301} हिन्दी 日本 … – ‘😀’ \\ \"",
            ),
        ] {
            assert_eq!(Shown(text).to_string(), expected);
        }
        let mut text = String::new();
        write_line!(&mut text, "{}: {}", "a\nb", 1).unwrap();
        assert_eq!(text, "a\\u{a}b: 1\n");
        assert_eq!(in_column("a  5"), "\"a  5\"");
        assert_eq!(in_column("a"), "a");
        for (text, expected) in [("a/b-c", "a/b-c"), ("", "''"), ("it's $x", "'it'\\''s $x'")] {
            assert_eq!(shell_word(text), expected);
        }
    }
}
