//! The cases that converters of MySQL dumps meet, one after the other, each with what must come of it.
//! The numbers are those of the list they were gathered in. What definitions and statements say is in `definitions`.

#![expect(
    clippy::too_many_lines,
    reason = "tables of cases are as long as they are"
)]

use std::fs;

use crate::support::program::{Outcome, command, run};
use crate::support::servers::{connect_postgresql, new_postgresql_database, postgresql_url};

/// What must come of a case.
pub(super) enum Then<'a> {
    /// This query, with `$` for the schema, gives these rows, columns joined by `|`, NULL as `~`.
    Gives(&'a str, &'a [&'a str]),
    /// The import exits with this code and says this.
    Fails(i32, &'a str),
    /// The report says this.
    Reports(&'a str),
}

use Then::{Fails, Gives, Reports};

pub(super) struct Case<'a> {
    name: &'a str,
    dump: Vec<u8>,
    options: &'a [&'a str],
    then: Vec<Then<'a>>,
}

pub(super) fn case<'a>(
    name: &'a str,
    dump: impl AsRef<[u8]>,
    options: &'a [&'a str],
    then: Vec<Then<'a>>,
) -> Case<'a> {
    Case {
        name,
        dump: dump.as_ref().to_vec(),
        options,
        then,
    }
}

/// A table `t` with the column `c` of this type, and its values.
fn values(kind: &str, literals: &str) -> String {
    let rows: Vec<String> = literals
        .split(" | ")
        .map(|literal| format!("({literal})"))
        .collect();
    format!(
        "CREATE TABLE `t` (`c` {kind}) ENGINE=InnoDB;\nINSERT INTO `t` VALUES {};\n",
        rows.join(",")
    )
}

pub(super) const C: &str = "SELECT c FROM $.t ORDER BY ctid";
pub(super) const TYPE: &str = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                    WHERE attrelid = '$.t'::regclass AND attnum > 0";
const GENERATED: &str =
    "SELECT attname FROM pg_attribute WHERE attrelid = '$.t'::regclass AND attgenerated <> ''";
pub(super) const INDEXES: &str = "SELECT indexname, replace(indexdef, '$.', '') FROM pg_indexes WHERE schemaname = '$' ORDER BY 1";
pub(super) const NEXT: &str = "SELECT nextval(pg_get_serial_sequence('$.t', 'id'))";

/// Imports the case into a schema of its own and looks.
pub(super) fn check(database: &str, number: usize, case: &Case<'_>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    fs::write(&path, &case.dump).unwrap();
    let schema = format!("case_{number}");
    let mut import = command([path.to_str().unwrap(), "--schema", &schema, "--jobs", "1"]);
    import
        .args(["--database-url", &postgresql_url(database)])
        .args(["--verify", "full"])
        .args(case.options);
    let mut outcome: Outcome = run(import);
    let fails = case.then.iter().any(|then| matches!(then, Fails(..)));
    if !fails {
        assert_eq!(outcome.code, Some(0), "{}: {outcome:?}", case.name);
        let mut verify = command(["verify", path.to_str().unwrap(), "--schema", &schema]);
        verify
            .args(["--database-url", &postgresql_url(database)])
            .args(case.options);
        let verified = run(verify);
        assert_eq!(verified.code, Some(0), "{}: {verified:?}", case.name);
    }
    for then in &case.then {
        match then {
            Fails(code, message) => outcome = outcome.exits(*code).says(message),
            Reports(line) => outcome = outcome.reports(line),
            Gives(query, expected) => {
                let query = query.replace('$', &schema);
                let mut client = connect_postgresql(database);
                let found: Vec<String> = client
                    .simple_query(&query)
                    .unwrap_or_else(|error| panic!("{}: {query}: {error:?}", case.name))
                    .into_iter()
                    .filter_map(|message| match message {
                        postgres::SimpleQueryMessage::Row(row) => Some(row),
                        _ => None,
                    })
                    .map(|row| {
                        let cells = (0..row.len()).map(|at| row.get(at).unwrap_or("~"));
                        cells.collect::<Vec<_>>().join("|")
                    })
                    .collect();
                assert_eq!(found, *expected, "{}", case.name);
            }
        }
    }
}

#[test]
fn each_case_comes_out_right() {
    let database = new_postgresql_database();
    let cases = [
        texts(),
        dates_and_numbers(),
        types(),
        keys(),
        shapes(),
        whole_dumps(),
    ]
    .concat_all();
    assert!(cases.len() >= 60, "{}", cases.len());
    for (number, case) in cases.iter().enumerate() {
        check(&database, number, case);
    }
}

trait ConcatAll<'a> {
    fn concat_all(self) -> Vec<Case<'a>>;
}

impl<'a, const N: usize> ConcatAll<'a> for [Vec<Case<'a>>; N] {
    fn concat_all(self) -> Vec<Case<'a>> {
        self.into_iter().flatten().collect()
    }
}

