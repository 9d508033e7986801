//! What is asked of a conversion: the policies of the design's table of types, and which parts of a
//! dump are taken.

use clap::ValueEnum;

use crate::dump::Databases;
use crate::rows::{InvalidDates, InvalidUtf8, Nul, ValuePolicies, ZeroDates};

/// The choices of one conversion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// What is done with single values.
    pub values: ValuePolicies,
    /// What `tinyint(1)` becomes.
    pub tinyint1: Tinyint1,
    /// What an enum becomes.
    pub enums: Enums,
    /// What `time` becomes.
    pub time: Times,
    /// What `timestamp` becomes.
    pub timestamps: Timestamps,
    /// What `ON UPDATE CURRENT_TIMESTAMP` becomes.
    pub on_update: OnUpdate,
    /// Tables and columns that are left out.
    pub skip_columns: Vec<(String, String)>,
    /// Tables that are left out.
    pub skip_tables: Vec<String>,
    /// If not empty, all other tables are left out.
    pub only_tables: Vec<String>,
    /// The databases to take.
    pub databases: Databases,
    /// Whether a column of a type that is not supported is left out instead of being an error.
    pub skip_unsupported: bool,
    /// What becomes of a generated column that the server cannot compute, if the dump has no values.
    pub generated: GeneratedColumns,
    /// The generated columns that the server has.
    pub generated_support: GeneratedSupport,
    /// What a spatial type becomes.
    pub geometry: Geometry,
    /// Where PostGIS is.
    pub postgis: Extension,
    /// What a vector becomes.
    pub vectors: Vectors,
    /// Where pgvector is.
    pub pgvector: Extension,
    /// Whether a server decides about generated columns and duplicates after all rows are loaded.
    pub settles: bool,
}

impl Policies {
    /// Those of who only looks at a dump: values that need a policy are counted, and are no error.
    #[must_use]
    pub fn to_look() -> Policies {
        Policies {
            values: ValuePolicies {
                zero_dates: ZeroDates::Null,
                invalid_dates: InvalidDates::Null,
                nul: Nul::Strip,
                invalid_utf8: InvalidUtf8::Replace,
            },
            tinyint1: Tinyint1::Truthy,
            time: Times::Interval,
            skip_unsupported: true,
            ..Policies::default()
        }
    }

    /// The same policies for tables that are known, or not: the types of known ones do not depend on values, and GitLab sets
    /// the time of a change itself.
    #[must_use]
    pub fn for_tables(&self, are_known: bool) -> Policies {
        let mut policies = self.clone();
        if are_known && policies.tinyint1 == Tinyint1::Auto {
            policies.tinyint1 = Tinyint1::Boolean;
        }
        if are_known {
            policies.on_update = OnUpdate::None;
        }
        policies
    }

    /// Whether `table` is taken. If its `database` becomes a schema, it may be named with it.
    #[must_use]
    pub fn takes_table(&self, database: Option<&str>, table: &str) -> bool {
        let is_it = |name: &String| {
            let within =
                database.and_then(|database| name.strip_prefix(database)?.strip_prefix('.'));
            name == table || within == Some(table)
        };
        let named = |list: &[String]| list.iter().any(is_it);
        !named(&self.skip_tables) && (self.only_tables.is_empty() || named(&self.only_tables))
    }

    /// Whether `column` of `table` is taken. If its `database` becomes a schema, it may be named with it.
    #[must_use]
    pub fn takes_column(&self, database: Option<&str>, table: &str, column: &str) -> bool {
        let simple = format!("{table}.{column}");
        let qualified = database.map(|database| format!("{database}.{simple}"));
        !self.skip_columns.iter().any(|(table, column)| {
            let name = format!("{table}.{column}");
            name == simple || Some(&name) == qualified.as_ref()
        })
    }
}

/// What `tinyint(1)` becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Tinyint1 {
    /// boolean if all its values are 0, 1 or NULL, else smallint; smallint in a key or a foreign key, with
    /// AUTO_INCREMENT, or with another default. In a GitLab CI backup the same as `boolean`
    #[default]
    Auto,
    /// boolean; a number other than 0 and 1 is an error
    Boolean,
    /// smallint
    Smallint,
    /// boolean; every number but 0 is true
    Truthy,
}

/// What becomes of a generated column that PostgreSQL cannot compute, if the dump has no values for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GeneratedColumns {
    /// It is left out
    #[default]
    Skip,
    /// An error
    Error,
}

/// The generated columns of a PostgreSQL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GeneratedSupport {
    /// None, before version 12.
    None,
    /// Stored ones.
    #[default]
    Stored,
    /// Virtual ones, too, since version 18.
    StoredAndVirtual,
}

/// What a spatial type becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Geometry {
    /// PostGIS' type geometry; an error if the database does not have the extension
    #[default]
    Postgis,
    /// bytea with the WKB, or the EWKB if the value has an SRID
    Wkb,
}

/// What a vector becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Vectors {
    /// pgvector's type vector if the database has the extension, otherwise real[]. Of `convert` real[]
    #[default]
    Auto,
    /// pgvector's type vector; an error if the database does not have the extension
    Pgvector,
    /// real[]
    Real,
}

/// Where the types of an extension are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Extension {
    /// It is not known, as no server was asked: their names are not qualified.
    #[default]
    Somewhere,
    /// In this schema.
    In(String),
    /// The database does not have them.
    Missing,
}

/// What an enum becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Enums {
    /// text with a CHECK of its values
    #[default]
    Text,
    /// A type of its own, named TABLE_COLUMN
    Type,
}

/// What `time` becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Times {
    /// time; what is not within a day is an error
    #[default]
    Time,
    /// interval
    Interval,
}

/// What `timestamp` becomes. MySQL keeps it in UTC, and so do dumps, unless made with --skip-tz-utc.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Timestamps {
    /// timestamp without time zone, as it is in the dump
    #[default]
    Utc,
    /// timestamp with time zone
    Tz,
    /// timestamp without time zone, in the time zone of this machine
    Local,
}

/// What `ON UPDATE CURRENT_TIMESTAMP` becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OnUpdate {
    /// A trigger of the table, which sets the column. In a GitLab CI backup the same as `none`
    #[default]
    Trigger,
    /// It is left out
    None,
}
