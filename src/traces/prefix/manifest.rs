//! The manifest of the traces of an import: JSON Lines (jsonlines.org), in UTF-8.
//!
//! The first line names the format, then each trace has a line with its path below the prefix, its size in bytes, the time of
//! its last change in seconds since 1970 and the SHA-256 of its content. The last line counts them.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::archive::error_behind;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::storage::{Objects, Upload};

/// Its name below the prefix of the import.
pub(in crate::traces) const MANIFEST: &str = "manifest.jsonl";

/// A manifest that is being written. It is there after [`Manifest::end`], and not before.
#[derive(Debug)]
pub(super) struct Manifest {
    upload: Upload,
}

impl Manifest {
    /// Begins the manifest of `objects`. It is an error now if one cannot write there.
    pub(super) fn begin(objects: &Objects) -> Result<Manifest> {
        let upload = objects.upload(MANIFEST)?;
        let mut manifest = Manifest { upload };
        manifest.line(&json!({ "format": "ci-import traces", "version": 1 }))?;
        Ok(manifest)
    }

    /// Adds the trace at `path`.
    pub(super) fn add(&mut self, path: &Path, size: u64, modified: i64, sum: Sha256) -> Result<()> {
        let sum = sum.finalize();
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        self.line(&json!({
            "path": path.to_string_lossy(),
            "size": size,
            "modified": modified,
            "sha256": sum,
        }))
    }

    /// Writes the manifest, which makes the traces complete.
    pub(super) fn end(mut self, files: u64, bytes: u64) -> Result<()> {
        self.line(&json!({ "files": files, "bytes": bytes }))?;
        failpoint::reached("manifest to be written");
        self.upload.keep()?;
        failpoint::reached("manifest written");
        Ok(())
    }

    fn line(&mut self, value: &Value) -> Result<()> {
        let written = writeln!(self.upload, "{value}");
        written.map_err(|cause| upload_failure(&cause))
    }
}

/// The error behind that of an upload.
pub(super) fn upload_failure(cause: &std::io::Error) -> Error {
    error_behind(cause).unwrap_or_else(|| Error::failed(format!("cannot write an object: {cause}")))
}
