//! Servers that speak PostgreSQL's protocol and are something else.

use crate::error::{Error, Result};

/// What `version()` of each has, its name, and what an import needs and it lacks.
const OTHERS: [(&str, &str, &str); 5] = [
    (
        "CockroachDB",
        "CockroachDB",
        "it has no advisory locks, and definitions are not part of its transactions",
    ),
    (
        "-YB-",
        "YugabyteDB",
        "definitions are not part of its transactions",
    ),
    (
        "Greenplum",
        "Greenplum",
        "its tables are distributed over segments, which a publish does not know",
    ),
    (
        "Cloudberry",
        "Cloudberry",
        "its tables are distributed over segments, which a publish does not know",
    ),
    (
        "Redshift",
        "Amazon Redshift",
        "it has no sequences, no indexes and no advisory locks",
    ),
];

/// Refuses the server with this `version`, in its own words, if it is none of PostgreSQL.
pub(super) fn refuse_others(version: &str) -> Result<()> {
    let found = OTHERS.iter().find(|(mark, ..)| version.contains(mark));
    let Some((_, name, lacks)) = found else {
        return Ok(());
    };
    Err(
        Error::target(format!("the target is {name}, not a PostgreSQL: {lacks}")).hint(
            "import into a PostgreSQL, or convert the dump: ci-import convert shop.sql.gz -o shop.postgresql.sql",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As their manuals quote them.
    #[test]
    fn others_are_refused_by_name() {
        for (version, name) in [
            (
                "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27 01:53:43, go1.19.10)",
                "CockroachDB",
            ),
            (
                "PostgreSQL 11.2-YB-2.18.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 15.0.3, 64-bit",
                "YugabyteDB",
            ),
            (
                "PostgreSQL 9.4.26 (Greenplum Database 6.25.3 build commit:367edc6b4dfd909fe38fc288ade9e294d74e3f9a)",
                "Greenplum",
            ),
            (
                "PostgreSQL 14.4 (Cloudberry Database 1.5.4 build 1) on x86_64-pc-linux-gnu",
                "Cloudberry",
            ),
            (
                "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.12103",
                "Amazon Redshift",
            ),
        ] {
            let error = refuse_others(version).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("the target is {name}, not a PostgreSQL")),
                "{error}"
            );
        }
        let own = "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit";
        assert!(refuse_others(own).is_ok());
    }
}
