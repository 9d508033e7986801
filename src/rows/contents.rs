//! What the loaded rows tell about the contents of their table.

use std::sync::Arc;

use super::digest::{Digest, Layout};

/// The checksum of a table's rows, and of which columns it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Contents {
    /// No row was hashed: there was none, or no checksum was wanted.
    #[default]
    None,
    /// All rows have these columns.
    Hashed(Arc<Layout>, Digest),
    /// The rows have different columns. A missing column gets the server's default, which is not known here.
    Mixed,
}

impl Contents {
    /// Adds rows that were hashed with `layout`.
    pub fn add(&mut self, layout: &Arc<Layout>, more: Digest) {
        match self {
            Contents::None => *self = Contents::Hashed(Arc::clone(layout), more),
            Contents::Hashed(known, digest) if known.columns == layout.columns => {
                digest.merge(more);
            }
            _ => *self = Contents::Mixed,
        }
    }

    /// Adds other rows of the same table.
    pub fn merge(&mut self, other: &Contents) {
        match other {
            Contents::None => {}
            Contents::Hashed(layout, digest) => self.add(layout, *digest),
            Contents::Mixed => *self = Contents::Mixed,
        }
    }
}
