//! The numbers of packets while a session is opened. MySQL numbers the packets of an exchange (Internals
//! Manual, "MySQL Packets": 3 bytes of length, 1 of number); the request for TLS is one more than the
//! driver, which knows nothing of it, has sent.

/// What a packet of the server begins with that ends the opening: it is done, or refused.
const OK: u8 = 0x00;
const ERR: u8 = 0xff;

/// The length of what precedes a packet.
const HEADER: usize = 4;

/// Where in the packets of one direction we are.
#[derive(Default)]
struct Position {
    /// Bytes of the header seen.
    header: usize,
    /// Bytes of the packet still to come, once its header was seen.
    left: usize,
    /// Whether something of the packet itself was seen.
    is_inside: bool,
}

impl Position {
    /// Adds `shift` to the numbers of the packets in `bytes`, up to and with the first packet whose
    /// first byte is one that `ends`; whether there is one.
    fn renumber(&mut self, bytes: &mut [u8], shift: u8, ends: impl Fn(u8) -> bool) -> bool {
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
                if !self.is_inside && ends(bytes[at]) {
                    return true;
                }
                self.is_inside = true;
                let skipped = self.left.min(bytes.len() - at);
                at += skipped;
                self.left -= skipped;
            }
            if self.header == HEADER && self.left == 0 {
                *self = Position::default();
            }
        }
        false
    }
}

/// Renumbers what passes between driver and server until the session is open.
#[derive(Default)]
pub(crate) struct Numbering {
    upwards: Position,
    downwards: Position,
    is_open: bool,
}

impl Numbering {
    /// Renumbers `bytes` of the driver's for the server.
    pub(crate) fn towards_server(&mut self, bytes: &mut [u8]) {
        if !self.is_open {
            self.upwards.renumber(bytes, 1, |_| false);
        }
    }

    /// Renumbers `bytes` of the server's for the driver.
    pub(crate) fn towards_driver(&mut self, bytes: &mut [u8]) {
        if !self.is_open {
            let ends = |first| [OK, ERR].contains(&first);
            self.is_open = self.downwards.renumber(bytes, 1_u8.wrapping_neg(), ends);
        }
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
        let mut answer = packet(1, &[0, 0xff]);
        numbering.towards_server(&mut answer);
        assert_eq!(answer, packet(2, &[0, 0xff]));
    }
}
