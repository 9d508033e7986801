//! A PostgreSQL that a test has to itself, to kill it or to have its disk run full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::servers::{
    INITDB, POSTGRESQL_USER, SHARED_MEMORY, as_user, connect_in, expect_success, memory,
    postgresql_programs, server_directory_in, user_ids, wait_for, watchdog,
};
use super::small_disk::SmallDisk;

/// Settings. What is not committed stays in memory for as long as the server may keep it there: it is
/// gone when the server is killed.
const SETTINGS: [&str; 7] = [
    SHARED_MEMORY,
    "listen_addresses=",
    "fsync=off",
    "timezone=UTC",
    "wal_writer_delay=10s",
    "max_wal_size=4MB",
    "min_wal_size=2MB",
];

/// How long it may take to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// What of a server is on a small disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Small {
    Log,
    Tables,
}

/// See the module. Its end comes with the test's, however that ends.
pub(crate) struct OwnServer {
    /// The directory with its socket.
    pub(crate) directory: PathBuf,
    pub(crate) disk: Option<SmallDisk>,
    /// Settings that come after the others.
    more_settings: Vec<&'static str>,
    postmaster: Option<Child>,
    watchdog: Child,
}

impl OwnServer {
    pub(crate) fn start() -> OwnServer {
        OwnServer::make(None, &std::env::temp_dir())
    }

    /// In memory, where there is room: not to be killed for what it has not written.
    pub(crate) fn start_in_memory() -> OwnServer {
        OwnServer::make(None, memory().unwrap_or(&std::env::temp_dir()))
    }

    /// With its write-ahead log or all the rest on a disk of so many MiB.
    pub(crate) fn start_with_small_disk(small: Small, mebibytes: u32) -> OwnServer {
        OwnServer::make(Some((small, mebibytes)), &std::env::temp_dir())
    }

    /// A standby of this one, which is called `s1` there.
    pub(crate) fn standby(&self) -> OwnServer {
        let directory =
            server_directory_in(&std::env::temp_dir(), "own", user_ids(POSTGRESQL_USER));
        let data = directory.join("data");
        let mut standby = OwnServer {
            watchdog: watchdog(&directory.join("pid"), &directory),
            disk: None,
            more_settings: Vec::new(),
            postmaster: None,
            directory,
        };
        let mut copy = standby.program("pg_basebackup");
        // With a slot: the primary may keep so little of its log that it would remove what the standby has not got yet.
        copy.args(["-C", "-S", "s1", "-R", "-X", "stream", "-c", "fast", "-D"])
            .arg(&data);
        let primary = self.directory.display();
        copy.args([
            "-d",
            &format!("host={primary} user=postgres application_name=s1"),
        ]);
        expect_success(&copy.output().expect("pg_basebackup runs"));
        std::os::unix::fs::symlink(&data, standby.directory.join("current")).unwrap();
        standby.restart();
        standby
    }

    fn make(small: Option<(Small, u32)>, place: &Path) -> OwnServer {
        let user = user_ids(POSTGRESQL_USER);
        let directory = server_directory_in(place, "own", user);
        let place = directory.join("disk");
        fs::create_dir(&place).unwrap();
        let mut server = OwnServer {
            watchdog: watchdog(&directory.join("pid"), &directory),
            disk: small.map(|(_, mebibytes)| SmallDisk::over(&place, mebibytes)),
            more_settings: Vec::new(),
            postmaster: None,
            directory,
        };
        let in_directory = server.directory.join("data");
        let (data, log) = match small {
            None => (in_directory, None),
            Some((Small::Log, _)) => (in_directory, Some(place.join("log"))),
            Some((Small::Tables, _)) => {
                (place.join("data"), Some(server.directory.join("log_dir")))
            }
        };
        let mut initdb = server.program("initdb");
        initdb
            .args(INITDB)
            .arg("--wal-segsize=1")
            .arg("-D")
            .arg(&data);
        initdb.args(log.map(|log| format!("--waldir={}", log.display())));
        expect_success(&initdb.output().expect("initdb runs"));
        std::os::unix::fs::symlink(&data, server.directory.join("current")).unwrap();
        server.restart();
        server
    }

    /// A program of PostgreSQL, run by the server's user where its disk is.
    fn program(&self, name: &str) -> Command {
        let program = postgresql_programs().join(name);
        let user = user_ids(POSTGRESQL_USER);
        let Some(disk) = &self.disk else {
            return as_user(program, user);
        };
        let mut command = disk.inside_as(user);
        command
            .arg(program)
            .current_dir("/")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Starts it again, with other settings; what is in memory only is written before.
    pub(crate) fn restart_with(&mut self, settings: &[&'static str]) {
        let mut client = connect_in(&self.directory, "postgres").unwrap();
        client.batch_execute("CHECKPOINT").unwrap();
        self.more_settings = settings.to_vec();
        self.restart();
    }

    /// Starts it again.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let data = self.directory.join("current");
        let mut postgres = self.program("postgres");
        postgres.arg("-D").arg(&data).arg("-k").arg(&self.directory);
        for setting in SETTINGS.iter().chain(&self.more_settings) {
            postgres.args(["-c", setting]);
        }
        let log = fs::File::options()
            .append(true)
            .create(true)
            .open(self.directory.join("log"))
            .unwrap();
        postgres
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let postmaster = postgres.spawn().expect("the server starts");
        fs::write(self.directory.join("pid"), postmaster.id().to_string()).unwrap();
        self.postmaster = Some(postmaster);
        wait_for(&self.directory, || {
            connect_in(&self.directory, "postgres").is_ok()
        });
    }

    /// Has all of its processes stand still, or go on.
    pub(crate) fn signal_all(&self, signal: Signal) {
        let process = Pid::from_child(self.postmaster.as_ref().unwrap());
        kill_process(process, signal).unwrap();
        for child in children_of(process) {
            let _ = kill_process(child, signal);
        }
    }

    /// Kills all of its processes at once.
    pub(crate) fn kill(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else {
            return;
        };
        // Stopped, it starts no others.
        let process = Pid::from_child(&postmaster);
        let _ = kill_process(process, Signal::STOP);
        let children = children_of(process);
        for child in &children {
            let _ = kill_process(*child, Signal::KILL);
        }
        let _ = postmaster.kill();
        let _ = postmaster.wait();
        let _ = fs::remove_file(self.directory.join("pid"));
        let started = Instant::now();
        while children.iter().any(|child| is_alive(*child)) {
            assert!(started.elapsed() < Duration::from_secs(10), "it lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl OwnServer {
    /// Ends it at once, but so that it takes its shared memory with it.
    pub(crate) fn end(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else {
            return;
        };
        let _ = kill_process(Pid::from_child(&postmaster), Signal::QUIT);
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if !matches!(postmaster.try_wait(), Ok(None)) {
                let _ = fs::remove_file(self.directory.join("pid"));
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.postmaster = Some(postmaster);
        self.kill();
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.end();
        // That is what the watchdog waits for; it removes the directory.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// State and parent of a process.
fn stat(process: &str) -> Option<(char, i32)> {
    let text = fs::read_to_string(Path::new("/proc").join(process).join("stat")).ok()?;
    // The program's name comes before, in parentheses.
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn is_alive(process: Pid) -> bool {
    stat(&process.as_raw_nonzero().to_string()).is_some_and(|(state, _)| state != 'Z')
}

fn children_of(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero().get();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().into_string().ok());
    numbers
        .filter(|number| stat(number).is_some_and(|(_, of)| of == parent))
        .filter_map(|number| Pid::from_raw(number.parse().ok()?))
        .collect()
}
