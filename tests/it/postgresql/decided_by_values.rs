//! What depends on the values of a dump: types, keys, and rows that replace others. Each value arrives, and what differs is
//! told.

#![expect(
    clippy::too_many_lines,
    reason = "tables of cases are as long as they are"
)]

use std::fs;

use super::edge_cases::{C, Case, INDEXES, NEXT, TYPE, Then, case, check};
use crate::support::program::{command, run};
use crate::support::servers::{connect_postgresql, new_postgresql_database, postgresql_url};
use Then::{Fails, Gives, Reports};

#[test]
fn each_value_arrives_and_is_told() {
    let database = new_postgresql_database();
    let cases = [types(), keys(), dropped(), replaced_rows()];
    let cases: Vec<Case<'_>> = cases.into_iter().flatten().collect();
    assert!(cases.len() >= 20, "{}", cases.len());
    for (number, case) in cases.iter().enumerate() {
        check(&database, number, case);
    }
}

fn types<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "a tinyint(1) of truth values",
            "CREATE TABLE t (c tinyint(1) NOT NULL DEFAULT 1, KEY k (c));\nINSERT INTO t VALUES (1),(0);\n",
            &[],
            vec![Gives(C, &["t", "f"]), Gives(TYPE, &["boolean"])],
        ),
        case(
            "a tinyint(1) in keys",
            "CREATE TABLE t (c tinyint(1), d tinyint(1), e tinyint(1) DEFAULT 3, PRIMARY KEY (c), UNIQUE KEY u (d));\nINSERT INTO t VALUES (1,0,1);\n",
            &[],
            vec![
                Gives(TYPE, &["smallint", "smallint", "smallint"]),
                Reports("t.c: smallint instead of boolean: it is in a key"),
                Reports("t.d: smallint instead of boolean: it is in a key"),
                Reports("t.e: smallint instead of boolean: its default is neither 0 nor 1"),
            ],
        ),
        case(
            "a tinyint(1) that another table refers to",
            "CREATE TABLE a (id tinyint(1), KEY k (id));\nINSERT INTO a VALUES (1);\n\
             CREATE TABLE u (id tinyint(1) NOT NULL, UNIQUE KEY k (id));\nINSERT INTO u VALUES (1);\n\
             CREATE TABLE t (c tinyint(1), CONSTRAINT f FOREIGN KEY (c) REFERENCES u (id));\nINSERT INTO t VALUES (1);\n",
            &[],
            vec![
                Gives(TYPE, &["smallint"]),
                Gives(
                    "SELECT count(*) FROM pg_constraint WHERE conrelid = '$.t'::regclass AND contype = 'f'",
                    &["1"],
                ),
            ],
        ),
        case(
            "a bigint unsigned that foreign keys refer to",
            "CREATE TABLE a (id bigint unsigned NOT NULL, PRIMARY KEY (id));\nINSERT INTO a VALUES (7),(18446744073709551615);\n\
             CREATE TABLE t (c bigint unsigned, CONSTRAINT f FOREIGN KEY (c) REFERENCES a (id));\nINSERT INTO t VALUES (7);\n",
            &[],
            vec![
                Gives(TYPE, &["numeric(20,0)"]),
                Gives(
                    "SELECT convalidated FROM pg_constraint WHERE conrelid = '$.t'::regclass AND contype = 'f'",
                    &["t"],
                ),
                Reports(
                    "a.id: numeric(20,0) instead of bigint: row 2 has a number above 9223372036854775807",
                ),
                Reports(
                    "t.c: numeric(20,0) instead of bigint: the foreign key f compares it with such a column",
                ),
            ],
        ),
        case(
            "an AUTO_INCREMENT that is used up",
            "CREATE TABLE t (id bigint unsigned NOT NULL AUTO_INCREMENT, PRIMARY KEY (id));\nINSERT INTO t VALUES (18446744073709551614),(3);\n",
            &[],
            vec![
                Gives(TYPE, &["numeric(20,0)"]),
                Gives(
                    "SELECT pg_get_serial_sequence('$.t', 'id') IS NOT NULL",
                    &["t"],
                ),
            ],
        ),
        case(
            "JSON with NUL, and MySQL's escapes of it",
            r#"CREATE TABLE t (c json, d json);
INSERT INTO t VALUES ('{\"a\": \"\\\\u0000\"}','[1]'),('[2]','"\\u0000"');
"#,
            &[],
            vec![
                Gives(TYPE, &["jsonb", "json"]),
                Gives(
                    "SELECT d::text FROM $.t ORDER BY ctid",
                    &["[1]", r#""\u0000""#],
                ),
                Reports("t.d: json instead of jsonb: row 2 has the escape \\u0000"),
            ],
        ),
        case(
            "a JSON column of MariaDB that is not all JSON",
            "CREATE TABLE t (c longtext CHECK (json_valid(`c`)), d longtext CHECK (json_valid(`d`)));\nINSERT INTO t VALUES ('{}',''),(NULL,'{\"a\":01}'),('[1e3]','[1]');\n",
            &[],
            vec![
                Gives(TYPE, &["json", "text"]),
                Gives(
                    "SELECT d FROM $.t ORDER BY ctid",
                    &["", "{\"a\":01}", "[1]"],
                ),
                Reports(
                    "t.d: text instead of its own type: the value in row 1 is not of this type",
                ),
            ],
        ),
        case(
            "an enum's value for an error, as a type",
            "CREATE TABLE t (c enum('a','b') DEFAULT 'a');\nINSERT INTO t VALUES ('a'),(''),('b'),(NULL);\n",
            &["--enum", "type"],
            vec![
                Gives(C, &["a", "", "b", "~"]),
                Gives(TYPE, &["text"]),
                Gives(
                    "SELECT count(*) FROM pg_type WHERE typnamespace = '$'::regnamespace AND typtype = 'e'",
                    &["0"],
                ),
                Reports("t.c: text instead of its own type: the value in row 2"),
            ],
        ),
        case(
            "a surrogate, which MySQL's utf8 takes for a character",
            b"CREATE TABLE t (c char(1));\nINSERT INTO t VALUES ('\xed\xa0\x80'),('\xff');\n",
            &["--invalid-utf8", "replace"],
            vec![Gives(C, &["\u{fffd}", "\u{fffd}"])],
        ),
        case(
            "an AUTO_INCREMENT that counts in groups",
            "CREATE TABLE t (g int NOT NULL, id int NOT NULL AUTO_INCREMENT, PRIMARY KEY (g,id)) ENGINE=MyISAM;\nINSERT INTO t VALUES (1,1),(1,2),(2,1);\n",
            &[],
            vec![
                Gives(NEXT, &["3"]),
                Reports(
                    "t.id: its values were counted for each value of the columns before it in its key",
                ),
            ],
        ),
        case(
            "a value that the server refuses",
            "CREATE TABLE t (b int, c varchar(3));\nINSERT INTO t VALUES (1,'abc'),(2,'abcd');\n",
            &[],
            vec![Fails(
                1,
                "the dump: t row 2 (byte 69), column c: the server refuses the value: value too long for type character varying(3)",
            )],
        ),
    ]
}

