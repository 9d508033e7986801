//! Unescapes the strings of SQL (PostgreSQL manual, 4.1.2).

/// Appends the value of the string with this `content` between its quotes. `escapes` tells whether backslashes escape
/// in it. The error says what is wrong.
pub(super) fn unquote(
    content: &[u8],
    escapes: bool,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    let mut rest = content;
    loop {
        let special = if escapes {
            memchr::memchr2(b'\'', b'\\', rest)
        } else {
            memchr::memchr(b'\'', rest)
        };
        let Some(at) = special else {
            out.extend_from_slice(rest);
            return Ok(());
        };
        out.extend_from_slice(&rest[..at]);
        if rest[at] == b'\'' {
            out.push(b'\'');
            rest = rest.get(at + 2..).unwrap_or_default();
        } else {
            rest = unescape(&rest[at + 1..], out)?;
        }
    }
}

/// Appends the value of the escape whose backslash is before `rest`; returns what follows.
fn unescape<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], &'static str> {
    let Some((first, behind)) = rest.split_first() else {
        return Err("a backslash escapes nothing");
    };
    let code = |digits: &[u8], base: u32| {
        std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u32::from_str_radix(digits, base).ok())
    };
    let run = |bytes: &[u8], most: usize, is: fn(&u8) -> bool| {
        bytes.iter().take(most).take_while(|byte| is(byte)).count()
    };
    let is_octal: fn(&u8) -> bool = |byte| (b'0'..=b'7').contains(byte);
    match first {
        b'b' => out.push(8),
        b'f' => out.push(12),
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'0'..=b'7' => {
            let length = run(rest, 3, is_octal);
            let byte = code(&rest[..length], 8).unwrap_or(0) & 0xff;
            push_byte(byte, out)?;
            return Ok(&rest[length..]);
        }
        b'x' if behind.first().is_some_and(u8::is_ascii_hexdigit) => {
            let length = run(behind, 2, u8::is_ascii_hexdigit);
            push_byte(code(&behind[..length], 16).unwrap_or(0), out)?;
            return Ok(&behind[length..]);
        }
        b'u' | b'U' => {
            let length = if *first == b'u' { 4 } else { 8 };
            let character = behind
                .get(..length)
                .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
                .and_then(|digits| code(digits, 16))
                .and_then(char::from_u32)
                .filter(|character| *character != '\0')
                .ok_or("an escape \\u stands for no character")?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(&behind[length..]);
        }
        other => out.push(*other),
    }
    Ok(behind)
}

fn push_byte(byte: u32, out: &mut Vec<u8>) -> Result<(), &'static str> {
    match u8::try_from(byte) {
        Ok(byte) if byte != 0 => out.push(byte),
        _ => return Err("a text holds NUL, which PostgreSQL cannot"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_escape() {
        let check = |content: &str, escapes: bool, expected: &[u8]| {
            let mut out = Vec::new();
            unquote(content.as_bytes(), escapes, &mut out).unwrap();
            assert_eq!(out, expected, "{content}");
        };
        check("it''s \\n", false, b"it's \\n");
        check(
            "it''s\\'\\\\ \\n\\r\\t\\b\\f\\q",
            true,
            b"it's'\\ \n\r\t\x08\x0cq",
        );
        check("\\1\\101x\\x41\\x4g\\xg", true, b"\x01Ax\x41\x04gxg");
        check("\\u00e9\\U0001F680", true, "é🚀".as_bytes());
        for content in ["\\000", "\\x00", "\\u12", "\\ud800", "a\\"] {
            assert!(
                unquote(content.as_bytes(), true, &mut Vec::new()).is_err(),
                "{content}"
            );
        }
    }
}
