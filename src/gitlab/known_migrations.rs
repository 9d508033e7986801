//! Which migrations are built in, whatever server they are for: their versions, names and order, and why
//! one waits.

use jiff::civil::date;

use crate::migrate::{Migration, MigrationBody, Phase, Version};

/// A built-in migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownMigration {
    /// Has the server number the rows of the 15 tables.
    NumberIds,
    /// Prefixes the types of CI's services.
    PrefixServices,
    /// Drops CI's tags, which are merged into GitLab's.
    DropTags,
    /// Drops CI's jobs, of which projects have a configuration.
    DropJobs,
    /// Drops what the last import has replaced.
    DropPrevious,
}

impl KnownMigration {
    /// All of them, in order.
    pub const ALL: [KnownMigration; 5] = [
        KnownMigration::NumberIds,
        KnownMigration::PrefixServices,
        KnownMigration::DropTags,
        KnownMigration::DropJobs,
        KnownMigration::DropPrevious,
    ];

    /// What it is recorded as. Recorded versions outlive programs: none may ever change.
    #[must_use]
    pub const fn version(self) -> Version {
        let second = match self {
            KnownMigration::NumberIds => 1,
            KnownMigration::PrefixServices => 2,
            KnownMigration::DropTags => 11,
            KnownMigration::DropJobs => 12,
            KnownMigration::DropPrevious => 13,
        };
        Version::at(date(2000, 1, 1).at(0, 0, second, 0))
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            KnownMigration::NumberIds => "number_ci_ids",
            KnownMigration::PrefixServices => "prefix_ci_services",
            KnownMigration::DropTags => "drop_merged_ci_tags",
            KnownMigration::DropJobs => "drop_converted_ci_jobs",
            KnownMigration::DropPrevious => "drop_previous_import",
        }
    }

    /// When it may run.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            KnownMigration::NumberIds | KnownMigration::PrefixServices => Phase::Regular,
            KnownMigration::DropTags | KnownMigration::DropJobs | KnownMigration::DropPrevious => {
                Phase::PostDeployment
            }
        }
    }

    /// The tables that it drops.
    #[must_use]
    pub fn drops(self) -> &'static [&'static str] {
        match self {
            KnownMigration::DropTags => &TAGS,
            KnownMigration::DropJobs => &[JOBS],
            KnownMigration::NumberIds
            | KnownMigration::PrefixServices
            | KnownMigration::DropPrevious => &[],
        }
    }

    /// The migration, with what it is for a server.
    pub fn with<B>(self, built_in: B) -> Migration<B> {
        Migration {
            version: self.version(),
            name: self.name().to_owned(),
            phase: self.phase(),
            body: MigrationBody::BuiltIn(built_in),
        }
    }
}

/// The tables of CI's tags, which GitLab does not read.
pub const TAGS: [&str; 2] = ["ci_taggings", "ci_tags"];

/// The table of CI's jobs. GitLab CI 7.13 has made a configuration of each project's jobs, in
/// `ci_projects.generated_yaml_config`, and GitLab reads only that.
pub const JOBS: &str = "ci_jobs";

/// Of the tables of which an import has kept rows, the one whose rows are nowhere else: an import writes
/// CI's taggings anew. Of the others, what was kept says what came.
pub const KEPT_ROWS: &str = "taggings";

/// The versions of all of them.
#[must_use]
pub fn versions() -> Vec<String> {
    KnownMigration::ALL
        .map(|known| known.version().to_string())
        .to_vec()
}

/// Those of a server's `migrations` that an import runs when it has published, unless they are to be left
/// for later, and the one that it never runs: it would take away what `rollback` needs.
#[must_use]
pub fn after_import<B>(migrations: Vec<Migration<B>>) -> (Vec<Migration<B>>, Vec<Migration<B>>) {
    let later = migrations
        .into_iter()
        .filter(|migration| migration.phase == Phase::PostDeployment);
    later.partition(|migration| migration.version != KnownMigration::DropPrevious.version())
}

/// Of the tables that recorded migrations have dropped, those that nobody has made again: `recorded` are
/// the versions, and `is_there` says of a table whether it is.
pub fn dropped(recorded: &[String], is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let ran = KnownMigration::ALL.into_iter().filter(|known| {
        let version = known.version().to_string();
        recorded.contains(&version)
    });
    let tables = ran.flat_map(KnownMigration::drops);
    tables.copied().filter(|table| !is_there(table)).collect()
}

/// What is told where there is nothing left to be done.
pub const NOTHING_TO_DROP: &str = "there was nothing to drop";

/// What is told when the tables `found` are dropped.
#[must_use]
pub fn dropped_tags(found: &[String]) -> String {
    format!(
        "dropped {}, which are merged into tags and taggings",
        found.join(" and ")
    )
}

/// What is told when so many services got their prefix.
#[must_use]
pub fn prefixed(services: i64) -> String {
    format!("prefixed the type of {services} services with Ci::")
}

/// What is told when the tables in `previous` are dropped, and builds directories are left.
#[must_use]
pub fn dropped_previous(previous: &str, has_builds: bool) -> String {
    let builds = if has_builds {
        "; the old build traces stay until ci-import discard"
    } else {
        ""
    };
    format!("dropped the empty tables in {previous}{builds}")
}

/// Why a migration waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitReason<'a> {
    /// There is no such table in the schema.
    NoTable(&'a str, &'a str),
    /// So many tags of CI are not GitLab's.
    TagsMissing(i64),
    /// So many taggings of CI have no tag.
    WithoutTag(i64),
    /// So many taggings of CI are not GitLab's.
    TaggingsMissing(i64),
    /// The schema is no GitLab's.
    NoGitlab(&'a str),
    /// So many jobs have no configuration.
    Unconverted(i64),
    /// The schema has rows of these tables that are nowhere else.
    HasRows(&'a str, Vec<String>),
}

impl std::fmt::Display for WaitReason<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WaitReason::NoTable(table, schema) => write!(
                f,
                "there is no table {table} in {schema} that they are merged into"
            ),
            WaitReason::TagsMissing(count) => write!(f, "{count} rows of ci_tags are not in tags"),
            WaitReason::WithoutTag(count) => write!(
                f,
                "{count} rows of ci_taggings have no tag, and so were merged nowhere"
            ),
            WaitReason::TaggingsMissing(count) => {
                write!(f, "{count} rows of ci_taggings are not in taggings")
            }
            WaitReason::NoGitlab(schema) => write!(f, "there is no GitLab in {schema}"),
            WaitReason::Unconverted(count) => write!(
                f,
                "{count} jobs are of projects that have no generated_yaml_config made of them"
            ),
            WaitReason::HasRows(previous, tables) => write!(
                f,
                "{previous} has rows that are nowhere else, of {}; ci-import discard drops them",
                tables.join(", ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded versions outlive programs: whoever changes one makes it pending everywhere.
    #[test]
    fn versions_stay_as_they_are() {
        let told = KnownMigration::ALL.map(|known| {
            let folder = known.phase().folder();
            format!("{} {} {folder}", known.version(), known.name())
        });
        let expected = [
            "20000101000001 number_ci_ids migrate",
            "20000101000002 prefix_ci_services migrate",
            "20000101000011 drop_merged_ci_tags post_migrate",
            "20000101000012 drop_converted_ci_jobs post_migrate",
            "20000101000013 drop_previous_import post_migrate",
        ];
        assert_eq!(told, expected);
    }
}
