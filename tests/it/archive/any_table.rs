//! Random tables with random rows, dumped with random options, arrive value for value, with keys before and after their
//! rows, and so does what `convert` makes of them.
//!
//! Runs for a minute, or as many seconds as `CI_IMPORT_RANDOM_SECONDS` says. The seed is printed, and
//! `CI_IMPORT_RANDOM_SEED` repeats it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use mysql::prelude::Queryable;

use super::keys_after_rows::as_phpmyadmin;
use crate::support::compare::{Comparison, Renamed};
use crate::support::program::{command, run};
use crate::support::scene::mysqldump;
use crate::support::servers::{
    connect_mariadb, connect_postgresql, new_mariadb_database, new_postgresql_database,
    postgresql_url,
};

#[test]
fn random_tables_arrive_value_for_value() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seconds = number("CI_IMPORT_RANDOM_SECONDS").unwrap_or(60);
    let mut seed = number("CI_IMPORT_RANDOM_SEED").unwrap_or_else(|| fastrand::u64(..));
    // Not by `println!`, of which only a failed test is heard.
    let say = |text: String| _ = writeln!(std::io::stderr(), "{text}");
    say(format!("random tables: CI_IMPORT_RANDOM_SEED={seed}"));
    let started = Instant::now();
    let (mut rounds, mut values) = (0, 0);
    loop {
        println!("CI_IMPORT_RANDOM_SEED={seed}");
        values += round(&mut Rng::with_seed(seed));
        rounds += 1;
        seed = seed.wrapping_add(1);
        if started.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
    }
    say(format!("random tables: {rounds} rounds, {values} values"));
    assert!(values > 0);
}

/// What a dump's character set can hold, beside ASCII, and what it is called.
const REPERTOIRES: [(&str, &str); 9] = [
    ("utf8mb4", "é日本🎉ÿ\u{301}—☃"),
    ("utf8", "é日本ÿ—☃"),
    ("binary", "é日本🎉ÿ—☃"),
    ("latin1", "éÿ—€ßŸ"),
    ("cp1251", "Привет№"),
    ("sjis", "表ソ能日本ｱ"),
    ("cp932", "表ソ能①日本"),
    ("gbk", "誠乗中文"),
    ("big5", "功許蓋中文"),
];

struct Round<'a> {
    rng: &'a mut Rng,
    /// Characters that texts are made of, beside ASCII.
    letters: Vec<char>,
    /// Character sets that columns may have.
    charsets: Vec<&'static str>,
    /// Whether names must do without quotes.
    plain_names: bool,
}

