//! What definitions, statements and modes of a dump say, and what must come of it.

#![expect(
    clippy::too_many_lines,
    reason = "tables of cases are as long as they are"
)]

use super::edge_cases::{C, Case, NEXT, Then, case, check};
use crate::support::servers::new_postgresql_database;
use Then::{Fails, Gives, Reports};

#[test]
fn each_definition_comes_out_right() {
    let database = new_postgresql_database();
    let cases = [statements(), modes(), keys(), columns(), names()];
    let cases: Vec<Case<'_>> = cases.into_iter().flatten().collect();
    assert!(cases.len() >= 30, "{}", cases.len());
    for (number, case) in cases.iter().enumerate() {
        check(&database, number, case);
    }
}

const ROW: &str = "CREATE TABLE t (c int) ENGINE=InnoDB;\nINSERT INTO t VALUES (1);\n";

fn statements<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "a table of a SELECT",
            format!("{ROW}CREATE TABLE u (c int) ENGINE=InnoDB AS SELECT c FROM t;\n"),
            &[],
            vec![Fails(
                1,
                "table u: the table is created by a SELECT, whose rows are not in the dump: CREATE TABLE u (c int) ENGINE=InnoDB AS SELECT c FROM t",
            )],
        ),
        case(
            "a prepared statement",
            format!("{ROW}SET @s='INSERT INTO t VALUES (2)';\nPREPARE q FROM @s;\nEXECUTE q;\n"),
            &[],
            vec![Fails(
                1,
                "the dump executes a prepared statement, which may change data: EXECUTE …",
            )],
        ),
        case(
            "the prepared statements of Percona's mysqldump",
            format!(
                "/*!50717 SELECT COUNT(*) INTO @rocksdb_has_p_s_session_variables FROM INFORMATION_SCHEMA.TABLES */;\n\
                 /*!50717 SET @rocksdb_get_is_supported = IF (@rocksdb_has_p_s_session_variables, 'SELECT COUNT(*) INTO @rocksdb_is_supported FROM performance_schema.session_variables WHERE VARIABLE_NAME=\\'rocksdb_bulk_load\\'', 'SELECT 0') */;\n\
                 /*!50717 PREPARE s FROM @rocksdb_get_is_supported */;\n/*!50717 EXECUTE s */;\n/*!50717 DEALLOCATE PREPARE s */;\n\
                 /*!50717 SET @rocksdb_enable_bulk_load = IF (@rocksdb_is_supported, 'SET SESSION rocksdb_bulk_load = 1', 'SET @rocksdb_dummy_bulk_load = 0') */;\n\
                 /*!50717 PREPARE s FROM @rocksdb_enable_bulk_load */;\n/*!50717 EXECUTE s */;\n/*!50717 DEALLOCATE PREPARE s */;\n{ROW}\
                 /*!50112 SET @disable_bulk_load = IF (@is_rocksdb_supported, 'SET SESSION rocksdb_bulk_load = @old_rocksdb_bulk_load', 'SET @dummy_rocksdb_bulk_load = 0') */;\n\
                 /*!50112 PREPARE s FROM @disable_bulk_load */;\n/*!50112 EXECUTE s */;\n"
            ),
            &[],
            vec![Gives(C, &["1"])],
        ),
        case(
            "users, roles and grants",
            format!(
                "CREATE USER u@h IDENTIFIED BY 'secret';\nCREATE ROLE r;\nGRANT r TO u@h;\nSET ROLE r;\n\
                 SET PASSWORD FOR u@h = 'secret';\nINSTALL PLUGIN p SONAME 'p.so';\n{ROW}"
            ),
            &[],
            vec![
                Reports("the user u@h was left out"),
                Reports("the role r was left out"),
                Reports("the grant u@h was left out"),
                Reports("the password u@h was left out"),
                Reports("the plugin p was left out"),
            ],
        ),
        case(
            "rows are deleted before there are any",
            "CREATE TABLE t (c int);\nDELETE FROM t;\nTRUNCATE t;\nINSERT INTO t VALUES (1);\n",
            &[],
            vec![Gives(C, &["1"])],
        ),
        case(
            "rows are deleted",
            format!("{ROW}DELETE FROM `t`;\n"),
            &[],
            vec![Fails(
                1,
                "the dump deletes the rows that it has inserted: DELETE FROM …",
            )],
        ),
        case(
            "a MERGE table",
            format!("{ROW}CREATE TABLE m (c int) ENGINE=MRG_MyISAM UNION=(`t`);\n"),
            &[],
            vec![
                Reports("the MERGE table m was left out"),
                Gives("SELECT to_regclass('$.m')", &["~"]),
            ],
        ),
        case(
            "a table that is not understood is skipped",
            format!("{ROW}CREATE TABLE u (v vector(3), ???);\nINSERT INTO u (?) VALUES (1);\n"),
            &["--skip-table", "u"],
            vec![Gives(C, &["1"])],
        ),
        case(
            "an unknown type is named",
            "CREATE TABLE emb (id int, v xmltype NOT NULL);\n",
            &[],
            vec![Fails(1, "column emb.v: the type xmltype is not supported")],
        ),
    ]
}

