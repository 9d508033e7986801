use super::*;
use crate::dump::quoting::Quoting;

fn column(definition: &str) -> ColumnDefinition {
    let table = create_table(&format!(
        "CREATE TABLE `t` (\n  {definition}\n) ENGINE=InnoDB"
    ));
    table
        .unwrap_or_else(|error| panic!("{definition}: {error}"))
        .columns
        .remove(0)
}

#[test]
fn a_table_as_rails_made_it() {
    let table = create_table(
        "CREATE TABLE `ci_builds` (
           `id` int(11) NOT NULL AUTO_INCREMENT,
           `status` varchar(255) COLLATE utf8_unicode_ci DEFAULT NULL,
           `deploy` tinyint(1) DEFAULT '0',
           PRIMARY KEY (`id`),
           UNIQUE KEY `u` (`status`(10),`deploy` DESC) USING BTREE COMMENT 'a, (b)',
           KEY `index_on_status` (`status`) USING BTREE
         ) ENGINE=InnoDB AUTO_INCREMENT=4712 DEFAULT CHARSET=utf8 COLLATE=utf8_unicode_ci
         COMMENT='x' /*!50100 PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (1)) */;",
    )
    .unwrap();
    assert_eq!(table.name, "ci_builds");
    assert_eq!(table.columns.len(), 3);
    assert!(table.columns[0].auto_increment && !table.columns[0].nullable);
    assert_eq!(table.columns[1].data_type.numbers, [255]);
    assert_eq!(
        table.columns[2].default,
        Some(DefaultValue::Text("0".into()))
    );
    assert_eq!(table.keys.len(), 3);
    assert_eq!(table.keys[1].parts[0].prefix, Some(10));
    assert!(table.keys[1].parts[1].descending);
    assert_eq!(table.keys[1].comment.as_deref(), Some("a, (b)"));
    assert_eq!(table.options.auto_increment, Some(4712));
    assert_eq!(table.options.charset.as_deref(), Some("utf8"));
    assert_eq!(table.options.comment.as_deref(), Some("x"));
}

/// What `table` says of storage, what it is about before a colon.
fn storage(table: &TableDefinition) -> Vec<String> {
    let shown = |option: &StorageOption| match &option.of {
        Some(of) => format!("{of}: {}", option.what),
        None => option.what.clone(),
    };
    table.options.storage.iter().map(shown).collect()
}

#[test]
fn what_is_said_of_storage_is_kept() {
    for (options, expected) in [
        ("ENGINE=InnoDB DEFAULT CHARSET=utf8", &[][..]),
        (
            "ENGINE=InnoDB KEY_BLOCK_SIZE=8, STATS_PERSISTENT=0 COLLATE=utf8_bin `ENCRYPTED`=YES",
            &["KEY_BLOCK_SIZE=8", "STATS_PERSISTENT=0", "ENCRYPTED=YES"],
        ),
        ("`PAGE_COMPRESSED`=1 COMMENT='x'", &["PAGE_COMPRESSED=1"]),
        (
            "WITH SYSTEM VERSIONING CHECKSUM=1",
            &["WITH SYSTEM VERSIONING", "CHECKSUM=1"],
        ),
        (
            "DATA DIRECTORY='/s3cret' CONNECTION='mysql://u:s3cret@h/d' UNION=(`a`,`b`) COMPRESSION='zlib'",
            &["DATA DIRECTORY", "CONNECTION", "UNION", "COMPRESSION"],
        ),
        (
            "/*!50100 TABLESPACE `ts` STORAGE DISK */ ENGINE=NDB",
            &["TABLESPACE", "STORAGE DISK"],
        ),
    ] {
        let table = create_table(&format!("CREATE TABLE t (a int) {options}")).unwrap();
        assert_eq!(storage(&table), expected, "{options}");
    }
    let table = create_table(
        "CREATE TABLE t (`a` int /*!50606 STORAGE DISK */ /*!50606 COLUMN_FORMAT DYNAMIC */,
           c text COMPRESSED=zlib `x`='y', d int WITHOUT SYSTEM VERSIONING,
           s timestamp(6) GENERATED ALWAYS AS ROW START, e timestamp(6) GENERATED ALWAYS AS ROW END,
           PERIOD FOR SYSTEM_TIME (s, e), KEY k (a) KEY_BLOCK_SIZE=4 COMMENT 'x',
           KEY v (a) VISIBLE)",
    );
    let expected = [
        "a: STORAGE=DISK",
        "a: COLUMN_FORMAT=DYNAMIC",
        "c: COMPRESSED=ZLIB",
        "c: X",
        "d: WITHOUT SYSTEM VERSIONING",
        "s: AS ROW START",
        "e: AS ROW END",
        "PERIOD FOR SYSTEM_TIME",
        "k: KEY_BLOCK_SIZE=4",
    ];
    assert_eq!(storage(&table.unwrap()), expected);
}

