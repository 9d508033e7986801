//! Rows that are larger than a chunk go on their way one after the other, and have a limit that the memory sets.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{command, run_watched};
use crate::support::scene::Scene;

const MIB: usize = 1 << 20;

/// What the program may take beside `--memory 64`.
const MOST: u64 = 200 << 20;

/// How a dump writes a row with a long text.
#[derive(Clone, Copy)]
struct Style {
    head: &'static str,
    before: &'static str,
    behind: &'static str,
    tail: &'static str,
}

const MYSQL: Style = Style {
    head: "-- MySQL dump 10.13\nCREATE TABLE `t` (`a` longtext);\n",
    before: "INSERT INTO `t` VALUES ('",
    behind: "');\n",
    tail: "-- Dump completed\n",
};

const COPY: Style = Style {
    head: "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\
        CREATE TABLE public.t (\n    a text\n);\nCOPY public.t (a) FROM stdin;\n",
    before: "",
    behind: "\n",
    tail: "\\.\n\n--\n-- PostgreSQL database dump complete\n--\n",
};

const INSERT: Style = Style {
    head: "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\
        CREATE TABLE public.t (\n    a text\n);\n",
    before: "INSERT INTO public.t VALUES ('",
    behind: "');\n",
    tail: "--\n-- PostgreSQL database dump complete\n--\n",
};

/// Writes a dump of `rows` rows of so many MiB.
fn dump(path: &Path, style: Style, rows: usize, mebibytes: usize) {
    let mut dump = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
    let text = vec![b'x'; MIB];
    dump.write_all(style.head.as_bytes()).unwrap();
    for _ in 0..rows {
        dump.write_all(style.before.as_bytes()).unwrap();
        for _ in 0..mebibytes {
            dump.write_all(&text).unwrap();
        }
        dump.write_all(style.behind.as_bytes()).unwrap();
    }
    dump.write_all(style.tail.as_bytes()).unwrap();
    dump.finish().unwrap();
}

#[test]
fn a_row_has_a_limit() {
    let scene = Scene::bare();
    let source = scene.path("dump.sql.gz");
    for (name, style) in [("mysql", MYSQL), ("COPY", COPY), ("INSERT", INSERT)] {
        dump(&source, style, 1, 100);
        let mut inspect = command(["inspect", "--memory", "64"]);
        inspect.arg(&source);
        let (outcome, peak) = run_watched(inspect);
        outcome
            .exits(3)
            .says("t row 1: longer than 32 MiB, the limit of a row with --memory 64")
            .says("hint: --memory 128 allows rows of up to 64 MiB");
        assert!(peak < MOST, "{name}: {} MiB", peak >> 20);
    }
    let mut inspect = command(["inspect", "--memory", "256"]);
    let (outcome, _) = run_watched({
        inspect.arg(&source);
        inspect
    });
    outcome.succeeds();
}

#[test]
fn large_rows_wait_for_each_other() {
    let scene = Scene::bare();
    let (sql, copied) = (scene.path("mysql.sql.gz"), scene.path("copy.sql.gz"));
    dump(&sql, MYSQL, 10, 20);
    dump(&copied, COPY, 10, 20);
    let mut convert = command(["convert", "-q", "--memory", "64", "-o"]);
    convert.arg(scene.path("out.sql.gz")).arg(&sql);
    let stays_small = |what: &str, command: std::process::Command| {
        let (outcome, peak) = run_watched(command);
        outcome.succeeds();
        assert!(peak < MOST, "{what}: {} MiB", peak >> 20);
    };
    stays_small("convert", convert);
    let limits = ["--memory", "64", "-j", "8"];
    for (what, source) in [("a dump of MySQL", &sql), ("COPY", &copied)] {
        let source = source.to_str().unwrap();
        let mut import = scene.command([source, "--replace", "--yes"]);
        import.args(limits);
        stays_small(what, import);
        assert_eq!(
            scene.value("SELECT sum(length(a)) FROM t"),
            (10 * 20 * MIB).to_string()
        );
        let mut verify = scene.command(["verify", source]);
        verify.args(limits);
        stays_small("verify", verify);
    }
}

/// The first rows of a table in a dump of Adminer wait for the end of their INSERT, but not for each other.
#[test]
fn rows_that_wait_for_a_clause_are_small() {
    let scene = Scene::bare();
    let source = scene.path("dump.sql");
    let row = |id: u32, kibibytes: usize| format!("({id}, '{}')", "x".repeat(kibibytes * 1024));
    let dump = |rows: &[String]| {
        let rows = rows.join(",\n");
        format!(
            "-- Adminer 4.8.1 MySQL 10.11.19-MariaDB dump\nCREATE TABLE `t` (`id` int NOT NULL, `a` longtext, PRIMARY KEY (`id`));\n\
             INSERT INTO `t` (`id`, `a`) VALUES\n{rows}\nON DUPLICATE KEY UPDATE `id` = VALUES(`id`), `a` = VALUES(`a`);\n"
        )
    };
    for (rows, memory) in [
        (vec![row(1, 4000), row(2, 14_000)], "128"),
        (
            vec![row(1, 600), row(2, 600), row(1, 1024), row(3, 9000)],
            "64",
        ),
    ] {
        fs::write(&source, dump(&rows)).unwrap();
        let mut import = scene.command([source.to_str().unwrap(), "--replace", "--yes"]);
        import.args(["--memory", memory]);
        ends_soon(import);
        let mut convert = command(["convert", "-q", "--memory", memory, "-o"]);
        convert.arg(scene.path("out.sql")).arg(&source);
        ends_soon(convert);
    }
    assert_eq!(
        scene.values("SELECT id, length(a) FROM t ORDER BY id"),
        ["1|1048576", "2|614400", "3|9216000"]
    );
}

/// Fails if the command does not succeed within a minute.
fn ends_soon(mut command: std::process::Command) {
    let mut child = command.spawn().unwrap();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(60) {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{command:?}: {status}");
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("{command:?} does not end");
}

#[test]
fn of_load_data_too() {
    let scene = MysqlScene::bare();
    let source = scene.path("dump.sql.gz");
    dump(&source, MYSQL, 10, 20);
    let mut import = command(["--yes", "--memory", "64", "-j", "8", "--database-url"]);
    import.arg(scene.stage().url).arg(&source);
    let (outcome, peak) = run_watched(import);
    outcome.succeeds();
    assert!(peak < MOST, "{} MiB", peak >> 20);
    assert_eq!(
        scene.values("SELECT sum(length(a)) FROM t"),
        [(10 * 20 * MIB).to_string()]
    );
    fs::remove_file(&source).unwrap();
}
