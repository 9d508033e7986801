//! The known types of PostgreSQL dumps.

use crate::dump::postgresql::definition::TypeName;
use crate::schema::model::DataType;

/// Built-in types that are taken unchanged, without a modifier (PostgreSQL manual, chapter 8).
const PLAIN: [&str; 31] = [
    "numeric",
    "real",
    "character varying",
    "bit varying",
    "time with time zone",
    "xml",
    "money",
    "cidr",
    "macaddr",
    "macaddr8",
    "oid",
    "name",
    "\"char\"",
    "tsvector",
    "tsquery",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "pg_lsn",
    "jsonpath",
    "txid_snapshot",
];

/// Other names of types, as people write them.
const ALIASES: [(&str, &str); 16] = [
    ("bool", "boolean"),
    ("int2", "smallint"),
    ("int", "integer"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("decimal", "numeric"),
    ("varchar", "character varying"),
    ("char", "character"),
    ("varbit", "bit varying"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("bpchar", "character"),
];

/// The type that `written` names, if it is a known one.
#[must_use]
pub fn data_type(written: &TypeName) -> Option<DataType> {
    if written.is_array {
        let of = TypeName {
            is_array: false,
            ..written.clone()
        };
        return data_type(&of).map(|of| DataType::Array(Box::new(of)));
    }
    let alias = ALIASES.iter().find(|(alias, _)| *alias == written.name);
    let name = alias.map_or(written.name.as_str(), |(_, name)| name);
    Some(match (name, written.modifiers.as_slice()) {
        ("boolean", []) => DataType::Boolean,
        ("smallint", []) => DataType::Smallint,
        ("integer", []) => DataType::Integer,
        ("bigint", []) => DataType::Bigint,
        ("numeric", [precision]) => DataType::Numeric(*precision, 0),
        ("numeric", [precision, scale]) => DataType::Numeric(*precision, *scale),
        ("double precision", []) => DataType::DoublePrecision,
        ("character varying", [length]) => DataType::Varchar(*length),
        ("character", [length]) => DataType::Char(*length),
        ("character", []) if written.name != "bpchar" => DataType::Char(1),
        ("text", []) => DataType::Text,
        ("bytea", []) => DataType::Bytea,
        ("bit", [width]) => DataType::Bit(*width),
        ("bit", []) => DataType::Bit(1),
        ("json", []) => DataType::Json,
        ("jsonb", []) => DataType::Jsonb,
        ("date", []) => DataType::Date,
        ("timestamp without time zone", []) => DataType::Timestamp(None),
        ("timestamp without time zone", [p]) => DataType::Timestamp(Some(*p)),
        ("timestamp with time zone", []) => DataType::Timestamptz(None),
        ("timestamp with time zone", [p]) => DataType::Timestamptz(Some(*p)),
        ("time without time zone", []) => DataType::Time(None),
        ("time without time zone", [p]) => DataType::Time(Some(*p)),
        ("interval", []) => DataType::Interval(None),
        ("interval", [p]) => DataType::Interval(Some(*p)),
        ("uuid", []) => DataType::Uuid,
        ("inet", []) => DataType::Inet,
        (name, []) => DataType::Plain(PLAIN.iter().copied().find(|plain| *plain == name)?),
        _ => return None,
    })
}
