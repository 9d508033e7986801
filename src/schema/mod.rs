//! A neutral model of tables between MySQL's definitions and PostgreSQL's DDL.
//!
//! [`from_mysql`] maps a definition to the model, [`ddl`] is the one place that renders it.

pub mod ddl;
mod from_mysql;
mod names;

use std::fmt;

pub use from_mysql::{Mapped, from_mysql};
pub use names::Names;

/// A table as it will be in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its primary key.
    pub primary_key: Option<PrimaryKey>,
    /// Its other indexes, unique ones among them.
    pub indexes: Vec<Index>,
    /// Its foreign keys, added when all tables are loaded.
    pub foreign_keys: Vec<ForeignKey>,
    /// The sequence of its AUTO_INCREMENT column.
    pub sequence: Option<Sequence>,
    /// Its comment.
    pub comment: Option<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may not be NULL.
    pub not_null: bool,
    /// NOT NULL can only be set when the rows are in, since zero dates may turn up among them.
    pub not_null_after_load: bool,
    /// Its default, as SQL.
    pub default: Option<String>,
    /// The values a CHECK allows: those of an enum.
    pub allowed: Option<Vec<String>>,
    /// Its comment.
    pub comment: Option<String>,
}

/// The types a column can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// `boolean`
    Boolean,
    /// `smallint`
    Smallint,
    /// `integer`
    Integer,
    /// `bigint`
    Bigint,
    /// `numeric(precision,scale)`
    Numeric(u64, u64),
    /// `double precision`
    DoublePrecision,
    /// `character varying(n)`
    Varchar(u64),
    /// `character(n)`
    Char(u64),
    /// `text`
    Text,
    /// `bytea`
    Bytea,
    /// `bit(n)`
    Bit(u64),
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// `date`
    Date,
    /// `timestamp without time zone`, with a precision if it was given one
    Timestamp(Option<u64>),
    /// `time without time zone`, likewise
    Time(Option<u64>),
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Boolean => f.write_str("boolean"),
            DataType::Smallint => f.write_str("smallint"),
            DataType::Integer => f.write_str("integer"),
            DataType::Bigint => f.write_str("bigint"),
            DataType::Numeric(precision, scale) => write!(f, "numeric({precision},{scale})"),
            DataType::DoublePrecision => f.write_str("double precision"),
            DataType::Varchar(length) => write!(f, "character varying({length})"),
            DataType::Char(length) => write!(f, "character({length})"),
            DataType::Text => f.write_str("text"),
            DataType::Bytea => f.write_str("bytea"),
            DataType::Bit(width) => write!(f, "bit({width})"),
            DataType::Json => f.write_str("json"),
            DataType::Jsonb => f.write_str("jsonb"),
            DataType::Date => f.write_str("date"),
            DataType::Timestamp(None) => f.write_str("timestamp without time zone"),
            DataType::Timestamp(Some(p)) => write!(f, "timestamp({p}) without time zone"),
            DataType::Time(None) => f.write_str("time without time zone"),
            DataType::Time(Some(p)) => write!(f, "time({p}) without time zone"),
        }
    }
}

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryKey {
    /// The name of constraint and index.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Whether it is unique.
    pub unique: bool,
    /// Its parts, in order.
    pub parts: Vec<IndexPart>,
    /// Its comment.
    pub comment: Option<String>,
}

/// A part of an index: a column, whole or the beginning of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPart {
    /// The column.
    pub column: String,
    /// How much of it is indexed, if not all.
    pub prefix: Option<Prefix>,
    /// Whether it is in descending order.
    pub descending: bool,
}

/// The indexed beginning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// So many characters of a text.
    Characters(u64),
    /// So many bytes of a bytea.
    Bytes(u64),
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// The columns of this table.
    pub columns: Vec<String>,
    /// The table it points at.
    pub references: String,
    /// The columns there.
    pub referenced_columns: Vec<String>,
    /// What happens when the row there goes.
    pub on_delete: Option<String>,
    /// What happens when the key there changes.
    pub on_update: Option<String>,
}

/// The sequence of an AUTO_INCREMENT column: owned by it, and its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// The column.
    pub column: String,
    /// The column's type.
    pub data_type: DataType,
    /// The next value is at least this.
    pub next_at_least: u64,
}

/// Something of a definition that PostgreSQL gets differently or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The table.
    pub table: String,
    /// The column, index or constraint, if it concerns one.
    pub item: Option<String>,
    /// What became of it.
    pub what: String,
}
