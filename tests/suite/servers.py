"""The throw-away servers: a MariaDB and a PostgreSQL, each with its data and its socket in a directory that goes."""

import fcntl
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

IN_MEMORY = "/dev/shm"


class Servers:
    def __init__(self):
        memory = os.path.isdir(IN_MEMORY) and shutil.disk_usage(IN_MEMORY).free > 5 << 30
        self.directory = tempfile.mkdtemp(prefix="ci-suite-", dir=IN_MEMORY if memory else None)
        os.chmod(self.directory, 0o755)
        self.socket = self.directory + "/my/socket"
        self.postgresql_directory = self.directory + "/pg"
        self.programs = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))

    def start(self):
        for name, user in (("my", "mysql"), ("pg", "postgres")):
            os.mkdir(f"{self.directory}/{name}")
            if os.geteuid() == 0:
                entry = pwd.getpwnam(user)
                os.chown(f"{self.directory}/{name}", entry.pw_uid, entry.pw_gid)
        self.run_as(
            "mysql",
            ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
             f"--datadir={self.directory}/my/data"],
        )  # fmt: skip
        self.start_mariadb()
        data = self.postgresql_directory + "/data"
        self.run_as(
            "postgres",
            [self.programs + "/initdb", "--no-sync", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
             "-D", data],
        )  # fmt: skip
        settings = ["listen_addresses=", "fsync=off", "dynamic_shared_memory_type=mmap", "timezone=UTC", "jit=off"]
        options = [option for setting in settings for option in ("-c", setting)]
        command = [self.programs + "/postgres", "-D", data, "-k", self.postgresql_directory, *options]
        self.spawn("postgres", command, "pg")
        self.wait(lambda: self.psql("postgres", "SELECT 1").returncode == 0, "pg")

    def start_mariadb(self):
        directory = self.directory + "/my"
        command = [
            "mariadbd", "--no-defaults", "--skip-networking", "--skip-grant-tables", "--default-time-zone=+00:00", "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0", "--max-allowed-packet=256M", "--innodb-buffer-pool-size=128M",
            "--event-scheduler=OFF", "--character-set-server=latin1", "--log-bin-trust-function-creators=1",
            "--max-heap-table-size=16M", f"--secure-file-priv={directory}", f"--datadir={directory}/data",
            f"--socket={self.socket}", f"--tmpdir={directory}",
        ]  # fmt: skip
        self.spawn("mysql", command, "my")
        self.wait(lambda: self.mariadb("", "SELECT 1").returncode == 0, "my")

    def revive_mariadb(self):
        """Starts the MariaDB again if the statements of a file have ended it; whether they had."""
        if self.mariadb("", "SELECT 1").returncode == 0:
            return False
        with open(self.directory + "/lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.mariadb("", "SELECT 1").returncode != 0:
                self.kill("my")
                self.start_mariadb()
        return True

    def spawn(self, user, command, name):
        with open(f"{self.directory}/{name}.log", "ab") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True, **as_user(user)
            )
        with open(f"{self.directory}/{name}.pid", "w") as file:
            file.write(str(child.pid))

    def wait(self, is_ready, name):
        for _ in range(1200):
            if is_ready():
                return
            time.sleep(0.1)
        with open(f"{self.directory}/{name}.log") as log:
            raise SystemExit(f"the server does not come up:\n{log.read()[-3000:]}")

    def kill(self, name, how=signal.SIGKILL):
        try:
            with open(f"{self.directory}/{name}.pid") as file:
                pid = int(file.read())
            os.kill(pid, how)
            for _ in range(100):
                os.kill(pid, 0)
                if open(f"/proc/{pid}/stat").read().split(")")[1].split()[0] == "Z":
                    return
                time.sleep(0.05)
        except (OSError, ValueError):
            return

    def stop(self):
        self.kill("my")
        self.kill("pg", signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)

    def run_as(self, user, command):
        done = subprocess.run(command, capture_output=True, cwd="/", **as_user(user))
        if done.returncode != 0:
            raise SystemExit(f"{command[0]}: {done.stderr.decode(errors='replace')}")

    def client(self, program):
        return [program, "--no-defaults", "-u", "root", "-S", self.socket]

    def mariadb(self, database, sql):
        """Runs statements; errors of one do not keep the others from being run."""
        command = [*self.client("mariadb"), "--force", "-N", "-B", "--quick", "--default-character-set=utf8mb4",
                   "--max-allowed-packet=1G", database]  # fmt: skip
        return subprocess.run(command, input=sql.encode(), capture_output=True)

    def psql(self, database, sql):
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-h", self.postgresql_directory, "-U", "postgres", database]
        return subprocess.run(command, input=sql.encode(), capture_output=True, env=clean_environment())

    def url(self, database):
        return f"postgresql://postgres@{self.postgresql_directory.replace('/', '%2F')}/{database}"


def as_user(name):
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "env": dict(os.environ, LC_ALL="C.UTF-8")}


def clean_environment():
    """The environment without what names a server."""
    named = ("PG", "MYSQL_", "DATABASE_URL", "BACKUP", "force", "SKIP_POST")
    return {name: value for name, value in os.environ.items() if not name.startswith(named)}
