//! The neutral model of a table.

use std::fmt;

use serde::Serialize;

use crate::dump::Duplicates;
use crate::error::codes::Code;
use crate::rows::Wider;
use crate::schema::sql::qualified;

/// How the table `name` is called in messages, if the tables of a dump go to several schemas or to one.
#[must_use]
pub fn shown(schema: Option<&str>, name: &str) -> String {
    schema.map_or_else(|| name.to_owned(), |schema| format!("{schema}.{name}"))
}

/// The schemas of tables that go to several, in their order.
#[must_use]
pub fn schemas_of<'a>(tables: impl Iterator<Item = Option<&'a str>>) -> Vec<String> {
    let mut schemas: Vec<String> = Vec::new();
    for schema in tables.flatten() {
        if !schemas.iter().any(|known| known == schema) {
            schemas.push(schema.to_owned());
        }
    }
    schemas
}

/// A table as it will be in the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The schema that it goes to, if each database of a dump has one. Otherwise all tables go to one schema.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its primary key.
    pub primary_key: Option<PrimaryKey>,
    /// Its other indexes, unique ones among them.
    pub indexes: Vec<Index>,
    /// Its foreign keys; they are added after all tables are loaded.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its CHECK constraints; they are added after its rows are loaded.
    pub checks: Vec<Check>,
    /// The types its enums need.
    pub enum_types: Vec<EnumType>,
    /// What becomes of a row whose key another row has. If it is no error, the rows are numbered while they are loaded.
    pub duplicates: Duplicates,
    /// The sequence of its AUTO_INCREMENT column.
    pub sequence: Option<Sequence>,
    /// Sequences of earlier tables that give way to this one, whose name they had: old and new names.
    pub renamed_sequences: Vec<(String, String)>,
    /// Its comment.
    pub comment: Option<String>,
    /// What sets its `ON UPDATE CURRENT_TIMESTAMP` columns; it is created after its rows are loaded.
    pub on_update: Option<UpdateTrigger>,
}

impl Table {
    /// How it is called in messages.
    #[must_use]
    pub fn shown(&self) -> String {
        shown(self.schema.as_deref(), &self.name)
    }

    /// Gives the column `name` a wider type; returns the changed column, and the enum's type that no column uses any more.
    pub fn widen(&mut self, name: &str, to: Wider) -> Option<(Column, Option<EnumType>)> {
        let column = self.columns.iter_mut().find(|column| column.name == name)?;
        let before = column.data_type.clone();
        column.widen(to);
        let unused = self
            .enum_types
            .iter()
            .position(|known| before == DataType::Enum(known.name.clone()));
        let unused = unused.map(|at| self.enum_types.remove(at));
        Some((column.clone(), unused))
    }

    /// The columns of its primary key and of each unique index that is over whole columns.
    #[must_use]
    pub fn unique_keys(&self) -> Vec<Vec<String>> {
        let key = self.primary_key.iter().map(|key| key.columns.clone());
        let unique = self
            .indexes
            .iter()
            .filter(|index| index.kind == IndexKind::Unique);
        let whole = unique.filter_map(|index| {
            let part = |part: &IndexPart| match &part.of {
                IndexPartOf::Column(name, None, _) => Some(name.clone()),
                _ => None,
            };
            index.parts.iter().map(part).collect()
        });
        key.chain(whole).collect()
    }

    /// Whether two rows may not have the same key.
    #[must_use]
    pub fn has_unique_key(&self) -> bool {
        let mut indexes = self.indexes.iter();
        self.primary_key.is_some() || indexes.any(|index| index.kind == IndexKind::Unique)
    }

    /// Leaves out the column `name`, and the keys and constraints over it; returns their names,
    /// with the code for each.
    pub fn leave_out_column(&mut self, name: &str) -> Vec<(Code, String)> {
        self.columns.retain(|column| column.name != name);
        let mut left_out = Vec::new();
        let has_it =
            |part: &IndexPart| matches!(&part.of, IndexPartOf::Column(known, ..) if known == name);
        let over_it = |columns: &[String]| columns.iter().any(|known| known == name);
        let key = self.primary_key.take_if(|key| over_it(&key.columns));
        left_out.extend(key.map(|key| (Code::IndexLeftOut, key.name)));
        self.indexes.retain(|index| {
            let stays = !index.parts.iter().any(has_it);
            if !stays {
                left_out.push((Code::IndexLeftOut, index.name.clone()));
            }
            stays
        });
        self.foreign_keys.retain(|key| {
            let stays = !over_it(&key.columns);
            if !stays {
                left_out.push((Code::ForeignKeyLeftOut, key.name.clone()));
            }
            stays
        });
        left_out
    }

