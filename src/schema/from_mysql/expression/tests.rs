use super::*;
use crate::dump::mysql::definition::create_table;
use crate::schema::model::Column;

/// What `translate` makes of an expression over columns of all sorts.
fn with_operands<T>(translate: impl FnOnce(&dyn Operands) -> T) -> T {
    let table = create_table(
        "CREATE TABLE t (a int, `b c` bigint, s varchar(10), l varchar(10) CHARACTER SET latin1, d date,
         dt datetime, dt6 datetime(6), n decimal(10,2), f float, dd double, j json, z int zerofill, o tinyint(1))
         DEFAULT CHARSET=utf8mb4",
    )
    .unwrap();
    let types = [
        DataType::Integer,
        DataType::Bigint,
        DataType::Varchar(10),
        DataType::Varchar(10),
        DataType::Date,
        DataType::Timestamp(None),
        DataType::Timestamp(Some(6)),
        DataType::Numeric(10, 2),
        DataType::DoublePrecision,
        DataType::DoublePrecision,
        DataType::Jsonb,
        DataType::Integer,
        DataType::Boolean,
    ];
    let columns: Vec<Column> = table
        .columns
        .iter()
        .zip(types)
        .map(|(column, data_type)| Column::new(&column.name, data_type))
        .collect();
    let operands: Vec<Operand<'_>> = table
        .columns
        .iter()
        .zip(&columns)
        .map(|(definition, column)| Operand::new(&table, definition, column))
        .collect();
    translate(&operands)
}

#[track_caller]
fn check(written: &str, expected: Option<&str>) {
    let found = with_operands(|operands| translate_check(written, operands));
    assert_eq!(found.as_deref(), expected, "{written}");
}

/// The translation into a type: the SQL, with `?` before it if it is uncertain, and the count of conditions behind it.
#[track_caller]
fn value(written: &str, data_type: &DataType, expected: Option<&str>) {
    let defined = DefinedType {
        name: match data_type {
            DataType::Integer => "bigint",
            DataType::DoublePrecision => "double",
            DataType::Text => "longtext",
            DataType::Boolean => "tinyint",
            _ => "date",
        }
        .to_owned(),
        ..DefinedType::default()
    };
    let found = with_operands(|operands| translate_value(written, operands, data_type, &defined));
    let shown = found.map(|translation| {
        let doubt = if translation.is_certain { "" } else { "?" };
        let conditions = match translation.conditions.len() {
            0 => String::new(),
            count => format!(" if {count}"),
        };
        format!("{doubt}{}{conditions}", translation.sql)
    });
    assert_eq!(shown.as_deref(), expected, "{written}");
}

