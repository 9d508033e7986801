//! The table of types: what each type of MySQL becomes, and how its values are transcoded.

use super::mapper::{Mapper, indexes};
use crate::dump::charset::Charset;
use crate::dump::mysql::definition::{
    self, ColumnDefinition, DefaultValue, KeyKind, TableDefinition,
};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::rows::{ValueKind, Wider};
use crate::schema::model::{self, DataType, EnumType};
use crate::schema::policies::{Enums, Extension, Geometry, Times, Timestamps, Tinyint1};

/// The longest `varchar(n)` of PostgreSQL (manual, 8.3).
const MAX_VARCHAR: u64 = 10_485_760;

/// The most digits `numeric(p,s)` can be declared with (manual, 8.1).
const MAX_PRECISION: u64 = 1000;

/// The spatial types (MySQL manual, 13.4), and PostGIS' names of their values.
const SPATIAL: [(&str, &str); 9] = [
    ("geometry", "Geometry"),
    ("point", "Point"),
    ("linestring", "LineString"),
    ("polygon", "Polygon"),
    ("multipoint", "MultiPoint"),
    ("multilinestring", "MultiLineString"),
    ("multipolygon", "MultiPolygon"),
    ("geometrycollection", "GeometryCollection"),
    ("geomcollection", "GeometryCollection"),
];

/// What the type `name` is in PostGIS, if it is a spatial one.
fn spatial(name: &str) -> Option<&'static str> {
    let mut known = SPATIAL.iter();
    known
        .find(|(known, _)| *known == name)
        .map(|(_, kind)| *kind)
}

