//! MySQL's character sets: how their bytes become UTF-8, and where a byte of theirs may look like a
//! backslash or a quote (MySQL 8.0 Reference Manual, chapter 12.10).

use encoding_rs::Encoding;

use crate::error::{Error, Result};

/// A character set that texts can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8 and what is part of it: `utf8`, `utf8mb3`, `utf8mb4`, `ascii`.
    Utf8,
    /// As `SET NAMES`: each text is in its column's own character set. As a column's: bytes.
    Binary,
    /// Another one.
    Other(&'static Encoding, Multibyte),
}

/// The character sets whose characters may have a second byte that is ASCII, and so may look like a
/// backslash or a quote.
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
        let other = |encoding| Ok(Charset::Other(encoding, Multibyte::None));
        match name.to_ascii_lowercase().as_str() {
            "utf8" | "utf8mb3" | "utf8mb4" | "ascii" => Ok(Charset::Utf8),
            "binary" => Ok(Charset::Binary),
            // MySQL's latin1 is what Windows calls 1252 (manual, 12.10.2).
            "latin1" => other(encoding_rs::WINDOWS_1252),
            "latin2" => other(encoding_rs::ISO_8859_2),
            "latin5" => other(encoding_rs::WINDOWS_1254),
            "latin7" => other(encoding_rs::ISO_8859_13),
            "greek" => other(encoding_rs::ISO_8859_7),
            "hebrew" => other(encoding_rs::ISO_8859_8),
            "cp1250" => other(encoding_rs::WINDOWS_1250),
            "cp1251" => other(encoding_rs::WINDOWS_1251),
            "cp1256" => other(encoding_rs::WINDOWS_1256),
            "cp1257" => other(encoding_rs::WINDOWS_1257),
            "cp866" => other(encoding_rs::IBM866),
            "koi8r" => other(encoding_rs::KOI8_R),
            "koi8u" => other(encoding_rs::KOI8_U),
            "macroman" => other(encoding_rs::MACINTOSH),
            "tis620" => other(encoding_rs::WINDOWS_874),
            "ujis" | "eucjpms" => other(encoding_rs::EUC_JP),
            "euckr" => other(encoding_rs::EUC_KR),
            "gb2312" => other(encoding_rs::GBK),
            "ucs2" | "utf16" => other(encoding_rs::UTF_16BE),
            "utf16le" => other(encoding_rs::UTF_16LE),
            "sjis" | "cp932" => Ok(Charset::Other(encoding_rs::SHIFT_JIS, Multibyte::ShiftJis)),
            "gbk" => Ok(Charset::Other(encoding_rs::GBK, Multibyte::Gbk)),
            "gb18030" => Ok(Charset::Other(encoding_rs::GB18030, Multibyte::Gb18030)),
            "big5" => Ok(Charset::Other(encoding_rs::BIG5, Multibyte::Big5)),
            other => Err(
                Error::failed(format!("the character set {other} is not supported"))
                    .hint("make the dump with --default-character-set=utf8mb4"),
            ),
        }
    }

    /// How its bytes can look like ASCII.
    #[must_use]
    pub fn multibyte(self) -> Multibyte {
        match self {
            Charset::Other(_, multibyte) => multibyte,
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

    /// Whether `byte` may be the second, behind such a first one. A character of four bytes counts
    /// as two of two.
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
