//! The time zone of this machine, for `--timestamps local`.

use std::path::Path;
use std::sync::OnceLock;

use jiff::tz::TimeZone;

/// When daylight saving time begins and ends if TZ does not say it (`CET-1CEST`): as in glibc and in the time zone
/// database (`tzset(3)`).
const DEFAULT_RULES: &str = ",M3.2.0,M11.1.0";

/// Where the system says its time zone if TZ is not set.
const LOCALTIME: &str = "/etc/localtime";

/// The time zone that TZ names, otherwise the one of the system. None if TZ names an unknown one.
#[must_use]
pub fn local_time_zone() -> Option<&'static TimeZone> {
    static LOCAL: OnceLock<Option<TimeZone>> = OnceLock::new();
    let local = LOCAL.get_or_init(|| of(std::env::var("TZ").ok().as_deref()));
    local.as_ref()
}

fn of(named: Option<&str>) -> Option<TimeZone> {
    if let Ok(found) = TimeZone::try_system() {
        return Some(found);
    }
    match named.filter(|named| !named.is_empty()) {
        Some(named) => without_rules(named),
        // As for the C library.
        None => (!Path::new(LOCALTIME).exists()).then_some(TimeZone::UTC),
    }
}

/// A time zone of POSIX with daylight saving time, but without the rules for it.
fn without_rules(named: &str) -> Option<TimeZone> {
    let with_rules = format!("{named}{DEFAULT_RULES}");
    (!named.contains(',')).then(|| TimeZone::posix(&with_rules).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_added_only_where_there_is_daylight_saving_time() {
        for (named, is_known) in [
            ("CET-1CEST", true),
            ("EST5EDT", true),
            ("CET-1CEST-2", true),
            ("<+01>-1<+02>", true),
            ("UTC", false),
            ("Nowhere/City", false),
            ("CET-1CEST,M3.5.0", false),
            ("CET-1CEST,", false),
        ] {
            assert_eq!(without_rules(named).is_some(), is_known, "{named}");
        }
    }
}
