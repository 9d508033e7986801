//! The limits of what is kept of a dump: they follow from the memory that may be used.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use memchr::memchr_iter;

use crate::error::{Error, Result};

const MIB: usize = 1024 * 1024;

/// A chunk is passed on when it has so many bytes and ends with a whole row.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// The memory that may be used if nothing else is said, in MiB.
pub const DEFAULT_MEMORY: usize = 128;

/// Definitions that are kept until the end of the dump take several times the memory of their text.
const DEFINITIONS_PART: usize = 16;

/// A row is in memory as it was read, and as it is written.
const ROW_PART: usize = 2;

/// Large rows that are on their way at the same time, unless it is a single one.
const LARGE_ROWS_PART: usize = 8;

/// What a table takes beside its text, and with it whatever else is created.
const DEFINITION_BYTES: usize = 128;

/// What a column takes beside its text, and whatever else comes before a comma.
const ELEMENT_BYTES: usize = 32;

/// Rows are large if they make a chunk so large.
const LARGE_BYTES: usize = 2 * CHUNK_BYTES;

/// The limits of one dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DumpLimits {
    /// The memory that they follow from, in MiB.
    memory: usize,
}

impl Default for DumpLimits {
    fn default() -> Self {
        DumpLimits::of_memory(DEFAULT_MEMORY)
    }
}

impl DumpLimits {
    /// The limits if `mebibytes` of memory may be used.
    #[must_use]
    pub fn of_memory(mebibytes: usize) -> DumpLimits {
        DumpLimits { memory: mebibytes }
    }

    /// The error if a row has so many `bytes`, of which no server writes more than `most`. `row` names it.
    pub(super) fn check_row(
        self,
        bytes: usize,
        most: usize,
        row: impl FnOnce() -> String,
    ) -> Result<()> {
        let limit = self.memory.saturating_mul(MIB) / ROW_PART;
        if bytes <= limit.min(most) {
            return Ok(());
        }
        if most <= limit {
            let most = most / MIB;
            let what = format!("{}: longer than {most} MiB, which no server writes", row());
            return Err(Error::archive(what));
        }
        let (memory, limit) = (self.memory, limit / MIB);
        let more = 2 * memory;
        let what = format!(
            "{}: longer than {limit} MiB, the limit of a row with --memory {memory}",
            row()
        );
        Err(Error::archive(what).hint(format!("--memory {more} allows rows of up to {memory} MiB")))
    }
}

/// The definitions of a dump so far.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    limits: DumpLimits,
    bytes: usize,
}

impl Definitions {
    pub(super) fn within(limits: DumpLimits) -> Definitions {
        Definitions { limits, bytes: 0 }
    }

    /// Counts a definition with this text. What is dropped again counts, too.
    pub(super) fn add(&mut self, text: &[u8]) -> Result<()> {
        let elements = memchr_iter(b',', text).count();
        self.add_bytes(text.len() + DEFINITION_BYTES + elements * ELEMENT_BYTES)
    }

    /// Counts a definition again whose text has this length, because all of it is looked at again.
    pub(super) fn add_again(&mut self, length: usize) -> Result<()> {
        self.add_bytes(length + DEFINITION_BYTES)
    }

    fn add_bytes(&mut self, bytes: usize) -> Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        let memory = self.limits.memory;
        let limit = memory.saturating_mul(MIB) / DEFINITIONS_PART;
        if self.bytes <= limit {
            return Ok(());
        }
        let (kib, more) = (limit / 1024, 2 * memory);
        let what = format!(
            "the definitions of the dump have more than {kib} KiB, their limit with --memory {memory}"
        );
        Err(Error::archive(what).hint(format!("--memory {more} allows twice as much")))
    }
}

/// The large rows that are on their way: read, but not yet written. A row that alone is larger than the limit goes alone.
#[derive(Debug, Clone, Default)]
pub(super) struct LargeRows {
    limits: DumpLimits,
    under_way: Arc<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    bytes: Mutex<usize>,
    freed: Condvar,
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a chunk in the memory of large rows; it is free again when the last clone is dropped.
#[derive(Debug, Clone, Default)]
pub struct HeldMemory(Option<Arc<Held>>);

impl HeldMemory {
    /// Whether there is any.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

#[derive(Debug)]
struct Held {
    under_way: Arc<UnderWay>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        *self.under_way.lock() -= self.bytes;
        self.under_way.freed.notify_all();
    }
}

impl LargeRows {
    pub(super) fn within(limits: DumpLimits) -> LargeRows {
        LargeRows {
            limits,
            under_way: Arc::default(),
        }
    }

    /// Waits until a chunk of so many `bytes` may be passed on. Only the reader waits, so those before it go on.
    pub(super) fn hold(&self, bytes: usize) -> HeldMemory {
        if bytes < LARGE_BYTES {
            return HeldMemory(None);
        }
        let limit = self.limits.memory.saturating_mul(MIB) / LARGE_ROWS_PART;
        let is_too_much = |taken: &mut usize| *taken > 0 && *taken + bytes > limit;
        let taken = self.under_way.lock();
        let taken = self.under_way.freed.wait_while(taken, is_too_much);
        *taken.unwrap_or_else(PoisonError::into_inner) += bytes;
        HeldMemory(Some(Arc::new(Held {
            under_way: Arc::clone(&self.under_way),
            bytes,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_from_the_memory() {
        let limits = DumpLimits::of_memory(64);
        let row = |bytes, most| limits.check_row(bytes, most, || "t row 1".to_owned());
        row(32 * MIB, 1024 * MIB).unwrap();
        let error = row(32 * MIB + 1, 1024 * MIB).unwrap_err();
        assert_eq!(
            error.to_string(),
            "t row 1: longer than 32 MiB, the limit of a row with --memory 64"
        );
        let hint = Some("--memory 128 allows rows of up to 64 MiB");
        assert_eq!(error.hint_text(), hint);
        let error = row(2 * MIB, MIB).unwrap_err().to_string();
        assert_eq!(error, "t row 1: longer than 1 MiB, which no server writes");
        let mut definitions = Definitions::within(limits);
        let text = vec![b'x'; 4 * MIB - DEFINITION_BYTES];
        definitions.add(&text).unwrap();
        let error = definitions.add(b"").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the definitions of the dump have more than 4096 KiB, their limit with --memory 64"
        );
        assert!(error.hint_text().is_some());
    }

    #[test]
    fn large_rows_wait_for_each_other() {
        let rows = LargeRows::within(DumpLimits::of_memory(64));
        let (first, small) = (rows.hold(20 * MIB), rows.hold(CHUNK_BYTES));
        let next = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| rows.hold(MIB));
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert!(!waiting.is_finished());
            drop(first);
            waiting.join().unwrap()
        });
        let _third = rows.hold(7 * MIB);
        drop((next, small));
        assert_eq!(*rows.under_way.lock(), 7 * MIB);
    }
}
