//! `ci-import summary`: one table of what many runs have reported.

mod found;
mod table;

use std::path::Path;

use found::{Found, read};
pub use table::Summary;

use crate::cli::arguments::SummaryArgs;
use crate::error::{Doing, Error, Result};
use crate::output::OutputFile;
use crate::output::report::{read_document, render_summary};
use crate::storage::Writing;

/// Reads the reports, and merges them. Writes the page, if one is asked for.
pub fn run(arguments: &SummaryArgs) -> Result<Summary> {
    let timeout = arguments.storage.timeout();
    let mut summary = Summary::default();
    for path in &arguments.reports {
        let found = Found::at(path, timeout)?;
        for report in found.reports {
            match (read_document(&read(&report, timeout)?), found.is_folder) {
                (Some(document), _) => summary.add(&document),
                (None, true) => summary.leave_out(report.to_string()),
                (None, false) => {
                    return Err(Error::usage(format!("{report} is no report of ci-import"))
                        .hint("name what --report FILE.json has written"));
                }
            }
        }
    }
    if summary.is_empty() {
        return Err(
            Error::usage("there is no report").hint("name what --report FILE.json has written")
        );
    }
    if let Some(output) = &arguments.output {
        let writing = Writing::within(None, arguments.overwrite, timeout);
        write(output, &summary, &writing)?;
    }
    Ok(summary)
}

fn write(output: &Path, summary: &Summary, writing: &Writing) -> Result<()> {
    let text = render_summary(&summary.to_json(), output)?;
    let file = OutputFile::create_anywhere(Some(output), writing)?;
    file.fill(text.as_bytes()).doing("write the summary")?;
    file.keep()
}