    /// The column that gets its values from the table's sequence.
    #[must_use]
    pub fn numbered(&self) -> Option<&str> {
        let sequence = self.sequence.as_ref()?;
        Some(&sequence.column)
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Whether NOT NULL is only set after the rows are loaded, since zero dates may become NULL.
    pub not_null_after_load: bool,
    /// Its default, as SQL.
    pub default: Option<String>,
    /// How it is generated, if it is.
    pub generated: Option<Generated>,
    /// What it becomes if a value does not fit into its type.
    pub wider: Option<Wider>,
    /// Its comment.
    pub comment: Option<String>,
}

impl Column {
    /// A column that may be NULL, without anything else.
    #[must_use]
    pub fn new(name: &str, data_type: DataType) -> Column {
        Column {
            name: name.to_owned(),
            data_type,
            not_null: false,
            not_null_after_load: false,
            default: None,
            generated: None,
            wider: None,
            comment: None,
        }
    }

    /// Gives the column a wider type, and a default of this type.
    pub fn widen(&mut self, to: Wider) {
        self.data_type = match to {
            Wider::Vector => match &self.data_type {
                DataType::Vector(vector) => DataType::Vector(Vector {
                    dimensions: None,
                    ..vector.clone()
                }),
                other => other.clone(),
            },
            Wider::Smallint => DataType::Smallint,
            Wider::Numeric => DataType::Numeric(20, 0),
            Wider::Json => DataType::Json,
            Wider::Text => DataType::Text,
        };
        self.wider = None;
        if to == Wider::Smallint {
            self.default = self.default.take().map(|default| match default.as_str() {
                "false" => "0".to_owned(),
                "true" => "1".to_owned(),
                _ => default,
            });
        }
    }
}

/// How the server computes a generated column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The expression, as SQL.
    pub expression: String,
    /// Whether it is computed when it is read.
    pub is_virtual: bool,
    /// How it is known that the values are those of the source.
    pub proof: Proof,
    /// The columns that it is computed from.
    pub columns: Vec<String>,
    /// The expression of the source, for notes.
    pub written: String,
    /// Whether the source stores the values.
    pub was_stored: bool,
}

impl Generated {
    /// A stored column that the source computed by this SQL, too.
    #[must_use]
    pub fn of(expression: String) -> Generated {
        Generated {
            written: expression.clone(),
            expression,
            is_virtual: false,
            proof: Proof::Certain,
            columns: Vec::new(),
            was_stored: true,
        }
    }
}

/// How it is known that the server computes the values of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It is certain.
    Certain,
    /// If they equal the values of the dump, which are loaded first.
    Values,
    /// If these conditions are true for all rows, as SQL, and the columns it is computed from are unchanged. The dump has
    /// no values.
    Conditions(Vec<String>),
}

/// A trigger that sets columns to the current time if an UPDATE changes other columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateTrigger {
    /// Its name, and that of its function.
    pub name: String,
    /// The columns, and the current time of each, as SQL.
    pub columns: Vec<(String, String)>,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// The condition, as SQL.
    pub expression: String,
}

/// A type of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumType {
    /// Its name.
    pub name: String,
    /// Its values, in order.
    pub values: Vec<String>,
}

