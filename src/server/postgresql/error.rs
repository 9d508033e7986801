//! Converts errors of the server to ours.

use postgres::error::SqlState;

use super::message::message;
use crate::error::{Error, Kind};
use crate::server::hints::LOOK_AT_THE_LOG;

/// A function that converts the server's error to ours. `doing` completes the sentence "cannot …".
pub fn failure(doing: impl std::fmt::Display) -> impl FnOnce(postgres::Error) -> Error {
    move |cause| {
        let Some(error) = cause.as_db_error() else {
            return Error::target(format!("cannot {doing}: {}", chain(&cause)))
                .connection_lost()
                .hint(LOOK_AT_THE_LOG)
                .caused_by(cause);
        };
        let said = message(error);
        let failure = Error::new(
            kind_of(error.code()),
            format!("cannot {doing}: {}", said.shown),
        )
        .withholding(said.withheld);
        let own = said.hint.as_deref();
        let hint = own.or_else(|| hint_for(error.code()));
        let failure = match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        };
        failure.caused_by(cause)
    }
}

/// The error for `cause`, in which the driver may have put the server's. `doing` completes the sentence "cannot …".
pub(crate) fn failed_stream(doing: impl std::fmt::Display, cause: std::io::Error) -> Error {
    match cause.downcast::<postgres::Error>() {
        Ok(cause) => failure(doing)(cause),
        Err(cause) => Error::target(format!("cannot {doing}: {cause}")).caused_by(cause),
    }
}

/// Whether the server works, but refuses or cannot compute the request (PostgreSQL manual, appendix A): a
/// data exception, a syntax error or access rule violation, an unsupported feature.
pub(crate) fn is_refusal(cause: &postgres::Error) -> bool {
    cause.code().is_some_and(|code| {
        *code != SqlState::INSUFFICIENT_PRIVILEGE && ["22", "42", "0A"].contains(&class_of(code))
    })
}

/// The error for a value that the server refuses, for a place in the dump.
pub(crate) fn refused_value(cause: postgres::Error) -> Error {
    let Some(error) = cause.as_db_error() else {
        return failure("load this value")(cause);
    };
    let said = message(error);
    let refused = Error::new(
        kind_of(error.code()),
        format!("the server refuses the value: {}", said.shown),
    )
    .withholding(said.withheld);
    let refused = match hint_for(error.code()) {
        Some(hint) => refused.hint(hint),
        None => refused,
    };
    refused.caused_by(cause)
}

/// The line of a COPY, from 1, and the column that the server's error is about, if it names them.
pub(crate) fn copied_line(cause: &postgres::Error) -> Option<(usize, Option<String>)> {
    // "COPY builds, line 3, column name: …"; the words are translated, but not their order. The name of the table may
    // hold anything, so the last numbers count.
    let context = cause.as_db_error()?.where_()?;
    let line = context.lines().find(|line| line.starts_with("COPY "))?;
    let (_, behind) = line.rsplit_once(", line ")?;
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    let number = behind[..digits].parse().ok()?;
    let column = behind[digits..].strip_prefix(", column ");
    let column = column.map(|rest| rest.split(": ").next().unwrap_or(rest).to_owned());
    Some((number, column))
}

/// The hint for errors about the server's resources or its shutdown, which the server itself does not give.
fn hint_for(code: &SqlState) -> Option<&'static str> {
    if *code == SqlState::DISK_FULL {
        return Some("free some space on the target server, then run it again");
    }
    ["53", "57"]
        .contains(&class_of(code))
        .then_some(LOOK_AT_THE_LOG)
}

/// The class of an error code: its first two letters.
fn class_of(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

/// The kind of the error: the server is away or refuses, or the data is not accepted.
fn kind_of(code: &SqlState) -> Kind {
    // Classes: 08 connection, 28 authorization, 53 resources, 57 operator intervention.
    let class = class_of(code);
    let refused = [
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::LOCK_NOT_AVAILABLE,
    ];
    if ["08", "28", "53", "57"].contains(&class) || refused.contains(code) {
        Kind::Target
    } else {
        Kind::Failed
    }
}

/// The error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text += &format!(": {cause_text}");
        }
        source = cause.source();
    }
    text
}
