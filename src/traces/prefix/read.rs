//! Reads the traces of an import back.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::manifest::MANIFEST;
use crate::archive::{BLOCK_BYTES, safe_path};
use crate::error::{Doing, Result};
use crate::storage::{Gets, Objects, SMALL_OBJECT_BYTES};
use crate::traces::compare::{Measured, TraceFindings, same};
use crate::traces::digest::{TraceDigest, TraceHasher};
use crate::traces::extract::{
    Wanted, damaged_trace, for_each_trace_entry, read_of_trace, truncation,
};
use crate::ui::counts::Counts;

/// Compares `inflated`, a tar of traces, with `objects`, byte for byte. `check` can stop it.
pub(in crate::traces) fn compare(
    inflated: &mut dyn Read,
    objects: &Objects,
    wanted: Wanted,
    check: &(dyn Fn() -> Result<()> + Sync),
    counts: &Counts,
) -> Result<TraceFindings> {
    let mut comparison = Comparison {
        objects,
        gets: Gets::from(objects),
        findings: TraceFindings::default(),
    };
    let read = for_each_trace_entry(inflated, |name, entry| {
        check()?;
        let path = safe_path(name)?;
        if !matches!(entry.kind(), EntryType::Regular | EntryType::Continuous) {
            return Ok(());
        }
        let size = entry.size();
        comparison.entry(path, size, entry)?;
        comparison.findings.files += 1;
        comparison.findings.bytes += size;
        counts.add(1);
        Ok(())
    });
    let Comparison {
        mut gets,
        mut findings,
        ..
    } = comparison;
    findings.truncated = truncation(read, findings.files, wanted)?;
    gets.end(&mut |found| {
        judge(&mut findings, found);
        Ok(())
    })?;
    objects.for_each(&mut |name, _| {
        findings.found += u64::from(name != MANIFEST);
        check()
    })?;
    Ok(findings)
}

/// A trace of the archive, and what is in the storage.
type Found = ((PathBuf, Vec<u8>), Option<Vec<u8>>);

fn judge(findings: &mut TraceFindings, ((path, expected), found): Found) {
    match found {
        None => findings.missing.add(&path),
        Some(found) if found != expected => findings.different.add(&path),
        Some(_) => {}
    }
}

struct Comparison<'a> {
    objects: &'a Objects,
    gets: Gets<(PathBuf, Vec<u8>)>,
    findings: TraceFindings,
}

impl Comparison<'_> {
    fn entry(&mut self, path: PathBuf, size: u64, entry: &mut impl Read) -> Result<()> {
        let key = path.to_string_lossy().into_owned();
        if size <= SMALL_OBJECT_BYTES {
            let length = usize::try_from(size).unwrap_or(usize::MAX);
            let mut expected = vec![0; length];
            read_of_trace(entry, &mut expected, &path, (0, size))?;
            let findings = &mut self.findings;
            return self
                .gets
                .begin(&key, (length, length), (path, expected), &mut |found| {
                    judge(findings, found);
                    Ok(())
                });
        }
        let found = self.objects.open(&key)?;
        let is_missing = found.is_none();
        let mut blocks = (vec![0; BLOCK_BYTES], vec![0; BLOCK_BYTES]);
        let is_same = match found {
            Some(mut found) => same(entry, &mut found, &mut blocks, &path)?,
            None => false,
        };
        read_rest(entry, &path)?;
        if is_missing {
            self.findings.missing.add(&path);
        } else if !is_same {
            self.findings.different.add(&path);
        }
        Ok(())
    }
}

/// Only a trace that the archive has to its end was imported.
fn read_rest(entry: &mut impl Read, path: &Path) -> Result<()> {
    let rest = io::copy(entry, &mut io::sink());
    rest.map_err(|cause| damaged_trace(path, cause))?;
    Ok(())
}

/// Measures the traces in `objects`; with `digest` it reads them. `check` can stop it.
pub(in crate::traces) fn measure(
    objects: &Objects,
    digest: bool,
    check: &dyn Fn() -> Result<()>,
) -> Result<Measured> {
    let mut measured = Measured::default();
    let mut sum = TraceDigest::default();
    let mut gets = Gets::from(objects);
    let take = |sum: &mut TraceDigest, (path, found): (PathBuf, Option<Vec<u8>>)| {
        let mut hasher = TraceHasher::new(&path);
        hasher.update(&found.unwrap_or_default());
        sum.add(hasher.finish());
        Ok(())
    };
    objects.for_each(&mut |name, size| {
        check()?;
        if name == MANIFEST {
            return Ok(());
        }
        measured.files += 1;
        measured.bytes += size;
        if !digest {
            return Ok(());
        }
        if size > SMALL_OBJECT_BYTES {
            sum.add(hash_of(objects, name)?);
            return Ok(());
        }
        let bytes = usize::try_from(size).unwrap_or(usize::MAX);
        gets.begin(name, (bytes, 0), PathBuf::from(name), &mut |found| {
            take(&mut sum, found)
        })
    })?;
    gets.end(&mut |found| take(&mut sum, found))?;
    measured.digest = digest.then_some(sum);
    Ok(measured)
}

fn hash_of(objects: &Objects, name: &str) -> Result<u128> {
    let mut hasher = TraceHasher::new(Path::new(name));
    let mut block = vec![0; BLOCK_BYTES];
    if let Some(mut found) = objects.open(name)? {
        let read = hasher.read(&mut found, &mut block);
        read.doing(format!("read {}{name}", objects.prefix()))?;
    }
    Ok(hasher.finish())
}
