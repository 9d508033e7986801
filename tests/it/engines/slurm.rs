//! The example for Slurm: many archives into as many databases, while imports are killed.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::archives::{archive, small_traces};
use crate::support::object_storage::{BUCKET, storage};
use crate::support::program::{command, program, project, run};
use crate::support::servers::{
    connect_postgresql, expect_success, new_postgresql_database, postgresql_url,
};
use crate::support::slurm::Slurm;

const ARCHIVES: usize = 40;
const KILLS: usize = 10;

/// An archive with so many rows.
fn archive_with(rows: usize) -> Vec<u8> {
    let values: Vec<String> = (1..=rows).map(|id| format!("({id},'tag {id}')")).collect();
    let dump = format!(
        "-- MySQL dump 10.13\nCREATE TABLE `ci_tags` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  \
         `name` varchar(255),\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\nINSERT INTO `ci_tags` VALUES {};\n\
         -- Dump completed\n",
        values.join(",")
    );
    archive(&small_traces(), dump.as_bytes())
}

/// The imports that run, by the URLs of their archives.
fn running(prefix: &str) -> Vec<(Pid, String)> {
    let program = program();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let found = entries.filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let words: Vec<String> = line
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let is_import = words.first()?.ends_with(program.file_name()?.to_str()?);
        let url = words.into_iter().find(|word| word.starts_with(prefix))?;
        Some((Pid::from_raw(pid).filter(|_| is_import)?, url))
    });
    found.collect()
}

/// Kills imports at any time of theirs, none more than twice. Returns how many.
fn kill_some(slurm: &Slurm, prefix: &str) -> usize {
    let mut killed: Vec<String> = Vec::new();
    let started = Instant::now();
    while killed.len() < KILLS && started.elapsed() < Duration::from_secs(200) {
        std::thread::sleep(Duration::from_millis(fastrand::u64(20..250)));
        let mut imports = running(prefix);
        imports.retain(|(_, url)| killed.iter().filter(|killed| *killed == url).count() < 2);
        if let Some((pid, url)) = fastrand::choice(imports)
            && kill_process(pid, Signal::KILL).is_ok()
        {
            killed.push(url);
        }
        if slurm.waiting() == 0 {
            break;
        }
    }
    killed.len()
}

#[test]
fn forty_archives_arrive_in_forty_databases() {
    let slurm = Slurm::start();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let shown = |path: PathBuf| path.to_str().unwrap().to_owned();
    let prefix = format!("s3://{BUCKET}/slurm/");
    let mut manifest = String::new();
    let databases: Vec<String> = (1..=ARCHIVES)
        .map(|number| {
            let key = format!("{number}/1443700800_gitlab_ci_backup.tar");
            storage().put(BUCKET, &format!("slurm/{key}"), &archive_with(number));
            let database = new_postgresql_database();
            let url = postgresql_url(&database);
            let builds = shown(path(&format!("{number}/builds")));
            fs::create_dir(path(&number.to_string())).unwrap();
            manifest += &format!("{prefix}{key} {url} {builds}\n");
            database
        })
        .collect();
    fs::write(path("manifest"), manifest).unwrap();
    fs::create_dir(path("reports")).unwrap();

    let mut sbatch = storage().used_by(slurm.program("sbatch"), storage().port);
    // The program of the tests is the first one that is found.
    let programs = program().parent().unwrap().to_str().unwrap().to_owned();
    let search = std::env::var("PATH").unwrap();
    sbatch
        .env("PATH", format!("{programs}:{search}:/usr/sbin"))
        .arg(format!("--array=1-{ARCHIVES}"))
        .arg(format!("--output={}", shown(path("%a.log"))))
        .arg(project().join("examples/slurm/import-many.sbatch"))
        .args([shown(path("manifest")), shown(path("reports"))])
        .arg("--mysql-to-postgresql");
    expect_success(&sbatch.output().unwrap());
    let killed = kill_some(&slurm, &prefix);
    slurm.wait();

    let logs = || -> String {
        let numbers = 1..=ARCHIVES;
        let logs = numbers.map(|number| fs::read_to_string(path(&format!("{number}.log"))));
        logs.map(Result::unwrap_or_default).collect()
    };
    assert_eq!(killed, KILLS, "{}", logs());
    let summary = run(command(["summary", &shown(path("reports")), "--json"]));
    assert_eq!(summary.code, Some(0), "{}\n{}", summary.whole(), logs());
    let summary: Value = serde_json::from_str(&summary.stdout).unwrap();
    assert_eq!(
        summary["runs"].as_array().unwrap().len(),
        ARCHIVES,
        "{}",
        logs()
    );
    for (number, database) in (1..=ARCHIVES).zip(&databases) {
        let row = connect_postgresql(database)
            .query_one("SELECT count(*) FROM ci_tags", &[])
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), i64::try_from(number).unwrap());
        let trace = path(&format!("{number}/builds/2015_10/1/2.log"));
        assert_eq!(fs::read(trace).unwrap(), b"y");
        let left = fs::read_dir(path(&number.to_string())).unwrap().count();
        assert_eq!(left, 1, "beside the builds directory of {number}");
    }
    assert!(logs().contains("is tried again"), "{}", logs());
}
