//! The manual's matrix: what comes of each kind of dump and each kind of server.

use super::sources::Kind;
use super::targets::Server;

/// A cell of the matrix.
pub(super) struct Cell {
    /// The options of an import, if there is a way.
    pub(super) taken: Option<&'static [&'static str]>,
    /// The ways that are refused.
    pub(super) refused: Vec<Refusal>,
}

pub(super) struct Refusal {
    pub(super) options: &'static [&'static str],
    /// A part of the message.
    pub(super) reason: &'static str,
    /// How the hint begins.
    pub(super) hint: &'static str,
}

const CONVERT: &[&str] = &["--mysql-to-postgresql"];

pub(super) fn cell(kind: Kind, server: Server) -> Cell {
    let refusal = |options, reason, hint| Refusal {
        options,
        reason,
        hint,
    };
    let not_for_mysql = refusal(
        CONVERT,
        "--mysql-to-postgresql: the target is a MySQL server",
        "omit the option, or name a PostgreSQL",
    );
    let (taken, refused) = match (kind, server) {
        (Kind::Mysql, Server::Postgresql) => (
            Some(CONVERT),
            vec![refusal(
                &[],
                "the dump was made by MySQL, but the target is PostgreSQL",
                "add --mysql-to-postgresql to convert it",
            )],
        ),
        (Kind::Mysql, Server::Mysql) => (Some(&[][..]), vec![not_for_mysql]),
        (Kind::Converted, Server::Postgresql) => (Some(&[][..]), vec![]),
        (Kind::Converted, Server::Mysql) => (
            None,
            vec![
                refusal(
                    &[],
                    "GitLab CI has converted the dump for PostgreSQL; it cannot be moved to a MySQL server",
                    "make the backup without MYSQL_TO_POSTGRESQL=1",
                ),
                not_for_mysql,
            ],
        ),
        (Kind::Postgresql, Server::Postgresql) => (
            Some(&[][..]),
            vec![refusal(
                CONVERT,
                "the dump is one of PostgreSQL; there is nothing to convert",
                "import it as it is, without --mysql-to-postgresql",
            )],
        ),
        (Kind::Postgresql, Server::Mysql) => (
            None,
            vec![
                refusal(
                    &[],
                    "the dump is one of PostgreSQL; it cannot be moved to a MySQL server",
                    "import it into a PostgreSQL",
                ),
                not_for_mysql,
            ],
        ),
    };
    Cell { taken, refused }
}
