//! The sequences of a PostgreSQL dump.

use std::collections::HashMap;

use crate::dump::postgresql::definition::SequenceDefinition;

/// The sequences that a dump creates.
#[derive(Default)]
pub(super) struct Sequences {
    /// Each with whether a default uses it.
    defined: HashMap<String, (SequenceDefinition, bool)>,
    /// Their next values, if the dump has them.
    next: HashMap<String, u64>,
    /// Names before and after of sequences that the target has, and that give way to the next table.
    renamed: Vec<(String, String)>,
}

impl Sequences {
    pub(super) fn add(&mut self, sequence: SequenceDefinition) {
        let name = sequence.name.clone();
        self.defined.insert(name, (sequence, false));
    }

    pub(super) fn set_next(&mut self, sequence: String, next: u64) {
        self.next.insert(sequence, next);
    }

    /// The value that `sequence` gives next: 1 if the dump does not say.
    pub(super) fn next(&self, sequence: &str) -> u64 {
        self.next.get(sequence).copied().unwrap_or(1)
    }

    /// `from` is named `to` now.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if let Some((mut definition, is_used)) = self.defined.remove(from) {
            to.clone_into(&mut definition.name);
            self.defined.insert(to.to_owned(), (definition, is_used));
        }
        if let Some(next) = self.next.remove(from) {
            self.next.insert(to.to_owned(), next);
        }
    }

    /// The target has `from`, which gives way to the next table.
    pub(super) fn rename_in_target(&mut self, from: String, to: String) {
        self.renamed.push((from, to));
    }

    /// The names before and after of the sequences that give way to the next table.
    pub(super) fn giving_way(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.renamed)
    }

    /// The sequence `name`, which a default uses, if the dump has it.
    pub(super) fn used(&mut self, name: &str) -> Option<&SequenceDefinition> {
        let (definition, is_used) = self.defined.get_mut(name)?;
        *is_used = true;
        Some(definition)
    }

    /// The names of those that no default uses, in order.
    pub(super) fn unused(&self) -> Vec<String> {
        let unused = self.defined.values().filter(|(_, is_used)| !is_used);
        let mut names: Vec<String> = unused.map(|(sequence, _)| sequence.name.clone()).collect();
        names.sort();
        names
    }
}
