//! What a database is, for those who plan a move. Nothing is changed, and older servers can be asked, too.

/// What a database says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The server, in its own words.
    pub server: String,
    /// The character set of the database.
    pub encoding: String,
    /// The newest migration that is recorded.
    pub migration: Option<String>,
    /// How many builds its CI has; none if there is no such table.
    pub builds: Option<u64>,
    /// Whether CI is switched on; none if it is no GitLab.
    pub ci_enabled: Option<bool>,
    /// Whether there is what an import has replaced.
    pub has_previous: bool,
}
