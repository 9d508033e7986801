//! Names of files.

/// A name without the suffix of a compression.
pub(super) fn plain(name: &str) -> &str {
    let suffixes = [".gz", ".zst", ".bz2", ".xz"];
    let mut stems = suffixes
        .iter()
        .filter_map(|suffix| name.strip_suffix(suffix));
    stems.next().unwrap_or(name)
}
