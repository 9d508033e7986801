//! MySQL's character sets: decoding to UTF-8, and which bytes of a character may look like a
//! backslash or a quote (MySQL 8.0 Reference Manual, chapter 12.10).

use std::borrow::Cow;

use encoding_rs::Encoding;

use crate::error::{Error, Result};

/// A character set that texts can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8 and its subsets: `utf8`, `utf8mb3`, `utf8mb4`, `ascii`.
    Utf8,
    /// In `SET NAMES`: each text is in the character set of its column. Of a column: bytes.
    Binary,
    /// Another one.
    Other(Foreign),
}

/// A character set that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    /// The nearest of the web's encodings.
    encoding: &'static Encoding,
    /// Which of its bytes can look like ASCII.
    multibyte: Multibyte,
    /// Characters of the web's encoding, and what MySQL has instead. Found by converting every code of every
    /// character set in MariaDB 10.11.
    differences: &'static [(char, char)],
}

/// JIS X 0208 as Unix reads it, where the web reads it as Windows does (MySQL manual, 12.10.7.1).
const JIS: &[(char, char)] = &[
    ('\u{ff3c}', '\\'),
    ('\u{ff5e}', '\u{301c}'),
    ('\u{2225}', '\u{2016}'),
    ('\u{ff0d}', '\u{2212}'),
    ('\u{ffe0}', '\u{a2}'),
    ('\u{ffe1}', '\u{a3}'),
    ('\u{ffe2}', '\u{ac}'),
];
const BIG5: &[(char, char)] = &[
    ('\u{2027}', '\u{2022}'),
    ('\u{fe51}', '\u{ff64}'),
    ('\u{af}', '\u{203e}'),
    ('\u{ff5e}', '\u{223c}'),
    ('\u{2295}', '\u{2641}'),
    ('\u{2299}', '\u{2609}'),
    ('\u{2215}', '\u{ff0f}'),
    ('\u{fe68}', '\u{ff3c}'),
    ('\u{ffe5}', '\u{a5}'),
    ('\u{ffe0}', '\u{a2}'),
    ('\u{ffe1}', '\u{a3}'),
];
const GB2312: &[(char, char)] = &[('\u{b7}', '\u{30fb}'), ('\u{2014}', '\u{2015}')];
const GREEK: &[(char, char)] = &[('\u{2018}', '\u{2bd}'), ('\u{2019}', '\u{2bc}')];
const HEBREW: &[(char, char)] = &[('\u{af}', '\u{203e}')];
const CP866: &[(char, char)] = &[('\u{2116}', '\u{207f}'), ('\u{a4}', '\u{b2}')];
const KOI8U: &[(char, char)] = &[
    ('\u{2219}', '\u{2022}'),
    ('\u{45e}', '\u{255d}'),
    ('\u{40e}', '\u{256c}'),
];
/// MySQL's latin5 and tis620 have control characters where Windows has others.
const LATIN5: &[(char, char)] = &[
    ('€', '\u{80}'),
    ('‚', '\u{82}'),
    ('ƒ', '\u{83}'),
    ('„', '\u{84}'),
    ('…', '\u{85}'),
    ('†', '\u{86}'),
    ('‡', '\u{87}'),
    ('ˆ', '\u{88}'),
    ('‰', '\u{89}'),
    ('Š', '\u{8a}'),
    ('‹', '\u{8b}'),
    ('Œ', '\u{8c}'),
    ('‘', '\u{91}'),
    ('’', '\u{92}'),
    ('“', '\u{93}'),
    ('”', '\u{94}'),
    ('•', '\u{95}'),
    ('–', '\u{96}'),
    ('—', '\u{97}'),
    ('˜', '\u{98}'),
    ('™', '\u{99}'),
    ('š', '\u{9a}'),
    ('›', '\u{9b}'),
    ('œ', '\u{9c}'),
    ('Ÿ', '\u{9f}'),
];
const TIS620: &[(char, char)] = &[
    ('€', '\u{80}'),
    ('…', '\u{85}'),
    ('‘', '\u{91}'),
    ('’', '\u{92}'),
    ('“', '\u{93}'),
    ('”', '\u{94}'),
    ('•', '\u{95}'),
    ('–', '\u{96}'),
    ('—', '\u{97}'),
];

