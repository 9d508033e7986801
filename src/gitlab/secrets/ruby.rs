//! Lines of `/etc/gitlab/gitlab.rb` that set the key, as the task `show_secrets` prints them, too. Ruby is not run: the value
//! must be a string without interpolation.

use std::fmt::Write as _;

use crate::error::{Error, Result};

/// The value of `SECTION['db_key_base'] = "…"` in `text`: of the last such line, as in Ruby.
pub(super) fn assigned(text: &str, section: &str) -> Result<Option<String>> {
    let mut found = None;
    for (number, line) in text.lines().enumerate() {
        if let Some(value) = right_side(line, section) {
            let value = string(value).ok_or_else(|| {
                Error::usage(format!(
                    "line {}: {section}['db_key_base'] is not set to a plain string",
                    number + 1
                ))
                .hint("Ruby is not run; write a file with the key itself")
            })?;
            found = Some(value);
        }
    }
    Ok(found)
}

/// What stands behind `SECTION['db_key_base'] =` in `line`.
fn right_side<'a>(line: &'a str, section: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix(section)?.trim_start();
    let rest = rest.strip_prefix('[')?.trim_start();
    let rest = ["'db_key_base'", "\"db_key_base\"", ":db_key_base"]
        .iter()
        .find_map(|name| rest.strip_prefix(name))?;
    let rest = rest.trim_start().strip_prefix(']')?.trim_start();
    let rest = rest.strip_prefix("||").unwrap_or(rest);
    let rest = rest.strip_prefix('=')?;
    (!rest.starts_with(['=', '~'])).then(|| rest.trim())
}

/// The value of a string literal, behind which there is nothing but a comment.
fn string(literal: &str) -> Option<String> {
    let mut characters = literal.chars();
    let quote = characters.next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut value = String::new();
    loop {
        match characters.next()? {
            c if c == quote => break,
            '\\' if quote == '\'' => match characters.next()? {
                c @ ('\'' | '\\') => value.push(c),
                c => value.extend(['\\', c]),
            },
            '\\' => value.push(escape(&mut characters)?),
            '#' if quote == '"' && characters.as_str().starts_with(['{', '$', '@']) => return None,
            c => value.push(c),
        }
    }
    let rest = characters.as_str().trim_start();
    let rest = rest.strip_prefix(';').unwrap_or(rest).trim_start();
    (rest.is_empty() || rest.starts_with('#')).then_some(value)
}

/// The character of an escape as Ruby's `inspect` writes it; the backslash is read.
fn escape(characters: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match characters.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'e' => '\u{1b}',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        's' => ' ',
        'u' => {
            let rest = characters.as_str();
            let (digits, length) = match rest.strip_prefix('{') {
                Some(rest) => {
                    let end = rest.find('}')?;
                    (&rest[..end], end + 2)
                }
                None => (rest.get(..4)?, 4),
            };
            *characters = rest[length..].chars();
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
        }
        // Bytes, and keys that a terminal sends: no key that was generated has any.
        '0'..='9' | 'x' | 'c' | 'C' | 'M' => return None,
        c => c,
    })
}

/// `text` as a string literal of Ruby.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '#' => literal.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(literal, "\\u{{{:x}}}", u32::from(c));
            }
            c => literal.push(c),
        }
    }
    literal + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments() {
        for (text, expected) in [
            ("gitlab_ci['db_key_base'] = 'abc'", Some("abc")),
            ("gitlab_ci['db_key_base'] = \"abc\"", Some("abc")),
            (
                "  gitlab_ci [ \"db_key_base\" ]='a\\'b\\\\c\\n' # old",
                Some("a'b\\c\\n"),
            ),
            (
                "gitlab_ci[:db_key_base] ||= \"a\\\"\\#{b}\\n\\u00e9\\u{1f600}#\";",
                Some("a\"#{b}\né😀#"),
            ),
            (
                "gitlab_ci['db_key_base'] = 'a'\ngitlab_ci['db_key_base'] = 'b'",
                Some("b"),
            ),
            ("# gitlab_ci['db_key_base'] = 'abc'", None),
            ("gitlab_ci['db_key_base'] == 'abc'", None),
            ("gitlab_ci['secret_token'] = 'abc'", None),
            ("gitlab_rails['db_key_base'] = 'abc'", None),
        ] {
            let found = assigned(text, "gitlab_ci").unwrap();
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        for value in [
            "ENV['KEY']",
            "\"a#{b}\"",
            "\"a#@b\"",
            "'a' + 'b'",
            "'a",
            "\"a\\",
            "\"\\xff\"",
            "",
        ] {
            let text = format!("gitlab_ci['db_key_base'] = {value}");
            let error = assigned(&text, "gitlab_ci").unwrap_err().to_string();
            assert!(error.contains("line 1") && !error.contains("a#"), "{error}");
        }
    }

    #[test]
    fn what_is_quoted_is_read_again() {
        for text in ["abc", "a\"b\\c#{d}#", "é\n\t\u{1b}'"] {
            assert_eq!(string(&quoted(text)).as_deref(), Some(text));
        }
    }
}
