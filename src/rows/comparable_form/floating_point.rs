//! FLOAT, `real`, DOUBLE and `double precision` as text. They are compared by value, since servers write different
//! numbers of digits.

/// Appends a `double precision` by its value.
pub(crate) fn double(out: &mut Vec<u8>, value: &[u8]) {
    match std::str::from_utf8(value).map(str::parse::<f64>) {
        Ok(Ok(number)) => out.extend_from_slice(&number.to_bits().to_be_bytes()),
        _ => out.extend_from_slice(value),
    }
}

/// Appends a `real` by its value.
pub(crate) fn real(out: &mut Vec<u8>, value: &[u8]) {
    match std::str::from_utf8(value).map(str::parse::<f32>) {
        Ok(Ok(number)) => out.extend_from_slice(&number.to_bits().to_be_bytes()),
        _ => out.extend_from_slice(value),
    }
}
