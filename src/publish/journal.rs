//! The journal of a publish: the renames beside the builds directory, and their transaction.
//!
//! It is on the disk before the first rename, and is removed after the transaction has ended. If its writer
//! has ended, recovery asks the target for the status of the transaction, and completes or undoes the
//! renames: the database decides.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::renames::{Renames, Swap};
use crate::error::{Doing, Error, Kind, Result};
use crate::failpoint;
use crate::files::{LockedFile, Place};
use crate::traces::BuildsDirectory;

/// The suffix of the builds directory's name for the journal.
const SUFFIX: &str = ".ci_import_journal";

/// The suffix for an incomplete journal; the number of a process follows.
const UNFINISHED_SUFFIX: &str = ".ci_import_journal.";

/// A journal is not larger. A mount point with so many directories in it that theirs is would be no builds directory.
const MOST_BYTES: u64 = 16 << 20;

/// The renames of a publish. An open journal is locked.
#[derive(Debug)]
pub(crate) struct Journal {
    place: Arc<Place>,
    swap: Swap,
    /// The identifiers of the transaction and of its database, as the target has them.
    pub(crate) transaction: String,
    pub(crate) database: String,
    /// The history of the database that the transaction belongs to, if the target has such: a standby that takes over begins
    /// another one, with the same numbers.
    pub(crate) timeline: Option<String>,
    /// The kernel releases the lock when the process ends.
    _lock: LockedFile,
}

impl Journal {
    /// Writes the journal for `renames` of `builds` in `transaction` of `database`.
    pub(crate) fn write(
        builds: &BuildsDirectory,
        renames: Renames,
        transaction: String,
        (database, timeline): (String, Option<String>),
    ) -> Result<Journal> {
        let place = Arc::clone(builds.place());
        let name = place.beside_named(SUFFIX);
        let doing = || format!("write the journal {}", place.shown(&name).display());
        let swap = Swap::plan(&place, renames)?;
        let bytes = |name: &OsString| name.as_bytes().to_vec();
        let named = |name: &Option<OsString>| name.as_ref().map(bytes);
        let all = |names: &[OsString]| names.iter().map(bytes).collect::<Vec<_>>();
        let content = json!({
            "staged": named(&swap.renames.staged),
            "previous": named(&swap.renames.previous),
            "old": all(&swap.old),
            "new": all(&swap.new),
            "transaction": transaction,
            "database": database,
            "timeline": timeline,
        });
        if place.has(&name) {
            return Err(Error::failed(format!("cannot {}: it exists", doing()))
                .hint("another publish is running, or was interrupted: see ci-import recover"));
        }
        // The file has another name until it is complete, and is locked before others can find it.
        let unfinished = place.beside_named(&format!("{UNFINISHED_SUFFIX}{}", std::process::id()));
        let file = place.make_file(&unfinished).doing(doing())?;
        let write = || -> Result<LockedFile> {
            let locked = lock(file, &place)?;
            failpoint::reached("journal begun");
            let mut file = locked.file();
            file.write_all(content.to_string().as_bytes())
                .and_then(|()| file.sync_all())
                .doing(doing())?;
            failpoint::reached("journal whole");
            place.rename(&unfinished, &name)?;
            Ok(locked)
        };
        let locked = write().inspect_err(|_| {
            // A full disk, mostly; nothing was renamed yet.
            let _ = place.remove_file(&unfinished);
        })?;
        place.sync().doing(doing())?;
        failpoint::reached("journal written");
        Ok(Journal {
            place,
            swap,
            transaction,
            database,
            timeline,
            _lock: locked,
        })
    }

    /// Removes incomplete journals of interrupted publishes, which have renamed nothing. Needs the lock of the builds
    /// directory.
    pub(crate) fn remove_unfinished(builds: &BuildsDirectory) -> Result<()> {
        let place = builds.place();
        let left = place.beside_beginning(UNFINISHED_SUFFIX);
        for name in left.doing("look for unfinished journals")? {
            let shown = place.shown(&name);
            place
                .remove_file(&name)
                .doing(format!("remove {}", shown.display()))?;
            failpoint::reached("unfinished journal removed");
        }
        Ok(())
    }

