//! Renders the expressions of a PostgreSQL dump for the table they belong to, and recognises those that the model has
//! parts for: the beginning of a column, the words of texts.

use super::types::data_type;
use crate::dump::postgresql::definition::{Expression, ExpressionPiece};
use crate::schema::model::{Column, DataType, IndexPartOf, Prefix};
use crate::schema::sql;

/// `expression` over `columns` as SQL; none if it has a column or a type that is not known.
pub(super) fn sql(expression: &Expression, columns: &[Column]) -> Option<String> {
    rendered(&expression.0, columns)
}

fn rendered(pieces: &[ExpressionPiece], columns: &[Column]) -> Option<String> {
    let words = pieces.iter().map(|piece| {
        Some(match piece {
            ExpressionPiece::Column(name) => sql::identifier(&column(name, columns)?.name),
            ExpressionPiece::Text(text) => sql::literal(text),
            ExpressionPiece::Number(number) => number.clone(),
            ExpressionPiece::Cast(written) => {
                let mut element = written.clone();
                element.is_array = false;
                let brackets = if written.is_array { "[]" } else { "" };
                format!("::{}{brackets}", data_type(&element)?)
            }
            ExpressionPiece::Sql(sql) => (*sql).to_owned(),
        })
    });
    // Blanks between the pieces: so two of them cannot join to something else.
    Some(words.collect::<Option<Vec<_>>>()?.join(" "))
}

fn column<'a>(name: &str, columns: &'a [Column]) -> Option<&'a Column> {
    columns.iter().find(|column| column.name == name)
}

/// The expression of a generated column of the type `of`, without the cast to this type around it.
pub(super) fn generated_by(
    expression: &Expression,
    columns: &[Column],
    of: &DataType,
) -> Option<String> {
    let whole = bare(&expression.0);
    if let [inner @ .., ExpressionPiece::Cast(written)] = whole
        && data_type(written).as_ref() == Some(of)
        && bare(inner).len() < inner.len()
    {
        return rendered(bare(inner), columns);
    }
    rendered(whole, columns)
}

/// What a part of an index is of.
pub(super) fn indexed(expression: &Expression, columns: &[Column]) -> Option<IndexPartOf> {
    let whole = bare(&expression.0);
    let (name, prefix) = match words(whole).as_slice() {
        [ExpressionPiece::Column(name)] if whole.len() == 1 => (name, None),
        [
            ExpressionPiece::Sql("\"left\""),
            ExpressionPiece::Column(name),
            ExpressionPiece::Sql(","),
            ExpressionPiece::Number(count),
        ] => (name, Some(Prefix::Characters(count.parse().ok()?))),
        [
            ExpressionPiece::Sql("substr"),
            ExpressionPiece::Column(name),
            ExpressionPiece::Sql(","),
            ExpressionPiece::Number(from),
            ExpressionPiece::Sql(","),
            ExpressionPiece::Number(count),
        ] if from == "1" && column(name, columns)?.data_type == DataType::Bytea => {
            (name, Some(Prefix::Bytes(count.parse().ok()?)))
        }
        _ => return rendered(whole, columns).map(IndexPartOf::Expression),
    };
    let column = column(name, columns)?;
    let data_type = column.data_type.clone();
    Some(IndexPartOf::Column(name.clone(), prefix, data_type))
}

