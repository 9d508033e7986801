//! Vectors of MySQL and MariaDB: pgvector's type has the same floats, and so has an array.

use std::fs;
use std::path::Path;
use std::process::Command;

use postgres::Client;

use crate::support::other_versions::with_pgvector;
use crate::support::program::{Outcome, command, project, run};
use crate::support::servers::{connect_in, expect_success, new_database_in, postgresql, url_in};

/// What MySQL 9.7 says of the rows in the fixtures, in hexadecimal digits.
const OF_MYSQL: [(Option<&str>, &str); 3] = [
    (Some("0000803F000020C0CDCCCC3D"), "ABAAAA3E"),
    (None, "FFFF7F7F00000080000080000000804B"),
    (Some("0A0D5C27221A00098000000D"), "01000000"),
];

fn floats(hex: &str) -> Vec<u32> {
    let float = |at: usize| {
        let bytes = u32::from_str_radix(&hex[at..at + 8], 16).unwrap();
        bytes.swap_bytes()
    };
    (0..hex.len()).step_by(8).map(float).collect()
}

/// The bits of the floats in the columns of a table.
fn found(client: &mut Client, columns: &[&str], table: &str) -> Vec<Vec<Option<Vec<u32>>>> {
    let arrays: Vec<String> = columns.iter().map(|it| format!("{it}::real[]")).collect();
    let sql = format!("SELECT {} FROM {table} ORDER BY id", arrays.join(", "));
    let rows = client.query(&sql, &[]).unwrap();
    let bits = |floats: Vec<f32>| floats.into_iter().map(f32::to_bits).collect();
    let row = |row: &postgres::Row| {
        (0..columns.len())
            .map(|at| row.get::<_, Option<_>>(at).map(bits))
            .collect()
    };
    rows.iter().map(row).collect()
}

fn types(client: &mut Client, table: &str) -> String {
    let sql =
        "SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum) FROM pg_attribute
               WHERE attrelid = $1::text::regclass AND attnum > 1";
    client.query_one(sql, &[&table]).unwrap().get(0)
}

/// A server, a fresh database in it with pgvector if it can have it, and its URL.
fn database(has_it: bool) -> (&'static Path, String, String) {
    let server = if has_it {
        with_pgvector()
    } else {
        postgresql()
    };
    let database = new_database_in(&server.directory);
    if has_it {
        let create =
            "CREATE SCHEMA \"the vectors\"; CREATE EXTENSION vector SCHEMA \"the vectors\"";
        let mut client = connect_in(&server.directory, &database).unwrap();
        client.batch_execute(create).unwrap();
    }
    let url = url_in(&server.directory, &database);
    (&server.directory, database, url)
}

fn with_dump(arguments: &[&str], file: &Path, url: &str) -> Outcome {
    let mut it = command(arguments);
    it.arg(file).args(["--database-url", url]);
    run(it)
}

fn import(dump: &str, url: &str, options: &[&str]) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dump.sql");
    let head = "-- MariaDB dump 10.19-11.8.2-MariaDB, for Linux (x86_64)\nSET NAMES utf8mb4;\n";
    fs::write(
        &file,
        format!("{head}{dump}-- Dump completed on 2026-01-01  0:00:00\n"),
    )
    .unwrap();
    with_dump(
        &[&["--yes", "--verify", "full"], options].concat(),
        &file,
        url,
    )
}

