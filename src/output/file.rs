//! The file that is written: standard output, or a file that appears under its name when it is whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Doing, Error, Result};

/// A file being written. Dropped before it is kept, it is gone.
pub enum OutputFile {
    /// Standard output.
    Stdout,
    /// A file, and the name it will have.
    Named(NamedTempFile, PathBuf),
}

impl OutputFile {
    /// The output named `path`, or standard output without one or for `-`.
    pub fn create(path: Option<&Path>) -> Result<OutputFile> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            return Ok(OutputFile::Stdout);
        };
        let directory = match path.parent() {
            Some(parent) if parent.as_os_str() != "" => parent,
            _ => Path::new("."),
        };
        let file = NamedTempFile::new_in(directory).doing(format!("write {}", path.display()))?;
        Ok(OutputFile::Named(file, path.to_owned()))
    }

    /// Whether its name asks for compression.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        match self {
            OutputFile::Stdout => false,
            OutputFile::Named(_, path) => path.extension().is_some_and(|ending| ending == "gz"),
        }
    }

    /// What is written to.
    pub fn writer(&self) -> Result<Box<dyn Write + Send>> {
        match self {
            OutputFile::Stdout => Ok(Box::new(io::stdout())),
            OutputFile::Named(file, path) => {
                let file: File = file.reopen().doing(format!("write {}", path.display()))?;
                Ok(Box::new(file))
            }
        }
    }

    /// Gives the file its name: it is whole.
    pub fn keep(self) -> Result<()> {
        let OutputFile::Named(file, path) = self else {
            return Ok(());
        };
        let shown = path.display().to_string();
        file.as_file().sync_all().doing(format!("write {shown}"))?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        file.as_file()
            .set_permissions(mode)
            .doing(format!("write {shown}"))?;
        file.persist(path)
            .map_err(|error| Error::failed(format!("cannot write {shown}: {error}")))?;
        Ok(())
    }
}
