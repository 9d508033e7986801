//! Writes names and texts as SQL of MySQL has them.

/// A quoted identifier (MySQL manual, 11.2).
#[must_use]
pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string literal, for sessions without `NO_BACKSLASH_ESCAPES` (MySQL manual, 11.1.1).
#[must_use]
pub fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\0' => quoted.push_str("\\0"),
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotes() {
        assert_eq!(identifier("a`b"), "`a``b`");
        assert_eq!(literal("a'b\\c\0\"`"), "'a''b\\\\c\\0\"`'");
    }
}
