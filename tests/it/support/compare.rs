//! Compares a database in MariaDB with one in PostgreSQL: tables, columns, rows, values, indexes. Both
//! servers are asked; what the program did in between is of no concern here.

use std::collections::BTreeSet;

use mysql::Value;
use mysql::prelude::Queryable;

/// A difference that is meant to be: table, column, and what becomes of a value.
pub(crate) type Meant = (
    &'static str,
    &'static str,
    fn(Option<Vec<u8>>) -> Option<Vec<u8>>,
);

/// Both databases, and what is known to differ.
pub(crate) struct Comparison<'a> {
    pub(crate) source: mysql::Conn,
    pub(crate) target: postgres::Client,
    /// The schema in PostgreSQL.
    pub(crate) schema: &'a str,
    /// Differences that are meant to be.
    pub(crate) meant: &'a [Meant],
    /// Columns with another name in PostgreSQL.
    pub(crate) renamed: &'a [Renamed],
}

/// A column whose name PostgreSQL reserves.
pub(crate) struct Renamed {
    pub(crate) table: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// A column that both servers have.
struct Column {
    source: String,
    target: String,
    /// The type in PostgreSQL.
    kind: String,
}

/// What was compared, and what differs.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) tables: usize,
    pub(crate) rows: usize,
    pub(crate) values: usize,
    pub(crate) indexes: usize,
    pub(crate) differences: Vec<String>,
}

/// No more differences than this are kept of one table.
const ENOUGH: usize = 10;

type Cell = Option<Vec<u8>>;

