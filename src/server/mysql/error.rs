//! Converts errors of a MySQL server to ours.

use mysql::Error as Cause;

use super::message::message;
use crate::error::{Error, Kind};
use crate::server::hints::LOOK_AT_THE_LOG;

/// A function that converts the server's error to ours. `doing` completes the sentence "cannot …".
pub fn failure(doing: impl std::fmt::Display) -> impl FnOnce(Cause) -> Error {
    move |cause| {
        let Cause::MySqlError(error) = &cause else {
            return Error::target(format!("cannot {doing}: {}", why(&cause)))
                .connection_lost()
                .hint(LOOK_AT_THE_LOG)
                .caused_by(cause);
        };
        let (said, code) = (message(error), error.code);
        let failure = Error::new(kind_of(code), format!("cannot {doing}: {}", said.shown))
            .withholding(said.withheld);
        let failure = failure.caused_by(cause);
        match hint_for(code) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// The server's message without values of rows, and its number, or what else has failed.
pub(crate) fn why(cause: &Cause) -> String {
    match cause {
        Cause::MySqlError(error) => message(error).shown,
        other => why_not_defined(other),
    }
}

/// The whole message of a server that was given definitions only, and its number, or what else has failed. The driver's
/// own texts have the names of its types.
pub(crate) fn why_not_defined(cause: &Cause) -> String {
    match cause {
        Cause::MySqlError(error) => format!("{} ({})", error.message, error.code),
        Cause::IoError(cause) => cause.to_string(),
        Cause::CodecError(cause) => match std::error::Error::source(cause) {
            Some(cause) => cause.to_string(),
            None => cause.to_string(),
        },
        Cause::DriverError(cause) => cause.to_string(),
        Cause::UrlError(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

/// Whether the server works, but refuses the request.
pub(crate) fn is_refusal(cause: &Cause) -> bool {
    matches!(cause, Cause::MySqlError(error) if kind_of(error.code) == Kind::Failed)
}

/// The kind of the error: the server is away or refuses, or the data is not accepted (MySQL Server Error
/// Message Reference; MariaDB has the same numbers for these).
fn kind_of(code: u16) -> Kind {
    match code {
        // Forms of "access denied".
        1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1698 => Kind::Target,
        // Full disk, out of memory, too many connections, shutdown, killed.
        1021 | 1037 | 1038 | 1040 | 1041 | 1053 | 1114 | 1203 | 1226 | 1317 | 1927 => Kind::Target,
        // Read-only; a lock of another session.
        1205 | 1213 | 1290 | 1792 | 1836 => Kind::Target,
        _ => Kind::Failed,
    }
}

fn hint_for(code: u16) -> Option<&'static str> {
    Some(match code {
        1021 | 1114 => "free some space on the target server, then run it again",
        1205 | 1213 => "another session holds a lock; wait for it, or end it, then run it again",
        1785 => {
            "the server has GTIDs, which forbid this for tables without transactions: ALTER TABLE … ENGINE \
             = InnoDB for the tables in the message"
        }
        3750 => {
            "give the table a primary key before it is dumped, or switch sql_require_primary_key off for \
             the import"
        }
        1435 => {
            "a table with a trigger cannot be moved: drop the trigger before, and create it again after"
        }
        1044 => {
            "the import needs databases with the name of the live one and _ci_import_…: grant the user all \
             rights on them"
        }
        1037 | 1038 | 1040 | 1041 | 1053 | 1317 | 1927 => LOOK_AT_THE_LOG,
        _ => return None,
    })
}