impl Foreign {
    /// `bytes` in UTF-8, if they are valid.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        if self.multibyte == Multibyte::Big5 && has_eten_extension(bytes) {
            return None;
        }
        let text = self
            .encoding
            .decode_without_bom_handling_and_without_replacement(bytes)?;
        Some(self.as_mysql(text))
    }

    /// `bytes` in UTF-8, what is not valid replaced by U+FFFD.
    #[must_use]
    pub fn decode_lossy(self, bytes: &[u8]) -> Cow<'_, str> {
        self.as_mysql(self.encoding.decode_without_bom_handling(bytes).0)
    }

    /// The encoding's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.encoding.name()
    }

    fn as_mysql(self, text: Cow<'_, str>) -> Cow<'_, str> {
        let ours = |c: char| {
            self.differences
                .iter()
                .find(|(web, _)| *web == c)
                .map(|(_, ours)| *ours)
        };
        if text.chars().all(|c| ours(c).is_none()) {
            return text;
        }
        text.chars()
            .map(|c| ours(c).unwrap_or(c))
            .collect::<String>()
            .into()
    }
}

/// Whether there is a character in the range 0xC6A1 to 0xC7FE, where MySQL's big5 and the web's are quite
/// different.
fn has_eten_extension(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let [lead, trail, ..] = rest {
        let is_pair = Multibyte::Big5.is_lead(*lead) && Multibyte::Big5.is_trail(*trail);
        if is_pair && (*lead == 0xc7 || *lead == 0xc6 && *trail >= 0xa1) {
            return true;
        }
        rest = &rest[1 + usize::from(is_pair)..];
    }
    false
}

/// The character sets whose characters may have a second byte that is ASCII, and so may look like a
/// backslash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multibyte {
    /// None of them.
    None,
    /// `sjis`, `cp932`
    ShiftJis,
    /// `gbk`
    Gbk,
    /// `gb18030`
    Gb18030,
    /// `big5`
    Big5,
}

impl Charset {
    /// The character set that MySQL calls `name`.
    pub fn named(name: &str) -> Result<Charset> {
        let with = |encoding, multibyte, differences| {
            Ok(Charset::Other(Foreign {
                encoding,
                multibyte,
                differences,
            }))
        };
        let single = |encoding, differences| with(encoding, Multibyte::None, differences);
        match name.to_ascii_lowercase().as_str() {
            "utf8" | "utf8mb3" | "utf8mb4" | "ascii" => Ok(Charset::Utf8),
            "binary" => Ok(Charset::Binary),
            // MySQL's latin1 is what Windows calls 1252 (manual, 12.10.2).
            "latin1" => single(encoding_rs::WINDOWS_1252, &[]),
            "latin2" => single(encoding_rs::ISO_8859_2, &[]),
            "latin5" => single(encoding_rs::WINDOWS_1254, LATIN5),
            "latin7" => single(encoding_rs::ISO_8859_13, &[]),
            "greek" => single(encoding_rs::ISO_8859_7, GREEK),
            "hebrew" => single(encoding_rs::ISO_8859_8, HEBREW),
            "cp1250" => single(encoding_rs::WINDOWS_1250, &[]),
            "cp1251" => single(encoding_rs::WINDOWS_1251, &[]),
            "cp1256" => single(encoding_rs::WINDOWS_1256, &[]),
            "cp1257" => single(encoding_rs::WINDOWS_1257, &[]),
            "cp866" => single(encoding_rs::IBM866, CP866),
            "koi8r" => single(encoding_rs::KOI8_R, &[]),
            "koi8u" => single(encoding_rs::KOI8_U, KOI8U),
            "macroman" => single(encoding_rs::MACINTOSH, &[]),
            "tis620" => single(encoding_rs::WINDOWS_874, TIS620),
            "ujis" => single(encoding_rs::EUC_JP, JIS),
            "eucjpms" => single(encoding_rs::EUC_JP, &[]),
            "euckr" => single(encoding_rs::EUC_KR, &[]),
            "gb2312" => single(encoding_rs::GBK, GB2312),
            "ucs2" | "utf16" => single(encoding_rs::UTF_16BE, &[]),
            "utf16le" => single(encoding_rs::UTF_16LE, &[]),
            "sjis" => with(encoding_rs::SHIFT_JIS, Multibyte::ShiftJis, JIS),
            "cp932" => with(encoding_rs::SHIFT_JIS, Multibyte::ShiftJis, &[]),
            "gbk" => with(encoding_rs::GBK, Multibyte::Gbk, &[]),
            "gb18030" => with(encoding_rs::GB18030, Multibyte::Gb18030, &[]),
            "big5" => with(encoding_rs::BIG5, Multibyte::Big5, BIG5),
            other => Err(
                Error::failed(format!("the character set {other} is not supported"))
                    .hint("make the dump with --default-character-set=utf8mb4"),
            ),
        }
    }

