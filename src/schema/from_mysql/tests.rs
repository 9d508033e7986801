use super::*;
use crate::dump::charset::Charset;
use crate::dump::mysql::definition::create_table;
use crate::error::Result;
use crate::rows::ValueKind;
use crate::schema::ddl;
use crate::schema::model::Proof;
use crate::schema::names::Names;
use crate::schema::policies::{GeneratedSupport, Policies};

fn mapped(sql: &str, compatible: bool) -> Result<Mapped> {
    mapped_by(sql, compatible, &Policies::default())
}

fn mapped_by(sql: &str, compatible: bool, policies: &Policies) -> Result<Mapped> {
    let facts = DumpFacts {
        compatible,
        charset: Charset::Utf8,
        utc: true,
        axes_by_system: false,
        keys_follow: false,
    };
    let names = &mut Names::default();
    from_mysql(
        &create_table(sql)?,
        facts,
        GivenRows::whole(),
        policies,
        names,
    )
}

fn column_type(definition: &str) -> String {
    let mapped = mapped(&format!("CREATE TABLE t (c {definition})"), false);
    let mapped = mapped.unwrap_or_else(|error| panic!("{definition}: {error}"));
    mapped.table.columns[0].data_type.to_string()
}

#[test]
fn types() {
    let cases = [
        ("tinyint(1)", "boolean"),
        ("tinyint(4)", "smallint"),
        ("tinyint(3) unsigned", "smallint"),
        ("smallint(5) unsigned", "integer"),
        ("mediumint(9)", "integer"),
        ("int", "integer"),
        ("int(11)", "integer"),
        ("int(10) unsigned", "bigint"),
        ("bigint(20)", "bigint"),
        ("bigint(20) unsigned", "numeric(20,0)"),
        ("bigint(20) unsigned UNIQUE", "bigint"),
        ("float", "double precision"),
        ("double(10,2)", "double precision"),
        ("decimal(65,30)", "numeric(65,30)"),
        ("decimal", "numeric(10,0)"),
        ("varchar(255)", "character varying(255)"),
        ("char(3)", "character(3)"),
        ("longtext", "text"),
        ("enum('a')", "text"),
        ("varbinary(10)", "bytea"),
        ("mediumblob", "bytea"),
        ("bit(1)", "boolean"),
        ("bit(9)", "bit(9)"),
        ("json", "jsonb"),
        ("longtext CHECK (json_valid(`c`))", "json"),
        ("date", "date"),
        ("datetime", "timestamp without time zone"),
        ("timestamp(3)", "timestamp(3) without time zone"),
        ("time(6)", "time(6) without time zone"),
        ("year(4)", "smallint"),
        ("geometry", "geometry"),
        ("point SRID 4326", "geometry(Point,4326)"),
        ("geomcollection SRID 0", "geometry(GeometryCollection)"),
    ];
    for (mysql, postgresql) in cases {
        assert_eq!(column_type(mysql), postgresql, "{mysql}");
    }
}

#[test]
fn what_is_not_mapped_is_an_error_naming_table_and_column() {
    let sql = "CREATE TABLE t (c xmltype)";
    let error = mapped(sql, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column t.c: the type xmltype is not supported"
    );
    assert_eq!(error.hint_text(), Some("--skip-column t.c leaves it out"));
    let skip_columns = vec![("t".to_owned(), "c".to_owned())];
    let policies = Policies {
        skip_columns,
        ..Policies::default()
    };
    let mapped = mapped_by(sql, false, &policies).unwrap();
    assert_eq!(
        (mapped.table.columns.len(), mapped.kinds[0]),
        (0, ValueKind::Skipped)
    );
}

