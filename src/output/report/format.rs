//! The formats of reports.

use std::path::Path;

use crate::error::{Error, Result};

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A page that needs no other file.
    Html,
    /// The document itself, see `schemas/report-1.json`.
    Json,
    /// JUnit's XML, as Jenkins and GitLab read it.
    Junit,
    /// Markdown as GitLab and GitHub have it.
    Markdown,
}

impl Format {
    /// The format that the ending of `path` names.
    pub(super) fn of(path: &Path) -> Result<Format> {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        match ending.to_str() {
            Some("html" | "htm") => Ok(Format::Html),
            Some("json") => Ok(Format::Json),
            Some("xml") => Ok(Format::Junit),
            Some("md") => Ok(Format::Markdown),
            _ => Err(Error::usage(format!(
                "the name of the report does not say what it is: {}",
                path.display()
            ))
            .hint(
                "let it end in .html, .json, .xml (JUnit) or .md; --json prints to standard output",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_names_the_format() {
        let of = |path: &str| Format::of(Path::new(path)).ok();
        assert_eq!(of("a/b.html"), Some(Format::Html));
        assert_eq!(of("b.JSON"), Some(Format::Json));
        assert_eq!(of("b.c.xml"), Some(Format::Junit));
        assert_eq!(of("b.md"), Some(Format::Markdown));
        assert_eq!(of("b.pdf"), None);
        assert_eq!(of("-"), None);
        assert_eq!(of("html"), None);
    }
}
