//! `ci-import info`: tells what a server is, before a move. Changes nothing.

mod place;

use serde_json::{Value, json};

use place::Place;

use crate::cli::arguments::InfoArgs;
use crate::error::{Error, Result};
use crate::gitlab::installation::{
    FoundArchive, Installation, Layout, Product, find, newest_archive,
};
use crate::server::{About, Target};
use crate::ui::numbers::{age_of, grouped};
use crate::ui::shown::write_line;

/// The environment of a database.yml.
const ENVIRONMENT: &str = "production";

/// What the archives of GitLab and of GitLab CI are called behind the time.
const ARCHIVES: [&str; 2] = ["_gitlab_backup.tar", "_gitlab_ci_backup.tar"];

/// What was found.
#[derive(Debug)]
pub struct Found(Vec<Seen>);

/// An installation, and what is known about it.
#[derive(Debug)]
struct Seen {
    installation: Installation,
    is_mysql: Option<bool>,
    about: Result<About>,
    builds: Option<Place>,
    backups: Vec<FoundArchive>,
}

/// Looks at the installations of this machine.
pub fn run(arguments: &InfoArgs) -> Result<Found> {
    let found = find(&arguments.root, arguments.install.as_deref());
    if found.is_empty() {
        let error = Error::usage("no GitLab and no GitLab CI is here");
        return Err(error.hint("--install names the directory of one: /home/gitlab_ci/gitlab-ci"));
    }
    let seen = found.into_iter().map(Seen::of);
    Ok(Found(seen.collect()))
}

impl Seen {
    fn of(installation: Installation) -> Seen {
        let variable = |name: &str| std::env::var(name).ok();
        let target = Target::from_database_yml(&installation.database_yml, ENVIRONMENT, variable);
        let is_mysql = target.as_ref().ok().map(Target::is_mysql);
        let about = target.and_then(|target| target.about());
        let archives = ARCHIVES.iter();
        Seen {
            is_mysql,
            about,
            builds: Place::at(&installation.builds),
            backups: archives
                .filter_map(|suffix| newest_archive(&installation.backups, suffix))
                .collect(),
            installation,
        }
    }

