//! Translates expressions, except the calls of functions.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType, DateTimeField, Expr, UnaryOperator,
};

use super::operand::Operands;
use super::value::{Bound, Class, Purpose, Value, common};
use crate::schema::sql::literal;

/// Translates one expression.
pub(super) struct Translator<'a> {
    operands: &'a dyn Operands,
    pub(super) purpose: Purpose,
    /// As in [`super::Translation`].
    pub(super) is_certain: bool,
    pub(super) conditions: Vec<String>,
    pub(super) fit_conditions: Vec<String>,
    pub(super) columns: Vec<String>,
}

impl<'a> Translator<'a> {
    pub(super) fn new(operands: &'a dyn Operands, purpose: Purpose) -> Translator<'a> {
        Translator {
            operands,
            purpose,
            is_certain: true,
            conditions: Vec::new(),
            fit_conditions: Vec::new(),
            columns: Vec::new(),
        }
    }

    pub(super) fn expression(&mut self, expression: &Expr) -> Option<Value> {
        match expression {
            Expr::Identifier(name) => self.column(&name.value),
            Expr::Value(value) => constant(&value.value),
            Expr::Nested(inner) => {
                let value = self.expression(inner)?;
                Some(Value {
                    sql: format!("({})", value.sql),
                    ..value
                })
            }
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::IsNull(inner) => self.is_null(inner, "IS NULL"),
            Expr::IsNotNull(inner) => self.is_null(inner, "IS NOT NULL"),
            Expr::IsTrue(inner) => self.is_truth(inner, "IS TRUE"),
            Expr::IsNotTrue(inner) => self.is_truth(inner, "IS NOT TRUE"),
            Expr::IsFalse(inner) => self.is_truth(inner, "IS FALSE"),
            Expr::IsNotFalse(inner) => self.is_truth(inner, "IS NOT FALSE"),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let values = self.compared([expr, low, high].into_iter().map(Box::as_ref))?;
                let [value, low, high] = values.as_slice() else {
                    return None;
                };
                let not = if *negated { "NOT " } else { "" };
                let sql = format!("({value} {not}BETWEEN {low} AND {high})");
                Some(Value::new(sql, Class::Boolean))
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => {
                let all = std::iter::once(expr.as_ref()).chain(list);
                let values = self.compared(all)?;
                let (value, list) = values.split_first()?;
                let not = if *negated { "NOT " } else { "" };
                let sql = format!("({value} {not}IN ({}))", list.join(", "));
                Some(Value::new(sql, Class::Boolean))
            }
            Expr::Case {
                operand: None,
                conditions,
                else_result,
                ..
            } => self.case(conditions, else_result.as_deref()),
            Expr::Cast {
                kind: CastKind::Cast,
                expr,
                data_type,
                format: None,
            } => self.cast(expr, data_type),
            Expr::Floor { expr, field } => self.rounded("floor", expr, field),
            Expr::Ceil { expr, field } => self.rounded("ceil", expr, field),
            Expr::Extract { field, expr, .. } => self.extract(field, expr),
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for,
                ..
            } => self.substring(expr, from, substring_for.as_deref()),
            Expr::Trim {
                trim_where: None,
                trim_what: None,
                expr,
                trim_characters: None,
            } => self.trimmed("btrim", expr),
            Expr::Function(function) => self.function(function),
            _ => None,
        }
    }

    fn column(&mut self, name: &str) -> Option<Value> {
        let operand = self.operands.named(name)?;
        let column = operand.name().to_owned();
        if !self.columns.contains(&column) {
            self.columns.push(column);
        }
        let value = operand.value();
        self.is_certain &= value.class != Class::Double;
        Some(value)
    }

    fn unary(&mut self, op: UnaryOperator, inner: &Expr) -> Option<Value> {
        let value = self.expression(inner)?;
        match op {
            UnaryOperator::Minus => {
                let number = value.number()?;
                Some(arithmetic(
                    format!("(- {})", number.as_numeric()),
                    number.class,
                ))
            }
            UnaryOperator::Plus => value.number(),
            UnaryOperator::Not | UnaryOperator::BangNot => {
                let sql = format!("(NOT {})", value.truth()?);
                Some(Value::new(sql, Class::Boolean))
            }
            _ => None,
        }
    }

    fn is_null(&mut self, inner: &Expr, test: &str) -> Option<Value> {
        let value = self.expression(inner)?;
        Some(Value::new(
            format!("({} {test})", value.sql),
            Class::Boolean,
        ))
    }

