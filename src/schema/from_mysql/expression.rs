//! Translates expressions of generated columns, checks and functional indexes, if they certainly mean
//! the same in PostgreSQL.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    UnaryOperator, Value,
};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use crate::dump::mysql::lexer::{TokenKind, tokens};
use crate::schema::model::{Column, DataType};
use crate::schema::sql::{identifier, literal};

/// `1 + 1 + 1 + …` is as deep as it is long; a longer expression could overflow the stack.
const MAX_WORDS: usize = 500;

/// What an expression is for. Values must be exactly the same, the results of constraints need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The value of a column, or the key of an index.
    Value,
    /// A constraint. It may compare texts, although MySQL often ignores their case.
    Check,
}

/// What kind of value an expression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Number,
    Text,
    Boolean,
    Time,
    Null,
    Other,
}

/// `written`, an expression of MySQL over `columns`, as one of PostgreSQL.
pub(crate) fn translate(written: &str, columns: &[Column], purpose: Purpose) -> Option<String> {
    let text = normalised(written)?;
    let expression = Parser::new(&MySqlDialect {})
        .try_with_sql(&text)
        .ok()?
        .parse_expr()
        .ok()?;
    let translator = Translator { columns, purpose };
    translator.expression(&expression).map(|(sql, _)| sql)
}

/// The same expression without charset introducers, and with one way to quote.
fn normalised(written: &str) -> Option<String> {
    let mut text = String::new();
    let tokens = tokens(written).ok()?;
    if tokens.len() > MAX_WORDS {
        return None;
    }
    for token in tokens {
        match token.kind {
            TokenKind::Word(word) if word.starts_with("_utf8") || word == "_latin1" => continue,
            TokenKind::Word(word) | TokenKind::Number(word) => text += &word,
            TokenKind::Identifier(name) => text += &format!("`{}`", name.replace('`', "``")),
            TokenKind::Text(content) => {
                let escaped = content.replace('\\', "\\\\").replace('\'', "''");
                text += &format!("'{escaped}'");
            }
            TokenKind::Symbol(symbol) => {
                // Operators of several characters stay together.
                if matches!(symbol, '=' | '>' | '|' | '&') && text.ends_with([' ', '\n']) {
                    let trimmed = text.trim_end().len();
                    let joins = text[..trimmed].ends_with(['<', '>', '!', '|', '&', '=']);
                    text.truncate(if joins { trimmed } else { text.len() });
                }
                text.push(symbol);
            }
            TokenKind::DoubleQuoted(_) | TokenKind::Bits(_) | TokenKind::Hex(_) => return None,
        }
        text.push(' ');
    }
    Some(text)
}

struct Translator<'a> {
    columns: &'a [Column],
    purpose: Purpose,
}

type Translated = Option<(String, Class)>;

