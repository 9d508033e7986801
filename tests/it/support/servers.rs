//! Starts one PostgreSQL and one MariaDB for all tests of this binary, each on a socket in a
//! temporary directory. A watchdog ends and removes them when the tests are gone, however they
//! went.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use rustix::fs::{Access, StatVfsMountFlags, access, statfs, statvfs};

use super::mysql_instead;

/// The servers' users when the tests are run by root.
pub(crate) const POSTGRESQL_USER: &str = "postgres";
pub(crate) const MARIADB_USER: &str = "mysql";

/// How a PostgreSQL of the tests is made.
pub(crate) const INITDB: [&str; 8] = [
    "--no-sync",
    "-U",
    "postgres",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C.UTF-8",
];

/// A setting of each PostgreSQL: what its processes share is in the directory of its data, and goes with that.
pub(crate) const SHARED_MEMORY: &str = "dynamic_shared_memory_type=mmap";

/// How a MariaDB of the tests is started.
pub(crate) const MARIADB_OF_TESTS: [&str; 2] = ["--skip-networking", "--default-time-zone=+00:00"];

/// A running server.
pub(crate) struct Server {
    /// The directory with its socket, which the tests may use.
    pub(crate) directory: PathBuf,
}

/// The PostgreSQL of the tests.
pub(crate) fn postgresql() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let user = user_ids(POSTGRESQL_USER);
        start_postgresql(&postgresql_programs(), server_directory("pg", user))
    })
}

/// The MariaDB of the tests.
pub(crate) fn mariadb() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(start_mariadb)
}

/// Where PostgreSQL's programs are.
pub(crate) fn postgresql_programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("postgres").exists())
        .collect();
    found.sort();
    found
        .pop()
        .expect("PostgreSQL is not installed; scripts/test installs it")
        .1
}

/// A fresh database in the tests' PostgreSQL: its name.
pub(crate) fn new_postgresql_database() -> String {
    new_database_in(&postgresql().directory)
}

/// A fresh database of the server whose socket is in `directory`: its name.
pub(crate) fn new_database_in(directory: &Path) -> String {
    let name = format!("test_{}", next_number());
    let mut client = connect_in(directory, "postgres").unwrap();
    client
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .unwrap();
    name
}

pub(crate) fn connect_postgresql(database: &str) -> postgres::Client {
    connect_in(&postgresql().directory, database).unwrap()
}

/// A session in a database of the server whose socket is in `directory`.
pub(crate) fn connect_in(
    directory: &Path,
    database: &str,
) -> Result<postgres::Client, postgres::Error> {
    postgres::Config::new()
        .host_path(directory)
        .user("postgres")
        .dbname(database)
        .connect(postgres::NoTls)
}

/// The URL of a database in the tests' PostgreSQL.
pub(crate) fn postgresql_url(database: &str) -> String {
    url_in(&postgresql().directory, database)
}

/// The URL of a database of the server whose socket is in `directory`.
pub(crate) fn url_in(directory: &Path, database: &str) -> String {
    let host = directory.to_str().unwrap().replace('/', "%2F");
    format!("postgresql://postgres@{host}/{database}")
}

/// A fresh database in the tests' MariaDB: its name.
pub(crate) fn new_mariadb_database() -> String {
    let name = format!("test_{}", next_number());
    let charset = "CHARACTER SET utf8 COLLATE utf8_unicode_ci";
    connect_mariadb("mysql")
        .query_drop(format!("CREATE DATABASE {name} {charset}"))
        .unwrap();
    name
}

pub(crate) fn connect_mariadb(database: &str) -> mysql::Conn {
    connect_mariadb_in(&mariadb().directory, database)
}

/// A session in a database of the MariaDB whose socket is in `directory`.
pub(crate) fn connect_mariadb_in(directory: &Path, database: &str) -> mysql::Conn {
    let options = mysql::OptsBuilder::new()
        .socket(Some(directory.join("socket").to_str().unwrap()))
        .prefer_socket(true)
        .user(Some("root"))
        .db_name(Some(database))
        .init(vec![
            "SET NAMES utf8mb4",
            "SET time_zone = '+00:00'",
            "SET sql_mode = ''",
        ]);
    mysql::Conn::new(options).unwrap()
}

/// A program of MariaDB, connected to the tests' server.
pub(crate) fn mariadb_program(program: &str) -> Command {
    mariadb_program_in(&mariadb().directory, program)
}