    fn name(&self) -> &'static str {
        match self.installation.product {
            Product::Gitlab => "GitLab",
            Product::GitlabCi => "GitLab CI",
        }
    }

    fn layout(&self) -> &'static str {
        match self.installation.layout {
            Layout::Source => "from source",
            Layout::Omnibus => "of an Omnibus package",
        }
    }

    /// Which row of the manual's matrix applies.
    fn matrix(&self) -> Option<&'static str> {
        Some(match (self.installation.product, self.is_mysql?) {
            (Product::GitlabCi, true) => {
                "a GitLab on MySQL takes its data as they are, one on PostgreSQL with --mysql-to-postgresql"
            }
            (Product::GitlabCi, false) => {
                "a GitLab on PostgreSQL takes its data as they are; one on MySQL cannot take them"
            }
            (Product::Gitlab, true) => {
                "it takes the data of a GitLab CI on MySQL as they are; those of one on PostgreSQL cannot be moved here"
            }
            (Product::Gitlab, false) => {
                "it takes the data of a GitLab CI on PostgreSQL as they are, those of one on MySQL with --mysql-to-postgresql"
            }
        })
    }

    /// What is in the way of a move, as far as it is seen.
    fn obstacles(&self) -> Vec<String> {
        let mut obstacles = Vec::new();
        let version = self.installation.version.as_deref().unwrap_or_default();
        let is_8_0 = version == "8.0" || version.starts_with("8.0.");
        if !is_8_0 {
            obstacles.push(format!("it must be upgraded to 8.0 first; it is {version}"));
        }
        if self.builds.is_none() {
            obstacles.push("its builds directory does not exist".to_owned());
        }
        let ci_enabled = self.about.as_ref().ok().and_then(|about| about.ci_enabled);
        if self.installation.product == Product::Gitlab && is_8_0 && ci_enabled == Some(true) {
            obstacles.push("CI should be switched off until its data are imported".to_owned());
        }
        obstacles
    }

    /// What `ci-import` needs here.
    fn needs(&self) -> &'static str {
        match self.installation.product {
            Product::GitlabCi => {
                "ci-import backup: read the builds directory, so run it as root or as the directory's owner; SELECT on all \
                 tables; room for the archive"
            }
            Product::Gitlab => {
                "an import: own the tables and create schemas in the database; write beside the builds directory, so run it \
                 as root or as git; room for tables and traces a second time"
            }
        }
    }

    fn write(&self, text: &mut String) {
        let installation = &self.installation;
        let version = installation
            .version
            .as_deref()
            .unwrap_or("of an unknown version");
        let _ = write_line!(
            text,
            "{} {version}, {}, in {}",
            self.name(),
            self.layout(),
            installation.directory.display()
        );
        match &self.about {
            Ok(about) => {
                let _ = write_line!(text, "  database  {}, {}", about.server, about.encoding);
                if let Some(migration) = &about.migration {
                    let _ = write_line!(text, "  migrated  to {migration}");
                }
                if let Some(builds) = about.builds {
                    let _ = write_line!(text, "  CI        {} builds", grouped(builds));
                }
                if let Some(enabled) = about.ci_enabled {
                    let state = if enabled { "on" } else { "off" };
                    let _ = write_line!(text, "  switch    CI is {state}");
                }
                if about.has_previous {
                    let _ = write_line!(
                        text,
                        "  imported  ci-import keeps what an import has replaced"
                    );
                }
            }
            Err(error) => {
                let _ = write_line!(text, "  database  {error}");
            }
        }
        let builds = match &self.builds {
            Some(place) => place.told(),
            None => "does not exist".to_owned(),
        };
        let _ = write_line!(text, "  builds    {}", installation.builds.display());
        let _ = write_line!(text, "            {builds}");
        let _ = write_line!(text, "  backups   {}", installation.backups.display());
        if self.backups.is_empty() {
            let _ = write_line!(text, "            none");
        }
        for archive in &self.backups {
            let _ = write_line!(
                text,
                "            {}, {} bytes, {} old",
                archive.name,
                grouped(archive.bytes),
                age_of(archive.age())
            );
        }
        if let Some(matrix) = self.matrix() {
            let _ = write_line!(text, "  move      {matrix}");
        }
        let _ = write_line!(text, "  needs     {}", self.needs());
        for obstacle in self.obstacles() {
            let _ = write_line!(text, "  to do     {obstacle}");
        }
    }

    fn to_json(&self) -> Value {
        let about = self.about.as_ref().ok();
        let backups: Vec<Value> = self
            .backups
            .iter()
            .map(|archive| json!({"name": archive.name, "made": archive.made, "bytes": archive.bytes}))
            .collect();
        json!({
            "product": match self.installation.product {
                Product::Gitlab => "gitlab",
                Product::GitlabCi => "gitlab-ci",
            },
            "layout": match self.installation.layout {
                Layout::Source => "source",
                Layout::Omnibus => "omnibus",
            },
            "directory": self.installation.directory,
            "version": self.installation.version,
            "adapter": self.is_mysql.map(|is_mysql| if is_mysql { "mysql" } else { "postgresql" }),
            "server": about.map(|about| &about.server),
            "encoding": about.map(|about| &about.encoding),
            "migration": about.and_then(|about| about.migration.as_ref()),
            "builds": about.and_then(|about| about.builds),
            "ci_enabled": about.and_then(|about| about.ci_enabled),
            "has_previous": about.map(|about| about.has_previous),
            "database_error": self.about.as_ref().err().map(ToString::to_string),
            "builds_path": self.installation.builds,
            "builds_directory": self.builds.as_ref().map(Place::to_json),
            "backups_path": self.installation.backups,
            "newest_backups": backups,
            "matrix": self.matrix(),
            "needs": self.needs(),
            "to_do": self.obstacles(),
        })
    }
}

impl Found {
    /// As text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (number, seen) in self.0.iter().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            seen.write(&mut text);
        }
        text
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"installations": self.0.iter().map(Seen::to_json).collect::<Vec<_>>()})
    }
}
