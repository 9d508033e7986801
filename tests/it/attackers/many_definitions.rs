//! A dump of very many definitions is refused before they fill the memory, and the error names the limit.

use std::fmt::Write as _;
use std::fs;

use crate::support::archives::gzip;
use crate::support::program::{command, run_watched, surplus};
use crate::support::scene::Scene;

/// What the program may take, in MiB, beside `--memory 64`.
const MOST: u64 = 202;

const LIMIT: &str = "the definitions of the dump have more than 4096 KiB, their limit with --memory 64\n\
    hint: --memory 128 allows twice as much";

fn mysql(definitions: impl Iterator<Item = String>) -> String {
    let definitions: String = definitions.collect();
    format!("-- MySQL dump 10.13\n{definitions}-- Dump completed\n")
}

fn postgresql(definitions: impl Iterator<Item = String>) -> String {
    let definitions: String = definitions.collect();
    format!(
        "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n{definitions}\
         --\n-- PostgreSQL database dump complete\n--\n"
    )
}

/// Many columns of a table, each after `before`.
fn columns(before: &str, count: usize) -> String {
    let mut columns = format!("{before}0 text");
    for number in 1..count {
        let _ = write!(columns, ",{before}{number} text");
    }
    columns
}

#[test]
fn they_have_a_limit_in_every_dialect() {
    let scene = Scene::bare();
    let (few, many) = (columns("c", 2), columns("c", 200));
    let table = |number: usize| format!("CREATE TABLE t{number} ({many});\n");
    let anew = |number: usize| format!("CREATE TABLE t{number} ({few});\nDROP TABLE t{number};\n");
    let again = |_| format!("CREATE OR REPLACE TABLE t ({few});\n");
    let plain = |number: usize| format!("CREATE TABLE public.t{number} (\n    {many}\n);\n");
    let converted = |number: usize| {
        format!(
            "CREATE TYPE t_{number}_enum AS ENUM ('{}');\n",
            "x".repeat(2000)
        )
    };
    let head = "-- Converted by db_converter\nSTART TRANSACTION;\n\
        SET standard_conforming_strings=off;\nSET escape_string_warning=off;\nSET CONSTRAINTS ALL DEFERRED;\n\n";
    let converted: String = (0..9000).map(converted).collect();
    let dumps = [
        ("tables", mysql((0..9000).map(table)), true),
        (
            "tables that are dropped",
            mysql((0..90_000).map(anew)),
            true,
        ),
        (
            "tables that are replaced",
            mysql((0..90_000).map(again)),
            true,
        ),
        (
            "tables of PostgreSQL",
            postgresql((0..9000).map(plain)),
            false,
        ),
        ("a converted dump", format!("{head}{converted}"), false),
    ];
    for (what, dump, is_converted) in dumps {
        let source = scene.path("dump.sql.gz");
        fs::write(&source, gzip(dump.as_bytes())).unwrap();
        let output = scene.path("out.sql");
        let mut commands = vec![command(["inspect"])];
        if is_converted {
            let mut convert = command(["convert", "-o"]);
            convert.arg(&output);
            commands.push(convert);
        }
        for mut it in commands {
            it.arg(&source).args(["--memory", "64"]);
            let (outcome, peak) = run_watched(it);
            outcome.exits(3).says(LIMIT);
            assert!(
                peak < (MOST << 20) + surplus(),
                "{what}: {} MiB",
                peak >> 20
            );
        }
        assert!(!output.exists());
    }
}

#[test]
fn more_memory_allows_more() {
    let scene = Scene::bare();
    let many = columns("c", 100);
    let table = |number: usize| format!("CREATE TABLE t{number} ({many});\n");
    let source = scene.path("dump.sql");
    fs::write(&source, mysql((0..1400).map(table))).unwrap();
    for (memory, code) in [(64, 3), (128, 0)] {
        let mut convert = command(["convert", "-q", "-o"]);
        convert.arg(scene.path("out.sql")).arg(&source);
        convert.args(["--memory", &memory.to_string()]);
        let (outcome, peak) = run_watched(convert);
        outcome.exits(code);
        assert!(
            peak < (MOST << 20) + surplus(),
            "{memory}: {} MiB",
            peak >> 20
        );
    }
}
