//! Base64 as Ruby's `unpack("m")` reads it: line ends and other characters that are not in the alphabet are skipped, and
//! `=` ends the value.

/// The bytes that `text` stands for.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for six in text.iter().take_while(|byte| **byte != b'=') {
        let Some(six) = six_bits(*six) else { continue };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    bytes
}

fn six_bits(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_ruby_reads_it() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("YQ==\n", b"a"),
            ("YWI=\n", b"ab"),
            ("YWJj\n", b"abc"),
            ("YWJj\nZGVm\n", b"abcdef"),
            ("YW Jj-ZGVm", b"abcdef"),
            ("//79", b"\xff\xfe\xfd"),
            ("++++", b"\xfb\xef\xbe"),
            ("YWI", b"ab"),
            ("YWI=YWI=", b"ab"),
        ] {
            assert_eq!(decode(text.as_bytes()), bytes, "{text:?}");
        }
    }
}
