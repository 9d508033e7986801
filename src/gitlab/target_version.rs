//! Whether the tables of GitLab CI 8.0 fit into a GitLab, by the migrations that were run there.

use crate::error::{Error, Result};

/// The newest migration of GitLab 8.0.0 to 8.0.5, of CE and EE.
const OF_8_0: &str = "20150920161119";

/// The first migration of GitLab 8.1.
const OF_8_1: &str = "20150924125150";

/// Later versions belong to migrations of the admin's own. GitLab had ten versions more by then.
const OWN: &str = "20180000000000";

/// An error if the migrations of these `recorded` versions belong to another version of GitLab than 8.0: an older one would
/// drop the imported tables in its upgrade, a newer one has columns that the archive does not have.
pub fn check(recorded: &[String]) -> Result<()> {
    let is_version =
        |version: &&str| version.len() == 14 && version.bytes().all(|b| b.is_ascii_digit());
    // Those of this program are of a time before GitLab.
    let of_gitlab = |version: &&str| ("2010"..OWN).contains(version);
    let versions = recorded.iter().map(String::as_str).filter(is_version);
    let Some(newest) = versions.filter(of_gitlab).max() else {
        return Ok(());
    };
    if newest < OF_8_0 {
        return Err(Error::target(format!(
            "the target is a GitLab before 8.0: its newest migration is {newest}"
        ))
        .hint(
            "upgrade it to GitLab 8.0 first: that upgrade creates the tables of CI anew, and would drop what is imported; \
             --ignore-target-version imports nevertheless",
        ));
    }
    if newest >= OF_8_1 {
        return Err(Error::target(format!(
            "the target is a GitLab after 8.0: its newest migration is {newest}"
        ))
        .hint(
            "an archive of GitLab CI 8.0 belongs into GitLab 8.0, which is upgraded afterwards: the tables of later versions \
             have more columns; --ignore-target-version imports nevertheless",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_migration_decides() {
        for (recorded, expected) in [
            (&[][..], None),
            (&["20150920010715", "20150920161119"], None),
            (&["20150920161119", "20150921000000"], None),
            // Ours, the admin's own, and no versions at all.
            (
                &["20000101000001", "20150920161119", "20261129000000", "x"],
                None,
            ),
            (&["20150806104937"], Some("before 8.0")),
            (&["20150826001931", "20150902001023"], Some("before 8.0")),
            (&["20150920161119", "20150924125150"], Some("after 8.0")),
            (&["20170523091700", "20150920161119"], Some("after 8.0")),
        ] {
            let recorded: Vec<String> = recorded.iter().map(ToString::to_string).collect();
            let found = check(&recorded).err().map(|error| error.to_string());
            match (expected, &found) {
                (None, None) => {}
                (Some(expected), Some(found)) if found.contains(expected) => {}
                _ => panic!("{recorded:?}: {found:?}"),
            }
        }
    }
}
