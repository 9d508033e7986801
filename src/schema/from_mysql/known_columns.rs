//! The columns that are in a table, found by their names in MySQL: a hostile definition has thousands, and as many
//! expressions over them.

use std::collections::HashMap;

use crate::schema::model::Column;

/// Columns in their order, with their names in MySQL.
#[derive(Default)]
pub(super) struct KnownColumns {
    all: Vec<(String, Column)>,
    /// The first place of each name in lower case.
    places: HashMap<String, usize>,
    /// Whether names differ only in case, which no server has.
    has_doubles: bool,
}

impl KnownColumns {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, Column)> {
        self.all.iter()
    }

    pub(super) fn push(&mut self, name: String, column: Column) {
        let place = self.all.len();
        let first = *self
            .places
            .entry(name.to_ascii_lowercase())
            .or_insert(place);
        self.has_doubles |= first != place;
        self.all.push((name, column));
    }

    /// The column with exactly this name.
    pub(super) fn get(&self, name: &str) -> Option<&Column> {
        self.place(name).map(|at| &self.all[at].1)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.place(name).map(|at| &mut self.all[at].1)
    }

    /// The column with this name in any case, and its name.
    pub(super) fn find(&self, name: &str) -> Option<&(String, Column)> {
        let is_it = |(known, _): &&(String, Column)| known.eq_ignore_ascii_case(name);
        match self.places.get(&name.to_ascii_lowercase()) {
            Some(at) => self.all.get(*at),
            None if self.has_doubles => self.all.iter().find(is_it),
            None => None,
        }
    }

    /// Removes the column with exactly this name.
    pub(super) fn remove(&mut self, name: &str) {
        let Some(at) = self.place(name) else { return };
        let key = name.to_ascii_lowercase();
        if self.places.get(&key) == Some(&at) {
            self.places.remove(&key);
        }
        self.all.remove(at);
        for place in self.places.values_mut().filter(|place| **place > at) {
            *place -= 1;
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        let first = self.places.get(&name.to_ascii_lowercase()).copied();
        let is_it = |at: &usize| self.all[*at].0 == name;
        let all = || self.all.iter().position(|(known, _)| known == name);
        first
            .filter(is_it)
            .or_else(|| self.has_doubles.then(all).flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::model::DataType;

    #[test]
    fn columns_are_found_by_their_names() {
        let mut columns = KnownColumns::default();
        for name in ["a", "B", "c", "b"] {
            columns.push(name.to_owned(), Column::new(name, DataType::Text));
        }
        let found = |columns: &KnownColumns, name: &str| columns.find(name).map(|it| it.0.clone());
        assert_eq!(found(&columns, "b").as_deref(), Some("B"));
        assert_eq!(columns.get("b").map(|it| it.name.as_str()), Some("b"));
        columns.remove("B");
        columns.remove("a");
        assert_eq!(found(&columns, "B").as_deref(), Some("b"));
        assert_eq!(found(&columns, "C").as_deref(), Some("c"));
        assert!(columns.get("B").is_none() && columns.get("A").is_none());
        assert!(columns.get_mut("c").is_some() && columns.find("a").is_none());
    }
}