/// What becomes of the generated columns b and c, whose values the rows have or do not.
fn generated(columns: GivenColumns, policies: &Policies) -> Vec<String> {
    let sql = "CREATE TABLE t (a int, b int AS (`a` * 2) STORED, c varchar(9) AS (soundex(`a`)))";
    let facts = DumpFacts {
        compatible: false,
        charset: Charset::Utf8,
        utc: true,
        axes_by_system: false,
        keys_follow: false,
    };
    let definition = create_table(sql).unwrap();
    let names = &mut Names::default();
    let given = GivenRows {
        columns,
        ..GivenRows::whole()
    };
    let mapped = from_mysql(&definition, facts, given, policies, names).unwrap();
    let shown = mapped.table.columns.iter().skip(1).map(|column| {
        let proof = column.generated.as_ref().map(|it| match &it.proof {
            Proof::Certain => "certain",
            Proof::Values => "values",
            Proof::Conditions(_) => "conditions",
        });
        format!("{}: {}", column.name, proof.unwrap_or("ordinary"))
    });
    let kinds = format!("{:?}", &mapped.kinds[1..]);
    shown.chain([kinds]).collect()
}

#[test]
fn generated_columns() {
    let comparing = Policies {
        settles: true,
        ..Policies::default()
    };
    let without = Policies {
        generated_support: GeneratedSupport::None,
        ..comparing.clone()
    };
    let named = || GivenColumns::Named(vec!["a".to_owned()]);
    let alone = Policies::default();
    for (given, policies, expected) in [
        (
            GivenColumns::All,
            &comparing,
            "b: values, c: ordinary, [Integer, Text]",
        ),
        (named(), &comparing, "b: conditions, [Skipped, Skipped]"),
        (
            GivenColumns::NoRows,
            &comparing,
            "b: certain, c: ordinary, [Skipped, Skipped]",
        ),
        (
            GivenColumns::All,
            &alone,
            "b: ordinary, c: ordinary, [Integer, Text]",
        ),
        (named(), &alone, "b: certain, [Skipped, Skipped]"),
        (
            GivenColumns::All,
            &without,
            "b: ordinary, c: ordinary, [Integer, Text]",
        ),
        (named(), &without, "[Skipped, Skipped]"),
    ] {
        let shown = generated(given.clone(), policies).join(", ");
        assert_eq!(shown, expected, "{given:?}");
    }
}

#[test]
fn defaults() {
    let cases = [
        ("tinyint(1) DEFAULT '0'", "false"),
        ("tinyint(1) DEFAULT 1", "true"),
        ("bit(1) DEFAULT b'0'", "false"),
        ("bit(4) DEFAULT b'101'", "B'0101'"),
        ("int DEFAULT '3600'", "3600"),
        ("int DEFAULT -1", "-1"),
        ("varchar(9) DEFAULT ''", "''"),
        (r"varchar(9) DEFAULT 'it\'s \\'", r"E'it''s \\'"),
        (
            "timestamp DEFAULT CURRENT_TIMESTAMP",
            "timezone('UTC', now())",
        ),
        ("datetime DEFAULT current_timestamp()", "LOCALTIMESTAMP"),
        ("date DEFAULT '2015-10-01'", "'2015-10-01'"),
    ];
    for (definition, expected) in cases {
        let mapped = mapped(&format!("CREATE TABLE t (c {definition})"), false).unwrap();
        assert_eq!(
            mapped.table.columns[0].default.as_deref(),
            Some(expected),
            "{definition}"
        );
    }
    for left_out in [
        "datetime DEFAULT '0000-00-00 00:00:00'",
        "char(36) DEFAULT (uuid())",
    ] {
        let mapped = mapped(&format!("CREATE TABLE t (c {left_out})"), false).unwrap();
        assert_eq!(mapped.table.columns[0].default, None);
        assert_eq!(mapped.notes.len(), 1, "{left_out}");
    }
}

