//! Makes a definition one that PostgreSQL can have, before it is mapped: columns get other names than the system
//! columns, and NUL characters are left out. So keys, CHECKs and expressions follow.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::dump::mysql::definition::{
    ColumnDefinition, DefaultValue, KeyPartOf, Period, TableDefinition,
};
use crate::dump::mysql::lexer::{TokenKind, tokens};
use crate::dump::mysql::sql::identifier;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::rows::Nul;
use crate::schema::model::Note;
use crate::schema::policies::{GeneratedSupport, Policies};

/// The system columns of each table (PostgreSQL manual, 5.6).
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// Types whose values are bytes: their defaults may have a NUL.
const BYTES: [&str; 7] = [
    "binary",
    "varbinary",
    "tinyblob",
    "blob",
    "mediumblob",
    "longblob",
    "bit",
];

/// A definition to map.
pub(super) struct Prepared<'a> {
    pub(super) definition: Cow<'a, TableDefinition>,
    /// The new names of columns, and their names in the dump.
    pub(super) renamed: Vec<(String, String)>,
    /// What is different.
    pub(super) notes: Vec<Note>,
}

/// Prepares `definition`.
///
/// # Errors
///
/// Two columns would have the same name.
pub(super) fn prepared<'a>(
    definition: &'a TableDefinition,
    policies: &Policies,
) -> Result<Prepared<'a>> {
    let mut prepared = Prepared {
        definition: Cow::Borrowed(definition),
        renamed: Vec::new(),
        notes: Vec::new(),
    };
    prepared.rename_columns(policies)?;
    prepared.leave_out_nuls(policies);
    Ok(prepared)
}

/// Whether a column cannot have this name. Before version 12, `oid` was a system column, too.
fn is_reserved(name: &str, policies: &Policies) -> bool {
    SYSTEM_COLUMNS.contains(&name)
        || policies.generated_support == GeneratedSupport::None && name == "oid"
}

/// The name of a column instead of a reserved one. It is the same in each table, so that foreign keys find it.
fn other_name(name: &str) -> String {
    format!("{name}_")
}

/// The other names of the columns of `definition`, by those in the dump in lower case: as the map says, or instead of
/// reserved ones.
fn other_names(definition: &TableDefinition, policies: &Policies) -> HashMap<String, String> {
    let map = policies
        .map
        .table(definition.database.as_deref(), &definition.name);
    let names: HashSet<&str> = definition
        .columns
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let mut others = HashMap::new();
    for name in &names {
        let wanted = map.and_then(|map| map.name_of(name));
        if let Some(wanted) = wanted {
            others.insert(name.to_ascii_lowercase(), wanted.to_owned());
        } else if is_reserved(name, policies) {
            let mut new = other_name(name);
            while names.contains(new.as_str()) {
                new.push('_');
            }
            others.insert(name.to_ascii_lowercase(), new);
        }
    }
    others
}

/// An error if two columns would have one name.
fn check_names(definition: &TableDefinition, others: &HashMap<String, String>) -> Result<()> {
    let mut known = HashSet::new();
    for column in &definition.columns {
        let other = others.get(&column.name.to_ascii_lowercase());
        let name = other.unwrap_or(&column.name);
        if !known.insert(name) {
            return Err(Error::usage(format!(
                "table {}: the map gives two columns the name {name}",
                definition.name
            )));
        }
    }
    Ok(())
}