fn texts<'a>() -> Vec<Case<'a>> {
    let long = "日本".repeat(800);
    vec![
        case("1 control-Z", values("text", r"'\Z'"), &[], vec![Gives("SELECT ascii(c) FROM $.t", &["26"])]),
        case("2 NUL before digits", values("text", r"'a\012'"), &[], vec![
            Gives(C, &["a12"]),
            Reports("t.c: 1 texts lost their NUL characters (rows 1)"),
        ]),
        case("2 NUL as an error", values("text", r"'a\0'"), &["--nul", "error"], vec![
            Fails(1, "t row 1"),
            Fails(1, "hint: --nul strip or replace"),
        ]),
        case("2 NUL replaced", values("text", r"'a\0'"), &["--nul", "replace"], vec![Gives(C, &["a\u{fffd}"])]),
        case("3 unknown escapes", values("text", r"'\x31' | '\q'"), &[], vec![Gives(C, &["x31", "q"])]),
        case(
            "4 quotes and backslashes",
            values("text", r#"'\\0' | '\\''' | '''' | '\"' | '\%' | '\_'"#),
            &[],
            vec![Gives(C, &[r"\0", r"\'", "'", "\"", r"\%", r"\_"])],
        ),
        case("5 a text like a zero date", values("text", "'0000-00-00 00:00:00'"), &[], vec![
            Gives(C, &["0000-00-00 00:00:00"]),
        ]),
        case("12 a long value under a prefix index", format!(
            "CREATE TABLE `t` (`c` text, KEY `k` (`c`(10)));\nINSERT INTO `t` VALUES ('{long}');\n"
        ), &[], vec![Gives("SELECT char_length(c) FROM $.t", &["1600"])]),
        case("12 a long value under a whole index", format!(
            "CREATE TABLE `t` (`c` varchar(3000), KEY `k` (`c`), UNIQUE KEY `u` (`c`));\nINSERT INTO `t` VALUES ('{}');\n",
            (0..3000u32).map(|n| char::from_u32(0x4e00 + n * 7).unwrap()).collect::<String>()
        ), &[], vec![
            Reports("t.k: the values are too long for the index"),
            Gives("SELECT count(*) FROM pg_indexes WHERE schemaname = '$' AND indexdef ~ 'md5|left'", &["2"]),
        ]),
        case("23 latin1 is windows-1252", b"SET NAMES latin1;\nCREATE TABLE t (c text);\nINSERT INTO t VALUES ('\x80\x9f\xe9\x81');\n", &[], vec![
            Gives(C, &["€Ÿé\u{81}"]),
        ]),
        case("23 invalid UTF-8 is an error with its place", b"CREATE TABLE t (c text);\nINSERT INTO t VALUES ('a'),('caf\xe9');\n", &[], vec![
            Fails(1, "t row 2 (byte 53), column c: byte 3 of the text is not valid UTF-8"),
            Fails(1, "hint: --invalid-utf8"),
        ]),
        case("23 invalid UTF-8 replaced", b"CREATE TABLE t (c text);\nINSERT INTO t VALUES ('caf\xe9');\n", &["--invalid-utf8", "replace"], vec![
            Gives(C, &["caf\u{fffd}"]),
            Reports("1 texts had invalid bytes replaced by U+FFFD"),
        ]),
        case("23 invalid UTF-8 read as latin1", b"CREATE TABLE t (c text);\nINSERT INTO t VALUES ('caf\xe9 \\'');\n", &["--invalid-utf8", "latin1"], vec![
            Gives(C, &["café '"]),
        ]),
        case("37 characters of four bytes, combined ones, a BOM", "\u{feff}CREATE TABLE t (c text);\nINSERT INTO t VALUES ('🎉e\u{301}\u{feff}');\n", &[], vec![
            Gives(C, &["🎉e\u{301}\u{feff}"]),
        ]),
        case("39 what COPY trips over", values("text", "'\\\\.' | 'a\tb\nc\rd' | '\\b' | '\\\\N' | 'N'"), &[], vec![
            Gives(C, &["\\.", "a\tb\nc\rd", "\u{8}", "\\N", "N"]),
        ]),
        case("a backslash within a character", b"SET NAMES sjis;\nCREATE TABLE t (c text);\nINSERT INTO t VALUES ('\x95\\'),('\x83\\\\'');\n", &[], vec![
            Gives(C, &["表", "ソ'"]),
        ]),
    ]
}

fn dates_and_numbers<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "6 zero dates",
            values("date", "'0000-00-00' | '2015-00-00' | '2015-10-01'"),
            &[],
            vec![
                Gives(C, &["~", "~", "2015-10-01"]),
                Reports("t.c: 2 zero dates became NULL (rows 1, 2)"),
            ],
        ),
        case(
            "6 a zero date where NULL may not be",
            values("datetime NOT NULL", "'0000-00-00 00:00:00'"),
            &[],
            vec![Gives(C, &["~"]), Reports("t.c: NOT NULL left out")],
        ),
        case(
            "6 NOT NULL of other dates stays",
            values("datetime NOT NULL", "'2015-10-01 00:00:00'"),
            &[],
            vec![Gives(
                "SELECT attnotnull FROM pg_attribute WHERE attrelid = '$.t'::regclass AND attnum = 1",
                &["t"],
            )],
        ),
        case(
            "6 zero dates as infinity",
            values("date NOT NULL", "'0000-00-00'"),
            &["--zero-dates", "infinity"],
            vec![Gives(C, &["-infinity"])],
        ),
        case(
            "6 zero dates as an error",
            values("date", "'0000-00-00'"),
            &["--zero-dates", "error"],
            vec![Fails(1, "hint: --zero-dates null")],
        ),
        case(
            "6 a day that never was",
            values("date", "'2015-02-31'"),
            &[],
            vec![
                Fails(1, "column c: the month of this date does not have this day"),
                Fails(1, "hint: --invalid-dates null"),
            ],
        ),
        case(
            "6 days that never were, as NULL",
            values("date NOT NULL", "'2015-02-31' | '2015-02-28'"),
            &["--invalid-dates", "null"],
            vec![
                Gives(C, &["~", "2015-02-28"]),
                Reports("t.c: 1 dates that no calendar has became NULL (rows 1)"),
                Reports("t.c: NOT NULL left out, because of the invalid dates"),
            ],
        ),
        case(
            "7 early years",
            values("date", "'0009-01-01' | '0999-12-31'"),
            &[],
            vec![Gives(C, &["0009-01-01", "0999-12-31"])],
        ),
        case(
            "8 a tinyint(1) of 2 keeps its numbers",
            values("tinyint(1) DEFAULT 1", "1 | NULL | 2 | 0"),
            &[],
            vec![
                Gives(C, &["1", "~", "2", "0"]),
                Reports("t.c: smallint instead of boolean: row 3 has a number other than 0 and 1"),
            ],
        ),
        case(
            "8 a tinyint(1) of 2 as an error",
            values("tinyint(1)", "1 | NULL | 2"),
            &["--tinyint1", "boolean"],
            vec![
                Fails(1, "t row 3"),
                Fails(1, "hint: --tinyint1 smallint keeps such numbers"),
            ],
        ),
        case(
            "8 a tinyint(1) as smallint",
            values("tinyint(1)", "2 | -1 | NULL"),
            &["--tinyint1", "smallint"],
            vec![Gives(C, &["2", "-1", "~"])],
        ),
        case(
            "8 a tinyint(1) as truth",
            values("tinyint(1)", "2 | -1 | NULL | 0"),
            &["--tinyint1", "truthy"],
            vec![
                Gives(C, &["t", "t", "~", "f"]),
                Reports("t.c: 2 numbers other than 0 and 1 became true (rows 1, 2)"),
            ],
        ),
        case(
            "20 a default that is a zero date",
            "CREATE TABLE t (c datetime NOT NULL DEFAULT '0000-00-00 00:00:00');\n",
            &[],
            vec![Reports("t.c: default 0000-00-00 00:00:00 left out")],
        ),
        case(
            "21 times of more than a day",
            values("time", "'838:59:59'"),
            &[],
            vec![
                Fails(1, "the value is not a time of day"),
                Fails(1, "hint: --time interval takes it"),
            ],
        ),
        case(
            "21 times as intervals",
            values("time", "'838:59:59' | '-12:30:00'"),
            &["--time", "interval"],
            vec![Gives(C, &["838:59:59", "-12:30:00"])],
        ),
        case(
            "38 floats",
            values("double", "1e-7 | -0 | 3.4e38 | 0.1"),
            &[],
            vec![Gives(C, &["1e-07", "-0", "3.4e+38", "0.1"])],
        ),
        case(
            "38 long decimals",
            values(
                "decimal(65,30)",
                "12345678901234567890123456789012345.123456789012345678901234567890",
            ),
            &[],
            vec![Gives(
                C,
                &["12345678901234567890123456789012345.123456789012345678901234567890"],
            )],
        ),
        case(
            "timestamps with a time zone",
            "SET TIME_ZONE='+00:00';\nCREATE TABLE t (c timestamp NULL);\nINSERT INTO t VALUES ('2015-10-01 12:00:00');\n",
            &["--timestamps", "tz"],
            vec![Gives(
                "SELECT c AT TIME ZONE 'Asia/Tokyo' FROM $.t",
                &["2015-10-01 21:00:00"],
            )],
        ),
        case(
            "timestamps of who knows which zone",
            "CREATE TABLE t (c timestamp NULL);\n",
            &["--timestamps", "tz"],
            vec![Fails(
                1,
                "column t.c: the dump does not say that its timestamps are in UTC",
            )],
        ),
    ]
}

