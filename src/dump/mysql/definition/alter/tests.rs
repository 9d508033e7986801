use super::alter_table;
use crate::dump::mysql::definition::{TableDefinition, create_table};
use crate::dump::quoting::Quoting;

/// The table that `create` defines, after the statements `alter`.
fn altered(create: &str, alter: &[&str], is_given: bool) -> Result<TableDefinition, String> {
    let mut table = create_table(create).unwrap();
    for statement in alter {
        alter_table(&mut table, statement, Quoting::default(), is_given)
            .map_err(|error| error.to_string())?;
    }
    Ok(table)
}

const BARE: &str =
    "CREATE TABLE `t` (`id` int(11) NOT NULL, `a` varchar(9) DEFAULT NULL, `b` text) ENGINE=InnoDB";

/// A definition with the columns of [`BARE`], and these elements and options.
fn with(elements: &str, options: &str) -> String {
    format!(
        "CREATE TABLE t (id int(11) NOT NULL, a varchar(9) DEFAULT NULL, b text{elements}) ENGINE=InnoDB {options}"
    )
}

#[test]
fn what_may_come_after_the_rows() {
    let numbered = "CREATE TABLE t (id int(11) NOT NULL AUTO_INCREMENT, a varchar(9) DEFAULT NULL, b text, \
         PRIMARY KEY (id)) ENGINE=InnoDB AUTO_INCREMENT=3";
    let cases: &[(&[&str], String)] = &[
        (
            &[
                "ALTER TABLE `t`\n  ADD PRIMARY KEY (`id`);",
                "ALTER TABLE `t`\n  MODIFY `id` int(11) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=3;",
            ],
            numbered.to_owned(),
        ),
        (
            &[
                "ALTER TABLE `d`.`t` ADD PRIMARY KEY USING BTREE (ID), CHANGE COLUMN `id` `id` int(11) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT 3",
            ],
            numbered.replace("PRIMARY KEY (id)", "PRIMARY KEY USING BTREE (id)"),
        ),
        (
            &[
                "ALTER TABLE t ADD UNIQUE KEY `u` (`a`) USING BTREE, ADD KEY `k` (`b`(5),`a` DESC) COMMENT 'a; b', ADD FULLTEXT KEY f (b), ADD SPATIAL INDEX s (b), ADD UNIQUE INDEX v (a), DISABLE KEYS;",
            ],
            with(
                ", UNIQUE KEY u (a) USING BTREE, KEY k (b(5), a DESC) COMMENT 'a; b', FULLTEXT KEY f (b), SPATIAL KEY s (b), UNIQUE KEY v (a)",
                "",
            ),
        ),
        (
            &[
                "CREATE UNIQUE INDEX `u` USING BTREE ON `d`.`t` (`A` ASC);",
                "create index k on t (b(5), a desc) comment 'a; b' ALGORITHM=INPLACE LOCK = NONE;",
                "CREATE INDEX IF NOT EXISTS k ON t (id)",
                "CREATE FULLTEXT INDEX f ON t (b) NOWAIT;",
                "DROP INDEX IF EXISTS x ON t ALGORITHM=COPY;",
            ],
            with(
                ", UNIQUE KEY u (a) USING BTREE, KEY k (b(5), a DESC) COMMENT 'a; b', FULLTEXT KEY f (b)",
                "",
            ),
        ),
        (
            &[
                "ALTER TABLE ONLY_ADDS ADD INDEX (a), ADD KEY (a), ADD UNIQUE (a, id), ADD CONSTRAINT c UNIQUE (id)",
            ],
            with(
                ", KEY a (a), KEY a_2 (a), UNIQUE KEY a_3 (a, id), UNIQUE KEY c (id)",
                "",
            ),
        ),
        (
            &[
                "ALTER TABLE t ADD CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `u` (`x`) ON DELETE SET NULL ON UPDATE CASCADE, ADD FOREIGN KEY (id) REFERENCES v (y)",
                "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0), ADD CHECK (a <> 'x');",
            ],
            with(
                ", CONSTRAINT f FOREIGN KEY (a) REFERENCES u (x) ON DELETE SET NULL ON UPDATE CASCADE, FOREIGN KEY (id) REFERENCES v (y), CONSTRAINT c CHECK (id > 0), CHECK (a <> 'x')",
                "",
            ),
        ),
    ];
    assert_defined(cases);
}

