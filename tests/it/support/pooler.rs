//! A pgbouncer or a pgpool in front of the PostgreSQL of the tests.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::servers::{
    POSTGRESQL_USER, as_user, postgresql, server_directory_in, url_in, user_ids, wait_for, watchdog,
};
use super::tcp_servers::free_port;

/// The port in the name of its socket.
const PORT: &str = "6432";

/// See the module. It ends with the test.
pub(crate) struct Pooler {
    directory: PathBuf,
    /// The port of 127.0.0.1, if it has no socket.
    port: Option<u16>,
    process: Child,
    watchdog: Child,
}

impl Pooler {
    /// Starts a pgpool.
    pub(crate) fn start_pgpool() -> Pooler {
        let user = user_ids(POSTGRESQL_USER);
        let directory = server_directory_in(&std::env::temp_dir(), "pool", user);
        let (port, other_port) = (free_port(), free_port());
        let here = directory.display();
        let text = format!(
            "backend_clustering_mode = 'streaming_replication'\nlisten_addresses = '127.0.0.1'\nport = {port}\n\
             pcp_listen_addresses = '127.0.0.1'\npcp_port = {other_port}\nsocket_dir = '{here}'\n\
             pcp_socket_dir = '{here}'\npid_file_name = '{here}/pgpool.pid'\nlogdir = '{here}'\nwork_dir = '{here}'\n\
             backend_hostname0 = '{}'\nbackend_port0 = 5432\nbackend_weight0 = 1\nenable_pool_hba = off\n\
             pool_passwd = ''\nnum_init_children = 8\nsr_check_period = 0\nhealth_check_period = 0\n\
             use_watchdog = off\nlogging_collector = off\nlog_destination = 'stderr'\n",
            postgresql().directory.display()
        );
        let settings = ["conf", "pcp", "hba"].map(|name| directory.join(name));
        fs::write(&settings[0], text).unwrap();
        fs::write(&settings[1], "").unwrap();
        fs::write(&settings[2], "").unwrap();
        for path in &settings {
            if let Some((user, group)) = user {
                chown(path, Some(user), Some(group)).unwrap();
            }
        }
        let mut command = as_user(PathBuf::from("/usr/sbin/pgpool"), user);
        command.env("HOME", &directory).arg("-n");
        for (option, path) in ["-f", "-F", "-a"].iter().zip(&settings) {
            command.arg(option).arg(path);
        }
        let log = fs::File::create(directory.join("log")).unwrap();
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("pgpool starts");
        fs::write(directory.join("pid"), process.id().to_string()).unwrap();
        let url = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres");
        wait_for(&directory, || {
            postgres::Client::connect(&url, postgres::NoTls).is_ok()
        });
        Pooler {
            watchdog: watchdog(&directory.join("pid"), &directory),
            process,
            directory,
            port: Some(port),
        }
    }

    /// Starts a pgbouncer, with this `pool_mode`.
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
            port: None,
        }
    }

    /// The URL of `database` through it.
    pub(crate) fn url(&self, database: &str) -> String {
        if let Some(port) = self.port {
            return format!("postgresql://postgres@127.0.0.1:{port}/{database}");
        }
        let url = url_in(&self.directory, database);
        url.replace(&format!("/{database}"), &format!(":{PORT}/{database}"))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // Its children end with it if it may tell them.
        let _ = kill_process(Pid::from_child(&self.process), Signal::INT);
        let _ = self.process.wait();
        let _ = fs::remove_file(self.directory.join("pid"));
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