fn types<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "9 int without a width",
            "CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB;\nINSERT INTO `t` VALUES (5);\n",
            &[],
            vec![Gives(TYPE, &["integer"]), Gives(NEXT, &["6"])],
        ),
        case(
            "10 a comment like a definition",
            "CREATE TABLE t (c int NOT NULL COMMENT 'a (b), c; it''s', d text);\n",
            &[],
            vec![Gives(
                "SELECT col_description('$.t'::regclass, 1), attnotnull FROM pg_attribute WHERE attrelid = '$.t'::regclass AND attnum = 1",
                &["a (b), c; it's|t"],
            )],
        ),
        case(
            "14 unsigned keys",
            "CREATE TABLE a (id bigint unsigned NOT NULL, PRIMARY KEY (id));\nCREATE TABLE t (c bigint unsigned, d int unsigned, e bigint unsigned, KEY k (c), CONSTRAINT f FOREIGN KEY (c) REFERENCES a (id));\nINSERT INTO a VALUES (7);\nINSERT INTO t VALUES (7,4294967295,18446744073709551615);\n",
            &[],
            vec![
                Gives(
                    "SELECT c, d, e FROM $.t",
                    &["7|4294967295|18446744073709551615"],
                ),
                Gives(TYPE, &["bigint", "bigint", "numeric(20,0)"]),
            ],
        ),
        case(
            "14 an unsigned key above a bigint",
            "CREATE TABLE t (c bigint unsigned, KEY k (c));\nINSERT INTO t VALUES (18446744073709551615);\n",
            &[],
            vec![
                Gives(C, &["18446744073709551615"]),
                Gives(TYPE, &["numeric(20,0)"]),
                Reports("t.c: numeric(20,0) instead of bigint: row 1 has a number above"),
            ],
        ),
        case(
            "15 bits",
            "CREATE TABLE t (c bit(1) DEFAULT b'0', d bit(8));\nINSERT INTO t VALUES ('\\0',_binary 'A'),('\x01','\\0'),(0x01,b'101');\n",
            &[],
            vec![
                Gives(
                    "SELECT c, d FROM $.t ORDER BY ctid",
                    &["f|01000001", "t|00000000", "t|00000101"],
                ),
                Gives(
                    "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = '$.t'::regclass",
                    &["false"],
                ),
            ],
        ),
        case(
            "16 bytes in every notation",
            values("blob", "_binary 'a\\0\\'\\Z' | 0xABC | x'00ff' | ''"),
            &[],
            vec![Gives(
                "SELECT encode(c, 'hex') FROM $.t ORDER BY ctid",
                &["6100271a", "0abc", "00ff", ""],
            )],
        ),
        case(
            "17 defaults",
            "CREATE TABLE t (a varchar(9) DEFAULT _utf8mb3'', b tinyint(1) DEFAULT '0', c char(36) DEFAULT (uuid()), d int DEFAULT 0);\n",
            &[],
            vec![
                Gives(
                    "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = '$.t'::regclass ORDER BY adnum",
                    &["''::character varying", "false", "0"],
                ),
                Reports("t.c: default (uuid()) left out"),
            ],
        ),
        case(
            "18 values of an enum",
            values(r"enum('a\\','it''s','a,b',')')", r"'a\\' | 'it\'s' | ')'"),
            &[],
            vec![
                Gives(C, &[r"a\", "it's", ")"]),
                Gives(
                    "SELECT conname FROM pg_constraint WHERE conrelid = '$.t'::regclass",
                    &["t_c_check"],
                ),
            ],
        ),
        case(
            "18 an enum as a type",
            values("enum('a','b')", "'b'"),
            &["--enum", "type"],
            vec![Gives(
                "SELECT typname FROM pg_type t JOIN pg_attribute a ON a.atttypid = t.oid WHERE a.attrelid = '$.t'::regclass AND attnum = 1",
                &["t_c"],
            )],
        ),
        case(
            "19 generated columns have the values of the dump",
            "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (`a` * 2) STORED, c varchar(9) AS (upper(`a`)) VIRTUAL);\nINSERT INTO t VALUES (1,2,'X'),(3,6,'Y');\n",
            &[],
            vec![
                Gives("SELECT a, b, c FROM $.t ORDER BY 1", &["1|2|X", "3|6|Y"]),
                Gives(GENERATED, &["b"]),
                Reports(
                    "t.c: generated as upper(`a`), is an ordinary column now: PostgreSQL computes other values in 2 rows",
                ),
            ],
        ),
        case(
            "19 generated columns of which only some rows have values",
            "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (`a` * 2) STORED);\nINSERT INTO t VALUES (1,2);\nINSERT INTO t (a) VALUES (3);\n",
            &[],
            vec![
                Fails(
                    1,
                    "column t.b: some rows of the dump have values for this generated column",
                ),
                Fails(1, "hint: --skip-column t.b leaves it out"),
            ],
        ),
        case(
            "19 a generated column that is left out with its index",
            "CREATE TABLE t (a int, c varchar(9) AS (soundex(`a`)), d varchar(9) AS (upper(`a`)), KEY k (c), KEY l (d));\nINSERT INTO t (a) VALUES (1);\n",
            &[],
            vec![
                Gives("SELECT * FROM $.t", &["1|1"]),
                Gives(GENERATED, &["d"]),
                Reports(
                    "t.c: generated as soundex(`a`), was left out: PostgreSQL may compute other values",
                ),
                Reports("t.k: the index was left out"),
                Reports("t.d: a virtual column, is stored"),
            ],
        ),
        case(
            "19 a generated column that nobody can compute, as an error",
            "CREATE TABLE t (a int, c varchar(9) AS (soundex(`a`)));\nINSERT INTO t (a) VALUES (1);\n",
            &["--generated", "error"],
            vec![
                Fails(
                    1,
                    "column t.c: PostgreSQL may compute other values, and the dump has no values for it",
                ),
                Fails(1, "hint: --generated skip, or --skip-column t.c"),
            ],
        ),
        case(
            "26 widths and times as they were",
            "CREATE TABLE t (a varchar(255), b datetime, c char(3));\n",
            &[],
            vec![Gives(
                TYPE,
                &[
                    "character varying(255)",
                    "timestamp without time zone",
                    "character(3)",
                ],
            )],
        ),
        case(
            "geometry without PostGIS is an error",
            "CREATE TABLE t (c point NOT NULL);\n",
            &[],
            vec![Fails(
                1,
                "column t.c: its type needs PostGIS, which the database does not have",
            )],
        ),
        case(
            "geometry left out",
            "CREATE TABLE t (c point NOT NULL, d int, SPATIAL KEY s (c));\nINSERT INTO t VALUES (0x00000000010100000000000000000000000000000000000000,5);\n",
            &["--skip-column", "t.c"],
            vec![Gives("SELECT * FROM $.t", &["5"])],
        ),
        case(
            "JSON",
            "CREATE TABLE t (a json, b longtext CHECK (json_valid(`b`)));\nINSERT INTO t VALUES ('{\\\"a\\\": [1, \\\"\\\\n\\\"]}','{\\\"b\\\":1}');\n",
            &[],
            vec![
                Gives("SELECT a->'a'->>1 = chr(10), b FROM $.t", &["t|{\"b\":1}"]),
                Gives(TYPE, &["jsonb", "json"]),
            ],
        ),
    ]
}