#[test]
fn columns_with_all_sorts_of_attributes() {
    let comment = column("`a` int(10) unsigned zerofill NOT NULL COMMENT 'a (b), c; it''s'");
    assert_eq!(comment.comment.as_deref(), Some("a (b), c; it's"));
    assert!(comment.data_type.unsigned && !comment.nullable);
    let values = column(r"`a` enum('x','it''s','a,b)','\\') CHARACTER SET latin1 DEFAULT 'x'");
    assert_eq!(values.data_type.values, ["x", "it's", "a,b)", "\\"]);
    assert_eq!(values.data_type.charset.as_deref(), Some("latin1"));
    let defaults = [
        ("-1.5", DefaultValue::Number("-1.5".into())),
        ("b'0'", DefaultValue::Bits("0".into())),
        ("0x1F", DefaultValue::Hex("1F".into())),
        ("_utf8mb3''", DefaultValue::Text(String::new())),
        ("(uuid())", DefaultValue::Expression("(uuid())".into())),
        ("@v:=1", DefaultValue::Expression("@v:=1".into())),
        ("`b` + f(2)", DefaultValue::Expression("`b` + f(2)".into())),
        (
            "current_timestamp()",
            DefaultValue::Expression("current_timestamp()".into()),
        ),
    ];
    for (written, expected) in defaults {
        let column = column(&format!(
            "`a` int DEFAULT {written} ON UPDATE current_timestamp()"
        ));
        assert_eq!(column.default, Some(expected), "{written}");
    }
    let generated = column("`a` int GENERATED ALWAYS AS (`b` + (1)) STORED NOT NULL").generated;
    assert_eq!(generated.unwrap().expression, "`b` + (1)");
    column("`a` int /*!50606 STORAGE DISK */ /*!50606 COLUMN_FORMAT DYNAMIC */ DEFAULT NULL");
    column("`a` geometry NOT NULL /*!80003 SRID 0 */");
    column("`a` int /*!80023 INVISIBLE */");
    column("`a` longtext COMPRESSED=zlib CHECK (json_valid(`a`)) `compression`='x'");
}

#[test]
fn what_no_target_is_given_is_told() {
    let table = create_table(
        "CREATE TABLE `t` (
           `id` int NOT NULL CHECK (`id` > 0) NOT NULL,
           `a` point NOT NULL /*!80003 SRID 4326 */,
           `b` text,
           KEY `k` (`id`) /*!80000 INVISIBLE */,
           FULLTEXT KEY `f` (`b`) /*!50100 WITH PARSER `ngram` */ ,
           CONSTRAINT `c` CHECK ((`id` <> 13)) /*!80016 NOT ENFORCED */,
           CONSTRAINT `d` CHECK ((`id` <> 14))
         ) ENGINE=InnoDB
         /*!50100 PARTITION BY RANGE (`id`) (PARTITION a VALUES LESS THAN MAXVALUE) */",
    )
    .unwrap();
    let told: Vec<_> = table
        .left_out
        .iter()
        .map(|it| (it.item.as_deref().unwrap_or("-"), it.what.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("k", "the index was not used, and is now"),
            ("f", "its parser ngram was left out"),
            (
                "c",
                "CHECK ((`id` <> 13)) was left out: it was not enforced"
            ),
            ("-", "its partitions were left out"),
        ]
    );
    assert_eq!(table.columns[1].data_type.srid, Some(4326));
    let checks: Vec<_> = table.checks.iter().map(|(_, check)| check).collect();
    assert_eq!(checks, ["`id` > 0", "(`id` <> 14)"]);
}

#[test]
fn what_is_not_known_is_an_error_with_its_place() {
    let error = create_table("CREATE TABLE `t` (`a` int FROBNICATED 3)").unwrap_err();
    assert_eq!(
        error.to_string(),
        "column t.a: cannot read the definition from \"FROBNICATED 3)\" on"
    );
    assert!(create_table("CREATE TABLE `t` (`a` int").is_err());
    assert!(create_table("CREATE TABLE `t`").is_err());
}

#[test]
fn foreign_keys_and_checks() {
    let table = create_table(
        "CREATE TABLE t (a int, CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `db`.`o` (`x`)
         ON DELETE SET NULL ON UPDATE CASCADE, CONSTRAINT c CHECK (a > 0), CHECK (a <> ')'))",
    )
    .unwrap();
    assert_eq!(table.foreign_keys[0].references, "o");
    assert_eq!(table.foreign_keys[0].on_delete.as_deref(), Some("SET NULL"));
    assert_eq!(table.checks[0], (Some("c".into()), "a > 0".into()));
    assert_eq!(table.checks[1].1, "a <> ')'");
}