impl Mapper<'_> {
    /// The type of `column` in PostgreSQL, and the kind of its values.
    pub(super) fn data_type(&mut self, column: &ColumnDefinition) -> Result<(DataType, ValueKind)> {
        let written = &column.data_type;
        let number = |at: usize| written.numbers.get(at).copied();
        let is_json = || self.is_checked_json(&column.name);
        Ok(match (written.name.as_str(), written.unsigned) {
            ("tinyint", _) if number(0) == Some(1) => self.tinyint1(column),
            ("bool" | "boolean", _) => self.tinyint1(column),
            ("tinyint" | "year" | "int1", _) | ("smallint" | "int2", false) => {
                (DataType::Smallint, ValueKind::Integer)
            }
            ("smallint" | "int2", true)
            | ("mediumint" | "int3", _)
            | ("int" | "integer" | "int4", false) => (DataType::Integer, ValueKind::Integer),
            ("int" | "integer" | "int4", true) | ("bigint" | "int8", false) => {
                (DataType::Bigint, ValueKind::Integer)
            }
            ("bigint" | "int8", true)
                if column.auto_increment
                    || self.facts.keys_follow
                    || self.is_in_a_key(&column.name) =>
            {
                (DataType::Bigint, ValueKind::UnsignedToBigint)
            }
            ("bigint" | "int8", true) => (DataType::Numeric(20, 0), ValueKind::Integer),
            ("float" | "double" | "real", _) => (DataType::DoublePrecision, ValueKind::Number),
            ("decimal" | "numeric" | "dec" | "fixed", _) => {
                let precision = number(0).unwrap_or(10).min(MAX_PRECISION);
                (
                    DataType::Numeric(precision, number(1).unwrap_or(0)),
                    ValueKind::Number,
                )
            }
            ("varchar", _) => match number(0) {
                Some(length @ 1..=MAX_VARCHAR) => (DataType::Varchar(length), self.text(column)?),
                _ => (DataType::Text, self.text(column)?),
            },
            ("char", _) => match number(0) {
                Some(0) => (DataType::Text, self.text(column)?),
                length => (DataType::Char(length.unwrap_or(1)), self.text(column)?),
            },
            ("longtext", _) if is_json() => (DataType::Json, self.text(column)?),
            ("enum", _) if self.choices(column).enums == Enums::Type => {
                (self.enum_type(column), self.text(column)?)
            }
            ("tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set", _) => {
                (DataType::Text, self.text(column)?)
            }
            ("binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob", _) => {
                (DataType::Bytea, ValueKind::Bytes)
            }
            ("bit", _) => match number(0).unwrap_or(1) {
                1 => (DataType::Boolean, ValueKind::BitBoolean),
                width => {
                    let bits = u8::try_from(width).unwrap_or(u8::MAX).min(64);
                    (DataType::Bit(width), ValueKind::Bits { width: bits })
                }
            },
            ("json", _) => (DataType::Jsonb, self.text(column)?),
            ("uuid", _) => (DataType::Uuid, ValueKind::Text),
            ("inet4" | "inet6", _) => (DataType::Inet, ValueKind::Text),
            ("date", _) => (DataType::Date, ValueKind::Date),
            ("datetime", _) => (
                DataType::Timestamp(precision(written)),
                ValueKind::Timestamp,
            ),
            ("timestamp", _) => self.timestamp(column)?,
            ("time", _) => match self.choices(column).time {
                Times::Time => (DataType::Time(precision(written)), ValueKind::Time),
                Times::Interval => (DataType::Interval(precision(written)), ValueKind::Interval),
            },
            ("vector", _) => self.vector(column)?,
            (other, _) => match spatial(other) {
                Some(kind) => self.geometry(column, kind)?,
                None => return Err(self.unsupported(column, other)),
            },
        })
    }

    /// A column of a spatial type, whose values PostGIS calls `kind`.
    fn geometry(
        &mut self,
        column: &ColumnDefinition,
        kind: &'static str,
    ) -> Result<(DataType, ValueKind)> {
        let values = ValueKind::Geometry {
            by_system: self.facts.axes_by_system,
        };
        let schema = match (self.choices(column).geometry, &self.policies.postgis) {
            (Geometry::Wkb, _) => {
                let form = match column.data_type.srid {
                    None | Some(0) => "WKB, and EWKB where a value has an SRID".to_owned(),
                    Some(srid) => format!("EWKB with the SRID {srid}"),
                };
                let what = format!("{kind} is bytea now: {form}");
                self.note(Code::OtherType, Some(&column.name), what);
                return Ok((DataType::Bytea, values));
            }
            (Geometry::Postgis, Extension::Missing) => {
                let leaves_out = self.leaving_out(&column.data_type.name);
                let (table, column) = (&self.definition.name, &column.name);
                return Err(Error::failed(format!(
                    "column {table}.{column}: its type needs PostGIS, which the database does not have"
                ))
                .hint(format!(
                    "CREATE EXTENSION postgis in the database; or --geometry wkb takes the values as bytes; \
                     or {leaves_out}"
                )));
            }
            (Geometry::Postgis, Extension::In(schema)) => Some(schema.clone()),
            (Geometry::Postgis, Extension::Somewhere) => None,
        };
        let data_type = model::Geometry {
            schema,
            kind,
            srid: column.data_type.srid,
        };
        Ok((DataType::Geometry(data_type), values))
    }

    /// The error for a type that has no counterpart in PostgreSQL.
    fn unsupported(&self, column: &ColumnDefinition, name: &str) -> Error {
        Error::failed(format!(
            "column {}.{}: the type {name} is not supported",
            self.definition.name, column.name
        ))
        .hint(self.leaving_out(name))
    }

    /// How to leave out all columns of the type `name`, or of any spatial type if it is one.
    pub(super) fn leaving_out(&self, name: &str) -> String {
        let table = &self.definition.name;
        let is_alike = |other: &&ColumnDefinition| {
            let other_name = other.data_type.name.as_str();
            let alike =
                other_name == name || spatial(other_name).is_some() && spatial(name).is_some();
            alike
                && self.policies.takes_column(
                    self.definition.database.as_deref(),
                    table,
                    self.dump_name(&other.name),
                )
        };
        let options: Vec<String> = self
            .definition
            .columns
            .iter()
            .filter(is_alike)
            .map(|column| format!("--skip-column {table}.{}", self.dump_name(&column.name)))
            .collect();
        let them = if options.len() == 1 {
            "it"
        } else {
            "all of its kind"
        };
        format!("{} leaves {them} out", options.join(" "))
    }

    fn tinyint1(&mut self, column: &ColumnDefinition) -> (DataType, ValueKind) {
        match self.choices(column).tinyint1 {
            Tinyint1::Auto => match self.why_number(column) {
                Some(why) => {
                    let what = format!("smallint instead of boolean: {why}");
                    self.note(Code::OtherType, Some(&column.name), what);
                    (DataType::Smallint, ValueKind::Integer)
                }
                None => (DataType::Boolean, ValueKind::Boolean),
            },
            Tinyint1::Boolean => (DataType::Boolean, ValueKind::Boolean),
            Tinyint1::Truthy => (DataType::Boolean, ValueKind::Truthy),
            Tinyint1::Smallint => (DataType::Smallint, ValueKind::Integer),
        }
    }

    /// Why a `tinyint(1)` is a number and no truth value, before its values are known.
    fn why_number(&self, column: &ColumnDefinition) -> Option<&'static str> {
        if column.auto_increment {
            return Some("it has AUTO_INCREMENT");
        }
        let name = &column.name;
        let in_key = self.definition.keys.iter().any(|key| {
            let is_constraint = matches!(key.kind, KeyKind::Primary | KeyKind::Unique);
            is_constraint && key.parts.iter().any(|part| indexes(part, name))
        });
        if in_key {
            return Some("it is in a key");
        }
        let mut keys = self.definition.foreign_keys.iter();
        if keys.any(|key| {
            key.columns
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        }) {
            return Some("it is in a foreign key");
        }
        match &column.default {
            Some(DefaultValue::Text(text) | DefaultValue::Number(text))
                if !matches!(text.trim_start_matches('0'), "" | "1") =>
            {
                Some("its default is neither 0 nor 1")
            }
            _ => None,
        }
    }

    /// What a column with this type and kind of values becomes if a value does not fit.
    pub(super) fn wider(
        &self,
        column: &ColumnDefinition,
        data_type: &DataType,
        kind: ValueKind,
    ) -> Option<Wider> {
        // A type that the map names stays.
        if self.wanted_type(column).is_some() {
            return None;
        }
        match (data_type, kind) {
            (DataType::Boolean, ValueKind::Boolean) => {
                (self.choices(column).tinyint1 == Tinyint1::Auto).then_some(Wider::Smallint)
            }
            (DataType::Bigint, ValueKind::UnsignedToBigint) => Some(Wider::Numeric),
            (DataType::Vector(_), _) => Some(Wider::Vector),
            (DataType::Jsonb, _) => Some(Wider::Json),
            (DataType::Json | DataType::Enum(_), _) => Some(Wider::Text),
            _ => None,
        }
    }

    fn timestamp(&self, column: &ColumnDefinition) -> Result<(DataType, ValueKind)> {
        let precision = precision(&column.data_type);
        let choice = self.choices(column).timestamps;
        if !self.facts.utc && choice != Timestamps::Utc {
            let (table, column) = (&self.definition.name, &column.name);
            return Err(Error::failed(format!(
                "column {table}.{column}: the dump does not say that its timestamps are in UTC"
            ))
            .hint("make the dump with --tz-utc, or take them as they are: --timestamps utc"));
        }
        Ok(match choice {
            Timestamps::Utc => (DataType::Timestamp(precision), ValueKind::Timestamp),
            Timestamps::Tz => (DataType::Timestamptz(precision), ValueKind::Timestamp),
            Timestamps::Local => (DataType::Timestamp(precision), ValueKind::LocalTimestamp),
        })
    }

    fn text(&self, column: &ColumnDefinition) -> Result<ValueKind> {
        text_kind(self.definition, column, self.facts.charset)
    }

    fn enum_type(&mut self, column: &ColumnDefinition) -> DataType {
        let wanted = format!("{}_{}", self.name, column.name);
        let name = self.names.give(&wanted, &self.name);
        self.enum_types.push(EnumType {
            name: name.clone(),
            values: column.data_type.values.clone(),
        });
        DataType::Enum(name)
    }
}

/// How the values of a text column of `table` are transcoded in a dump whose `SET NAMES` is `charset`. If that is
/// `binary`, each text is in the character set of its column, or else of its table.
pub fn text_kind(
    table: &TableDefinition,
    column: &ColumnDefinition,
    charset: Charset,
) -> Result<ValueKind> {
    let own = match charset {
        Charset::Binary => {
            let own = column.data_type.charset.as_ref();
            let name = own.or(table.options.charset.as_ref());
            name.map_or(Ok(Charset::Utf8), |name| Charset::named(name))
                .map_err(|error| error.at(format!("column {}.{}", table.name, column.name)))?
        }
        charset => charset,
    };
    Ok(match own {
        Charset::Utf8 | Charset::Binary => ValueKind::Text,
        // JSON is in utf8mb4 whatever the table is in.
        Charset::Other(..) if column.data_type.name == "json" && charset == Charset::Binary => {
            ValueKind::Text
        }
        other @ Charset::Other(..) => ValueKind::EncodedText(other),
    })
}

/// The digits of a second. A larger number is a display width, as MySQL 4.0 wrote it.
fn precision(written: &definition::DataType) -> Option<u64> {
    written
        .numbers
        .first()
        .copied()
        .filter(|digits| *digits <= 6)
}
