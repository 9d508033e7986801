//! A pgbouncer in front of the PostgreSQL of the tests.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::servers::{
    POSTGRESQL_USER, as_user, postgresql, server_directory_in, url_in, user_ids, wait_for, watchdog,
};

/// The port in the name of its socket.
const PORT: &str = "6432";

/// See the module. It ends with the test.
pub(crate) struct Pooler {
    directory: PathBuf,
    process: Child,
    watchdog: Child,
}

impl Pooler {
    /// Starts it, with this `pool_mode`.
    pub(crate) fn start(mode: &str) -> Pooler {
        let user = user_ids(POSTGRESQL_USER);
        let directory = server_directory_in(&std::env::temp_dir(), "pool", user);
        let (settings, users) = (directory.join("ini"), directory.join("users"));
        fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        let text = format!(
            "[databases]\n* = host={}\n[pgbouncer]\npool_mode = {mode}\nauth_type = trust\nauth_file = {}\n\
             listen_addr =\nlisten_port = {PORT}\nunix_socket_dir = {}\n",
            postgresql().directory.display(),
            users.display(),
            directory.display()
        );
        fs::write(&settings, text).unwrap();
        if let Some((user, group)) = user {
            for path in [&settings, &users] {
                chown(path, Some(user), Some(group)).unwrap();
            }
        }
        let mut command = as_user(PathBuf::from("/usr/sbin/pgbouncer"), user);
        let log = fs::File::create(directory.join("log")).unwrap();
        let process = command
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("pgbouncer starts");
        fs::write(directory.join("pid"), process.id().to_string()).unwrap();
        let socket = directory.join(format!(".s.PGSQL.{PORT}"));
        wait_for(&directory, || socket.exists());
        Pooler {
            watchdog: watchdog(&directory.join("pid"), &directory),
            process,
            directory,
        }
    }

    /// The URL of `database` through it.
    pub(crate) fn url(&self, database: &str) -> String {
        let url = url_in(&self.directory, database);
        url.replace(&format!("/{database}"), &format!(":{PORT}/{database}"))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(self.directory.join("pid"));
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