#[test]
fn what_else_may_come_after_the_rows() {
    assert_defined(&[
        (
            &[
                "ALTER TABLE t COMMENT='it''s', ENGINE = MyISAM ROW_FORMAT=DYNAMIC, CHECKSUM=1",
                "ALTER TABLE t ORDER BY a, b DESC;",
                "ALTER TABLE t ORDER BY a DESC, `b`, DATA DIRECTORY = '/x'",
                "ALTER IGNORE TABLE t FORCE, ALGORITHM=INPLACE, LOCK NONE, ENABLE KEYS, WITHOUT VALIDATION;",
            ],
            with(
                "",
                "ROW_FORMAT=DYNAMIC COMMENT='it''s' CHECKSUM=1 DATA DIRECTORY='/x'",
            )
            .replace("InnoDB", "MyISAM"),
        ),
        (
            &[
                "ALTER TABLE t ALTER COLUMN a SET DEFAULT 'x', ALTER b DROP DEFAULT, ALTER id SET DEFAULT -1",
            ],
            with("", "")
                .replace("DEFAULT NULL", "DEFAULT 'x'")
                .replace("NOT NULL", "NOT NULL DEFAULT -1"),
        ),
        (
            &[
                "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (x), ADD CONSTRAINT c CHECK (id > 0)",
                "ALTER TABLE t DROP FOREIGN KEY f, DROP CONSTRAINT c",
            ],
            with("", ""),
        ),
        (
            &[
                "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (x), ADD FOREIGN KEY (b) REFERENCES u (y), ADD CHECK (id > 0), ADD CONSTRAINT t_chk_4 CHECK (id > 1), ADD CHECK (id > 2)",
                "ALTER TABLE t DROP FOREIGN KEY T_ibfk_1, DROP CHECK t_chk_5, DROP CONSTRAINT IF EXISTS nobody",
            ],
            with(
                ", CONSTRAINT t_ibfk_2 FOREIGN KEY (b) REFERENCES u (y), CONSTRAINT t_chk_4 CHECK (id > 1), CONSTRAINT t_chk_6 CHECK (id > 2)",
                "",
            ),
        ),
        (
            &[
                "ALTER TABLE t ADD CHECK (id > 0), ADD CHECK (id > 1)",
                "ALTER TABLE t DROP CONSTRAINT `CONSTRAINT_1`",
            ],
            with(", CONSTRAINT CONSTRAINT_2 CHECK (id > 1)", ""),
        ),
        (
            &["ALTER TABLE t ORDER BY a, ADD PRIMARY KEY (id)"],
            with(", PRIMARY KEY (id)", ""),
        ),
        (
            &[
                "ALTER TABLE t ADD PRIMARY KEY (id), PARTITION BY RANGE COLUMNS (a, b) (PARTITION p VALUES LESS THAN ('a', 'b'), PARTITION q VALUES LESS THAN MAXVALUE)",
            ],
            with(", PRIMARY KEY (id)", "PARTITION BY HASH (id)"),
        ),
        (
            &["ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 4;"],
            with("", "PARTITION BY HASH (id)"),
        ),
        (
            &["ALTER TABLE t MODIFY a varchar(9) NOT NULL DEFAULT 'y' COMMENT 'c' AFTER id"],
            with("", "").replace("DEFAULT NULL", "NOT NULL DEFAULT 'y' COMMENT 'c'"),
        ),
    ]);
}

/// The statements make such tables of [`BARE`], wherever they are.
#[track_caller]
fn assert_defined(cases: &[(&[&str], String)]) {
    for (alter, expected) in cases {
        let expected = create_table(expected).unwrap();
        for is_given in [false, true] {
            let found = altered(BARE, alter, is_given).unwrap();
            assert_eq!(found, expected, "{alter:?}");
        }
    }
}

