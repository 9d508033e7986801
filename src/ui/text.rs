//! Texts as a terminal may show them: without control characters, in lines that are not too long.

use std::borrow::Cow;

use super::shown::is_visible;

/// Escapes what is not visible in a text of several lines, whose writers have escaped the line ends in names.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| !is_visible(c) && !matches!(c, '\n' | '\t');
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// A column of a list that begins behind this one is too narrow to be continued below itself.
const LAST_INDENT: usize = 40;

/// Breaks lines of `text` that have more than `width` characters between words. A longer word stays as it is.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| wrapped_line(line, width))
        .collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let content = line.trim_start_matches(' ');
    let indent = line.len() - content.len();
    let mut out = " ".repeat(indent);
    let hanging = hanging_indent(content) + indent;
    let mut column = indent;
    let mut spaces = 0;
    for word in content.split(' ') {
        let length = word.chars().count();
        if length == 0 {
            spaces += 1;
            continue;
        }
        if column + spaces + length > width && column > indent {
            out.push('\n');
            column = hanging;
            spaces = column;
        } else {
            column += spaces;
        }
        out += &" ".repeat(spaces);
        out += word;
        column += length;
        spaces = 1;
    }
    out
}

/// By how much the rest of `line` is indented: as its last column, if it is a row of a list, otherwise by two.
fn hanging_indent(line: &str) -> usize {
    let start: String = line.chars().take(LAST_INDENT).collect();
    let is_list = start
        .rfind("  ")
        .filter(|at| !start[*at..].trim_start().is_empty());
    is_list.map_or(2, |at| start[..at + 2].chars().count())
}

/// The first `width` characters of `line`; if it has more, the last of them is an ellipsis.
pub(super) fn shortened(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_gets_to_a_terminal() {
        assert_eq!(harmless("a\n\tü"), "a\n\tü");
        assert_eq!(
            harmless("\u{1b}[2J\r\0\u{9b}x"),
            "\\u{1b}[2J\\u{d}\\u{0}\\u{9b}x"
        );
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        let cases = [
            ("short\n  lines\n", "short\n  lines\n"),
            ("one two three", "one two\n  three"),
            ("  one two three", "  one two\n    three"),
            ("a    b  c dd", "a    b  c\n        dd"),
            ("/a/path/that/is/long x", "/a/path/that/is/long\n  x"),
            ("üü üü üü üü", "üü üü üü\n  üü"),
        ];
        for (text, expected) in cases {
            assert_eq!(wrapped(text, 10), expected, "{text:?}");
        }
    }
}
