//! Dumps that are folders: of mydumper and dumpling, of MySQL Shell (`util.dumpInstance`, `dumpSchemas`, `dumpTables`), and
//! of `mysqldump --tab`. The files become one stream of SQL, so that everything behind it reads a dump as any other.
//!
//! Files are opened one after the other. Rows that are not SQL but lines of values become INSERTs.

mod load_data;
mod mydumper;
mod mysql_shell;
mod names;
mod stream;
mod tab;
mod tuples;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::dump::mysql::sql::identifier;
use crate::error::{Error, Result};
use names::plain;
pub(super) use stream::FolderStream;
use stream::Part;

/// So many files may be in a folder.
const MAX_FILES: usize = 1_000_000;

/// A folder with a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpFolder {
    path: PathBuf,
    names: Vec<String>,
    writer: Writer,
}

/// The program that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Mydumper,
    MysqlShell,
    Tab,
}

impl DumpFolder {
    /// The dump in the folder `path`, if there is one.
    pub(super) fn at(path: &Path) -> Result<Option<DumpFolder>> {
        let Names { names, unread } = names_in(path)?;
        let writer = if mysql_shell::wrote(&names) {
            Writer::MysqlShell
        } else if mydumper::wrote(&names) {
            Writer::Mydumper
        } else if tab::wrote(&names) {
            Writer::Tab
        } else {
            return Ok(None);
        };
        let shown = path.display().to_string();
        if let Some(name) = unread {
            return Err(
                Error::archive(format!("the file \"{}\" cannot be read", name.display())).at(shown),
            );
        }
        let mut known = HashSet::new();
        if let Some(name) = names.iter().find(|name| !known.insert(plain(name))) {
            return Err(
                Error::archive(format!("{name:?} is there twice, compressed and not"))
                    .at(shown)
                    .hint("remove one of the two"),
            );
        }
        Ok(Some(DumpFolder {
            path: path.to_owned(),
            names,
            writer,
        }))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its SQL.
    pub(super) fn open(&self) -> Result<FolderStream> {
        let parts = match self.writer {
            Writer::Mydumper => mydumper::parts(&self.path, &self.names),
            Writer::MysqlShell => mysql_shell::parts(&self.path, &self.names),
            Writer::Tab => tab::parts(&self.path, &self.names),
        };
        let parts = parts.map_err(|error| error.at(self.path.display().to_string()))?;
        Ok(FolderStream::of(parts))
    }
}

/// The files of a folder.
struct Names {
    /// Their names, in order.
    names: Vec<String>,
    /// One that is there, but cannot be looked at, or whose name is no text.
    unread: Option<OsString>,
}

fn names_in(folder: &Path) -> Result<Names> {
    let cannot_read = |cause: std::io::Error| {
        Error::usage(format!("cannot read {}: {cause}", folder.display())).caused_by(cause)
    };
    let (mut names, mut unread) = (Vec::new(), None);
    for entry in fs::read_dir(folder).map_err(cannot_read)? {
        let entry = entry.map_err(cannot_read)?;
        let is_file = fs::metadata(entry.path()).map(|found| found.is_file());
        match (is_file, entry.file_name().into_string()) {
            (Ok(true), Ok(name)) => names.push(name),
            (Ok(false), _) => {}
            (Err(_), Ok(name)) => unread = Some(name.into()),
            (_, Err(name)) => unread = Some(name),
        }
        if names.len() > MAX_FILES {
            let shown = folder.display();
            return Err(Error::usage(format!(
                "{shown} has more than {MAX_FILES} files"
            )));
        }
    }
    names.sort_unstable();
    Ok(Names { names, unread })
}

/// A file of the dump. The description of a dump can name any file, but only those of its folder are read.
fn file_of(folder: &Path, names: &[String], name: &str) -> Result<PathBuf> {
    if has(names, name) {
        return Ok(folder.join(name));
    }
    Err(Error::archive(format!("the file {name:?} is missing"))
        .hint("copy all files of the folder again"))
}

/// Whether `name` is one of `names`, which are in order.
fn has(names: &[String], name: &str) -> bool {
    names
        .binary_search_by(|known| known.as_str().cmp(name))
        .is_ok()
}

/// The text of a file that describes the dump.
fn description(folder: &Path, names: &[String], name: &str) -> Result<String> {
    let path = file_of(folder, names, name)?;
    stream::text_of(&path).map_err(|cause| Error::archive(format!("cannot read {name}: {cause}")))
}

/// Whether a name ends with a dot and `extension`.
fn has_extension(name: &str, extension: &str) -> bool {
    let rest = name.strip_suffix(extension);
    rest.is_some_and(|rest| rest.ends_with('.'))
}

/// SQL that makes `database` the current one.
fn use_database(database: &str) -> Part {
    Part::Text(format!("USE {};\n", identifier(database)))
}