#[test]
fn numbers_are_computed_without_overflow() {
    let integer = &DataType::Integer;
    for (written, expected) in [
        ("(`a` * 100)", Some(r#"(("a"::numeric * 100))"#)),
        ("`a` + `b c`", Some(r#"("a"::numeric + "b c"::numeric)"#)),
        ("`n` * 2 - 1", Some(r#"(("n" * 2) - 1)"#)),
        (
            "`a` div 2",
            Some(r#"div("a"::numeric, nullif(2::numeric, 0))"#),
        ),
        ("`a` % `n`", Some(r#"mod("a"::numeric, nullif("n", 0))"#)),
        ("`a` / 2", Some(r#"?("a"::numeric / nullif(2, 0))"#)),
        ("`f` + 1", None),
        ("ifnull(`a`,0)", Some(r#"coalesce("a", 0)"#)),
        ("-`a`", Some(r#"(- "a"::numeric)"#)),
        ("`a` > 3", Some(r#"(("a" > 3))::integer"#)),
        ("`o` + 1", Some(r#"("o"::integer::numeric + 1)"#)),
        ("`s` + 1", None),
        ("length(`s`)", Some(r#"octet_length("s")"#)),
        ("length(`l`)", Some(r#"?octet_length("l")"#)),
        ("char_length(`l`)", Some(r#"char_length("l")"#)),
        ("round(`n`,1)", Some(r#"round("n", 1)"#)),
        ("`s`", None),
    ] {
        value(written, integer, expected);
    }
    value(
        "`dd` + 1",
        &DataType::DoublePrecision,
        Some(r#"?("dd" + 1)"#),
    );
}

#[test]
fn texts_dates_and_json() {
    for (written, expected) in [
        (
            "concat(`s`,_utf8mb4'-',`s`)",
            Some(r#"("s" || '-' || "s")"#),
        ),
        ("concat(`s`,`a`)", Some(r#"("s" || ("a")::text)"#)),
        ("concat(`s`,`z`)", None),
        ("lower(`s`)", Some(r#"lower("s") if 1"#)),
        ("substr(`s`,2,3)", Some(r#"substr("s", 2, 3)"#)),
        ("substr(`s`,-2)", None),
        ("trim(`s`)", Some(r#"btrim("s", ' ')"#)),
        (
            "json_unquote(json_extract(`j`,_utf8mb4'$.kind'))",
            Some(
                r#"(CASE jsonb_typeof(("j" #> '{"kind"}')) WHEN 'null' THEN 'null' ELSE ("j" #>> '{"kind"}') END) if 1"#,
            ),
        ),
        ("json_extract(`s`,'$.a')", None),
        ("now()", None),
    ] {
        value(written, &DataType::Text, expected);
    }
    for (written, data_type, expected) in [
        ("`s` = 'a'", DataType::Boolean, None),
        (
            "cast(`dt` as date)",
            DataType::Date,
            Some(r#"("dt")::date"#),
        ),
        (
            "cast(`dt6` as date)",
            DataType::Date,
            Some(r#"?("dt6")::date"#),
        ),
        (
            "year(`d`)",
            DataType::Integer,
            Some(r#"(extract(year FROM "d")::integer)"#),
        ),
        (
            "`d` > '2000-01-01'",
            DataType::Boolean,
            Some(r#"("d" > '2000-01-01')"#),
        ),
        ("`d` > '2000-1-1'", DataType::Boolean, None),
        ("`j`->'$.a'", DataType::Jsonb, Some(r#"("j" #> '{"a"}')"#)),
        (
            "`j`->>'$.a'",
            DataType::Integer,
            Some(r#"(("j" #> '{"a"}'))::text::numeric if 1"#),
        ),
        ("json_extract(`j`,'$[0]')", DataType::Jsonb, None),
    ] {
        value(written, &data_type, expected);
    }
}

#[test]
fn checks_may_compare_texts() {
    for (written, expected) in [
        (
            "`a` > 0 and `s` is not null",
            Some(r#"(("a" > 0) AND ("s" IS NOT NULL))"#),
        ),
        (
            r"`s` in ('it''s','\\')",
            Some(r#"("s" IN ('it''s', E'\\'))"#),
        ),
        ("`a` between 1 and 9", Some(r#"("a" BETWEEN 1 AND 9)"#)),
        ("`a` <> 3", Some(r#"("a" <> 3)"#)),
        ("`d` > '2000-01-01'", Some(r#"("d" > '2000-01-01')"#)),
        ("`a`", Some(r#"("a" <> 0)"#)),
        (
            "if(`a` >= 1,`o`,NULL)",
            Some(r#"((CASE WHEN ("a" >= 1) THEN "o"::integer ELSE NULL END) <> 0)"#),
        ),
        ("`x` + 1", None),
        ("`a` || `b c`", None),
        ("`a` like 'x'", None),
        ("`a` > 1 2", None),
        ("(", None),
        ("", None),
        ("`s`", None),
    ] {
        check(written, expected);
    }
}

#[test]
fn what_is_deep_is_no_crash() {
    let sum = |count: usize| format!("`a`{} > 1", " + 1".repeat(count));
    let found = with_operands(|operands| translate_check(&sum(247), operands));
    assert!(found.is_some());
    for written in [
        sum(250),
        sum(500_000),
        "(".repeat(400),
        "not ".repeat(400),
        "- ".repeat(400),
        "if(`a`,".repeat(100),
        "case when ".repeat(200),
    ] {
        check(&written, None);
    }
}