impl Comparison<'_> {
    /// Compares all base tables of MariaDB's current database.
    pub(crate) fn all_tables(&mut self) -> Findings {
        let mut findings = Findings::default();
        let tables: Vec<String> = self
            .source
            .query(
                "SELECT table_name FROM information_schema.tables
                 WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY 1",
            )
            .unwrap();
        let found: BTreeSet<String> = self
            .target
            .query(
                "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relkind = 'r'",
                &[&self.schema],
            )
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect();
        for table in &tables {
            if found.contains(table) {
                self.table(table, &mut findings);
            } else {
                findings
                    .differences
                    .push(format!("the table {table} is missing"));
            }
        }
        let known: BTreeSet<String> = tables.into_iter().collect();
        for table in found.difference(&known) {
            findings
                .differences
                .push(format!("the table {table} is not in MariaDB"));
        }
        findings
    }

    /// Compares one table.
    pub(crate) fn table(&mut self, table: &str, findings: &mut Findings) {
        findings.tables += 1;
        let before = findings.differences.len();
        let columns = self.columns(table, findings);
        let source = self.source_rows(table, &columns);
        let target = self.target_rows(table, &columns);
        if source.len() != target.len() {
            findings.differences.push(format!(
                "{table}: {} rows in MariaDB, {} in PostgreSQL",
                source.len(),
                target.len()
            ));
            return;
        }
        findings.rows += source.len();
        for (expected, found) in source.iter().zip(&target) {
            for (at, column) in columns.iter().enumerate() {
                findings.values += 1;
                if expected[at] != found[at] && findings.differences.len() < before + ENOUGH {
                    findings.differences.push(format!(
                        "{table}.{} of the row with {}: {} became {}",
                        column.target,
                        shown(expected.first().unwrap_or(&None)),
                        shown(&expected[at]),
                        shown(&found[at])
                    ));
                }
            }
        }
        self.indexes(table, findings);
    }

    /// The columns that both have; what only one has is a finding, unless PostgreSQL cannot have it.
    fn columns(&mut self, table: &str, findings: &mut Findings) -> Vec<Column> {
        let source: Vec<(String, String)> = self
            .source
            .exec(
                "SELECT column_name, data_type FROM information_schema.columns
                 WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position",
                (table,),
            )
            .unwrap();
        let source_name = |target: String| {
            let mut renamed = self.renamed.iter();
            renamed
                .find(|renamed| renamed.table == table && renamed.to == target)
                .map_or(target, |renamed| renamed.from.clone())
        };
        let target: Vec<Column> = self
            .target
            .query(
                "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
                 JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = $2 AND attnum > 0 AND NOT attisdropped
                 ORDER BY attnum",
                &[&self.schema, &table],
            )
            .unwrap()
            .iter()
            .map(|row| Column {
                source: source_name(row.get(0)),
                target: row.get(0),
                kind: row.get(1),
            })
            .collect();
        let spatial = [
            "geometry",
            "point",
            "linestring",
            "polygon",
            "multipoint",
            "multilinestring",
            "multipolygon",
            "geometrycollection",
        ];
        let expected: Vec<&String> = source
            .iter()
            .filter(|(name, kind)| {
                !spatial.contains(&kind.as_str())
                    || target.iter().any(|known| known.source == *name)
            })
            .map(|(name, _)| name)
            .collect();
        let found: Vec<&String> = target.iter().map(|column| &column.source).collect();
        if expected != found {
            findings
                .differences
                .push(format!("{table}: columns {expected:?} became {found:?}"));
        }
        target
            .into_iter()
            .filter(|column| expected.contains(&&column.source))
            .collect()
    }

    fn source_rows(&mut self, table: &str, columns: &[Column]) -> Vec<Vec<Cell>> {
        let list: Vec<String> = columns
            .iter()
            .map(|column| {
                let name = format!("`{}`", column.source.replace('`', "``"));
                match column.kind.as_str() {
                    "boolean" => format!("{name} + 0"),
                    kind if kind.starts_with("bit(") => {
                        let width: u32 = kind[4..kind.len() - 1].parse().unwrap();
                        format!("LPAD(BIN({name}), {width}, '0')")
                    }
                    _ => name,
                }
            })
            .collect();
        let sql = format!(
            "SELECT {} FROM `{}`",
            list.join(", "),
            table.replace('`', "``")
        );
        let mut rows = Vec::new();
        for row in self.source.query_iter(sql).unwrap() {
            let values = row.unwrap().unwrap();
            let cells = values.into_iter().zip(columns).map(|(value, column)| {
                let mut cell = match value {
                    Value::NULL => None,
                    Value::Bytes(bytes) => Some(bytes),
                    other => panic!("the text protocol sends text, not {other:?}"),
                };
                let meant = self
                    .meant
                    .iter()
                    .filter(|(t, c, _)| *t == table && *c == column.source);
                for (_, _, change) in meant {
                    cell = change(cell);
                }
                cell.and_then(|bytes| from_mariadb(&column.kind, bytes))
            });
            rows.push(cells.collect());
        }
        rows.sort();
        rows
    }

    fn target_rows(&mut self, table: &str, columns: &[Column]) -> Vec<Vec<Cell>> {
        let list: Vec<String> = columns
            .iter()
            .map(|column| {
                let name = format!("\"{}\"", column.target.replace('"', "\"\""));
                match column.kind.as_str() {
                    "boolean" => format!("{name}::int::text"),
                    "bytea" => format!("encode({name}, 'hex')"),
                    _ => format!("{name}::text"),
                }
            })
            .collect();
        let table = table.replace('"', "\"\"");
        let sql = format!(
            "SELECT {} FROM \"{}\".\"{table}\"",
            list.join(", "),
            self.schema
        );
        let mut rows: Vec<Vec<Cell>> = self
            .target
            .simple_query(&sql)
            .unwrap()
            .into_iter()
            .filter_map(|message| match message {
                postgres::SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            })
            .map(|row| {
                let cells = columns.iter().enumerate().map(|(at, column)| {
                    let text = row.get(at)?;
                    Some(from_postgresql(&column.kind, text))
                });
                cells.collect()
            })
            .collect();
        rows.sort();
        rows
    }

    /// Each index of MariaDB has a counterpart of as many parts, unique where it is.
    fn indexes(&mut self, table: &str, findings: &mut Findings) {
        let source: Vec<(String, i64, i64, String)> = self
            .source
            .exec(
                "SELECT index_name, CAST(MAX(non_unique) AS SIGNED), CAST(COUNT(*) AS SIGNED), MAX(index_type)
                 FROM information_schema.statistics
                 WHERE table_schema = DATABASE() AND table_name = ? GROUP BY index_name",
                (table,),
            )
            .unwrap();
        let mut found: Vec<(bool, i64)> = self
            .target
            .query(
                // PostgreSQL 10 has no columns in an index but those of its key.
                "SELECT i.indisunique,
                        COALESCE(to_jsonb(i) ->> 'indnkeyatts', i.indnatts::text)::bigint
                 FROM pg_index i
                 JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = $2",
                &[&self.schema, &table],
            )
            .unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        for (name, non_unique, parts, kind) in source {
            findings.indexes += 1;
            let wanted = match kind.as_str() {
                "SPATIAL" => continue,
                "FULLTEXT" => (false, 1),
                _ => (non_unique == 0, parts),
            };
            match found.iter().position(|index| *index == wanted) {
                Some(at) => drop(found.remove(at)),
                None => findings
                    .differences
                    .push(format!("{table}: the index {name} is missing")),
            }
        }
    }
}