#[test]
fn heads_of_inserts() {
    let (table, columns) = insert_head("INSERT INTO `a b` VALUES ", Quoting::default()).unwrap();
    assert_eq!((table.as_str(), columns), ("a b", None));
    let (table, columns) =
        insert_head("REPLACE INTO \"t\" (\"b\", `a`) VALUES", Quoting::default()).unwrap();
    assert_eq!(
        (table.as_str(), columns.unwrap()),
        ("t", vec!["b".into(), "a".into()])
    );
    assert_eq!(
        insert_head("INSERT IGNORE INTO d.t VALUE", Quoting::default())
            .unwrap()
            .0,
        "t"
    );
}

#[test]
fn keys_and_periods_that_only_their_server_has() {
    let table = create_table(
        "CREATE TABLE t (id int, a date, b date, v vector(3), PERIOD FOR `p` (`a`, `b`),
           UNIQUE KEY `u` (`id`, `p` WITHOUT OVERLAPS), VECTOR KEY `v` (`v`) `M`=8 `DISTANCE`=euclidean,
           KEY k (id) USING HASH IGNORED)",
    )
    .unwrap();
    let period = Period {
        name: "p".into(),
        begin: "a".into(),
        end: "b".into(),
    };
    assert_eq!(table.periods, [period]);
    assert_eq!(table.keys.len(), 1);
    let told: Vec<_> = table
        .left_out
        .iter()
        .map(|it| format!("{}: {}", it.item.as_deref().unwrap_or("-"), it.what))
        .collect();
    assert_eq!(
        told,
        [
            "u: the key WITHOUT OVERLAPS was left out: only its server can keep it",
            "v: the vector index was left out",
            "k: the index was not used, and is now",
        ]
    );
}

#[test]
fn values_of_enums_in_every_notation() {
    let column = column("`e` enum(x'92','b',_binary'c',0x64) CHARACTER SET binary");
    let bytes: [&[u8]; 4] = [b"\x92", b"b", b"c", b"d"];
    assert_eq!(column.data_type.bytes, bytes);
    let values = |definition: &str, options: &str| {
        let table = create_table(&format!("CREATE TABLE t (e {definition}) {options}"));
        table.map(|table| table.columns[0].data_type.values.join(" "))
    };
    assert_eq!(values("set(_latin1 0xe9,'x')", "").unwrap(), "é x");
    assert_eq!(values("enum(x'e9')", "CHARSET=latin1").unwrap(), "é");
    assert_eq!(values("enum(x'c3a9')", "COLLATE=utf8mb4_bin").unwrap(), "é");
    assert_eq!(
        values("enum(x'e9')", "CHARSET=utf8mb4")
            .unwrap_err()
            .to_string(),
        "column t.e: a value is not valid in the character set of the column"
    );
}

#[test]
fn defaults_of_every_kind() {
    for (written, expected) in [
        ("'a' 'b'", DefaultValue::Text("ab".into())),
        (r#""it's \"x\"""#, DefaultValue::Text(r#"it's "x""#.into())),
        ("_latin1 0x92", DefaultValue::Hex("92".into())),
        ("TRUE", DefaultValue::Number("1".into())),
        ("`other`", DefaultValue::Expression("`other`".into())),
        (
            "nextval(`d`.`s`)",
            DefaultValue::Expression("nextval(`d`.`s`)".into()),
        ),
        ("(-`a`)", DefaultValue::Expression("(-`a`)".into())),
        (
            "NEXT VALUE FOR `d`.`s`",
            DefaultValue::Expression("NEXT VALUE FOR `d`.`s`".into()),
        ),
        (
            "current_timestamp(6)",
            DefaultValue::Expression("current_timestamp(6)".into()),
        ),
    ] {
        let column = column(&format!("`c` text DEFAULT {written} COMMENT 'x'"));
        assert_eq!(column.default, Some(expected), "{written}");
        assert_eq!(column.comment.as_deref(), Some("x"), "{written}");
    }
}

#[test]
fn expressions_are_kept_in_the_usual_quotes() {
    let quoting = Quoting {
        backslash_escapes: false,
        ansi_quotes: true,
    };
    let sql = r#"CREATE TABLE "t" ("a\" text DEFAULT 'x\' COMMENT 'it''s', CHECK ("a\" <> 'b\'))"#;
    let table = parse_table(sql, quoting).unwrap().table;
    assert_eq!(table.columns[0].name, "a\\");
    assert_eq!(
        table.columns[0].default,
        Some(DefaultValue::Text("x\\".into()))
    );
    assert_eq!(table.checks[0].1, r"`a\` <> 'b\\'");
}
