//! Plain dumps of PostgreSQL databases: of several of them, with arrays, and as people write them.

use std::fs;
use std::process::Command;

use crate::support::own_server::OwnServer;
use crate::support::program::{Outcome, command, run};
use crate::support::servers::{
    connect_in, connect_postgresql, expect_success, new_postgresql_database, postgresql,
    postgresql_programs, postgresql_url,
};

fn database_with(sql: &str) -> String {
    let database = new_postgresql_database();
    connect_postgresql(&database).batch_execute(sql).unwrap();
    database
}

fn pg_dump(database: &str, options: &[&str]) -> Vec<u8> {
    let mut dump = Command::new(postgresql_programs().join("pg_dump"));
    dump.arg("-h")
        .arg(&postgresql().directory)
        .args(["-U", "postgres"]);
    expect_success(&dump.args(options).arg(database).output().unwrap())
}

/// Imports `dump` into a new database; returns that, too.
fn import(dump: &[u8], options: &[&str]) -> (Outcome, String) {
    let directory = tempfile::tempdir().unwrap();
    let (file, database) = (directory.path().join("dump.sql"), new_postgresql_database());
    fs::write(&file, dump).unwrap();
    let import = |words: &[&str]| {
        let mut it = command(words);
        it.arg(&file)
            .args(["--database-url", &postgresql_url(&database)]);
        run(it.args(options))
    };
    let outcome = import(&["--yes"]);
    if outcome.code == Some(0) {
        import(&["verify"]).succeeds().reports("all agree");
    }
    (outcome, database)
}

/// What a query gives as texts, in one line.
fn values(database: &str, sql: &str) -> String {
    let mut client = connect_postgresql(database);
    let rows = client.query(sql, &[]).unwrap();
    let row = |row: &postgres::Row| row.get::<_, Option<String>>(0).unwrap_or("~".to_owned());
    rows.iter().map(row).collect::<Vec<_>>().join(" ")
}

#[test]
fn one_of_several_databases_is_taken() {
    let one = database_with(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); CREATE VIEW v AS SELECT 1 AS a",
    );
    let other = database_with(
        "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (3, 'x'); CREATE TABLE u (c int)",
    );
    let none = database_with("SELECT 1");
    for style in [
        &["--create"][..],
        &["--create", "--inserts"],
        &["--create", "--clean", "--if-exists"],
    ] {
        let alone = pg_dump(&one, style);
        let (outcome, target) = import(&alone, &[]);
        outcome.succeeds().reports("the view v was left out");
        assert_eq!(values(&target, "SELECT a::text FROM t ORDER BY a"), "1 2");
        let all = [&alone[..], &pg_dump(&none, style), &pg_dump(&other, style)].concat();
        let (outcome, target) = import(&all, &[]);
        outcome
            .exits(2)
            .says(&format!("the dump holds several databases: {one}, {other}"))
            .says("--from-database");
        assert_eq!(values(&target, "SELECT to_regclass('t')::text"), "~");
        let (outcome, target) = import(&all, &["--from-database", &other]);
        let outcome = outcome.succeeds();
        assert!(!outcome.stdout.contains("view"), "{}", outcome.stdout);
        assert_eq!(values(&target, "SELECT a || b FROM t"), "3x");
        assert_eq!(values(&target, "SELECT to_regclass('u')::text"), "u");
        let (outcome, _) = import(&pg_dump(&one, &[]), &["--from-database", &one]);
        outcome.exits(2).says("the dump does not name its database");
        let (outcome, _) = import(&all, &["--from-database", &none]);
        outcome.exits(2).says("the dump holds no database");
    }
}

#[test]
fn pg_dumpall_is_a_dump_of_several() {
    let server = OwnServer::start_in_memory();
    let mut client = connect_in(&server.directory, "postgres").unwrap();
    for statement in [
        "CREATE ROLE clerk LOGIN PASSWORD 'secret'",
        "CREATE DATABASE shop OWNER clerk",
    ] {
        client.batch_execute(statement).unwrap();
    }
    let mut shop = connect_in(&server.directory, "shop").unwrap();
    shop.batch_execute(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); ALTER TABLE t OWNER TO clerk",
    )
    .unwrap();
    let mut dump = Command::new(postgresql_programs().join("pg_dumpall"));
    dump.arg("-h")
        .arg(&server.directory)
        .args(["-U", "postgres"]);
    let dump = expect_success(&dump.output().unwrap());
    let (outcome, target) = import(&dump, &[]);
    let outcome = outcome.succeeds();
    assert!(!outcome.whole().contains("secret"), "{outcome:?}");
    assert_eq!(values(&target, "SELECT a::text FROM t ORDER BY a"), "1 2");
}

