//! The definition of a table as XML has it, what SHOW COLUMNS, SHOW INDEX and SHOW TABLE STATUS say, as CREATE TABLE.

use crate::dump::mysql::sql::{identifier, literal};
use crate::dump::not_in_xml;

/// The attributes of a tag.
pub(super) type Attributes = Vec<(String, String)>;

/// The types for which a default is never the text `NULL`.
const WITHOUT_TEXT: [&str; 12] = [
    "tinyint",
    "smallint",
    "mediumint",
    "int",
    "bigint",
    "decimal",
    "float",
    "double",
    "date",
    "time",
    "year",
    "bit",
];

/// The value of an attribute.
pub(super) fn value<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    let mut found = attributes.iter().filter(|(known, _)| known == name);
    found.next().map(|(_, value)| value.as_str())
}

/// A table.
#[derive(Debug, Default)]
pub(super) struct Structure {
    pub(super) name: String,
    columns: Vec<Attributes>,
    keys: Vec<Attributes>,
    options: Attributes,
    bytes: usize,
}

impl Structure {
    pub(super) fn new(name: String) -> Structure {
        Structure {
            name,
            ..Structure::default()
        }
    }

    /// Adds a tag of the definition, and returns how many bytes all have.
    pub(super) fn add(&mut self, tag: &str, attributes: Attributes) -> usize {
        let bytes = attributes
            .iter()
            .map(|(name, value)| name.len() + value.len());
        // Memory for the pairs, too.
        self.bytes += bytes.sum::<usize>() + 64 * attributes.len();
        match tag {
            "field" => self.columns.push(attributes),
            "key" => self.keys.push(attributes),
            _ => self.options = attributes,
        }
        self.bytes
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> Vec<String> {
        let names = self
            .columns
            .iter()
            .filter_map(|column| value(column, "Field"));
        names.map(str::to_owned).collect()
    }

    /// The SQL that makes it, and comments about what the XML does not have.
    pub(super) fn sql(&self) -> String {
        let name = identifier(&self.name);
        let option = |name: &str| value(&self.options, name).unwrap_or_default();
        // A view has nothing else.
        if option("Comment").eq_ignore_ascii_case("VIEW") && option("Engine").is_empty() {
            return format!("CREATE VIEW {name} AS SELECT 1;\n");
        }
        let mut notes = String::new();
        let mut parts: Vec<String> = self
            .columns
            .iter()
            .map(|column| self.column(column, &mut notes))
            .collect();
        parts.extend(self.keys(&mut notes));
        let mut sql = format!("CREATE TABLE {name} (\n{}\n)", parts.join(",\n"));
        for (word, option_name) in [("ENGINE", "Engine"), ("AUTO_INCREMENT", "Auto_increment")] {
            let word_of = option(option_name);
            if !word_of.is_empty()
                && word_of
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                sql += &format!(" {word}={word_of}");
            }
        }
        sql += " DEFAULT CHARSET=utf8mb4";
        // The XML does not say which character sets the columns have. All of them fit into this one.
        let collation = option("Collation");
        if collation.ends_with("_bin") {
            sql += " COLLATE=utf8mb4_bin";
        } else if collation.starts_with("utf8mb4_") {
            sql += &format!(" COLLATE={}", identifier(collation));
        }
        if !option("Comment").is_empty() {
            sql += &format!(" COMMENT={}", literal(option("Comment")));
        }
        sql + ";\n" + &notes
    }

    fn column(&self, column: &Attributes, notes: &mut String) -> String {
        let of = |name: &str| value(column, name).unwrap_or_default();
        let (name, kind, extra) = (of("Field"), of("Type"), of("Extra").to_ascii_lowercase());
        let mut sql = format!("{} {kind}", identifier(name));
        if of("Null") == "NO" {
            sql += " NOT NULL";
        } else if kind.starts_with("timestamp") {
            sql += " NULL";
        }
        if let Some(default) = value(column, "Default") {
            sql += &format!(" DEFAULT {}", self.default_sql(kind, &extra, default));
        }
        if let Some(at) = extra.find("on update ") {
            let now = extra[at + "on update ".len()..]
                .split(' ')
                .next()
                .unwrap_or_default();
            sql += &format!(" ON UPDATE {now}");
        }
        let has = |word: &str| extra.split(' ').any(|known| known == word);
        if has("auto_increment") {
            sql += " AUTO_INCREMENT";
        }
        if has("invisible") {
            sql += " INVISIBLE";
        }
        if !of("Comment").is_empty() {
            sql += &format!(" COMMENT {}", literal(of("Comment")));
        }
        // MySQL leaves out such columns. Old servers say VIRTUAL and PERSISTENT alone.
        if ["generated", "virtual", "stored", "persistent"]
            .into_iter()
            .any(has)
        {
            let what =
                "a plain column instead of a generated one: XML does not have the expression";
            *notes += &not_in_xml(&self.name, name, what);
        }
        sql
    }