/// One round: some tables, dumped, imported, compared. Returns how many values were.
fn round(rng: &mut Rng) -> usize {
    let (charset, letters) = REPERTOIRES[rng.usize(..REPERTOIRES.len())];
    let mut options = vec![format!("--default-character-set={charset}")];
    let all = [
        "--hex-blob",
        "--skip-extended-insert",
        "--complete-insert",
        "--compatible=postgresql",
        "--compatible=ansi",
        "--compatible=no_table_options",
        "--skip-quote-names",
        "--order-by-primary",
        "--skip-tz-utc",
        "--no-autocommit",
        "--replace",
        "--insert-ignore",
        "--skip-comments",
        "--compact",
        "--skip-create-options",
        "--skip-add-drop-table",
    ];
    for option in all {
        if rng.u8(..4) == 0 {
            options.push(option.to_owned());
        }
    }
    // Without SET NAMES a dump is taken for UTF-8.
    if charset != "utf8mb4" && charset != "utf8" {
        options.retain(|option| option != "--compact" && !option.starts_with("--compatible"));
    }
    // The bytes of each column, but not the character set of its table: nobody could read that.
    if charset == "binary" {
        options.retain(|option| option != "--skip-create-options");
    }
    let plain_names = options.iter().any(|option| option == "--skip-quote-names");
    let mut round = Round {
        letters: letters.chars().collect(),
        charsets: match charset {
            "binary" => vec!["utf8mb4", "ucs2", "utf16"],
            "utf8mb4" | "utf8" => vec![charset],
            other => vec![other, "utf8mb4"],
        },
        plain_names,
        rng,
    };
    let source = new_mariadb_database();
    let mut statements = Vec::new();
    for number in 0..=round.rng.usize(..3) {
        statements.extend(round.table(number));
    }
    let mut client = connect_mariadb(&source);
    for statement in &statements {
        if let Err(error) = client.query_drop(statement) {
            // A row whose generated columns MariaDB cannot compute.
            if error.to_string().contains("is out of range in") {
                continue;
            }
            // MariaDB refuses what depends on the SQL mode.
            assert!(
                error
                    .to_string()
                    .contains("cannot be used in the GENERATED"),
                "{statement}: {error}"
            );
            return 0;
        }
    }
    let arguments: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut dump = mysqldump(&source, &arguments);
    let has_other_definitions = |option: &&String| {
        let other = [
            "--compatible",
            "--skip-quote-names",
            "--skip-create-options",
        ];
        other.iter().any(|other| option.starts_with(other))
    };
    let is_late = round.rng.bool() && !options.iter().any(|option| has_other_definitions(&option));
    if let Some(text) = std::str::from_utf8(&dump).ok().filter(|_| is_late) {
        options.push("keys after the rows".to_owned());
        dump = as_phpmyadmin(text).into_bytes();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.sql");
    fs::write(&path, &dump).unwrap();
    let story = || {
        format!(
            "{options:?}\n{}",
            statements
                .join(";\n")
                .chars()
                .take(4000)
                .collect::<String>()
        )
    };
    let converted = folder.path().join("converted.sql");
    let mut convert = command(["convert", "-o"]);
    let enums = ["text", "type"][round.rng.usize(..2)];
    let outcome = run(convert.arg(&converted).args(["--enum", enums]).arg(&path));
    assert!(outcome.code == Some(0), "{outcome:?}\n{}", story());
    let told = outcome.whole();
    let values = arrives(&source, &path, enums, "", story)
        + arrives(&source, &converted, enums, &told, story);
    drop(client);
    connect_mariadb("mysql")
        .query_drop(format!("DROP DATABASE {source}"))
        .unwrap();
    values
}

/// Imports `dump`, of which a conversion has `converted` as its report, and compares what came of it with `source`, in
/// MariaDB. Returns how many values were compared.
fn arrives(
    source: &str,
    dump: &Path,
    enums: &str,
    converted: &str,
    story: impl Fn() -> String,
) -> usize {
    let database = new_postgresql_database();
    let mut import = command([dump.to_str().unwrap(), "--database-url"]);
    import
        .arg(postgresql_url(&database))
        .args(["--json", "--jobs", "2", "--verify", "full"])
        .args(["--enum", enums]);
    let outcome = run(import);
    assert!(outcome.code == Some(0), "{outcome:?}\n{}", story());
    let told = Told::of(&outcome.stdout, converted);
    let renamed = told.renamed();
    let mut comparison = Comparison {
        renamed: &renamed,
        source: connect_mariadb(source),
        target: connect_postgresql(&database),
        schema: "public",
        meant: &[],
    };
    let findings = comparison.all_tables();
    let untold: Vec<&String> = findings
        .differences
        .iter()
        .filter(|difference| !told.has(difference))
        .collect();
    assert!(
        untold.is_empty(),
        "{}: {untold:#?}\n{}\n{}",
        dump.display(),
        outcome.stdout,
        story()
    );
    let mut verify = command(["verify", dump.to_str().unwrap(), "--database-url"]);
    verify.arg(postgresql_url(&database));
    let verified = run(verify.args(["--quiet", "--enum", enums]));
    assert!(verified.code == Some(0), "{verified:?}\n{}", story());
    drop(comparison);
    connect_postgresql("postgres")
        .batch_execute(&format!("DROP DATABASE {database}"))
        .unwrap();
    findings.values
}

/// What the reports say.
struct Told(String);

impl Told {
    /// The lines of a report in JSON, as they are in one that is text, behind those of the conversion.
    fn of(report: &str, converted: &str) -> Told {
        let report: serde_json::Value = serde_json::from_str(report).unwrap();
        let mut lines = converted.to_owned();
        for note in report["notes"].as_array().unwrap() {
            let text = |name: &str| note[name].as_str().unwrap_or_default();
            let _ = writeln!(
                lines,
                "{}.{}: {}",
                text("table"),
                text("item"),
                text("what")
            );
        }
        Told(lines)
    }

    /// The columns that had a name which PostgreSQL reserves.
    fn renamed(&self) -> Vec<Renamed> {
        let lines = self.0.lines();
        lines
            .filter_map(|line| {
                let (column, rest) = line.split_once(": the column was named ")?;
                let (from, _) = rest.split_once(", which is a system column")?;
                let (table, to) = column.trim_start().rsplit_once('.')?;
                Some(Renamed {
                    table: table.to_owned(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                })
            })
            .collect()
    }

    /// Whether a difference that the comparison has found is told: only keys may differ.
    fn has(&self, difference: &str) -> bool {
        let Some((table, key)) = difference.split_once(": the index ") else {
            return false;
        };
        let key = key.trim_end_matches(" is missing");
        let key = key.replace("PRIMARY", &format!("{table}_pkey"));
        self.0.contains(&format!("{table}.{key}: "))
    }
}

impl Round<'_> {
    fn table(&mut self, number: usize) -> Vec<String> {
        let mut name = self.name(&format!("t{number}"));
        if number > 0 && self.rng.u8(..6) == 0 {
            name = format!("`t{}_id_seq`", number - 1);
        }
        let columns = 1 + self.rng.usize(..12);
        let mut definitions = Vec::new();
        let mut kinds = Vec::new();
        let has_id = self.rng.bool();
        if has_id {
            let kind = [
                "int",
                "bigint",
                "int unsigned",
                "bigint unsigned",
                "smallint",
            ];
            let kind = kind[self.rng.usize(..kind.len())];
            definitions.push(format!("`id` {kind} NOT NULL AUTO_INCREMENT"));
        }
        let mut names: Vec<String> = Vec::new();
        for column in 0..columns {
            let mut column_name = self.name(&format!("c{column}"));
            if self.rng.u8(..30) == 0 {
                let reserved = ["ctid", "XMIN", "cmax", "tableoid", "xmax_", "xmax"];
                let reserved = format!("`{}`", reserved[self.rng.usize(..reserved.len())]);
                if !names.contains(&reserved) {
                    column_name = reserved;
                }
            }
            let kind = Kind::random(self);
            let null = if self.rng.u8(..3) == 0 {
                " NOT NULL"
            } else {
                ""
            };
            definitions.push(format!("{column_name} {}{null}", kind.written));
            names.push(column_name);
            kinds.push((kind, null.is_empty()));
        }
        self.generated(&names, &kinds, &mut definitions);
        self.checks(&names, &kinds, &mut definitions);
        let has_keys = self.keys(has_id, &names, &kinds, &mut definitions);
        for (at, (kind, _)) in kinds.iter().enumerate() {
            if kind.indexed && self.rng.u8(..3) == 0 {
                let prefix = if kind.needs_prefix { "(7)" } else { "" };
                definitions.push(format!("KEY `i{number}_{at}` ({}{prefix})", names[at]));
            }
        }
        let charset = self.charset();
        let mut statements = vec![
            // Some texts in JSON columns are none.
            "SET check_constraint_checks = 0".to_owned(),
            format!(
                "CREATE TABLE {name} ({}) DEFAULT CHARSET={charset}",
                definitions.join(", ")
            ),
        ];
        // Rows whose key is there already are left out.
        let ignore = if has_keys { "IGNORE " } else { "" };
        let rows = self.rng.usize(..40);
        for _ in 0..rows {
            let values: Vec<String> = kinds
                .iter()
                .map(|(kind, nullable)| {
                    if *nullable && self.rng.u8(..5) == 0 {
                        "NULL".to_owned()
                    } else {
                        (kind.value)(self)
                    }
                })
                .collect();
            let list = names.join(", ");
            statements.push(format!(
                "INSERT {ignore}INTO {name} ({list}) VALUES ({})",
                values.join(", ")
            ));
        }
        statements
    }

    /// Some generated columns over columns of numbers and texts. MariaDB refuses what depends on the SQL mode.
    fn generated(
        &mut self,
        names: &[String],
        kinds: &[(Kind, bool)],
        definitions: &mut Vec<String>,
    ) {
        for (at, (name, (kind, _))) in names.iter().zip(kinds).enumerate() {
            if self.rng.u8(..4) > 0 {
                continue;
            }
            let common = [("int", "{} is null"), ("tinyint(1)", "{} is not null")];
            let of_kind: &[(&str, &str)] = match kind.class {
                Class::Number => &[
                    ("bigint", "coalesce({},0)"),
                    ("decimal(30,0)", "{} * 2"),
                    ("int", "{} > 3"),
                    ("tinyint(1)", "{}"),
                    ("varchar(40)", "{}"),
                    ("int", "{}"),
                ],
                Class::Text => &[
                    ("int", "char_length({})"),
                    ("int", "length({})"),
                    ("varchar(200)", "concat({},'-',{})"),
                    ("varchar(200)", "upper({})"),
                    ("varchar(200)", "lower({})"),
                    ("varchar(9)", "left({},3)"),
                    ("varchar(200)", "trim({})"),
                    ("int", "{} = 'a'"),
                ],
                Class::Date => &[
                    ("int", "year({})"),
                    ("date", "cast({} as date)"),
                    ("int", "to_days({})"),
                ],
                Class::Other => &[],
            };
            let all: Vec<_> = common.iter().chain(of_kind).collect();
            let (data_type, expression) = all[self.rng.usize(..all.len())];
            let stored = ["STORED", "VIRTUAL"][self.rng.usize(..2)];
            let expression = expression.replace("{}", name);
            definitions.push(format!(
                "`g{at}` {data_type} GENERATED ALWAYS AS ({expression}) {stored}"
            ));
        }
    }

    fn checks(&mut self, names: &[String], kinds: &[(Kind, bool)], definitions: &mut Vec<String>) {
        for (name, (kind, _)) in names.iter().zip(kinds) {
            let condition = match kind.class {
                Class::Number => "{} <> 5 or {} is null",
                Class::Text => "char_length({}) < 50 or {} <> 'x'",
                Class::Date | Class::Other => continue,
            };
            if self.rng.u8(..6) == 0 {
                definitions.push(format!("CHECK ({})", condition.replace("{}", name)));
            }
        }
    }

    /// Perhaps a primary key, also over a date, and a unique key; whether there is one besides `id`.
    fn keys(
        &mut self,
        has_id: bool,
        names: &[String],
        kinds: &[(Kind, bool)],
        definitions: &mut Vec<String>,
    ) -> bool {
        let mut keyed = names
            .iter()
            .zip(kinds)
            .filter(|(_, (kind, _))| kind.indexed && !kind.needs_prefix);
        let Some((name, (_, nullable))) = keyed.next() else {
            if has_id {
                definitions.push("PRIMARY KEY (`id`)".to_owned());
            }
            return false;
        };
        let in_key = self.rng.bool() && !nullable;
        match (has_id, in_key) {
            (true, true) => definitions.push(format!("PRIMARY KEY (`id`, {name})")),
            (true, false) => definitions.push("PRIMARY KEY (`id`)".to_owned()),
            (false, true) => definitions.push(format!("PRIMARY KEY ({name})")),
            (false, false) => {}
        }
        let unique = self.rng.u8(..3) == 0;
        if unique {
            definitions.push(format!("UNIQUE KEY `unique` ({name})"));
        }
        in_key || unique
    }

    fn charset(&mut self) -> &'static str {
        self.charsets[self.rng.usize(..self.charsets.len())]
    }

    fn name(&mut self, plain: &str) -> String {
        let odd = ["order", "Key", "a b", "日本", "it's", "q\"q", "x`x", "USER"];
        if self.plain_names || self.rng.u8(..3) > 0 {
            return format!("`{plain}`");
        }
        let odd = odd[self.rng.usize(..odd.len())].replace('`', "``");
        // mysqldump asks for tables in the dump's character set.
        if !odd.is_ascii() && self.charsets != ["utf8mb4"] {
            return format!("`{plain}`");
        }
        format!("`{odd}{plain}`")
    }

    fn text(&mut self, most: usize) -> String {
        let odd = [
            '\0', '\'', '"', '\\', '\n', '\r', '\t', '\u{8}', '\u{1a}', '%', '_', ' ', 'N', '0',
            '.', ',', ')', ';', '-',
        ];
        let mut text = String::new();
        for _ in 0..self.rng.usize(..=most) {
            text.push(match self.rng.u8(..4) {
                0 => odd[self.rng.usize(..odd.len())],
                1 => self.letters[self.rng.usize(..self.letters.len())],
                _ => char::from(self.rng.u8(b'a'..=b'z')),
            });
        }
        text
    }

    fn text_literal(&mut self, most: usize) -> String {
        let text = self.text(most);
        hex_literal("_utf8mb4 ", text.as_bytes())
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.rng.usize(..=most))
            .map(|_| self.rng.u8(..))
            .collect()
    }

    fn date(&mut self) -> String {
        if self.rng.u8(..8) == 0 {
            return "0000-00-00".to_owned();
        }
        let (year, month, day) = (
            self.rng.u32(1..=9999),
            self.rng.u8(1..=12),
            self.rng.u8(1..=28),
        );
        format!("{year:04}-{month:02}-{day:02}")
    }

    fn clock(&mut self, precision: usize) -> String {
        let (hour, minute, second) = (self.rng.u8(..24), self.rng.u8(..60), self.rng.u8(..60));
        let fraction = format!("{:06}", self.rng.u32(..1_000_000));
        let dot = if precision > 0 { "." } else { "" };
        format!(
            "{hour:02}:{minute:02}:{second:02}{dot}{}",
            &fraction[..precision]
        )
    }
}