#[test]
fn sequences() {
    let native =
        "CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)) AUTO_INCREMENT=7";
    let sequence = mapped(native, false).unwrap().table.sequence.unwrap();
    assert_eq!(
        (sequence.name.as_str(), sequence.next_at_least),
        ("t_id_seq", 7)
    );
    let bare = "CREATE TABLE t (\"id\" int(11) NOT NULL, PRIMARY KEY (\"id\"))";
    let complete = "CREATE TABLE t (id int NOT NULL, PRIMARY KEY (id)) ENGINE=InnoDB";
    assert!(mapped(bare, false).unwrap().table.sequence.is_some());
    assert!(mapped(complete, false).unwrap().table.sequence.is_none());
    assert!(mapped(bare, true).unwrap().table.sequence.is_some());
    let text = "CREATE TABLE t (\"id\" varchar(9) NOT NULL, PRIMARY KEY (\"id\"))";
    assert!(mapped(text, true).unwrap().table.sequence.is_none());
    let two = "CREATE TABLE t (\"id\" int NOT NULL, b int, PRIMARY KEY (\"id\", b))";
    assert!(mapped(two, true).unwrap().table.sequence.is_none());
}

#[test]
fn ddl_of_a_whole_table() {
    let table = mapped(
        "CREATE TABLE `t` (`id` int(11) NOT NULL AUTO_INCREMENT, `e` enum('a','b') COMMENT 'x',
         `d` datetime NOT NULL, `s` varchar(20), PRIMARY KEY (`id`),
         UNIQUE KEY `u` (`s`(10),`e` DESC), KEY `k` (`s`(20))) COMMENT='it''s'",
        false,
    )
    .unwrap()
    .table;
    let style = ddl::Style::in_schema("st");
    assert_eq!(
        ddl::create_table(style, &table).join(";\n"),
        "CREATE SEQUENCE \"st\".\"t_id_seq\" AS integer;\n\
         CREATE TABLE \"st\".\"t\" (\n  \
         \"id\" integer DEFAULT nextval('\"st\".\"t_id_seq\"'::regclass) NOT NULL,\n  \
         \"e\" text,\n  \
         \"d\" timestamp without time zone,\n  \
         \"s\" character varying(20)\n);\n\
         ALTER SEQUENCE \"st\".\"t_id_seq\" OWNED BY \"st\".\"t\".\"id\";\n\
         COMMENT ON TABLE \"st\".\"t\" IS 'it''s';\n\
         COMMENT ON COLUMN \"st\".\"t\".\"e\" IS 'x'"
    );
    assert_eq!(
        ddl::create_index(style, "t", &table.indexes[0], "u")[0],
        "CREATE UNIQUE INDEX \"u\" ON \"st\".\"t\" USING btree \
         (\"left\"(\"s\"::text, 10), \"e\" DESC)"
    );
    assert!(ddl::create_index(style, "t", &table.indexes[1], "k")[0].ends_with("(\"s\")"));
    assert_eq!(
        ddl::add_check(style, "t", &table.checks[0]),
        "ALTER TABLE \"st\".\"t\" ADD CONSTRAINT \"t_e_check\" CHECK (\"e\" IN ('a', 'b'))"
    );
}

/// What the notes of a table say.
fn told(sql: &str) -> Vec<String> {
    let notes = mapped(sql, false).unwrap().notes.into_iter();
    let shown =
        |item: Option<String>, what: String| format!("{}: {what}", item.unwrap_or_default());
    notes.map(|note| shown(note.item, note.what)).collect()
}

#[test]
fn columns_named_like_system_columns_get_another_name() {
    let mapped = mapped(
        "CREATE TABLE t (`ctid` int, `xmin` int, `xmin_` int, KEY k (`ctid`), CHECK (`ctid` > 0),
         FOREIGN KEY (`xmin`) REFERENCES o (`xmin`), d int AS (`ctid` > 1) STORED)",
        false,
    )
    .unwrap();
    let columns = mapped.table.columns.iter();
    let names: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["ctid_", "xmin__", "xmin_", "d"]);
    assert_eq!(mapped.names[0], ("ctid".into(), Some("ctid_".into())));
    assert_eq!(mapped.table.checks[0].expression, "(\"ctid_\" > 0)");
    assert_eq!(
        mapped.table.columns[3]
            .generated
            .as_ref()
            .map(|it| it.expression.as_str()),
        Some("((\"ctid_\" > 1))::integer")
    );
    assert_eq!(mapped.table.foreign_keys[0].columns, ["xmin__"]);
    assert_eq!(mapped.table.foreign_keys[0].referenced_columns, ["xmin_"]);
}