fn modes<'a>() -> Vec<Case<'a>> {
    let rows = r"CREATE TABLE t (c text DEFAULT 'x\' COMMENT 'a\', d blob);
INSERT INTO t VALUES ('C:\new\tab','\0'),('it''s\','\'),('a long text of more than one block, with \n in it','');
";
    vec![
        case(
            "NO_BACKSLASH_ESCAPES",
            format!("SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES';\n{rows}"),
            &[],
            vec![
                Gives(
                    "SELECT c, encode(d, 'escape') FROM $.t ORDER BY ctid",
                    &[
                        r"C:\new\tab|\\0",
                        r"it's\|\\",
                        r"a long text of more than one block, with \n in it|",
                    ],
                ),
                Gives(
                    "SELECT pg_get_expr(adbin, adrelid), col_description(adrelid, 1) FROM pg_attrdef WHERE adrelid = '$.t'::regclass",
                    &[r"'x\'::text|a\"],
                ),
            ],
        ),
        case(
            "NO_BACKSLASH_ESCAPES is added, and taken back",
            r"SET @old = @@sql_mode, sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES');
CREATE TABLE t (c text);
INSERT INTO t VALUES ('a\');
SET SESSION sql_mode = @old;
INSERT INTO t VALUES ('b\'c');
",
            &[],
            vec![Gives(C, &[r"a\", "b'c"])],
        ),
        case(
            "ANSI_QUOTES",
            "SET sql_mode = 'ANSI';\nCREATE TABLE \"t\" (\"c\" int CHECK (\"c\" > 0), \"d e\" text);\n\
             INSERT INTO \"t\" (\"d e\", \"c\") VALUES ('it\\'s',1);\n",
            &[],
            vec![
                Gives("SELECT c, \"d e\" FROM $.t", &["1|it's"]),
                Gives(
                    "SELECT count(*) FROM pg_constraint WHERE conrelid = '$.t'::regclass AND contype = 'c'",
                    &["1"],
                ),
            ],
        ),
        case(
            "a mode that is not known",
            "SET sql_mode = some_function();\n",
            &[],
            vec![Fails(1, "the dump sets sql_mode to a value that is not known")],
        ),
        case(
            "UTC in double quotes",
            "SET time_zone = \"+00:00\";\nCREATE TABLE t (c timestamp NULL);\nINSERT INTO t VALUES ('2020-01-01 00:00:00');\n",
            &["--timestamps", "tz"],
            vec![Gives(
                "SELECT c = '2020-01-01 00:00:00+00' FROM $.t",
                &["t"],
            )],
        ),
        case(
            "a time zone that is not UTC",
            "SET time_zone = '+02:00';\nCREATE TABLE t (c timestamp NULL);\nINSERT INTO t VALUES ('2020-01-01 00:00:00');\n",
            &[],
            vec![Reports(
                "t: timestamps are as in the dump, which does not say that they are in UTC",
            )],
        ),
        case(
            "double quotes, and NULL in lower case",
            "CREATE TABLE t (c text DEFAULT \"d\\\"q\" COMMENT \"it's\");\n\
             INSERT INTO t VALUES (\"it's \\\"x\\\"\"),(\"b\"\"b\"),(null),(Null);\n",
            &[],
            vec![
                Gives(C, &["it's \"x\"", "b\"b", "~", "~"]),
                Gives(
                    "SELECT pg_get_expr(adbin, adrelid), col_description(adrelid, 1) FROM pg_attrdef WHERE adrelid = '$.t'::regclass",
                    &["'d\"q'::text|it's"],
                ),
            ],
        ),
        case(
            "a definition in latin1",
            b"SET NAMES latin1;\nCREATE TABLE `\xe9` (c text DEFAULT '\xe9' COMMENT '\x80');\nINSERT INTO `\xe9` VALUES ('\xe9');\n",
            &[],
            vec![
                Gives("SELECT c FROM $.\"é\"", &["é"]),
                Gives("SELECT col_description('$.\"é\"'::regclass, 1)", &["€"]),
            ],
        ),
        case(
            "a definition that is not in the character set of the dump",
            b"CREATE TABLE t (c text COMMENT '\xe9');\n",
            &[],
            vec![Fails(
                3,
                "table t: a definition is not valid UTF-8",
            )],
        ),
    ]
}

fn keys<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "a period",
            "CREATE TABLE t (c date NOT NULL, d date NOT NULL, PERIOD FOR p (c, d));\n",
            &[],
            vec![
                Reports("t.p: PERIOD FOR is a CHECK now"),
                Gives(
                    "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '$.t'::regclass",
                    &["CHECK ((c < d))"],
                ),
            ],
        ),
        case(
            "WITHOUT OVERLAPS",
            "CREATE TABLE t (i int, c date, d date, PERIOD FOR p (c, d), UNIQUE KEY u (i, p WITHOUT OVERLAPS));\n",
            &[],
            vec![
                Reports("t.u: the key WITHOUT OVERLAPS was left out"),
                Gives(
                    "SELECT count(*) FROM pg_indexes WHERE schemaname = '$'",
                    &["0"],
                ),
            ],
        ),
        case(
            "system versioning",
            "CREATE TABLE t (c int) WITH SYSTEM VERSIONING;\n",
            &[],
            vec![Reports(
                "t: system versioning left out: the history of the rows is not kept",
            )],
        ),
        case(
            "a primary key that descends, with a comment",
            "CREATE TABLE t (c int, PRIMARY KEY (c DESC) COMMENT 'by c', KEY k (c) COMMENT 'k', UNIQUE KEY u (c) COMMENT 'u');\n",
            &[],
            vec![
                Reports("t.PRIMARY: the order of the primary key is ascending now; it was DESC"),
                Gives(
                    "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class WHERE relkind = 'i' AND relnamespace = '$'::regnamespace ORDER BY 1",
                    &["k|k", "t_pkey|by c", "u|u"],
                ),
            ],
        ),
        case(
            "a key that ignored case",
            "CREATE TABLE t (c varchar(9), d varchar(9) COLLATE utf8mb4_bin, UNIQUE KEY u (c), UNIQUE KEY v (d));\n",
            &[],
            vec![Reports(
                "t.u: the key compares bytes now; in MySQL it ignored case",
            )],
        ),
        case(
            "a foreign key to another database",
            "USE one;\nCREATE TABLE u (c int PRIMARY KEY);\n\
             CREATE TABLE t (c int, CONSTRAINT f FOREIGN KEY (c) REFERENCES `two`.`u` (c), CONSTRAINT g FOREIGN KEY (c) REFERENCES `one`.`u` (c));\n",
            &[],
            vec![
                Reports("t.f: the foreign key was left out: it references u in the database two"),
                Gives(
                    "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = '$.t'::regclass",
                    &["g"],
                ),
            ],
        ),
        case(
            "a CHECK of JSON",
            "CREATE TABLE t (c text CHECK (json_valid(`c`)), d longtext CHECK (json_valid(`d`)));\n",
            &[],
            vec![Reports("CHECK (json_valid(`c`)) was left out")],
        ),
    ]
}

fn columns<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "an enum of bytes",
            b"CREATE TABLE t (c enum(x'92','b') CHARACTER SET binary);\nINSERT INTO t VALUES (_binary '\x92'),('b'),(NULL);\n",
            &[],
            vec![
                Gives("SELECT encode(c, 'hex') FROM $.t ORDER BY ctid", &["92", "62", "~"]),
                Gives(
                    "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = '$.t'::regclass",
                    &["1"],
                ),
            ],
        ),
        case(
            "NUL in a definition",
            "CREATE TABLE t (c enum('a\\0','b') DEFAULT 'a\\0' COMMENT 'x\\0y') COMMENT '\\0z';\nINSERT INTO t VALUES ('a\\0');\n",
            &[],
            vec![
                Gives(C, &["a"]),
                Gives(
                    "SELECT col_description('$.t'::regclass, 1), obj_description('$.t'::regclass)",
                    &["xy|z"],
                ),
                Reports("t.c: NUL characters in its comment were left out"),
                Reports("t.c: NUL characters in its values were left out"),
            ],
        ),
        case(
            "defaults of other columns",
            "CREATE TABLE t (c date, d date DEFAULT `c`, e text DEFAULT 'a' 'b', f int DEFAULT (`d` + 1), g int DEFAULT nextval(`x`.`s`));\n\
             INSERT INTO t (c, d) VALUES ('2020-01-01','2020-01-02');\n",
            &[],
            vec![
                Gives("SELECT d, e FROM $.t", &["2020-01-02|ab"]),
                Reports("t.d: default `c` left out"),
                Reports("t.f: default (`d` + 1) left out"),
                Reports("t.g: default nextval(`x`.`s`) left out"),
            ],
        ),
        case(
            "AUTO_INCREMENT of a floating-point number",
            "CREATE TABLE t (id double NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)) ENGINE=InnoDB;\nINSERT INTO t VALUES (1),(2);\n",
            &[],
            vec![Gives(NEXT, &["3"])],
        ),
        case(
            "an invisible column, and zeros",
            "CREATE TABLE t (c int INVISIBLE, d int(5) zerofill);\nINSERT INTO t (c, d) VALUES (1,00007);\n",
            &[],
            vec![
                Gives("SELECT c, d FROM $.t", &["1|7"]),
                Reports("t.c: the column was INVISIBLE, and is visible now"),
                Reports("t.d: ZEROFILL left out"),
            ],
        ),
    ]
}

