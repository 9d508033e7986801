//! A small disk: a tmpfs in a mount namespace, which a process holds, and which goes with it, however
//! the test ends.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;

/// What fills it.
const BALLAST: &str = "ballast";

/// See the module.
pub(crate) struct SmallDisk {
    holder: Child,
    at: PathBuf,
}

impl SmallDisk {
    /// A disk over the directory `at`, for those who are inside.
    pub(crate) fn over(at: &Path, mebibytes: u32) -> SmallDisk {
        let mount = format!("mount -t tmpfs -o size={mebibytes}m,mode=1777 none \"$1\"");
        SmallDisk::mounted(at, &mount)
    }

    /// No disk of its own, but a mount point: the directory `at` is mounted over itself.
    pub(crate) fn over_itself(at: &Path) -> SmallDisk {
        SmallDisk::mounted(at, "mount --bind \"$1\" \"$1\"")
    }

    fn mounted(at: &Path, mount: &str) -> SmallDisk {
        let script = format!("{mount} && echo mounted && exec cat");
        let mut unshare = Command::new("unshare");
        if !geteuid().is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        unshare
            .args(["--mount", "sh", "-c", &script, "small disk"])
            .arg(at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut holder = unshare.spawn().expect("unshare of util-linux starts");
        let mut said = String::new();
        let _ = BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said);
        if said != "mounted\n" {
            let mut why = String::new();
            let _ = holder.stderr.take().unwrap().read_to_string(&mut why);
            panic!(
                "nothing can be mounted: the tests need root, or that users may make user \
                 namespaces: {why}"
            );
        }
        SmallDisk {
            holder,
            at: at.to_owned(),
        }
    }

    /// `command`, to be run where the disk is.
    pub(crate) fn inside(&self, command: &Command) -> Command {
        let mut nsenter = self.enter();
        nsenter.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => nsenter.env(name, value),
                None => nsenter.env_remove(name),
            };
        }
        nsenter
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        nsenter
    }

    /// What runs the program that follows inside, in the same process; as `user`, if there is one, and
    /// never as somebody who looks like root.
    pub(crate) fn inside_as(&self, user: Option<(u32, u32)>) -> Command {
        let mut nsenter = self.enter();
        match user {
            Some((user, group)) => nsenter
                .args(["setpriv", "--clear-groups"])
                .arg(format!("--reuid={user}"))
                .arg(format!("--regid={group}")),
            None => nsenter.args(["unshare", "--user", "--map-user=1000", "--map-group=1000"]),
        };
        nsenter
    }

    fn enter(&self) -> Command {
        let mut nsenter = Command::new("nsenter");
        nsenter
            .args(["--mount", "--target"])
            .arg(self.holder.id().to_string());
        if !geteuid().is_root() {
            nsenter.args(["--user", "--preserve-credentials"]);
        }
        nsenter
    }

    /// Where those outside find it.
    pub(crate) fn seen(&self) -> PathBuf {
        let at = self.at.strip_prefix("/").unwrap();
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(at)
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let mut ballast = File::create(self.seen().join(BALLAST)).unwrap();
        for length in [1 << 16, 1 << 12, 1] {
            let cause = fill_with(&mut ballast, &vec![1; length]);
            assert_eq!(cause.kind(), ErrorKind::StorageFull, "{cause}");
        }
    }

    /// Takes out what filled it.
    pub(crate) fn free(&self) {
        fs::remove_file(self.seen().join(BALLAST)).unwrap();
    }
}

/// Appends `block` until that fails.
fn fill_with(ballast: &mut File, block: &[u8]) -> std::io::Error {
    loop {
        if let Err(cause) = ballast.write_all(block) {
            return cause;
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
