//! Loads a MySQL dump into a private MariaDB and, by `ci-import`, into a private PostgreSQL, and
//! prints what differs. `scripts/compare-dump` is the way to call it.
//!
//! `compare_dump PROGRAM FILE [OPTION…]`: the options go to the import.

#[path = "../tests/it/support/compare.rs"]
mod compare;
#[path = "../tests/it/support/mysql_instead.rs"]
mod mysql_instead;
#[path = "../tests/it/support/servers.rs"]
mod servers;

use std::fs::File;
use std::io::Read;
use std::process::{Command, ExitCode, Stdio};

use mysql::prelude::Queryable;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(program), Some(file)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: compare-dump FILE [OPTION...]");
        return ExitCode::from(2);
    };
    let options: Vec<String> = arguments.collect();
    let database = servers::new_postgresql_database();
    let url = servers::postgresql_url(&database);
    let mut import = Command::new(program);
    import.args([&file, "--database-url", &url]).args(&options);
    println!("== ci-import {file} {}", options.join(" "));
    if !import.status().expect("the program starts").success() {
        println!("the import failed");
        return ExitCode::FAILURE;
    }
    let Some(source) = load_into_mariadb(&file) else {
        println!("== MariaDB does not take this file; nothing to compare with");
        return ExitCode::SUCCESS;
    };
    let wanted = options
        .iter()
        .position(|option| option == "--from-database");
    let source = wanted
        .and_then(|at| options.get(at + 1).cloned())
        .unwrap_or(source);
    let mut comparison = compare::Comparison {
        source: servers::connect_mariadb(&source),
        target: servers::connect_postgresql(&database),
        schema: "public",
        meant: &[],
        renamed: &[],
    };
    let mut findings = comparison.all_tables();
    let is_skipped = |difference: &String| {
        options
            .iter()
            .any(|option| difference.contains(option.as_str()))
    };
    findings
        .differences
        .retain(|difference| !is_skipped(difference));
    println!(
        "== compared {} tables, {} rows, {} values, {} indexes",
        findings.tables, findings.rows, findings.values, findings.indexes
    );
    for difference in &findings.differences {
        println!("differs: {difference}");
    }
    if findings.differences.is_empty() {
        println!("== no difference");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// The database in MariaDB that holds the dump; none if MariaDB does not take it.
fn load_into_mariadb(file: &str) -> Option<String> {
    let mut dump = Vec::new();
    let mut input = File::open(file).expect("the file can be read");
    input.read_to_end(&mut dump).expect("the file can be read");
    if dump.starts_with(&[0x1f, 0x8b]) {
        let output = Command::new("zcat").arg(file).output().expect("zcat runs");
        dump = servers::expect_success(&output);
    }
    // What only MySQL 8 knows, by what MariaDB knows.
    let newer: [(&[u8], &[u8]); 2] = [
        (b"utf8mb4_0900_ai_ci", b"utf8mb4_unicode_ci"),
        (b"utf8mb4_0900_bin", b"utf8mb4_bin"),
    ];
    for (theirs, ours) in newer {
        dump = replaced(&dump, theirs, ours);
    }
    let database = servers::new_mariadb_database();
    let script = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(script.path(), &dump).expect("a temporary file");
    let mut client = servers::mariadb_program("mariadb");
    client.args(["--binary-mode", "--init-command=SET sql_mode=''", &database]);
    client
        .stdin(File::open(script.path()).expect("a temporary file"))
        .stderr(Stdio::inherit());
    if !client.status().expect("mariadb runs").success() {
        return None;
    }
    // A dump with `USE` went into its own database.
    let mut connection = servers::connect_mariadb(&database);
    let empty: Option<u64> = connection
        .query_first(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()",
        )
        .expect("MariaDB answers");
    if empty == Some(0) {
        let other: Option<String> = connection
            .query_first(
                "SELECT table_schema FROM information_schema.tables WHERE table_schema NOT IN
                 ('mysql', 'information_schema', 'performance_schema', 'sys') LIMIT 1",
            )
            .expect("MariaDB answers");
        return other.or(Some(database));
    }
    Some(database)
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, from) {
        result.extend_from_slice(&rest[..at]);
        result.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    result.extend_from_slice(rest);
    result
}
