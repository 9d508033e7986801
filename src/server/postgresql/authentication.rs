//! What the server may ask for before a session is open (PostgreSQL manual, 53.2.1 and 53.7): `require_auth`, and no password in
//! clear text for a server that nobody has verified.
//!
//! The driver answers whatever the server asks for. So the server's messages are read on their way to the driver.

use std::fmt;

use crate::server::options::peers;

/// The methods of `require_auth` (34.1.2), each with its bit.
const METHODS: [(&str, u8); 7] = [
    ("password", PASSWORD),
    ("md5", MD5),
    ("scram-sha-256", SCRAM),
    ("gss", GSS),
    ("sspi", SSPI),
    ("none", NONE),
    ("oauth", 0x40),
];

const PASSWORD: u8 = 0x01;
const MD5: u8 = 0x02;
const SCRAM: u8 = 0x04;
const GSS: u8 = 0x08;
const SSPI: u8 = 0x10;
const NONE: u8 = 0x20;
const ALL: u8 = 0x7f;

/// What `require_auth` expects, for errors.
pub(crate) const EXPECTED: &str = "a list of password, md5, scram-sha-256, gss, sspi, oauth and none, or of the \
                                   same with ! before each";

/// The methods that `require_auth` allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Methods {
    allowed: u8,
    /// Whether the user has named the password in clear text.
    names_password: bool,
}

impl Methods {
    /// All of them.
    pub(crate) const ANY: Methods = Methods {
        allowed: ALL,
        names_password: false,
    };

    /// Those of a `text` like `scram-sha-256,none` or `!password`; none if it is wrong.
    pub(crate) fn named(text: &str) -> Option<Methods> {
        if text.is_empty() {
            return Some(Methods::ANY);
        }
        let is_negative = text.starts_with('!');
        let mut named = 0;
        for name in text.split(',') {
            let name = match name.strip_prefix('!') {
                Some(name) if is_negative => name,
                None if !is_negative => name,
                _ => return None,
            };
            let (_, bit) = METHODS.iter().find(|(known, _)| *known == name)?;
            if named & bit != 0 {
                return None;
            }
            named |= bit;
        }
        Some(Methods {
            allowed: if is_negative { ALL & !named } else { named },
            names_password: !is_negative && named & PASSWORD != 0,
        })
    }

    /// The same for another program of libpq, which must not send a password in clear text unless it `may_be_clear`; none if
    /// it may do everything.
    pub(crate) fn to_text(self, may_be_clear: bool) -> Option<String> {
        let clear = if may_be_clear || self.names_password {
            0
        } else {
            PASSWORD
        };
        let allowed = self.allowed & !clear;
        if allowed == ALL {
            return None;
        }
        let names = METHODS.iter().filter(|(_, bit)| allowed & bit == 0);
        let names: Vec<String> = names.map(|(name, _)| format!("!{name}")).collect();
        Some(names.join(","))
    }

    /// Whether the user has said that the password may be sent in clear text.
    pub(crate) fn names_password(self) -> bool {
        self.names_password
    }
}

/// Who may have the password in clear text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClearText {
    /// Who has answered: he is verified, or the user has allowed it.
    Allowed,
    /// A server on this port of this machine, if it is root's, one's own or of the user `postgres`.
    IfLocal(u16),
    /// Nobody.
    Refused,
}

/// What the server may ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) methods: Methods,
    pub(crate) clear_text: ClearText,
}

/// Why a connection was given up before anything was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// `require_auth` does not allow this method.
    Method(&'static str),
    /// The server asks for the password in clear text.
    ClearText,
    /// The message has no meaning.
    Unknown,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Method("none") => {
                f.write_str("the server asks for no proof of the user, which require_auth does not allow")
            }
            Refused::Method(name) => write!(
                f,
                "the server asks for the method {name}, which require_auth does not allow"
            ),
            Refused::ClearText => f.write_str(
                "the server asks for the password in clear text, and nothing proves that it is the right server",
            ),
            Refused::Unknown => f.write_str("the answer is not from a PostgreSQL server"),
        }
    }
}

impl std::error::Error for Refused {}

/// The bytes of a message before its contents: its kind, and its length without the kind.
const HEAD: usize = 5;

/// The kind of the requests for authentication, and the bytes up to the number of the method.
const AUTHENTICATION: u8 = b'R';
const REQUEST: usize = HEAD + 4;

/// Reads the server's messages until the session is open.
#[derive(Debug)]
pub(crate) struct Watch {
    rule: Rule,
    /// The first bytes of a message that is not complete.
    head: Vec<u8>,
    /// The bytes of its contents that are still to come.
    left: usize,
    /// Whether the server has asked for something.
    has_asked: bool,
}

impl Watch {
    /// One with this `rule`.
    pub(crate) fn new(rule: Rule) -> Watch {
        Watch {
            rule,
            head: Vec::with_capacity(REQUEST),
            left: 0,
            has_asked: false,
        }
    }