fn keys<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "11 a unique key over beginnings",
            "CREATE TABLE t (a varchar(50), b text, UNIQUE KEY u (a(10), b(20)));\n",
            &[],
            vec![Gives(
                INDEXES,
                &[
                    "u|CREATE UNIQUE INDEX u ON t USING btree (\"left\"((a)::text, 10), \"left\"(b, 20))",
                ],
            )],
        ),
        case(
            "22 an empty table, and AUTO_INCREMENT far above",
            "CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB AUTO_INCREMENT=500;\n",
            &[],
            vec![Gives(NEXT, &["500"])],
        ),
        case(
            "22 an empty table",
            "CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB;\n",
            &[],
            vec![Gives(NEXT, &["1"])],
        ),
        case(
            "22 the last id there is",
            "CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB;\nINSERT INTO t VALUES (2147483647);\n",
            &[],
            vec![Gives(
                "SELECT last_value, is_called FROM $.t_id_seq",
                &["2147483647|t"],
            )],
        ),
        case(
            "24 sequences are owned",
            "CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB;\n",
            &[],
            vec![Gives(
                "SELECT pg_get_serial_sequence('$.t', 'id') = '$.t_id_seq'",
                &["t"],
            )],
        ),
        case(
            "25 the same name in two tables, and that of a table",
            "CREATE TABLE a (id int, KEY i (id), KEY b (id));\nCREATE TABLE b (id int, KEY i (id));\n",
            &[],
            vec![
                Gives(
                    "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = '$' ORDER BY 1, 2",
                    &["a|a_b", "a|i", "b|b_i"],
                ),
                Reports("b.i: the index is named b_i"),
            ],
        ),
        case(
            "25 names that are too long",
            format!(
                "CREATE TABLE t (id int, KEY {0}a (id), KEY {0}b (id));\n",
                "x".repeat(63)
            ),
            &[],
            vec![Gives(
                "SELECT count(DISTINCT indexname), max(length(indexname)) FROM pg_indexes WHERE schemaname = '$'",
                &["2|63"],
            )],
        ),
        case(
            "30 foreign keys to later tables, around, to itself",
            "CREATE TABLE a (id int, b int, PRIMARY KEY (id), CONSTRAINT ab FOREIGN KEY (b) REFERENCES b (id) ON DELETE SET NULL);\nCREATE TABLE b (id int, a int, PRIMARY KEY (id), CONSTRAINT ba FOREIGN KEY (a) REFERENCES a (id), CONSTRAINT bb FOREIGN KEY (a) REFERENCES B (id));\nINSERT INTO a VALUES (1,1);\nINSERT INTO b VALUES (1,1);\n",
            &[],
            vec![Gives(
                "SELECT conname, confdeltype, convalidated FROM pg_constraint WHERE contype = 'f' AND connamespace = '$'::regnamespace ORDER BY 1",
                &["ab|n|t", "ba|a|t", "bb|a|t"],
            )],
        ),
        case(
            "30 foreign keys that rows break, or that cannot be",
            "CREATE TABLE a (id int, x int, PRIMARY KEY (id));\nCREATE TABLE t (a int, CONSTRAINT f FOREIGN KEY (a) REFERENCES a (id), CONSTRAINT g FOREIGN KEY (a) REFERENCES a (x), CONSTRAINT h FOREIGN KEY (a) REFERENCES z (id));\nINSERT INTO t VALUES (9);\n",
            &[],
            vec![
                Reports("t.f: foreign key not validated: existing rows violate it"),
                Reports("t.g: foreign key left out: a(x) is not unique"),
                Reports("t.h: foreign key left out: there is no table z"),
            ],
        ),
        case(
            "checks",
            "CREATE TABLE t (a int, b varchar(5), CONSTRAINT good CHECK (`a` > 0), CONSTRAINT broken CHECK (`a` > 5), CHECK (`b` regexp 'x'));\nINSERT INTO t VALUES (1,'x');\n",
            &[],
            vec![
                Gives(
                    "SELECT conname FROM pg_constraint WHERE conrelid = '$.t'::regclass",
                    &["good"],
                ),
                Reports("t.broken: CHECK left out: existing rows violate it"),
                Reports("CHECK (`b` regexp 'x') was left out"),
            ],
        ),
        case(
            "fulltext, descending and functional indexes",
            "CREATE TABLE t (a int, b text, KEY d (a DESC), KEY f ((`a` + 1)), FULLTEXT KEY g (b));\n",
            &[],
            vec![Gives(
                INDEXES,
                &[
                    "d|CREATE INDEX d ON t USING btree (a DESC)",
                    "f|CREATE INDEX f ON t USING btree (((a + 1)))",
                    "g|CREATE INDEX g ON t USING gin (to_tsvector('simple'::regconfig, COALESCE(b, ''::text)))",
                ],
            )],
        ),
    ]
}