    fn is_truth(&mut self, inner: &Expr, test: &str) -> Option<Value> {
        let truth = self.expression(inner)?.truth()?;
        Some(Value::new(format!("({truth} {test})"), Class::Boolean))
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Value> {
        let comparison = match op {
            BinaryOperator::Eq => "=",
            BinaryOperator::NotEq => "<>",
            BinaryOperator::Lt => "<",
            BinaryOperator::LtEq => "<=",
            BinaryOperator::Gt => ">",
            BinaryOperator::GtEq => ">=",
            BinaryOperator::Spaceship => "IS NOT DISTINCT FROM",
            BinaryOperator::And => return self.logical(left, "AND", right),
            BinaryOperator::Or => return self.logical(left, "OR", right),
            BinaryOperator::Arrow => return self.json_extract(left, right),
            BinaryOperator::LongArrow => {
                let json = self.json_extract(left, right)?;
                return json.unquoted();
            }
            _ => return self.arithmetic(left, op, right),
        };
        let values = self.compared([left, right].into_iter())?;
        let sql = format!("({} {comparison} {})", values[0], values[1]);
        Some(Value::new(sql, Class::Boolean))
    }

    fn logical(&mut self, left: &Expr, operator: &str, right: &Expr) -> Option<Value> {
        let left = self.expression(left)?.truth()?;
        let right = self.expression(right)?.truth()?;
        Some(Value::new(
            format!("({left} {operator} {right})"),
            Class::Boolean,
        ))
    }

    fn arithmetic(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Value> {
        let left = self.expression(left)?.number()?;
        let right = self.expression(right)?.number()?;
        let class = common(&[left.class, right.class])?;
        let bound = |operation| left.bound.by(&right.bound, operation);
        let bound = match op {
            BinaryOperator::Plus => bound(i128::checked_add),
            BinaryOperator::Minus => bound(i128::checked_sub),
            BinaryOperator::Multiply => bound(i128::checked_mul),
            _ => Bound::None,
        };
        let in_numeric = |function: &str| {
            let (left, right) = (left.to_numeric(), right.to_numeric());
            // What is divided by zero is NULL in MySQL.
            format!("{function}({left}, nullif({right}, 0))")
        };
        let (div, modulo) = (in_numeric("div"), in_numeric("mod"));
        let (left, right) = if self.purpose == Purpose::Key {
            (left.sql, right.sql)
        } else {
            (left.as_numeric(), right.as_numeric())
        };
        let simple = |operator: &str| format!("({left} {operator} {right})");
        let value = match op {
            BinaryOperator::Plus => arithmetic(simple("+"), class),
            BinaryOperator::Minus => arithmetic(simple("-"), class),
            BinaryOperator::Multiply => arithmetic(simple("*"), class),
            BinaryOperator::MyIntegerDivide if class != Class::Double => {
                arithmetic(div, Class::Integer)
            }
            BinaryOperator::Modulo if class != Class::Double => arithmetic(modulo, class),
            BinaryOperator::Divide => {
                // MySQL computes four digits more than its operands have.
                self.is_certain = false;
                let class = if class == Class::Double {
                    class
                } else {
                    Class::Decimal
                };
                arithmetic(format!("({left} / nullif({right}, 0))"), class)
            }
            _ => return None,
        };
        let value = Value { bound, ..value };
        self.fits_in_64_bits(&value);
        Some(value)
    }

    /// Expressions whose values compare in PostgreSQL as they do in MySQL.
    fn compared<'e>(&mut self, all: impl Iterator<Item = &'e Expr>) -> Option<Vec<String>> {
        let values = all
            .map(|expression| self.expression(expression))
            .collect::<Option<Vec<_>>>()?;
        let classes: Vec<Class> = values.iter().map(|value| value.class).collect();
        let is_number = |class: &Class| {
            matches!(
                class,
                Class::Integer | Class::Decimal | Class::Double | Class::Boolean | Class::Null
            )
        };
        if classes.iter().all(is_number) {
            let numbers = values.into_iter().map(|value| Some(value.number()?.sql));
            return numbers.collect();
        }
        let is_text = |class: &Class| matches!(class, Class::Text { .. } | Class::Null);
        let is_moment = |class: &Class| matches!(class, Class::Date | Class::Timestamp { .. });
        let is_time = |class: &Class| *class == Class::Time;
        let is_constant = |value: &Value| value.constant.is_some() || value.class == Class::Null;
        let comparable = if classes.iter().all(is_text) {
            // The collations of MySQL are others.
            self.purpose == Purpose::Check
        } else {
            let fits = |test: &dyn Fn(&Class) -> bool| {
                let others = values.iter().filter(|value| !test(&value.class));
                others.clone().count() < values.len()
                    && others.into_iter().all(|value| {
                        is_constant(value)
                            && (self.purpose == Purpose::Check
                                || is_date(value)
                                || value.class == Class::Null)
                    })
            };
            fits(&is_moment) || fits(&is_time)
        };
        comparable.then(|| values.into_iter().map(|value| value.sql).collect())
    }

    fn case(&mut self, conditions: &[CaseWhen], otherwise: Option<&Expr>) -> Option<Value> {
        let mut whens = Vec::new();
        let mut results = Vec::new();
        for CaseWhen { condition, result } in conditions {
            whens.push(self.expression(condition)?.truth()?);
            results.push(self.expression(result)?);
        }
        if let Some(otherwise) = otherwise {
            results.push(self.expression(otherwise)?);
        }
        let (results, class, bound) = alike(results)?;
        let mut sql = "CASE".to_owned();
        for (condition, result) in whens.iter().zip(&results) {
            sql += &format!(" WHEN {condition} THEN {result}");
        }
        if let Some(otherwise) = results.get(whens.len()) {
            sql += &format!(" ELSE {otherwise}");
        }
        Some(Value {
            has_text: class == Class::Integer || matches!(class, Class::Text { .. }),
            bound,
            ..Value::new(format!("({sql} END)"), class)
        })
    }

    fn cast(&mut self, inner: &Expr, to: &DataType) -> Option<Value> {
        let value = self.expression(inner)?;
        match to {
            DataType::Date => {
                if let Class::Timestamp { plain } = value.class {
                    self.is_certain &= plain;
                }
                let is_moment = matches!(value.class, Class::Date | Class::Timestamp { .. });
                is_moment.then(|| Value::new(format!("({})::date", value.sql), Class::Date))
            }
            DataType::Signed | DataType::SignedInteger => {
                let number = value.number()?;
                self.is_certain &= number.class != Class::Double;
                let sql = format!("round({})", number.to_numeric());
                Some(Value::numeric(sql, Class::Integer))
            }
            DataType::Decimal(sqlparser::ast::ExactNumberInfo::PrecisionAndScale(
                precision,
                scale,
            )) => {
                let number = value.number()?;
                self.is_certain &= number.class != Class::Double;
                let sql = format!("{}::numeric({precision},{scale})", number.sql);
                Some(Value {
                    has_text: true,
                    ..Value::numeric(sql, Class::Decimal)
                })
            }
            DataType::Char(None) => value.text(),
            _ => None,
        }
    }

    fn rounded(&mut self, function: &str, inner: &Expr, field: &CeilFloorKind) -> Option<Value> {
        let CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) = field else {
            return None;
        };
        let number = self.expression(inner)?.number()?;
        if number.class == Class::Double {
            return None;
        }
        let sql = format!("{function}({})", number.to_numeric());
        Some(Value::numeric(sql, Class::Integer))
    }

