//! Each operator and function that is translated for generated columns, with values at the edges of its types: what
//! PostgreSQL has is what MariaDB (or, in scripts/test-mysql, MySQL) computes, with and without values in the dump.

use std::fmt::Write as _;
use std::fs;

use mysql::prelude::Queryable;

use crate::support::program::{Outcome, command, run};
use crate::support::scene::mysqldump;
use crate::support::servers::{
    connect_mariadb, connect_postgresql, new_mariadb_database, new_postgresql_database,
    postgresql_url,
};

/// What becomes of a generated column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// PostgreSQL computes it, whether the dump has values or not.
    Certain,
    /// PostgreSQL computes it if the values of the dump are the same; without them it is left out.
    Compared,
    /// It has the values of the dump; without them it is left out.
    Ordinary,
}
use Fate::{Certain, Compared, Ordinary};

const OPERANDS: &str = "id int NOT NULL PRIMARY KEY, i int, u int unsigned, b bigint, n decimal(12,3), m decimal(10,2), \
    dd double, f float, s varchar(40), l varchar(40) CHARACTER SET latin1, c char(8), d date, dt datetime, \
    dt6 datetime(6), t time, o tinyint(1), z int(6) zerofill, y year";
const NAMES: [&str; 18] = [
    "id", "i", "u", "b", "n", "m", "dd", "f", "s", "l", "c", "d", "dt", "dt6", "t", "o", "z", "y",
];

/// Rows with values at the edges.
const ROWS: [&str; 9] = [
    "1,0,0,0,0,0,0,0,'','','','2000-01-01','2000-01-01 00:00:00','2000-01-01 00:00:00','00:00:00',0,0,2000",
    "2,1,1,1,1.5,1.25,1.5,0.1,'abc','abc','abc','2000-02-29','2000-02-29 23:59:59','2000-02-29 23:59:59.999999','23:59:59',1,1,1901",
    "3,-1,4294967295,-1,-1.5,-1.25,-0.1,1.15,' x ','café',' y','9999-12-31','9999-12-31 23:59:59','1999-12-31 23:59:59.5','12:30:00',0,42,2155",
    "4,2147483647,7,9223372036854775807,999999999.999,99999999.99,1e15,16777217,'it''s \\\\ \"q\"','ÿ','a b','1000-01-01','1000-01-01 01:02:03','2024-12-30 12:34:56.000001','01:02:03',1,999999,1999",
    "5,-2147483648,10,-9223372036854775807,0.001,0.01,123456.789,3.14159,'UPPER lower','AB','AbC','2024-12-30','2024-12-30 12:00:00','2024-12-30 12:00:00','00:00:01',NULL,7,2024",
    "6,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL",
    "7,7,3,2,2.500,0.05,0.5,2.5,'a,b,a','x','zz','2021-01-03','2021-01-03 06:07:08','2021-01-03 06:07:08.5','06:07:08',1,3,2021",
    "8,-7,2,-3,-2.500,-0.05,-0.5,-2.5,'line\\nbreak','y','tab','2021-01-04','2021-01-04 00:00:01','2021-01-04 00:00:01','00:00:59',0,12,1970",
    "9,10,5,100,0.0005,12.34,2,1e10,'0012','17','9','1900-03-01','1900-03-01 10:00:00','1900-03-01 10:00:00','10:00:00',1,100,1999",
];

/// Texts beside ASCII, whose case differs between the servers.
const FOREIGN: &str = "10,1,1,1,1,1,1,1,'ÀÉß日','é','é','2000-01-01','2000-01-01 00:00:00','2000-01-01 00:00:00','00:00:00',1,1,2000";

