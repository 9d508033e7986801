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

/// Appends a boolean or a smallint in its binary notation as a smallint.
pub(crate) fn truth(out: &mut Vec<u8>, value: &[u8]) {
    if value.len() == 1 {
        out.push(0);
    }
    out.extend_from_slice(value);
}

/// Appends a bigint or a `numeric(20,0)` in its binary notation as one number of 16 bytes. A numeric of 8 bytes has no
/// digits, and the same bytes as the bigint 0.
pub(crate) fn whole(out: &mut Vec<u8>, value: &[u8]) {
    let number = match <[u8; 8]>::try_from(value) {
        Ok(bytes) => i64::from_be_bytes(bytes).into(),
        Err(_) => whole_numeric(value),
    };
    out.extend_from_slice(&number.to_be_bytes());
}

/// The number of a numeric without fraction.
fn whole_numeric(value: &[u8]) -> i128 {
    let (words, _) = value.as_chunks::<2>();
    let [_, weight, sign, _, digits @ ..] = words else {
        return 0;
    };
    let count = usize::try_from(i16::from_be_bytes(*weight)).map_or(0, |weight| weight + 1);
    let digits = digits
        .iter()
        .map(|digit| i128::from(u16::from_be_bytes(*digit)));
    let digits = digits.chain(std::iter::repeat(0)).take(count.min(8));
    let number = digits.fold(0, |number, digit| number * 10_000 + digit);
    if *sign == [0, 0] { number } else { -number }
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
    fn wider_types_have_the_same_form() {
        let form = |form: fn(&mut Vec<u8>, &[u8]), value: &[u8]| {
            let mut out = Vec::new();
            form(&mut out, value);
            out
        };
        assert_eq!(form(truth, &[1]), form(truth, &1i16.to_be_bytes()));
        assert_ne!(form(truth, &[1]), form(truth, &0i16.to_be_bytes()));
        let numeric = |words: &[i16]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_be_bytes()).collect()
        };
        for (bigint, words) in [
            (0i64, &[0, 0, 0, 0][..]),
            (5, &[1, 0, 0, 0, 5]),
            (50_000, &[1, 1, 0, 0, 5]),
            (50_001, &[2, 1, 0, 0, 5, 1]),
            (-123_456_789, &[3, 2, 0x4000, 0, 1, 2345, 6789]),
        ] {
            let wide = numeric(words);
            assert_eq!(
                form(whole, &bigint.to_be_bytes()),
                form(whole, &wide),
                "{bigint}"
            );
        }
    }

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