    fn extract(&mut self, field: &DateTimeField, inner: &Expr) -> Option<Value> {
        let name = field.to_string().to_ascii_lowercase();
        let known = ["year", "quarter", "month", "day", "hour", "minute"];
        known
            .contains(&name.as_str())
            .then(|| self.part_of_date(&name, inner))?
    }
}

/// `values` of one class, and the class.
pub(super) fn alike(values: Vec<Value>) -> Option<(Vec<String>, Class, Bound)> {
    let classes: Vec<Class> = values.iter().map(|value| value.class).collect();
    let class = common(&classes)?;
    let mut bounds = values
        .iter()
        .filter(|value| value.class != Class::Null)
        .map(|value| value.bound.clone());
    let first = bounds.next().unwrap_or(Bound::None);
    let bound = bounds.fold(first, |bound, other| bound.or(&other));
    let sql = values.into_iter().map(|value| match class {
        _ if value.class == Class::Null => Some(value.sql),
        Class::Integer | Class::Decimal | Class::Double => Some(value.number()?.sql),
        Class::Json | Class::JsonText | Class::Other => None,
        _ => Some(value.sql),
    });
    Some((sql.collect::<Option<Vec<_>>>()?, class, bound))
}

/// The result of arithmetic, as a `numeric` unless it is a floating-point number.
fn arithmetic(sql: String, class: Class) -> Value {
    match class {
        Class::Double => Value::new(sql, class),
        Class::Integer | Class::Boolean => Value::numeric(sql, Class::Integer),
        other => Value::numeric(sql, other),
    }
}

/// Whether a text constant is a date or a date and time that both servers read alike.
fn is_date(value: &Value) -> bool {
    let Some(text) = &value.constant else {
        return false;
    };
    let shape: String = text
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
        .collect();
    ["0000-00-00", "0000-00-00 00:00:00", "00:00:00"].contains(&shape.as_str())
}

fn constant(value: &sqlparser::ast::Value) -> Option<Value> {
    use sqlparser::ast::Value as Constant;
    match value {
        Constant::Number(number, _) => {
            let class = if number.bytes().all(|byte| byte.is_ascii_digit()) {
                Class::Integer
            } else if number.contains(['e', 'E']) {
                Class::Double
            } else {
                Class::Decimal
            };
            Some(match class {
                Class::Double => Value::new(format!("{number}::double precision"), class),
                Class::Decimal => Value::numeric(number.clone(), class),
                _ => Value {
                    is_numeric: number.len() > 18,
                    bound: match number.parse() {
                        Ok(number) => Bound::Within(number, number),
                        Err(_) => Bound::None,
                    },
                    ..Value::new(number.clone(), class)
                },
            })
        }
        Constant::SingleQuotedString(text) => Some(Value {
            constant: Some(text.clone()),
            bound: Bound::Chars(text.chars().count() as u64),
            ..Value::new(literal(text), Class::Text { utf8: true })
        }),
        Constant::Null => Some(Value::new("NULL", Class::Null)),
        Constant::Boolean(value) => Some(Value::new(value.to_string(), Class::Boolean)),
        _ => None,
    }
}
