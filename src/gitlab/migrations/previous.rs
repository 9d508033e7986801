//! The tables that the last import has replaced.

use postgres::Transaction;

use crate::error::Result;
use crate::migrate::{BuiltIn, Plan};
use crate::publish::{PREVIOUS_SCHEMA, look_aside};

/// Of the tables of which rows were kept, the one whose rows are nowhere else: an import writes CI's
/// taggings anew. Of the others, what was kept says what came.
const KEPT_ROWS: &str = "taggings";

/// Drops them if they were empty, as those of a GitLab that never ran CI; rows are for whoever calls
/// `discard`.
pub(super) const DROP: BuiltIn = BuiltIn {
    lock: |transaction, _| {
        let aside = look_aside(transaction)?;
        Ok(aside.and_then(|aside| aside.lock).into_iter().collect())
    },
    plan,
};

fn plan(transaction: &mut Transaction<'_>, _: &str) -> Result<Plan> {
    let Some(aside) = look_aside(transaction)? else {
        return Ok(Plan::Run {
            statements: Vec::new(),
            told: "there was nothing to drop".to_owned(),
        });
    };
    let kept = aside.kept.into_iter().filter(|name| name == KEPT_ROWS);
    let with_rows: Vec<String> = aside.replaced.into_iter().chain(kept).collect();
    if !with_rows.is_empty() {
        return Ok(Plan::Wait(format!(
            "{PREVIOUS_SCHEMA} has rows that are nowhere else, of {}; ci-import discard drops them",
            with_rows.join(", ")
        )));
    }
    let builds = if aside.has_builds {
        "; the old build traces stay until ci-import discard"
    } else {
        ""
    };
    Ok(Plan::Run {
        statements: aside.statements,
        told: format!("dropped the empty tables in {PREVIOUS_SCHEMA}{builds}"),
    })
}
