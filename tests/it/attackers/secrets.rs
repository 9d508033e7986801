//! No message has a value of a row: what an import, a comparison or a migration prints gets into logs that many read.
//! Every value of these inputs contains the marker, in whatever way the input is damaged.

use std::fs;
use std::path::Path;

use crate::migrations::mysql::MysqlMigrations;
use crate::migrations::postgresql::Migrations;
use crate::support::archives::{archive, small_traces};
use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::Scene;

/// What no message may contain: a text, a number, a day, a time of day.
const MARKS: [&str; 4] = ["s3cr3t", "73217321", "2173-02", "07:32:17"];

/// The rows of a table after its definition: a name, the definition of columns, the tuples.
const ROWS: [(&str, &str, &str); 33] = [
    ("no number", "c int", "('s3cr3t')"),
    ("a fraction", "c int", "(73217321.5)"),
    ("too large", "c smallint", "(73217321)"),
    (
        "too large for unsigned",
        "c bigint unsigned",
        "(732173217321732173217321)",
    ),
    ("too many digits", "c decimal(5,2)", "(73217321.73217321)"),
    ("no bit", "c bit(2)", "(73217321)"),
    ("no boolean", "c tinyint(1)", "(1),(73217321)"),
    ("too long", "c varchar(3)", "('s3cr3t')"),
    ("no date", "c date", "('s3cr3t')"),
    ("no such day", "c date", "('2173-02-31')"),
    ("no such month", "c datetime", "('2173-02-99 07:32:17')"),
    (
        "a zero date",
        "c datetime NOT NULL PRIMARY KEY",
        "('2173-02-00 07:32:17')",
    ),
    ("no time", "c time", "('07:32:17s3cr3t')"),
    ("no JSON", "c json", "('{\"s3cr3t\": 73217321,,')"),
    ("no UUID", "c uuid", "('s3cr3t')"),
    ("no address", "c inet6", "('s3cr3t')"),
    ("no member", "c enum('a')", "('s3cr3t')"),
    ("a set", "c set('a')", "('s3cr3t')"),
    ("NULL", "c int NOT NULL, d text", "(NULL,'s3cr3t')"),
    (
        "twice",
        "c varchar(50) PRIMARY KEY",
        "('s3cr3t'),('s3cr3t')",
    ),
    (
        "twice, unique",
        "c varchar(50), UNIQUE KEY (c)",
        "('s3cr3t'),('s3cr3t')",
    ),
    ("a CHECK", "c varchar(50), CHECK (c < 'a')", "('s3cr3t')"),
    (
        "a CHECK that is computed",
        "c varchar(50), CHECK (c + 1 > 7)",
        "('s3cr3t')",
    ),
    (
        "generated",
        "c varchar(50), d int GENERATED ALWAYS AS (c + 1) STORED",
        "('s3cr3t',73217321)",
    ),
    ("NUL", "c text", "('s3cr3t\\0')"),
    (
        "a foreign key",
        "c int, FOREIGN KEY (c) REFERENCES other (id)",
        "(73217321)",
    ),
    ("too few values", "c text, d text", "('s3cr3t')"),
    ("too many values", "c text", "('s3cr3t','s3cr3t')"),
    ("no comma", "c text, d text", "('s3cr3t' 's3cr3t x')"),
    ("no quote", "c text, d text", "('s3cr3t, 's3cr3t')"),
    ("a word", "c text", "(s3cr3t)"),
    ("an introducer", "c text", "(_s3cr3t 's3cr3t')"),
    ("a blob", "c blob", "(0xs3cr3t)"),
];