/// The types a column can have.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// `timestamp with time zone`, likewise
    Timestamptz(Option<u64>),
    /// `time without time zone`, likewise
    Time(Option<u64>),
    /// `interval`, likewise
    Interval(Option<u64>),
    /// `uuid`
    Uuid,
    /// `inet`
    Inet,
    /// PostGIS' `geometry`
    Geometry(Geometry),
    /// pgvector's `vector`
    Vector(Vector),
    /// A type of the same schema as the table
    Enum(String),
    /// An array of another type
    Array(Box<DataType>),
    /// Another built-in type, without a modifier, as it is written
    Plain(&'static str),
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
            DataType::Timestamptz(None) => f.write_str("timestamp with time zone"),
            DataType::Timestamptz(Some(p)) => write!(f, "timestamp({p}) with time zone"),
            DataType::Interval(None) => f.write_str("interval"),
            DataType::Interval(Some(p)) => write!(f, "interval({p})"),
            DataType::Uuid => f.write_str("uuid"),
            DataType::Inet => f.write_str("inet"),
            DataType::Geometry(geometry) => geometry.fmt(f),
            DataType::Vector(vector) => vector.fmt(f),
            DataType::Enum(name) => f.write_str(name),
            DataType::Array(of) => write!(f, "{of}[]"),
            DataType::Plain(name) => f.write_str(name),
            DataType::Time(None) => f.write_str("time without time zone"),
            DataType::Time(Some(p)) => write!(f, "time({p}) without time zone"),
        }
    }
}

/// PostGIS' `geometry`, with what it is limited to (PostGIS manual, 4.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    /// The schema that the type is in, if that is known.
    pub schema: Option<String>,
    /// The only kind of values: `Point`; `Geometry` for any.
    pub kind: &'static str,
    /// The only spatial reference system.
    pub srid: Option<u32>,
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => f.write_str(&qualified(schema, "geometry"))?,
            None => f.write_str("geometry")?,
        }
        match (self.kind, self.srid.filter(|srid| *srid != 0)) {
            ("Geometry", None) => Ok(()),
            (kind, None) => write!(f, "({kind})"),
            (kind, Some(srid)) => write!(f, "({kind},{srid})"),
        }
    }
}

/// pgvector's `vector`, with the number of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vector {
    /// The schema that the type is in, if that is known.
    pub schema: Option<String>,
    /// The number of entries of each value, if all have the same.
    pub dimensions: Option<u16>,
}

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => f.write_str(&qualified(schema, "vector"))?,
            None => f.write_str("vector")?,
        }
        match self.dimensions {
            Some(dimensions) => write!(f, "({dimensions})"),
            None => Ok(()),
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
    /// What it is in the target.
    pub kept_as: KeptAs,
    /// Its comment.
    pub comment: Option<String>,
}

/// What a key is in the target. Changed values may violate it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeptAs {
    /// The key itself.
    #[default]
    Key,
    /// A unique index: a column has NULLs.
    UniqueIndex,
    /// An index: values are equal that were not.
    Index,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The name it should have.
    pub name: String,
    /// What it is for.
    pub kind: IndexKind,
    /// Its parts, in order.
    pub parts: Vec<IndexPart>,
    /// Its comment.
    pub comment: Option<String>,
}

/// What an index is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// It finds rows.
    Plain,
    /// It keeps rows unique.
    Unique,
    /// It finds words: GIN over the tsvector of all parts together.
    Fulltext,
    /// It finds geometries: GiST.
    Spatial,
}

/// A part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPart {
    /// What is indexed.
    pub of: IndexPartOf,
    /// Whether it is in descending order.
    pub descending: bool,
    /// Whether NULLs come first, if that is not the default.
    pub nulls_first: Option<bool>,
    /// Its operator class, if it is not the default one.
    pub operator_class: Option<&'static str>,
}

/// What a part of an index is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexPartOf {
    /// A column, whole or the beginning of it, and its type.
    Column(String, Option<Prefix>, DataType),
    /// An expression, as SQL.
    Expression(String),
}

/// The indexed beginning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// The number of characters of a text.
    Characters(u64),
    /// The number of bytes of a bytea.
    Bytes(u64),
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// The columns of this table.
    pub columns: Vec<String>,
    /// The referenced table.
    pub references: String,
    /// The referenced columns.
    pub referenced_columns: Vec<String>,
    /// The action when the referenced row is deleted.
    pub on_delete: Option<String>,
    /// The action when the referenced key changes.
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
    /// The minimum of its next value.
    pub next_at_least: u64,
}

/// A part of a definition that the target gets differently or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Note {
    /// Which kind of difference it is.
    pub code: Code,
    /// The table.
    pub table: String,
    /// The column, index or constraint, if it concerns one.
    pub item: Option<String>,
    /// What was done.
    pub what: String,
}

/// As a line of a report: `table.item: what`.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.table)?;
        if let Some(item) = &self.item {
            write!(f, ".{item}")?;
        }
        write!(f, ": {}", self.what)
    }
}