#[test]
fn what_may_only_come_before_the_rows() {
    for (alter, expected, refused) in [
        (
            "ALTER TABLE t ADD c enum('x') NOT NULL FIRST, ADD COLUMN d int AFTER id",
            "CREATE TABLE t (c enum('x') NOT NULL, id int(11) NOT NULL, d int, a varchar(9) DEFAULT NULL, b text) ENGINE=InnoDB",
            "the dump adds a column after the rows",
        ),
        (
            "ALTER IGNORE TABLE t ADD UNIQUE KEY u (a)",
            "CREATE TABLE t (id int(11) NOT NULL, a varchar(9) DEFAULT NULL, b text, UNIQUE KEY u (a)) ENGINE=InnoDB",
            "the dump deletes rows that have the same key, by ALTER IGNORE",
        ),
        (
            "ALTER TABLE t ADD (c int UNIQUE, d int);",
            "CREATE TABLE t (id int(11) NOT NULL, a varchar(9) DEFAULT NULL, b text, c int UNIQUE, d int) ENGINE=InnoDB",
            "the dump adds a column after the rows",
        ),
        (
            "ALTER TABLE t MODIFY id bigint unsigned NOT NULL",
            "CREATE TABLE t (id bigint unsigned NOT NULL, a varchar(9) DEFAULT NULL, b text) ENGINE=InnoDB",
            "the dump changes the type or place of a column after the rows",
        ),
        (
            "ALTER TABLE t CHANGE b b text FIRST",
            "CREATE TABLE t (b text, id int(11) NOT NULL, a varchar(9) DEFAULT NULL) ENGINE=InnoDB",
            "the dump changes the type or place of a column after the rows",
        ),
        (
            "ALTER TABLE t DROP COLUMN a",
            "CREATE TABLE t (id int(11) NOT NULL, b text) ENGINE=InnoDB",
            "the dump drops a key or column after the rows",
        ),
        (
            "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "CREATE TABLE t (id int(11) NOT NULL, a varchar(9) DEFAULT NULL, b text) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
            "the dump changes the character set of columns",
        ),
        (
            "ALTER TABLE t DEFAULT CHARACTER SET = latin1",
            "CREATE TABLE t (id int(11) NOT NULL, a varchar(9) DEFAULT NULL, b text) ENGINE=InnoDB CHARSET=latin1",
            "the dump changes the character set of a table after its rows",
        ),
    ] {
        let found = altered(BARE, &[alter], false).unwrap();
        assert_eq!(found, create_table(expected).unwrap(), "{alter}");
        let error = altered(BARE, &[alter], true).unwrap_err();
        let shown = alter.trim_end_matches(';').split(['\'']).next().unwrap();
        let shown: String = shown.chars().take(60).collect();
        assert!(
            error.starts_with(&format!("table t: {refused}: {}", shown.trim_end())),
            "{alter}: {error}"
        );
    }
    let keys = "CREATE TABLE t (a int, b int, KEY (a), KEY k (a, b), UNIQUE KEY (b))";
    let alter = "ALTER TABLE t DROP KEY A, RENAME KEY b TO u, DROP KEY IF EXISTS nobody, DROP COLUMN IF EXISTS c";
    let expected = create_table("CREATE TABLE t (a int, b int, KEY k (a, b), UNIQUE KEY u (b))");
    assert_eq!(altered(keys, &[alter], false), Ok(expected.unwrap()));
    let keys = "CREATE TABLE t (a int, b int, KEY k (a), UNIQUE KEY u (b), PRIMARY KEY (b))";
    let alter = "ALTER TABLE t DROP KEY k, DROP PRIMARY KEY, RENAME INDEX u TO v";
    let expected = create_table("CREATE TABLE t (a int, b int, UNIQUE KEY v (b))").unwrap();
    assert_eq!(altered(keys, &[alter], false).unwrap(), expected);
    assert!(altered(keys, &[alter], true).is_err());
}