fn keys<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "zero dates in a primary key",
            "CREATE TABLE t (d date NOT NULL, k int NOT NULL, PRIMARY KEY (d,k) COMMENT 'by day');\nINSERT INTO t VALUES ('0000-00-00',1),('2020-00-10',1),('2020-01-10',1);\n",
            &[],
            vec![
                Gives(
                    "SELECT d, k FROM $.t ORDER BY ctid",
                    &["~|1", "~|1", "2020-01-10|1"],
                ),
                Gives(
                    INDEXES,
                    &["t_pkey|CREATE UNIQUE INDEX t_pkey ON t USING btree (d, k)"],
                ),
                Gives(
                    "SELECT obj_description('$.t_pkey'::regclass, 'pg_class')",
                    &["by day"],
                ),
                Reports(
                    "t.t_pkey: the primary key is a unique index now: d has dates that became NULL",
                ),
                Reports("t.d: NOT NULL left out, because of the zero dates"),
            ],
        ),
        case(
            "zero dates as infinity in unique keys",
            "CREATE TABLE t (d date NOT NULL, PRIMARY KEY (d));\nINSERT INTO t VALUES ('0000-00-00'),('2020-00-10');\n",
            &["--zero-dates", "infinity"],
            vec![
                Gives(
                    INDEXES,
                    &["t_pkey|CREATE INDEX t_pkey ON t USING btree (d)"],
                ),
                Reports("t.t_pkey: the primary key is an index now: changed values are equal"),
            ],
        ),
        case(
            "NULs in a unique key",
            "CREATE TABLE t (c varchar(9), UNIQUE KEY u (c), KEY k (c));\nINSERT INTO t VALUES ('a'),('a\\0');\n",
            &[],
            vec![
                Gives(C, &["a", "a"]),
                Gives(
                    INDEXES,
                    &[
                        "k|CREATE INDEX k ON t USING btree (c)",
                        "u|CREATE INDEX u ON t USING btree (c)",
                    ],
                ),
                Reports("t.u: the index is not unique any more: changed values are equal"),
            ],
        ),
        case(
            "NULs in a unique key that are no duplicates",
            "CREATE TABLE t (c varchar(9), UNIQUE KEY u (c));\nINSERT INTO t VALUES ('b'),('a\\0');\n",
            &[],
            vec![Gives(
                INDEXES,
                &["u|CREATE UNIQUE INDEX u ON t USING btree (c)"],
            )],
        ),
        case(
            "FLOATs of which the dump has six digits",
            "CREATE TABLE t (c float NOT NULL, PRIMARY KEY (c));\nINSERT INTO t VALUES (1.23457),(1.23457);\n",
            &[],
            vec![Reports(
                "t.t_pkey: the primary key is an index now: changed values are equal",
            )],
        ),
        case(
            "a foreign key to a key that was given up",
            "CREATE TABLE a (c varchar(9), UNIQUE KEY u (c));\nINSERT INTO a VALUES ('a'),('a\\0');\n\
             CREATE TABLE t (c varchar(9), CONSTRAINT f FOREIGN KEY (c) REFERENCES a (c));\nINSERT INTO t VALUES ('a');\n",
            &[],
            vec![Reports("t.f: foreign key left out: a(c) is not unique")],
        ),
        case(
            "the same row twice is an error",
            "CREATE TABLE t (c int NOT NULL, PRIMARY KEY (c));\nINSERT INTO t VALUES (1),(1);\n",
            &[],
            vec![Fails(1, "cannot build the index t_pkey of t")],
        ),
        case(
            "an index over what cannot be computed",
            "CREATE TABLE t (c int, KEY k ((c + 1)), KEY l (c));\nINSERT INTO t VALUES (2147483647);\n",
            &[],
            vec![
                Gives(INDEXES, &["l|CREATE INDEX l ON t USING btree (c)"]),
                Reports("t.k: left out: the server cannot compute its expression for all rows"),
            ],
        ),
    ]
}

