//! The one error of the program: what went wrong, what to do next, and the exit code it means.

use std::fmt;
use std::sync::Arc;

/// What a failure means to whoever called the program; each has its own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was asked for failed.
    Failed,
    /// The command line or the environment asks for something that cannot be.
    Usage,
    /// The archive is damaged or not acceptable: version, truncation, unsafe member.
    Archive,
    /// The target is not reachable, or refused.
    Target,
    /// A publish was cut in two, and what is live must be looked at.
    CutPublish,
    /// A signal stopped it.
    Interrupted,
}

impl Kind {
    /// The exit code of the process. The README has the same table.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Archive => 3,
            Kind::Target => 4,
            Kind::CutPublish => 6,
            Kind::Interrupted => 130,
        }
    }
}

/// The exit code of an import that was done, but changed values, under `--strict`.
pub const DATA_CHANGED: u8 = 5;

/// A failure: a message in lower case that names the thing with its value, where that is, what caused it,
/// and where there is one a hint that says what to do next.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

/// What an [`Error`] holds: results stay small, since most are none.
#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    condition: Option<Condition>,
    /// From the outermost to the innermost: the member, then the row in it.
    places: Vec<Place>,
    message: String,
    hint: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What callers decide by, besides the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// All that is wrong is that something ends too early.
    Truncated,
    /// The connection to the target is gone, and the server has not said why.
    ConnectionLost,
}

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A member, a table, a file.
    pub name: String,
    /// The row of the table, from 1, and its first byte in the inflated dump, from 0.
    pub row: Option<(u64, u64)>,
    /// The column of the row.
    pub column: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some((row, byte)) = self.row {
            write!(f, " row {row} (byte {byte})")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        Ok(())
    }
}

/// What every fallible function of the crate returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with its message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            condition: None,
            places: Vec::new(),
            message: message.into(),
            hint: None,
            source: None,
        }))
    }

    /// What was asked for failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// The archive is damaged or not acceptable.
    pub fn archive(message: impl Into<String>) -> Self {
        Self::new(Kind::Archive, message)
    }

    /// The target is not reachable, or refused.
    pub fn target(message: impl Into<String>) -> Self {
        Self::new(Kind::Target, message)
    }

    /// A signal asked to stop.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted")
    }

    /// The same error with a hint, which takes the place of an earlier one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same error with what caused it, which its message tells already.
    #[must_use]
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(cause));
        self
    }

    /// The same error in `name`: a member, a table, a file.
    #[must_use]
    pub fn at(self, name: impl fmt::Display) -> Self {
        self.at_place(Place {
            name: name.to_string(),
            row: None,
            column: None,
        })
    }

    /// The same error in `place`, which is around the places that it has already.
    #[must_use]
    pub fn at_place(mut self, place: Place) -> Self {
        self.0.places.insert(0, place);
        self
    }

    /// Where it is, from the outermost to the innermost place.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.0.places
    }

    /// Whether its outermost place is `name`.
    #[must_use]
    pub fn is_at(&self, name: &str) -> bool {
        self.0
            .places
            .first()
            .is_some_and(|place| place.name == name)
    }

    /// The same error, with more behind its message.
    #[must_use]
    pub fn adding(mut self, more: &str) -> Self {
        self.0.message += more;
        self
    }

    /// The same error, of another kind.
    #[must_use]
    pub fn into_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The same error, marked: all that is wrong is that something ends too early.
    #[must_use]
    pub fn truncation(mut self) -> Self {
        self.0.condition = Some(Condition::Truncated);
        self
    }

    /// Whether all that is wrong is that something ends too early.
    #[must_use]
    pub fn is_truncation(&self) -> bool {
        self.0.condition == Some(Condition::Truncated)
    }

    /// The same error, marked: the connection to the target is gone, and the server has not said why.
    #[must_use]
    pub fn connection_lost(mut self) -> Self {
        self.0.condition = Some(Condition::ConnectionLost);
        self
    }

    /// Whether the connection to the target is gone, and the server has not said why.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        self.0.condition == Some(Condition::ConnectionLost)
    }

    /// What the failure means.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What to do next, if there is something to say.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in &self.0.places {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

/// Turns an I/O error into ours, saying what was being done.
pub trait Doing<T> {
    /// `doing` reads as in "cannot …": "read /tmp/a.tar".
    fn doing(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|cause| {
            let is_full = cause.kind() == std::io::ErrorKind::StorageFull;
            let error = Error::failed(format!("cannot {doing}: {cause}")).caused_by(cause);
            if is_full {
                return error.hint("free some space and run it again");
            }
            error
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_where_it_is_and_what_caused_it() {
        let cause = std::io::Error::other("no disk");
        let failed: Result<()> = Err(cause).doing("read a");
        let error = failed.unwrap_err().at_place(Place {
            name: "t".to_owned(),
            row: Some((2, 30)),
            column: Some("c".to_owned()),
        });
        let error = error.at("db/database.sql.gz").adding("; stopped");
        assert_eq!(
            error.to_string(),
            "db/database.sql.gz: t row 2 (byte 30), column c: cannot read a: no disk; stopped"
        );
        assert!(error.is_at("db/database.sql.gz") && !error.is_at("t"));
        assert_eq!(error.places()[1].row, Some((2, 30)));
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "no disk");
    }
}