const CASES: [(&str, &str, Fate); 93] = [
    // Whole numbers.
    ("i + 1", "bigint", Certain),
    ("i - u", "bigint", Certain),
    ("i * i", "bigint", Certain),
    ("i * u", "decimal(30,0)", Certain),
    ("b + 0", "bigint", Certain),
    ("b * 2", "decimal(30,0)", Certain),
    ("-i", "bigint", Certain),
    ("i div 3", "int", Certain),
    ("i div u", "int", Certain),
    ("i % 3", "int", Certain),
    ("mod(b, 10)", "int", Certain),
    ("i mod u", "bigint", Certain),
    ("abs(i)", "bigint", Certain),
    ("sign(i)", "int", Certain),
    ("i", "bigint", Certain),
    ("i", "smallint", Certain),
    ("i", "varchar(20)", Certain),
    ("i", "varbinary(20)", Certain),
    ("i", "tinyint(1)", Certain),
    ("z + 1", "int", Certain),
    ("y + 1", "int", Certain),
    ("z", "varchar(20)", Ordinary),
    ("o + 1", "int", Certain),
    ("o", "tinyint(1)", Certain),
    ("greatest(i, u)", "bigint", Certain),
    ("least(i, 3, u)", "bigint", Certain),
    // Exact numbers.
    ("n + m", "decimal(20,3)", Certain),
    ("n * m", "decimal(30,5)", Certain),
    ("n * m", "decimal(20,1)", Certain),
    ("n - 1.05", "decimal(20,2)", Certain),
    ("n", "int", Certain),
    ("n", "decimal(12,1)", Certain),
    ("m", "varchar(20)", Certain),
    ("round(n)", "int", Certain),
    ("round(n, 1)", "decimal(20,1)", Certain),
    ("floor(n)", "int", Certain),
    ("ceiling(n)", "int", Certain),
    ("cast(n as signed)", "bigint", Certain),
    ("cast(i as decimal(12,2))", "decimal(12,2)", Certain),
    ("n % 2", "decimal(12,3)", Certain),
    ("n / 4", "decimal(20,3)", Compared),
    // Floating-point numbers.
    ("dd + 1", "double", Compared),
    ("dd * 2", "double", Compared),
    ("dd > 0.5", "int", Compared),
    ("f * 2", "double", Ordinary),
    ("f > 0.1", "tinyint(1)", Ordinary),
    ("f", "decimal(12,1)", Ordinary),
    // Comparisons and conditions.
    ("i > u", "int", Certain),
    ("i = 1", "smallint", Certain),
    ("n <> m", "bigint", Certain),
    ("i <=> NULL", "tinyint(1)", Certain),
    ("i between -1 and 10", "tinyint(1)", Certain),
    ("i not in (1, 2, NULL)", "tinyint(1)", Certain),
    ("i is null or u > 3", "int", Certain),
    ("not (i and u)", "int", Certain),
    ("d > '2000-01-01'", "int", Certain),
    ("d is not null", "int", Certain),
    ("dt < dt6", "int", Certain),
    ("s = 'abc'", "int", Ordinary),
    ("s like 'a%'", "int", Ordinary),
    ("if(i > 0, i, -1)", "int", Certain),
    ("ifnull(i, 0)", "int", Certain),
    ("coalesce(i, u, 1)", "bigint", Certain),
    ("nullif(i, 1)", "int", Certain),
    (
        "case when i > 0 then 'pos' when i < 0 then 'neg' end",
        "varchar(10)",
        Certain,
    ),
    (
        "case when n > 1 then n else i end",
        "decimal(20,3)",
        Certain,
    ),
    // Texts.
    ("concat(s, '-', i)", "varchar(80)", Certain),
    ("concat(s, n)", "varchar(80)", Certain),
    ("concat(c, l)", "varchar(80)", Certain),
    ("char_length(s)", "int", Certain),
    ("char_length(l)", "int", Certain),
    ("length(s)", "int", Certain),
    ("length(l)", "int", Compared),
    ("octet_length(c)", "int", Certain),
    ("lower(s)", "varchar(40)", Certain),
    ("upper(s)", "varchar(40)", Certain),
    ("left(s, 2)", "varchar(40)", Certain),
    ("right(s, 2)", "varchar(40)", Certain),
    ("substr(s, 2)", "varchar(40)", Certain),
    ("substr(s, 2, 3)", "varchar(40)", Certain),
    ("trim(s)", "varchar(40)", Certain),
    ("ltrim(s)", "varchar(40)", Certain),
    ("replace(s, 'a', 'bb')", "varchar(80)", Certain),
    ("md5(s)", "char(32)", Compared),
    ("s", "text", Certain),
    // Dates.
    ("year(d)", "int", Certain),
    ("month(dt)", "int", Certain),
    ("quarter(d) * 100 + dayofyear(d)", "int", Certain),
    ("dayofweek(d) * 10 + weekday(d)", "int", Certain),
    ("hour(dt) * 60 + minute(dt)", "int", Certain),
    ("cast(dt as date)", "date", Certain),
    ("datediff(dt, d)", "int", Certain),
    ("to_days(d)", "int", Certain),
];