fn shapes<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "13 quotes, engines, executable comments",
            "/*M!999999\\- enable the sandbox mode */ \n/*!40101 SET NAMES utf8 */;\nCREATE TABLE `t` (\n  `c` int(11) DEFAULT NULL\n) ENGINE=InnoDB DEFAULT CHARSET=utf8 ROW_FORMAT=DYNAMIC;\n/*!40000 ALTER TABLE `t` DISABLE KEYS */;\nINSERT INTO `t` VALUES (1);\n",
            &[],
            vec![Gives(C, &["1"])],
        ),
        case(
            "27 a row of some megabytes",
            format!(
                "CREATE TABLE t (c longtext);\nINSERT INTO t VALUES ('{}');\n",
                "x'\\n".repeat(0) + &"0123456789abcdef".repeat(400_000)
            ),
            &[],
            vec![Gives("SELECT length(c) FROM $.t", &["6400000"])],
        ),
        case(
            "28 names of all sorts",
            "CREATE TABLE `t` (`order` int, `Key` int, `a b` int, `日本` int, `q\"q` int);\nINSERT INTO `t` (`日本`,`a b`,`order`,`Key`,`q\"q`) VALUES (4,3,1,2,5);\n",
            &[],
            vec![Gives(
                "SELECT \"order\", \"Key\", \"a b\", \"日本\", \"q\"\"q\" FROM $.t",
                &["1|2|3|4|5"],
            )],
        ),
        case(
            "29 names that differ by case",
            "CREATE TABLE `t` (c int);\nCREATE TABLE `T` (c int);\nINSERT INTO `T` VALUES (2);\nINSERT INTO `t` VALUES (1);\n",
            &[],
            vec![Gives(
                "SELECT (SELECT c FROM $.t), (SELECT c FROM $.\"T\")",
                &["1|2"],
            )],
        ),
        case(
            "33 columns by name, REPLACE, IGNORE",
            "CREATE TABLE t (a int, b int);\nINSERT INTO t (b, a) VALUES (2,1);\nREPLACE INTO t VALUES (3,4);\nINSERT IGNORE INTO t (a) VALUES (5);\n",
            &[],
            vec![Gives(
                "SELECT a, b FROM $.t ORDER BY 1",
                &["1|2", "3|4", "5|~"],
            )],
        ),
        case(
            "34 a tuple per line, CRLF",
            "CREATE TABLE t (c text);\r\nINSERT INTO t VALUES\r\n('a\r\nb'),\r\n('c');\r\n",
            &[],
            vec![Gives(C, &["a\r\nb", "c"])],
        ),
        case(
            "34 a statement per row",
            "CREATE TABLE t (c int);INSERT INTO t VALUES (1);INSERT INTO t VALUES (2);",
            &[],
            vec![Gives(C, &["1", "2"])],
        ),
        case(
            "35 warnings of mysqldump among the lines",
            "mysqldump: [Warning] Using a password on the command line interface can be insecure.\n-- MySQL dump 10.13\nCREATE TABLE t (c int);\nmysqldump: Error: 'Access denied; you need (at least one of) the PROCESS privilege(s)' when trying to dump tablespaces\nINSERT INTO t VALUES (1);\n-- Dump completed\n",
            &[],
            vec![
                Gives(C, &["1"]),
                Reports("skipped a line that is not SQL: mysqldump: [Warning]"),
            ],
        ),
        case(
            "partitions",
            "CREATE TABLE `t` (`c` int NOT NULL)\n/*!50100 PARTITION BY RANGE (`c`)\n(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB) */;\nINSERT INTO t VALUES (1);\n",
            &[],
            vec![Gives(C, &["1"])],
        ),
    ]
}

