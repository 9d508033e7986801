//! A MariaDB that a test has to itself, to kill it. It keeps commits in memory for up to a second, as all
//! of the tests' do, so what it has not been told to write is gone when it is killed.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::servers::{
    MARIADB_OF_TESTS, MARIADB_USER, install_mariadb, mariadbd, server_directory_in, user_ids,
    wait_for_mariadb, watchdog,
};

/// See the module. Its end comes with the test's, however that ends.
pub(crate) struct OwnMariadb {
    /// The directory with its socket.
    pub(crate) directory: PathBuf,
    server: Option<Child>,
    watchdog: Child,
}

impl OwnMariadb {
    pub(crate) fn start() -> OwnMariadb {
        let directory = server_directory_in(&std::env::temp_dir(), "mine", user_ids(MARIADB_USER));
        install_mariadb(&directory);
        let mut server = OwnMariadb {
            watchdog: watchdog(&directory.join("pid"), &directory),
            server: None,
            directory,
        };
        server.run();
        server
    }

    fn run(&mut self) {
        let log = fs::File::create(self.directory.join("log")).unwrap();
        let mut command = mariadbd(&self.directory, &MARIADB_OF_TESTS);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let child = command.spawn().expect("the server starts");
        fs::write(self.directory.join("pid"), child.id().to_string()).unwrap();
        self.server = Some(child);
        wait_for_mariadb(&self.directory);
    }

    /// Sends it a signal: STOP has it stand still.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.server.as_ref().unwrap()), signal).unwrap();
    }

    /// As if the machine had failed, for all that the server had not written.
    pub(crate) fn kill_and_start(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        self.run();
    }
}

impl Drop for OwnMariadb {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = fs::remove_file(self.directory.join("pid"));
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
