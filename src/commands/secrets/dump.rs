//! Decrypts the encrypted values of a dump.

use crate::error::Result;
use crate::gitlab::secrets::{
    Checking, Encrypted, EncryptedColumn, EncryptedRow, encrypted_columns,
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
    pub(super) checking: Checking<'a>,
    counts: &'a Counts,
    tables: Vec<FoundTable>,
    lines: Vec<u8>,
}

/// A table of the dump.
struct FoundTable {
    name: String,
    /// The columns that need a wider type.
    widenings: Vec<Widening>,
}

impl<'a> Decrypting<'a> {
    /// Decrypts by `checking`, and counts the values in `counts`.
    pub(super) fn new(checking: Checking<'a>, counts: &'a Counts) -> Decrypting<'a> {
        Decrypting {
            checking,
            counts,
            tables: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Takes the values of `column` from the lines, which have these columns.
    fn take(&mut self, column: &EncryptedColumn, names: &[&str]) {
        let place = |name: &str| names.iter().position(|known| *known == name);
        let places = [&column.name, &column.iv, &column.salt].map(|name| place(name));
        let [value, iv, salt] = places;
        let plain = column.plain.as_deref().and_then(place);
        let project = column.project.as_deref().and_then(place);
        let (mut line, mut rest) = (Line::default(), self.lines.as_slice());
        let text = |line: &Line, place: Option<usize>| {
            let value = line.value(place?)?;
            (!value.is_empty()).then(|| value.to_vec())
        };
        while let Some(length) = line.read(rest) {
            rest = &rest[length..];
            let Some(value) = text(&line, value) else {
                let is_plain = text(&line, plain).is_some();
                self.checking.add_never_encrypted(is_plain.into());
                continue;
            };
            let project = text(&line, project);
            let done = self.checking.add(EncryptedRow {
                project: project.and_then(|id| str::from_utf8(&id).ok()?.parse().ok()),
                encrypted: Encrypted {
                    value,
                    iv: text(&line, iv),
                    salt: text(&line, salt),
                },
            });
            self.counts.add(done as u64);
        }
    }
}

impl Sink for Decrypting<'_> {
    const FORMAT: Format = Format::Text;

    fn table(&mut self, table: &Table) -> Result<()> {
        self.tables.push(FoundTable {
            name: table.name.clone(),
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
        for column in &columns {
            self.take(column, &names);
        }
        self.lines.clear();
        Ok(())
    }

    fn drop_table(&mut self, number: usize) -> Result<()> {
        // Its values were counted; a dump of GitLab CI drops no table again.
        self.tables[number].name.clear();
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
