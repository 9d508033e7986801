//! The one error of the program: what went wrong, what to do next, and the exit code it means.

use std::fmt;

/// What a failure means to whoever called the program; each has its own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The import failed and nothing was published.
    Failed,
    /// The command line or the environment asks for something that cannot be.
    Usage,
    /// The archive is damaged or not acceptable: version, truncation, unsafe member.
    Archive,
    /// The target is not reachable, or refused.
    Target,
    /// A publish was cut in two, and what is live must be looked at.
    CutPublish,
    /// A signal stopped the import before anything was published.
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

/// A failure: a message in lower case that names the thing with its value and place, and
/// where there is one a hint that says what to do next.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    truncation: bool,
}

/// What every fallible function of the crate returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with its message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            hint: None,
            truncation: false,
        }
    }

    /// The import failed, nothing was published.
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
        Self::new(Kind::Interrupted, "interrupted; nothing was published")
    }

    /// The same error with a hint, which takes the place of an earlier one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error, its message preceded by `place`: a member, a table, a file.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The same error, marked: all that is wrong is that something ends too early.
    #[must_use]
    pub fn truncation(mut self) -> Self {
        self.truncation = true;
        self
    }

    /// Whether all that is wrong is that something ends too early.
    #[must_use]
    pub fn is_truncation(&self) -> bool {
        self.truncation
    }

    /// What the failure means.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What to do next, if there is something to say.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Turns an I/O error into ours, saying what was being done.
pub trait Doing<T> {
    /// `doing` reads as in "cannot …": "read /tmp/a.tar".
    fn doing(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|cause| {
            let error = Error::failed(format!("cannot {doing}: {cause}"));
            match cause.kind() {
                std::io::ErrorKind::StorageFull => error.hint("free some space and run it again"),
                _ => error,
            }
        })
    }
}
