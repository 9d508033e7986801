//! The triggers that this program makes of MySQL's `ON UPDATE CURRENT_TIMESTAMP`, as `convert` and pg_dump write them. They
//! are recognised by what their function does, and written again.

use super::default_value::moment;
use super::definition::{DefaultValue, Definition, SetColumns, Trigger};
use super::lexer::{Token, tokens};
use super::parser::Parser;

/// The trigger that the DO `statement` creates, as `convert` writes it.
pub(super) fn in_do(statement: &str, escapes: bool) -> Option<Definition> {
    let outer = tokens(statement, escapes).ok()?;
    let [Token::Word(_), Token::Text(body)] = outer.as_slice() else {
        return None;
    };
    let inner = tokens(body, false).ok()?;
    let mut parser = Parser::new(&inner);
    let begins = parser.take(&["begin", "drop", "function", "if", "exists"]);
    let dropped = begins.then(|| called(&mut parser))??;
    semicolon(&mut parser)?;
    let function = function_head(&mut parser)?;
    let Some(Token::Text(body)) = parser.next() else {
        return None;
    };
    let columns = set_columns(body)?;
    semicolon(&mut parser)?;
    let trigger = trigger_in(&mut parser)?;
    semicolon(&mut parser)?;
    let is_one = dropped == function && function == trigger.function;
    (is_one && parser.take(&["end"]) && parser.at_end()).then_some(Definition::UpdateTrigger {
        name: trigger.name,
        table: trigger.table,
        columns,
    })
}

/// The name of the function that `statement` creates, and the columns that it sets, if it does nothing else.
pub(super) fn function(statement: &str, escapes: bool) -> Option<(String, SetColumns)> {
    let (head, body) = if let Some((head, body)) = dollar_quoted(statement) {
        (tokens(head, escapes).ok()?, body.to_owned())
    } else {
        let mut all = tokens(statement, escapes).ok()?;
        let Token::Text(body) = all.pop()? else {
            return None;
        };
        (all, body)
    };
    let mut parser = Parser::new(&head);
    let name = function_head(&mut parser)?;
    parser.at_end().then_some((name, set_columns(&body)?))
}

/// The trigger that `statement` creates, if it can be such a one.
pub(super) fn trigger(statement: &str, escapes: bool) -> Option<Trigger> {
    let tokens = tokens(statement, escapes).ok()?;
    let mut parser = Parser::new(&tokens);
    let trigger = trigger_in(&mut parser)?;
    parser.at_end().then_some(trigger)
}

/// What stands before the dollar-quoted text at the end of `statement`, and the text.
fn dollar_quoted(statement: &str) -> Option<(&str, &str)> {
    let statement = statement.trim_end();
    let end = statement.strip_suffix('$')?.rfind('$')?;
    let tag = &statement[end..];
    // The text does not have its tag, but a name before it may.
    let begin = statement[..end].rfind(tag)?;
    Some((&statement[..begin], &statement[begin + tag.len()..end]))
}

/// The name of the function whose definition begins here, up to its text.
fn function_head(parser: &mut Parser<'_>) -> Option<String> {
    let name = parser
        .take(&["create", "function"])
        .then(|| called(parser))??;
    let words = [
        "returns",
        "trigger",
        "language",
        "plpgsql",
        "set",
        "search_path",
    ];
    let is_it = parser.take(&words) && (parser.take(&["to"]) || parser.take_symbol('='));
    if !is_it {
        return None;
    }
    for (schema, goes_on) in [("pg_catalog", true), ("pg_temp", false)] {
        match parser.next()? {
            Token::Word(name) | Token::Text(name) if name == schema => {}
            _ => return None,
        }
        if goes_on && !parser.take_symbol(',') {
            return None;
        }
    }
    parser.take(&["as"]).then_some(name)
}

fn trigger_in(parser: &mut Parser<'_>) -> Option<Trigger> {
    let name = parser
        .take(&["create", "trigger"])
        .then(|| parser.name().ok())??;
    let table = parser
        .take(&["before", "update", "on"])
        .then(|| parser.qualified().ok())??;
    let calls = parser.take(&["for", "each", "row", "execute"])
        && (parser.take(&["procedure"]) || parser.take(&["function"]));
    let function = calls.then(|| called(parser))??;
    Some(Trigger {
        name,
        table,
        function,
    })
}

/// The name of a function, with the parentheses after it, which are empty.
fn called(parser: &mut Parser<'_>) -> Option<String> {
    let name = parser.qualified().ok()?;
    parser.parenthesised().ok()?.is_empty().then_some(name)
}

