//! Values of translated expressions.

use crate::dump::mysql::definition::DataType;

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The value of a column: it must be exactly the same.
    Value,
    /// The key of an index: it must be found by the same expression in a query, so that arithmetic stays as it is.
    Key,
    /// A constraint. It may compare texts, although MySQL often ignores their case.
    Check,
}

/// What kind of value an expression has, in MySQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema::from_mysql) enum Class {
    /// A whole number.
    Integer,
    /// An exact number with a fraction.
    Decimal,
    /// A floating-point number of 64 bits.
    Double,
    /// A text.
    Text {
        /// Whether MySQL stores it in UTF-8 or ASCII, as PostgreSQL does.
        utf8: bool,
    },
    /// The result of a comparison: MySQL's 0 and 1.
    Boolean,
    /// A date.
    Date,
    /// A date and time.
    Timestamp {
        /// Whether it has no fractions of a second, and is the same in all time zones.
        plain: bool,
    },
    /// A time.
    Time,
    /// JSON.
    Json,
    /// A value of JSON as a text without quotes.
    JsonText,
    /// NULL, which fits any other class.
    Null,
    /// Anything else: it can only be compared with NULL.
    Other,
}

/// The value of a translated expression.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// The expression, in parentheses if it is more than a word.
    pub(super) sql: String,
    pub(super) class: Class,
    /// Whether its type in PostgreSQL is `numeric`.
    pub(super) is_numeric: bool,
    /// Whether its text in PostgreSQL is MySQL's.
    pub(super) has_text: bool,
    /// The content, if it is a text constant.
    pub(super) constant: Option<String>,
    /// The JSON that a text of JSON is from.
    pub(super) json: Option<String>,
    /// Which values it may have at most.
    pub(super) bound: Bound,
}

/// Which values an expression may have at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bound {
    /// Any of its class.
    None,
    /// Those of a column of this type.
    Of(DataType),
    /// Whole numbers from the first to the second one.
    Within(i128, i128),
    /// Texts of so many characters.
    Chars(u64),
}

impl Bound {
    /// The least and the largest whole number.
    pub(super) fn range(&self) -> Option<(i128, i128)> {
        match self {
            Bound::Within(least, most) => Some((*least, *most)),
            Bound::Of(of) => range(&of.name, of.unsigned),
            Bound::None | Bound::Chars(_) => None,
        }
    }

    /// How many characters a text, or the text of a whole number, has at most.
    pub(super) fn chars(&self) -> Option<u64> {
        match self {
            Bound::Chars(chars) => Some(*chars),
            Bound::Of(of) if matches!(of.name.as_str(), "varchar" | "char") => {
                of.numbers.first().copied()
            }
            _ => {
                let (least, most) = self.range()?;
                let length = |number: i128| number.to_string().len();
                u64::try_from(length(least).max(length(most))).ok()
            }
        }
    }

    /// What values of both may be.
    pub(super) fn or(&self, other: &Bound) -> Bound {
        if let (Some(a), Some(b)) = (self.range(), other.range()) {
            return Bound::Within(a.0.min(b.0), a.1.max(b.1));
        }
        match (self.chars(), other.chars()) {
            (Some(a), Some(b)) => Bound::Chars(a.max(b)),
            _ => Bound::None,
        }
    }

    /// The results of an operation that has its least and largest ones for the least and largest operands.
    pub(super) fn by(&self, other: &Bound, operation: fn(i128, i128) -> Option<i128>) -> Bound {
        let (Some(a), Some(b)) = (self.range(), other.range()) else {
            return Bound::None;
        };
        let all = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)];
        let results: Option<Vec<i128>> = all.into_iter().map(|(a, b)| operation(a, b)).collect();
        let results = results.unwrap_or_default();
        match (results.iter().min(), results.iter().max()) {
            (Some(least), Some(most)) => Bound::Within(*least, *most),
            _ => Bound::None,
        }
    }
}

/// The range of a type of whole numbers (MySQL manual, 13.1.2).
pub(super) fn range(name: &str, unsigned: bool) -> Option<(i128, i128)> {
    let bits = match name {
        "tinyint" | "int1" | "bool" | "boolean" => 8,
        "smallint" | "int2" => 16,
        "mediumint" | "int3" => 24,
        "int" | "integer" | "int4" => 32,
        "bigint" | "int8" => 64,
        _ => return None,
    };
    let count = 1_i128 << bits;
    Some(if unsigned {
        (0, count - 1)
    } else {
        (-count / 2, count / 2 - 1)
    })
}

