//! Classifies the statements of a MySQL dump: what mysqldump, mariadb-dump and other programs write.

use crate::dump::mysql::lexer::{Token, TokenKind, first_tokens};
use crate::dump::quoting::Quoting;

/// What a statement is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DumpStatement {
    /// A table.
    CreateTable(TableName),
    /// `DROP TABLE`
    DropTables(Vec<TableName>),
    /// `DROP DATABASE`
    DropDatabase(String),
    /// `TRUNCATE`, or DELETE without a condition.
    Clear(TableName),
    /// `ALTER TABLE`, except for keys that are switched off and on; `CREATE INDEX`, `DROP INDEX`.
    AlterTable(TableName),
    /// Something that is not imported: its kind and name.
    LeftOut(&'static str, String),
    /// `USE db`
    Use(String),
    /// `SET NAMES charset`, `SET CHARACTER SET charset`
    SetNames(String),
    /// `SET variable = value, …`
    Set,
    /// `SELECT … INTO @a, @b`
    SelectInto(Vec<String>),
    /// `PREPARE name FROM …`: the name, and the first token of the text.
    Prepare(String, usize),
    /// `EXECUTE name`
    Execute(String),
    /// `EXECUTE IMMEDIATE …`: the first token of the text.
    ExecuteImmediate(usize),
    /// `INSERT … SET a = 1`
    InsertSet,
    /// Locks, transactions, settings of the server: no effect on the data.
    WithoutEffect,
    /// It changes the data in a way that a dump does not show; why it is refused.
    Refused(&'static str),
    /// Anything else; it might change data.
    Unknown,
}

/// A table as a statement names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TableName {
    /// The database, if the statement names it.
    pub(super) database: Option<String>,
    /// The table.
    pub(super) name: String,
}

/// Statements that begin with these words change no data of a table in the dump.
const WITHOUT_EFFECT: [&str; 19] = [
    "CHANGE",
    "CHECK",
    "CHECKSUM",
    "COMMIT",
    "DEALLOCATE",
    "DELIMITER",
    "DO",
    "FLUSH",
    "LOCK",
    "OPTIMIZE",
    "PURGE",
    "REPAIR",
    "RESET",
    "REVOKE",
    "SHOW",
    "START",
    "STOP",
    "UNINSTALL",
    "UNLOCK",
];

/// Things that are no tables and hold no rows, so nothing of them is imported. The kind as the report names it.
const KINDS: [(&str, &str); 19] = [
    ("VIEW", "view"),
    ("TRIGGER", "trigger"),
    ("PROCEDURE", "procedure"),
    ("FUNCTION", "function"),
    ("EVENT", "event"),
    ("SEQUENCE", "sequence"),
    ("PACKAGE", "package"),
    ("SERVER", "server"),
    ("USER", "user"),
    ("ROLE", "role"),
    ("TABLESPACE", "tablespace"),
    ("LOGFILE", "logfile group"),
    ("RESOURCE", "resource group"),
    ("SPATIAL", "spatial reference system"),
    ("LIBRARY", "library"),
    ("CATALOG", "catalog"),
    ("COMPONENT", "component"),
    ("PLUGIN", "plugin"),
    ("SONAME", "plugin"),
];

/// So many tokens are examined: a definer, an algorithm and a security clause may precede the kind.
const ENOUGH: usize = 1000;