/// The columns that a function with this text sets if another column changes. It does nothing else.
fn set_columns(body: &str) -> Option<SetColumns> {
    let tokens = tokens(body, false).ok()?;
    let mut parser = Parser::new(&tokens);
    if !parser.take(&["begin"]) {
        return None;
    }
    while parser.is("new") {
        let name = column_of(&mut parser, "new")?;
        assigns(&mut parser)?;
        if column_of(&mut parser, "old")? != name {
            return None;
        }
        semicolon(&mut parser)?;
    }
    let is_compared = parser.take(&["if", "new"])
        && ['*', '<', '>'].into_iter().all(|it| parser.take_symbol(it))
        && parser.take(&["old", "then"]);
    if !is_compared {
        return None;
    }
    let mut columns = Vec::new();
    while parser.take(&["if"]) {
        let name = column_of(&mut parser, "new")?;
        let is_kept = parser.take(&["is", "not", "distinct", "from"])
            && column_of(&mut parser, "old")? == name
            && parser.take(&["then"])
            && column_of(&mut parser, "new")? == name;
        if !is_kept {
            return None;
        }
        assigns(&mut parser)?;
        columns.push((name, now(&mut parser)?));
        parser.take(&["end", "if"]).then_some(())?;
        semicolon(&mut parser)?;
    }
    parser.take(&["end", "if"]).then_some(())?;
    semicolon(&mut parser)?;
    parser.take(&["return", "new"]).then_some(())?;
    semicolon(&mut parser)?;
    let ends = parser.take(&["end"]) && parser.at_end();
    (ends && !columns.is_empty()).then_some(columns)
}

/// The name of a column of the row `row`.
fn column_of(parser: &mut Parser<'_>, row: &str) -> Option<String> {
    (parser.take(&[row]) && parser.take_symbol('.')).then(|| parser.name().ok())?
}

fn assigns(parser: &mut Parser<'_>) -> Option<()> {
    (parser.take_symbol(':') && parser.take_symbol('=')).then_some(())
}

fn semicolon(parser: &mut Parser<'_>) -> Option<()> {
    parser.take_symbol(';').then_some(())
}

/// The current time, up to the semicolon.
fn now(parser: &mut Parser<'_>) -> Option<&'static str> {
    let rest = parser.rest();
    let end = rest.iter().position(|it| *it == Token::Symbol(';'))?;
    (0..=end).for_each(|_| _ = parser.next());
    match moment(&rest[..end])? {
        DefaultValue::Moment(sql) => ["now()", "timezone('UTC', now())", "LOCALTIMESTAMP"]
            .into_iter()
            .find(|known| *known == sql),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "\nBEGIN\n  NEW.\"g\" := OLD.\"g\";\n  IF NEW *<> OLD THEN\n    \
        IF NEW.\"a\"\"; b\" IS NOT DISTINCT FROM OLD.\"a\"\"; b\" THEN NEW.\"a\"\"; b\" := now(); END IF;\n  \
        END IF;\n  RETURN NEW;\nEND\n";

    #[test]
    fn what_pg_dump_writes() {
        let expected = Some((
            "t_on_update".to_owned(),
            vec![("a\"; b".to_owned(), "now()")],
        ));
        let head = "CREATE FUNCTION public.t_on_update() RETURNS trigger\n    LANGUAGE plpgsql\n    \
            SET search_path TO 'pg_catalog', 'pg_temp'\n    AS ";
        for tag in ["$$", "$_$"] {
            let statement = format!("{head}{tag}{BODY}{tag}");
            assert_eq!(function(&statement, false), expected, "{statement}");
        }
        assert_eq!(function(&format!("{head}'{BODY}'"), false), expected);
        for (from, to) in [
            ("OLD THEN\n    IF", "OLD THEN\n    PERFORM evil(); IF"),
            ("now()", "evil()"),
            ("RETURN NEW", "RETURN OLD"),
            ("END\n", "END; SELECT 1\n"),
        ] {
            assert!(BODY.contains(from), "{from}");
            let statement = format!("{head}$${}$$", BODY.replacen(from, to, 1));
            assert_eq!(function(&statement, false), None, "{statement}");
        }
        let statement = format!("{head}$${BODY}$$").replace("pg_catalog", "public");
        assert_eq!(function(&statement, false), None, "{statement}");
        let created = "CREATE TRIGGER t_on_update BEFORE UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.t_on_update()";
        let named = |name: &str| name.to_owned();
        let expected = Trigger {
            name: named("t_on_update"),
            table: named("t"),
            function: named("t_on_update"),
        };
        assert_eq!(trigger(created, false), Some(expected));
        for other in ["AFTER UPDATE ON", "BEFORE UPDATE OF a ON"] {
            let created = created.replace("BEFORE UPDATE ON", other);
            assert_eq!(trigger(&created, false), None, "{created}");
        }
    }
}
