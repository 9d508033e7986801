//! The server's messages without values of rows.
//!
//! A message may repeat a value or a part of the statement. What is known to name definitions, rights, settings and
//! resources only is shown; all else is replaced by what its number means (MySQL Server Error Message Reference,
//! MariaDB's list of error codes).

use mysql::error::MySqlError;

/// The message of an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// It has no values of rows. The server's number is at its end.
    pub(crate) shown: String,
    /// What the server says instead.
    pub(crate) withheld: Option<String>,
}

/// The numbers of messages without values, from and to. Not among them: 1062 and 1586 (duplicate entry), 1064 (syntax
/// error), 1105 (any text), 1139 (regular expression), 1231 (a setting's value), 1292, 1366, 1411 and 1525 (incorrect
/// value), 1298 (time zone), 1300 (invalid text), 1367 (illegal value), 1470 (too long), 1526 (no partition), 1642 to 1645
/// (SIGNAL), 1690 (out of range in an expression), 1761 and 1762 (foreign duplicate), 1916 to 1918 (cast), 3140 to 3158
/// (JSON), 3616, 3617 and 3732 (geometry), 3685 to 3699 (regular expressions).
const HARMLESS: [(u16, u16); 26] = [
    (1004, 1061),
    (1063, 1063),
    (1065, 1104),
    (1106, 1138),
    (1140, 1230),
    (1232, 1291),
    (1293, 1297),
    (1299, 1299),
    (1301, 1365),
    (1368, 1410),
    (1412, 1469),
    (1471, 1524),
    (1527, 1585),
    (1587, 1641),
    (1646, 1689),
    (1691, 1760),
    (1763, 1915),
    (1919, 1999),
    (3002, 3139),
    (3159, 3175),
    (3500, 3615),
    (3618, 3684),
    (3700, 3731),
    (3733, 3999),
    (4000, 4060),
    (4076, 4200),
];

/// The message of `error` without values of rows, with its key, column and row.
pub(crate) fn message(error: &MySqlError) -> Message {
    let (code, text) = (error.code, error.message.as_str());
    if HARMLESS
        .iter()
        .any(|(from, to)| (*from..=*to).contains(&code))
    {
        return Message {
            shown: format!("{text} ({code})"),
            withheld: None,
        };
    }
    let meaning = match code {
        1062 | 1586 => match key(text) {
            Some(key) => format!("a key is there twice: {key}"),
            None => "a key is there twice".to_owned(),
        },
        1064 => match line(text) {
            Some(line) => format!("syntax error in its line {line}"),
            None => "syntax error".to_owned(),
        },
        1292 | 1366 | 1411 | 1525 => incorrect(text),
        1300 => "a text is not valid in its character set".to_owned(),
        1526 => "the table has no partition for a value".to_owned(),
        1642..=1645 => "SIGNAL in a routine or trigger".to_owned(),
        1690 => "a number is out of the range of its type".to_owned(),
        1761 | 1762 => "a foreign key would make a key be there twice".to_owned(),
        1916..=1918 => "a value cannot be cast without a change".to_owned(),
        3140..=3158 => "a text is not valid JSON".to_owned(),
        _ => "the server refuses it".to_owned(),
    };
    Message {
        shown: format!("{meaning} ({code})"),
        withheld: Some(format!("{text} ({code})")),
    }
}

/// The number of the row at the end of a message: "Data too long for column 'name' at row 3".
pub(crate) fn row(message: &str) -> Option<usize> {
    let (_, number) = message.rsplit_once(" at row ")?;
    number.parse().ok()
}

/// The column, without its table, of a message that ends with the row.
pub(crate) fn column(message: &str) -> Option<String> {
    let (before, _) = message.rsplit_once(" at row ")?;
    // The value stands before; the name may be `a`.`b`.`c` or 'c'.
    let (_, name) = before.rsplit_once("column ")?;
    let name = name
        .strip_prefix('\'')
        .map_or(name, |name| name.trim_end_matches('\''));
    let name = name.rsplit("`.`").next().unwrap_or(name);
    Some(name.trim_matches('`').to_owned())
}

/// The key behind the value: "Duplicate entry 'x' for key 'name'".
fn key(message: &str) -> Option<&str> {
    let (_, key) = message.rsplit_once(" for key ")?;
    key.strip_prefix('\'')?.strip_suffix('\'')
}

/// The line at the end of a syntax error: "… near 'x' at line 2".
fn line(message: &str) -> Option<usize> {
    let (_, number) = message.rsplit_once(" at line ")?;
    number.parse().ok()
}

/// What is incorrect: "Incorrect integer value: 'x' for column `a`.`b`.`c` at row 1".
fn incorrect(message: &str) -> String {
    let rest = message
        .strip_prefix("Incorrect ")
        .or_else(|| message.strip_prefix("Truncated incorrect "));
    let of_type = rest.and_then(|rest| {
        let (name, _) = rest.split_once(" value: ")?;
        let is_type = name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b' ');
        is_type.then_some(name)
    });
    let what = of_type.map_or("incorrect value".to_owned(), |name| {
        format!("incorrect {} value", name.to_ascii_lowercase())
    });
    match column(message) {
        Some(column) => format!("{what} for the column {column}"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_out() {
        for (code, text, expected) in [
            (
                1062,
                "Duplicate entry 's3cr3t' for key 'name'",
                "a key is there twice: name (1062)",
            ),
            (
                1062,
                "Duplicate entry 's3cr3t' for key 'x' for key 'name'",
                "a key is there twice: name (1062)",
            ),
            (
                1366,
                "Incorrect integer value: 'column 's3cr3t' at row 7' for column `d`.`t`.`c` at row 2",
                "incorrect integer value for the column c (1366)",
            ),
            (
                1292,
                "Truncated incorrect DOUBLE value: 's3cr3t'",
                "incorrect double value (1292)",
            ),
            (
                1064,
                "You have an error in your SQL syntax near ''s3cr3t' at line 9' at line 2",
                "syntax error in its line 2 (1064)",
            ),
            (1644, "s3cr3t", "SIGNAL in a routine or trigger (1644)"),
            (9999, "s3cr3t", "the server refuses it (9999)"),
            (
                1406,
                "Data too long for column 'c' at row 1",
                "Data too long for column 'c' at row 1 (1406)",
            ),
        ] {
            let error = MySqlError {
                state: "HY000".to_owned(),
                message: text.to_owned(),
                code,
            };
            assert_eq!(message(&error).shown, expected);
        }
    }

    #[test]
    fn a_row_and_its_column_stand_at_the_end() {
        let text = "Incorrect integer value: 'column 'a' at row 7' for column `d`.`t`.`c` at row 2";
        assert_eq!((row(text), column(text).as_deref()), (Some(2), Some("c")));
        let text = "Data too long for column 'it's' at row 3";
        assert_eq!(
            (row(text), column(text).as_deref()),
            (Some(3), Some("it's"))
        );
        assert_eq!(row("Duplicate entry 'x at row 7' for key 'a'"), None);
    }
}