/// Makes a table `g0`, `g1`, … for each case, with the rows that the server takes. Returns the cases whose expression the
/// server does not allow: MariaDB refuses what depends on the SQL mode, MySQL some functions.
fn make(client: &mut mysql::Conn, with_foreign: bool) -> Vec<usize> {
    client
        .query_drop("SET sql_mode = 'STRICT_ALL_TABLES'")
        .unwrap();
    let mut refused = Vec::new();
    for (at, (expression, data_type, _)) in CASES.iter().enumerate() {
        let create = format!(
            "CREATE TABLE g{at} ({OPERANDS}, g {data_type} GENERATED ALWAYS AS ({expression}) STORED) CHARSET=utf8mb4"
        );
        if let Err(error) = client.query_drop(&create) {
            assert!(
                ["cannot be used in the", "a disallowed function"]
                    .iter()
                    .any(|words| error.to_string().contains(words)),
                "{create}: {error}"
            );
            refused.push(at);
            continue;
        }
        let foreign = with_foreign.then_some(&FOREIGN);
        let mut taken = 0;
        for row in ROWS.iter().chain(foreign) {
            let insert = format!("INSERT INTO g{at} ({}) VALUES ({row})", NAMES.join(","));
            taken += usize::from(client.query_drop(insert).is_ok());
        }
        assert!(taken >= 3, "{expression}: only {taken} rows");
    }
    assert!(refused.len() < 12, "{refused:?}");
    refused
}

/// A dump of the same tables as MySQL makes it, without the values of generated columns.
fn dump_without_values(client: &mut mysql::Conn, refused: &[usize]) -> String {
    let mut dump =
        "/*!50503 SET NAMES utf8mb4 */;\n/*!40103 SET TIME_ZONE='+00:00' */;\n".to_owned();
    for at in (0..CASES.len()).filter(|at| !refused.contains(at)) {
        let (_, create): (String, String) = client
            .query_first(format!("SHOW CREATE TABLE g{at}"))
            .unwrap()
            .unwrap();
        let quoted: Vec<String> = NAMES.iter().map(|name| format!("quote({name})")).collect();
        let rows: Vec<String> = client
            .query(format!(
                "SELECT concat('(', concat_ws(',', {}), ')') FROM g{at} ORDER BY id",
                quoted.join(",")
            ))
            .unwrap();
        let _ = write!(
            dump,
            "{create};\nINSERT INTO `g{at}` ({}) VALUES {};\n",
            NAMES.join(","),
            rows.join(",")
        );
    }
    dump
}

fn import(database: &str, schema: &str, dump: &[u8]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    fs::write(&path, dump).unwrap();
    let run_with = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.args([
            "--database-url",
            &postgresql_url(database),
            "--schema",
            schema,
        ]);
        run(command).exits(0)
    };
    let path = path.to_str().unwrap();
    let outcome = run_with(&[path, "--verify", "full"]);
    run_with(&["verify", path]);
    outcome
}

