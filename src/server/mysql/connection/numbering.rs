//! Adjusts packet numbers while a session is opened. MySQL numbers the packets of an exchange (Internals
//! Manual, "MySQL Packets": 3 bytes of length, 1 of number). The driver does not know about the request for
//! TLS, so its numbers are one too low for the server. On the way, it is seen whether the server asks for the password itself.

/// The first byte of the server's packet that ends the opening: success, or an error.
const OK: u8 = 0x00;
const ERR: u8 = 0xff;

/// The packet with which a server asks for the password itself, without a hash (MySQL's source documentation, "Caching_sha2
/// authentication": `AuthMoreData` with `perform_full_authentication`).
const FULL: [u8; 2] = [0x01, 0x04];

/// The length of a packet's header.
const HEADER: usize = 4;

/// The position in the packets of one direction.
#[derive(Default)]
struct Position {
    /// The number of header bytes seen.
    header: usize,
    /// The number of bytes left in the packet whose header was seen.
    left: usize,
    /// Whether a byte after the header was seen.
    is_inside: bool,
    /// The first byte after the header, if the one before was it.
    first: Option<u8>,
}

/// What the packets of one direction say of the opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It goes on.
    Nothing,
    /// The server has let the user in, or has refused.
    End,
    /// The server asks for the password itself.
    FullAuthentication,
}

impl Position {
    /// Adds `shift` to the numbers of the packets in `bytes`, up to and including the first packet that says
    /// something to `judge`, which is asked about the first two bytes of each.
    fn renumber(&mut self, bytes: &mut [u8], shift: u8, judge: fn(Option<u8>, u8) -> Seen) -> Seen {
        let mut at = 0;
        while at < bytes.len() {
            if self.header < HEADER {
                if self.header == HEADER - 1 {
                    bytes[at] = bytes[at].wrapping_add(shift);
                } else {
                    self.left |= usize::from(bytes[at]) << (8 * self.header);
                }
                self.header += 1;
                at += 1;
            } else {
                let (first, before) = (self.first, self.is_inside);
                if !before || first.is_some() {
                    match judge(first, bytes[at]) {
                        Seen::Nothing => {}
                        seen => return seen,
                    }
                }
                self.first = (!before).then_some(bytes[at]);
                self.is_inside = true;
                let skipped = if before {
                    self.left.min(bytes.len() - at)
                } else {
                    1
                };
                at += skipped;
                self.left -= skipped;
            }
            if self.header == HEADER && self.left == 0 {
                *self = Position::default();
            }
        }
        Seen::Nothing
    }
}

/// Renumbers the packets between driver and server until the session is open.
#[derive(Default)]
pub(crate) struct Numbering {
    upwards: Position,
    downwards: Position,
    is_open: bool,
}

impl Numbering {
    /// Renumbers `bytes` from the driver for the server.
    pub(crate) fn towards_server(&mut self, bytes: &mut [u8]) {
        if !self.is_open {
            self.upwards.renumber(bytes, 1, |_, _| Seen::Nothing);
        }
    }

    /// Renumbers `bytes` from the server for the driver. Returns what they say of the opening.
    pub(crate) fn towards_driver(&mut self, bytes: &mut [u8]) -> Seen {
        if self.is_open {
            return Seen::Nothing;
        }
        let seen = self
            .downwards
            .renumber(bytes, 1_u8.wrapping_neg(), of_server);
        self.is_open = seen == Seen::End;
        seen
    }
}

/// What the first bytes of a packet from the server say.
fn of_server(first: Option<u8>, byte: u8) -> Seen {
    match first {
        None if [OK, ERR].contains(&byte) => Seen::End,
        Some(first) if [first, byte] == FULL => Seen::FullAuthentication,
        _ => Seen::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet.
    fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[length, 0, 0, number], payload].concat()
    }

    #[test]
    fn packets_are_renumbered_until_the_session_is_open() {
        let sent = [
            packet(3, &[1, 3]),
            packet(4, &[]),
            packet(5, &[0, 0]),
            packet(1, &[0, 9]),
        ];
        let expected = [
            packet(2, &[1, 3]),
            packet(3, &[]),
            packet(4, &[0, 0]),
            packet(1, &[0, 9]),
        ];
        let sent = sent.concat();
        for cut in 0..=sent.len() {
            let mut numbering = Numbering::default();
            let mut bytes = sent.clone();
            let (before, after) = bytes.split_at_mut(cut);
            numbering.towards_driver(before);
            numbering.towards_driver(after);
            assert_eq!(bytes, expected.concat(), "cut at {cut}");
            let mut command = packet(0, &[3]);
            numbering.towards_server(&mut command);
            assert_eq!(command, packet(0, &[3]), "cut at {cut}");
        }
        let mut numbering = Numbering::default();
        let mut asked = [packet(3, &[1, 3]), packet(4, &FULL)].concat();
        let (before, after) = asked.split_at_mut(11);
        assert_eq!(numbering.towards_driver(before), Seen::Nothing);
        assert_eq!(numbering.towards_driver(after), Seen::FullAuthentication);
        let mut numbering = Numbering::default();
        let mut answer = packet(1, &[0, 0xff]);
        numbering.towards_server(&mut answer);
        assert_eq!(answer, packet(2, &[0, 0xff]));
    }
}