/// A value of MariaDB as PostgreSQL should show it in a column of type `kind`.
fn from_mariadb(kind: &str, bytes: Vec<u8>) -> Cell {
    let text = || String::from_utf8(bytes.clone()).expect("MariaDB sends UTF-8");
    let base = kind.split(['(', ' ']).next().unwrap();
    Some(match base {
        "date" | "timestamp" => {
            let text = text();
            let date = text.split(' ').next().unwrap().to_owned();
            if date
                .split('-')
                .any(|part| part.trim_matches('0').is_empty())
            {
                return None;
            }
            without_fraction_zeros(&text)
        }
        "time" | "interval" => without_fraction_zeros(&text()),
        "double" => float(&text()),
        "numeric" => decimal(&text()),
        "bytea" => bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into_bytes(),
        "jsonb" => json(&text()),
        "character" if !kind.starts_with("character varying") => text()
            .replace('\0', "")
            .trim_end_matches(' ')
            .as_bytes()
            .to_vec(),
        "text" | "character" | "json" => text().replace('\0', "").into_bytes(),
        "smallint" | "integer" | "bigint" => text()
            .parse::<i128>()
            .expect("a whole number")
            .to_string()
            .into_bytes(),
        _ => bytes,
    })
}

/// The same of PostgreSQL's own value.
fn from_postgresql(kind: &str, text: &str) -> Vec<u8> {
    let base = kind.split(['(', ' ']).next().unwrap();
    match base {
        "date" | "timestamp" | "time" | "interval" => without_fraction_zeros(text),
        // It says that this is no network.
        "inet" => {
            let address = text
                .strip_suffix("/32")
                .or_else(|| text.strip_suffix("/128"));
            address.unwrap_or(text).as_bytes().to_vec()
        }
        "double" => float(text),
        "numeric" => decimal(text),
        "jsonb" => json(text),
        "character" if !kind.starts_with("character varying") => {
            text.trim_end_matches(' ').as_bytes().to_vec()
        }
        _ => text.as_bytes().to_vec(),
    }
}

fn without_fraction_zeros(text: &str) -> Vec<u8> {
    if text.contains('.') {
        return text
            .trim_end_matches('0')
            .trim_end_matches('.')
            .as_bytes()
            .to_vec();
    }
    text.as_bytes().to_vec()
}

fn float(text: &str) -> Vec<u8> {
    let number: f64 = text.parse().expect("a number");
    format!("{number:e}").into_bytes()
}

fn decimal(text: &str) -> Vec<u8> {
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text), |digits| ("-", digits));
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() || digits.starts_with('.') {
        format!("0{digits}")
    } else {
        digits.to_owned()
    };
    let sign = if digits.chars().all(|c| matches!(c, '0' | '.')) {
        ""
    } else {
        sign
    };
    format!("{sign}{digits}").into_bytes()
}

fn json(text: &str) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    value.to_string().into_bytes()
}

fn shown(cell: &Cell) -> String {
    cell.as_ref().map_or_else(
        || "NULL".to_owned(),
        |bytes| {
            String::from_utf8_lossy(bytes)
                .chars()
                .take(60)
                .collect::<String>()
                .escape_debug()
                .to_string()
        },
    )
}