    /// The journal of an interrupted publish of `builds`, if there is one.
    pub(crate) fn find(builds: &BuildsDirectory) -> Result<Option<Journal>> {
        let place = Arc::clone(builds.place());
        let name = place.beside_named(SUFFIX);
        let shown = place.shown(&name);
        let damaged = |what: &str| {
            Error::new(
                Kind::CutPublish,
                format!("cannot read the journal {}: {what}", shown.display()),
            )
            .hint(
                "check the builds directory and the directories beside it, then remove the journal",
            )
        };
        let (file, content) = match place.read_own(&name, MOST_BYTES) {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                return Err(damaged(&cause.to_string()));
            }
            Err(cause) => return Err(cause).doing(format!("read the journal {}", shown.display())),
        };
        let locked = lock(file, &place)?;
        let value: Value = serde_json::from_slice(&content).unwrap_or_default();
        let swap = swap_of(&value, &place);
        let known = (
            value["transaction"].as_str(),
            value["database"].as_str(),
            swap,
        );
        let (Some(transaction), Some(database), Some(swap)) = known else {
            return Err(damaged("it is damaged"));
        };
        Ok(Some(Journal {
            swap,
            transaction: transaction.to_owned(),
            database: database.to_owned(),
            timeline: value["timeline"].as_str().map(str::to_owned),
            _lock: locked,
            place,
        }))
    }

    /// The name that the directory that was live before gets.
    pub(crate) fn previous(&self) -> Option<&OsStr> {
        self.swap.renames.previous.as_deref()
    }

    /// The path of the builds directory.
    pub(crate) fn live(&self) -> &Path {
        self.place.path()
    }

    /// Renames the live directory aside, if there is one, then the staged directory to its place.
    pub(crate) fn rename(&self) -> Result<()> {
        self.swap.make(&self.place)?;
        let live = self.place.path().display();
        self.place
            .sync()
            .doing(format!("sync the directory of {live}"))?;
        failpoint::reached("new directory in place");
        Ok(())
    }

    /// Undoes the renames that were done, because the transaction was aborted.
    pub(crate) fn undo(self) -> Result<()> {
        self.swap.undo(&self.place).map_err(cut)?;
        self.end().map_err(cut)
    }

    /// Completes the renames, because the transaction was committed.
    pub(crate) fn complete(self) -> Result<()> {
        self.swap.make(&self.place).map_err(cut)?;
        self.swap.tidy_up(&self.place);
        self.end().map_err(cut)
    }

    fn end(self) -> Result<()> {
        failpoint::reached("journal to be removed");
        let name = self.place.beside_named(SUFFIX);
        self.place
            .sync()
            .and_then(|()| self.place.remove_file(&name))
            .and_then(|()| self.place.sync())
            .doing(format!(
                "remove the journal {}",
                self.place.shown(&name).display()
            ))?;
        failpoint::reached("journal removed");
        Ok(())
    }
}

/// The renames of a journal's content; none if it is not of ours. Whoever wrote it cannot have anything renamed that
/// an import would not rename.
fn swap_of(value: &Value, place: &Place) -> Option<Swap> {
    let name = |value: &Value| -> Option<OsString> {
        let bytes: Option<Vec<u8>> = value
            .as_array()?
            .iter()
            .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
            .collect();
        Some(OsString::from_vec(bytes?))
    };
    let maybe = |value: &Value| -> Option<Option<OsString>> {
        match value {
            Value::Null => Some(None),
            value => name(value)
                .filter(|name| is_name_of_ours(place, name))
                .map(Some),
        }
    };
    let all = |value: &Value| -> Option<Vec<OsString>> {
        let names = value.as_array().map_or(&[][..], Vec::as_slice);
        let is_entry = |name: &OsString| is_plain(name) && !place.is_ours(name);
        names
            .iter()
            .map(|value| name(value).filter(is_entry))
            .collect()
    };
    Some(Swap {
        renames: Renames {
            staged: maybe(&value["staged"])?,
            previous: maybe(&value["previous"])?,
        },
        old: all(&value["old"])?,
        new: all(&value["new"])?,
    })
}

/// Whether it names an entry of a directory.
fn is_plain(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !bytes.is_empty()
        && !bytes.contains(&b'/')
        && !bytes.contains(&0)
        && !matches!(bytes, b"." | b"..")
}

/// Whether it is the name of a staged or of a replaced directory of `place`.
fn is_name_of_ours(place: &Place, name: &OsStr) -> bool {
    let own = place.name().unwrap_or_default().as_bytes();
    let Some(suffix) = name.as_bytes().strip_prefix(own) else {
        return false;
    };
    let is_number = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    let staged = suffix.strip_prefix(b".ci_import_staging.");
    let is_staged = staged
        .or_else(|| suffix.strip_prefix(b".ci_import_kept."))
        .is_some_and(|rest| !rest.is_empty() && !rest.contains(&b'/'));
    let replaced: &[u8] = if place.is_mount_point() {
        b".ci_import_replaced."
    } else {
        b"."
    };
    is_staged || suffix.strip_prefix(replaced).is_some_and(is_number)
}

/// The error if database and directories do not match. Its kind must not suggest that nothing has changed.
fn cut(error: Error) -> Error {
    error
        .into_kind(Kind::CutPublish)
        .hint("fix this problem, then run ci-import recover")
}

fn lock(file: File, place: &Place) -> Result<LockedFile> {
    LockedFile::exclusive(file).ok_or_else(|| {
        let shown = place.shown(&place.beside_named(SUFFIX));
        Error::failed(format!(
            "another import is publishing: it holds {}",
            shown.display()
        ))
        .hint("wait until it has ended, then run it again")
    })
}