fn whole_dumps<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "31 views, triggers, routines, events",
            "CREATE TABLE t (c int);\n/*!50001 CREATE VIEW `v` AS SELECT 1 AS `a`*/;\nDELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW BEGIN SET NEW.c = 'it''s;'; END */;;\nCREATE DEFINER=`r`@`%` PROCEDURE `p`()\nBEGIN -- don't\n DELETE FROM t; END ;;\n/*!50106 CREATE*/ /*!50117 DEFINER=`r`@`%`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO DELETE FROM t */ ;;\nDELIMITER ;\nINSERT INTO t VALUES (1);\n",
            &[],
            vec![
                Gives(C, &["1"]),
                Reports("the view v was left out"),
                Reports("the trigger tr was left out"),
                Reports("the procedure p was left out"),
                Reports("the event e was left out"),
            ],
        ),
        case(
            "32 several databases",
            "USE `a`;\nCREATE TABLE t (c int);\nUSE `b`;\nCREATE TABLE t (c int);\n",
            &[],
            vec![
                Fails(2, "the dump holds several databases: a, b"),
                Fails(
                    2,
                    "hint: --from-database NAME takes one of them, --databases-to-schemas",
                ),
            ],
        ),
        case(
            "32 one of several databases",
            "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `a`;\nUSE `a`;\nCREATE TABLE t (c int);\nINSERT INTO t VALUES (1);\nUSE `b`;\nCREATE TABLE t (c text);\nINSERT INTO t VALUES ('x');\n",
            &["--from-database", "b"],
            vec![Gives(C, &["x"])],
        ),
        case(
            "32 only the rows name the database",
            "CREATE TABLE t (c int);\nINSERT INTO a.t VALUES (1);\nINSERT INTO `a`.`t` VALUES (2);\n",
            &[],
            vec![Gives(C, &["1", "2"])],
        ),
        case(
            "32 only the rows name two databases",
            "CREATE TABLE t (c int);\nINSERT INTO a.t VALUES (1);\nINSERT INTO b.t VALUES (2);\n",
            &[],
            vec![Fails(2, "the dump holds several databases: a, b")],
        ),
        case(
            "32 only the rows name a database, and it is another one",
            "CREATE TABLE t (c int);\nINSERT INTO a.t VALUES (1);\n",
            &["--from-database", "b"],
            vec![Fails(2, "the dump holds no database b, but a")],
        ),
        case(
            "32 only the rows name a database, beside another one",
            "CREATE TABLE t (c int);\nCREATE TABLE b.u (c int);\nINSERT INTO b.u VALUES (2);\nINSERT INTO a.t VALUES (1);\n",
            &[],
            vec![Fails(2, "the dump holds several databases: b, a")],
        ),
        case(
            "32 rows of a database without tables",
            "USE a;\nCREATE TABLE t (c int);\nUSE b;\nINSERT INTO t VALUES (1);\n",
            &[],
            vec![Fails(2, "the dump holds several databases: a, b")],
        ),
        case(
            "36 a dump without its last line",
            "-- MySQL dump 10.13\nCREATE TABLE t (c int);\n",
            &[],
            vec![Fails(3, "\"-- Dump completed\", is missing")],
        ),
        case(
            "tables taken and left",
            "CREATE TABLE a (c int);\nINSERT INTO a VALUES (1);\nCREATE TABLE t (c int);\nINSERT INTO t VALUES (2);\n",
            &["--skip-table", "a"],
            vec![Gives(
                "SELECT tablename FROM pg_tables WHERE schemaname = '$'",
                &["t"],
            )],
        ),
        case(
            "only one table taken",
            "CREATE TABLE a (c int);\nINSERT INTO a VALUES (1);\nCREATE TABLE t (c int);\nINSERT INTO t VALUES (2);\n",
            &["--only-table", "t"],
            vec![Gives(
                "SELECT tablename FROM pg_tables WHERE schemaname = '$'",
                &["t"],
            )],
        ),
        case(
            "40 commands of psql",
            "CREATE TABLE t (c int);\n\\! touch /tmp/ci-import-was-here\n;\n",
            &[],
            vec![Fails(
                1,
                "a statement that is not understood: it begins with no word of SQL",
            )],
        ),
        case(
            "strict",
            values("date", "'0000-00-00'"),
            &["--strict"],
            vec![Fails(5, "")],
        ),
    ]
}

