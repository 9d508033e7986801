//! The archives of a folder or of a prefix, by their names, and the choice among them.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use super::source::Wanted;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::ui::numbers::grouped;
use crate::ui::terminal;

/// The end of an archive's name: GitLab CI 8 wrote a tar, GitLab CI 7 compressed it.
const MARK: &str = "_gitlab_ci_backup.tar";
/// The end of the name of a backup of GitLab itself.
const MARK_OF_GITLAB: &str = "_gitlab_backup.tar";
const COMPRESSIONS: [&str; 3] = ["", ".gz", ".zst"];

/// The maximum number of archives in an error.
const MAX_LISTED: usize = 20;

/// An archive in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Backup {
    /// When the archive was created, in seconds since 1970.
    epoch: i64,
    name: String,
    /// The size in bytes.
    size: u64,
}

impl Backup {
    /// Whether `wanted` is its epoch, or its file name.
    fn is_named(&self, wanted: &str) -> bool {
        let stem = self.name.split_once(".tar").map(|(stem, _)| stem);
        wanted == self.epoch.to_string() || wanted == self.name || stem == Some(wanted)
    }
}

/// The archives of a folder.
#[derive(Debug, Default)]
pub(super) struct Backups {
    /// Complete archives, the newest first.
    whole: Vec<Backup>,
    /// Names of archives with a suffix: unfinished copies.
    unfinished: Vec<String>,
    /// The name of a backup of GitLab itself, if there is one.
    of_gitlab: Option<String>,
}

impl Backups {
    /// Those among files with these names and sizes.
    pub(super) fn of<'a>(files: impl Iterator<Item = (&'a str, u64)>) -> Backups {
        let mut backups = Backups::default();
        for (name, size) in files {
            backups.note(name, || Some(size));
        }
        backups.sort();
        backups
    }

    /// Whether there is no complete archive.
    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// Those in a folder of this machine.
    pub(super) fn in_folder(folder: &Path) -> Result<Backups> {
        let cannot_read = |cause: std::io::Error| {
            let shown = folder.display();
            Error::usage(format!("cannot read {shown}: {cause}"))
                .caused_by(cause)
                .hint_if_denied(|| {
                    format!(
                        "run ci-import as the owner of {shown} or as root, or name the file itself"
                    )
                })
        };
        let mut backups = Backups::default();
        for entry in fs::read_dir(folder).map_err(cannot_read)? {
            let entry = entry.map_err(cannot_read)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            backups.note(name, || {
                // Links are followed, as in any path. Only files are opened.
                let metadata = fs::metadata(entry.path()).ok()?;
                metadata.is_file().then_some(metadata.len())
            });
        }
        backups.sort();
        Ok(backups)
    }

    /// Takes up a file `name`, if it is a backup. `size` looks whether it is a file, and how large it is.
    fn note(&mut self, name: &str, size: impl FnOnce() -> Option<u64>) {
        // rsync hides a file while it is copied.
        let visible = name.strip_prefix('.').unwrap_or(name);
        let Some((epoch, rest)) = parse_name(visible) else {
            if name.ends_with(MARK_OF_GITLAB) {
                self.of_gitlab = Some(name.to_owned());
            }
            return;
        };
        let Some(size) = size() else { return };
        let is_whole = visible == name && COMPRESSIONS.contains(&rest);
        let name = name.to_owned();
        if is_whole {
            self.whole.push(Backup { epoch, name, size });
        } else {
            self.unfinished.push(name);
        }
    }

    fn sort(&mut self) {
        self.whole.sort_by(|a, b| b.cmp(a));
        self.unfinished.sort();
    }

    /// The name of the selected archive, or of the only one. `folder` is how the folder or prefix is shown.
    pub(super) fn choose(&self, folder: &dyn Display, wanted: Option<&Wanted>) -> Result<&str> {
        let is_wanted =
            |backup: &&Backup| wanted.is_none_or(|wanted| backup.is_named(wanted.epoch()));
        let found: Vec<&Backup> = self.whole.iter().filter(is_wanted).collect();
        if let [one] = found[..] {
            if let Some(name) = self.unfinished.first() {
                terminal::warn(
                    Code::UnfinishedCopy,
                    &format!(
                        "{name} in {folder} may be an unfinished copy; ignored, using {}",
                        one.name
                    ),
                );
            }
            return Ok(&one.name);
        }
        Err(self.none_chosen(folder, wanted, &found))
    }

    /// The error if not exactly one archive of the folder was `found`.
    fn none_chosen(
        &self,
        folder: &dyn Display,
        wanted: Option<&Wanted>,
        found: &[&Backup],
    ) -> Error {
        let Some(newest) = self.whole.first() else {
            let unfinished = self.unfinished.first();
            return Error::usage(format!("{folder} is a folder without a backup archive or a dump")).hint(
                match (unfinished, &self.of_gitlab) {
                    (Some(name), _) => format!("{name} may be an unfinished copy of an archive"),
                    (None, Some(name)) => format!(
                        "{name} is a backup of GitLab itself; archives of GitLab CI are named EPOCH{MARK}"
                    ),
                    (None, None) => format!(
                        "archives are named EPOCH{MARK}, or this with .gz or .zst; an archive with another name \
                         must be named itself"
                    ),
                },
            );
        };
        match wanted {
            Some(wanted) if found.is_empty() => {
                let list = listed(self.whole.iter());
                Error::usage(format!("{folder} has no archive for {wanted}:"))
                    .listing(list)
                    .hint(format!("the newest is --backup {}", newest.epoch))
            }
            Some(wanted) => {
                let list = listed(found.iter().copied());
                Error::usage(format!("{folder} has several archives for {wanted}:"))
                    .listing(list)
                    .hint("name the file itself")
            }
            None => {
                let list = listed(self.whole.iter());
                Error::usage(format!("{folder} has several archives:"))
                    .listing(list)
                    .hint(format!(
                        "name one: --backup {0}, or BACKUP={0} in the environment, for the newest",
                        newest.epoch
                    ))
            }
        }
    }
}

