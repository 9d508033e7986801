//! JSON: equal values have one notation.

use serde_json::Value;

/// Appends a jsonb in its binary notation (`jsonb_send`: a version and the text): without blanks, keys sorted, of
/// duplicate keys the last one, numbers by value. No JSON begins with the version, so a json is distinguished.
pub(crate) fn jsonb(out: &mut Vec<u8>, value: &[u8]) {
    json_text(out, value.strip_prefix(b"\x01").unwrap_or(value));
}

/// The same for the text of a JSON value.
pub(crate) fn json_text(out: &mut Vec<u8>, text: &[u8]) {
    match serde_json::from_slice::<Value>(text) {
        Ok(value) => json(out, &value),
        // Too deeply nested for the parser: its notation is compared.
        Err(_) => out.extend_from_slice(text),
    }
}

fn json(out: &mut Vec<u8>, value: &Value) {
    let string = |out: &mut Vec<u8>, text: &str| {
        out.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    match value {
        Value::Null => out.push(b'n'),
        Value::Bool(false) => out.push(b'f'),
        Value::Bool(true) => out.push(b't'),
        Value::Number(number) => {
            out.push(b'#');
            decimal(out, &number.to_string());
        }
        Value::String(text) => {
            out.push(b'"');
            string(out, text);
        }
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                json(out, item);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            // They are sorted by their keys.
            for (key, value) in members {
                string(out, key);
                json(out, value);
            }
            out.push(b'}');
        }
    }
}

/// Appends the value of a JSON number: sign, digits without zeros at their ends, exponent.
fn decimal(out: &mut Vec<u8>, text: &str) {
    let (negative, number) = match text.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, text),
    };
    let (decimal, exponent) = match number.split_once(['e', 'E']) {
        Some((decimal, exponent)) => (decimal, exponent.parse::<i64>().unwrap_or(i64::MAX)),
        None => (number, 0),
    };
    let (before, behind) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = format!("{before}{behind}");
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        out.push(b'0');
        return;
    }
    let shift = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let exponent = exponent
        .saturating_sub(shift(behind.len()))
        .saturating_add(shift(zeros));
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(significant.as_bytes());
    out.push(b'e');
    out.extend_from_slice(exponent.to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_json(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        jsonb(&mut out, format!("\u{1}{text}").as_bytes());
        out
    }

    #[test]
    fn json_by_its_value() {
        for (one, other) in [
            (
                r#"{"b":1, "a":[ 1.50 , null]}"#,
                r#"{"a":[1.5,null],"b":1}"#,
            ),
            (r#"{"a":1,"a":2}"#, r#"{"a": 2}"#),
            ("1e5", "100000"),
            ("-0.0", "0"),
            ("12345678901234567890.10", "12345678901234567890.1"),
            (r#""\u00e4\n""#, "\"ä\\n\""),
        ] {
            assert_eq!(of_json(one), of_json(other), "{one}");
            let mut text = Vec::new();
            json_text(&mut text, other.as_bytes());
            assert_eq!(of_json(one), text, "{one}");
        }
        for (one, other) in [
            ("1", "\"1\""),
            ("[1,2]", "[12]"),
            ("[[],1]", "[[1]]"),
            ("12345678901234567890.1", "12345678901234567890.2"),
            (r#"{"a":"b"}"#, r#"{"ab":""}"#),
            ("null", "\"null\""),
        ] {
            assert_ne!(of_json(one), of_json(other), "{one}");
        }
    }
}
