//! The private PostgreSQL: a server that the program creates and runs itself, with a socket that only its
//! user can access. It is the target if none is named.

use std::fs::{self, DirBuilder};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::options::ConnectionOptions;
use super::server_programs::find_programs;
use crate::error::{Doing, Error, Result};
use crate::files::{Worker, ids_of, open_regular, stranger_at};
use crate::ui::shown::shell_word;

/// The name of its database.
pub const DATABASE: &str = "gitlab_ci";
/// Its superuser.
pub const USER: &str = "postgres";
/// Not through a link (open(2)).
const NO_LINK: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
/// The port is only part of the socket's file name.
const PORT: u16 = 5432;
/// A socket's path must fit into `sun_path` (108 bytes on Linux, with its NUL).
const MAX_SOCKET_PATH: usize = 107;
/// The unprivileged users to run the server as, if root runs the program.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Settings for fast loading. They risk nothing: the server has no replica, and data that is not published
/// can be loaded again. They are given at the start: root writes to no file in a directory of the server's user.
const SETTINGS: [(&str, &str); 9] = [
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "15min"),
    ("log_min_messages", "warning"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
];

/// The variables of the environment that the server's programs get. Passwords are among the others.
const VARIABLES: [&str; 4] = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"];

/// So much of the end of the server's log is looked at.
const LOG_BYTES: u64 = 16 * 1024;

/// A private server, running or not.
#[derive(Debug, Clone)]
pub struct PrivateServer {
    directory: PathBuf,
    programs: PathBuf,
    /// The user and group that the server runs as, if they differ from the program's.
    run_as: Option<(u32, u32)>,
}

impl PrivateServer {
    /// The private server in `directory`, which need not exist.
    pub fn at(directory: &Path) -> Result<PrivateServer> {
        let directory = std::path::absolute(directory).doing("find the private directory")?;
        let run_as = if rustix::process::geteuid().is_root() {
            Some(unprivileged_user()?)
        } else {
            None
        };
        Ok(PrivateServer {
            directory,
            programs: find_programs()?,
            run_as,
        })
    }

    /// The default directory of the private server.
    pub fn default_directory(variable: impl Fn(&str) -> Option<String>) -> Result<PathBuf> {
        if rustix::process::geteuid().is_root() {
            return Ok(PathBuf::from("/var/lib/ci-import"));
        }
        let absolute = |name: &str| variable(name).filter(|path| path.starts_with('/'));
        let data = absolute("XDG_DATA_HOME").map(PathBuf::from);
        let home = || absolute("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        data.or_else(home)
            .map(|data| data.join("ci-import"))
            .ok_or_else(|| {
                Error::usage(
                    "neither HOME nor XDG_DATA_HOME says where the private PostgreSQL lives",
                )
                .hint("name its directory: --private-dir")
            })
    }

    /// The builds directory beside the database.
    #[must_use]
    pub fn builds(&self) -> PathBuf {
        self.directory.join("builds")
    }

    /// The directory of the server, with the database and the builds directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn home(&self) -> PathBuf {
        self.directory.join("postgresql")
    }

    fn data(&self) -> PathBuf {
        self.home().join("data")
    }

    fn log(&self) -> PathBuf {
        self.home().join("log")
    }

    /// The directory of its socket.
    #[must_use]
    pub fn socket_directory(&self) -> PathBuf {
        self.home().join("run")
    }

    /// The server as a target.
    #[must_use]
    pub fn target(&self) -> ConnectionOptions {
        ConnectionOptions::on_socket(&self.socket_directory(), PORT, USER, DATABASE)
    }

    /// The URL for other programs.
    #[must_use]
    pub fn url(&self) -> String {
        let directory = self.socket_directory();
        let host = percent_encoding::utf8_percent_encode(
            directory.to_str().unwrap_or_default(),
            percent_encoding::NON_ALPHANUMERIC,
        );
        format!("postgresql://{USER}@/{DATABASE}?host={host}")
    }

