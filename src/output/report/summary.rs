//! Reports that are read again, and the page that merges them.

use std::path::Path;

use serde_json::Value;

use super::document::FORMAT;
use super::format::Format;
use super::render::{self, Page};
use crate::error::{Error, Result};
use crate::output::place::Place;

/// The document of a report in JSON; none if it is something else, or of a later version.
#[must_use]
pub fn read_document(bytes: &[u8]) -> Option<Value> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    let is_known = document["format"] == FORMAT && document["version"] == super::document::VERSION;
    is_known.then_some(document)
}

/// The `summary` of many runs in the format that the ending of `output` names.
pub fn render_summary(summary: &Value, output: &Path) -> Result<String> {
    let place = Place::of(output)?;
    match Format::of(place.name())? {
        Format::Junit => Err(
            Error::usage(format!("a summary has no form for JUnit: {place}"))
                .hint("let the name end in .html, .md or .json"),
        ),
        format => render::render(summary, Page::Summary, format),
    }
}
