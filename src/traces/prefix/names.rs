//! The names of the prefixes of imports: `import-20261130T193100Z-<32 hexadecimal digits>`.

use crate::error::Result;
use crate::traces::directory::unguessable;

/// What each begins with.
const BEGINNING: &str = "import-";

/// The time, as in ISO 8601.
const TIME: &str = "%Y%m%dT%H%M%SZ";
const TIME_LENGTH: usize = 16;

/// A name that no other import has.
pub(super) fn new_name() -> Result<String> {
    let now = jiff::Timestamp::now().strftime(TIME);
    Ok(format!("{BEGINNING}{now}-{}", unguessable()?))
}

/// Whether `name` is one that [`new_name`] can have made.
pub(super) fn is_of_an_import(name: &str) -> bool {
    let Some((time, unique)) = name
        .strip_prefix(BEGINNING)
        .and_then(|rest| rest.split_once('-'))
    else {
        return false;
    };
    let is_time = |byte: u8| byte.is_ascii_digit() || byte == b'T' || byte == b'Z';
    time.len() == TIME_LENGTH
        && time.bytes().all(is_time)
        && unique.len() == 32
        && unique.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_our_names_is_ours() {
        let name = new_name().unwrap();
        assert!(is_of_an_import(&name), "{name}");
        assert_ne!(name, new_name().unwrap());
        let unique = "0123456789abcdef0123456789abcdef";
        for other in [
            String::new(),
            "import-".to_owned(),
            format!("import-20261130T193100Z-{unique}0"),
            format!("import-20261130T193100Z-{unique}/"),
            format!("import-2026-{unique}"),
            format!("import-../../../../../Z-{unique}"),
            format!("20261130T193100Z-{unique}"),
        ] {
            assert!(!is_of_an_import(&other), "{other}");
        }
    }
}
