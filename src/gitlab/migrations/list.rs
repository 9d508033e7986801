//! The built-in migrations that exist for every server: their versions, names and order.

use jiff::civil::date;

use crate::migrate::{Migration, MigrationBody, Phase, Version};

/// A built-in migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownMigration {
    /// Makes the server number the rows of the 15 tables.
    NumberIds,
    /// Prefixes the types of CI's services.
    PrefixServices,
    /// Drops CI's tags, which are merged into GitLab's.
    DropTags,
    /// Drops CI's jobs; the projects have their configuration.
    DropJobs,
    /// Drops the tables that the last import has replaced.
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

    /// The version that is recorded. Recorded versions outlive programs: none may ever change.
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

    /// Its name.
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

    /// When it may run. Whatever drops a table runs on request only: later migrations of GitLab's own need the tables.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            KnownMigration::NumberIds | KnownMigration::PrefixServices => Phase::Regular,
            KnownMigration::DropTags | KnownMigration::DropJobs | KnownMigration::DropPrevious => {
                Phase::OnRequest
            }
        }
    }

    /// The tables that it drops.
    #[must_use]
    pub fn drops(self) -> &'static [&'static str] {
        match self {
            KnownMigration::DropTags => &CI_TAG_TABLES,
            KnownMigration::DropJobs => &[JOBS],
            KnownMigration::NumberIds
            | KnownMigration::PrefixServices
            | KnownMigration::DropPrevious => &[],
        }
    }

    /// The migration, with its implementation for a server.
    pub fn with<B>(self, built_in: B) -> Migration<B> {
        Migration {
            version: self.version(),
            name: self.name().to_owned(),
            phase: self.phase(),
            body: MigrationBody::BuiltIn(built_in),
        }
    }
}

/// The tables of CI's tags. GitLab does not read them.
pub const CI_TAG_TABLES: [&str; 2] = ["ci_taggings", "ci_tags"];

/// The table of CI's jobs. GitLab CI 7.13 has turned the jobs of each project into a configuration in
/// `ci_projects.generated_yaml_config`. GitLab reads only that.
pub const JOBS: &str = "ci_jobs";

/// The table whose kept rows are nowhere else, since an import rewrites CI's taggings. What an import keeps of
/// other tables only says what it added.
pub const KEPT_ROWS: &str = "taggings";

/// The versions of all built-in migrations.
#[must_use]
pub fn versions() -> Vec<String> {
    KnownMigration::ALL
        .map(|known| known.version().to_string())
        .to_vec()
}

/// The condition for their versions in the table of versions.
#[must_use]
pub fn is_built_in() -> String {
    let versions = versions();
    let versions: Vec<String> = versions.iter().map(|v| format!("'{v}'")).collect();
    format!("version IN ({})", versions.join(", "))
}

/// Whether one of them is among the `recorded` versions.
#[must_use]
pub fn is_any_recorded(recorded: &[String]) -> bool {
    versions().iter().any(|version| recorded.contains(version))
}

/// The tables that the `recorded` migrations have dropped and that do not exist again; `is_there` says whether
/// a table exists.
pub fn dropped(recorded: &[String], is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let ran = KnownMigration::ALL.into_iter().filter(|known| {
        let version = known.version().to_string();
        recorded.contains(&version)
    });
    let tables = ran.flat_map(KnownMigration::drops);
    tables.copied().filter(|table| !is_there(table)).collect()
}

/// What a migration reports that finds no table to drop.
pub const NOTHING_TO_DROP: &str = "there was nothing to drop";

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
            "20000101000011 drop_merged_ci_tags on_request",
            "20000101000012 drop_converted_ci_jobs on_request",
            "20000101000013 drop_previous_import on_request",
        ];
        assert_eq!(told, expected);
    }
}