/// Classifies `statement`, whose text includes its delimiter; returns its first tokens, too.
pub(super) fn classify(statement: &str, quoting: Quoting) -> (DumpStatement, Vec<Token>) {
    let tokens = first_tokens(statement, ENOUGH, quoting);
    let words: Vec<String> = tokens.iter().map(word).collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|found| found == word);
    let kind = match words.first().map_or("", String::as_str) {
        "" | ";" => DumpStatement::WithoutEffect,
        "USE" => DumpStatement::Use(name(&tokens, 1)),
        "SET" => set(&tokens, &words),
        "ALTER" => alter(&tokens, &words),
        "CREATE" => create(statement, &tokens, &words),
        "DROP" => drop(&tokens, &words),
        "GRANT" => match words.iter().position(|word| word == "TO") {
            Some(to) => DumpStatement::LeftOut("grant", account(&tokens, to + 1)),
            None => DumpStatement::Unknown,
        },
        "INSTALL" => match kind_of(words.get(1)) {
            Some(kind) => DumpStatement::LeftOut(kind, name(&tokens, 2)),
            None => DumpStatement::Unknown,
        },
        "SELECT" => select(&words),
        "PREPARE" if is(2, "FROM") => DumpStatement::Prepare(name(&tokens, 1), 3),
        "EXECUTE" if is(1, "IMMEDIATE") => DumpStatement::ExecuteImmediate(2),
        "EXECUTE" => DumpStatement::Execute(name(&tokens, 1)),
        "TRUNCATE" => clear(&tokens, &words, 1 + usize::from(is(1, "TABLE"))),
        "DELETE" => {
            let modifiers = ["DELETE", "LOW_PRIORITY", "QUICK", "IGNORE"];
            let is_modifier = |word: &&String| modifiers.contains(&word.as_str());
            let from = words.iter().take_while(is_modifier).count();
            if is(from, "FROM") {
                clear(&tokens, &words, from + 1)
            } else {
                DumpStatement::Unknown
            }
        }
        "INSERT" | "REPLACE" if place_of_table(&tokens).is_some_and(|at| is(at, "SET")) => {
            DumpStatement::InsertSet
        }
        "INSERT" | "REPLACE" => {
            DumpStatement::Refused("the dump inserts rows that are not written as VALUES")
        }
        // MariaDB's BEGIN NOT ATOMIC holds statements.
        "BEGIN" if is(1, ";") || is(1, "WORK") || words.len() == 1 => DumpStatement::WithoutEffect,
        "IF" if only_signals(&words) => DumpStatement::WithoutEffect,
        // Of other statements it would show how they run, and run them.
        "ANALYZE" if words.iter().take(3).any(|word| word == "TABLE") => {
            DumpStatement::WithoutEffect
        }
        first if WITHOUT_EFFECT.contains(&first) => DumpStatement::WithoutEffect,
        _ => DumpStatement::Unknown,
    };
    (kind, tokens)
}

/// The words of a statement for an error: up to where a password might stand.
pub(super) fn without_password(statement: &str) -> &str {
    let capitals = statement.to_ascii_uppercase();
    let secrets = ["IDENTIFIED", "PASSWORD", "CONNECTION"];
    let found = secrets.iter().filter_map(|word| capitals.find(word));
    &statement[..found.min().unwrap_or(statement.len())]
}

fn create(statement: &str, tokens: &[Token], words: &[String]) -> DumpStatement {
    let mut at = 1;
    let mut is_temporary = false;
    while let Some(word) = words.get(at) {
        let is_value = words.get(at + 1).is_some_and(|next| next == "=");
        at += match word.as_str() {
            "DEFINER" if is_value => 2 + account_tokens(&tokens[at + 2..]),
            "ALGORITHM" if is_value => 3,
            "SQL" => 3,
            "OR" => 2,
            "TEMPORARY" => {
                is_temporary = true;
                1
            }
            "AGGREGATE" | "JSON" | "RELATIONAL" | "DUALITY" | "MATERIALIZED" | "UNDO" => 1,
            _ => break,
        };
    }
    let kind = words.get(at).map_or("", String::as_str);
    let mut after = at + 1;
    while words.get(after).is_some_and(|word| {
        [
            "IF",
            "NOT",
            "EXISTS",
            "BODY",
            "GROUP",
            "REFERENCE",
            "SYSTEM",
        ]
        .contains(&word.as_str())
    }) {
        after += 1;
    }
    if words.get(1).is_none_or(|word| word != "OR") && is_index(words, at) {
        return change_of_index(tokens, words);
    }
    match kind {
        // Old versions of mysqldump write a placeholder table for each view, inside an executable
        // comment.
        "TABLE" if statement.trim_start().starts_with("/*!") => {
            DumpStatement::LeftOut("view", table_name(tokens, after).name)
        }
        "TABLE" if is_temporary => {
            DumpStatement::Refused("the dump creates a temporary table, which no dump program does")
        }
        "TABLE" => DumpStatement::CreateTable(table_name(tokens, after)),
        "DATABASE" | "SCHEMA" => DumpStatement::WithoutEffect,
        "USER" | "ROLE" => match kind_of(words.get(at)) {
            Some(kind) => DumpStatement::LeftOut(kind, account(tokens, after)),
            None => DumpStatement::Unknown,
        },
        _ => match kind_of(words.get(at)) {
            Some(kind) => DumpStatement::LeftOut(kind, table_name(tokens, after).name),
            None => DumpStatement::Unknown,
        },
    }
}

/// Whether an index is named at `at`, with its kind.
fn is_index(words: &[String], at: usize) -> bool {
    let is =
        |at: usize, known: &[&str]| words.get(at).is_some_and(|it| known.contains(&it.as_str()));
    let has_kind = is(at, &["UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR"]);
    is(at + usize::from(has_kind), &["INDEX"])
}

/// `CREATE INDEX i ON t …`, `DROP INDEX i ON t`: other words for ALTER TABLE.
fn change_of_index(tokens: &[Token], words: &[String]) -> DumpStatement {
    match words.iter().position(|word| word == "ON") {
        Some(on) => DumpStatement::AlterTable(table_name(tokens, on + 1)),
        None => DumpStatement::Unknown,
    }
}

