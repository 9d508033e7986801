//! The progress: on terminals of different widths, and without one.

use std::io::Write;
use std::time::Duration;

use crate::support::archives::{archive, small_traces};
use crate::support::program::run_fed;
use crate::support::scene::Scene;
use crate::support::terminal::{lines_shown, show_on_terminal};

const LOADING: &str = "loading the database";

/// An archive with many rows, whose dump does not become much smaller by gzip.
fn archive_with_rows() -> Vec<u8> {
    let mut dump =
        "-- MySQL dump 10.13  Distrib 5.6.27\nCREATE TABLE `ci_builds` (\n  `id` int(11) NOT NULL \
         AUTO_INCREMENT,\n  `trace` longtext,\n  PRIMARY KEY (`id`)\n);\n"
            .to_owned();
    let mut random = fastrand::Rng::with_seed(8);
    for first in (0..30_000).step_by(100) {
        let row = |id| format!("({id},'{:032x}{:032x}')", random.u128(..), random.u128(..));
        let rows: Vec<String> = (first + 1..=first + 100).map(row).collect();
        dump += &format!("INSERT INTO `ci_builds` VALUES {};\n", rows.join(","));
    }
    dump += "-- Dump completed\n";
    archive(&small_traces(), dump.as_bytes())
}

/// Writes `archive` in so many `pieces`, with pauses.
fn slowly(archive: &[u8], pieces: usize, pause: Duration) -> impl FnOnce(&mut dyn Write) {
    move |input| {
        for piece in archive.chunks(archive.len().div_ceil(pieces)) {
            if input.write_all(piece).is_err() {
                // The outcome says why it was not read.
                return;
            }
            std::thread::sleep(pause);
        }
    }
}

/// The numbers of percent, or of bytes, that the lines begin with, after their bar.
fn bars(lines: &[String]) -> Vec<usize> {
    let bars = lines.iter().filter(|line| line.starts_with(LOADING));
    bars.map(|line| line.matches('#').count()).collect()
}

#[test]
fn lines_on_a_terminal_fit_and_move() {
    let archive = archive_with_rows();
    for columns in [80, 200] {
        let scene = Scene::bare();
        let mut import = scene.import_command("-");
        let shown = show_on_terminal(&mut import, columns);
        run_fed(import, slowly(&archive, 60, Duration::from_millis(60))).succeeds();
        let lines = lines_shown(&shown.join().unwrap());
        let all = lines.join("\n");
        let widest = lines.iter().map(|line| line.chars().count()).max();
        assert!(widest <= Some(usize::from(columns)), "{all}");
        let is_full = |line: &&String| {
            line.starts_with(LOADING)
                && ["iB/s, ", " rows, ", " s left"]
                    .iter()
                    .all(|part| line.contains(part))
        };
        assert!(lines.iter().filter(is_full).count() >= 3, "{all}");
        let bars = bars(&lines);
        assert!(bars.is_sorted(), "{all}");
        let different: std::collections::BTreeSet<_> = bars.iter().collect();
        assert!(different.len() >= 4, "{all}");
        let complete = lines
            .iter()
            .rfind(|line| line.starts_with(LOADING))
            .unwrap();
        let size = complete.split("] ").nth(1).unwrap();
        let size = size.split(',').next().unwrap();
        let is_whole = size == "100%" || {
            let numbers = size.trim_end_matches(" MiB").split_once(" of ").unwrap();
            numbers.0 == numbers.1
        };
        assert!(is_whole && complete.contains("30,000 rows, in "), "{all}");
    }
}

#[test]
fn without_a_terminal_a_part_that_lasts_is_mentioned_every_ten_seconds() {
    let scene = Scene::bare();
    let archive = archive_with_rows();
    let import = scene.import_command("-");
    let done = run_fed(import, slowly(&archive, 88, Duration::from_millis(250))).succeeds();
    let lines: Vec<&str> = done
        .stderr
        .lines()
        .filter(|line| line.contains(LOADING))
        .collect();
    assert_eq!(lines.len(), 2, "{}", done.whole());
    for line in lines {
        for part in [
            "ci-import: loading the database: ",
            " of ",
            "iB/s, ",
            " rows, ",
            " s left",
        ] {
            assert!(line.contains(part), "{part:?} in {line}");
        }
    }
    // A short import says nothing of this kind.
    let quick = Scene::bare();
    let done = run_fed(
        quick.import_command("-"),
        slowly(&archive, 1, Duration::ZERO),
    )
    .succeeds();
    assert_eq!(done.stderr, "ci-import: publishing\n");
}