/// The texts whose words are indexed, by `to_tsvector('simple', COALESCE(a, '') || ' ' || …)`.
pub(super) fn fulltext(expression: &Expression, columns: &[Column]) -> Option<Vec<IndexPartOf>> {
    let words = words(&expression.0);
    let [
        ExpressionPiece::Sql("to_tsvector"),
        ExpressionPiece::Text(configuration),
        texts @ ..,
    ] = words.as_slice()
    else {
        return None;
    };
    if !["simple", "pg_catalog.simple"].contains(&configuration.as_str()) {
        return None;
    }
    let mut parts = Vec::new();
    let mut rest = texts;
    loop {
        rest = match (rest, parts.is_empty()) {
            ([ExpressionPiece::Sql(","), rest @ ..], true) => rest,
            (
                [
                    ExpressionPiece::Sql("||"),
                    ExpressionPiece::Text(blank),
                    ExpressionPiece::Sql("||"),
                    rest @ ..,
                ],
                false,
            ) if blank == " " => rest,
            ([], false) => return Some(parts),
            _ => return None,
        };
        let [
            ExpressionPiece::Sql("COALESCE"),
            ExpressionPiece::Column(name),
            ExpressionPiece::Sql(","),
            ExpressionPiece::Text(empty),
            behind @ ..,
        ] = rest
        else {
            return None;
        };
        let column = column(name, columns).filter(|_| empty.is_empty())?;
        let data_type = column.data_type.clone();
        parts.push(IndexPartOf::Column(name.clone(), None, data_type));
        rest = behind;
    }
}

/// `pieces` without the parentheses around all of them.
fn bare(pieces: &[ExpressionPiece]) -> &[ExpressionPiece] {
    let is = |piece: &ExpressionPiece, symbol: &str| matches!(piece, ExpressionPiece::Sql(sql) if *sql == symbol);
    let opening = pieces.iter().take_while(|piece| is(piece, "(")).count();
    let closing = pieces
        .iter()
        .rev()
        .take_while(|piece| is(piece, ")"))
        .count();
    let both = opening.min(closing);
    if both == 0 {
        return pieces;
    }
    // Those are around all whose depth is nowhere left in between.
    let mut depth = both;
    let mut least = both;
    for piece in &pieces[both..pieces.len() - both] {
        if is(piece, "(") {
            depth += 1;
        } else if is(piece, ")") {
            depth = depth.saturating_sub(1);
        }
        least = least.min(depth);
    }
    &pieces[least..pieces.len() - least]
}

