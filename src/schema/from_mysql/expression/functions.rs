//! Translates the calls of functions (MySQL manual, chapter 14).

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::json_path;
use super::translator::{Translator, alike};
use super::value::{Bound, Class, Value};

impl Translator<'_> {
    pub(super) fn function(&mut self, function: &Function) -> Option<Value> {
        let name = function
            .name
            .to_string()
            .replace('`', "")
            .to_ascii_lowercase();
        let arguments = arguments(function)?;
        match (name.as_str(), arguments.as_slice()) {
            ("concat", [_, ..]) => self.concat(&arguments),
            ("coalesce" | "ifnull", [_, ..]) => self.among("coalesce", &arguments),
            ("nullif", [_, _]) => self.nullif(arguments[0], arguments[1]),
            ("if", [condition, yes, no]) => self.either(condition, yes, no),
            ("greatest" | "least", [_, _, ..]) => self.extreme(&name, &arguments),
            _ => self.number_function(&name, &arguments),
        }
    }

    fn number_function(&mut self, name: &str, arguments: &[&Expr]) -> Option<Value> {
        match (name, arguments) {
            ("abs" | "sign", [number]) => {
                let number = self.expression(number)?.number()?;
                let bound = match (name, number.bound.range()) {
                    ("sign", _) => Bound::Within(-1, 1),
                    (_, Some((least, most))) => Bound::Within(0, least.abs().max(most.abs())),
                    _ => Bound::None,
                };
                let sql = format!("{name}({})", number.as_numeric());
                Some(Value {
                    bound,
                    ..exact(sql, number.class)
                })
            }
            ("mod", [left, right]) => {
                let (left, right) = (self.exact(left)?, self.exact(right)?);
                let class = super::value::common(&[left.class, right.class])?;
                let sql = format!(
                    "mod({}, nullif({}, 0))",
                    left.to_numeric(),
                    right.to_numeric()
                );
                Some(exact(sql, class))
            }
            ("floor" | "ceil" | "ceiling" | "round", [number]) => {
                let number = self.exact(number)?;
                let sql = format!("{name}({})", number.to_numeric());
                Some(exact(sql, Class::Integer))
            }
            ("round", [number, digits]) => {
                let (number, digits) = (self.exact(number)?, small_number(digits)?);
                let sql = format!("round({}, {digits})", number.to_numeric());
                Some(exact(sql, Class::Decimal))
            }
            _ => self.text_function(name, arguments),
        }
    }

    fn text_function(&mut self, name: &str, arguments: &[&Expr]) -> Option<Value> {
        match (name, arguments) {
            ("char_length" | "character_length", [text]) => {
                let text = self.text(text)?;
                Some(length(format!("char_length({})", text.sql)))
            }
            ("length" | "octet_length", [text]) => {
                let text = self.text(text)?;
                self.is_certain &= text.class == Class::Text { utf8: true };
                Some(length(format!("octet_length({})", text.sql)))
            }
            ("lower" | "lcase" | "upper" | "ucase", [text]) => {
                let lower = name.starts_with('l');
                self.in_case(if lower { "lower" } else { "upper" }, text)
            }
            ("left" | "right", [text, count]) => {
                let (text, count) = (self.text(text)?, small_number(count)?);
                // They are keywords of PostgreSQL.
                Some(like(&text, format!("\"{name}\"({}, {count})", text.sql)))
            }
            ("substr" | "substring" | "mid", [text, from]) => self.substring(text, from, None),
            ("substr" | "substring" | "mid", [text, from, count]) => {
                self.substring(text, from, Some(count))
            }
            ("trim", [text]) => self.trimmed("btrim", text),
            ("ltrim" | "rtrim", [text]) => self.trimmed(name, text),
            ("replace", [text, from, to]) => {
                let (text, from, to) = (self.text(text)?, self.text(from)?, self.text(to)?);
                Some(Value::new(
                    format!("replace({}, {}, {})", text.sql, from.sql, to.sql),
                    text.class,
                ))
            }
            ("md5", [text]) => {
                let text = self.text(text)?;
                self.is_certain &= text.class == Class::Text { utf8: true };
                Some(Value::new(
                    format!("md5({})", text.sql),
                    Class::Text { utf8: true },
                ))
            }
            _ => self.json_function(name, arguments),
        }
    }

    fn json_function(&mut self, name: &str, arguments: &[&Expr]) -> Option<Value> {
        match (name, arguments) {
            ("json_extract", [json, path]) => self.json_extract(json, path),
            ("json_unquote", [json]) => {
                let json = self.expression(json)?;
                json.unquoted()
            }
            ("json_value", [json, path]) => {
                let json = self.json_extract(json, path)?;
                json.unquoted()
            }
            _ => self.date_function(name, arguments),
        }
    }

    fn date_function(&mut self, name: &str, arguments: &[&Expr]) -> Option<Value> {
        match (name, arguments) {
            ("date", [moment]) => {
                let value = self.moment(moment)?;
                Some(Value::new(format!("({})::date", value.sql), Class::Date))
            }
            ("datediff", [to, from]) => {
                let (to, from) = (self.moment(to)?, self.moment(from)?);
                let sql = format!("(({})::date - ({})::date)", to.sql, from.sql);
                Some(Value::new(sql, Class::Integer))
            }
            // Days from the year 0.
            ("to_days", [moment]) => {
                let value = self.moment(moment)?;
                let sql = format!("(({})::date - '0001-01-01'::date + 366)", value.sql);
                Some(Value::new(sql, Class::Integer))
            }
            ("dayofmonth", [moment]) => self.part_of_date("day", moment),
            ("dayofyear", [moment]) => self.part_of_date("doy", moment),
            ("year" | "quarter" | "month" | "day" | "hour" | "minute", [moment]) => {
                self.part_of_date(name, moment)
            }
            // MySQL counts from Sunday as 1, and from Monday as 0.
            ("dayofweek", [moment]) => {
                let day = self.part_of_date("dow", moment)?;
                Some(Value::new(format!("({} + 1)", day.sql), Class::Integer))
            }
            ("weekday", [moment]) => {
                let day = self.part_of_date("isodow", moment)?;
                Some(Value::new(format!("({} - 1)", day.sql), Class::Integer))
            }
            _ => None,
        }
    }

    /// A date or a date and time, of which a part is taken.
    fn moment(&mut self, expression: &Expr) -> Option<Value> {
        let value = self.expression(expression)?;
        match value.class {
            Class::Date => Some(value),
            Class::Timestamp { plain } => {
                self.is_certain &= plain;
                Some(value)
            }
            _ => None,
        }
    }

    pub(super) fn part_of_date(&mut self, part: &str, expression: &Expr) -> Option<Value> {
        let value = self.moment(expression)?;
        if value.class == Class::Date && ["hour", "minute"].contains(&part) {
            return None;
        }
        let sql = format!("extract({part} FROM {})::integer", value.sql);
        Some(Value {
            bound: Bound::Within(0, 9999),
            ..Value::new(format!("({sql})"), Class::Integer)
        })
    }

    fn text(&mut self, expression: &Expr) -> Option<Value> {
        self.expression(expression)?.text()
    }

    /// A whole number or one with a fraction.
    fn exact(&mut self, expression: &Expr) -> Option<Value> {
        let number = self.expression(expression)?.number()?;
        matches!(number.class, Class::Integer | Class::Decimal).then_some(number)
    }

    /// NULL if one argument is NULL, unlike PostgreSQL's own concat.
    fn concat(&mut self, arguments: &[&Expr]) -> Option<Value> {
        let texts = arguments.iter().map(|argument| self.text(argument));
        let texts = texts.collect::<Option<Vec<_>>>()?;
        let all_utf8 = texts
            .iter()
            .all(|text| text.class == Class::Text { utf8: true });
        let chars: Option<Vec<u64>> = texts.iter().map(|text| text.bound.chars()).collect();
        let texts: Vec<String> = texts.into_iter().map(|text| text.sql).collect();
        let class = Class::Text { utf8: all_utf8 };
        Some(Value {
            bound: chars.map_or(Bound::None, |chars| Bound::Chars(chars.iter().sum())),
            ..Value::new(format!("({})", texts.join(" || ")), class)
        })
    }

    fn among(&mut self, function: &str, arguments: &[&Expr]) -> Option<Value> {
        let values = arguments.iter().map(|argument| self.expression(argument));
        let values = values.collect::<Option<Vec<_>>>()?;
        let (values, class, bound) = alike(values)?;
        let sql = format!("{function}({})", values.join(", "));
        Some(Value {
            has_text: class == Class::Integer || matches!(class, Class::Text { .. }),
            bound,
            ..Value::new(sql, class)
        })
    }

    fn nullif(&mut self, value: &Expr, other: &Expr) -> Option<Value> {
        let (value, other) = (self.exact(value)?, self.exact(other)?);
        let class = value.class;
        Some(Value::new(
            format!("nullif({}, {})", value.sql, other.sql),
            class,
        ))
    }

    fn either(&mut self, condition: &Expr, yes: &Expr, no: &Expr) -> Option<Value> {
        let condition = self.expression(condition)?.truth()?;
        let results = vec![self.expression(yes)?, self.expression(no)?];
        let (results, class, bound) = alike(results)?;
        let sql = format!(
            "(CASE WHEN {condition} THEN {} ELSE {} END)",
            results[0], results[1]
        );
        Some(Value {
            has_text: class == Class::Integer || matches!(class, Class::Text { .. }),
            bound,
            ..Value::new(sql, class)
        })
    }

    /// NULL if one argument is NULL, unlike PostgreSQL's own functions.
    fn extreme(&mut self, function: &str, arguments: &[&Expr]) -> Option<Value> {
        let numbers = arguments.iter().map(|argument| self.exact(argument));
        let numbers = numbers.collect::<Option<Vec<_>>>()?;
        let (numbers, class, bound) = alike(numbers)?;
        let nulls: Vec<String> = numbers.iter().map(|sql| format!("{sql} IS NULL")).collect();
        let sql = format!(
            "(CASE WHEN {} THEN NULL ELSE {function}({}) END)",
            nulls.join(" OR "),
            numbers.join(", ")
        );
        Some(Value {
            has_text: class == Class::Integer,
            bound,
            ..Value::new(sql, class)
        })
    }

    /// The servers agree on the case of ASCII only, and not even on that in all locales.
    fn in_case(&mut self, function: &str, text: &Expr) -> Option<Value> {
        let text = self.text(text)?;
        let sql = &text.sql;
        self.conditions.push(format!(
            "coalesce(octet_length({sql}) = char_length({sql}) AND {function}({sql}) = {function}({sql} COLLATE \"C\"), true)"
        ));
        Some(like(&text, format!("{function}({sql})")))
    }

    pub(super) fn substring(
        &mut self,
        text: &Expr,
        from: &Expr,
        count: Option<&Expr>,
    ) -> Option<Value> {
        let (text, from) = (self.text(text)?, small_number(from)?);
        // Position 0 is nowhere in MySQL.
        if from == 0 {
            return None;
        }
        let count = match count {
            Some(count) => format!(", {}", small_number(count)?),
            None => String::new(),
        };
        Some(like(&text, format!("substr({}, {from}{count})", text.sql)))
    }

    pub(super) fn trimmed(&mut self, function: &str, text: &Expr) -> Option<Value> {
        let text = self.text(text)?;
        Some(like(&text, format!("{function}({}, ' ')", text.sql)))
    }

    /// The value at a path in JSON.
    pub(super) fn json_extract(&mut self, json: &Expr, path: &Expr) -> Option<Value> {
        let json = self.expression(json)?;
        let path = self.expression(path)?.constant?;
        if json.class != Class::Json {
            return None;
        }
        let sql = format!("({} #> {})", json.sql, json_path::keys(&path)?);
        Some(Value {
            json: Some(sql.clone()),
            ..Value::new(sql, Class::Json)
        })
    }
}

fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let argument = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expression)) => Some(expression),
        _ => None,
    };
    list.args.iter().map(argument).collect()
}

/// A constant that is a small number.
fn small_number(expression: &Expr) -> Option<u16> {
    match expression {
        Expr::Value(value) => match &value.value {
            sqlparser::ast::Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// A text of the same class as `text`, and not longer.
fn like(text: &Value, sql: String) -> Value {
    Value {
        bound: text.bound.chars().map_or(Bound::None, Bound::Chars),
        ..Value::new(sql, text.class)
    }
}

/// The length of a text.
fn length(sql: String) -> Value {
    Value {
        // No text is longer than 4 GiB, and none that is stored longer than 1 GiB.
        bound: Bound::Within(0, 1 << 30),
        ..Value::new(sql, Class::Integer)
    }
}

/// The result of a function of exact numbers.
fn exact(sql: String, class: Class) -> Value {
    match class {
        Class::Double => Value::new(sql, class),
        other => Value::numeric(sql, other),
    }
}
