//! Character sets and collations by the names that the server has for them.

use super::capabilities::Capabilities;
use crate::dump::mysql::definition::TableDefinition;

/// Maps the character sets and collations of `definition` to the names that the server has for them. Returns what it lacks: the
/// column, none for the table, and what is used instead.
pub(super) fn map(
    definition: &mut TableDefinition,
    capabilities: &Capabilities,
) -> Vec<(Option<String>, String)> {
    let mut notes = Vec::new();
    let mut judge = |item: Option<&str>,
                     charset: &mut Option<String>,
                     collation: &mut Option<String>| {
        if let Some(known) = charset.take() {
            *charset = here(&known, |name| capabilities.has_charset(name));
            if charset.is_none() {
                notes.push((
                    item.map(str::to_owned),
                    format!("the server does not have the character set {known}"),
                ));
            }
        }
        if let Some(known) = collation.take() {
            *collation = here(&known, |name| capabilities.has_collation(name));
            if collation.is_none() {
                *collation = case_sensitive(&known, |name| capabilities.has_collation(name));
                let instead = collation.as_deref().unwrap_or("the default collation");
                notes.push((
                    item.map(str::to_owned),
                    format!("the server does not have the collation {known}; {instead} is used"),
                ));
            }
        }
    };
    let options = &mut definition.options;
    judge(None, &mut options.charset, &mut options.collation);
    for column in &mut definition.columns {
        let name = column.name.clone();
        let data_type = &mut column.data_type;
        judge(
            Some(&name),
            &mut data_type.charset,
            &mut data_type.collation,
        );
    }
    // MySQL distinguishes a column's own collation from the table's, even if they are the same.
    let of_table = options.collation.clone();
    for column in &mut definition.columns {
        let data_type = &mut column.data_type;
        if data_type.charset.is_none() && of_table.is_some() {
            data_type
                .collation
                .take_if(|own| of_table.as_ref() == Some(own));
        }
    }
    notes
}

/// The server's name for a character set or collation: `utf8` is `utf8mb3` on newer servers.
fn here(name: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    let other = match name.strip_prefix("utf8mb3") {
        Some(rest) => format!("utf8{rest}"),
        None => name
            .strip_prefix("utf8")
            .filter(|rest| rest.is_empty() || rest.starts_with('_'))
            .map_or_else(String::new, |rest| format!("utf8mb3{rest}")),
    };
    [name, other.as_str()]
        .into_iter()
        .find(|name| is_known(name))
        .map(str::to_owned)
}

/// The substitute for a case-sensitive collation `name` that the server does not have. With the default
/// collation a unique key could fail.
fn case_sensitive(name: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    let (charset, rest) = name.split_once('_')?;
    let tells_apart = rest.ends_with("_cs") || rest.ends_with("bin");
    let binary = format!("{charset}_bin");
    (tells_apart && is_known(&binary)).then_some(binary)
}
