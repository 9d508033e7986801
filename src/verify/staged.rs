//! Verifies the staged data of an import before the publish.

use super::depth::Depth;
use super::tables::TableFinding;
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::traces::{StagedTraces, TraceSummary};

/// An error unless the staged tables, which `verify_tables` compares, and the traces equal the input.
pub fn verify_staged(
    verify_tables: impl FnOnce() -> Result<Vec<TableFinding>>,
    traces: Option<(&StagedTraces, &TraceSummary)>,
    depth: Depth,
    cancellation: &Cancellation,
) -> Result<()> {
    if depth == Depth::None {
        return Ok(());
    }
    std::thread::scope(|scope| {
        let traces = traces.map(|(staged, summary)| {
            scope.spawn(move || {
                cancellation.guard(|| verify_traces(staged, summary, depth, cancellation))
            })
        });
        let found = verify_tables();
        let traces = traces.map_or(Ok(()), |thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(Error::failed("comparing the traces crashed")))
        });
        found?.iter().try_for_each(refuse)?;
        traces
    })
}

fn refuse(finding: &TableFinding) -> Result<()> {
    let Some(problem) = finding.problems.first() else {
        return Ok(());
    };
    Err(Error::failed(format!(
        "the staged table {} differs from what was loaded: {problem}",
        finding.name
    )))
}

fn verify_traces(
    staged: &StagedTraces,
    summary: &TraceSummary,
    depth: Depth,
    cancellation: &Cancellation,
) -> Result<()> {
    let check = || cancellation.check();
    let found = staged.measure(depth == Depth::Full, &check)?;
    if found.files != summary.files || found.bytes != summary.bytes {
        return Err(Error::failed(format!(
            "the staged traces differ from what was unpacked: {} files of {} bytes instead of {} of {}",
            found.files, found.bytes, summary.files, summary.bytes
        )));
    }
    if depth == Depth::Full && found.digest != Some(summary.digest.unwrap_or_default()) {
        return Err(Error::failed(
            "the staged traces differ from what was unpacked: read back, their contents differ",
        )
        .hint("check the disk and its file system, or the object storage"));
    }
    Ok(())
}
