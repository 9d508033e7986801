//! Compares lines.

/// The lines of `one` that `other` does not have.
pub(crate) fn only(one: &[String], other: &[String]) -> Vec<String> {
    let mut rest = other.to_vec();
    let mut lines = one.to_vec();
    lines.retain(|line| match rest.iter().position(|other| other == line) {
        Some(at) => {
            rest.swap_remove(at);
            false
        }
        None => true,
    });
    lines
}