fn hex_literal(introducer: &str, bytes: &[u8]) -> String {
    let mut literal = format!("{introducer}x'");
    for byte in bytes {
        let _ = write!(literal, "{byte:02x}");
    }
    literal + "'"
}

/// A type of a column, and how to make values of it.
struct Kind {
    written: String,
    value: Box<dyn Fn(&mut Round<'_>) -> String>,
    indexed: bool,
    needs_prefix: bool,
    class: Class,
}

/// What expressions a column can be in.
#[derive(Clone, Copy)]
enum Class {
    Number,
    Text,
    Date,
    Other,
}

impl Kind {
    fn random(round: &mut Round<'_>) -> Kind {
        match round.rng.u8(..20) {
            0 => {
                // Most are truth values.
                let others = round.rng.u8(..4) == 0;
                let kind = Kind::new("tinyint(1)", move |r| {
                    let number = if others { r.rng.i8(..) } else { r.rng.i8(0..2) };
                    number.to_string()
                });
                kind.of(Class::Number)
            }
            1..=3 => Kind::whole_number(round),
            4 => {
                let (precision, scale) = (round.rng.u32(1..=65), round.rng.u32(..=30));
                let scale = scale.min(precision);
                Kind::new(&format!("decimal({precision},{scale})"), move |r| {
                    let mut digits = |count: u32| -> String {
                        (0..count)
                            .map(|_| char::from(r.rng.u8(b'0'..=b'9')))
                            .collect()
                    };
                    let (whole, part) = (digits(precision - scale), digits(scale));
                    let sign = if r.rng.bool() { "-" } else { "" };
                    format!("{sign}0{whole}.{part}0")
                })
            }
            5 => Kind::new("float", |r| {
                format!("{:e}", (r.rng.f32() - 0.5) * 10f32.powi(r.rng.i32(-30..30)))
            }),
            6 => Kind::new("double", |r| {
                format!(
                    "{:e}",
                    (r.rng.f64() - 0.5) * 10f64.powi(r.rng.i32(-300..300))
                )
            }),
            7..=9 => Kind::text(round),
            10 => {
                let width = round.rng.usize(1..=40);
                let kinds = [format!("binary({width})"), format!("varbinary({width})")];
                let kind = &kinds[round.rng.usize(..2)];
                Kind::new(kind, move |r| hex_literal("", &r.bytes(width)))
            }
            11 => {
                let kinds = ["tinyblob", "blob", "mediumblob", "longblob"];
                let kind = kinds[round.rng.usize(..kinds.len())];
                Kind::long(kind, |r| hex_literal("", &r.bytes(250)))
            }
            12 => {
                let width = round.rng.u32(1..=64);
                Kind::new(&format!("bit({width})"), move |r| {
                    let bits = r.rng.u64(..) >> (64 - width);
                    bits.to_string()
                })
            }
            13 => Kind::new("date", |r| format!("'{}'", r.date())).of(Class::Date),
            14 | 15 => {
                let precision = round.rng.usize(..=6);
                Kind::new(&format!("datetime({precision})"), move |r| {
                    let date = r.date();
                    if date.starts_with("0000") {
                        return "'0000-00-00 00:00:00'".to_owned();
                    }
                    format!("'{date} {}'", r.clock(precision))
                })
            }
            16 => {
                let precision = round.rng.usize(..=6);
                Kind::new(&format!("timestamp({precision}) NULL"), move |r| {
                    let year = r.rng.u32(1971..=2037);
                    format!(
                        "'{year}-0{}-1{} {}'",
                        r.rng.u8(1..=9),
                        r.rng.u8(..=9),
                        r.clock(precision)
                    )
                })
            }
            17 => {
                let precision = round.rng.usize(..=6);
                Kind::new(&format!("time({precision})"), move |r| {
                    format!("'{}'", r.clock(precision))
                })
            }
            18 => match round.rng.u8(..3) {
                0 => Kind::new("year", |r| r.rng.u32(1901..=2155).to_string()),
                1 => Kind::new("enum('a','it''s','x,y','b\\\\c',')')", |r| {
                    r.rng.u8(1..=5).to_string()
                }),
                _ => Kind::new("set('a','b c','it''s')", |r| r.rng.u8(..8).to_string()),
            },
            _ => Kind::unindexed("json", |r| {
                let odd = [
                    "",
                    "{",
                    "01",
                    "{\"a\":\"\\u0000\"}",
                    "[1e400]",
                    "\"\\ud800\"",
                    "NaN",
                    "[1]x",
                ];
                if r.rng.u8(..12) == 0 {
                    return hex_literal("_utf8mb4 ", odd[r.rng.usize(..odd.len())].as_bytes());
                }
                let text = serde_json::json!({"key": r.text(9), "list": [1, null, true, 1.5]});
                hex_literal("_utf8mb4 ", text.to_string().as_bytes())
            }),
        }
    }

