//! Whole numbers and `numeric`, as text and in their binary notation; and the fractions of seconds.

/// Appends a numeric in its binary notation (`numeric_send`): weight, sign, digits, without zeros at the ends and
/// without the scale.
pub(crate) fn numeric(out: &mut Vec<u8>, value: &[u8]) {
    let (words, _) = value.as_chunks::<2>();
    let [_, weight, sign, _, digits @ ..] = words else {
        out.extend_from_slice(value);
        return;
    };
    let zeros = |digit: &&[u8; 2]| **digit == [0, 0];
    let lead = digits.iter().take_while(zeros).count();
    let tail = digits[lead..].iter().rev().take_while(zeros).count();
    let digits = &digits[lead..digits.len() - tail];
    if digits.is_empty() {
        return;
    }
    let lead = i16::try_from(lead).unwrap_or(i16::MAX);
    let weight = i16::from_be_bytes(*weight).wrapping_sub(lead);
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(sign);
    out.extend_from_slice(digits.as_flattened());
}

/// Appends a whole number or a `numeric` without the zeros before its first digit and behind its last one.
pub(crate) fn number(out: &mut Vec<u8>, value: &[u8]) {
    let (sign, digits) = match value {
        [b'-', digits @ ..] => (&b"-"[..], digits),
        digits => (&b""[..], digits),
    };
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let number = without_zeros(&digits[zeros..]);
    if number.is_empty() {
        out.push(b'0');
    } else {
        out.extend_from_slice(sign);
        out.extend_from_slice(number);
    }
}

/// `value` without the zeros at the end of its fraction, if it ends with one.
pub(crate) fn without_zeros(value: &[u8]) -> &[u8] {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let digits = value.iter().rev().take_while(is_digit).count();
    let (before, fraction) = value.split_at(value.len() - digits);
    let Some(whole) = before.strip_suffix(b".") else {
        return value;
    };
    let zeros = fraction.iter().rev().take_while(|byte| **byte == b'0');
    match fraction.len() - zeros.count() {
        0 => whole,
        count => &value[..before.len() + count],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerics_without_their_zeros() {
        let of = |words: &[i16]| {
            let value: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            let mut out = Vec::new();
            numeric(&mut out, &value);
            out
        };
        // 12.5, 12.50, and with zeros before it and behind it.
        let expected = of(&[2, 0, 0, 1, 12, 5000]);
        for words in [
            &[2, 0, 0, 2, 12, 5000][..],
            &[3, 1, 0, 1, 0, 12, 5000],
            &[3, 0, 0, 5, 12, 5000, 0],
        ] {
            assert_eq!(of(words), expected, "{words:?}");
        }
        assert_ne!(of(&[2, 0, 0x4000, 1, 12, 5000]), expected);
        assert_ne!(of(&[2, 1, 0, 1, 12, 5000]), expected);
        assert_eq!(of(&[1, 0, 0, 0, 0]), of(&[0, 0, 0, 2]));
    }
}