impl Value {
    pub(super) fn new(sql: impl Into<String>, class: Class) -> Value {
        Value {
            sql: sql.into(),
            class,
            is_numeric: false,
            has_text: matches!(class, Class::Integer | Class::Text { .. }),
            constant: None,
            json: None,
            bound: if class == Class::Boolean {
                Bound::Within(0, 1)
            } else {
                Bound::None
            },
        }
    }

    pub(super) fn numeric(sql: impl Into<String>, class: Class) -> Value {
        Value {
            is_numeric: true,
            has_text: class == Class::Integer,
            ..Value::new(sql, class)
        }
    }

    /// As a number: the result of a comparison is 0 or 1.
    pub(super) fn number(self) -> Option<Value> {
        match self.class {
            Class::Integer | Class::Decimal | Class::Double | Class::Null => Some(self),
            Class::Boolean => Some(Value {
                bound: Bound::Within(0, 1),
                ..Value::new(format!("({})::integer", self.sql), Class::Integer)
            }),
            _ => None,
        }
    }

    /// As an operand of exact arithmetic: in `numeric`, so that nothing overflows.
    pub(super) fn as_numeric(&self) -> String {
        let is_constant = self.sql.bytes().all(|byte| byte.is_ascii_digit());
        if self.is_numeric || self.class == Class::Double || is_constant && self.sql.len() < 10 {
            return self.sql.clone();
        }
        format!("{}::numeric", self.sql)
    }

    /// In `numeric`, whatever it is.
    pub(super) fn to_numeric(&self) -> String {
        if self.is_numeric {
            return self.sql.clone();
        }
        format!("{}::numeric", self.sql)
    }

    /// As a condition: a number is true if it is not 0.
    pub(super) fn truth(self) -> Option<String> {
        match self.class {
            Class::Boolean => Some(self.sql),
            Class::Integer | Class::Decimal => Some(format!("({} <> 0)", self.sql)),
            Class::Null => Some("NULL::boolean".to_owned()),
            _ => None,
        }
    }

    /// JSON as a text, a string without its quotes.
    pub(super) fn unquoted(self) -> Option<Value> {
        let from = self.json.filter(|_| self.class == Class::Json)?;
        let (value, path) = from.strip_suffix(')')?.rsplit_once(" #> ")?;
        // MySQL makes a text of null in JSON, PostgreSQL NULL.
        let sql = format!(
            "(CASE jsonb_typeof({from}) WHEN 'null' THEN 'null' ELSE {value} #>> {path}) END)"
        );
        Some(Value {
            json: Some(from.clone()),
            ..Value::new(sql, Class::JsonText)
        })
    }

    /// As a text.
    pub(super) fn text(self) -> Option<Value> {
        match self.class {
            Class::Text { .. } => Some(self),
            Class::Integer | Class::Decimal if self.has_text => Some(Value {
                bound: self.bound.chars().map_or(Bound::None, Bound::Chars),
                ..Value::new(format!("({})::text", self.sql), Class::Text { utf8: true })
            }),
            Class::Boolean => self.number()?.text(),
            _ => None,
        }
    }
}

/// The class that values of all of `classes` have together; NULL fits any.
pub(super) fn common(classes: &[Class]) -> Option<Class> {
    let mut others = classes.iter().filter(|class| **class != Class::Null);
    let first = *others.next()?;
    others.try_fold(first, |so_far, class| match (so_far, *class) {
        (a, b) if a == b => Some(a),
        (Class::Text { .. }, Class::Text { .. }) => Some(Class::Text { utf8: false }),
        (Class::Timestamp { .. }, Class::Timestamp { .. }) => {
            Some(Class::Timestamp { plain: false })
        }
        (a, b) => {
            let rank = |class| match class {
                Class::Boolean | Class::Integer => Some(Class::Integer),
                Class::Decimal => Some(Class::Decimal),
                Class::Double => Some(Class::Double),
                _ => None,
            };
            let (a, b) = (rank(a)?, rank(b)?);
            let is_wider = a == Class::Integer || b == Class::Double;
            Some(if is_wider { b } else { a })
        }
    })
}
