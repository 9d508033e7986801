//! The password file (PostgreSQL manual, 34.16): `host:port:database:user:password`.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::codes::Code;
use crate::ui::terminal;

/// The connection that needs a password.
pub(crate) struct Purpose<'a> {
    /// The host, or the directory of its socket; `localhost` means the usual directories.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) database: &'a str,
    pub(crate) user: &'a str,
}

/// The password in `file` for `purpose`, with the number of its line. A missing file has none. As with libpq,
/// a file that others can read is ignored, with a warning.
pub(crate) fn password(file: &Path, purpose: &Purpose<'_>) -> Option<(String, usize)> {
    let shown = file.display();
    let metadata = match fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(cause) => {
            if cause.kind() != ErrorKind::NotFound {
                terminal::warn(
                    Code::PasswordFileNotRead,
                    &format!("the password file {shown} is not read: {cause}"),
                );
            }
            return None;
        }
    };
    if !metadata.is_file() {
        terminal::warn(
            Code::PasswordFileNotRead,
            &format!("the password file {shown} is not read: it is not a file"),
        );
        return None;
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        terminal::warn(
            Code::PasswordFileNotRead,
            &format!(
                "the password file {shown} is not read: others have access to it; \
             its mode should be 0600"
            ),
        );
        return None;
    }
    match fs::read(file) {
        Ok(bytes) => find(&String::from_utf8_lossy(&bytes), purpose),
        Err(cause) => {
            terminal::warn(
                Code::PasswordFileNotRead,
                &format!("the password file {shown} is not read: {cause}"),
            );
            None
        }
    }
}

fn find(text: &str, purpose: &Purpose<'_>) -> Option<(String, usize)> {
    let port = purpose.port.to_string();
    let wanted = [purpose.host, &port, purpose.database, purpose.user];
    text.lines().enumerate().find_map(|(number, line)| {
        if line.starts_with('#') {
            return None;
        }
        let mut rest = line;
        for value in wanted {
            rest = matched(rest, value)?;
        }
        let password = unescaped(rest);
        (!password.is_empty()).then_some((password, number + 1))
    })
}

/// The rest of `line` after its first field, if that field is `value` or `*`.
fn matched<'a>(line: &'a str, value: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let mut escaped = false;
    let end = line.find(|c| {
        let is_end = c == ':' && !escaped;
        escaped = c == '\\' && !escaped;
        is_end
    })?;
    (unescaped(&line[..end]) == value).then(|| &line[end + 1..])
}

/// `field` with its escapes resolved: a backslash quotes the next character.
fn unescaped(field: &str) -> String {
    let mut chars = field.chars();
    let mut plain = String::new();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let purpose = Purpose {
            host: "h",
            port: 5432,
            database: "d:b",
            user: "u",
        };
        let cases = [
            ("h:5432:d\\:b:u:secret", Some("secret")),
            ("*:*:*:*:a\\:b\\\\c", Some("a:b\\c")),
            ("#h:5432:*:u:no\nh:*:*:u:yes", Some("yes")),
            (
                "x:*:*:*:no\nh:5433:*:*:no\n*:*:*:u:yes\n*:*:*:*:no",
                Some("yes"),
            ),
            ("h:5432:db:u:no", None),
            ("h:5432:*:u", None),
            ("*:*:*:*:", None),
            ("*:*:*:*:with : colons", Some("with : colons")),
            ("", None),
        ];
        for (text, expected) in cases {
            let found = find(text, &purpose).map(|(password, _)| password);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert_eq!(find("#\n*:*:*:*:x", &purpose).unwrap().1, 2);
    }
}
