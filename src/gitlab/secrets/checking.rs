//! Decrypts the encrypted values of many rows, and counts them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::encrypted::{Encrypted, Fault};
use super::key::Key;

/// So many values are decrypted together, by all processors. One takes about a millisecond.
const BATCH_VALUES: usize = 512;
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The number of projects that are named.
const MAX_PROJECTS: usize = 1000;

/// An encrypted value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptedRow {
    /// The project that the row belongs to, if it is known.
    pub project: Option<i64>,
    /// The value.
    pub encrypted: Encrypted,
}

/// How many values a table or a target holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// The encrypted values.
    pub encrypted: u64,
    /// The values that were never encrypted. GitLab does not read them.
    pub never_encrypted: u64,
}

/// What is known about encrypted values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// The number of values that decrypt.
    pub decrypt: u64,
    /// The number of values that were encrypted with another key.
    pub other_key: u64,
    /// The number of values that no key decrypts.
    pub damaged: u64,
    /// The number of values that were never encrypted.
    pub never_encrypted: u64,
    /// The projects with values that do not decrypt, and the number of these values.
    pub projects: BTreeMap<Option<i64>, u64>,
    /// Whether more projects than these have some.
    pub has_more_projects: bool,
}

impl Checked {
    /// The number of encrypted values.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.decrypt + self.failed()
    }

    /// Adds what is known about other values.
    pub fn add(&mut self, other: &Checked) {
        self.decrypt += other.decrypt;
        self.other_key += other.other_key;
        self.damaged += other.damaged;
        self.never_encrypted += other.never_encrypted;
        self.has_more_projects |= other.has_more_projects;
        for (project, values) in &other.projects {
            self.name(*project, *values);
        }
    }

    /// Names a project with values that do not decrypt, if not too many are named.
    fn name(&mut self, project: Option<i64>, values: u64) {
        let is_known = self.projects.contains_key(&project);
        if is_known || self.projects.len() < MAX_PROJECTS {
            *self.projects.entry(project).or_default() += values;
        } else {
            self.has_more_projects = true;
        }
    }

    /// The number of values that do not decrypt.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.other_key + self.damaged
    }
}

/// A running check.
pub struct Checking<'a> {
    key: &'a Key,
    batch: Vec<EncryptedRow>,
    bytes: usize,
    checked: Checked,
}

impl<'a> Checking<'a> {
    /// Begins to check values with `key`.
    #[must_use]
    pub fn with(key: &'a Key) -> Checking<'a> {
        Checking {
            key,
            batch: Vec::new(),
            bytes: 0,
            checked: Checked::default(),
        }
    }

    /// Adds a value. Returns the number of values that were decrypted meanwhile.
    pub fn add(&mut self, row: EncryptedRow) -> usize {
        self.bytes += row.encrypted.value.len();
        self.batch.push(row);
        if self.batch.len() < BATCH_VALUES && self.bytes < BATCH_BYTES {
            return 0;
        }
        self.decrypt()
    }

    /// Counts values that were never encrypted.
    pub fn add_never_encrypted(&mut self, values: u64) {
        self.checked.never_encrypted += values;
    }

    /// The result, after all values were added.
    #[must_use]
    pub fn finish(mut self) -> Checked {
        self.decrypt();
        self.checked
    }

    fn decrypt(&mut self) -> usize {
        let (key, checked) = (self.key, &mut self.checked);
        let results: Vec<_> = self
            .batch
            .par_iter()
            .map(|row| (row.project, row.encrypted.decrypt(key)))
            .collect();
        for (project, result) in &results {
            match result {
                Ok(()) => {
                    checked.decrypt += 1;
                    continue;
                }
                Err(Fault::OtherKey) => checked.other_key += 1,
                Err(Fault::Damaged) => checked.damaged += 1,
            }
            checked.name(*project, 1);
        }
        self.batch.clear();
        self.bytes = 0;
        results.len()
    }
}