/// What may come between statements.
const STATEMENTS: [&str; 16] = [
    "UPDATE t SET c = 's3cr3t';",
    "UPDATE s3cr3t 73217321;",
    "CALL p('s3cr3t');",
    "s3cr3t 73217321;",
    "s3cr3t: 73217321\nCREATE TABLE u (a int);",
    "s3cr3t",
    "SET sql_mode = 's3cr3t' + @s3cr3t;",
    "SET GLOBAL a = 's3cr3t';",
    "CREATE TABLE x AS SELECT 's3cr3t';",
    "CREATE TABLE x (c s3cr3tNOT 's3cr3t'\nINSERT INTO t VALUES ('s3cr3t');",
    "CREATE TABLE x (c int,\nINSERT INTO t VALUES ('s3cr3t', 73217321);",
    "INSERT INTO t SELECT 's3cr3t';",
    "INSERT INTO t SET c = 's3cr3t';",
    "DELETE FROM t WHERE c = 's3cr3t';",
    "LOAD DATA INFILE 's3cr3t' INTO TABLE t;",
    "\\! s3cr3t",
];

fn mysql_dump(columns: &str, verb: &str, rows: &[u8]) -> Vec<u8> {
    let head = format!(
        "-- MySQL dump 10.13\nCREATE TABLE `other` (`id` int PRIMARY KEY) ENGINE=InnoDB;\n\
         CREATE TABLE `t` ({columns}) ENGINE=InnoDB;\n{verb} INTO `t` VALUES "
    );
    [head.as_bytes(), rows, b";\n-- Dump completed\n"].concat()
}

/// Dumps of MySQL with a fault each.
fn mysql_dumps() -> Vec<(String, Vec<u8>)> {
    let mut dumps = Vec::new();
    for (name, columns, rows) in ROWS {
        let dump = mysql_dump(columns, "INSERT", rows.as_bytes());
        dumps.push((name.to_owned(), dump));
    }
    let invalid = mysql_dump("c text", "INSERT", b"('s3cr3t\xe9 s3cr3t')");
    dumps.push(("invalid UTF-8".to_owned(), invalid));
    for verb in ["REPLACE", "INSERT IGNORE"] {
        let rows = b"('s3cr3t','s3cr3t'),('s3cr3t','s3cr3t')";
        let columns = "c varchar(30) PRIMARY KEY, d varchar(30), UNIQUE KEY (d)";
        dumps.push((verb.to_owned(), mysql_dump(columns, verb, rows)));
    }
    let whole = mysql_dump("c text", "INSERT", b"('s3cr3t')");
    for statement in STATEMENTS {
        let dump = [&whole, statement.as_bytes(), b"\n"].concat();
        dumps.push((statement.to_owned(), dump));
    }
    let end = whole.len() - "t')\n;-- Dump completed\n".len();
    dumps.push(("truncated".to_owned(), whole[..end].to_vec()));
    dumps
}

