//! Expressions from a dump for a MySQL server: of generated columns, CHECKs, defaults, functional indexes.
//!
//! A server wrote these expressions, and a server reads them; but the dump may be forged. So an expression is
//! split into words, and reassembled only if all words are known to do nothing but compute.

use super::lookup::Lookup;
use super::sql::{identifier, literal};
use crate::dump::mysql::definition::ColumnDefinition;
use crate::dump::mysql::lexer::{Token, TokenKind, tokens};

/// No expression written by hand is longer.
const MAX_WORDS: usize = 2000;

/// Operators that are words, and the words of CASE, CAST and INTERVAL (MySQL manual, 14.4 and 14.10).
const KEYWORDS: &[&str] = &[
    "AND",
    "OR",
    "XOR",
    "NOT",
    "IS",
    "NULL",
    "TRUE",
    "FALSE",
    "UNKNOWN",
    "IN",
    "BETWEEN",
    "LIKE",
    "ESCAPE",
    "REGEXP",
    "RLIKE",
    "BINARY",
    "COLLATE",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "DIV",
    "MOD",
    "CAST",
    "CONVERT",
    "AS",
    "USING",
    "CHAR",
    "CHARSET",
    "SIGNED",
    "UNSIGNED",
    "INTEGER",
    "DECIMAL",
    "DATE",
    "DATETIME",
    "TIME",
    "JSON",
    "DOUBLE",
    "FLOAT",
    "YEAR",
    "INTERVAL",
    "DAY",
    "MONTH",
    "HOUR",
    "MINUTE",
    "SECOND",
    "QUARTER",
    "WEEK",
    "FROM",
    "BOTH",
    "LEADING",
    "TRAILING",
    "SEPARATOR",
    "SET",
    "CHARACTER",
    "ARRAY",
];

/// Functions that compute a value from their arguments, or return the time.
const FUNCTIONS: &[&str] = &[
    "ABS",
    "ACOS",
    "ASCII",
    "ASIN",
    "ATAN",
    "ATAN2",
    "BIN",
    "BIT_COUNT",
    "BIT_LENGTH",
    "CEIL",
    "CEILING",
    "CHAR_LENGTH",
    "CHARACTER_LENGTH",
    "COALESCE",
    "CONCAT",
    "CONCAT_WS",
    "CONV",
    "COS",
    "COT",
    "CRC32",
    "CURDATE",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURTIME",
    "DATE_ADD",
    "DATE_FORMAT",
    "DATE_SUB",
    "DATEDIFF",
    "DAYNAME",
    "DAYOFMONTH",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "DEGREES",
    "ELT",
    "EXP",
    "EXTRACT",
    "FIELD",
    "FIND_IN_SET",
    "FLOOR",
    "FORMAT",
    "FROM_BASE64",
    "FROM_DAYS",
    "FROM_UNIXTIME",
    "GREATEST",
    "HEX",
    "IF",
    "IFNULL",
    "INET6_ATON",
    "INET6_NTOA",
    "INET_ATON",
    "INET_NTOA",
    "INSTR",
    "ISNULL",
    "JSON_ARRAY",
    "JSON_CONTAINS",
    "JSON_CONTAINS_PATH",
    "JSON_DEPTH",
    "JSON_EXTRACT",
    "JSON_KEYS",
    "JSON_LENGTH",
    "JSON_OBJECT",
    "JSON_QUERY",
    "JSON_QUOTE",
    "JSON_SEARCH",
    "JSON_TYPE",
    "JSON_UNQUOTE",
    "JSON_VALID",
    "JSON_VALUE",
    "LAST_DAY",
    "LCASE",
    "LEAST",
    "LEFT",
    "LENGTH",
    "LN",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "LOCATE",
    "LOG",
    "LOG10",
    "LOG2",
    "LOWER",
    "LPAD",
    "LTRIM",
    "MAKEDATE",
    "MAKETIME",
    "MD5",
    "MICROSECOND",
    "MID",
    "MONTHNAME",
    "NOW",
    "NULLIF",
    "OCT",
    "OCTET_LENGTH",
    "ORD",
    "PI",
    "POSITION",
    "POW",
    "POWER",
    "RADIANS",
    "RAND",
    "REGEXP_INSTR",
    "REGEXP_LIKE",
    "REGEXP_REPLACE",
    "REGEXP_SUBSTR",
    "REPEAT",
    "REPLACE",
    "REVERSE",
    "RIGHT",
    "ROUND",
    "RPAD",
    "RTRIM",
    "SEC_TO_TIME",
    "SHA",
    "SHA1",
    "SHA2",
    "SIGN",
    "SIN",
    "SOUNDEX",
    "SPACE",
    "SQRT",
    "STR_TO_DATE",
    "SUBSTR",
    "SUBSTRING",
    "SUBSTRING_INDEX",
    "TAN",
    "TIME_TO_SEC",
    "TIMESTAMP",
    "TIMESTAMPADD",
    "TIMESTAMPDIFF",
    "TO_BASE64",
    "TO_DAYS",
    "TRIM",
    "TRUNCATE",
    "UCASE",
    "UNHEX",
    "UNIX_TIMESTAMP",
    "UPPER",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
    "UUID",
    "UUID_TO_BIN",
    "BIN_TO_UUID",
    "WEEKDAY",
    "WEEKOFYEAR",
    "YEARWEEK",
    "ST_X",
    "ST_Y",
    "ST_LATITUDE",
    "ST_LONGITUDE",
    "ST_GEOMFROMTEXT",
    "POINT",
];