#[test]
fn the_floats_are_those_of_mysql() {
    for file in ["vectors_mysql97.sql", "vectors_mysql97_hex.sql"] {
        let file = project().join("fixtures").join(file);
        let expected: Vec<Vec<Option<Vec<u32>>>> = OF_MYSQL
            .iter()
            .map(|(v, w)| vec![v.map(floats), Some(floats(w))])
            .collect();
        let real = "real[] real[]";
        let own = "\"the vectors\".vector(3) \"the vectors\".vector";
        for (has_it, policy, wanted) in [
            (true, "auto", own),
            (true, "pgvector", own),
            (true, "real", real),
            (false, "auto", real),
        ] {
            let (directory, database, url) = database(has_it);
            let options = ["--yes", "--verify", "full", "--vector", policy];
            let imported = with_dump(&options, &file, &url).succeeds();
            if wanted == own {
                imported.reports("vectors.w: vector without a number of entries: row 1 has another number of them");
            } else {
                imported.reports("vectors.v: vector(3) is real[] now: ");
            }
            let mut client = connect_in(directory, &database).unwrap();
            assert_eq!(
                found(&mut client, &["v", "w"], "vectors"),
                expected,
                "{policy}"
            );
            assert_eq!(types(&mut client, "vectors"), wanted, "{policy}");
            with_dump(&["verify", "--vector", policy], &file, &url)
                .succeeds()
                .reports("all agree");
        }
        // Of `convert` nobody knows what the target has.
        for (has_it, policy) in [(false, "auto"), (true, "pgvector")] {
            let (directory, database, url) = database(has_it);
            let work = tempfile::tempdir().unwrap();
            let output = work.path().join("out.sql");
            let mut convert = command(["convert", "--vector", policy]);
            run(convert.arg(&file).arg("-o").arg(&output)).succeeds();
            let mut psql = Command::new("psql");
            psql.arg("-h").arg(directory).args([
                "-U",
                "postgres",
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
            ]);
            psql.args(["-d", &database, "-f"]).arg(&output);
            psql.env("PGOPTIONS", "-c search_path=public,\"the\\ vectors\"");
            expect_success(&psql.output().unwrap());
            let mut client = connect_in(directory, &database).unwrap();
            assert_eq!(
                found(&mut client, &["v", "w"], "vectors"),
                expected,
                "{policy}"
            );
            if !has_it {
                with_dump(&["--yes", "--replace", "--verify", "full"], &output, &url).succeeds();
                assert_eq!(found(&mut client, &["v", "w"], "vectors"), expected);
            }
        }
    }
}

#[test]
fn all_notations_of_a_vector() {
    let dump = "CREATE TABLE t (id int NOT NULL PRIMARY KEY, v vector(2) NOT NULL, VECTOR KEY `v` (`v`) `M`=8 `DISTANCE`=cosine);\n\
        INSERT INTO t VALUES (1,0x0000803F000020C0),(2,x'0000803F000020C0'),(3,UNHEX('0000803F000020C0')),\n\
        (4,VEC_FromText('[1,-2.5]')),(5,STRING_TO_VECTOR( '[ 1e0 , -25e-1 ]' )),(6,to_vector(\"[1.00000,-2.50000]\"));\n";
    for has_it in [true, false] {
        let (directory, database, url) = database(has_it);
        import(dump, &url, &[])
            .succeeds()
            .reports("t.v: the vector index was left out");
        let mut client = connect_in(directory, &database).unwrap();
        let expected = vec![Some(vec![1_f32.to_bits(), (-2.5_f32).to_bits()])];
        assert_eq!(found(&mut client, &["v"], "t"), vec![expected; 6]);
    }
}

#[test]
fn what_is_no_vector_is_named() {
    let dump = |value: &str| {
        format!(
            "CREATE TABLE t (id int PRIMARY KEY, v vector(2));\nINSERT INTO t VALUES (1,NULL),(2,{value});\n"
        )
    };
    let nan = "0x0000C07F0000803F";
    for (has_it, value, options, message) in [
        (
            false,
            "'abc'",
            "auto",
            "column v: a vector has four bytes for each entry",
        ),
        (
            false,
            "STRING_TO_VECTOR('[1,x]')",
            "auto",
            "column v: expected the text of a vector: [1,2.5]",
        ),
        (
            false,
            "STRING_TO_VECTOR('[1,2]' x)",
            "auto",
            "column v: expected the end of a function",
        ),
        (
            false,
            "UUID()",
            "auto",
            "column v: the value is UUID(), which only a server can compute",
        ),
        (
            true,
            nan,
            "auto",
            "column v: pgvector has no NaN and no infinity",
        ),
    ] {
        let (_, _, url) = database(has_it);
        import(&dump(value), &url, &["--vector", options])
            .exits(1)
            .says("t row 2 (byte ")
            .says(message);
    }
    let (directory, database, url) = database(false);
    import(&dump(nan), &url, &["--vector", "pgvector"])
        .exits(1)
        .says("column t.v: vector(2) is not possible: the database does not have pgvector")
        .says("--vector real makes it real[]");
    import(&dump(nan), &url, &["--vector", "real"]).succeeds();
    let mut client = connect_in(directory, &database).unwrap();
    let expected = vec![vec![None], vec![Some(floats(&nan[2..]))]];
    assert_eq!(found(&mut client, &["v"], "t"), expected);
}
