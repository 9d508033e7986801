//! How YAML is read that somebody else may have written: with limits, and without parts of it in errors, which may be
//! secrets.

use serde_saphyr::{Options, budget, options};

/// For what Ruby has written from data. Anchors are refused; they would let a small file grow without bounds.
pub(super) fn of_data() -> Options {
    with_anchors(0, 0)
}

/// For settings that people write, in files of Rails: some have anchors.
pub(crate) fn of_settings() -> Options {
    with_anchors(100, 200)
}

/// With so many anchors, and so many uses of them.
fn with_anchors(anchors: usize, aliases: usize) -> Options {
    options! {
        with_snippet: false,
        budget: budget! {
            max_depth: 16,
            max_nodes: 10_000,
            max_events: 20_000,
            max_aliases: aliases,
            max_anchors: anchors,
            max_documents: 1,
        },
    }
}
