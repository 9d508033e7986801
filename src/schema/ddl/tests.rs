use super::*;

#[test]
fn names_and_literals_cannot_break_out() {
    assert_eq!(
        identifier("a\"; DROP TABLE x; --"),
        "\"a\"\"; DROP TABLE x; --\""
    );
    assert_eq!(literal("it's"), "'it''s'");
    assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
}
