//! The server's messages without values of rows.
//!
//! The message, DETAIL and CONTEXT of an error may repeat values, and the statements that contain them. What comes of a
//! class whose messages are known to name definitions only is shown; all else is replaced by what its code means
//! (PostgreSQL manual, appendix A).

use postgres::error::{DbError, ErrorPosition};

/// The message of an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// It has no values of rows.
    pub(crate) shown: String,
    /// All that the server says, if that is more.
    pub(crate) withheld: Option<String>,
    /// The server's hint, if the server itself wrote it.
    pub(crate) hint: Option<String>,
}

/// The classes whose messages name definitions, settings, sessions and files: what is not of rows.
const HARMLESS_CLASSES: [&str; 26] = [
    "00", "03", "08", "0A", "0B", "23", "25", "26", "28", "2B", "2D", "34", "3B", "3D", "3F", "40",
    "42", "53", "54", "55", "57", "58", "0L", "0P", "24", "F0",
];

/// Codes of other classes whose messages have no values.
const HARMLESS: [&str; 5] = ["22012", "22P04", "2BP01", "XX001", "XX002"];

/// Codes of these classes whose messages have values or a part of the statement: a syntax error has the word where it is.
const HARMFUL: [&str; 2] = ["42601", "42P18"];

/// What the codes mean whose messages may have values.
const MEANINGS: [(&str, &str); 28] = [
    ("21000", "a subquery has more than one row"),
    ("22000", "a value is not valid"),
    ("22001", "the value is too long for its type"),
    ("22003", "a number is out of the range of its type"),
    ("22007", "a date or time is not valid"),
    ("22008", "a date or time is out of range"),
    ("22009", "a time zone is not valid"),
    ("22015", "an interval is out of range"),
    (
        "22021",
        "a text has bytes that are not valid in its encoding",
    ),
    ("22023", "a parameter of a function is not valid"),
    ("22025", "an escape sequence is not valid"),
    ("22026", "the length of a bit string is wrong"),
    ("2201B", "a regular expression is not valid"),
    ("22030", "a JSON object has a key twice"),
    ("22032", "a text is not valid JSON"),
    ("22P02", "the value is not valid for its type"),
    (
        "22P03",
        "the binary form of a value is not valid for its type",
    ),
    ("22P05", "a character has no equivalent in the encoding"),
    ("2200G", "the values have different types"),
    ("2200N", "a text is not valid XML content"),
    ("2200M", "a text is not a valid XML document"),
    ("42601", "syntax error"),
    ("42703", "a column does not exist"),
    ("44000", "the CHECK OPTION of a view is violated"),
    ("P0001", "RAISE in a function, trigger or block"),
    ("P0002", "a function, trigger or block found no row"),
    ("P0003", "a function, trigger or block found too many rows"),
    ("P0004", "an ASSERT in a function, trigger or block"),
];

/// The message of `error` without values of rows, with its constraint, column and table.
pub(crate) fn message(error: &DbError) -> Message {
    let code = error.code().code();
    let whole = whole(error);
    let is_known = is_harmless(code) && !is_raised(error);
    if !is_known {
        let mut shown = match_beginning(error.message())
            .or_else(|| meaning(code).map(str::to_owned))
            .unwrap_or_else(|| "the server refuses it".to_owned());
        shown += &names(error);
        shown += &format!(" ({code})");
        return Message {
            shown,
            withheld: Some(whole),
            hint: None,
        };
    }
    // The details of these are names of objects.
    let details = ["2BP01", "42", "55", "57", "28", "3D", "08"];
    let detail = error
        .detail()
        .filter(|_| details.iter().any(|known| code.starts_with(known)));
    let mut shown = error.message().to_owned();
    if let Some(detail) = detail {
        shown += &format!(" ({detail})");
    }
    let is_all = error.where_().is_none() && error.detail().is_none_or(|_| detail.is_some());
    Message {
        shown,
        withheld: (!is_all).then_some(whole),
        hint: error.hint().map(str::to_owned),
    }
}

/// The message of an error at a statement that somebody wrote, and of which `shown` is the beginning without values. What
/// does not exist is named only if the statement has it as a name: a value that is cast to a regclass is one to the
/// server, too, and so is a text in double quotes.
pub(crate) fn message_about(error: &DbError, sql: &str, shown: &str) -> Message {
    const NOTHING_NAMED_SO: [&str; 6] = ["42703", "42P01", "42704", "42883", "3F000", "42602"];
    let mut said = message(error);
    let code = error.code().code();
    if NOTHING_NAMED_SO.contains(&code) && !is_written(error, sql, shown) {
        let meaning = meaning(code).unwrap_or("something that is named does not exist");
        said.shown = format!("{meaning}{} ({code})", names(error));
        said.withheld = Some(whole(error));
        said.hint = None;
    }
    said
}

