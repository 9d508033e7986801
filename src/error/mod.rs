//! The error type of the program: what failed, what to do next, and the exit code.

pub(crate) mod chain;
pub mod codes;

use std::fmt;
use std::sync::Arc;

/// The meaning of a failure for the caller; each has its own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The operation failed.
    Failed,
    /// The command line or the environment is not valid.
    Usage,
    /// The archive is damaged or not acceptable: version, truncation, unsafe member.
    Archive,
    /// The target is not reachable, or it refused.
    Target,
    /// A publish was interrupted; the live data must be checked.
    CutPublish,
    /// An object storage or a web server could not be reached, or broke off.
    Storage,
    /// A signal stopped the program.
    Interrupted,
}

impl Kind {
    /// The exit code of the process. The book has the same table, reference/exit-codes.md.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Archive => 3,
            Kind::Target => 4,
            Kind::CutPublish => 6,
            Kind::Storage => 7,
            Kind::Interrupted => 130,
        }
    }

    /// The kind with this exit code.
    #[must_use]
    pub fn of_exit_code(code: u8) -> Option<Kind> {
        let kinds = [
            Kind::Failed,
            Kind::Usage,
            Kind::Archive,
            Kind::Target,
            Kind::CutPublish,
            Kind::Storage,
            Kind::Interrupted,
        ];
        kinds.into_iter().find(|kind| kind.exit_code() == code)
    }

    /// Whether the same command may succeed later, without a change: what it needs was not there, or it was stopped.
    #[must_use]
    pub fn is_worth_another_try(self) -> bool {
        match self {
            Kind::Target | Kind::CutPublish | Kind::Storage | Kind::Interrupted => true,
            Kind::Failed | Kind::Usage | Kind::Archive => false,
        }
    }
}

/// The exit code of an import that succeeded but changed values, with `--strict`.
pub const DATA_CHANGED: u8 = 5;

/// A failure. The message is in lower case and names the thing with its value. Places, cause and a hint for
/// the next step are optional.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

/// The content of an [`Error`], in a box to keep results small.
#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    condition: Option<Condition>,
    /// From the outermost to the innermost: the member, then the row in it.
    places: Vec<Place>,
    message: String,
    /// The lines below the message.
    list: Vec<String>,
    /// What the message leaves out, because it may contain values of rows.
    withheld: Option<String>,
    hint: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What callers check, besides the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// The only fault is that the input is truncated.
    Truncated,
    /// The connection to the target is lost, and the server has not reported why.
    ConnectionLost,
    /// Others hold what a publish needs. Nothing was changed, so that it can be tried again.
    Held,
}

/// The place of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name of a member, a table, a file.
    pub name: String,
    /// The number of the row in its table, from 1, and its first byte in the inflated dump, from 0.
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

/// The result of every fallible function of the crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with its message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            condition: None,
            places: Vec::new(),
            message: message.into(),
            list: Vec::new(),
            withheld: None,
            hint: None,
            source: None,
        }))
    }

    /// The operation failed.
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

    /// The target is not reachable, or it refused.
    pub fn target(message: impl Into<String>) -> Self {
        Self::new(Kind::Target, message)
    }

    /// A signal stopped the program.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted")
    }

    /// The error of an operation that failed with `cause`. See [`Doing::doing`].
    pub(crate) fn of_io(cause: std::io::Error, doing: &dyn fmt::Display) -> Self {
        // A reader or writer of our own says itself what failed.
        if let Some(own) = chain::behind::<Error>(&cause) {
            return own.clone();
        }
        let is_full = cause.kind() == std::io::ErrorKind::StorageFull;
        let error = Error::failed(format!("cannot {doing}: {cause}")).caused_by(cause);
        if is_full {
            return error.hint("free some space and run it again");
        }
        error
    }

    /// Sets the hint, in place of an earlier one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Sets the lines below the message.
    #[must_use]
    pub fn listing(mut self, lines: Vec<String>) -> Self {
        self.0.list = lines;
        self
    }

    /// Sets what the message leaves out, if anything: it may contain values of rows, or is not known to contain none.
    #[must_use]
    pub fn withholding(mut self, what: impl Into<Option<String>>) -> Self {
        self.0.withheld = what.into();
        self
    }

    /// What the message leaves out, for who wants to see values of rows.
    #[must_use]
    pub fn withheld(&self) -> Option<&str> {
        self.0.withheld.as_deref()
    }

    /// The message of the error at its place, with what it leaves out if values of rows may be shown.
    #[must_use]
    pub fn told(&self, show_values: bool) -> String {
        match self.withheld() {
            Some(withheld) if show_values => format!("{self} [{withheld}]"),
            _ => self.to_string(),
        }
    }

    /// The lines below the message.
    #[must_use]
    pub fn list(&self) -> &[String] {
        &self.0.list
    }

    /// Sets the hint if the cause is that the user lacks a right.
    #[must_use]
    pub fn hint_if_denied(self, hint: impl FnOnce() -> String) -> Self {
        let cause = self.0.source.as_deref();
        let cause = cause.and_then(|cause| cause.downcast_ref::<std::io::Error>());
        if cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::PermissionDenied) {
            return self.hint(hint());
        }
        self
    }

    /// Sets the cause, which the message already contains.
    #[must_use]
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(cause));
        self
    }

    /// Adds `name` as the outermost place: a member, a table, a file.
    #[must_use]
    pub fn at(self, name: impl fmt::Display) -> Self {
        self.at_place(Place {
            name: name.to_string(),
            row: None,
            column: None,
        })
    }

    /// Adds `place` as the outermost place.
    #[must_use]
    pub fn at_place(mut self, place: Place) -> Self {
        self.0.places.insert(0, place);
        self
    }

    /// The places, from the outermost to the innermost.
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

    /// Appends `more` to the message.
    #[must_use]
    pub fn adding(mut self, more: &str) -> Self {
        self.0.message += more;
        self
    }

    /// Changes the kind.
    #[must_use]
    pub fn into_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Marks the error: its only fault is that the input is truncated.
    #[must_use]
    pub fn truncation(mut self) -> Self {
        self.0.condition = Some(Condition::Truncated);
        self
    }

    /// Whether the only fault is that the input is truncated.
    #[must_use]
    pub fn is_truncation(&self) -> bool {
        self.0.condition == Some(Condition::Truncated)
    }

    /// Marks the error: the connection to the target is lost, and the server has not reported why.
    #[must_use]
    pub fn connection_lost(mut self) -> Self {
        self.0.condition = Some(Condition::ConnectionLost);
        self
    }

    /// Whether the connection to the target is lost, and the server has not reported why.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        self.0.condition == Some(Condition::ConnectionLost)
    }

    /// Marks the error: others hold what a publish needs.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.0.condition = Some(Condition::Held);
        self
    }

    /// Whether others hold what a publish needs, and nothing else is wrong.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.0.condition == Some(Condition::Held)
    }

    /// The kind of the failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The hint for the next step, if there is one.
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

/// Converts an I/O error to ours, with the operation that failed.
pub trait Doing<T> {
    /// `doing` completes the sentence "cannot …": "read /tmp/a.tar". An error of ours within it stays what it is.
    fn doing(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|cause| Error::of_io(cause, &doing))
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