/// Dumps of PostgreSQL with a fault each.
fn postgresql_dumps() -> Vec<(String, Vec<u8>)> {
    let head = |columns: &str| {
        format!(
            "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\nCREATE TABLE public.t ({columns});\n"
        )
    };
    let mut dumps = Vec::new();
    for (columns, rows) in [
        ("c integer", "s3cr3t\n"),
        ("c smallint", "73217321\n"),
        ("c character varying(3)", "s3cr3t\n"),
        ("c date", "2173-02-31\n"),
        ("c timestamp", "2173-02-99 07:32:17\n"),
        ("c json", "{\"s3cr3t\": 73217321,,\n"),
        ("c uuid", "s3cr3t\n"),
        ("c inet", "s3cr3t\n"),
        ("c bytea", "\\\\xs3cr3t\n"),
        ("c boolean", "s3cr3t\n"),
        ("c text, d text", "s3cr3t\n"),
        ("c text", "s3cr3t\ts3cr3t\n"),
        ("c text NOT NULL, d text", "\\N\ts3cr3t\n"),
        ("c text CHECK ((c < 'a'::text))", "s3cr3t\n"),
        (
            "c text, d integer GENERATED ALWAYS AS ((c)::integer) STORED",
            "s3cr3t\n",
        ),
    ] {
        let end = "\\.\n\n--\n-- PostgreSQL database dump complete\n--\n";
        let names = if columns.contains("GENERATED") || !columns.contains("d ") {
            "c"
        } else {
            "c, d"
        };
        let head = head(columns);
        let dump = format!("{head}COPY public.t ({names}) FROM stdin;\n{rows}{end}");
        dumps.push((columns.to_owned(), dump.into_bytes()));
    }
    for rows in [
        "INSERT INTO public.t VALUES ('s3cr3t');",
        "INSERT INTO public.t VALUES (s3cr3t);",
        "INSERT INTO public.t VALUES (1 's3cr3t');",
        "INSERT INTO public.t VALUES (B's3cr3t');",
        "INSERT INTO public.t (c) VALUES ('s3cr3t', 's3cr3t');",
        "INSERT INTO public.t SELECT 's3cr3t';",
        "UPDATE public.t SET c = 's3cr3t';",
        "SELECT s3cr3t('s3cr3t');",
        "s3cr3t;",
        "\\copy s3cr3t",
        "\\s3cr3t",
        "COPY public.t FROM 's3cr3t';",
        "COPY public.t (c) FROM stdin;\ns3cr3t",
        "COPY public.t (c) FROM stdin;\n1\ns3cr3t\n\\.\n",
        "ALTER TABLE ONLY public.t ADD CONSTRAINT p PRIMARY KEY (c); UPDATE s3cr3t;",
        "COPY public.t (c) FROM stdin;\n73217321\n73217321\n\\.\nALTER TABLE ONLY public.t ADD CONSTRAINT p PRIMARY KEY (c);",
        "CREATE TABLE public.o (id integer);\nALTER TABLE ONLY public.o ADD CONSTRAINT o_pkey PRIMARY KEY (id);\n\
         COPY public.t (c) FROM stdin;\n73217321\n\\.\n\
         ALTER TABLE ONLY public.t ADD CONSTRAINT f FOREIGN KEY (c) REFERENCES public.o(id);",
    ] {
        let dump = format!("{}{rows}\n", head("c integer"));
        dumps.push((rows.to_owned(), dump.into_bytes()));
    }
    dumps
}

/// Nothing of a row is in what it printed.
#[track_caller]
fn assert_silent(name: &str, outcome: &Outcome) {
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    for mark in MARKS {
        assert!(!said.contains(mark), "{name}\n{}", outcome.whole());
    }
    assert!(outcome.code.is_some(), "{name}\n{}", outcome.whole());
}

/// Imports `dump` as text and as JSON, and verifies it if that succeeds. With values shown it fails in the same way.
/// Returns whether that showed a value.
fn import(name: &str, url: &str, path: &Path) -> bool {
    let path = path.to_str().unwrap();
    let base = |first: &[&str]| {
        let mut it = command(first);
        it.arg(path).args(["--database-url", url, "--jobs", "1"]);
        it
    };
    let mut import = base(&[]);
    import.arg("--replace");
    let outcome = run(import);
    assert_silent(name, &outcome);
    if outcome.code == Some(0) {
        let mut import = base(&[]);
        import.args(["--replace", "--json"]);
        assert_silent(name, &run(import));
        assert_silent(name, &run(base(&["verify"])));
        return false;
    }
    let mut import = base(&[]);
    import.args(["--replace", "--show-values"]);
    let shown = run(import);
    assert_eq!(shown.code, outcome.code, "{name}\n{}", shown.whole());
    let has_mark = MARKS.iter().any(|mark| shown.stderr.contains(mark));
    let hint = outcome.stderr.contains("--show-values shows more");
    assert!(hint || !has_mark, "{name}\n{}", outcome.whole());
    has_mark
}

/// Imports all of `dumps`, of which at least `showing` show values if that is wanted.
fn import_all(dumps: &[(String, Vec<u8>)], folder: &Path, url: &str, showing: usize) {
    let path = folder.join("dump.sql");
    let mut shown = 0;
    for (name, dump) in dumps {
        fs::write(&path, dump).unwrap();
        shown += usize::from(import(name, url, &path));
    }
    assert!(shown >= showing, "{shown}");
}

#[test]
fn imports_into_postgresql_show_no_value() {
    let scene = Scene::bare();
    let mut dumps = mysql_dumps();
    dumps.extend(postgresql_dumps());
    import_all(&dumps, scene.directory.path(), &scene.url(), 40);
}

