//! JSON paths of MySQL (manual, 13.5, "JSON Path Syntax") as paths of PostgreSQL.

/// `$.a."b c"` as the SQL literal of an array of keys, if each step is a key that PostgreSQL does not take for a position.
pub(super) fn keys(path: &str) -> Option<String> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut keys = Vec::new();
    while !rest.is_empty() {
        rest = rest.strip_prefix('.')?;
        let (key, behind) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted.split_once('"')?
        } else {
            let end = rest
                .find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '$')))
                .unwrap_or(rest.len());
            rest.split_at(end)
        };
        let may_be_position = key
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
        if may_be_position || key.contains(['\\', '\'', '{', '}']) {
            return None;
        }
        keys.push(format!("\"{key}\""));
        rest = behind;
    }
    (!keys.is_empty()).then(|| format!("'{{{}}}'", keys.join(",")))
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn paths_of_keys() {
        for (path, expected) in [
            ("$.kind", Some("'{\"kind\"}'")),
            ("$.a.b", Some("'{\"a\",\"b\"}'")),
            ("$.\"a b\".c", Some("'{\"a b\",\"c\"}'")),
            ("$", None),
            ("$[0]", None),
            ("$.a[*]", None),
            ("$.*", None),
            ("$.1", None),
            ("$.\"it's\"", None),
            ("$..a", None),
            ("a", None),
        ] {
            assert_eq!(keys(path).as_deref(), expected, "{path}");
        }
    }
}