#[test]
fn what_a_key_loses_is_told() {
    let ignored = "the key compares bytes now; in MySQL it ignored case";
    for (sql, expected) in [
        (
            "CREATE TABLE t (a varchar(9), UNIQUE KEY u (a))",
            Some(format!("u: {ignored}")),
        ),
        (
            "CREATE TABLE t (a char(9), PRIMARY KEY (a)) COLLATE=utf8mb4_0900_ai_ci",
            Some(format!("PRIMARY: {ignored}")),
        ),
        (
            "CREATE TABLE t (a varchar(9) CHARACTER SET latin1, UNIQUE KEY u (a)) COLLATE=utf8mb4_bin",
            Some(format!("u: {ignored}")),
        ),
        (
            "CREATE TABLE t (a varchar(9) COLLATE utf8_bin, UNIQUE KEY u (a))",
            None,
        ),
        (
            "CREATE TABLE t (a varchar(9), UNIQUE KEY u (a)) COLLATE=utf8mb4_0900_as_cs",
            None,
        ),
        ("CREATE TABLE t (a varchar(9), KEY k (a))", None),
        (
            "CREATE TABLE t (a varbinary(9), b int, UNIQUE KEY u (a), PRIMARY KEY (b))",
            None,
        ),
        (
            "CREATE TABLE t (a int, PRIMARY KEY (a DESC))",
            Some("PRIMARY: the order of the primary key is ascending now; it was DESC".to_owned()),
        ),
    ] {
        assert_eq!(told(sql).first(), expected.as_ref(), "{sql}");
    }
}

#[test]
fn a_sequence_may_count_floating_point_numbers() {
    let sql = "CREATE TABLE t (c double NOT NULL AUTO_INCREMENT, PRIMARY KEY (c)) ENGINE=InnoDB";
    let table = mapped(sql, false).unwrap().table;
    let statements = ddl::create_table(ddl::Style::in_schema("s"), &table).join(";\n");
    assert!(
        statements.contains("CREATE SEQUENCE \"s\".\"t_c_seq\" AS bigint;"),
        "{statements}"
    );
    let sequence = table.sequence.unwrap();
    let [_, set] = ddl::set_sequence_in_dump(ddl::Style::in_schema("s"), "t", &sequence);
    assert!(set.contains("max(\"c\")::bigint"), "{set}");
}

#[test]
fn nul_characters_of_a_definition_are_left_out() {
    let sql = "CREATE TABLE t (a int COMMENT 'x\\0y', e enum('a\\0','b') DEFAULT 'a\\0', b blob DEFAULT 'x\\0',
        KEY k (a) COMMENT '\\0') COMMENT='\\0z'";
    let mapped = mapped(sql, false).unwrap();
    assert_eq!(mapped.table.comment.as_deref(), Some("z"));
    assert_eq!(mapped.table.columns[0].comment.as_deref(), Some("xy"));
    assert_eq!(mapped.table.columns[1].default.as_deref(), Some("'a'"));
    assert_eq!(
        mapped.table.columns[2].default.as_deref(),
        Some("'\\x7800'::bytea")
    );
    assert_eq!(mapped.table.checks[0].expression, "\"e\" IN ('a', 'b')");
    let notes: Vec<_> = mapped.notes.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(
        notes,
        [
            "NUL characters in its comment were left out",
            "NUL characters in its comment were left out",
            "NUL characters in its default were left out",
            "NUL characters in its values were left out",
            "NUL characters in its comment were left out",
        ]
    );
}
