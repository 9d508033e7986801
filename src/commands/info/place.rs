//! What the system says of a directory.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use serde_json::{Value, json};

use crate::error::Result;
use crate::traces::{free_bytes, traces_in};
use crate::ui::numbers::grouped;

/// A directory of build traces.
#[derive(Debug)]
pub(super) struct Place {
    /// The name or number of its owner and its group.
    owner: String,
    mode: u32,
    /// The files in it and their bytes; the error if it cannot be read.
    content: Result<(u64, u64)>,
    /// The kind of its file system.
    file_system: String,
    free: Option<u64>,
    is_mount_point: bool,
}

impl Place {
    /// The one at `path`, if there is one.
    pub(super) fn at(path: &Path) -> Option<Place> {
        let metadata = fs::metadata(path).ok()?;
        let parent = path.join("..");
        let above = fs::metadata(parent).ok();
        let name = |id: u32, file: &str| named(id, file).unwrap_or_else(|| id.to_string());
        let owner = name(metadata.uid(), "/etc/passwd");
        let group = name(metadata.gid(), "/etc/group");
        Some(Place {
            owner: format!("{owner}:{group}"),
            mode: metadata.permissions().mode() & 0o7777,
            content: traces_in(path),
            file_system: file_system_of(path),
            free: free_bytes(path),
            is_mount_point: above.is_some_and(|above| above.dev() != metadata.dev()),
        })
    }

    /// As a sentence without its end.
    pub(super) fn told(&self) -> String {
        let content = match &self.content {
            Ok((files, bytes)) => {
                format!("{} traces of {} bytes", grouped(*files), grouped(*bytes))
            }
            Err(error) => error.to_string(),
        };
        let free = self.free.map_or_else(String::new, |free| {
            format!(", {} MB free", grouped(free / 1_000_000))
        });
        let mounted = if self.is_mount_point {
            ", a mount point"
        } else {
            ""
        };
        format!(
            "{}, mode {:04o}; {content}; {}{mounted}{free}",
            self.owner, self.mode, self.file_system
        )
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> Value {
        let content = self.content.as_ref().ok();
        json!({
            "owner": self.owner,
            "mode": format!("{:04o}", self.mode),
            "traces": content.map(|(files, _)| files),
            "bytes": content.map(|(_, bytes)| bytes),
            "error": self.content.as_ref().err().map(ToString::to_string),
            "file_system": self.file_system,
            "is_mount_point": self.is_mount_point,
            "free_bytes": self.free,
        })
    }
}

/// The name that the system's `file` has for a number.
fn named(id: u32, file: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let id = id.to_string();
    let line = text
        .lines()
        .find(|line| line.split(':').nth(2) == Some(&id))?;
    line.split(':').next().map(str::to_owned)
}

/// The kind of the file system at `path`, as /proc/self/mountinfo says (proc(5)).
fn file_system_of(path: &Path) -> String {
    let unknown = || "an unknown file system".to_owned();
    let Ok(path) = fs::canonicalize(path) else {
        return unknown();
    };
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mounts = text.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        // Octal escapes stand for blanks.
        let at = before.split(' ').nth(4)?.replace("\\040", " ");
        Some((at, after.split(' ').next()?))
    });
    let longest = mounts
        .filter(|(at, _)| path.starts_with(at))
        .max_by_key(|(at, _)| at.len());
    longest.map_or_else(unknown, |(_, kind)| kind.to_owned())
}