#[test]
fn arrays_arrive_as_they_are() {
    let source = database_with(
        "CREATE TABLE t (id int PRIMARY KEY, i integer[] DEFAULT '{}', s text[] DEFAULT '{a,b}'::text[], n numeric(5,2)[],
                         v varchar(5)[], w timestamptz[], j jsonb[], g int[][], e bytea[]);
         INSERT INTO t VALUES
           (1, '{1,NULL,3}', ARRAY['a b', NULL, 'NULL', '', 'it''s \"q\"', E'\\\\ \\n \\t', '{x}', 'ä,;'], '{1.50,-2}', '{abc}',
            '{2026-01-01 00:00:00+00}', ARRAY['{\"a\": [1, 2]}'::jsonb], '{{1,2},{3,4}}', ARRAY[E'\\\\x00ff'::bytea]),
           (2, '[5:6]={7,8}', '{}', NULL, NULL, NULL, NULL, NULL, NULL);
         CREATE INDEX by_words ON t USING gin (s)",
    );
    for style in [&[][..], &["--inserts"], &["--column-inserts"]] {
        let (outcome, target) = import(&pg_dump(&source, style), &[]);
        outcome.succeeds();
        let rows = "SELECT t::text FROM t ORDER BY id";
        assert_eq!(values(&target, rows), values(&source, rows));
        let types = "SELECT format_type(atttypid, atttypmod) || COALESCE(pg_get_expr(adbin, adrelid), '') FROM pg_attribute
                     LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                     WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum";
        assert_eq!(values(&target, types), values(&source, types));
    }
}

#[test]
fn what_people_write_by_hand() {
    let dump = "-- PostgreSQL database dump\nSET client_encoding = 'UTF8';\n\
        CREATE TABLE kinds (id smallserial PRIMARY KEY, name text UNIQUE);\n\
        CREATE TABLE things (id bigserial PRIMARY KEY, kind int2 REFERENCES kinds (id) ON DELETE CASCADE NOT NULL,\n\
          tags text[] DEFAULT '{}');\n\
        INSERT INTO kinds (name) VALUES ('a');\n\
        INSERT INTO kinds VALUES (7, 'b');\n\
        INSERT INTO things VALUES (3, 7, '{x}');\n\
        -- PostgreSQL database dump complete\n";
    let (outcome, target) = import(dump.as_bytes(), &[]);
    outcome.succeeds();
    assert_eq!(
        values(&target, "SELECT id || name FROM kinds ORDER BY id"),
        "1a 7b"
    );
    let next = "SELECT nextval(pg_get_serial_sequence('kinds', 'id')) || ',' || nextval(pg_get_serial_sequence('things', 'id'))";
    assert_eq!(values(&target, next), "8,4");
    let keys = "SELECT conname || ':' || pg_get_constraintdef(oid) FROM pg_constraint
                WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace ORDER BY conname COLLATE \"C\"";
    assert_eq!(
        values(&target, keys),
        "kinds_pkey:PRIMARY KEY (id) \
         things_kind_fkey:FOREIGN KEY (kind) REFERENCES kinds(id) ON DELETE CASCADE things_pkey:PRIMARY KEY (id)"
    );
    let unique = "SELECT indexdef FROM pg_indexes WHERE indexname = 'kinds_name_key'";
    assert!(values(&target, unique).contains("UNIQUE INDEX"));
    let types = "SELECT string_agg(format_type(atttypid, atttypmod) || attnotnull::text, ',' ORDER BY attnum) FROM pg_attribute
                 WHERE attrelid = 'things'::regclass AND attnum > 0";
    assert_eq!(
        values(&target, types),
        "biginttrue,smallinttrue,text[]false"
    );
}
