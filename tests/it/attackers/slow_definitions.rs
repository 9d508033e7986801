//! The time for a definition grows with its length, not with its square or its cube.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::program::{program, run};
use crate::support::scene::Scene;

/// What each may take of a processor, in seconds. Before, each took several times as much, in a release build.
const MOST_SECONDS: u32 = 5;

/// `count` times what `make` makes of a number, with commas.
fn list(count: usize, make: impl Fn(usize) -> String) -> String {
    (0..count).map(make).collect::<Vec<_>>().join(",")
}

/// Four tables of MySQL, each with this in its parentheses.
fn tables(definition: &str) -> String {
    let table = |number| format!("CREATE TABLE t{number} ({definition});\n");
    let tables: String = (0..4).map(table).collect();
    format!("-- MySQL dump 10.13\n{tables}-- Dump completed\n")
}

/// A table of MySQL with these columns and a row, and so many statements behind the row that change it, each with `more`.
fn altered(columns: &str, count: usize, more: impl Fn(usize) -> String) -> String {
    let mut dump = format!("CREATE TABLE t ({columns});\nINSERT INTO t (c0) VALUES (0);\n");
    for number in 0..count {
        dump += &format!(
            "ALTER TABLE t MODIFY c0 int DEFAULT {number};\n{}",
            more(number)
        );
    }
    dump
}

/// A dump of PostgreSQL, with a table of one column.
fn postgresql(rest: &str) -> String {
    format!(
        "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\
         CREATE TABLE public.t (\n    a integer\n);\n{rest}\
         --\n-- PostgreSQL database dump complete\n--\n"
    )
}

fn mysql() -> Vec<(&'static str, String)> {
    let columns = list(1500, |number| format!("c{number} int"));
    let texts = list(1500, |number| format!("c{number} longtext"));
    let json = list(1500, |number| format!("CHECK (json_valid(c{number}))"));
    let computed = list(1500, |number| format!("c{number} int AS (a+{number})"));
    let chained = list(1499, |number| {
        format!("c{} int AS (c{number}+1)", number + 1)
    });
    let keys = list(1500, |number| format!("KEY k{number} ((c{number}+1))"));
    let checks = list(1500, |number| format!("CHECK (c{number} > 1)"));
    let parentheses = |count: usize| ("(".repeat(count), ")".repeat(count));
    let (open, close) = parentheses(49_000);
    let values = list(49_000, |number| format!("'{number}'"));
    vec![
        ("generated columns", tables(&format!("a int,{computed}"))),
        (
            "generated columns of each other",
            tables(&format!("c0 int,{chained}")),
        ),
        (
            "indexes over expressions",
            tables(&format!("{columns},{keys}")),
        ),
        (
            "CHECKs over many columns",
            tables(&format!("{columns},{checks}")),
        ),
        ("CHECKs of JSON", tables(&format!("{texts},{json}"))),
        (
            "keys of the same name",
            tables(&format!("a int,{}", list(4900, |_| "KEY k (a)".to_owned()))),
        ),
        (
            "a deep index",
            tables(&format!("a int,KEY k (({open}a{close}))")),
        ),
        (
            "a deep CHECK",
            tables(&format!("a int,CHECK ({open}a{close})")),
        ),
        (
            "a deep generated column",
            tables(&format!("a int,b int AS ({open}a{close})")),
        ),
        (
            "an enum of many values",
            tables(&format!("a enum({values})")),
        ),
        (
            "ALTERs of one table",
            altered(&columns, 3000, |_| String::new()),
        ),
        (
            "rows between ALTERs of one table",
            altered("c0 int,c1 int UNIQUE", 500, |number| {
                format!("INSERT INTO t VALUES (1,{number});\n")
            }),
        ),
        (
            "keys without names",
            altered("c0 int", 1, |_| {
                let keys = list(250, |_| "ADD KEY (c0)".to_owned());
                format!("ALTER TABLE t {keys};\n")
            }),
        ),
        (
            "columns that become wider",
            format!(
                "-- MySQL dump 10.13\nCREATE TABLE t ({});\nINSERT INTO t VALUES ({});\n-- Dump completed\n",
                list(1500, |number| format!("c{number} tinyint(1)")),
                list(1500, |_| "2".to_owned())
            ),
        ),
    ]
}

#[test]
fn no_definition_takes_long() {
    let scene = Scene::bare();
    let source = scene.path("dump.sql");
    let (open, close) = ("(".repeat(40_000), ")".repeat(40_000));
    let index = format!("CREATE INDEX i ON public.t USING btree (({open}a{close}));\n");
    let check = format!("ALTER TABLE ONLY public.t ADD CONSTRAINT c CHECK ({open}a > 1{close});\n");
    let casts = "::integer".repeat(30_000);
    let cast = format!("ALTER TABLE ONLY public.t ADD CONSTRAINT c CHECK ((a{casts} > 1));\n");
    let nested = format!("{}{}\n", "/* ".repeat(200_000), "*/ ".repeat(200_000));
    let constraint = |number| {
        format!("ALTER TABLE ONLY public.t ADD CONSTRAINT c{number} CHECK ((a > {number}));\n")
    };
    let constraints: String = (0..10_000).map(constraint).collect();
    let of_postgresql = [
        ("a deep index of PostgreSQL", postgresql(&index.repeat(4))),
        ("a deep CHECK of PostgreSQL", postgresql(&check)),
        ("casts", postgresql(&cast)),
        ("comments in comments", postgresql(&nested)),
        ("ALTERs of one table", postgresql(&constraints)),
    ];
    for (what, dump) in mysql().into_iter().chain(of_postgresql) {
        fs::write(&source, dump).unwrap();
        println!("{what}");
        let mut limited = Command::new("sh");
        limited
            .args([
                "-c",
                "ulimit -t $0 && exec \"$@\"",
                &MOST_SECONDS.to_string(),
            ])
            .arg(program())
            .args(["inspect", "--memory", "256"])
            .arg(&source)
            .stdout(Stdio::null());
        run(limited).succeeds();
    }
}