/// Whether `sql` has the name that the error is about without quotes.
fn is_written(error: &DbError, sql: &str, shown: &str) -> bool {
    if let Some(ErrorPosition::Original(position)) = error.position() {
        let mut there = sql.chars().skip((*position as usize).saturating_sub(1));
        let is_letter = there.next().is_some_and(|c| c.is_alphabetic() || c == '_');
        return is_letter && there.next() != Some('\'');
    }
    let name = error.message().split('"').nth(1).unwrap_or_default();
    !name.is_empty() && shown.contains(name)
}

fn is_harmless(code: &str) -> bool {
    let is_of_class = HARMLESS_CLASSES.iter().any(|class| code.starts_with(class));
    (is_of_class || HARMLESS.contains(&code)) && !HARMFUL.contains(&code)
}

/// Whether a function's author wrote the message, with any code: these are the places in the sources of PostgreSQL's
/// languages.
fn is_raised(error: &DbError) -> bool {
    let writers = ["exec_stmt_raise", "PLy", "plperl", "pltcl"];
    let routine = error.routine().unwrap_or_default();
    writers.iter().any(|writer| routine.starts_with(writer))
}

fn meaning(code: &str) -> Option<&'static str> {
    let (_, meaning) = MEANINGS.iter().find(|(known, _)| *known == code)?;
    Some(meaning)
}

/// The beginning of a message up to its value, if the message is in English and begins in a known way.
fn match_beginning(message: &str) -> Option<String> {
    let known = [
        "invalid input syntax for type ",
        "invalid input value for enum ",
    ];
    if known.iter().any(|beginning| message.starts_with(beginning)) {
        return message.split(": ").next().map(str::to_owned);
    }
    // A message about a length has no value, and one about a range has it before the name of the type.
    if let Some(rest) = message.strip_prefix("value too long for type ") {
        return is_type(rest).then(|| message.to_owned());
    }
    let (_, name) = message.rsplit_once(" is out of range for type ")?;
    is_type(name).then(|| format!("a value is out of range for type {name}"))
}

/// Whether `text` can be the name of a built-in type.
fn is_type(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b" (),".contains(&byte))
}

/// The constraint, the column and the table that the error is about, as its fields name them.
fn names(error: &DbError) -> String {
    let mut names = String::new();
    if let Some(constraint) = error.constraint() {
        names += &format!(", constraint {constraint}");
    }
    if let Some(column) = error.column() {
        names += &format!(", column {column}");
    }
    if let Some(table) = error.table() {
        names += &format!(", table {table}");
    }
    if let Some(ErrorPosition::Original(position)) = error.position() {
        names += &format!(", at character {position}");
    }
    names
}

/// All that the server says.
fn whole(error: &DbError) -> String {
    let mut whole = error.message().to_owned();
    if let Some(detail) = error.detail() {
        whole += &format!(" ({detail})");
    }
    if let Some(context) = error.where_() {
        whole += &format!(" [{}]", context.lines().next().unwrap_or_default());
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_up_to_its_value() {
        for (message, expected) in [
            (
                "invalid input syntax for type integer: \"s3cr3t\"",
                Some("invalid input syntax for type integer"),
            ),
            (
                "invalid input value for enum public.mood: \"a: s3cr3t\"",
                Some("invalid input value for enum public.mood"),
            ),
            (
                "value too long for type character varying(5)",
                Some("value too long for type character varying(5)"),
            ),
            ("value too long for type S3CR3T", None),
            (
                "value \"99 is out of range for type x\" is out of range for type smallint",
                Some("a value is out of range for type smallint"),
            ),
            ("\"99\" is out of range for type S3CR3T", None),
            ("ungültige Eingabesyntax für Typ integer: »s3cr3t«", None),
        ] {
            assert_eq!(match_beginning(message).as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn a_code_is_harmless_only_if_it_is_known() {
        for code in ["42P01", "23505", "55P03", "2BP01", "57014", "XX001"] {
            assert!(is_harmless(code), "{code}");
        }
        for code in ["22P02", "42601", "P0001", "XX000", "39000", "72000"] {
            assert!(!is_harmless(code), "{code}");
        }
    }
}