/// The values of `g` in PostgreSQL, by `id`, and whether the server computes them; none if there is no such column.
fn found(client: &mut postgres::Client, schema: &str, at: usize) -> Option<(bool, Vec<String>)> {
    let sql = "SELECT attgenerated <> '', format_type(atttypid, NULL) FROM pg_attribute
               WHERE attrelid = ($1::text)::regclass AND attname = 'g'";
    let row = client
        .query_opt(sql, &[&format!("{schema}.g{at}")])
        .unwrap()?;
    let (is_computed, data_type): (bool, String) = (row.get(0), row.get(1));
    let value = match data_type.as_str() {
        "boolean" => "g::integer::text",
        "bytea" => "encode(g, 'escape')",
        _ => "g::text",
    };
    let sql = format!("SELECT coalesce({value}, '~') FROM {schema}.g{at} ORDER BY id");
    let values = client.query(&sql, &[]).unwrap();
    Some((is_computed, values.iter().map(|row| row.get(0)).collect()))
}

/// Whether two texts are the same value: numbers may be written in several ways.
fn is_same(one: &str, other: &str) -> bool {
    let has_fraction = |text: &str| text.contains(['.', 'e']);
    let number = |text: &str| text.parse::<f64>().ok();
    one == other
        || (has_fraction(one) || has_fraction(other))
            && matches!((number(one), number(other)), (Some(a), Some(b)) if (a + 0.0).total_cmp(&(b + 0.0)).is_eq())
}

fn values_are_those_of_the_source(with_foreign: bool) {
    let source = new_mariadb_database();
    let mut client = connect_mariadb(&source);
    let refused = make(&mut client, with_foreign);
    let database = new_postgresql_database();
    let dumps = [
        ("given", mysqldump(&source, &[])),
        (
            "missing",
            dump_without_values(&mut client, &refused).into_bytes(),
        ),
    ];
    // MySQL writes no values of generated columns.
    let is_mysql = crate::support::mysql_instead::folder().is_some();
    let mut wrong = Vec::new();
    for (schema, dump) in dumps {
        let outcome = import(&database, schema, &dump);
        let mut target = connect_postgresql(&database);
        let has_values = schema == "given" && !is_mysql;
        for (at, (expression, data_type, fate)) in CASES.iter().enumerate() {
            if refused.contains(&at) {
                continue;
            }
            let sql = format!("SELECT coalesce(cast(g as char), '~') FROM g{at} ORDER BY id");
            let expected: Vec<String> = client.query(sql).unwrap();
            let found = found(&mut target, schema, at);
            let told = outcome.stdout.contains(&format!("g{at}.g: generated as "));
            let problem = problem(found, &expected, *fate, has_values, told, with_foreign);
            wrong.extend(
                problem.map(|what| format!("{schema}: {expression} as {data_type}: {what}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with a column that was found in PostgreSQL, or not.
fn problem(
    found: Option<(bool, Vec<String>)>,
    expected: &[String],
    fate: Fate,
    has_values: bool,
    told: bool,
    with_foreign: bool,
) -> Option<String> {
    let Some((is_computed, values)) = found else {
        let is_right = !has_values && told && (fate != Certain || with_foreign);
        return (!is_right).then(|| format!("left out, {told}"));
    };
    let is_right = match (fate, has_values) {
        _ if with_foreign => is_computed || has_values,
        (Certain, _) => is_computed,
        (Ordinary, true) => !is_computed,
        (Compared, true) => true,
        (Ordinary | Compared, false) => false,
    };
    if !is_right || told == is_computed {
        return Some(format!("computed {is_computed}, told {told}"));
    }
    let mut pairs = values.iter().zip(expected);
    let differs = pairs.find(|(value, expected)| !is_same(value, expected));
    differs
        .map(|(value, expected)| format!("{expected} became {value}"))
        .or_else(|| (values.len() != expected.len()).then(|| "rows are missing".to_owned()))
}

#[test]
fn at_the_edges_of_their_types() {
    values_are_those_of_the_source(false);
}

#[test]
fn with_texts_beside_ascii() {
    values_are_those_of_the_source(true);
}
