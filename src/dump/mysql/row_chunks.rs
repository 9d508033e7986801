//! Collects the rows of INSERTs into chunks of whole rows.

use std::sync::Arc;

use super::piece::Piece;
use crate::dump::events::{Duplicates, InsertTarget, RowChunk};
use crate::dump::limits::{CHUNK_BYTES, DumpLimits, HeldMemory, LargeRows};
use crate::error::Result;

/// MySQL's limit of a packet, and so of a row in a dump.
const MAX_ROW_BYTES: usize = 1024 * 1024 * 1024 + CHUNK_BYTES;

/// The rows of the next chunk.
#[derive(Debug, Default)]
pub(super) struct RowChunks {
    bytes: Vec<u8>,
    /// Offset of the first byte in the dump.
    offset: u64,
    /// How many rows end in the bytes, and where the last of them ends.
    rows: u64,
    last_end: usize,
    insert: Option<Arc<InsertTarget>>,
    /// The target as the head of the INSERT says it, if a clause after the rows has changed it.
    as_in_head: Option<InsertTarget>,
    /// What stands after the last row of the statement.
    clause: Vec<u8>,
    /// The text of the last head, if no other statement has followed.
    head: Vec<u8>,
    /// The database of the table, if it is known.
    database: Option<String>,
    /// Rows of the current table before these.
    rows_before: u64,
    limits: DumpLimits,
    large: LargeRows,
}

impl RowChunks {
    /// Chunks within `limits`.
    pub(super) fn within(limits: DumpLimits) -> RowChunks {
        RowChunks {
            limits,
            large: LargeRows::within(limits),
            ..RowChunks::default()
        }
    }

    /// The following rows belong to another table.
    pub(super) fn begin_table(&mut self) {
        self.rows_before = 0;
        self.insert = None;
        self.as_in_head = None;
    }

    /// The following rows go to `target`. Whether they are the first of their table.
    pub(super) fn begin_insert(&mut self, target: InsertTarget) -> bool {
        if self.as_in_head.as_ref() == Some(&target) {
            return false;
        }
        self.as_in_head = None;
        match &self.insert {
            Some(same) if **same == target => {}
            Some(other) if other.table == target.table => self.insert = Some(Arc::new(target)),
            _ => {
                self.rows_before = 0;
                self.insert = Some(Arc::new(target));
            }
        }
        self.rows_before == 0
    }

    /// Begins an INSERT with this `head` if it is the head of the INSERT before, and no other statement is between. Whether
    /// it is, and whether the rows that follow are the first of their table.
    pub(super) fn begin_same(&self, head: &[u8]) -> Option<bool> {
        let is_same = !self.head.is_empty() && self.head == head;
        is_same.then_some(self.rows_before == 0)
    }

    /// Remembers the head of the INSERT that has begun, and the database of its table.
    pub(super) fn remember_head(&mut self, head: &[u8], database: Option<String>) {
        self.head.clear();
        self.head.extend_from_slice(head);
        self.database = database;
    }

    /// The database of the table of the rows, if it is known.
    pub(super) fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Another statement has come, after which the same head may mean something else.
    pub(super) fn forget_head(&mut self) {
        self.head.clear();
    }

    /// Waits until `chunk` may be passed on, if it is large.
    pub(super) fn hold(&self, chunk: &mut RowChunk) {
        chunk.held = self.large.hold(chunk.bytes.len());
    }

    /// The table and columns of the rows.
    pub(super) fn target(&self) -> Option<&InsertTarget> {
        self.insert.as_deref()
    }

    /// What stands after the last row of the statement that has ended, if it is not blank.
    pub(super) fn take_clause(&mut self) -> Option<Vec<u8>> {
        (!self.clause.is_empty()).then(|| std::mem::take(&mut self.clause))
    }

    /// A clause after the rows says what becomes of `duplicates`, in this statement and in the next ones with the same
    /// head. Returns their target.
    pub(super) fn amend(&mut self, duplicates: Duplicates) -> Option<Arc<InsertTarget>> {
        let head = self.insert.as_deref()?.clone();
        if head.duplicates != duplicates {
            self.as_in_head.get_or_insert(head.clone());
            let duplicates = InsertTarget { duplicates, ..head };
            self.insert = Some(Arc::new(duplicates));
        }
        self.insert.clone()
    }

    /// Takes the `bytes` of a `piece` of rows at `offset` in the dump. Returns a chunk if it is complete; `spare` gives
    /// a buffer for the next one.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        piece: Piece,
        offset: u64,
        spare: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Result<Option<RowChunk>> {
        let before = self.bytes.len();
        if before == 0 {
            self.offset = offset;
        }
        self.bytes.extend_from_slice(bytes);
        match piece {
            Piece::Rows { rows, last_end } => {
                self.rows += u64::from(rows);
                if let Some(end) = last_end {
                    self.last_end = before + end;
                }
                let is_enough = self.bytes.len() >= CHUNK_BYTES && self.rows > 0;
                let chunk = is_enough.then(|| self.hand_on(self.last_end, spare));
                self.check_row_length()?;
                Ok(chunk.flatten())
            }
            Piece::LastRows { rows, last_end } => {
                self.rows += u64::from(rows);
                self.bytes.pop();
                let end = last_end.map_or(self.last_end, |end| before + end);
                let tail = self.bytes[end..].trim_ascii();
                // The transcoder says where anything else stands.
                let begins = |word: &[u8]| {
                    let begin = tail.get(..word.len());
                    begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word))
                };
                let is_clause = begins(b"ON") || begins(b"AS");
                if is_clause && self.rows + self.rows_before > 0 {
                    self.clause = tail.to_vec();
                    self.bytes.truncate(end);
                }
                Ok(self.hand_on(self.bytes.len(), spare))
            }
            _ => unreachable!("the scanner was in rows"),
        }
    }

    /// Returns the first `length` bytes as a chunk; the rest begins the next one.
    fn hand_on(
        &mut self,
        length: usize,
        spare: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<RowChunk> {
        let mut next = spare().unwrap_or_default();
        next.clear();
        next.extend_from_slice(&self.bytes[length..]);
        self.bytes.truncate(length);
        let bytes = std::mem::replace(&mut self.bytes, next);
        let offset = self.offset;
        self.offset += length as u64;
        let rows = std::mem::take(&mut self.rows);
        self.last_end = 0;
        let first_row = self.rows_before + 1;
        self.rows_before += rows;
        Some(RowChunk {
            insert: self.insert.clone()?,
            bytes,
            offset,
            first_row,
            rows,
            held: HeldMemory::default(),
        })
    }

    /// The table and the number of the row that is being read.
    pub(super) fn place(&self) -> String {
        let insert = self.insert.as_ref();
        let database = insert.and_then(|insert| insert.database.as_ref());
        let database = database.map_or_else(String::new, |name| format!("{name}."));
        let table = insert.map_or("", |insert| insert.table.as_str());
        let row = self.rows_before + self.rows + 1;
        format!("{database}{table} row {row}")
    }

    fn check_row_length(&self) -> Result<()> {
        self.limits
            .check_row(self.bytes.len(), MAX_ROW_BYTES, || self.place())
    }
}