/// The same with the server whose socket is in `directory`.
pub(crate) fn mariadb_program_in(directory: &Path, program: &str) -> Command {
    let mut command = if let Some(folder) = mysql_instead::folder() {
        mysql_instead::client(&folder, program)
    } else {
        let mut command = Command::new(program);
        command.arg("--no-defaults");
        command
    };
    command.args(["-u", "root", "--default-character-set=utf8mb4", "-S"]);
    command.arg(directory.join("socket"));
    command
}

pub(crate) fn next_number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Starts the PostgreSQL whose programs are in `programs`, in a directory that [`server_directory`]
/// has made.
pub(crate) fn start_postgresql(programs: &Path, directory: PathBuf) -> Server {
    let user = user_ids(POSTGRESQL_USER);
    let data = directory.join("data");
    let mut initdb = as_user(programs.join("initdb"), user);
    initdb.args(INITDB).arg("-D").arg(&data);
    expect_success(&initdb.output().expect("initdb runs"));
    let mut postgres = as_user(programs.join("postgres"), user);
    postgres.arg("-D").arg(&data).arg("-k").arg(&directory);
    for setting in [
        "listen_addresses=",
        "fsync=off",
        SHARED_MEMORY,
        "max_connections=200",
        "timezone=UTC",
        // Whose a line of the log is, for those who read it.
        "log_line_prefix=%p %d %a|",
    ] {
        postgres.args(["-c", setting]);
    }
    start(postgres, &directory);
    wait_for(&directory, || {
        postgres::Config::new()
            .host_path(&directory)
            .user("postgres")
            .connect(postgres::NoTls)
            .is_ok()
    });
    Server { directory }
}

fn start_mariadb() -> Server {
    let directory = server_directory("my", user_ids(MARIADB_USER));
    run_mariadb(&directory, &MARIADB_OF_TESTS);
    Server { directory }
}

/// Makes a MariaDB in `directory` and starts it, with its socket there and more `arguments`.
pub(crate) fn run_mariadb(directory: &Path, arguments: &[&str]) {
    install_mariadb(directory);
    start(mariadbd(directory, arguments), directory);
    wait_for_mariadb(directory);
}

/// Makes the data of a MariaDB in `directory`.
pub(crate) fn install_mariadb(directory: &Path) {
    if let Some(folder) = mysql_instead::folder() {
        return mysql_instead::install(&folder, directory);
    }
    let mut install = as_user("mariadb-install-db".into(), user_ids(MARIADB_USER));
    install.args([
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
    ]);
    install.arg(format!("--datadir={}", directory.join("data").display()));
    // The server that it starts removes the temporary tables of others, see `mariadbd`.
    install.env("TMPDIR", directory);
    let output = install
        .output()
        .expect("MariaDB is not installed; scripts/test installs it");
    expect_success(&output);
}

/// The server with its data and socket in `directory`, and more `arguments`.
pub(crate) fn mariadbd(directory: &Path, arguments: &[&str]) -> Command {
    let mut mariadbd = if let Some(folder) = mysql_instead::folder() {
        mysql_instead::server(&folder, directory)
    } else {
        let mut mariadbd = as_user("mariadbd".into(), user_ids(MARIADB_USER));
        mariadbd.arg("--no-defaults");
        mariadbd
    };
    mariadbd.arg("--innodb-flush-log-at-trx-commit=0");
    mariadbd.args([
        "--max-allowed-packet=256M",
        "--innodb-buffer-pool-size=128M",
    ]);
    mariadbd.args(arguments);
    mariadbd.arg(format!("--datadir={}", directory.join("data").display()));
    mariadbd.arg(format!("--socket={}", directory.join("socket").display()));
    // One that starts removes all temporary tables that it finds in this directory: those of others, too.
    mariadbd.arg(format!("--tmpdir={}", directory.display()));
    mariadbd
}

/// Waits until the MariaDB whose socket is in `directory` takes sessions.
pub(crate) fn wait_for_mariadb(directory: &Path) {
    let options = || {
        mysql::OptsBuilder::new()
            .socket(Some(directory.join("socket").to_str().unwrap()))
            .user(Some("root"))
    };
    wait_for(directory, || mysql::Conn::new(options()).is_ok());
}

/// A temporary directory that the server's user owns; short, for the socket's path. It is in memory where
/// there is room: nothing that is seen of these servers depends on it.
pub(crate) fn server_directory(kind: &str, user: Option<(u32, u32)>) -> PathBuf {
    let disk = std::env::temp_dir();
    server_directory_in(memory().unwrap_or(&disk), kind, user)
}