/// `pieces` without parentheses, and without the casts that servers add to texts.
fn words(pieces: &[ExpressionPiece]) -> Vec<&ExpressionPiece> {
    let is_word = |piece: &&ExpressionPiece| match piece {
        ExpressionPiece::Sql("(" | ")") => false,
        ExpressionPiece::Cast(written) => {
            let is_text = ["text", "regconfig"].contains(&written.name.as_str());
            !is_text || written.is_array
        }
        _ => true,
    };
    pieces.iter().filter(is_word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::RowChunk;
    use crate::dump::postgresql::definition::{ConstraintKind, Definition, IndexDefinition};
    use crate::dump::postgresql::{Consumer, Reader};
    use crate::error::Result;

    #[derive(Default)]
    struct Expressions(Vec<Expression>);

    impl Consumer for Expressions {
        fn definition(&mut self, definition: Definition) -> Result<()> {
            match definition {
                Definition::Constraint { constraint, .. } => {
                    if let ConstraintKind::Check(expression) = constraint.kind {
                        self.0.push(expression);
                    }
                }
                Definition::Index(IndexDefinition {
                    parts: Ok(parts), ..
                }) => self.0.extend(parts.into_iter().map(|part| part.of)),
                _ => {}
            }
            Ok(())
        }

        fn rows(&mut self, _: RowChunk) -> Result<()> {
            Ok(())
        }

        fn end(&mut self) -> Result<()> {
            Ok(())
        }
    }

    fn expressions(statement: &str) -> Vec<Expression> {
        let mut reader = Reader::new(Expressions::default());
        reader.feed(format!("{statement};").as_bytes()).unwrap();
        reader.finish().unwrap().0.0
    }

    fn of_check(text: &str) -> Expression {
        let mut found = expressions(&format!("ALTER TABLE t ADD CONSTRAINT c CHECK ({text})"));
        found
            .pop()
            .unwrap_or_else(|| panic!("not understood: {text}"))
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::new("a", DataType::Integer),
            Column::new("S x", DataType::Varchar(20)),
            Column::new("b", DataType::Bytea),
        ]
    }

    #[test]
    fn expressions_are_written_anew() {
        for (written, expected) in [
            ("a > - 1 and a<>13", "\"a\" > - 1 AND \"a\" <> 13"),
            (
                "\"S x\" IN ('it''s', E'\\\\')",
                "\"S x\" IN ( 'it''s' , E'\\\\' )",
            ),
            (
                "(\"S x\")::text = ANY ((ARRAY['p'::character varying])::text[])",
                "( \"S x\" ) ::text = ANY ( ( ARRAY [ 'p' ::character varying ] ) ::text[] )",
            ),
        ] {
            let found = sql(&of_check(written), &columns());
            assert_eq!(found.as_deref(), Some(expected), "{written}");
        }
        for unknown in ["c > 1", "a::public.evil > 1", "\"A\" > 1"] {
            assert_eq!(sql(&of_check(unknown), &columns()), None, "{unknown}");
        }
    }

    #[test]
    fn generated_columns_lose_their_cast() {
        for (written, expected) in [
            ("(a + 1)::integer", "\"a\" + 1"),
            ("(((a + 1))::integer)", "\"a\" + 1"),
            ("(a + 1)", "\"a\" + 1"),
            ("(a + 1)::bigint", "( \"a\" + 1 ) ::bigint"),
            ("a + (1)::integer", "\"a\" + ( 1 ) ::integer"),
            ("(a) + (1)", "( \"a\" ) + ( 1 )"),
        ] {
            let found = generated_by(&of_check(written), &columns(), &DataType::Integer);
            assert_eq!(found.as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn parts_of_indexes() {
        let column = |name: &str, prefix, data_type| {
            Some(IndexPartOf::Column(name.to_owned(), prefix, data_type))
        };
        let varchar = DataType::Varchar(20);
        let beginning = column("S x", Some(Prefix::Characters(10)), varchar);
        let bytes = column("b", Some(Prefix::Bytes(5)), DataType::Bytea);
        let other = |sql: &str| Some(IndexPartOf::Expression(sql.to_owned()));
        for (written, expected) in [
            ("a", column("a", None, DataType::Integer)),
            ("\"left\"(\"S x\"::text, 10)", beginning.clone()),
            ("\"left\"((\"S x\")::text, 10)", beginning),
            ("substr(b, 1, 5)", bytes),
            ("substr(b, 2, 5)", other("substr ( \"b\" , 2 , 5 )")),
            ("((a * 2))", other("\"a\" * 2")),
            ("((a)::text)", other("( \"a\" ) ::text")),
            ("c", None),
        ] {
            let index = expressions(&format!("CREATE INDEX i ON t USING btree ({written})"));
            assert_eq!(indexed(&index[0], &columns()), expected, "{written}");
        }
    }

    #[test]
    fn words_of_texts() {
        let of = |written: &str| {
            let index = expressions(&format!("CREATE INDEX i ON t USING gin ({written})"));
            fulltext(&index[0], &columns()).map(|parts| parts.len())
        };
        assert_eq!(
            of("to_tsvector('pg_catalog.simple', COALESCE(\"S x\"::text, ''))"),
            Some(1)
        );
        assert_eq!(
            of(
                "to_tsvector('pg_catalog.simple', COALESCE(a::text, '') || ' ' || COALESCE(b::text, ''))"
            ),
            Some(2)
        );
        assert_eq!(
            of(
                "to_tsvector('simple'::regconfig, ((COALESCE(a, ''::text) || ' '::text) || COALESCE(b, ''::text)))"
            ),
            Some(2)
        );
        for other in [
            "to_tsvector('english', COALESCE(a, ''))",
            "to_tsvector('simple', a)",
            "to_tsvector('simple', COALESCE(a, '') || '-' || COALESCE(b, ''))",
            "to_tsvector('simple', COALESCE(a, '') || ' ')",
            "a",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
