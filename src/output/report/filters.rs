//! The filters of the templates: numbers for people, and texts that mean nothing where they stand.

use std::time::Duration;

use minijinja::value::ValueKind;
use minijinja::{Environment, Value};

use crate::ui::numbers::{grouped, lasting, sized};
use crate::ui::shown::Shown;

/// Adds the filters to `environment`.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("grouped", number);
    environment.add_filter("size", |value: &Value| {
        value
            .as_usize()
            .map_or_else(String::new, |bytes| sized(bytes as u64))
    });
    environment.add_filter("seconds", |value: &Value| {
        f64::try_from(value.clone()).map_or_else(|_| String::new(), seconds)
    });
    environment.add_filter("longest", longest);
    environment.add_filter("shown", |value: &Value| shown(&text(value)));
    environment.add_filter("md", |value: &Value| markdown(&text(value)));
    environment.add_filter("xml", |value: &Value| xml(&text(value)));
}

/// A value as it is printed. None and what is not there is nothing.
fn text(value: &Value) -> String {
    if value.is_none() || value.is_undefined() {
        return String::new();
    }
    value.to_string()
}

fn number(value: &Value) -> String {
    if value.kind() == ValueKind::Number {
        grouped(value)
    } else {
        String::new()
    }
}

/// A time: `0.01 s`, `12.3 s`, `1 min 12 s`, `2 h 3 min`.
fn seconds(seconds: f64) -> String {
    match seconds {
        ..1.0 => format!("{seconds:.2} s"),
        ..59.95 => format!("{seconds:.1} s"),
        _ => Duration::try_from_secs_f64(seconds.round()).map_or_else(|_| String::new(), lasting),
    }
}

/// The `count` parts that last longest, in the order of their begin.
fn longest(parts: Vec<Value>, count: usize) -> Vec<Value> {
    let time = |part: &Value, key: &str| {
        let time = part.get_attr(key).and_then(f64::try_from);
        time.unwrap_or(0.0)
    };
    let lasts = |part: &Value| time(part, "end") - time(part, "begin");
    let mut parts = parts;
    parts.sort_by(|a, b| lasts(b).total_cmp(&lasts(a)));
    parts.truncate(count);
    parts.sort_by(|a, b| time(a, "begin").total_cmp(&time(b, "begin")));
    parts
}

/// `text` with what is not visible written as `\u{…}`: it may hide something, or turn the text around.
fn shown(text: &str) -> String {
    Shown(text).to_string()
}

/// `text` in a cell of a table, or in a line, of Markdown as GitLab and GitHub have it, without a meaning of its own.
fn markdown(text: &str) -> String {
    let line = text.replace(['\r', '\n', '\t'], " ");
    let line = shown(&line);
    let line = line.trim();
    let mut escaped = String::with_capacity(line.len());
    let mut characters = line.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let is_word = next.is_some_and(|next| next.is_alphanumeric() || next == '_');
        match c {
            // A mention tells somebody, and a reference links something, if the sign and the name are in one text.
            '@' | '#' if is_word => {
                escaped.push('\\');
                escaped.push(c);
                escaped.push_str("<!-- -->");
            }
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '$'
            | '&' | '@' | '!' | '%' | '^' => {
                escaped.push('\\');
                escaped.push(c);
            }
            // An address would become a link, and a word in colons a picture.
            ':' if next.is_some_and(|next| next == '/' || next.is_ascii_alphabetic()) => {
                escaped.push_str("\\:");
            }
            '.' if line[..at].to_ascii_lowercase().ends_with("www") => escaped.push_str("\\."),
            // A list, or the line below a heading.
            '-' | '+' | '=' if at == 0 => {
                escaped.push('\\');
                escaped.push(c);
            }
            '.' | ')'
                if at > 0
                    && next.is_none_or(char::is_whitespace)
                    && line[..at].bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// `text` between tags or in an attribute of XML. What is not visible is shown, so nothing is left that XML 1.0 forbids
/// (2.2).
fn xml(text: &str) -> String {
    let shown = shown(text);
    let mut escaped = String::with_capacity(shown.len());
    for c in shown.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_has_a_meaning_of_its_own() {
        for (text, expected) in [
            ("a|b`<i>*_[x](y)", "a\\|b\\`\\<i\\>\\*\\_\\[x\\](y)"),
            ("@all #1", "\\@<!-- -->all \\#<!-- -->1"),
            (
                "see https://a.b or www.a.b",
                "see https\\://a.b or www\\.a.b",
            ),
            ("a\nb\u{7}", "a b\\\\u\\{7\\}"),
            ("- x", "\\- x"),
            ("12. x 1.5", "12\\. x 1.5"),
            ("0.1.0", "0.1.0"),
        ] {
            assert_eq!(markdown(text), expected);
        }
        let text = "<a b='\"'>\u{1b}\u{202e}&";
        let expected = "&lt;a b=&#39;&quot;&#39;&gt;\\u{1b}\\u{202e}&amp;";
        assert_eq!(xml(text), expected);
    }

    #[test]
    fn times_are_short() {
        let shown = [0.004, 0.25, 12.34, 72.0, 7400.0].map(seconds);
        let expected = ["0.00 s", "0.25 s", "12.3 s", "1 min 12 s", "2 h 3 min"];
        assert_eq!(shown, expected);
    }
}