impl Prepared<'_> {
    fn rename_columns(&mut self, policies: &Policies) -> Result<()> {
        let others = other_names(&self.definition, policies);
        let renames_referenced = self.renames_referenced(policies);
        if others.is_empty() && !renames_referenced {
            return Ok(());
        }
        if !others.is_empty() {
            check_names(&self.definition, &others)?;
        }
        let map = policies
            .map
            .table(self.definition.database.as_deref(), &self.definition.name);
        let definition = self.definition.to_mut();
        let rename = |name: &mut String| {
            if let Some(new) = others.get(&name.to_ascii_lowercase()) {
                name.clone_from(new);
            }
        };
        for column in &mut definition.columns {
            let old = column.name.clone();
            rename(&mut column.name);
            if column.name != old {
                let is_by_map = map.is_some_and(|map| map.name_of(&old).is_some());
                let why = if is_by_map {
                    ""
                } else {
                    ", which is a system column in PostgreSQL"
                };
                self.notes.push(Note {
                    code: Code::Renamed,
                    table: definition.name.clone(),
                    item: Some(column.name.clone()),
                    what: format!("the column was named {old}{why}"),
                });
                self.renamed.push((column.name.clone(), old));
            }
            if let Some(generated) = &mut column.generated {
                rename_in(&mut generated.expression, &rename);
            }
        }
        for key in &mut definition.keys {
            for part in &mut key.parts {
                match &mut part.of {
                    KeyPartOf::Column(name) => rename(name),
                    KeyPartOf::Expression(expression) => rename_in(expression, &rename),
                }
            }
        }
        for key in &mut definition.foreign_keys {
            key.columns.iter_mut().for_each(rename);
            let database = definition.database.as_deref();
            let referenced = policies.map.referenced(database, &key.references);
            for name in &mut key.referenced_columns {
                if let Some(new) = referenced.and_then(|map| map.name_of(name)) {
                    new.clone_into(name);
                } else if is_reserved(name, policies) {
                    *name = other_name(name);
                }
            }
            if let Some(new) = referenced.and_then(|map| map.name.as_ref()) {
                key.references.clone_from(new);
            }
        }
        for (_, check) in &mut definition.checks {
            rename_in(check, &rename);
        }
        for Period { begin, end, .. } in &mut definition.periods {
            rename(begin);
            rename(end);
        }
        Ok(())
    }

    /// Whether a foreign key references something with another name.
    fn renames_referenced(&self, policies: &Policies) -> bool {
        let mut keys = self.definition.foreign_keys.iter();
        let database = self.definition.database.as_deref();
        keys.any(|key| {
            let mut names = key.referenced_columns.iter();
            names.any(|name| is_reserved(name, policies))
                || policies.map.referenced(database, &key.references).is_some()
        })
    }

    fn leave_out_nuls(&mut self, policies: &Policies) {
        let nul = policies.columns.values.nul;
        if !has_nul(&self.definition) {
            return;
        }
        let definition = self.definition.to_mut();
        let mut found: Vec<(Option<String>, &str)> = Vec::new();
        let mut clean = |text: &mut String, item: Option<&str>, what: &'static str| {
            if text.contains('\0') {
                let instead = if nul == Nul::Replace { "\u{fffd}" } else { "" };
                *text = text.replace('\0', instead);
                found.push((item.map(str::to_owned), what));
            }
        };
        if let Some(comment) = &mut definition.options.comment {
            clean(comment, None, "its comment");
        }
        for column in &mut definition.columns {
            let name = Some(column.name.as_str());
            if let Some(comment) = &mut column.comment {
                clean(comment, name, "its comment");
            }
            let is_bytes = BYTES.contains(&column.data_type.name.as_str());
            if let Some(DefaultValue::Text(text)) = &mut column.default
                && !is_bytes
            {
                clean(text, name, "its default");
            }
            for value in &mut column.data_type.values {
                clean(value, name, "its values");
            }
        }
        for key in &mut definition.keys {
            let name = key.name.as_deref().or(Some("PRIMARY"));
            if let Some(comment) = &mut key.comment {
                clean(comment, name, "its comment");
            }
        }
        found.dedup();
        let table = definition.name.clone();
        let done = match nul {
            Nul::Replace => "replaced by U+FFFD",
            Nul::Strip | Nul::Error => "left out",
        };
        self.notes
            .extend(found.into_iter().map(|(item, what)| Note {
                code: Code::NulInDefinition,
                table: table.clone(),
                item,
                what: format!("NUL characters in {what} were {done}"),
            }));
    }
}

/// Whether a text of the definition has a NUL.
fn has_nul(definition: &TableDefinition) -> bool {
    let is_it = |text: &String| text.contains('\0');
    let in_column = |column: &ColumnDefinition| {
        let default = match &column.default {
            Some(DefaultValue::Text(text)) => text.contains('\0'),
            _ => false,
        };
        default
            || column.comment.as_ref().is_some_and(is_it)
            || column.data_type.values.iter().any(is_it)
    };
    definition.options.comment.as_ref().is_some_and(is_it)
        || definition.columns.iter().any(in_column)
        || definition
            .keys
            .iter()
            .any(|key| key.comment.as_ref().is_some_and(is_it))
}

/// Renames the columns in `expression`, whose identifiers are in backticks or bare. A bare word before a parenthesis is a
/// function.
fn rename_in(expression: &mut String, rename: &impl Fn(&mut String)) {
    let Ok(tokens) = tokens(expression) else {
        return;
    };
    for (at, token) in tokens.iter().enumerate().rev() {
        let (TokenKind::Word(name) | TokenKind::Identifier(name)) = &token.kind else {
            continue;
        };
        let next = tokens.get(at + 1).map(|next| &next.kind);
        if matches!(token.kind, TokenKind::Word(_)) && next == Some(&TokenKind::Symbol('(')) {
            continue;
        }
        let mut new = name.clone();
        rename(&mut new);
        if new != *name {
            expression.replace_range(token.start..token.end, &identifier(&new));
        }
    }
}