fn alter(tokens: &[Token], words: &[String]) -> DumpStatement {
    let mut at = 1;
    while words
        .get(at)
        .is_some_and(|word| ["ONLINE", "OFFLINE", "IGNORE"].contains(&word.as_str()))
    {
        at += 1;
    }
    match words.get(at).map_or("", String::as_str) {
        "TABLE" => {
            let is_if = words.get(at + 1).is_some_and(|word| word == "IF");
            let at = at + 2 * usize::from(is_if);
            let table = table_name(tokens, at + 1);
            let behind = at + 2 + 2 * usize::from(table.database.is_some());
            let action: Vec<&str> = words[behind.min(words.len())..]
                .iter()
                .map(String::as_str)
                .filter(|word| *word != ";")
                .collect();
            match action[..] {
                ["DISABLE" | "ENABLE", "KEYS"] => DumpStatement::WithoutEffect,
                _ => DumpStatement::AlterTable(table),
            }
        }
        "DATABASE" | "SCHEMA" | "INSTANCE" => DumpStatement::WithoutEffect,
        "USER" | "ROLE" => {
            let if_exists = 2 * usize::from(words.get(at + 1).is_some_and(|word| word == "IF"));
            let kind = if words[at] == "USER" { "user" } else { "role" };
            DumpStatement::LeftOut(kind, account(tokens, at + 1 + if_exists))
        }
        "LOGFILE" => DumpStatement::LeftOut("logfile group", name(tokens, at + 2)),
        _ => match kind_of(words.get(at)) {
            Some(kind) => DumpStatement::LeftOut(kind, table_name(tokens, at + 1).name),
            None => DumpStatement::Unknown,
        },
    }
}

fn drop(tokens: &[Token], words: &[String]) -> DumpStatement {
    let mut after = 2;
    while words
        .get(after)
        .is_some_and(|word| word == "IF" || word == "EXISTS")
    {
        after += 1;
    }
    match words.get(1).map_or("", String::as_str) {
        "TABLE" | "TABLES" => {
            let mut tables = Vec::new();
            loop {
                let table = table_name(tokens, after);
                after += 1 + 2 * usize::from(table.database.is_some());
                tables.push(table);
                if words.get(after).is_none_or(|word| word != ",") {
                    break;
                }
                after += 1;
            }
            DumpStatement::DropTables(tables)
        }
        "DATABASE" | "SCHEMA" => DumpStatement::DropDatabase(name(tokens, after)),
        "TEMPORARY" | "PREPARE" | "UNDO" => DumpStatement::WithoutEffect,
        "INDEX" => change_of_index(tokens, words),
        _ if kind_of(words.get(1)).is_some() => DumpStatement::WithoutEffect,
        _ => DumpStatement::Unknown,
    }
}

fn set(tokens: &[Token], words: &[String]) -> DumpStatement {
    let is = |at: usize, word: &str| words.get(at).is_some_and(|found| found == word);
    let charset = |at: usize| DumpStatement::SetNames(name(tokens, at).to_ascii_lowercase());
    let is_assigned = |at: usize| is(at, "=") || is(at, ":");
    match words.get(1).map_or("", String::as_str) {
        "NAMES" if !is_assigned(2) => charset(2),
        "CHARACTER" if is(2, "SET") => charset(3),
        "CHARSET" if !is_assigned(2) => charset(2),
        "ROLE" if is(2, "NONE") || is(2, "DEFAULT") => DumpStatement::WithoutEffect,
        "ROLE" if !is_assigned(2) => DumpStatement::LeftOut("role", account(tokens, 2)),
        "DEFAULT" if is(2, "ROLE") && is(3, "NONE") => DumpStatement::WithoutEffect,
        "DEFAULT" if is(2, "ROLE") => DumpStatement::LeftOut("default role", account(tokens, 3)),
        "PASSWORD" if is(2, "FOR") => DumpStatement::LeftOut("password", account(tokens, 3)),
        "PASSWORD" => DumpStatement::LeftOut("password", "CURRENT_USER".to_owned()),
        "STATEMENT" => DumpStatement::Refused("the dump runs a statement with other settings"),
        _ => DumpStatement::Set,
    }
}

/// A SELECT. Without INTO it has no effect; into variables, it has one on them.
fn select(words: &[String]) -> DumpStatement {
    let Some(into) = words.iter().position(|word| word == "INTO") else {
        return DumpStatement::WithoutEffect;
    };
    let mut variables = Vec::new();
    let mut at = into + 1;
    while let Some(variable) = words.get(at).filter(|word| word.starts_with('@')) {
        variables.push(variable.clone());
        at += if words.get(at + 1).is_some_and(|word| word == ",") {
            2
        } else {
            break;
        };
    }
    if variables.is_empty() {
        return DumpStatement::Refused(
            "the dump writes what it selects to a place that is not known",
        );
    }
    DumpStatement::SelectInto(variables)
}