    /// Whether the server has been created.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.data().join("PG_VERSION").exists()
    }

    /// Whether the server is running.
    pub fn is_running(&self) -> Result<bool> {
        if !self.exists() {
            return Ok(false);
        }
        let mut status = self.command("pg_ctl");
        status.arg("status").arg("-D").arg(self.data());
        let output = status.output().doing("run pg_ctl")?;
        Ok(output.status.success())
    }

    /// Creates the server if it does not exist, and starts it if it is not running. Returns whether it was
    /// started.
    pub fn start(&self) -> Result<bool> {
        let doing = || format!("create {}", self.directory.display());
        let existing = self.directory.ancestors().find(|path| path.exists());
        self.refuse_strangers(existing.unwrap_or(Path::new("/")))?;
        make_directories(&self.directory).doing(doing())?;
        self.refuse_strangers(&self.directory)?;
        // Two imports at the same time must not both create it.
        let lock = fs::File::options()
            .create(true)
            .append(true)
            .custom_flags(NO_LINK)
            .open(self.directory.join(".lock"))
            .doing(doing())?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(std::io::Error::from)
            .doing(doing())?;
        if self.is_running()? {
            return Ok(false);
        }
        let socket = self.socket_directory().join(format!(".s.PGSQL.{PORT}"));
        if socket.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(Error::usage(format!(
                "the path of the private server's socket is too long: {}",
                socket.display()
            ))
            .hint("name a directory with a shorter path: --private-dir"));
        }
        if !self.exists() {
            self.make()?;
        }
        self.check_log()?;
        let socket_directory = self.socket_directory();
        let mut options = format!("-k {}", shell_word(&socket_directory.to_string_lossy()));
        for (name, value) in SETTINGS {
            options += &format!(" -c {}", shell_word(&format!("{name}={value}")));
        }
        let mut start = self.command("pg_ctl");
        start.args(["start", "-w", "-s", "-t", "120", "-o", &options]);
        start.arg("-D").arg(self.data()).arg("-l").arg(self.log());
        self.run(start, "start the private server")?;
        self.make_database()?;
        Ok(true)
    }

    /// Stops the server, if it is running. Returns whether it was running.
    pub fn stop(&self) -> Result<bool> {
        if !self.is_running()? {
            return Ok(false);
        }
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "-w", "-s", "-t", "120", "-m", "fast", "-D"])
            .arg(self.data());
        self.run(stop, "stop the private server")?;
        Ok(true)
    }

    /// Stops the server, unless another session uses it.
    pub fn stop_if_unused(&self) -> Result<bool> {
        let others = "SELECT count(*) FROM pg_stat_activity
                      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        let count = self.target().connect().ok().and_then(|mut client| {
            client
                .query_one(others, &[])
                .ok()
                .map(|row| row.get::<_, i64>(0))
        });
        if count.is_some_and(|count| count > 0) {
            Ok(false)
        } else {
            self.stop()
        }
    }

    /// Stops the server and removes its database. The builds directory stays.
    pub fn remove(&self) -> Result<()> {
        self.stop()?;
        let home = self.home();
        match fs::remove_dir_all(&home) {
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
            outcome => outcome.doing(format!("remove {}", home.display())),
        }
    }

    /// The client `psql`, connected to the server.
    #[must_use]
    pub fn psql(&self) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.arg("-h").arg(self.socket_directory());
        psql.args(["-p", &PORT.to_string(), "-U", USER, "-d", DATABASE]);
        psql
    }

    fn make(&self) -> Result<()> {
        let doing = || format!("create {}", self.directory.display());
        let home = self.home();
        // A cluster whose creation was interrupted is unusable.
        if home.exists() {
            fs::remove_dir_all(&home).doing(doing())?;
        }
        DirBuilder::new().mode(0o700).create(&home).doing(doing())?;
        DirBuilder::new()
            .mode(0o700)
            .create(self.socket_directory())
            .doing(doing())?;
        if let Some((user, group)) = self.run_as {
            // The inner one first: in the outer one, its new owner could put something else in its place.
            for path in [&self.socket_directory(), &home] {
                std::os::unix::fs::chown(path, Some(user), Some(group)).doing(doing())?;
            }
            self.check_reachable(&home)?;
        }
        let mut initdb = self.command("initdb");
        initdb.args(["--username", USER, "--encoding=UTF8", "--locale=C"]);
        initdb
            .args(["--auth-local=trust", "--auth-host=reject", "-D"])
            .arg(self.data());
        self.run(initdb, "create the private server's database")
    }

    /// Refuses a directory in which somebody else could put something into the way of the user, mostly root.
    fn refuse_strangers(&self, directory: &Path) -> Result<()> {
        let shown = directory.display();
        match stranger_at(directory).doing(format!("look at {shown}"))? {
            None => Ok(()),
            Some(why) => Err(Error::usage(format!(
                "the private PostgreSQL cannot be in {}: {why}",
                self.directory.display()
            ))
            .hint("name a directory of your own: --private-dir")),
        }
    }

    /// An error if the server could not write its log: `pg_ctl` would wait for the other end of a pipe.
    fn check_log(&self) -> Result<()> {
        let log = self.log();
        match fs::symlink_metadata(&log) {
            Ok(found) if !found.is_file() => Err(Error::target(format!(
                "the log of the private server, {}, is no file",
                log.display()
            ))
            .hint("remove it")),
            _ => Ok(()),
        }
    }

    /// The end of the server's log. The server's user can put anything into its place.
    fn end_of_log(&self) -> String {
        let worker = match self.run_as {
            Some((user, group)) => {
                let group = rustix::process::Gid::from_raw(group);
                Worker::Owner(rustix::process::Uid::from_raw(user), [group; 2])
            }
            None => Worker::Oneself,
        };
        let read = || -> std::io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            if let Some(mut log) = open_regular(rustix::fs::CWD, self.log().as_path())? {
                let size = log.metadata()?.len();
                log.seek(SeekFrom::Start(size.saturating_sub(LOG_BYTES)))?;
                log.take(LOG_BYTES).read_to_end(&mut bytes)?;
            }
            Ok(bytes)
        };
        let bytes = worker.run(read).and_then(|read| read).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Checks that the server's user can traverse all parent directories.
    fn check_reachable(&self, home: &Path) -> Result<()> {
        let mut test = self.command_of(Path::new("/bin/sh"));
        test.args(["-c", "cd \"$0\""])
            .arg(home)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        if test.status().is_ok_and(|status| status.success()) {
            return Ok(());
        }
        let user = self.run_as.map_or(0, |(user, _)| user);
        Err(Error::target(format!(
            "the user the private server runs as (uid {user}) cannot reach {}",
            home.display()
        ))
        .hint("name a directory it can reach (mode 0755 all the way): --private-dir"))
    }

    fn make_database(&self) -> Result<()> {
        let mut client =
            ConnectionOptions::on_socket(&self.socket_directory(), PORT, USER, "postgres")
                .connect()?;
        let failed = || super::error::failure("create the private database");
        let found = client
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&DATABASE])
            .map_err(failed())?;
        if found.is_none() {
            let name = crate::schema::sql::identifier(DATABASE);
            client
                .batch_execute(&format!("CREATE DATABASE {name}"))
                .map_err(failed())?;
        }
        Ok(())
    }

    /// One of the server's programs, to be run as the server's user.
    fn command(&self, program: &str) -> Command {
        self.command_of(&self.programs.join(program))
    }

    fn command_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env_clear().env("LC_ALL", "C");
        for name in VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some((user, group)) = self.run_as {
            // This also drops the supplementary groups.
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, mut command: Command, doing: &str) -> Result<()> {
        // pg_ctl passes its output to the server, which would keep a pipe open forever.
        let output = tempfile_beside(&self.directory)?;
        let (out, err) = (output.try_clone(), output.try_clone());
        command.stdin(Stdio::null());
        command.stdout(out.doing(doing)?).stderr(err.doing(doing)?);
        let status = command.status().doing(doing)?;
        if status.success() {
            return Ok(());
        }
        let said = read_from_start(output);
        let log = self.end_of_log();
        let last: Vec<&str> = log.lines().rev().take(3).collect();
        // Other lines of the log are about statements, with their values.
        let fatal = last.iter().copied().filter(|line| line.contains("FATAL: "));
        let shown: Vec<&str> = said.lines().chain(fatal).collect();
        Err(
            Error::target(format!("cannot {doing}: {}", shown.join("; ")))
                .withholding(last.join("; "))
                .hint(format!("the server's log is {}", self.log().display())),
        )
    }
}

fn unprivileged_user() -> Result<(u32, u32)> {
    UNPRIVILEGED.into_iter().find_map(ids_of).ok_or_else(|| {
        Error::target("there is no user postgres or nobody that the private server could run as")
    })
}

/// Creates `path` and its missing parents so that the server's user can traverse them, whatever the umask.
fn make_directories(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directories(parent)?;
    }
    fs::create_dir(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// A temporary file without a name, for the output of a command.
fn tempfile_beside(directory: &Path) -> Result<fs::File> {
    let path = directory.join(format!(".output.{}", std::process::id()));
    let file = fs::File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .doing(format!("write into {}", directory.display()))?;
    fs::remove_file(&path).doing("remove a temporary file")?;
    Ok(file)
}

fn read_from_start(mut file: fs::File) -> String {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    text
}
