//! What a column becomes, and its values: the policies of the design's table of types.

use clap::ValueEnum;

use crate::rows::{InvalidDates, InvalidUtf8, Nul, ValuePolicies, ZeroDates};

/// What a column becomes, and its values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ColumnPolicies {
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
    /// What becomes of a generated column that the server cannot compute, if the dump has no values.
    pub generated: GeneratedColumns,
    /// What a spatial type becomes.
    pub geometry: Geometry,
    /// What a vector becomes.
    pub vectors: Vectors,
}

impl ColumnPolicies {
    /// These, but as `policies` say.
    #[must_use]
    pub fn with(mut self, policies: &[Policy]) -> ColumnPolicies {
        for policy in policies {
            match *policy {
                Policy::Tinyint1(it) => self.tinyint1 = it,
                Policy::Generated(it) => self.generated = it,
                Policy::ZeroDates(it) => self.values.zero_dates = it,
                Policy::InvalidDates(it) => self.values.invalid_dates = it,
                Policy::Nul(it) => self.values.nul = it,
                Policy::InvalidUtf8(it) => self.values.invalid_utf8 = it,
                Policy::Enums(it) => self.enums = it,
                Policy::Times(it) => self.time = it,
                Policy::Timestamps(it) => self.timestamps = it,
                Policy::OnUpdate(it) => self.on_update = it,
                Policy::Geometry(it) => self.geometry = it,
                Policy::Vectors(it) => self.vectors = it,
            }
        }
        self
    }
}

/// A policy that a mapping file gives to a table or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// `tinyint1`
    Tinyint1(Tinyint1),
    /// `generated`
    Generated(GeneratedColumns),
    /// `zero-dates`
    ZeroDates(ZeroDates),
    /// `invalid-dates`
    InvalidDates(InvalidDates),
    /// `nul`
    Nul(Nul),
    /// `invalid-utf8`
    InvalidUtf8(InvalidUtf8),
    /// `enum`
    Enums(Enums),
    /// `time`
    Times(Times),
    /// `timestamps`
    Timestamps(Timestamps),
    /// `on-update`
    OnUpdate(OnUpdate),
    /// `geometry`
    Geometry(Geometry),
    /// `vector`
    Vectors(Vectors),
}

/// The names of the policies: those of the options.
pub(super) const POLICIES: [&str; 12] = [
    "tinyint1",
    "generated",
    "zero-dates",
    "invalid-dates",
    "nul",
    "invalid-utf8",
    "enum",
    "time",
    "timestamps",
    "on-update",
    "geometry",
    "vector",
];

impl Policy {
    /// The policy `name`, one of [`POLICIES`], with this `value`, as the options have them. An error says which values there
    /// are.
    pub(super) fn named(name: &str, value: &str) -> Result<Policy, String> {
        match name {
            "tinyint1" => choice(value).map(Policy::Tinyint1),
            "generated" => choice(value).map(Policy::Generated),
            "zero-dates" => choice(value).map(Policy::ZeroDates),
            "invalid-dates" => choice(value).map(Policy::InvalidDates),
            "nul" => choice(value).map(Policy::Nul),
            "invalid-utf8" => choice(value).map(Policy::InvalidUtf8),
            "enum" => choice(value).map(Policy::Enums),
            "time" => choice(value).map(Policy::Times),
            "timestamps" => choice(value).map(Policy::Timestamps),
            "on-update" => choice(value).map(Policy::OnUpdate),
            "geometry" => choice(value).map(Policy::Geometry),
            _ => choice(value).map(Policy::Vectors),
        }
    }
}

/// The choice that `value` names.
fn choice<T: ValueEnum>(value: &str) -> Result<T, String> {
    T::from_str(value, false).map_err(|_| {
        let known = T::value_variants().iter();
        let known = known.filter_map(|it| Some(it.to_possible_value()?.get_name().to_owned()));
        known.collect::<Vec<_>>().join(", ")
    })
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
