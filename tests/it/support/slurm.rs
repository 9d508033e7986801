//! A Slurm of one controller and two nodes, all on this machine. `scripts/test` installs it.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::servers::{expect_success, server_directory_in, start, wait_for};
use super::tcp_servers::free_port;

const NODES: [&str; 2] = ["n1", "n2"];

/// See the module. It ends with the tests.
pub(crate) struct Slurm {
    configuration: PathBuf,
}

fn text_of(command: &mut Command) -> String {
    String::from_utf8(expect_success(&command.output().unwrap())).unwrap()
}

/// A program of Debian's slurm packages, which is not in the path of every user.
fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    // A job of a Slurm that runs the tests would be found otherwise.
    command
        .env_remove("SLURM_JOB_ID")
        .env_remove("SLURMD_NODENAME");
    command
}

/// A directory for a daemon, which ends with it.
fn directory_of(name: &str) -> PathBuf {
    // It has sockets, whose paths are short.
    server_directory_in(Path::new("/tmp"), name, None)
}

/// A daemon that leaves nothing elsewhere, no core either when it is ended.
fn in_its_directory(mut daemon: Command, directory: &Path) -> Command {
    daemon.current_dir(directory);
    daemon
}

impl Slurm {
    pub(crate) fn start() -> Slurm {
        let user = text_of(Command::new("id").arg("-un"));
        let host = text_of(Command::new("uname").arg("-n"));
        let host = host.trim().split('.').next().unwrap();
        let munge = directory_of("munge");
        let controller = directory_of("slurm");
        let nodes = NODES.map(directory_of);
        let path = |directory: &Path, name: &str| directory.join(name).to_str().unwrap().to_owned();

        let key: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
            .take(128)
            .collect();
        fs::write(munge.join("key"), key).unwrap();
        fs::set_permissions(munge.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
        let mut munged = program("munged");
        munged.args(["--force", "--foreground", "--num-threads=2"]);
        for (option, name) in [
            ("key-file", "key"),
            ("socket", "socket"),
            ("pid-file", "munged.pid"),
            ("log-file", "munged.log"),
            ("seed-file", "seed"),
        ] {
            munged.arg(format!("--{option}={}", path(&munge, name)));
        }
        start(in_its_directory(munged, &munge), &munge);
        wait_for(&munge, || munge.join("socket").exists());

        let mut text = format!(
            "ClusterName=tests\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={}\nSlurmUser={user}SlurmdUser={user}\
             AuthType=auth/munge\nCredType=cred/munge\nAuthInfo=socket={},cred_expire=2\n\
             StateSaveLocation={}\nSlurmctldPidFile={}\nSlurmdSpoolDir={}/spool-%n\nSlurmdPidFile={}/%n.pid\n\
             ProctrackType=proctrack/pgid\nTaskPlugin=task/none\nSwitchType=switch/none\nMpiDefault=none\n\
             PropagateResourceLimits=NONE\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n\
             SlurmdParameters=config_overrides\nJobAcctGatherType=jobacct_gather/none\n\
             AccountingStorageType=accounting_storage/none\nJobRequeue=1\nMinJobAge=3600\nKillWait=2\n\
             ReturnToService=2\nSchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2\n\
             PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP LLN=YES\n",
            free_port(),
            path(&munge, "socket"),
            path(&controller, ""),
            path(&controller, "slurmctld.pid"),
            controller.display(),
            controller.display(),
        );
        for name in NODES {
            let port = free_port();
            let node =
                "CPUs=2 Sockets=1 CoresPerSocket=2 ThreadsPerCore=1 RealMemory=1000 State=UNKNOWN";
            writeln!(
                text,
                "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} {node}"
            )
            .unwrap();
        }
        let configuration = controller.join("slurm.conf");
        fs::write(&configuration, text).unwrap();
        let slurm = Slurm { configuration };
        let mut slurmctld = slurm.program("slurmctld");
        slurmctld.args(["-D", "-c"]);
        start(in_its_directory(slurmctld, &controller), &controller);
        for (name, directory) in NODES.iter().zip(&nodes) {
            let mut slurmd = slurm.program("slurmd");
            slurmd.args(["-D", "-N", name]);
            start(in_its_directory(slurmd, directory), directory);
        }
        wait_for(&controller, || {
            let mut sinfo = slurm.program("sinfo");
            let told = sinfo.args(["-h", "-N", "-t", "idle", "-o", "%T"]).output();
            told.is_ok_and(|told| told.stdout == b"idle\n".repeat(NODES.len()))
        });
        slurm
    }

    /// One of Slurm's programs, or one that uses them.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = program(name);
        command.env("SLURM_CONF", &self.configuration);
        command
    }

    /// How many tasks have not ended.
    pub(crate) fn waiting(&self) -> usize {
        let mut squeue = self.program("squeue");
        let told = text_of(squeue.args(["-h", "-r", "-t", "PD,R,CG,CF,S"]));
        told.lines().count()
    }

    /// Waits until all tasks have ended.
    pub(crate) fn wait(&self) {
        let started = Instant::now();
        while self.waiting() > 0 {
            assert!(
                started.elapsed() < Duration::from_secs(300),
                "tasks do not end"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
