//! The tests.
fn main() {}