#[test]
fn imports_into_mariadb_show_no_value() {
    let scene = MysqlScene::bare();
    let folder = scene.path("");
    import_all(&mysql_dumps(), &folder, &scene.stage().url, 25);
}

/// Each byte of a dump that has a meaning is left out, and each quote is put where none is.
#[test]
fn damaged_dumps_show_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    let whole = mysql_dump(
        "`a` int, `b` text, `c` datetime, `d` json",
        "INSERT",
        b"(73217321,'s3cr3t; s3cr3t: (s3cr3t)\\n','2173-02-01 07:32:17','{\"s3cr3t\":1}'),\
          (73217321,'it''s s3cr3t','2173-02-01 07:32:17',NULL)",
    );
    let rows = whole.windows(6).position(|at| at == b"VALUES").unwrap();
    let mut variants: Vec<Vec<u8>> = Vec::new();
    for at in rows..whole.len() {
        if b"'(),;\\:\"\n".contains(&whole[at]) {
            variants.push([&whole[..at], &whole[at + 1..]].concat());
            variants.push(whole[..at].to_vec());
            variants.push([&whole[..at], b"'", &whole[at..]].concat());
        }
    }
    assert!(variants.len() > 90, "{}", variants.len());
    for (number, variant) in variants.iter().enumerate() {
        fs::write(&path, variant).unwrap();
        let path = path.to_str().unwrap();
        let mut convert = command(["convert", path, "--output", "/dev/null"]);
        let outcome = run(&mut convert);
        assert_silent(&format!("{number}"), &outcome);
        assert_silent(&format!("{number}"), &run(command(["inspect", path])));
    }
}

/// The same of an archive of GitLab CI's.
#[test]
fn damaged_archives_show_no_value() {
    let scene = Scene::gitlab();
    let path = scene.path("1443700800_gitlab_ci_backup.tar");
    for (name, rows) in [
        ("no number", "('s3cr3t','s3cr3t')"),
        ("twice", "(1,'s3cr3t'),(1,'s3cr3t')"),
        ("truncated", "(1,'s3cr3t"),
        (
            "a statement",
            "(1,'s3cr3t');\nUPDATE ci_tags SET name = 's3cr3t'",
        ),
    ] {
        let dump = format!(
            "-- MySQL dump 10.13\nCREATE TABLE `ci_tags` (`id` int(11) NOT NULL AUTO_INCREMENT, `name` varchar(255), \
             PRIMARY KEY (`id`));\nINSERT INTO `ci_tags` VALUES {rows};\n-- Dump completed\n"
        );
        fs::write(&path, archive(&small_traces(), dump.as_bytes())).unwrap();
        let outcome = scene.import(&path);
        assert_ne!(outcome.code, Some(0), "{name}");
        assert_silent(name, &outcome);
        let path = path.to_str().unwrap();
        for arguments in [["inspect", path], ["verify", path]] {
            assert_silent(name, &run(scene.command(arguments)));
        }
        let check = ["check", path, "--mysql-to-postgresql"];
        assert_silent(name, &run(scene.command(check)));
    }
}

/// Migrations that fail at the rows, or whose text has values.
const FAILING: [&str; 8] = [
    "INSERT INTO t VALUES ('s3cr3t', 1)",
    "UPDATE t SET n = 's3cr3t'",
    "INSERT INTO t VALUES ('s3cr3t' 's3cr3t', 73217321, 's3cr3t')",
    "INSERT INTO t (nothing) VALUES ('s3cr3t')",
    "INSERT INTO t VALUES (\"s3cr3t\", 73217321, 1)",
    "INSERT INTO nowhere VALUES ('s3cr3t', 73217321)",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a <> 's3cr3t')",
    "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES o (id)",
];

fn assert_failing(name: &str, outcome: Outcome) {
    assert_silent(name, &outcome);
    outcome
        .exits(1)
        .says("20260101000000_x.sql line 2: cannot run ")
        .says("--show-values");
}