fn names<'a>() -> Vec<Case<'a>> {
    vec![
        case(
            "columns named like system columns",
            "CREATE TABLE o (xmin int, PRIMARY KEY (xmin));\n\
             CREATE TABLE t (ctid int CHECK (ctid > 0), xmin int, tableoid varchar(9), oid int, KEY k (ctid), \
             CONSTRAINT f FOREIGN KEY (xmin) REFERENCES o (xmin));\n\
             INSERT INTO o VALUES (7);\nINSERT INTO t VALUES (1,7,'x',2);\nINSERT INTO t (xmin, ctid) VALUES (7,3);\n",
            &[],
            vec![
                Gives(
                    "SELECT ctid_, xmin_, tableoid_, oid FROM $.t ORDER BY 1",
                    &["1|7|x|2", "3|7|~|~"],
                ),
                Gives(
                    "SELECT replace(pg_get_constraintdef(oid), '$.', '') FROM pg_constraint WHERE conrelid = '$.t'::regclass ORDER BY 1",
                    &[
                        "CHECK ((ctid_ > 0))",
                        "FOREIGN KEY (xmin_) REFERENCES o(xmin_)",
                    ],
                ),
                Reports("t.ctid_: the column was named ctid"),
            ],
        ),
        case(
            "a table named like a sequence",
            "CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)) ENGINE=InnoDB AUTO_INCREMENT=6;\n\
             INSERT INTO t VALUES (5);\nCREATE TABLE t_id_seq (id int);\nINSERT INTO t_id_seq VALUES (9);\n",
            &[],
            vec![
                Gives("SELECT id FROM $.t_id_seq", &["9"]),
                Gives(NEXT, &["6"]),
                Gives(
                    "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = '$'::regnamespace",
                    &["t_t_id_seq"],
                ),
                Reports("t_id_seq: a sequence had this name; t_id_seq is named t_t_id_seq now"),
            ],
        ),
    ]
}