/// The same below `place`.
pub(crate) fn server_directory_in(place: &Path, kind: &str, user: Option<(u32, u32)>) -> PathBuf {
    let directory = tempfile::Builder::new()
        .prefix(&format!("ci-{kind}-"))
        .tempdir_in(place)
        .unwrap()
        .keep();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    if let Some((user, group)) = user {
        chown(&directory, Some(user), Some(group)).unwrap();
    }
    directory
}

/// A directory in memory with room for the servers, from which programs can be run. Not in a program that is no
/// test: what its user compares may be of any size.
pub(crate) fn memory() -> Option<&'static Path> {
    static MEMORY: OnceLock<bool> = OnceLock::new();
    let memory = Path::new("/dev/shm");
    let is_fit = *MEMORY.get_or_init(|| cfg!(test) && has_room(memory).unwrap_or(false));
    is_fit.then_some(memory)
}

fn has_room(memory: &Path) -> Option<bool> {
    const ROOM: u64 = 5 << 30;
    const TMPFS: u64 = 0x0102_1994;
    let is_tmpfs = u64::try_from(statfs(memory).ok()?.f_type).ok()? == TMPFS;
    let disk = statvfs(memory).ok()?;
    let is_open = access(memory, Access::WRITE_OK).is_ok()
        && !disk.f_flag.contains(StatVfsMountFlags::NOEXEC);
    let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
    let available = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let available: u64 = available.trim().trim_end_matches(" kB").parse().ok()?;
    // That of a container, if it has one.
    let limits = ["memory.max", "memory/memory.limit_in_bytes"].map(|name| {
        let limit = fs::read_to_string(Path::new("/sys/fs/cgroup").join(name));
        limit.ok().and_then(|limit| limit.trim().parse().ok())
    });
    let limit = limits.into_iter().flatten().min().unwrap_or(u64::MAX);
    let room = (disk.f_bavail * disk.f_frsize)
        .min(available << 10)
        .min(limit);
    Some(is_tmpfs && is_open && room >= ROOM)
}

/// Starts a server, and a shell that waits for the end of this process to end the server too.
#[expect(
    clippy::zombie_processes,
    reason = "it lives as long as this process; the watchdog waits for it"
)]
pub(crate) fn start(mut server: Command, directory: &Path) {
    let log = fs::File::create(directory.join("log")).unwrap();
    server
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    let child = server.spawn().expect("the server starts");
    let pid = directory.join("pid");
    fs::write(&pid, child.id().to_string()).unwrap();
    std::mem::forget(watchdog(&pid, directory));
}

/// A shell that waits for the end of its standard input, which comes with that of this process at the
/// latest. Then it ends the server whose number is in the file `pid`, if there is one, and removes
/// `directory`. Killed at once, a PostgreSQL would leave shared memory behind.
pub(crate) fn watchdog(pid: &Path, directory: &Path) -> Child {
    let script = "trap '' INT TERM HUP; cat >/dev/null; \
                  if server=$(cat \"$1\"); then \
                    kill -QUIT $server; \
                    for try in 1 2 3 4 5 6 7 8 9 10; do kill -0 $server || break; sleep 0.2; done; \
                    kill -9 $server; while kill -0 $server; do sleep 0.05; done; sleep 0.3; \
                  fi; rm -rf \"$2\"; rm -rf \"$2\"";
    let mut watchdog = Command::new("sh");
    watchdog
        .args(["-c", script, "watchdog"])
        .arg(pid)
        .arg(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    watchdog.spawn().unwrap()
}

pub(crate) fn wait_for(directory: &Path, ready: impl Fn() -> bool) {
    let started = Instant::now();
    while !ready() {
        if started.elapsed() > Duration::from_secs(60) {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            panic!("the server does not come up:\n{log}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn as_user(program: PathBuf, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C.UTF-8");
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command
}

/// The ids of `name` if the tests are run by root; else the servers run as whoever runs the tests.
pub(crate) fn user_ids(name: &str) -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let id = |option: &str| {
        let output = Command::new("id").args([option, name]).output().unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse::<u32>()
            .ok()
    };
    Some((
        id("-u").expect("the user exists"),
        id("-g").expect("the group exists"),
    ))
}

pub(crate) fn expect_success(output: &Output) -> Vec<u8> {
    if !output.status.success() {
        let _ = std::io::stderr().write_all(&output.stdout);
        let _ = std::io::stderr().write_all(&output.stderr);
        panic!("{}", output.status);
    }
    output.stdout.clone()
}