/// `TRUNCATE t` or `DELETE FROM t`, with the table at `at`, and nothing behind it.
fn clear(tokens: &[Token], words: &[String], at: usize) -> DumpStatement {
    let table = table_name(tokens, at);
    let behind = at + 1 + 2 * usize::from(table.database.is_some());
    if words.get(behind).is_some_and(|word| word != ";") {
        return DumpStatement::Refused("the dump deletes some rows of a table");
    }
    DumpStatement::Clear(table)
}

/// Whether `IF current_user() = … THEN SIGNAL … END IF` can do nothing else: mariadb-dump writes this, so that nobody
/// drops himself.
fn only_signals(words: &[String]) -> bool {
    let then = words.iter().position(|word| word == "THEN");
    let Some(then) = then.filter(|then| words.get(then + 1).is_some_and(|word| word == "SIGNAL"))
    else {
        return false;
    };
    let mut statements = words[then + 1..].split(|word| word == ";");
    let is_end = |part: &[String]| {
        matches!(part, [])
            || part
                .first()
                .is_some_and(|word| word == "END" || word == "SIGNAL" || word == "|")
    };
    statements.all(is_end)
}

/// What the report calls a thing that `word` creates.
fn kind_of(word: Option<&String>) -> Option<&'static str> {
    let word = word?;
    let found = KINDS.iter().find(|(keyword, _)| keyword == word);
    found.map(|(_, kind)| *kind)
}

/// A keyword in capitals, or a symbol; `?` for anything else.
fn word(token: &Token) -> String {
    match &token.kind {
        TokenKind::Word(word) => word.to_ascii_uppercase(),
        TokenKind::Symbol(symbol) => symbol.to_string(),
        _ => "?".to_owned(),
    }
}

fn name(tokens: &[Token], at: usize) -> String {
    match tokens.get(at).map(|token| &token.kind) {
        Some(
            TokenKind::Word(name)
            | TokenKind::Identifier(name)
            | TokenKind::DoubleQuoted(name)
            | TokenKind::Text(name)
            | TokenKind::Number(name),
        ) => name.clone(),
        _ => String::new(),
    }
}

/// The table at `at`, with its database if that is named.
pub(super) fn table_name(tokens: &[Token], at: usize) -> TableName {
    match tokens.get(at + 1).map(|token| &token.kind) {
        Some(TokenKind::Symbol('.')) => TableName {
            database: Some(name(tokens, at)),
            name: name(tokens, at + 2),
        },
        _ => TableName {
            database: None,
            name: name(tokens, at),
        },
    }
}

/// The table of the head of an INSERT.
pub(super) fn insert_table(head: &str, quoting: Quoting) -> TableName {
    let tokens = first_tokens(head, 12, quoting);
    table_name(&tokens, modifiers(&tokens))
}

/// The place of the token behind the table of an INSERT.
pub(super) fn place_of_table(tokens: &[Token]) -> Option<usize> {
    let at = modifiers(tokens);
    let table = table_name(tokens, at);
    (at > 0).then_some(at + 1 + 2 * usize::from(table.database.is_some()))
}

/// How many words stand before the table of an INSERT.
fn modifiers(tokens: &[Token]) -> usize {
    let modifiers = [
        "INSERT",
        "REPLACE",
        "IGNORE",
        "DELAYED",
        "LOW_PRIORITY",
        "HIGH_PRIORITY",
        "INTO",
    ];
    let is_modifier = |token: &&Token| modifiers.contains(&word(token).as_str());
    tokens.iter().take_while(is_modifier).count()
}

/// A user or role: `name@host`.
fn account(tokens: &[Token], at: usize) -> String {
    let mut account = name(tokens, at);
    if let Some(TokenKind::Word(host)) = tokens.get(at + 1).map(|token| &token.kind)
        && let Some(bare) = host.strip_prefix('@')
    {
        let quoted = bare.is_empty().then(|| name(tokens, at + 2));
        account += &format!("@{}", quoted.as_deref().unwrap_or(bare));
    }
    account
}

/// How many of `tokens` are a user: `` `name`@`host` ``, `name@host`, `CURRENT_USER()`.
fn account_tokens(tokens: &[Token]) -> usize {
    match tokens.get(1).map(word).as_deref() {
        Some("@") => 3,
        Some(host) if host.starts_with('@') => 2,
        Some("(") => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
