//! The journal of a publish: the renames beside the builds directory, and their transaction.
//!
//! It is on the disk before the first rename, and is removed after the transaction has ended. If its writer
//! has ended, recovery asks the target for the status of the transaction, and completes or undoes the
//! renames: the database decides.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use crate::error::{Doing, Error, Kind, Result};
use crate::failpoint;
use crate::traces::BuildsDirectory;

/// The suffix of the builds directory's name for the journal.
const SUFFIX: &str = ".ci_import_journal";

/// The suffix for an incomplete journal; random characters follow.
const UNFINISHED_SUFFIX: &str = ".ci_import_journal.";

/// The renames. The live directory is renamed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renames {
    /// The directory that becomes live, if there is one.
    pub(crate) staged: Option<PathBuf>,
    /// The new place of the live directory, if there is one.
    pub(crate) previous: Option<PathBuf>,
}

/// The renames of a publish. An open journal is locked.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    live: PathBuf,
    renames: Renames,
    /// The identifiers of the transaction and of its database, as the target has them.
    pub(crate) transaction: String,
    pub(crate) database: String,
    /// The kernel releases the lock when the process ends.
    _lock: File,
}

impl Journal {
    /// Writes the journal for `renames` of `builds` in `transaction` of `database`.
    pub(crate) fn write(
        builds: &BuildsDirectory,
        renames: Renames,
        transaction: String,
        database: String,
    ) -> Result<Journal> {
        let path = builds.beside(SUFFIX);
        let doing = || format!("write the journal {}", path.display());
        let name = |path: &Option<PathBuf>| {
            path.as_deref()
                .and_then(Path::file_name)
                .map(|name| name.as_encoded_bytes().to_vec())
        };
        let content = json!({
            "staged": name(&renames.staged),
            "previous": name(&renames.previous),
            "transaction": transaction,
            "database": database,
        });
        // The file has another name until it is complete, and is locked before others can find it.
        let directory = path.parent().unwrap_or(Path::new("/"));
        let unfinished = builds.beside(UNFINISHED_SUFFIX);
        let mut file = tempfile::Builder::new()
            .prefix(unfinished.file_name().unwrap_or_default())
            .tempfile_in(directory)
            .doing(doing())?;
        lock(file.as_file(), &path)?;
        failpoint::reached("journal begun");
        file.write_all(content.to_string().as_bytes())
            .and_then(|()| file.as_file().sync_all())
            .doing(doing())?;
        failpoint::reached("journal whole");
        let file = file.persist_noclobber(&path).map_err(|error| {
            Error::failed(format!("cannot {}: {}", doing(), error.error))
                .hint("another publish is running, or was interrupted: see ci-import recover")
        })?;
        sync_parent(&path).doing(doing())?;
        failpoint::reached("journal written");
        Ok(Journal {
            path,
            live: builds.path().to_owned(),
            renames,
            transaction,
            database,
            _lock: file,
        })
    }

    /// Removes incomplete journals of interrupted publishes, which have renamed nothing.
    pub(crate) fn remove_unfinished(builds: &BuildsDirectory) -> Result<()> {
        for path in builds.left_beside(UNFINISHED_SUFFIX)? {
            fs::remove_file(&path).doing(format!("remove {}", path.display()))?;
            failpoint::reached("unfinished journal removed");
        }
        Ok(())
    }

