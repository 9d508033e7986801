//! Dumps that are folders: of mydumper and dumpling, of MySQL Shell (`util.dumpInstance`, `dumpSchemas`, `dumpTables`), and
//! of `mysqldump --tab`. The files become one stream of SQL, so that everything behind it reads a dump as any other.
//!
//! Files are opened one after the other. Rows that are not SQL but lines of values become INSERTs.

mod mydumper;
mod mysql_shell;
mod stream;
mod tab;
mod tuples;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
pub(super) use stream::FolderStream;
use stream::Part;

/// No file with what a program says about its dump is longer.
const MAX_DESCRIPTION_BYTES: u64 = 16 << 20;

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
        let names = names_in(path)?;
        let writer = if mysql_shell::wrote(&names) {
            Writer::MysqlShell
        } else if mydumper::wrote(&names) {
            Writer::Mydumper
        } else if tab::wrote(&names) {
            Writer::Tab
        } else {
            return Ok(None);
        };
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

/// The names of the files in `folder`, in order. Other names are not those of a dump.
fn names_in(folder: &Path) -> Result<Vec<String>> {
    let cannot_read = |cause: std::io::Error| {
        Error::usage(format!("cannot read {}: {cause}", folder.display())).caused_by(cause)
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot_read)? {
        let entry = entry.map_err(cannot_read)?;
        let is_file = fs::metadata(entry.path()).is_ok_and(|found| found.is_file());
        if let (true, Ok(name)) = (is_file, entry.file_name().into_string()) {
            names.push(name);
        }
        if names.len() > MAX_FILES {
            return Err(Error::usage(format!(
                "{} has more than {MAX_FILES} files",
                folder.display()
            )));
        }
    }
    names.sort_unstable();
    Ok(names)
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
    let cannot_read =
        |cause: std::io::Error| Error::archive(format!("cannot read {name}: {cause}"));
    let file = stream::open_file(&path).map_err(cannot_read)?;
    let mut text = String::new();
    let read = file.take(MAX_DESCRIPTION_BYTES).read_to_string(&mut text);
    read.map_err(cannot_read)?;
    if text.len() as u64 == MAX_DESCRIPTION_BYTES {
        return Err(Error::archive(format!("{name} is too long")));
    }
    Ok(text)
}

/// A name without the suffix of a compression.
fn plain(name: &str) -> &str {
    let suffixes = [".gz", ".zst", ".bz2", ".xz"];
    let mut stems = suffixes
        .iter()
        .filter_map(|suffix| name.strip_suffix(suffix));
    stems.next().unwrap_or(name)
}

/// Whether a name ends with a dot and `extension`.
fn has_extension(name: &str, extension: &str) -> bool {
    let rest = name.strip_suffix(extension);
    rest.is_some_and(|rest| rest.ends_with('.'))
}

/// `name` in backquotes.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// SQL that makes `database` the current one.
fn use_database(database: &str) -> Part {
    Part::Text(format!("USE {};\n", quoted(database)))
}