/// The expression `written` of the table of `lookup`, as SQL; none if a word is not known to be safe.
pub(super) fn rewritten(written: &str, lookup: &Lookup<'_>) -> Option<String> {
    let tokens = tokens(written).ok()?;
    if tokens.is_empty() || tokens.len() > MAX_WORDS {
        return None;
    }
    let column = |name: &str| lookup.column(name).map(|column| column.name.as_str());
    let mut sql = String::new();
    let mut depth = 0u32;
    let mut behind: Option<usize> = None;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        // Adjacent characters, such as an operator of two characters, must stay adjacent.
        if behind.is_some_and(|end| end < token.start) {
            sql.push(' ');
        }
        behind = Some(token.end);
        match token.kind {
            TokenKind::Identifier(name) => sql += &identifier(column(&name)?),
            TokenKind::Text(text) | TokenKind::DoubleQuoted(text) => sql += &literal(&text),
            TokenKind::Number(number) => sql += &number,
            TokenKind::Bits(digits) => sql += &format!("b'{digits}'"),
            TokenKind::Hex(digits) => sql += &format!("x'{digits}'"),
            TokenKind::Word(word) if word.starts_with('_') && is_charset(&word) => {
                let text = tokens.next_if(|next| matches!(next.kind, TokenKind::Text(_)));
                if let Some(Token {
                    kind: TokenKind::Text(text),
                    end,
                    ..
                }) = text
                {
                    sql += &introduced(&word, &text)?;
                    behind = Some(end);
                } else {
                    sql += &word;
                }
            }
            TokenKind::Word(word) => {
                let upper = word.to_ascii_uppercase();
                let is_known = [KEYWORDS, FUNCTIONS]
                    .iter()
                    .any(|list| list.contains(&upper.as_str()));
                if is_known || is_charset(&word) {
                    sql += &word;
                } else {
                    sql += &identifier(column(&word)?);
                }
            }
            TokenKind::Symbol('(') => {
                depth += 1;
                sql.push('(');
            }
            TokenKind::Symbol(')') => {
                depth = depth.checked_sub(1)?;
                sql.push(')');
            }
            TokenKind::Symbol(symbol) if "+-*/%<>=!&|^~,".contains(symbol) => {
                // Two tokens must not form the beginning of a comment.
                if sql.ends_with(['-', '/', '*']) && "-*/".contains(symbol) {
                    sql.push(' ');
                }
                sql.push(symbol);
            }
            TokenKind::Symbol(_) => return None,
        }
    }
    (depth == 0).then_some(sql)
}

