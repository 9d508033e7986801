//! The output: standard output, a device or pipe, a file that gets its name when it is complete, or such an object.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::{NamedTempFile, PersistError};

use crate::error::{Doing, Error, Result};
use crate::files::is_stranger;
use crate::storage::{ObjectUrl, Upload, Writing};

/// Refuses a link in a directory where everybody may make one, such as /tmp, unless the user or root has made it, as Linux
/// does if it is told to (proc(5), `protected_symlinks`).
fn refuse_strangers_link(path: &Path) -> Result<()> {
    let Ok(link) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let Ok(directory) = fs::metadata(parent.unwrap_or(Path::new("."))) else {
        return Ok(());
    };
    let is_open = directory.mode() & 0o002 != 0;
    if is_open && is_stranger(link.uid()) && !link.is_file() {
        return Err(Error::usage(format!(
            "cannot write {}: the user {} has put it where everybody may",
            path.display(),
            link.uid()
        ))
        .hint("name another file, in a directory of your own"));
    }
    Ok(())
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The user alone: it has values of rows.
    Owner,
    /// Who may read any new file of the user.
    AsUsual,
}

/// The URL of an object in `output`, if it is one.
#[must_use]
pub fn url_in(output: &Path) -> Option<Result<ObjectUrl>> {
    ObjectUrl::in_path(output)
}

/// A file being written. It is removed if it is dropped before `keep`.
pub enum OutputFile {
    /// Standard output.
    Stdout,
    /// A device or a named pipe, and its name. It is written to, not replaced.
    Opened(File, PathBuf),
    /// A temporary file, the name it will get, and who may read it then.
    Named(NamedTempFile, PathBuf, Access),
    /// An object in an object storage, and whether it is to be compressed.
    Object(Arc<Mutex<Upload>>, bool),
}

/// Writes into an upload.
struct ToObject(Arc<Mutex<Upload>>);

impl Write for ToObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        locked(&self.0).flush()
    }
}

fn locked(upload: &Mutex<Upload>) -> MutexGuard<'_, Upload> {
    upload.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a file of this name is compressed.
fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "gz")
}

impl OutputFile {
    /// The output at `path`, which may be the URL of an object; it is written as `writing` says. See [`Self::create`].
    pub fn create_anywhere(path: Option<&Path>, writing: &Writing) -> Result<OutputFile> {
        match path.and_then(url_in) {
            Some(url) => {
                let url = url?;
                let is_compressed = is_gzip(Path::new(url.name()));
                let upload = Upload::begin(&url, writing)?;
                Ok(OutputFile::Object(
                    Arc::new(Mutex::new(upload)),
                    is_compressed,
                ))
            }
            None => OutputFile::create(path),
        }
    }

    /// The output at `path`; standard output for none and for `-`. Through a symbolic link its target is written.
    pub fn create(path: Option<&Path>) -> Result<OutputFile> {
        OutputFile::create_for(path, Access::Owner)
    }

    /// The same, for those who may read it.
    pub fn create_for(path: Option<&Path>, access: Access) -> Result<OutputFile> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            return Ok(OutputFile::Stdout);
        };
        if let Some(url) = url_in(path) {
            return Err(Error::usage(format!(
                "cannot write {}: it is not a file on this machine",
                url?
            ))
            .hint("name a file"));
        }
        let shown = path.display();
        refuse_strangers_link(path)?;
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&path).map(|metadata| metadata.file_type()) {
            Ok(kind) if kind.is_dir() => {
                let error = Error::usage(format!("cannot write {shown}: it is a directory"));
                return Err(error.hint("name a file in it"));
            }
            Ok(kind) if !kind.is_file() => {
                let file = OpenOptions::new().write(true).open(&path);
                return Ok(OutputFile::Opened(
                    file.doing(format!("write {shown}"))?,
                    path,
                ));
            }
            _ => {}
        }
        let directory = match path.parent() {
            Some(parent) if parent.as_os_str() != "" => parent,
            _ => Path::new("."),
        };
        let mode = match access {
            Access::Owner => 0o600,
            Access::AsUsual => 0o666,
        };
        let file = tempfile::Builder::new()
            .permissions(PermissionsExt::from_mode(mode))
            .tempfile_in(directory)
            .doing(format!("write {shown}"))?;
        Ok(OutputFile::Named(file, path, access))
    }

    /// Whether its name asks for compression.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        match self {
            OutputFile::Stdout => false,
            OutputFile::Opened(_, path) | OutputFile::Named(_, path, _) => is_gzip(path),
            OutputFile::Object(_, is_compressed) => *is_compressed,
        }
    }

    /// A writer to it.
    pub fn writer(&self) -> Result<Box<dyn Write + Send>> {
        match self {
            OutputFile::Stdout => Ok(Box::new(io::stdout())),
            OutputFile::Opened(file, path) => {
                let file = file.try_clone();
                Ok(Box::new(file.doing(format!("write {}", path.display()))?))
            }
            OutputFile::Named(file, path, _) => {
                let file: File = file.reopen().doing(format!("write {}", path.display()))?;
                Ok(Box::new(file))
            }
            OutputFile::Object(upload, _) => Ok(Box::new(ToObject(Arc::clone(upload)))),
        }
    }

    /// Writes `content`, all that it is to have.
    pub fn fill(&self, content: &[u8]) -> io::Result<()> {
        let mut writer = self.writer().map_err(io::Error::other)?;
        writer.write_all(content)?;
        writer.flush()
    }

    /// The file is complete: gives it its name, in place of another file. An object is replaced only if that was asked for.
    pub fn keep(self) -> Result<()> {
        self.named(NamedTempFile::persist)
    }

    /// The file is complete: gives it its name, unless another file has got it.
    pub fn keep_new(self) -> Result<()> {
        self.named(NamedTempFile::persist_noclobber)
    }

    fn named(
        self,
        persist: impl FnOnce(NamedTempFile, PathBuf) -> std::result::Result<File, PersistError>,
    ) -> Result<()> {
        let (file, path, access) = match self {
            OutputFile::Named(file, path, access) => (file, path, access),
            OutputFile::Object(upload, _) => return locked(&upload).keep(),
            OutputFile::Stdout | OutputFile::Opened(..) => return Ok(()),
        };
        let shown = path.display().to_string();
        file.as_file().sync_all().doing(format!("write {shown}"))?;
        if access == Access::Owner {
            file.as_file()
                .set_permissions(PermissionsExt::from_mode(0o600))
                .doing(format!("write {shown}"))?;
        }
        persist(file, path)
            .map_err(|error| Error::failed(format!("cannot write {shown}: {error}")))?;
        Ok(())
    }
}