#[test]
fn timestamps_in_the_time_zone_of_this_machine() {
    let database = new_postgresql_database();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    let dump = "SET TIME_ZONE='+00:00';\nCREATE TABLE t (c timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP, d datetime);\n\
                INSERT INTO t VALUES ('2015-10-01 20:00:00.125','2015-10-01 20:00:00');\n";
    fs::write(&path, dump).unwrap();
    let import = |zone: &str| {
        let mut import = command([path.to_str().unwrap(), "--timestamps", "local", "--replace"]);
        import
            .args(["--database-url", &postgresql_url(&database)])
            .env("TZ", zone);
        run(import)
    };
    // The clock of summer; CET-1CEST without rules has those of the USA, as in the C library.
    for (zone, local) in [
        ("UTC-9", "2015-10-02 05:00:00.125"),
        ("", "2015-10-01 20:00:00.125"),
        ("CET-1CEST", "2015-10-01 22:00:00.125"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "2015-10-01 22:00:00.125"),
        ("CET-1CEST,M3.5.0,M9.5.0/3", "2015-10-01 21:00:00.125"),
        ("Europe/Berlin", "2015-10-01 22:00:00.125"),
        (":Europe/Berlin", "2015-10-01 22:00:00.125"),
        ("/usr/share/zoneinfo/Asia/Tokyo", "2015-10-02 05:00:00.125"),
    ] {
        import(zone).succeeds();
        let mut client = connect_postgresql(&database);
        let row = client
            .query_one("SELECT c::text, d::text FROM t", &[])
            .unwrap();
        let found: (String, String) = (row.get(0), row.get(1));
        let expected = (local.to_owned(), "2015-10-01 20:00:00".to_owned());
        assert_eq!(found, expected, "{zone}");
        // What comes later is a local time, too: of the session.
        let mut session = client.transaction().unwrap();
        let insert = "SET LOCAL timezone = 'Asia/Tokyo'; INSERT INTO t (d) VALUES (NULL)";
        session.batch_execute(insert).unwrap();
        let is_local = "SELECT c = LOCALTIMESTAMP(3) FROM t WHERE d IS NULL";
        assert!(session.query_one(is_local, &[]).unwrap().get::<_, bool>(0));
    }
    for zone in ["Nowhere/City", ":Nowhere", "CET-1CEST,M3.5.0"] {
        import(zone)
            .exits(2)
            .says(&format!(
                "the time zone of this machine (TZ={zone:?}) is not known"
            ))
            .says("hint: set TZ to a name of the time zone database");
    }
}

