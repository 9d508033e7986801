//! An archive from a pipe: it is read once, in order.

use std::io::Read;

use super::entries::{InOrder, for_each_entry};
use super::file::read_small;
use super::inflation_limit::error_behind;
use super::layout::Layout;
use super::member::Member;
use crate::error::{Error, Result};

/// A member in a pipe: it can be read once.
pub enum PassingMember<'a> {
    /// The dump, compressed.
    Database {
        /// Its bytes.
        reader: &'a mut dyn Read,
        /// How many bytes it has.
        size: u64,
    },
    /// The traces, compressed.
    Builds {
        /// Its bytes.
        reader: &'a mut dyn Read,
        /// How many bytes it has.
        size: u64,
    },
    /// The information file.
    Information(&'a [u8]),
}

/// The error for an archive that is read in order and cannot be read further.
#[expect(
    clippy::needless_pass_by_value,
    reason = "what maps errors gets them by value"
)]
pub(crate) fn damaged(cause: std::io::Error) -> Error {
    error_behind(&cause).unwrap_or_else(|| {
        Error::archive(format!("the archive is damaged or ends too early: {cause}"))
    })
}

/// Reads an archive to its end, and passes each member to `take`. Its information file may have at most
/// `information_limit` bytes.
pub fn read_pipe(
    input: impl Read,
    information_limit: u64,
    mut take: impl FnMut(PassingMember<'_>) -> Result<()>,
) -> Result<()> {
    let mut layout = Layout::default();
    let mut input = InOrder(input);
    for_each_entry(&mut input, damaged, |name, entry| {
        let Some(member) = layout.member(name, entry)? else {
            return Ok(());
        };
        let size = entry.size();
        match member {
            Member::Database => {
                let reader = entry;
                take(PassingMember::Database { reader, size })
            }
            Member::Builds => {
                let reader = entry;
                take(PassingMember::Builds { reader, size })
            }
            Member::Information => {
                let content = read_small(member, &mut *entry, information_limit)?;
                if content.len() as u64 != size {
                    return Err(damaged(std::io::ErrorKind::UnexpectedEof.into()));
                }
                take(PassingMember::Information(&content))
            }
        }
    })?;
    layout.check()?;
    // Read the padding too, else the writer of the pipe gets an error.
    std::io::copy(&mut input, &mut std::io::sink()).map_err(damaged)?;
    Ok(())
}
