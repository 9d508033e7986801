//! Splits XML into tags and text, as far as mysqldump writes it.
//!
//! It works on bytes: without `--hex-blob`, mysqldump writes the bytes of binary values as they are, which no parser of
//! XML 1.0 may accept.

use memchr::{memchr, memchr2, memchr3};

/// No tag is longer. The longest has the type of an ENUM, whose values have 65,535 names.
const MAX_TAG_BYTES: usize = 16 << 20;

/// No reference is longer: `&#x10FFFF;`.
const MAX_REFERENCE_BYTES: usize = 10;

/// What is passed over: how it begins, after its bracket, and how it ends.
const PASSED: [(&[u8], &[u8]); 2] = [(b"![CDATA[", b"]]>"), (b"!--", b"-->")];

/// A part of the XML.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text, as it is.
    Text(&'a [u8]),
    /// A character that was written as a reference, in UTF-8.
    Character(char),
    /// A tag: [`Tokens::tag`] has what is between its brackets.
    Tag,
    /// Nothing: all bytes were taken.
    More,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Reference,
    /// With the quote that is open.
    Tag(Option<u8>),
    /// CDATA or a comment, which is passed over, until its end, of which so many bytes were there.
    Passed(&'static [u8], usize),
}

/// Splits XML, wherever it is cut.
#[derive(Debug)]
pub(super) struct Tokens {
    state: State,
    held: Vec<u8>,
    is_tag_over: bool,
}

impl Tokens {
    pub(super) fn new() -> Tokens {
        Tokens {
            state: State::Text,
            held: Vec::new(),
            is_tag_over: false,
        }
    }

    /// What is between the brackets of the last tag.
    pub(super) fn tag(&self) -> &[u8] {
        &self.held
    }

    /// Whether the XML may end here.
    pub(super) fn is_between(&self) -> bool {
        self.state == State::Text
    }

    /// The next token of `bytes`, and how many of them it took.
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8]) -> Result<(usize, Token<'a>), &'static str> {
        if std::mem::take(&mut self.is_tag_over) {
            self.held.clear();
        }
        let mut used = 0;
        while let Some(first) = bytes.get(used) {
            let rest = &bytes[used..];
            match self.state {
                State::Text => match first {
                    b'<' => {
                        self.state = State::Tag(None);
                        used += 1;
                    }
                    b'&' => {
                        self.state = State::Reference;
                        used += 1;
                    }
                    _ => {
                        let length = memchr2(b'<', b'&', rest).unwrap_or(rest.len());
                        return Ok((used + length, Token::Text(&rest[..length])));
                    }
                },
                State::Reference => {
                    used += 1;
                    if *first == b';' {
                        let character =
                            referenced(&self.held).ok_or("it has a reference that is not known")?;
                        self.held.clear();
                        self.state = State::Text;
                        return Ok((used, Token::Character(character)));
                    }
                    self.held.push(*first);
                    if self.held.len() > MAX_REFERENCE_BYTES {
                        return Err("it has \"&\" without a reference");
                    }
                }
                State::Tag(quote) => {
                    let (length, is_over) = self.in_tag(rest, quote)?;
                    used += length;
                    if is_over {
                        self.state = State::Text;
                        self.is_tag_over = true;
                        return Ok((used, Token::Tag));
                    }
                }
                State::Passed(end, there) => {
                    let (length, now) = passed(rest, end, there);
                    used += length;
                    self.state = if now == end.len() {
                        State::Text
                    } else {
                        State::Passed(end, now)
                    };
                }
            }
        }
        Ok((used, Token::More))
    }

    /// Takes the next bytes of a tag, and says whether it ends.
    fn in_tag(&mut self, rest: &[u8], quote: Option<u8>) -> Result<(usize, bool), &'static str> {
        // Byte by byte, since it may become one that is passed over.
        if quote.is_none() && (self.held.is_empty() || self.held[0] == b'!') && rest[0] != b'>' {
            self.held.push(rest[0]);
            if let Some((_, end)) = PASSED.iter().find(|(begin, _)| *begin == self.held) {
                self.held.clear();
                self.state = State::Passed(end, 0);
            } else if self.held[0] == b'!'
                && !PASSED
                    .iter()
                    .any(|(begin, _)| begin.starts_with(&self.held))
            {
                return Err("it has a declaration, which mysqldump does not write");
            }
            return Ok((1, false));
        }
        let end = match quote {
            Some(quote) => memchr(quote, rest),
            None => memchr3(b'>', b'"', b'\'', rest),
        };
        let length = end.unwrap_or(rest.len());
        if self.held.len() + length >= MAX_TAG_BYTES {
            return Err("it has a tag of more than 16 MiB");
        }
        self.held.extend_from_slice(&rest[..length]);
        let Some(end) = end else {
            return Ok((length, false));
        };
        if rest[end] == b'>' && quote.is_none() {
            return Ok((end + 1, true));
        }
        self.held.push(rest[end]);
        self.state = State::Tag(match quote {
            Some(_) => None,
            None => Some(rest[end]),
        });
        Ok((end + 1, false))
    }
}

