//! A table as a MySQL server defines it.

use crate::error::codes::Code;

/// A table as its server defined it.
#[derive(Debug, Clone, PartialEq)]
pub struct TableDefinition {
    /// Its database, if that becomes a schema.
    pub database: Option<String>,
    /// Its name, without the database.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnDefinition>,
    /// Primary key, unique keys and indexes, in order.
    pub keys: Vec<KeyDefinition>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKeyDefinition>,
    /// The CHECK constraints: their names, if they have one, and expressions.
    pub checks: Vec<(Option<String>, String)>,
    /// The options behind the closing parenthesis.
    pub options: TableOptions,
    /// The application periods: names, and the columns of their begin and end.
    pub periods: Vec<Period>,
    /// What else it has that no target gets.
    pub left_out: Vec<LeftOut>,
}

/// A part of a definition that no target gets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeftOut {
    /// Which kind of note tells of it.
    pub code: Code,
    /// The column, key or constraint, if it belongs to one.
    pub item: Option<String>,
    /// What was left out.
    pub what: String,
}

impl LeftOut {
    /// `what` was left out of `item`.
    pub(in crate::dump) fn new(
        code: Code,
        item: Option<String>,
        what: impl Into<String>,
    ) -> LeftOut {
        LeftOut {
            code,
            item,
            what: what.into(),
        }
    }
}

impl TableDefinition {
    /// A table without anything.
    pub(super) fn new(name: String) -> TableDefinition {
        TableDefinition {
            database: None,
            name,
            columns: Vec::new(),
            keys: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            options: TableOptions::default(),
            periods: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Whether its server keeps the history of its rows.
    #[must_use]
    pub fn is_versioned(&self) -> bool {
        let mut storage = self.options.storage.iter();
        storage.any(|option| {
            ["WITH SYSTEM VERSIONING", "PERIOD FOR SYSTEM_TIME"].contains(&option.what.as_str())
        })
    }
}

/// An application period, `PERIOD FOR name (a, b)`: MariaDB enforces that a is before b.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Its name.
    pub name: String,
    /// The column of its begin.
    pub begin: String,
    /// The column of its end.
    pub end: String,
}

/// The table options that matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// The next value of the AUTO_INCREMENT column.
    pub auto_increment: Option<u64>,
    /// The default character set, in lower case.
    pub charset: Option<String>,
    /// The comment.
    pub comment: Option<String>,
    /// The engine: `--compatible` dumps name none.
    pub engine: Option<String>,
    /// The default collation, in lower case.
    pub collation: Option<String>,
    /// How rows are stored, in capitals: `DYNAMIC`.
    pub row_format: Option<String>,
    /// The other storage options, of the table, its columns and its keys.
    pub storage: Vec<StorageOption>,
}

/// A storage option, which does not affect values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageOption {
    /// The column or key it is for, if it is not for the table.
    pub of: Option<String>,
    /// Its name in capitals, and its value if that is a number or a word: `KEY_BLOCK_SIZE=8`. A text is left
    /// out, since that of `CONNECTION` may have a password.
    pub what: String,
}

/// A column as its server defined it.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Its default, if one is given.
    pub default: Option<DefaultValue>,
    /// Whether it is the AUTO_INCREMENT column.
    pub auto_increment: bool,
    /// The expression of a generated column.
    pub generated: Option<Generated>,
    /// Whether it has `ON UPDATE CURRENT_TIMESTAMP`.
    pub on_update: bool,
    /// Whether `SELECT *` leaves it out.
    pub invisible: bool,
    /// Its comment.
    pub comment: Option<String>,
}

/// A type as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataType {
    /// Its name in lower case: `int`, `varchar`, `double`.
    pub name: String,
    /// Width, length, precision and scale.
    pub numbers: Vec<u64>,
    /// The values of an enum or a set.
    pub values: Vec<String>,
    /// The same, if the column has bytes (`CHARACTER SET binary`): then `values` only shows them.
    pub bytes: Vec<Vec<u8>>,
    /// `unsigned`, or `zerofill`, which implies it.
    pub unsigned: bool,
    /// Whether numbers are padded with zeros.
    pub zerofill: bool,
    /// The column's own character set, in lower case.
    pub charset: Option<String>,
    /// The column's own collation, in lower case.
    pub collation: Option<String>,
    /// The only spatial reference system of its values.
    pub srid: Option<u32>,
}

/// The default of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultValue {
    /// `DEFAULT NULL`
    Null,
    /// A string, unescaped.
    Text(String),
    /// A number as it is written, with its sign.
    Number(String),
    /// `b'01'`: the digits.
    Bits(String),
    /// `0x1f` or `x'1f'`: the digits.
    Hex(String),
    /// Anything else, as it is written: `current_timestamp()`, `(uuid())`.
    Expression(String),
}

/// How a generated column is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The expression, without the parentheses around it.
    pub expression: String,
    /// Whether the server keeps the values.
    pub stored: bool,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `PRIMARY KEY`
    Primary,
    /// `UNIQUE KEY`
    Unique,
    /// `KEY`
    Plain,
    /// `FULLTEXT KEY`
    Fulltext,
    /// `SPATIAL KEY`
    Spatial,
}

/// A key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDefinition {
    /// What it is for.
    pub kind: KeyKind,
    /// Its name; the primary key has none.
    pub name: Option<String>,
    /// Its parts, in order.
    pub parts: Vec<KeyPart>,
    /// Its index type, if one is given, in capitals: `BTREE`, `HASH`.
    pub using: Option<String>,
    /// Its comment.
    pub comment: Option<String>,
}

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// A column or, in a functional index, an expression.
    pub of: KeyPartOf,
    /// How many characters (bytes of a binary column) are indexed.
    pub prefix: Option<u64>,
    /// Whether it is in descending order.
    pub descending: bool,
}

/// What a part of a key indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPartOf {
    /// A column, by name.
    Column(String),
    /// An expression, as it is written.
    Expression(String),
}

/// A foreign key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKeyDefinition {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The columns of this table.
    pub columns: Vec<String>,
    /// The database of the referenced table, if it is named.
    pub database: Option<String>,
    /// The referenced table.
    pub references: String,
    /// The referenced columns.
    pub referenced_columns: Vec<String>,
    /// `ON DELETE …`, in capitals.
    pub on_delete: Option<String>,
    /// `ON UPDATE …`, in capitals.
    pub on_update: Option<String>,
}