#[test]
fn existing_tables_are_replaced_only_when_asked() {
    let database = new_postgresql_database();
    let dump = |value: u32| {
        format!(
            "CREATE TABLE `t` (`c` enum('a'), `d` int);\nINSERT INTO `t` VALUES ('a',{value});\n"
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    let import = |value: u32, options: &[&str]| {
        fs::write(&path, dump(value)).unwrap();
        let mut import = command([path.to_str().unwrap(), "--enum", "type", "--schema", "shop"]);
        run({
            import
                .args(["--database-url", &postgresql_url(&database)])
                .args(options);
            import
        })
    };
    let value = || -> i32 {
        let mut client = connect_postgresql(&database);
        client
            .query_one("SELECT d FROM shop.t", &[])
            .unwrap()
            .get(0)
    };
    import(1, &[]).succeeds();
    import(2, &[])
        .exits(2)
        .says("the target already has a table shop.t")
        .says("hint: --replace");
    assert_eq!(value(), 1);
    import(3, &["--replace"]).succeeds();
    let outcome = import(4, &["--replace", "--json"]).succeeds();
    assert_eq!(value(), 4);
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["tables"][0]["rows"], 1);
    assert_eq!(report["replaced"][0], "t");
    connect_postgresql(&database)
        .batch_execute("CREATE VIEW shop.v AS SELECT * FROM shop.t")
        .unwrap();
    import(5, &["--replace"]).exits(4).says("the view shop.v");
    assert_eq!(value(), 4);
}