    /// Reads the next `bytes`, cut anywhere. Returns whether the session is open.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) -> Result<bool, Refused> {
        while let Some((byte, rest)) = bytes.split_first() {
            if self.left > 0 {
                let count = self.left.min(bytes.len());
                self.left -= count;
                bytes = &bytes[count..];
                continue;
            }
            self.head.push(*byte);
            bytes = rest;
            if self.head.len() < HEAD {
                continue;
            }
            let length = number(&self.head[1..HEAD]);
            let is_request = self.head[0] == AUTHENTICATION;
            if is_request && length < 8 || length < 4 {
                return Err(Refused::Unknown);
            }
            if is_request && self.head.len() < REQUEST {
                continue;
            }
            if is_request && self.judge(number(&self.head[HEAD..]))? {
                return Ok(true);
            }
            self.left = length + 1 - self.head.len();
            self.head.clear();
        }
        Ok(false)
    }

    /// Whether the session is open after a request with this number; an error if the rule is against it.
    fn judge(&mut self, request: usize) -> Result<bool, Refused> {
        let method = match request {
            0 if self.has_asked => return Ok(true),
            0 => NONE,
            3 => PASSWORD,
            5 => MD5,
            7 => GSS,
            9 => SSPI,
            10 => SCRAM,
            // They continue what was begun.
            8 | 11 | 12 if self.has_asked => return Ok(false),
            _ => return Err(Refused::Unknown),
        };
        self.has_asked = true;
        if self.rule.methods.allowed & method == 0 {
            let found = METHODS.iter().find(|(_, bit)| *bit == method);
            return Err(Refused::Method(found.map_or("", |(name, _)| name)));
        }
        let may_have_it = || match self.rule.clear_text {
            ClearText::Allowed => true,
            ClearText::IfLocal(port) => peers::is_believable(port, "postgres"),
            ClearText::Refused => false,
        };
        if method == PASSWORD && !may_have_it() {
            return Err(Refused::ClearText);
        }
        Ok(method == NONE)
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(methods: &str, clear_text: ClearText) -> Rule {
        Rule {
            methods: Methods::named(methods).unwrap(),
            clear_text,
        }
    }

    fn request(number: u8, more: &[u8]) -> Vec<u8> {
        let length = u8::try_from(8 + more.len()).unwrap();
        [&[b'R', 0, 0, 0, length, 0, 0, 0, number], more].concat()
    }

    /// What is said of `bytes`, which come in two parts.
    fn judged(rule: Rule, bytes: &[u8], cut: usize) -> Result<bool, Refused> {
        let mut watch = Watch::new(rule);
        let (first, second) = bytes.split_at(cut);
        Ok(watch.read(first)? || watch.read(second)?)
    }

    #[test]
    fn requests_are_judged_wherever_they_are_cut() {
        use ClearText::{Allowed, Refused as No};
        let notice = b"N\0\0\0\x06R\0".to_vec();
        let ok = request(0, &[]);
        let scram = [
            request(10, b"SCRAM-SHA-256\0\0"),
            request(11, b"r=R\0\0\0\x08"),
            request(12, b"v=x"),
            ok.clone(),
        ]
        .concat();
        let clear = [request(3, &[]), ok.clone()].concat();
        let md5 = [request(5, b"salt"), ok.clone()].concat();
        for (rule, bytes, expected) in [
            (rule("", No), &scram, Ok(true)),
            (rule("scram-sha-256", No), &scram, Ok(true)),
            (
                rule("md5", No),
                &scram,
                Err(Refused::Method("scram-sha-256")),
            ),
            (rule("", No), &clear, Err(Refused::ClearText)),
            (rule("password", No), &clear, Err(Refused::ClearText)),
            (rule("", Allowed), &clear, Ok(true)),
            (
                rule("!password", Allowed),
                &clear,
                Err(Refused::Method("password")),
            ),
            (rule("", No), &md5, Ok(true)),
            (
                rule("!md5,!password", No),
                &md5,
                Err(Refused::Method("md5")),
            ),
            (rule("", No), &ok, Ok(true)),
            (rule("!none", No), &ok, Err(Refused::Method("none"))),
            (rule("none", No), &ok, Ok(true)),
            (rule("", No), &request(12, b"v=x"), Err(Refused::Unknown)),
            (
                rule("", No),
                &b"R\0\0\0\x04".to_vec(),
                Err(Refused::Unknown),
            ),
            (rule("", No), &b"E\0\0\0\x07abc".to_vec(), Ok(false)),
        ] {
            let bytes = [&notice[..], bytes].concat();
            for cut in 0..=bytes.len() {
                assert_eq!(
                    judged(rule, &bytes, cut),
                    expected,
                    "{bytes:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn methods_are_read_as_libpq_does() {
        assert_eq!(Methods::named(""), Some(Methods::ANY));
        assert!(Methods::named("md5,password").unwrap().names_password());
        assert!(!Methods::named("!md5").unwrap().names_password());
        for wrong in ["x", "md5,", "md5,!none", "!md5,none", "md5,md5", "MD5", ","] {
            assert_eq!(Methods::named(wrong), None, "{wrong}");
        }
    }
}
