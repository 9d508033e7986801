//! Decrypts the encrypted values of a dump.

use crate::error::Result;
use crate::gitlab::secrets::{
    Checked, Checking, Encrypted, EncryptedColumn, EncryptedRow, Key, encrypted_columns,
};
use crate::gitlab::tables::TABLES;
use crate::pipeline::planned_rows::{PlannedRows, TranscodedRows};
use crate::pipeline::sink::Sink;
use crate::rows::{Format, Line, PlannedColumn, Widening, loaded_names};
use crate::schema::Table;
use crate::ui::counts::Counts;

/// No name of a column contains it.
const SEPARATOR: &str = "\0";

/// A sink that decrypts the values in the tables of CI. It looks at no row of another table.
pub(super) struct Decrypting<'a> {
    key: &'a Key,
    counts: &'a Counts,
    tables: Vec<FoundTable<'a>>,
    lines: Vec<u8>,
}

/// A table of the dump.
struct FoundTable<'a> {
    name: String,
    /// The values of the table so far, unless the dump drops it again.
    checking: Option<Checking<'a>>,
    /// The columns that need a wider type.
    widenings: Vec<Widening>,
}

impl<'a> Decrypting<'a> {
    /// Decrypts with `key`, and counts the values in `counts`.
    pub(super) fn new(key: &'a Key, counts: &'a Counts) -> Decrypting<'a> {
        Decrypting {
            key,
            counts,
            tables: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// The result, after all rows.
    pub(super) fn finish(self) -> Checked {
        let mut checked = Checked::default();
        for table in self.tables {
            if let Some(checking) = table.checking {
                checked.add(&checking.finish());
            }
        }
        checked
    }
}

/// Has `checking` take the values of `column` from `lines`, which have the columns `names`. Returns the number of values
/// that were decrypted meanwhile.
fn take(
    checking: &mut Checking<'_>,
    column: &EncryptedColumn,
    names: &[&str],
    lines: &[u8],
) -> usize {
    let place = |name: &str| names.iter().position(|known| *known == name);
    let places = [&column.name, &column.iv, &column.salt].map(|name| place(name));
    let [value, iv, salt] = places;
    let plain = column.plain.as_deref().and_then(place);
    let project = column.project.as_deref().and_then(place);
    let (mut line, mut rest, mut done) = (Line::default(), lines, 0);
    let text = |line: &Line, place: Option<usize>| {
        let value = line.value(place?)?;
        (!value.is_empty()).then(|| value.to_vec())
    };
    while let Some(length) = line.read(rest) {
        rest = &rest[length..];
        let Some(value) = text(&line, value) else {
            let is_plain = text(&line, plain).is_some();
            checking.add_never_encrypted(is_plain.into());
            continue;
        };
        let project = text(&line, project);
        done += checking.add(EncryptedRow {
            project: project.and_then(|id| str::from_utf8(&id).ok()?.parse().ok()),
            encrypted: Encrypted {
                value,
                iv: text(&line, iv),
                salt: text(&line, salt),
            },
        });
    }
    done
}

impl Sink for Decrypting<'_> {
    const FORMAT: Format = Format::Text;

    fn table(&mut self, table: &Table) -> Result<()> {
        self.tables.push(FoundTable {
            name: table.name.clone(),
            checking: None,
            widenings: Vec::new(),
        });
        Ok(())
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        let found = &mut self.tables[rows.table];
        if !TABLES.contains(&found.name.as_str()) {
            return Ok(());
        }
        let names: Vec<&str> = rows.statement.split(SEPARATOR).collect();
        let columns = encrypted_columns(&found.name, names.iter().copied());
        if columns.is_empty() {
            return Ok(());
        }
        let mut done = TranscodedRows::default();
        while let Some(widening) = rows.transcode(&found.widenings, &mut self.lines, &mut done)? {
            found.widenings.push(widening);
        }
        let checking = found
            .checking
            .get_or_insert_with(|| Checking::with(self.key));
        for column in &columns {
            let done = take(checking, column, &names, &self.lines);
            self.counts.add(done as u64);
        }
        self.lines.clear();
        Ok(())
    }

    fn drop_table(&mut self, number: usize) -> Result<()> {
        self.tables[number].checking = None;
        Ok(())
    }

    fn complete(&mut self, _: usize, _: &Table) -> Result<()> {
        Ok(())
    }

    /// The names of the columns of a line. The plan has them only if the lines are transcoded.
    fn statement(&self, _: &Table, columns: &[PlannedColumn], _: Format) -> String {
        let names: Vec<&str> = loaded_names(columns).collect();
        names.join(SEPARATOR)
    }
}