    /// Which of its bytes can look like ASCII.
    #[must_use]
    pub fn multibyte(self) -> Multibyte {
        match self {
            Charset::Other(foreign) => foreign.multibyte,
            _ => Multibyte::None,
        }
    }
}

impl Multibyte {
    /// Whether `byte` may be the first of a character of two bytes.
    #[must_use]
    pub fn is_lead(self, byte: u8) -> bool {
        match self {
            Multibyte::None => false,
            Multibyte::ShiftJis => matches!(byte, 0x81..=0x9f | 0xe0..=0xfc),
            Multibyte::Gbk | Multibyte::Gb18030 => matches!(byte, 0x81..=0xfe),
            Multibyte::Big5 => matches!(byte, 0xa1..=0xf9),
        }
    }

    /// Whether `byte` may be the second byte, behind a lead byte. A character of four bytes counts as two characters
    /// of two bytes.
    #[must_use]
    pub fn is_trail(self, byte: u8) -> bool {
        match self {
            Multibyte::None => false,
            Multibyte::ShiftJis => matches!(byte, 0x40..=0x7e | 0x80..=0xfc),
            Multibyte::Gbk => matches!(byte, 0x40..=0x7e | 0x80..=0xfe),
            Multibyte::Gb18030 => matches!(byte, 0x30..=0x39 | 0x40..=0x7e | 0x80..=0xfe),
            Multibyte::Big5 => matches!(byte, 0x40..=0x7e | 0xa1..=0xfe),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(charset: &str, bytes: &[u8]) -> Option<String> {
        match Charset::named(charset).unwrap() {
            Charset::Other(foreign) => foreign.decode(bytes).map(Cow::into_owned),
            _ => None,
        }
    }

    #[test]
    fn characters_are_what_mysql_says_they_are() {
        let cases: [(&str, &[u8], Option<&str>); 10] = [
            ("latin1", b"\x80\x81\x9f\xe9", Some("€\u{81}Ÿé")),
            ("sjis", b"\x95\x5c\x81\x5f\x81\x60", Some("表\\〜")),
            ("cp932", b"\x95\x5c\x81\x5f\x81\x60", Some("表＼～")),
            ("ujis", b"\xa1\xc1", Some("〜")),
            ("latin5", b"\x80\xfd", Some("\u{80}ı")),
            ("big5", b"\xb3\x5c\xa1\xe3", Some("許∼")),
            ("big5", b"\xc6\xa5", None),
            ("gbk", b"\xd5\x5c", Some("誠")),
            ("ucs2", b"\x00a\x65\xe5", Some("a日")),
            ("cp1251", b"\xcf\xb9", Some("П№")),
        ];
        for (charset, bytes, expected) in cases {
            assert_eq!(
                decoded(charset, bytes).as_deref(),
                expected,
                "{charset} {bytes:x?}"
            );
        }
        assert!(Charset::named("dec8").is_err());
    }
}
