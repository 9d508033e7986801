//! Hexadecimal digits.

/// Appends the bytes of hexadecimal digits. As in MySQL, an odd count gets a zero in front.
pub(super) fn unhex(digits: &[u8], bytes: &mut Vec<u8>) {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    };
    let (first, pairs) = digits.split_at(digits.len() % 2);
    bytes.extend(first.iter().map(|digit| value(*digit)));
    bytes.extend(
        pairs
            .chunks_exact(2)
            .map(|pair| value(pair[0]) << 4 | value(pair[1])),
    );
}

/// Two hexadecimal digits for each byte.
pub(super) const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};