/// Takes bytes until `end`, of which `there` bytes were there, and returns how many, and how much of `end` is there now.
fn passed(bytes: &[u8], end: &[u8], mut there: usize) -> (usize, usize) {
    for (at, byte) in bytes.iter().enumerate() {
        there = if *byte == end[there] {
            there + 1
        } else if *byte == end[0] {
            // Of `]]]>` and `--->`, the last three bytes are the end.
            if there == 2 { 2 } else { 1 }
        } else {
            0
        };
        if there == end.len() {
            return (at + 1, there);
        }
    }
    (bytes.len(), there)
}

/// The character that `&name;` stands for.
fn referenced(name: &[u8]) -> Option<char> {
    Some(match name {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    })
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    char::from_u32(u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?)
}

/// The attributes of a tag: their names, and their values without references.
pub(super) fn attributes(tag: &[u8]) -> Option<Vec<(&[u8], Vec<u8>)>> {
    let name = tag
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(tag.len());
    let mut rest = tag[name..].trim_ascii();
    let mut found = Vec::new();
    while !rest.is_empty() && rest != b"/" && rest != b"?" {
        let equals = memchr(b'=', rest)?;
        let name = rest[..equals].trim_ascii();
        let value = rest[equals + 1..].trim_ascii_start();
        let quote = *value
            .first()
            .filter(|quote| matches!(quote, b'"' | b'\''))?;
        let end = memchr(quote, &value[1..])? + 1;
        found.push((name, without_references(&value[1..end])?));
        rest = value[end + 1..].trim_ascii_start();
    }
    Some(found)
}

fn without_references(value: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr(b'&', rest) {
        text.extend_from_slice(&rest[..at]);
        let end = at + memchr(b';', &rest[at..])?;
        let character = referenced(&rest[at + 1..end])?;
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[end + 1..];
    }
    text.extend_from_slice(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of `xml`, which is cut after `block` bytes each, as text.
    fn tokens(xml: &[u8], block: usize) -> Result<String, &'static str> {
        let mut tokens = Tokens::new();
        let mut shown = String::new();
        for block in xml.chunks(block) {
            let mut rest = block;
            while !rest.is_empty() {
                let (used, token) = tokens.next(rest)?;
                rest = &rest[used..];
                match token {
                    Token::Text(text) => shown += &String::from_utf8_lossy(text),
                    Token::Character(character) => shown.push(character),
                    Token::Tag => shown += &format!("[{}]", String::from_utf8_lossy(tokens.tag())),
                    Token::More => {}
                }
            }
        }
        assert!(tokens.is_between());
        Ok(shown)
    }

    #[test]
    fn it_is_split_wherever_it_is_cut() {
        for (xml, expected) in [
            ("a<b>c</b>\n", "a[b]c[/b]\n"),
            ("<a b=\"x>'\" c='>\"' />", "[a b=\"x>'\" c='>\"' /]"),
            ("&lt;&#65;&#x42;&quot;&apos;&amp;amp;", "<AB\"'&amp;"),
            ("<a><![CDATA[<x> ]] ]]]></a>", "[a][/a]"),
            ("1<!-- <a> - -- --->2<!---->3", "123"),
            (
                "<?xml version=\"1.0\"?>\u{1}\r",
                "[?xml version=\"1.0\"?]\u{1}\r",
            ),
        ] {
            for block in 1..=xml.len() {
                assert_eq!(
                    tokens(xml.as_bytes(), block),
                    Ok(expected.to_owned()),
                    "{block}"
                );
            }
        }
        for xml in ["&x;", "& that is no reference", "<!DOCTYPE a>", "&#xd800;"] {
            assert!(tokens(xml.as_bytes(), 3).is_err(), "{xml}");
        }
    }

    #[test]
    fn attributes_of_tags() {
        let shown = |tag: &str| {
            let found = attributes(tag.as_bytes())?;
            let shown = found.into_iter().map(|(name, value)| {
                format!(
                    "{}:{}",
                    String::from_utf8_lossy(name),
                    String::from_utf8_lossy(&value)
                )
            });
            Some(shown.collect::<Vec<_>>().join(" "))
        };
        for (tag, expected) in [
            ("a", Some("")),
            ("a /", Some("")),
            ("a b=\"1\" c='&lt;\"' /", Some("b:1 c:<\"")),
            ("a b = \"\"", Some("b:")),
            ("a b", None),
            ("a b=1", None),
            ("a b=\"&x;\"", None),
        ] {
            assert_eq!(shown(tag).as_deref(), expected, "{tag}");
        }
    }
}