#[test]
fn what_is_refused_wherever_it_is() {
    let not_supported = [
        "RENAME TO u",
        "RENAME COLUMN a TO c",
        "DISCARD TABLESPACE",
        "TRUNCATE PARTITION p",
        "DROP PARTITION p",
        "EXCHANGE PARTITION p WITH TABLE u",
        "ADD SYSTEM VERSIONING",
        "RENAME = u",
        "RENAME u",
        "COMMENT 'x' RENAME u",
        "DEFAULT RENAME u",
        "SEQUENCE=1",
    ];
    let others = [
        ("CHANGE a c varchar(9)", "the dump renames a column"),
        ("MODIFY c int", "there is no column c"),
        (
            "PARTITION BY HASH (id) PARTITIONS 4, ADD PRIMARY KEY (id)",
            "something follows the partitions of a table",
        ),
        (
            "ADD PARTITION (PARTITION p VALUES IN (1, 2)), ADD KEY (a)",
            "something follows the partitions of a table",
        ),
        ("ORDER BY c", "there is no column c"),
        ("DROP KEY c", "there is no key or constraint c"),
        (
            "DROP FOREIGN KEY t_ibfk_1",
            "there is no key or constraint t_ibfk_1",
        ),
        ("DROP PRIMARY KEY", "there is no primary key"),
        (
            "ADD PRIMARY KEY (id), ADD PRIMARY KEY (a)",
            "the dump adds a second primary key",
        ),
        ("ADD KEY k (a", "the statement ends too early"),
        ("ADD KEY k (a) USING", "the statement ends too early"),
    ];
    let not_supported =
        not_supported.map(|alter| (alter, "this change of a table is not supported"));
    for (alter, why) in not_supported.into_iter().chain(others) {
        for is_given in [false, true] {
            let alter = format!("ALTER TABLE t {alter}");
            let error = altered(BARE, &[&alter], is_given).unwrap_err();
            assert!(
                error.starts_with(&format!("table t: {why}")),
                "{alter}: {error}"
            );
        }
    }
}

#[test]
fn what_is_not_there_and_what_is_there_twice() {
    for (alter, why) in [
        (
            "ADD c int, ADD C int",
            "the dump adds a column that the table has",
        ),
        ("ADD `ID` int", "the dump adds a column that the table has"),
        ("RENAME KEY c TO d", "there is no key c"),
    ] {
        let error = altered(BARE, &[&format!("ALTER TABLE t {alter}")], false).unwrap_err();
        assert!(
            error.starts_with(&format!("table t: {why}")),
            "{alter}: {error}"
        );
    }
}

#[test]
fn the_same_types_in_other_words() {
    let create = |of: &str| format!("CREATE TABLE t (c {of}) CHARSET=utf8mb4");
    for (before, after, is_same) in [
        ("int(11)", "int", true),
        ("int(10) unsigned", "integer unsigned", true),
        ("bigint(20)", "int8", true),
        ("decimal(10,0)", "decimal", true),
        ("varchar(9) CHARACTER SET utf8mb4", "varchar(9)", true),
        ("varchar(9)", "varchar(9) COLLATE utf8mb4_bin", true),
        ("enum('a','b')", "enum('a','b')", true),
        ("tinyint(1)", "boolean", true),
        ("tinyint(1)", "tinyint(4)", false),
        ("int", "int unsigned", false),
        ("int", "bigint", false),
        ("varchar(9)", "varchar(10)", false),
        ("varchar(9)", "varchar(9) CHARACTER SET latin1", false),
        ("enum('a','b')", "enum('b','a')", false),
        ("decimal(10,2)", "decimal(10,3)", false),
        ("datetime", "datetime(3)", false),
        ("int", "int AS (1) STORED", false),
    ] {
        let alter = format!("ALTER TABLE t MODIFY c {after}");
        let found = altered(&create(before), &[&alter], true);
        assert_eq!(found.is_ok(), is_same, "{before}, {after}");
    }
}

#[test]
fn many_statements_do_not_make_a_table_larger_than_one_could() {
    let add = |what: &str| {
        (0..300)
            .map(|at| format!("{what}{at} (a)"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let keys = format!("ALTER TABLE t {}", add("ADD KEY k"));
    let error = altered(BARE, &[&keys], true).unwrap_err();
    assert_eq!(error, "table t: more than 256 keys");
    let options: String = (0..6000)
        .map(|at| format!(" KEY_BLOCK_SIZE={at}"))
        .collect();
    let options = format!("ALTER TABLE t{options}");
    let error = altered(BARE, &[&options], true).unwrap_err();
    assert_eq!(
        error,
        "table t: more than 5000 columns, keys and constraints"
    );
}
