//! INSERTs for servers with LOAD DATA LOCAL switched off, made from the lines for LOAD DATA.

use memchr::memchr;

use crate::rows::{TranscodePlan, ValueKind};

/// Generates INSERTs from the lines for LOAD DATA, within the length that the server accepts.
pub(crate) struct Inserts<'a> {
    head: &'a str,
    /// The kind of each column in the lines.
    kinds: Vec<ValueKind>,
    lines: &'a [u8],
    most: usize,
    statement: Vec<u8>,
}

impl<'a> Inserts<'a> {
    /// Generates statements from `lines`, which `plan` has transcoded. Each begins with `head` and has at
    /// most `most` bytes, or more if a single row needs more.
    pub(crate) fn new(
        head: &'a str,
        plan: &TranscodePlan,
        lines: &'a [u8],
        most: usize,
    ) -> Inserts<'a> {
        let kinds = plan.columns.iter().map(|column| column.kind);
        Inserts {
            head,
            kinds: kinds.filter(|kind| *kind != ValueKind::Skipped).collect(),
            lines,
            most,
            statement: Vec::new(),
        }
    }

    /// The lines that are left.
    pub(crate) fn lines(&self) -> &'a [u8] {
        self.lines
    }

    /// The next statement, if there is one.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        if self.lines.is_empty() {
            return None;
        }
        self.statement.clear();
        self.statement.extend_from_slice(self.head.as_bytes());
        let begin = self.statement.len();
        while let Some(end) = memchr(b'\n', self.lines) {
            let before = self.statement.len();
            if before > begin {
                self.statement.push(b',');
            }
            tuple(&mut self.statement, &self.lines[..end], &self.kinds);
            if self.statement.len() > self.most && before > begin {
                self.statement.truncate(before);
                break;
            }
            self.lines = &self.lines[end + 1..];
        }
        Some(&self.statement)
    }
}

/// Appends a line as a tuple. The escapes of a line mean the same in a string; only the quote needs an escape
/// more.
fn tuple(out: &mut Vec<u8>, line: &[u8], kinds: &[ValueKind]) {
    out.push(b'(');
    for (at, (value, kind)) in line.split(|byte| *byte == b'\t').zip(kinds).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match kind {
            _ if value == b"\\N" => out.extend_from_slice(b"NULL"),
            ValueKind::Bytes => {
                out.extend_from_slice(b"x'");
                out.extend_from_slice(value);
                out.push(b'\'');
            }
            ValueKind::Bits { .. } => out.extend_from_slice(value),
            _ => {
                out.push(b'\'');
                let mut rest = value;
                while let Some(quote) = memchr(b'\'', rest) {
                    out.extend_from_slice(&rest[..=quote]);
                    out.push(b'\'');
                    rest = &rest[quote + 1..];
                }
                out.extend_from_slice(rest);
                out.push(b'\'');
            }
        }
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::charset::Multibyte;
    use crate::rows::{Format, PlannedColumn, Storage, ValuePolicies, Written};

    fn statements(lines: &str, most: usize) -> Vec<String> {
        let kinds = [
            ValueKind::AsWritten,
            ValueKind::Skipped,
            ValueKind::Text,
            ValueKind::Bytes,
            ValueKind::Bits { width: 8 },
        ];
        let column = |kind| PlannedColumn {
            name: String::new(),
            kind,
            storage: Storage::Text,
            null_is_zero_date: false,
            wider: None,
            unusual: 0,
            policies: ValuePolicies::default(),
        };
        let plan = TranscodePlan {
            columns: kinds.map(column).to_vec(),
            written: Written::Tuples,
            format: Format::LoadData,
            multibyte: Multibyte::None,
            is_decoded: false,
            unusual: std::sync::Arc::default(),
            numbers_rows: false,
            quoting: crate::dump::quoting::Quoting::default(),
            layout: None,
        };
        let mut inserts = Inserts::new("I ", &plan, lines.as_bytes(), most);
        let mut found = Vec::new();
        while let Some(statement) = inserts.next() {
            found.push(String::from_utf8(statement.to_vec()).unwrap());
        }
        found
    }

    #[test]
    fn lines_become_tuples() {
        let lines = "1\tit's \\\\ \\n'\t00ff\t5\n\\N\t\\N\t\\N\t\\N\n";
        let expected = "I ('1','it''s \\\\ \\n''',x'00ff',5),(NULL,NULL,NULL,NULL)";
        assert_eq!(statements(lines, 1000), [expected]);
    }

    #[test]
    fn no_statement_is_longer_than_the_server_takes() {
        let lines = "1\ta\t\t0\n2\tb\t\t0\n3\tc\t\t0\n";
        let found = statements(lines, 36);
        assert_eq!(
            found,
            ["I ('1','a',x'',0),('2','b',x'',0)", "I ('3','c',x'',0)"]
        );
        // A single row that is too long is sent anyway: the server reports the error.
        assert_eq!(statements(lines, 5).len(), 3);
    }
}
