//! The checks of the builds directory.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::checks::Checks;
use super::tell_space;
use crate::cli::settings::CheckSettings;
use crate::commands::estimate::Estimate;
use crate::commands::space::traces_space;
use crate::error::Error;
use crate::files::{Owner, file_system_of, ids_of, is_shared};
use crate::gitlab::installation::Installation;
use crate::server::postgresql::publish;
use crate::traces::{BuildsDirectory, BuildsPrefix};

/// GitLab's user, in packages and in the manual.
const GITLAB_USER: &str = "git";

/// Checks the directory, whose the traces become, and its file system.
pub(super) fn check(
    checks: &mut Checks,
    builds: &BuildsDirectory,
    settings: &CheckSettings,
    (gitlab, estimate): (Option<&Installation>, Option<Estimate>),
) {
    let shown = builds.path().display();
    let usable = builds
        .check_unused()
        .and_then(|()| builds.check_writable())
        .and_then(|()| builds.has_content());
    let is_mount_point = builds.is_mount_point();
    checks.add("builds directory", usable, |has_content| {
        match (is_mount_point, *has_content) {
            (true, true) => {
                format!("{shown} is a mount point: its contents will be kept aside in it")
            }
            (true, false) => format!("{shown} is a mount point: the traces will be put into it"),
            (false, true) => format!("{shown} will be kept aside"),
            (false, false) if builds.is_live() => format!("{shown} is empty"),
            (false, false) => format!("{shown} will be created"),
        }
    });
    tell_owner(checks, builds, settings);
    let of_gitlab = gitlab.and_then(|gitlab| gitlab.repositories.as_deref());
    if let Some(repositories) = settings.repositories.as_deref().or(of_gitlab) {
        tell_file_system(checks, builds, repositories);
    }
    match publish::is_cut(builds) {
        Ok(false) => {}
        Ok(true) => checks.note(
            "journal",
            "a publish was interrupted; the import, or ci-import recover, completes or undoes it",
        ),
        Err(error) => _ = checks.add("journal", Err::<(), _>(error), |()| String::new()),
    }
    if let Some(estimate) = estimate {
        match traces_space(builds, estimate.least_traces) {
            Some(space) if !space.is_enough() => {
                let error = Error::failed(format!("not enough: {space}"))
                    .hint("free some space, or name a --builds-path with more space");
                checks.add("space for traces", Err::<(), _>(error), |()| String::new());
            }
            space => tell_space(checks, "space for traces", space.map(|s| s.to_string())),
        }
    }
}

/// Checks the object storage. Whether one may write there, only the import finds out, before anything else.
pub(super) fn check_prefix(checks: &mut Checks, prefix: &BuildsPrefix) {
    checks.add(
        "object storage",
        prefix.imports(),
        |imports| match imports.len() {
            0 => format!("{prefix} has no traces yet"),
            1 => format!("{prefix} has the traces of an import, which stay"),
            several => format!("{prefix} has the traces of {several} imports, which stay"),
        },
    );
    checks.note(
        "readers",
        "GitLab itself reads its traces from a directory, and not from an object storage",
    );
}

/// GitLab must be able to write into the directory: runners send traces to it.
fn tell_owner(checks: &mut Checks, builds: &BuildsDirectory, settings: &CheckSettings) {
    let name = "owner of builds";
    let Some(owner) = checks.add(name, builds.future_owner(), |owner: &Owner| owner.shown()) else {
        return;
    };
    let gitlab = ids_of(GITLAB_USER).map(|(user, _)| user);
    let is_gitlabs = match gitlab {
        Some(user) => owner.user == user,
        None => owner.user != 0,
    };
    if is_gitlabs || settings.builds_owner.is_some() {
        return;
    }
    checks.note(
        name,
        format!(
            "GitLab's user must be able to write there: import with --builds-owner git:git, or before \
             sudo chown git:git {}",
            builds.path().display()
        ),
    );
}

/// Servers of one GitLab share its repositories, and must share the traces, too.
fn tell_file_system(checks: &mut Checks, builds: &BuildsDirectory, repositories: &Path) {
    let name = "file system";
    let above = builds.path().parent().unwrap_or(Path::new("/"));
    let ours = System::of(builds.path()).or_else(|| System::of(above));
    let (ours, theirs) = match (ours, System::of(repositories)) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        (_, None) => {
            let shown = repositories.display();
            checks.note(
                name,
                format!("{shown}, with the repositories, cannot be looked at"),
            );
            return;
        }
        (None, _) => return,
    };
    let what = format!(
        "the builds lie on {}, the repositories in {} on {}",
        ours.told(),
        repositories.display(),
        theirs.told()
    );
    if theirs.is_shared() && !ours.is_shared() {
        checks.note(
            name,
            format!("{what}: other servers of this GitLab do not see the traces; put the builds on a shared one, too"),
        );
    } else if ours.device != theirs.device {
        checks.note(
            name,
            format!("{what}: not the same one, so whatever copies or mounts the one must be told of the other"),
        );
    } else {
        checks.add(name, Ok(what), Clone::clone);
    }
}

/// The file system of a directory.
struct System {
    kind: String,
    device: u64,
}

impl System {
    /// That of the directory at `path`.
    fn of(path: &Path) -> Option<System> {
        Some(System {
            device: fs::metadata(path).ok()?.dev(),
            kind: file_system_of(path)?,
        })
    }

    fn is_shared(&self) -> bool {
        is_shared(&self.kind)
    }

    fn told(&self) -> String {
        let shared = if self.is_shared() {
            ", which is shared"
        } else {
            ""
        };
        format!("{}{shared}", self.kind)
    }
}