/// The column of the table that the expression `written` refers to, if there is exactly one.
pub(super) fn only_column<'a>(written: &str, lookup: &Lookup<'a>) -> Option<&'a ColumnDefinition> {
    let tokens = tokens(written).ok()?;
    let names = tokens.iter().filter_map(|token| match &token.kind {
        TokenKind::Identifier(name) | TokenKind::Word(name) => Some(name),
        _ => None,
    });
    let mut found = None;
    for name in names {
        let Some(column) = lookup.column(name) else {
            continue;
        };
        if found.is_some_and(|other: &ColumnDefinition| other.name != column.name) {
            return None;
        }
        found = Some(column);
    }
    found
}

/// A text after the name of its character set. MariaDB stores an expression in its own notation, and writes
/// such a text without its escapes. So the part after a quote would become part of the expression. If the
/// text needs escapes, the name is omitted, provided that the session's character set means the same;
/// otherwise the expression is refused.
fn introduced(introducer: &str, text: &str) -> Option<String> {
    let needs_escapes = text.contains(['\'', '\\', '\0']);
    if !needs_escapes {
        return Some(format!("{introducer}{}", literal(text)));
    }
    let is_of_session = introducer.to_ascii_lowercase().starts_with("_utf8");
    let is_binary = introducer.eq_ignore_ascii_case("_binary");
    (is_of_session || text.is_ascii() && !is_binary).then(|| literal(text))
}

/// Whether the word is a character set or a collation, or the introducer of a literal: `_utf8mb4`.
fn is_charset(word: &str) -> bool {
    let word = word.strip_prefix('_').unwrap_or(word).to_ascii_lowercase();
    let known = ["utf8", "utf8mb3", "utf8mb4", "latin1", "ascii", "binary"];
    known.iter().any(|charset| {
        word.strip_prefix(charset)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::mysql::definition::create_table;

    fn check(written: &str, expected: Option<&str>) {
        let table = create_table("CREATE TABLE t (`a` int, `b c` text, d json)").unwrap();
        let found = rewritten(written, &Lookup::of(&table));
        assert_eq!(found.as_deref(), expected, "{written}");
    }

    #[test]
    fn what_computes_is_written_again() {
        check("`a` >= 0", Some("`a` >= 0"));
        check("a + (1)", Some("`a` + (1)"));
        check(
            "concat(`b c`,_utf8mb4'it''s')",
            Some("concat(`b c`,'it''s')"),
        );
        check("_utf8mb4 'x' <> d", Some("_utf8mb4'x' <> `d`"));
        check(r"_LATIN1'a\'b' = _binary'x'", Some("'a''b' = _binary'x'"));
        check("_utf8mb4 x'41'", Some("_utf8mb4 x'41'"));
        check("json_valid(`d`)", Some("json_valid(`d`)"));
        check("`A` <> 1 and `a` != 2", Some("`a` <> 1 and `a` != 2"));
        check("a - -1", Some("`a` - -1"));
        check(
            "case when a > 1 then 2 else NULL end",
            Some("case when `a` > 1 then 2 else NULL end"),
        );
        check("\"x\"", Some("'x'"));
        check("a -- b", Some("`a`"));
        check(
            "lower(`b c`) collate utf8mb4_bin",
            Some("lower(`b c`) collate utf8mb4_bin"),
        );
    }

    #[test]
    fn what_might_do_more_is_not() {
        for written in [
            "",
            "sleep(5)",
            "load_file('/etc/passwd')",
            "(select 1)",
            "@@version",
            "`x`",
            "a; drop table t",
            "1)) engine=x (",
            "(1",
            "benchmark(1,2)",
            "mysql.user",
            "_binary'it''s'",
            r"_latin1'é\\'",
        ] {
            check(written, None);
        }
    }
}