    /// The journal of an interrupted publish of `builds`, if there is one.
    pub(crate) fn find(builds: &BuildsDirectory) -> Result<Option<Journal>> {
        let path = builds.beside(SUFFIX);
        let doing = || format!("read the journal {}", path.display());
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(cause).doing(doing()),
        };
        lock(&file, &path)?;
        let content = fs::read(&path).doing(doing())?;
        let value: Value = serde_json::from_slice(&content).unwrap_or_default();
        // Names are bytes. None may lead to another directory.
        let beside = |value: &Value| -> Option<PathBuf> {
            let bytes: Option<Vec<u8>> = value
                .as_array()?
                .iter()
                .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
                .collect();
            let name = OsString::from_vec(bytes?);
            let path = builds.path().with_file_name(&name);
            (path.file_name() == Some(&name)).then_some(path)
        };
        let is_name = |value: &Value| value.is_null() || beside(value).is_some();
        let (staged, previous) = (&value["staged"], &value["previous"]);
        let known = (
            value["transaction"].as_str(),
            value["database"].as_str(),
            is_name(staged) && is_name(previous),
        );
        let (Some(transaction), Some(database), true) = known else {
            return Err(Error::new(
                Kind::CutPublish,
                format!("cannot {}: it is damaged", doing()),
            )
            .hint(
                "check the builds directory and the directories beside it, then remove the journal",
            ));
        };
        Ok(Some(Journal {
            live: builds.path().to_owned(),
            renames: Renames {
                staged: beside(staged),
                previous: beside(previous),
            },
            transaction: transaction.to_owned(),
            database: database.to_owned(),
            _lock: file,
            path,
        }))
    }

    /// The builds directory.
    pub(crate) fn live(&self) -> &Path {
        &self.live
    }

    /// Renames the live directory aside, if there is one, then the staged directory to its place.
    pub(crate) fn rename(&self) -> Result<()> {
        let Renames { staged, previous } = &self.renames;
        if let Some(previous) = previous {
            rename(&self.live, previous)
                .map_err(|error| error.hint("if it is a mount point, name a directory in it"))?;
            failpoint::reached("old directory aside");
        }
        if let Some(staged) = staged {
            rename(staged, &self.live)?;
        }
        sync_parent(&self.live).doing(format!("sync the directory of {}", self.live.display()))?;
        failpoint::reached("new directory in place");
        Ok(())
    }

    /// Undoes the renames that were done, because the transaction was aborted.
    pub(crate) fn undo(self) -> Result<()> {
        self.rename_back().map_err(cut)?;
        self.end().map_err(cut)
    }

    fn rename_back(&self) -> Result<()> {
        let Renames { staged, previous } = &self.renames;
        // The live directory is the new one if the staged one has left its place.
        let is_new = |staged: &PathBuf| self.live.exists() && !staged.exists();
        if let Some(staged) = staged
            && is_new(staged)
            && previous.as_ref().is_none_or(|previous| previous.exists())
        {
            rename(&self.live, staged)?;
            failpoint::reached("new directory back");
        }
        if let Some(previous) = previous
            && previous.exists()
        {
            rename(previous, &self.live)?;
            failpoint::reached("old directory back");
        }
        Ok(())
    }

    /// Completes the renames, because the transaction was committed.
    pub(crate) fn complete(self) -> Result<()> {
        self.rename_rest().map_err(cut)?;
        self.end().map_err(cut)
    }

    fn rename_rest(&self) -> Result<()> {
        let Renames { staged, previous } = &self.renames;
        if staged.as_ref().is_some_and(|staged| !staged.exists()) {
            // This rename is the last one.
            return Ok(());
        }
        if let Some(previous) = previous
            && !previous.exists()
        {
            rename(&self.live, previous)?;
            failpoint::reached("old directory aside at last");
        }
        staged
            .as_ref()
            .map_or(Ok(()), |staged| rename(staged, &self.live))
    }

    fn end(self) -> Result<()> {
        failpoint::reached("journal to be removed");
        sync_parent(&self.path)
            .and_then(|()| fs::remove_file(&self.path))
            .and_then(|()| sync_parent(&self.path))
            .doing(format!("remove the journal {}", self.path.display()))?;
        failpoint::reached("journal removed");
        Ok(())
    }
}

/// The error if database and directories do not match. Its kind must not suggest that nothing has changed.
fn cut(error: Error) -> Error {
    error
        .into_kind(Kind::CutPublish)
        .hint("fix this problem, then run ci-import recover")
}

fn lock(file: &File, path: &Path) -> Result<()> {
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        let shown = path.display();
        Error::failed(format!("another import is publishing: it holds {shown}"))
            .hint("wait until it has ended, then run it again")
    })
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).doing(format!("rename {} to {}", from.display(), to.display()))
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}