    fn whole_number(round: &mut Round<'_>) -> Kind {
        let kinds = [
            ("tinyint", 8),
            ("smallint", 16),
            ("mediumint", 24),
            ("int", 32),
            ("bigint", 64),
        ];
        let (kind, bits) = kinds[round.rng.usize(..kinds.len())];
        if round.rng.bool() {
            let zerofill = if round.rng.u8(..4) == 0 {
                " zerofill"
            } else {
                ""
            };
            let small = round.rng.bool();
            let kind = Kind::new(&format!("{kind} unsigned{zerofill}"), move |r| {
                let number = r.rng.u64(..) >> (64 - bits);
                if small { number >> 1 } else { number }.to_string()
            });
            return kind.of(Class::Number);
        }
        let kind = Kind::new(kind, move |r| (r.rng.i64(..) >> (64 - bits)).to_string());
        kind.of(Class::Number)
    }

    fn text(round: &mut Round<'_>) -> Kind {
        let charset = if round.rng.bool() {
            format!(" CHARACTER SET {}", round.charset())
        } else {
            String::new()
        };
        let width = round.rng.usize(1..=60);
        match round.rng.u8(..3) {
            0 => Kind::new(&format!("varchar({width}){charset}"), move |r| {
                r.text_literal(width)
            })
            .of(Class::Text),
            1 => Kind::new(&format!("char({width}){charset}"), move |r| {
                r.text_literal(width)
            })
            .of(Class::Text),
            _ => {
                let kinds = ["tinytext", "text", "mediumtext", "longtext"];
                let kind = kinds[round.rng.usize(..kinds.len())];
                Kind::long(&format!("{kind}{charset}"), |r| r.text_literal(60))
            }
        }
    }

    fn new(written: &str, value: impl Fn(&mut Round<'_>) -> String + 'static) -> Kind {
        Kind {
            written: written.to_owned(),
            value: Box::new(value),
            indexed: true,
            needs_prefix: false,
            class: Class::Other,
        }
    }

    fn of(self, class: Class) -> Kind {
        Kind { class, ..self }
    }

    fn unindexed(written: &str, value: impl Fn(&mut Round<'_>) -> String + 'static) -> Kind {
        Kind {
            indexed: false,
            ..Kind::new(written, value)
        }
    }

    fn long(written: &str, value: impl Fn(&mut Round<'_>) -> String + 'static) -> Kind {
        Kind {
            needs_prefix: true,
            ..Kind::new(written, value)
        }
    }
}
