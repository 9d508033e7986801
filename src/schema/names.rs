//! Names of relations: unique in their schema, and not longer than PostgreSQL allows.

use crate::error::codes::Code;
use std::collections::{HashMap, HashSet};

use super::model::{Note, Table};

/// PostgreSQL cuts longer names (NAMEDATALEN - 1; manual, 4.1.1).
pub(super) const MAX_BYTES: usize = 63;

/// The names given so far in one schema. Tables, indexes and sequences share a name space there.
#[derive(Debug, Clone, Default)]
pub struct Names {
    taken: HashSet<String>,
    /// The names that sequences have, and their tables.
    sequences: HashMap<String, String>,
    /// The number that the next name gets that is wanted again.
    numbers: HashMap<String, u32>,
}

impl Names {
    /// Keeps `name` from being given to anything else; whether it was free.
    pub fn reserve(&mut self, name: &str) -> bool {
        self.taken.insert(name.to_owned())
    }

    /// As [`Names::reserve`], for a table: it keeps its name, and a sequence that has it gives way. Then the
    /// new name of the sequence is returned.
    pub fn reserve_table(&mut self, name: &str) -> Option<Vec<(String, String)>> {
        if self.reserve(name) {
            return Some(Vec::new());
        }
        let table = self.sequences.remove(name)?;
        let to = self.give(name, &table);
        self.sequences.insert(to.clone(), table);
        Some(vec![(name.to_owned(), to)])
    }

    /// The sequence `from` is named `to` now.
    pub fn rename_sequence(&mut self, from: &str, to: &str) {
        if let Some(table) = self.sequences.remove(from) {
            self.taken.remove(from);
            self.taken.insert(to.to_owned());
            self.sequences.insert(to.to_owned(), table);
        }
    }

    /// Gives up the name of a table and of its sequence.
    pub fn release_table(&mut self, name: &str) {
        let table = fitting(name);
        self.taken.remove(&table);
        let taken = &mut self.taken;
        self.sequences.retain(|sequence, owner| {
            let stays = *owner != table;
            if !stays {
                taken.remove(sequence);
            }
            stays
        });
    }

    /// As [`Names::give`], for a sequence of `table`.
    pub fn give_to_sequence(&mut self, wanted: &str, table: &str) -> String {
        let name = self.give(wanted, table);
        self.sequences.insert(name.clone(), table.to_owned());
        name
    }

    /// A name for something of `table`, `wanted` itself if it is free and short enough. The same
    /// calls give the same names.
    pub fn give(&mut self, wanted: &str, table: &str) -> String {
        let longer = format!("{table}_{wanted}");
        for candidate in [wanted, &longer] {
            let name = fitting(candidate);
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
        let number = self.numbers.entry(longer.clone()).or_insert(2);
        loop {
            let name = fitting(&format!("{longer}_{number}"));
            *number += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// The schema for the tables of `database`.
#[must_use]
pub fn schema_of(database: &str) -> String {
    fitting(database)
}

/// `name`, or where it is too long its beginning and a checksum of the whole.
pub(crate) fn fitting(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let checksum = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let mut end = MAX_BYTES - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{checksum:08x}", &name[..end])
}

/// The names that the indexes of a table have at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FinalNames {
    /// Of the primary key.
    pub primary_key: Option<String>,
    /// Of the indexes, in order.
    pub indexes: Vec<String>,
}

/// Gives the indexes of `tables` their names, when all of them are known: those they have in MySQL,
/// where an index needs to be unique in its table only, unless another relation has it. Tables,
/// sequences and types keep theirs. What is named otherwise is noted.
#[must_use]
pub fn final_names(tables: &[&Table]) -> (Vec<FinalNames>, Vec<Note>) {
    let mut by_schema: HashMap<Option<&str>, Names> = HashMap::new();
    let mut notes = Vec::new();
    for table in tables {
        let names = by_schema.entry(table.schema.as_deref()).or_default();
        names.reserve(&table.name);
        table
            .sequence
            .iter()
            .for_each(|sequence| _ = names.reserve(&sequence.name));
        let renamed = table.renamed_sequences.iter();
        renamed.for_each(|(_, name)| _ = names.reserve(name));
        table
            .enum_types
            .iter()
            .for_each(|enum_type| _ = names.reserve(&enum_type.name));
    }
    let keys: Vec<Option<String>> = tables
        .iter()
        .map(|table| {
            let names = by_schema.entry(table.schema.as_deref()).or_default();
            let key = table.primary_key.as_ref();
            key.map(|key| names.give(&key.name, &table.name))
        })
        .collect();
    let mut all = Vec::new();
    for (table, primary_key) in tables.iter().zip(keys) {
        let mut indexes = Vec::new();
        let names = by_schema.entry(table.schema.as_deref()).or_default();
        for index in &table.indexes {
            let name = names.give(&index.name, &table.name);
            if name != index.name {
                notes.push(Note {
                    code: Code::Renamed,
                    table: table.shown(),
                    item: Some(index.name.clone()),
                    what: format!("the index is named {name}"),
                });
            }
            indexes.push(name);
        }
        all.push(FinalNames {
            primary_key,
            indexes,
        });
    }
    (all, notes)
}

/// The name that the sequence has at the end which is created as `name` for `of`: later ones of `tables` may have renamed it.
#[must_use]
pub fn final_sequence_name(tables: &[&Table], of: &Table, name: &str) -> String {
    let beside = tables.iter().filter(|table| table.schema == of.schema);
    let renames = beside.flat_map(|table| &table.renamed_sequences);
    renames.fold(name.to_owned(), |name, (from, to)| {
        if *from == name { to.clone() } else { name }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_where_they_can_be() {
        let mut names = Names::default();
        let rails = "index_ci_taggings_on_taggable_id_and_taggable_type_and_context";
        assert_eq!(names.give(rails, "ci_taggings"), rails);
        assert_eq!(names.give("i", "a"), "i");
        assert_eq!(names.give("i", "b"), "b_i");
        assert_eq!(names.give("i", "b"), "b_i_2");
    }

    #[test]
    fn a_sequence_gives_way_to_a_table() {
        let mut names = Names::default();
        assert_eq!(names.reserve_table("a"), Some(Vec::new()));
        assert_eq!(names.give_to_sequence("a_id_seq", "a"), "a_id_seq");
        let renamed = |from: &str, to: &str| Some(vec![(from.to_owned(), to.to_owned())]);
        assert_eq!(
            names.reserve_table("a_id_seq"),
            renamed("a_id_seq", "a_a_id_seq")
        );
        assert_eq!(names.reserve_table("a_id_seq"), None);
        assert_eq!(
            names.reserve_table("a_a_id_seq"),
            renamed("a_a_id_seq", "a_a_a_id_seq")
        );
    }

    #[test]
    fn names_that_are_too_long_stay_apart_and_stable() {
        let long = "日".repeat(30);
        let mut names = Names::default();
        let first = names.give(&format!("{long}a"), "t");
        let second = names.give(&format!("{long}b"), "t");
        assert!(first.len() <= MAX_BYTES && second.len() <= MAX_BYTES);
        assert_ne!(first, second);
        assert_eq!(Names::default().give(&format!("{long}a"), "t"), first);
    }
}
