//! The memory an import takes: a budget, whatever is imported.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::program::{run_watched, surplus};
use crate::support::scene::Scene;

/// What the importer is given, in MiB.
pub(crate) const BUDGET: u64 = 36;

/// Writes a MySQL dump of `rows` builds, a multiple of 1000, to `file`, compressed; each has 700 bytes.
pub(crate) fn large_dump(file: &Path, rows: usize) {
    let mut dump = GzEncoder::new(File::create(file).unwrap(), Compression::fast());
    dump.write_all(b"CREATE TABLE `ci_builds` (`id` int NOT NULL AUTO_INCREMENT, `trace` longtext, PRIMARY KEY (`id`));\n").unwrap();
    for first in (0..rows).step_by(1000) {
        dump.write_all(b"INSERT INTO `ci_builds` VALUES ").unwrap();
        for id in first..first + 1000 {
            let comma = if id == first { "" } else { "," };
            let line = "a line\\n".repeat(100);
            write!(dump, "{comma}({},'{id} {line}')", id + 1).unwrap();
        }
        dump.write_all(b";\n").unwrap();
    }
    dump.finish().unwrap();
}

/// Runs `command`, which succeeds, and returns the most memory it had at any time, in bytes.
pub(crate) fn peak_of(command: std::process::Command) -> u64 {
    let (outcome, peak) = run_watched(command);
    outcome.succeeds();
    assert!(peak > 1024 * 1024, "{peak}");
    peak
}

#[test]
fn an_import_keeps_its_budget() {
    let scene = Scene::bare();
    let sql = scene.path("large.sql.gz");
    let rows = 120_000;
    large_dump(&sql, rows);
    // One trace is ten times the budget, and there are many.
    fs::create_dir_all(scene.source().join("2015_11/1")).unwrap();
    File::create(scene.source().join("2015_11/1/1.log"))
        .unwrap()
        .set_len(10 * BUDGET * 1024 * 1024)
        .unwrap();
    for id in 2..2000 {
        fs::write(
            scene.source().join(format!("2015_11/1/{id}.log")),
            vec![b'x'; 20_000],
        )
        .unwrap();
    }
    let archive = scene.pack_file(&sql);
    let mut import = scene.import_command(archive.to_str().unwrap());
    import.args(["--memory", &BUDGET.to_string(), "--jobs", "2"]);
    let peak = peak_of(import);
    let most = BUDGET * 1024 * 1024 + surplus();
    assert!(peak <= most, "{} KiB", peak / 1024);
    let counted = scene.value("SELECT count(*) || ' ' || sum(length(trace)) FROM ci_builds");
    let digits: usize = (0..rows).map(|id| id.to_string().len()).sum();
    assert_eq!(counted, format!("{rows} {}", digits + rows * 701));
    let huge = fs::metadata(scene.builds().join("2015_11/1/1.log")).unwrap();
    assert_eq!(huge.len(), 10 * BUDGET * 1024 * 1024);
}
