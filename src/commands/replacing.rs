//! The question before live data is replaced.

use super::destination::PreparedTarget;
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::publish::outcome::Live;
use crate::ui::terminal;

/// Asks whether existing CI data may be replaced, if there is any.
pub(super) fn confirm_replacing(
    destination: &PreparedTarget,
    yes: bool,
    live: &Live,
    previous: &str,
    cancellation: &Cancellation,
) -> Result<()> {
    let mut replaced = Vec::new();
    if !live.with_rows.is_empty() {
        replaced.push(format!("the tables {}", live.with_rows.join(", ")));
    }
    if let Some(builds) = destination.directory()
        && builds.has_content()?
    {
        replaced.push(format!("the build traces in {}", builds.path().display()));
    }
    if yes || replaced.is_empty() {
        return Ok(());
    }
    let (target, replaced) = (destination.shown(), replaced.join(" and "));
    let dropped = if live.has_previous {
        format!("; the tables in {previous}, from the previous import, are dropped")
    } else {
        String::new()
    };
    if !terminal::can_ask() {
        return Err(
            Error::usage(format!("{target} already has CI data: {replaced}")).hint(format!(
                "add --yes to replace them; they are kept aside{dropped}"
            )),
        );
    }
    let question = [
        &*format!("{target} already has CI data."),
        &*format!("Replace {replaced}?"),
        &*format!("They are kept aside{dropped}."),
    ];
    if terminal::ask(&question, cancellation) {
        return Ok(());
    }
    cancellation.check()?;
    Err(Error::failed("not confirmed; nothing was changed"))
}