impl Translator<'_> {
    fn expression(&self, expression: &Expr) -> Translated {
        match expression {
            Expr::Identifier(name) => self.column(&name.value),
            Expr::Value(value) => constant(&value.value),
            Expr::Nested(inner) => {
                let (sql, class) = self.expression(inner)?;
                Some((format!("({sql})"), class))
            }
            Expr::UnaryOp { op, expr } => {
                let (sql, class) = self.expression(expr)?;
                match (op, class) {
                    (UnaryOperator::Minus, Class::Number) => Some((format!("(- {sql})"), class)),
                    (UnaryOperator::Not, Class::Boolean) => Some((format!("(NOT {sql})"), class)),
                    _ => None,
                }
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::IsNull(inner) => {
                Some((format!("({} IS NULL)", self.any(inner)?), Class::Boolean))
            }
            Expr::IsNotNull(inner) => Some((
                format!("({} IS NOT NULL)", self.any(inner)?),
                Class::Boolean,
            )),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let parts = [
                    self.expression(expr)?,
                    self.expression(low)?,
                    self.expression(high)?,
                ];
                self.comparable(&[parts[0].1, parts[1].1, parts[2].1])?;
                let not = if *negated { "NOT " } else { "" };
                let [(value, _), (low, _), (high, _)] = parts;
                Some((
                    format!("({value} {not}BETWEEN {low} AND {high})"),
                    Class::Boolean,
                ))
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => {
                let (value, class) = self.expression(expr)?;
                let list = list
                    .iter()
                    .map(|e| self.expression(e))
                    .collect::<Option<Vec<_>>>()?;
                let classes: Vec<Class> = std::iter::once(class)
                    .chain(list.iter().map(|(_, class)| *class))
                    .collect();
                self.comparable(&classes)?;
                let list: Vec<String> = list.into_iter().map(|(sql, _)| sql).collect();
                let not = if *negated { "NOT " } else { "" };
                Some((
                    format!("({value} {not}IN ({}))", list.join(", ")),
                    Class::Boolean,
                ))
            }
            Expr::Case {
                operand: None,
                conditions,
                else_result,
                ..
            } => self.case(conditions, else_result.as_deref()),
            Expr::Function(function) => self.function(function),
            _ => None,
        }
    }

    fn any(&self, expression: &Expr) -> Option<String> {
        self.expression(expression).map(|(sql, _)| sql)
    }

    fn column(&self, name: &str) -> Translated {
        let found = |column: &&Column| column.name.eq_ignore_ascii_case(name);
        let column = self.columns.iter().find(found)?;
        let class = match column.data_type {
            DataType::Smallint
            | DataType::Integer
            | DataType::Bigint
            | DataType::Numeric(..)
            | DataType::DoublePrecision => Class::Number,
            DataType::Varchar(_) | DataType::Text => Class::Text,
            DataType::Date | DataType::Timestamp(_) | DataType::Time(_) => Class::Time,
            DataType::Boolean => Class::Boolean,
            _ => Class::Other,
        };
        Some((identifier(&column.name), class))
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Translated {
        let ((left, left_class), (right, right_class)) =
            (self.expression(left)?, self.expression(right)?);
        let classes = [left_class, right_class];
        let (operator, class) = match op {
            BinaryOperator::Plus => ("+", Class::Number),
            BinaryOperator::Minus => ("-", Class::Number),
            BinaryOperator::Multiply => ("*", Class::Number),
            BinaryOperator::Eq => ("=", Class::Boolean),
            BinaryOperator::NotEq => ("<>", Class::Boolean),
            BinaryOperator::Lt => ("<", Class::Boolean),
            BinaryOperator::LtEq => ("<=", Class::Boolean),
            BinaryOperator::Gt => (">", Class::Boolean),
            BinaryOperator::GtEq => (">=", Class::Boolean),
            BinaryOperator::And => ("AND", Class::Boolean),
            BinaryOperator::Or => ("OR", Class::Boolean),
            _ => return None,
        };
        match op {
            BinaryOperator::And | BinaryOperator::Or => {
                classes
                    .iter()
                    .all(|class| *class == Class::Boolean)
                    .then_some(())?;
            }
            _ if class == Class::Number => {
                classes
                    .iter()
                    .all(|class| *class == Class::Number)
                    .then_some(())?;
            }
            _ => self.comparable(&classes)?,
        }
        Some((format!("({left} {operator} {right})"), class))
    }

    /// Whether values of these classes compare in PostgreSQL as they do in MySQL.
    fn comparable(&self, classes: &[Class]) -> Option<()> {
        let all = |class: Class| classes.iter().all(|c| *c == class || *c == Class::Null);
        let texts = all(Class::Text) && self.purpose == Purpose::Check;
        // A constant date is a text.
        let times = self.purpose == Purpose::Check
            && classes
                .iter()
                .all(|class| matches!(class, Class::Time | Class::Text | Class::Null));
        (all(Class::Number) || all(Class::Time) || texts || times).then_some(())
    }

    fn case(&self, conditions: &[CaseWhen], otherwise: Option<&Expr>) -> Translated {
        let mut sql = "CASE".to_owned();
        let mut classes = Vec::new();
        for CaseWhen { condition, result } in conditions {
            let (condition, Class::Boolean) = self.expression(condition)? else {
                return None;
            };
            let (result, class) = self.expression(result)?;
            classes.push(class);
            sql += &format!(" WHEN {condition} THEN {result}");
        }
        if let Some(otherwise) = otherwise {
            let (otherwise, class) = self.expression(otherwise)?;
            classes.push(class);
            sql += &format!(" ELSE {otherwise}");
        }
        Some((format!("{sql} END"), common(&classes)?))
    }

    fn function(&self, function: &Function) -> Translated {
        let name = function
            .name
            .to_string()
            .replace('`', "")
            .to_ascii_lowercase();
        let FunctionArguments::List(list) = &function.args else {
            return None;
        };
        let mut arguments = Vec::new();
        for argument in &list.args {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument else {
                return None;
            };
            arguments.push(self.expression(argument)?);
        }
        let classes: Vec<Class> = arguments.iter().map(|(_, class)| *class).collect();
        let sql: Vec<String> = arguments.into_iter().map(|(sql, _)| sql).collect();
        let texts = classes.iter().all(|class| *class == Class::Text);
        match (name.as_str(), classes.as_slice()) {
            // NULL if one argument is NULL, unlike PostgreSQL's own concat.
            ("concat", [_, ..]) if texts => Some((format!("({})", sql.join(" || ")), Class::Text)),
            ("coalesce" | "ifnull", [_, ..]) => {
                Some((format!("COALESCE({})", sql.join(", ")), common(&classes)?))
            }
            ("if", [Class::Boolean, ..]) if sql.len() == 3 => {
                let class = common(&classes[1..])?;
                Some((
                    format!("CASE WHEN {} THEN {} ELSE {} END", sql[0], sql[1], sql[2]),
                    class,
                ))
            }
            ("char_length" | "character_length", [Class::Text]) => {
                Some((format!("char_length({})", sql[0]), Class::Number))
            }
            ("length" | "octet_length", [Class::Text]) => {
                Some((format!("octet_length({})", sql[0]), Class::Number))
            }
            ("abs", [Class::Number]) => Some((format!("abs({})", sql[0]), Class::Number)),
            ("lower" | "lcase", [Class::Text]) if self.purpose == Purpose::Check => {
                Some((format!("lower({})", sql[0]), Class::Text))
            }
            _ => None,
        }
    }
}

/// The class that all of `classes` have; NULL fits any.
fn common(classes: &[Class]) -> Option<Class> {
    let mut others = classes.iter().filter(|class| **class != Class::Null);
    let first = *others.next()?;
    others.all(|class| *class == first).then_some(first)
}

fn constant(value: &Value) -> Translated {
    match value {
        Value::Number(number, _) => Some((number.clone(), Class::Number)),
        Value::SingleQuotedString(text) => Some((literal(text), Class::Text)),
        Value::Null => Some(("NULL".to_owned(), Class::Null)),
        Value::Boolean(value) => Some((value.to_string(), Class::Boolean)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let column = |name: &str, data_type| Column::new(name, data_type);
        vec![
            column("a", DataType::Integer),
            column("b c", DataType::Bigint),
            column("s", DataType::Varchar(10)),
            column("d", DataType::Date),
        ]
    }

    fn check(written: &str, purpose: Purpose, expected: Option<&str>) {
        assert_eq!(
            translate(written, &columns(), purpose).as_deref(),
            expected,
            "{written}"
        );
    }

    #[test]
    fn what_means_the_same_is_translated() {
        use Purpose::{Check, Value};
        check("(`a` * 100)", Value, Some("((\"a\" * 100))"));
        check("`a` + `b c`", Value, Some("(\"a\" + \"b c\")"));
        check(
            "concat(`s`,_utf8mb4'-',`s`)",
            Value,
            Some("(\"s\" || '-' || \"s\")"),
        );
        check("ifnull(`a`,0)", Value, Some("COALESCE(\"a\", 0)"));
        check(
            "if(`a` >= 1,`s`,NULL)",
            Value,
            Some("CASE WHEN (\"a\" >= 1) THEN \"s\" ELSE NULL END"),
        );
        check(
            "`a` > 0 and `s` is not null",
            Check,
            Some("((\"a\" > 0) AND (\"s\" IS NOT NULL))"),
        );
        check(
            "`s` in ('it''s','\\\\')",
            Check,
            Some("(\"s\" IN ('it''s', E'\\\\'))"),
        );
        check(
            "`a` between 1 and 9",
            Check,
            Some("(\"a\" BETWEEN 1 AND 9)"),
        );
        check("`a` <> 3", Check, Some("(\"a\" <> 3)"));
        check("`d` > '2000-01-01'", Check, Some("(\"d\" > '2000-01-01')"));
    }

    #[test]
    fn what_might_not_is_not() {
        for written in [
            "`s` = 'a'",
            "`a` / 2",
            "lower(`s`)",
            "concat(`s`,`a`)",
            "json_extract(`s`,'$.a')",
            "`x` + 1",
            "now()",
            "`a` || `b c`",
            "`a` like 'x'",
            "(",
            "",
        ] {
            check(written, Purpose::Value, None);
        }
    }

    #[test]
    fn what_is_deep_is_no_crash() {
        let sum = |count: usize| format!("`a`{}", " + 1".repeat(count));
        assert!(translate(&sum(249), &columns(), Purpose::Value).is_some());
        for written in [
            sum(250),
            sum(500_000),
            "(".repeat(400),
            "not ".repeat(400),
            "- ".repeat(400),
            "if(`a`,".repeat(100),
            "case when ".repeat(200),
        ] {
            check(&written, Purpose::Check, None);
        }
    }
}
