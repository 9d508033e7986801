//! What the system says of a directory.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use serde_json::{Value, json};

use crate::error::Result;
use crate::files::{Owner, file_system_of};
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
        let owner = Owner {
            user: metadata.uid(),
            group: metadata.gid(),
        };
        Some(Place {
            owner: owner.shown(),
            mode: metadata.permissions().mode() & 0o7777,
            content: traces_in(path),
            file_system: file_system_of(path)
                .unwrap_or_else(|| "an unknown file system".to_owned()),
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