#[test]
fn migrations_of_postgresql_show_no_value() {
    let of_postgresql = [
        "ALTER TABLE t ALTER COLUMN a TYPE int USING a::int",
        "ALTER TABLE t ALTER COLUMN a TYPE varchar(3)",
        "DO $$ BEGIN RAISE EXCEPTION 's3cr3t %', 73217321 USING DETAIL = 's3cr3t', HINT = 's3cr3t', ERRCODE = '42P01'; END $$",
        "DO $$ BEGIN EXECUTE 'SELECT 1/0 -- s3cr3t'; END $$",
        "SELECT a::date FROM t",
        "CREATE UNIQUE INDEX u ON t (a)",
        "ALTER TABLE t ADD PRIMARY KEY (n)",
        "SELECT 's3cr3t'::regclass",
        "SELECT a::regclass FROM t",
    ];
    let it = Migrations::of(&[]);
    it.scene
        .connect()
        .batch_execute(
            "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (a text PRIMARY KEY, n int);
             INSERT INTO t VALUES ('s3cr3t', 73217321); ALTER TABLE t DROP CONSTRAINT t_pkey;
             INSERT INTO t VALUES ('s3cr3t', 73217321); ALTER TABLE t ADD CHECK (n < 0) NOT VALID",
        )
        .unwrap();
    for statement in FAILING.into_iter().chain(of_postgresql) {
        let file = format!("-- migrate:up\n{statement};\n");
        it.write("migrate/20260101000000_x.sql", &file);
        assert_failing(statement, it.migrate(&[]));
        if statement.contains("s3cr3t'") {
            it.migrate(&["--show-values"]).exits(1).says("s3cr3t");
        }
    }
}

#[test]
fn migrations_of_mariadb_show_no_value() {
    let of_mariadb = [
        "ALTER TABLE t MODIFY a int",
        "ALTER TABLE t MODIFY a varchar(3)",
        "ALTER TABLE t ADD UNIQUE KEY u (n)",
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 's3cr3t'",
        "INSERT INTO t SELECT a, n FROM t",
        "UPDATE t SET n = n * 1000000",
        "INSERT INTO t VALUES ('s3cr3t2', CAST('s3cr3t' AS date))",
    ];
    let it = MysqlMigrations::of(&[]);
    it.scene.execute("CREATE TABLE o (id int PRIMARY KEY)");
    it.scene
        .execute("CREATE TABLE t (a varchar(50) PRIMARY KEY, n int)");
    it.scene
        .execute("INSERT INTO t VALUES ('s3cr3t', 73217321), ('s3cr3t3', 73217321)");
    for statement in FAILING.into_iter().chain(of_mariadb) {
        if statement.contains('"') {
            continue;
        }
        let file = format!("-- migrate:up\n{statement};\n");
        it.write("migrate/20260101000000_x.sql", &file);
        assert_failing(statement, it.migrate(&[]));
    }
}

/// Differences are counted, not shown.
#[test]
fn a_comparison_shows_no_value() {
    let (scene, other) = (Scene::bare(), MysqlScene::bare());
    let dump = mysql_dump(
        "id int AUTO_INCREMENT PRIMARY KEY, c text",
        "INSERT",
        b"(1,'s3cr3t'),(73217321,'s3cr3t')",
    );
    let path = scene.path("dump.sql");
    fs::write(&path, dump).unwrap();
    let path = path.to_str().unwrap();
    for (url, changes) in [(scene.url(), 0), (other.stage().url, 1)] {
        let verify = |more: &[&str]| {
            let mut it = command(["verify", path, "--database-url", &url]);
            it.args(more);
            run(it)
        };
        run(command([path, "--database-url", &url])).succeeds();
        if changes == 0 {
            let sql = "UPDATE t SET c = 's3cr3t4'; SELECT setval('t_id_seq', 7)";
            scene.connect().batch_execute(sql).unwrap();
        } else {
            other.execute("UPDATE t SET c = 's3cr3t4'");
        }
        for more in [&[][..], &["--json"]] {
            let outcome = verify(more).exits(1);
            let said = outcome.stdout.replace("73217322", "");
            assert!(MARKS.iter().all(|mark| !said.contains(mark)), "{said}");
        }
    }
}
