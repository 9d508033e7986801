//! How YAML is read that somebody else may have written: with limits, and without parts of it in errors, which may be
//! secrets.

use serde_saphyr::{Options, budget, options};

/// For what Ruby has written from data. Anchors and deep nesting are refused; they would let a small file grow without
/// bounds.
pub(super) fn of_data() -> Options {
    options! {
        with_snippet: false,
        budget: budget! {
            max_depth: 16,
            max_nodes: 10_000,
            max_events: 20_000,
            max_aliases: 0,
            max_anchors: 0,
            max_documents: 1,
        },
    }
}

/// For settings that people write, in files of Rails: some have anchors.
pub(crate) fn of_settings() -> Options {
    options! {
        with_snippet: false,
        budget: budget! {
            max_depth: 16,
            max_nodes: 10_000,
            max_events: 20_000,
            max_aliases: 200,
            max_anchors: 100,
            max_documents: 1,
        },
    }
}