/// The epoch in the name of an archive, and the suffix of the name.
fn parse_name(name: &str) -> Option<(i64, &str)> {
    let (digits, rest) = name.split_once(MARK)?;
    let epoch: i64 = digits.parse().ok()?;
    // A number as Ruby writes it: without sign and leading zeros.
    (epoch >= 0 && epoch.to_string() == digits).then_some((epoch, rest))
}

/// The archives, one per line.
fn listed<'a>(backups: impl ExactSizeIterator<Item = &'a Backup>) -> Vec<String> {
    let more = backups.len().saturating_sub(MAX_LISTED);
    let mut lines = Vec::new();
    for backup in backups.take(MAX_LISTED) {
        let Backup { epoch, name, size } = backup;
        let made = jiff::Timestamp::from_second(*epoch).map_or_else(
            |_| "at no time".to_owned(),
            |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        );
        let size = grouped(*size);
        lines.push(format!("  {epoch:>10}  {made}  {size:>15} bytes  {name}"));
    }
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_archives() {
        for (name, parsed) in [
            ("1443700800_gitlab_ci_backup.tar", Some((1_443_700_800, ""))),
            (
                "1443700800_gitlab_ci_backup.tar.gz",
                Some((1_443_700_800, ".gz")),
            ),
            ("7_gitlab_ci_backup.tar.part", Some((7, ".part"))),
            ("07_gitlab_ci_backup.tar", None),
            ("-7_gitlab_ci_backup.tar", None),
            ("+7_gitlab_ci_backup.tar", None),
            ("_gitlab_ci_backup.tar", None),
            (".7_gitlab_ci_backup.tar.Xk2aQz", None),
            ("99999999999999999999_gitlab_ci_backup.tar", None),
            ("1443700800_gitlab_backup.tar", None),
            ("1443700800_gitlab_ci_backup", None),
        ] {
            assert_eq!(parse_name(name), parsed, "{name}");
        }
    }

    #[test]
    fn a_long_list_ends() {
        let backup = |epoch| Backup {
            epoch,
            name: format!("{epoch}{MARK}"),
            size: 1_234_567,
        };
        let backups: Vec<Backup> = (0..25).map(|n| backup(1_443_700_800 + n)).collect();
        let text = listed(backups.iter());
        let lines: Vec<&str> = text.iter().map(|line| line.trim_start()).collect();
        assert_eq!(lines.len(), 21);
        assert_eq!(
            lines[0],
            "1443700800  2015-10-01 12:00:00 UTC        1,234,567 bytes  1443700800_gitlab_ci_backup.tar"
        );
        assert_eq!(lines[20].trim(), "and 5 more");
        assert!(listed([backup(i64::MAX)].iter())[0].contains("at no time"));
    }
}
