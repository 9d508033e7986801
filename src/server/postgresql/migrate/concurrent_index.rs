//! Indexes that are built without blocking writers. A failed attempt leaves an invalid index (PostgreSQL manual,
//! CREATE INDEX, "Building Indexes Concurrently"): no query uses it, and a second attempt with IF NOT EXISTS
//! skips it.

use postgres::Client;

use super::syntax::RULES;
use crate::error::{Error, Result};
use crate::migrate::lexer::tokens;
use crate::migrate::token::TokenKind;
use crate::server::postgresql::error::failure;

/// An index that a statement builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConcurrentIndex {
    /// Its name in the catalogs; none if the server chooses one.
    pub(super) name: Option<String>,
}

impl ConcurrentIndex {
    /// The index of `statement`, if it builds one concurrently.
    pub(super) fn of(statement: &str) -> Option<ConcurrentIndex> {
        let is_comment = |kind| matches!(kind, TokenKind::Comment | TokenKind::LineComment(_));
        let mut texts = tokens(statement, &RULES)
            .filter(|token| !is_comment(token.kind))
            .map(|token| &statement[token.start..token.end]);
        let mut next = || texts.next();
        let mut keyword = || next().map(str::to_ascii_lowercase);
        let is = |word: Option<String>, expected: &str| {
            (word.as_deref() == Some(expected)).then_some(())
        };
        is(keyword(), "create")?;
        let mut word = keyword();
        if word.as_deref() == Some("unique") {
            word = keyword();
        }
        is(word, "index")?;
        is(keyword(), "concurrently")?;
        let name = next()?;
        let name = match name.to_ascii_lowercase().as_str() {
            "on" => None,
            "if" => {
                // The name follows IF NOT EXISTS.
                next()?;
                next()?;
                Some(next()?)
            }
            _ => Some(name),
        };
        Some(ConcurrentIndex {
            name: name.map(unquoted),
        })
    }

    /// The name of the index for a statement, if it exists and is invalid.
    fn invalid(&self, client: &mut Client) -> Result<Option<String>> {
        let sql = "SELECT i.indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i
                   JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                   WHERE c.relname = $1 AND NOT i.indisvalid";
        let found = client
            .query_opt(sql, &[&self.name])
            .map_err(failure("look at the index"))?;
        Ok(found.map(|row| row.get(0)))
    }

    /// Returns an error if the index is invalid, whether it was built now or existed before.
    pub(super) fn check(&self, client: &mut Client) -> Result<()> {
        let Some(index) = self.invalid(client)? else {
            return Ok(());
        };
        let hint = remedy(&index);
        Err(Error::failed(format!("the index {index} is there, and is not valid")).hint(hint))
    }

    /// What to do after a failure that has left an invalid index.
    pub(super) fn hint(&self, client: &mut Client) -> Option<String> {
        // A lost session cannot answer.
        let index = self.invalid(client).ok().flatten()?;
        Some(format!(
            "the index {index} is there, and is not valid; {}",
            remedy(&index)
        ))
    }
}

fn remedy(index: &str) -> String {
    format!(
        "write DROP INDEX CONCURRENTLY IF EXISTS {index} before the statement that builds it, and run it again"
    )
}

/// A name in the form of the catalogs.
fn unquoted(name: &str) -> String {
    match name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'))
    {
        Some(name) => name.replace("\"\"", "\""),
        None => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (statement, expected) in [
            ("CREATE INDEX CONCURRENTLY Ab ON t (a)", Some(Some("ab"))),
            (
                "create unique /* x */ index concurrently \"A\"\"b\" on t (a)",
                Some(Some("A\"b")),
            ),
            (
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
                Some(Some("i")),
            ),
            ("CREATE INDEX CONCURRENTLY ON t (a)", Some(None)),
            ("CREATE INDEX i ON t (a)", None),
            ("CREATE TABLE t (a int)", None),
            ("CREATE INDEX CONCURRENTLY", None),
        ] {
            let found = ConcurrentIndex::of(statement).map(|found| found.name);
            let expected = expected.map(|name| name.map(str::to_owned));
            assert_eq!(found, expected, "{statement}");
        }
    }
}
