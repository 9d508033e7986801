//! An archive that comes through a pipe: read once, in order.

use std::io::Read;

use super::entries::for_each_entry;
use super::file::read_small;
use super::inflation_limit::error_behind;
use super::member::{Member, classify_entry, missing, twice};
use crate::error::{Error, Result};

/// What is done with the members as they come.
pub trait Visitor {
    /// The dump, compressed, of `size` bytes.
    fn database(&mut self, reader: &mut dyn Read, size: u64) -> Result<()>;
    /// The traces, compressed, of `size` bytes.
    fn builds(&mut self, reader: &mut dyn Read, size: u64) -> Result<()>;
    /// The information file.
    fn information(&mut self, content: &[u8]) -> Result<()>;
}

/// The error for an archive that comes in order and cannot be read on.
#[expect(
    clippy::needless_pass_by_value,
    reason = "what maps errors gets them by value"
)]
pub(crate) fn damaged(cause: std::io::Error) -> Error {
    error_behind(&cause).unwrap_or_else(|| {
        Error::archive(format!("the archive is damaged or ends too early: {cause}"))
    })
}

/// Reads an archive to its end. `information_limit` is the most bytes its information file may
/// have.
pub fn read_pipe(
    mut input: impl Read,
    visitor: &mut impl Visitor,
    information_limit: u64,
) -> Result<()> {
    let mut seen = [false; 3];
    let mut archive = tar::Archive::new(&mut input);
    let entries = archive.entries().map_err(damaged)?;
    for_each_entry(entries, damaged, |name, entry| {
        let Some(member) = classify_entry(name, entry)? else {
            return Ok(());
        };
        if std::mem::replace(&mut seen[member as usize], true) {
            return Err(twice(member));
        }
        let size = entry.size();
        match member {
            Member::Database => visitor.database(entry, size),
            Member::Builds => visitor.builds(entry, size),
            Member::Information => {
                let content = read_small(member, &mut *entry, information_limit)?;
                if content.len() as u64 != size {
                    return Err(damaged(std::io::ErrorKind::UnexpectedEof.into()));
                }
                visitor.information(&content)
            }
        }
    })?;
    if let Some(member) = Member::ALL
        .into_iter()
        .find(|member| !seen[*member as usize])
    {
        return Err(missing(member));
    }
    // The writer of the pipe is not cut off while it still pads its last block.
    std::io::copy(&mut input, &mut std::io::sink()).map_err(damaged)?;
    Ok(())
}