/// Tables that the dump drops again, behind rows of other tables.
fn dropped<'a>() -> Vec<Case<'a>> {
    let tmp = "CREATE TABLE tmp (id int NOT NULL AUTO_INCREMENT, e enum('a'), PRIMARY KEY (id), KEY e (e));\nINSERT INTO tmp VALUES (1,'a'),(2,'a');\n";
    let t = "CREATE TABLE t (c int);\nINSERT INTO t VALUES (5);\n";
    let names = "SELECT relname FROM pg_class WHERE relnamespace = '$'::regnamespace ORDER BY 1";
    vec![
        case(
            "a table that the dump drops again",
            format!("{tmp}{t}DROP TABLE tmp;\n"),
            &["--enum", "type"],
            vec![
                Gives(names, &["t"]),
                Gives(
                    "SELECT count(*) FROM pg_type WHERE typnamespace = '$'::regnamespace AND typtype = 'e'",
                    &["0"],
                ),
                Reports("tmp: the dump drops this table again"),
            ],
        ),
        case(
            "a table that stands in for a view",
            format!("CREATE TABLE v (c int);\n{t}DROP TABLE v;\nCREATE VIEW v AS SELECT 5;\n"),
            &[],
            vec![
                Gives(names, &["t"]),
                // Nothing else.
                Reports("changed during the import the view v was left out the dump does not end"),
            ],
        ),
        case(
            "a table with rows whose name a view takes",
            format!(
                "CREATE TABLE v (c int);\nINSERT INTO v VALUES (1);\n{t}DROP TABLE v;\nCREATE VIEW v AS SELECT 5;\n"
            ),
            &[],
            vec![
                Gives(names, &["t"]),
                Reports("v: the dump drops this table again the view v was left out"),
            ],
        ),
        case(
            "a table that the dump drops and creates again",
            format!(
                "{tmp}{t}DROP TABLE tmp;\nCREATE TABLE tmp (id int NOT NULL AUTO_INCREMENT, d int, KEY id (id));\nINSERT INTO tmp VALUES (7,8);\n"
            ),
            &[],
            vec![
                Gives(names, &["id", "t", "tmp", "tmp_id_seq"]),
                Gives("SELECT id, d FROM $.tmp", &["7|8"]),
                Gives(
                    "SELECT nextval(pg_get_serial_sequence('$.tmp', 'id'))",
                    &["8"],
                ),
            ],
        ),
        case(
            "a table that the dump drops before its rows",
            format!("CREATE TABLE tmp (id int);\nDROP TABLE tmp;\n{t}"),
            &[],
            vec![Gives(names, &["t"])],
        ),
    ]
}

