//! What others put into the way of files that root reads and writes: the private server, migrations, outputs.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::two_users::{EVE, need_root};

/// What nobody but root may read.
const SECRET: &str = "only for root";

/// A private server that ends with the test.
struct Private {
    directory: TempDir,
}

impl Private {
    fn new() -> Private {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Private { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, what: &str) -> Command {
        let mut it = command(["private", what, "--private-dir"]);
        it.arg(self.path("private"));
        it
    }

    /// Does `script` in the server's directory as the server's user.
    fn as_server(&self, script: &str) {
        let home = self.path("private/postgresql");
        let owner = fs::metadata(&home).unwrap().uid();
        let mut sh = Command::new("setpriv");
        sh.args(["--clear-groups", &format!("--reuid={owner}"), "sh"]);
        let done = sh
            .args(["-ec", script])
            .current_dir(&home)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = self.command("stop").output();
    }
}

#[test]
fn the_private_servers_user_does_not_steer_root() {
    need_root();
    let private = Private::new();
    let secret = private.path("secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    run(private.command("start")).succeeds();
    run(private.command("stop")).succeeds();
    // The server does not start, so that the end of its log is shown.
    private.as_server("echo 'broken broken' >> data/postgresql.conf; rm log");
    for put in ["mkfifo log", &format!("ln -s '{}' log", secret.display())] {
        private.as_server(put);
        let outcome = run(private.command("start"));
        assert!(
            outcome.code.is_some_and(|code| code != 0),
            "{}",
            outcome.whole()
        );
        assert!(!outcome.stderr.contains(SECRET), "{}", outcome.whole());
        assert_eq!(fs::read_to_string(&secret).unwrap(), SECRET);
        private.as_server("rm -f log");
    }
}

#[test]
fn the_private_server_gets_no_secrets_of_the_environment() {
    let private = Private::new();
    let mut start = private.command("start");
    start
        .env("MYSQL_PWD", SECRET)
        .env("DATABASE_URL_OF_OTHERS", SECRET);
    run(start).succeeds();
    let file = private.path("private/postgresql/data/postmaster.pid");
    let process = fs::read_to_string(file)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let environment = fs::read(format!("/proc/{process}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("PATH="), "{environment}");
    assert!(!environment.contains(SECRET), "{environment}");
}

#[test]
fn a_private_server_is_not_made_where_others_may_write() {
    need_root();
    let private = Private::new();
    fs::create_dir(private.path("private")).unwrap();
    chown(private.path("private"), Some(EVE), Some(EVE)).unwrap();
    run(private.command("start"))
        .exits(2)
        .says("it belongs to the user 4321");
    chown(private.path("private"), Some(0), Some(0)).unwrap();
    fs::set_permissions(private.path("private"), fs::Permissions::from_mode(0o777)).unwrap();
    run(private.command("start"))
        .exits(2)
        .says("everybody may write to");
    fs::set_permissions(private.path("private"), fs::Permissions::from_mode(0o755)).unwrap();
    chown(private.directory.path(), Some(EVE), Some(EVE)).unwrap();
    run(private.command("start"))
        .exits(2)
        .says("a directory above it belongs to the user 4321");
    assert_eq!(fs::read_dir(private.path("private")).unwrap().count(), 0);
    chown(private.directory.path(), Some(0), Some(0)).unwrap();
    // A link in the place of the lock is not followed.
    let victim = private.path("victim");
    symlink(&victim, private.path("private/.lock")).unwrap();
    run(private.command("start")).exits(1);
    assert!(!victim.exists());
}

#[test]
fn migrations_that_others_could_write_are_run_only_if_named() {
    need_root();
    let scene = Scene::gitlab();
    let work = scene.path("work");
    let folder = work.join("migrations/migrate");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("20260101000000_steal.sql");
    fs::write(&file, "CREATE TABLE stolen (id int);\n").unwrap();
    let migrate = |more: &[&str]| {
        let mut it = command(["migrate", "--database-url", &scene.url()]);
        it.args(more).current_dir(&work);
        run(it)
    };
    let found = || scene.value("SELECT count(*) FROM pg_class WHERE relname = 'stolen'");
    let eve = |path: &Path| chown(path, Some(EVE), Some(EVE)).unwrap();
    let root = |path: &Path| chown(path, Some(0), Some(0)).unwrap();
    let all = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    for (strange, path) in [
        (&eve as &dyn Fn(&Path), &file),
        (&eve, &folder),
        (&all, &file),
    ] {
        strange(path);
        migrate(&[])
            .exits(2)
            .says("are not run unasked")
            .says("--migrations migrations");
        assert_eq!(found(), "0");
        root(path);
    }
    migrate(&["--migrations", "migrations"]).succeeds();
    assert_eq!(found(), "1");
}

#[test]
fn convert_writes_through_nobodys_link() {
    need_root();
    let scene = Scene::bare();
    let dump = scene.path("dump.sql");
    fs::write(&dump, fixture_dump(Dialect::Native)).unwrap();
    let open = scene.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).unwrap();
    let (victim, output) = (scene.path("victim"), open.join("out.sql"));
    fs::write(&victim, SECRET).unwrap();
    let convert = || {
        let mut it = command(["convert"]);
        it.arg(&dump).arg("-o").arg(&output);
        run(it)
    };
    symlink(&victim, &output).unwrap();
    std::os::unix::fs::lchown(&output, Some(EVE), Some(EVE)).unwrap();
    convert()
        .exits(2)
        .says("the user 4321 has put it where everybody may");
    assert_eq!(fs::read_to_string(&victim).unwrap(), SECRET);
    fs::remove_file(&output).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&output)
            .status()
            .unwrap()
            .success()
    );
    chown(&output, Some(EVE), Some(EVE)).unwrap();
    convert()
        .exits(2)
        .says("the user 4321 has put it where everybody may");
    // One's own link is followed.
    fs::remove_file(&output).unwrap();
    symlink(&victim, &output).unwrap();
    convert().succeeds();
    assert!(fs::read_to_string(&victim).unwrap().contains("COPY"));
}