    /// A default as SQL has it.
    fn default_sql(&self, kind: &str, extra: &str, default: &str) -> String {
        if self.has_expressions() {
            return default.to_owned();
        }
        let is_now = default
            .to_ascii_lowercase()
            .starts_with("current_timestamp");
        if extra.split(' ').any(|word| word == "default_generated") {
            let expression = unescaped(default);
            return if is_now {
                expression
            } else {
                format!("({expression})")
            };
        }
        let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_as_it_is = match kind.split('(').next().unwrap_or_default() {
            "timestamp" | "datetime" => is_now,
            "bit" => default.starts_with("b'"),
            "binary" | "varbinary" => default.strip_prefix("0x").is_some_and(is_hex),
            _ => false,
        };
        if is_as_it_is {
            default.to_owned()
        } else {
            literal(default)
        }
    }

    /// Whether defaults are SQL, with texts in quotes: MariaDB writes them so since 10.2.7, MySQL does not.
    fn has_expressions(&self) -> bool {
        // MariaDB has said this of tables since 10.3, and no MySQL does.
        value(&self.options, "Temporary").is_some()
            || self.columns.iter().any(|column| {
                let kind = value(column, "Type").unwrap_or_default();
                let kind = kind.split(['(', ' ']).next().unwrap_or_default();
                value(column, "Default") == Some("NULL") && WITHOUT_TEXT.contains(&kind)
            })
    }

    /// The keys, each as a part of the definition.
    fn keys(&self, notes: &mut String) -> Vec<String> {
        let columns = self.columns();
        let mut keys: Vec<(&str, Vec<&Attributes>)> = Vec::new();
        for key in &self.keys {
            let name = value(key, "Key_name").unwrap_or_default();
            match keys.last_mut() {
                Some((last, parts)) if *last == name => parts.push(key),
                _ => keys.push((name, vec![key])),
            }
        }
        let mut sql = Vec::new();
        for (name, parts) in keys {
            let mut named = parts.iter().filter_map(|part| value(part, "Column_name"));
            if let Some(missing) = named.find(|column| !columns.iter().any(|known| known == column))
            {
                let what = format!(
                    "the index was left out: XML does not have its column {missing}, a generated one"
                );
                *notes += &not_in_xml(&self.name, name, &what);
            } else {
                sql.push(key_sql(name, &parts));
            }
        }
        sql
    }
}

fn key_sql(name: &str, parts: &[&Attributes]) -> String {
    let first = parts[0];
    let of = |name: &str| value(first, name).unwrap_or_default();
    let kind = of("Index_type");
    let columns: Vec<String> = parts
        .iter()
        .map(|part| {
            let mut sql = match (value(part, "Column_name"), value(part, "Expression")) {
                (None | Some("" | "NULL"), Some(expression)) => {
                    format!("({})", unescaped(expression))
                }
                (column, _) => identifier(column.unwrap_or_default()),
            };
            // Of an index of places, it is not a number of characters.
            let length = value(part, "Sub_part").filter(|_| kind != "SPATIAL");
            if let Some(length) = length.and_then(|length| length.parse::<u32>().ok()) {
                sql += &format!("({length})");
            }
            if value(part, "Collation") == Some("D") {
                sql += " DESC";
            }
            sql
        })
        .collect();
    let columns = columns.join(",");
    let head = match kind {
        _ if name == "PRIMARY" => "PRIMARY KEY".to_owned(),
        "FULLTEXT" | "SPATIAL" => format!("{kind} KEY {}", identifier(name)),
        _ if of("Non_unique") == "0" => format!("UNIQUE KEY {}", identifier(name)),
        _ => format!("KEY {}", identifier(name)),
    };
    let mut sql = format!("{head} ({columns})");
    if !of("Index_comment").is_empty() {
        sql += &format!(" COMMENT {}", literal(of("Index_comment")));
    }
    if of("Visible") == "NO" {
        sql += " INVISIBLE";
    } else if of("Ignored") == "YES" {
        sql += " IGNORED";
    }
    sql
}

/// An expression of MySQL 8, whose quotes and backslashes have backslashes before them.
fn unescaped(expression: &str) -> String {
    let mut text = String::with_capacity(expression.len());
    let mut characters = expression.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    text
}