fn replaced_rows<'a>() -> Vec<Case<'a>> {
    let table = "CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, v varchar(9), PRIMARY KEY (id), UNIQUE KEY v (v));\n";
    let rows = "SELECT id, v FROM $.t ORDER BY id";
    vec![
        case(
            "REPLACE without duplicates",
            format!("{table}REPLACE INTO t VALUES (1,'a'),(2,NULL),(3,NULL);\n"),
            &[],
            vec![Gives(rows, &["1|a", "2|~", "3|~"]), Gives(NEXT, &["4"])],
        ),
        case(
            "an INSERT before a REPLACE",
            format!("{table}INSERT INTO t VALUES (1,'a');\nREPLACE INTO t VALUES (1,'b');\n"),
            &[],
            vec![Fails(
                1,
                "REPLACE or INSERT IGNORE after other INSERTs is not supported",
            )],
        ),
        case(
            "INSERT IGNORE with several keys",
            format!("{table}INSERT IGNORE INTO t VALUES (1,'a'),(1,'b');\n"),
            &[],
            vec![Fails(
                1,
                "INSERT IGNORE of rows with the same keys is not supported",
            )],
        ),
    ]
}

/// Which rows a REPLACE removes is not known to `verify`, so that these cases are not compared.
#[test]
fn rows_replace_others() {
    let database = new_postgresql_database();
    let url = postgresql_url(&database);
    let keyed = "CREATE TABLE t (id int NOT NULL, v varchar(9), w int GENERATED ALWAYS AS (id + 1) STORED, PRIMARY KEY (id), UNIQUE KEY v (v));\n";
    let single = "CREATE TABLE t (id int NOT NULL, v varchar(9), PRIMARY KEY (id));\n";
    for (number, (dump, expected, report)) in [
        (
            format!("{keyed}REPLACE INTO t VALUES (1,'a',2),(2,'b',3);\nREPLACE INTO t VALUES (1,'c',2),(3,'b',4);\n"),
            &["1|c", "3|b"][..],
            "t: 2 rows were replaced by later rows with the same key",
        ),
        (
            format!("{keyed}REPLACE INTO t (id,v) VALUES (1,'a'),(2,'b'),(3,'a'),(3,'d');\n"),
            &["2|b", "3|d"],
            "t: 2 rows were replaced",
        ),
        (
            format!("{single}INSERT IGNORE INTO t VALUES (1,'a'),(2,'b');\nINSERT IGNORE INTO t VALUES (1,'c'),(3,NULL);\n"),
            &["1|a", "2|b", "3|"],
            "t: 1 rows were left out, as INSERT IGNORE does: the key was there",
        ),
        (
            // They differ in the dump.
            format!("{keyed}REPLACE INTO t VALUES (1,'\\0a',2),(2,'a',3),(2,'a',3);\n"),
            &["1|a", "2|a"],
            "t.v: rows with the same values in it all stay, because such values were changed",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.sql");
        fs::write(&path, dump).unwrap();
        let schema = format!("replaced_{number}");
        let mut import = command([path.to_str().unwrap(), "--schema", &schema]);
        import.args(["--database-url", &url, "--verify", "full"]);
        run(import).exits(0).reports(report);
        let sql = format!("SELECT concat(id, '|', v) FROM {schema}.t ORDER BY id");
        let rows = connect_postgresql(&database).query(&sql, &[]).unwrap();
        let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(found, expected, "{number}");
    }
}

/// A value beyond its type comes when many chunks of the table are loaded already, by several workers.
#[test]
fn a_type_changes_while_rows_are_loaded() {
    let database = new_postgresql_database();
    let url = postgresql_url(&database);
    let mut dump = "CREATE TABLE t (id int NOT NULL, a tinyint(1) DEFAULT 1, b bigint unsigned, c json, PRIMARY KEY (id), KEY b (b));\n".to_owned();
    let count = 60_000;
    for first in (1..=count).step_by(500) {
        let rows: Vec<String> = (first..first + 500)
            .map(|id| {
                let a = if id == 41_000 { 7 } else { id % 2 };
                let b = if id == 30_500 {
                    "18446744073709551615"
                } else {
                    "12"
                };
                let c = if id == 59_999 { "\\\\u0000" } else { "x" };
                format!("({id},{a},{b},'[\"{c}\", {id}]')")
            })
            .collect();
        dump += &format!("INSERT INTO t VALUES {};\n", rows.join(","));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    fs::write(&path, dump).unwrap();
    let path = path.to_str().unwrap();
    let converted = folder.path().join("converted.sql.gz");
    let of = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.args(["--database-url", &url]);
        run(command).exits(0)
    };
    let outcome = of(&[
        path, "--schema", "direct", "--verify", "full", "--jobs", "8",
    ]);
    for line in [
        "t.a: smallint instead of boolean: row 41000 has a number other than 0 and 1",
        "t.b: numeric(20,0) instead of bigint: row 30500 has a number above",
        "t.c: json instead of jsonb: row 59999 has the escape",
    ] {
        assert!(
            outcome.stdout.contains(line),
            "{line} is not in {}",
            outcome.stdout
        );
    }
    of(&["verify", path, "--schema", "direct"]);
    let converted = converted.to_str().unwrap();
    run(command(["convert", path, "-o", converted])).exits(0);
    of(&[converted, "--schema", "converted", "--verify", "full"]);
    of(&["verify", converted, "--schema", "converted"]);
    of(&["verify", converted, "--schema", "direct"]);
    let mut client = connect_postgresql(&database);
    for schema in ["direct", "converted"] {
        let sql = format!(
            "SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attnum)
             FROM pg_attribute WHERE attrelid = '{schema}.t'::regclass AND attnum > 0"
        );
        let types: String = client.query_one(&sql, &[]).unwrap().get(0);
        assert_eq!(types, "integer,smallint,numeric(20,0),json", "{schema}");
        let sql = format!(
            "SELECT count(*), sum(a), sum(b)::text, count(DISTINCT c::text) FROM {schema}.t"
        );
        let row = client.query_one(&sql, &[]).unwrap();
        let (rows, a): (i64, i64) = (row.get(0), row.get(1));
        let (b, c): (String, i64) = (row.get(2), row.get(3));
        assert_eq!((rows, a), (60_000, 30_007), "{schema}");
        assert_eq!(
            (b.as_str(), c),
            ("18446744073710271603", 60_000),
            "{schema}"
        );
    }
}

/// A generated column that the dump has values for, and somebody has made anew with another expression.
#[test]
fn verify_finds_a_column_that_computes_something_else() {
    let database = new_postgresql_database();
    let url = postgresql_url(&database);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    let dump = "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (`a` * 2) STORED, c int);\nINSERT INTO t VALUES (2,4,1),(3,6,1);\n";
    fs::write(&path, dump).unwrap();
    let path = path.to_str().unwrap();
    let of = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.args(["--database-url", &url, "--schema", "s"]);
        run(command)
    };
    of(&[path]).exits(0);
    of(&["verify", path]).exits(0);
    let mut client = connect_postgresql(&database);
    client
        .batch_execute(
            "ALTER TABLE s.t DROP COLUMN b;
             ALTER TABLE s.t ADD COLUMN b int GENERATED ALWAYS AS (a + a) STORED",
        )
        .unwrap();
    of(&["verify", path]).exits(0);
    client
        .batch_execute(
            "ALTER TABLE s.t DROP COLUMN b;
             ALTER TABLE s.t ADD COLUMN b int GENERATED ALWAYS AS (a + 2) STORED",
        )
        .unwrap();
    of(&["verify", path])
        .exits(1)
        .reports("rows differ from those of the archive");
}
