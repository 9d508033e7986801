//! Makes a definition one that PostgreSQL can have, before it is mapped: columns get other names than the system
//! columns, and NUL characters are left out. So keys, CHECKs and expressions follow.

use std::borrow::Cow;

use crate::dump::mysql::definition::{
    ColumnDefinition, DefaultValue, KeyPartOf, Period, TableDefinition,
};
use crate::dump::mysql::lexer::{TokenKind, tokens};
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
pub(super) fn prepared<'a>(definition: &'a TableDefinition, policies: &Policies) -> Prepared<'a> {
    let mut prepared = Prepared {
        definition: Cow::Borrowed(definition),
        renamed: Vec::new(),
        notes: Vec::new(),
    };
    prepared.rename_columns(policies);
    prepared.leave_out_nuls(policies);
    prepared
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

impl Prepared<'_> {
    fn rename_columns(&mut self, policies: &Policies) {
        let has_reserved = |names: &[String]| names.iter().any(|name| is_reserved(name, policies));
        let is_reserved_column = |column: &ColumnDefinition| is_reserved(&column.name, policies);
        let references = |definition: &TableDefinition| {
            let mut keys = definition.foreign_keys.iter();
            keys.any(|key| has_reserved(&key.referenced_columns))
        };
        if !self.definition.columns.iter().any(is_reserved_column) && !references(&self.definition)
        {
            return;
        }
        let definition = self.definition.to_mut();
        let names: Vec<String> = definition.columns.iter().map(|c| c.name.clone()).collect();
        let new_name = |name: &str| {
            let mut new = other_name(name);
            while names.contains(&new) {
                new.push('_');
            }
            new
        };
        let rename = |name: &mut String| {
            if is_reserved(name, policies) && names.contains(name) {
                *name = new_name(name);
            }
        };
        for column in &mut definition.columns {
            let old = column.name.clone();
            rename(&mut column.name);
            if column.name != old {
                self.notes.push(Note {
                    table: definition.name.clone(),
                    item: Some(column.name.clone()),
                    what: format!(
                        "the column was named {old}, which is a system column in PostgreSQL"
                    ),
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
            for name in &mut key.referenced_columns {
                if is_reserved(name, policies) {
                    *name = other_name(name);
                }
            }
        }
        for (_, check) in &mut definition.checks {
            rename_in(check, &rename);
        }
        for Period { begin, end, .. } in &mut definition.periods {
            rename(begin);
            rename(end);
        }
    }

    fn leave_out_nuls(&mut self, policies: &Policies) {
        let nul = policies.values.nul;
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
        self.notes
            .extend(found.into_iter().map(|(item, what)| Note {
                table: table.clone(),
                item,
                what: format!("NUL characters in {what} were left out"),
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

/// Renames the columns in `expression`, whose identifiers are in backticks or bare.
fn rename_in(expression: &mut String, rename: &impl Fn(&mut String)) {
    let Ok(tokens) = tokens(expression) else {
        return;
    };
    for token in tokens.iter().rev() {
        let (TokenKind::Word(name) | TokenKind::Identifier(name)) = &token.kind else {
            continue;
        };
        let mut new = name.clone();
        rename(&mut new);
        if new != *name {
            expression.replace_range(token.start..token.end, &format!("`{new}`"));
        }
    }
}
