//! The parts of a large object: how large they are, and what they take.

const MIB: usize = 1024 * 1024;

/// The size of a part, of all but the last. S3 takes 5 MiB and more.
const LEAST_PART_BYTES: usize = 8 * MIB;
const MOST_PART_BYTES: usize = 512 * MIB;

/// The parts that an upload has in memory: the one that is filled, and the one that is on its way.
const PARTS_IN_MEMORY: usize = 2;

/// A part takes this share of the memory.
const SHARE: usize = 16;

/// What an upload takes besides its parts: the client with its connection.
const BESIDE_PARTS: usize = 8 * MIB;

/// The size of the parts if the program may take so much memory, in MiB: the more, the larger an object may be.
pub(super) fn part_bytes(mebibytes: Option<u64>) -> usize {
    let given = mebibytes.and_then(|given| usize::try_from(given).ok());
    (given.unwrap_or_default().saturating_mul(MIB) / SHARE / MIB * MIB)
        .clamp(LEAST_PART_BYTES, MOST_PART_BYTES)
}

/// What an upload in such parts takes.
pub(super) fn memory_bytes(part_bytes: usize) -> usize {
    PARTS_IN_MEMORY * part_bytes + BESIDE_PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_large_as_the_memory_allows() {
        for (given, expected) in [
            (None, 8),
            (Some(56), 8),
            (Some(128), 8),
            (Some(256), 16),
            (Some(1000), 62),
            (Some(u64::MAX), 512),
        ] {
            assert_eq!(part_bytes(given), expected * MIB, "{given:?}");
        }
    }
}
