//! What is known of the contents of a table from its rows as they pass.

use std::sync::Arc;

use super::digest::{Digest, Layout};

/// The checksum of a table's rows, with what it is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Contents {
    /// No row was hashed: there was none, or it was not asked for.
    #[default]
    None,
    /// The rows that have these columns.
    Hashed(Arc<Layout>, Digest),
    /// Rows have values for other columns than others; what the rest gets is the server's default,
    /// which is not known here.
    Mixed,
}

impl Contents {
    /// Adds rows that were hashed as `layout` says.
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
