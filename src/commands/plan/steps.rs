//! The steps of a move, in the manual's order.

use super::addresses::Addresses;
use super::state::State;
use crate::commands::redirect::sites::Front;
use crate::error::Result;
use crate::gitlab::installation::Layout;
use crate::ui::numbers::age_of;

/// Whether a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    /// It is seen that it is done.
    Done,
    /// It is seen that it is not done.
    Open,
    /// It cannot be seen from here.
    Unknown,
}

/// A step.
#[derive(Debug)]
pub(super) struct Step {
    /// The server on which it is done.
    pub(super) server: &'static str,
    pub(super) title: &'static str,
    pub(super) commands: Vec<String>,
    pub(super) changes: &'static str,
    pub(super) undone_by: String,
    pub(super) time: String,
    pub(super) tick: Tick,
    /// What was seen.
    pub(super) seen: String,
}

/// What the commands are made of.
pub(super) struct Words {
    pub(super) layout: Layout,
    pub(super) archive: Option<String>,
    /// The options that name the target.
    pub(super) target: String,
    pub(super) builds: String,
    pub(super) mysql_to_postgresql: bool,
    /// The addresses of both, if they are named.
    pub(super) addresses: Option<Addresses>,
}

const GITLAB: &str = "GitLab server";
const CI: &str = "CI server";

fn tick(is_done: Option<bool>) -> Tick {
    match is_done {
        Some(true) => Tick::Done,
        Some(false) => Tick::Open,
        None => Tick::Unknown,
    }
}

impl Words {
    fn of(&self, omnibus: &str, source: &str) -> String {
        match self.layout {
            Layout::Omnibus => omnibus,
            Layout::Source => source,
        }
        .to_owned()
    }

    fn archive(&self) -> String {
        self.archive
            .clone()
            .unwrap_or_else(|| "EPOCH_gitlab_ci_backup.tar".to_owned())
    }

    /// A command of ours with the archive and the target.
    fn ours(&self, command: &str, more: &str) -> String {
        let convert = if self.mysql_to_postgresql {
            " --mysql-to-postgresql"
        } else {
            ""
        };
        let command = if command.is_empty() {
            String::new()
        } else {
            format!(" {command}")
        };
        format!(
            "ci-import{command} {}{convert} {} --builds-path {}{more}",
            self.archive(),
            self.target,
            self.builds
        )
    }

    /// The commands that make the redirect.
    fn redirect(&self) -> Vec<String> {
        let (ci, gitlab) = match &self.addresses {
            Some(addresses) => (addresses.ci.as_str(), addresses.gitlab.as_str()),
            None => ("http://ci.example.com", "https://gitlab.example.com"),
        };
        let name = |url: &str| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            rest.trim_end_matches('/').to_owned()
        };
        // The configuration is for the name; ports are options of their own.
        let ci_name = name(ci).split(':').next().unwrap_or_default().to_owned();
        let scheme = if gitlab.starts_with("http://") {
            " --gitlab-scheme http"
        } else {
            ""
        };
        vec![
            format!(
                "ci-import redirect --ci-fqdn {ci_name} --gitlab-fqdn {}{scheme}",
                name(gitlab)
            ),
            "sudo nginx -t && sudo service nginx restart".to_owned(),
            format!("ci-import redirect check --ci-url {ci} --gitlab-url {gitlab}"),
        ]
    }

    /// A command of ours with the target alone.
    fn of_target(&self, command: &str) -> String {
        format!(
            "ci-import {command} {} --builds-path {}",
            self.target, self.builds
        )
    }
}

/// The steps.
pub(super) fn steps(words: &Words, state: &State) -> Vec<Step> {
    let mut steps = before(words, state);
    steps.extend(move_data(words, state));
    steps.extend(afterwards(words, state));
    steps
}

/// What comes before the data are moved.
fn before(words: &Words, state: &State) -> Vec<Step> {
    let imported = state.is_imported() == Some(true);
    let database = match &state.about {
        Ok(about) => format!("{}, {}", about.server, about.encoding),
        Err(error) => error.to_string(),
    };
    let backup = state.backup.as_ref().map_or_else(
        || "no backup of GitLab is seen here".to_owned(),
        |backup| format!("the newest backup is {} old", age_of(backup.age())),
    );
    let switch = match state.ci_enabled() {
        Some(true) => "CI is on",
        Some(false) => "CI is off",
        None => "not seen",
    };
    vec![
        Step {
            server: GITLAB,
            title: "Back up GitLab",
            commands: vec![words.of(
                "sudo gitlab-rake gitlab:backup:create SKIP=repositories,uploads",
                "sudo -u git -H bundle exec rake gitlab:backup:create RAILS_ENV=production SKIP=repositories,uploads",
            )],
            changes: "nothing",
            undone_by: "-".to_owned(),
            time: "minutes".to_owned(),
            tick: tick(state.has_backup()),
            seen: backup,
        },
        Step {
            server: GITLAB,
            title: "Upgrade GitLab to 8.0",
            commands: vec!["https://about.gitlab.com/update/".to_owned()],
            changes: "GitLab and its database",
            undone_by: "the backup of the step before".to_owned(),
            time: "minutes to hours; GitLab is down".to_owned(),
            tick: tick(state.is_8_0()),
            seen: database,
        },
        Step {
            server: GITLAB,
            title: "Switch CI off in GitLab (Admin Area, Settings, Continuous Integration)",
            commands: Vec::new(),
            changes: "application_settings.ci_enabled",
            undone_by: "the import switches it on".to_owned(),
            time: "a minute".to_owned(),
            tick: tick(state.ci_enabled().map(|enabled| !enabled || imported)),
            seen: switch.to_owned(),
        },
        Step {
            server: CI,
            title: "Upgrade GitLab CI to 8.0, and stop it",
            commands: vec![
                "sudo gitlab-ctl stop ci-unicorn && sudo gitlab-ctl stop ci-sidekiq".to_owned(),
                "of an installation from source: sudo service gitlab_ci stop, and in /home/gitlab_ci/gitlab-ci: sudo -u \
                 gitlab_ci -H bundle exec whenever --clear-crontab RAILS_ENV=production"
                    .to_owned(),
            ],
            changes: "nobody can use CI until the end",
            undone_by: "start it again".to_owned(),
            time: "minutes".to_owned(),
            tick: tick(state.is_ci_stopped()),
            seen: match state.front() {
                None => String::new(),
                Some(Front::Redirected) => "its address leads to the GitLab".to_owned(),
                Some(Front::Stopped(status)) => format!("its address answers {status}"),
                Some(Front::Runs(status)) => format!("it runs: its address answers {status}"),
                Some(Front::Silent(cause)) => format!("its address does not answer: {cause}"),
            },
        },
    ]
}

/// The key, the archive and the import.
fn move_data(words: &Words, state: &State) -> Vec<Step> {
    let (archive, seen, time) = match &state.archive {
        None => (Tick::Open, "no archive is named".to_owned(), None),
        // What happens there from now on is not in the archive.
        Some(Ok(archive)) if state.is_ci_stopped() == Some(false) => {
            let seen = format!("{}; make it again when CI is stopped", archive.what);
            (Tick::Open, seen, archive.time.clone())
        }
        Some(Ok(archive)) => (Tick::Done, archive.what.clone(), archive.time.clone()),
        Some(Err(error)) => (Tick::Open, error.to_string(), None),
    };
    let time = time.unwrap_or_else(|| "minutes".to_owned());
    let imported = state.is_imported();
    let secrets = words.of(
        "/etc/gitlab/gitlab-secrets.json",
        "/home/git/gitlab/config/secrets.yml",
    );
    let chown = format!("sudo chown git:git {}", words.builds);
    vec![
        Step {
            server: CI,
            title: "Make the archive",
            commands: vec![
                "ci-import backup --database-yml /home/gitlab_ci/gitlab-ci/config/database.yml --builds-path \
                 /home/gitlab_ci/gitlab-ci/builds -o ."
                    .to_owned(),
                "of an Omnibus package: --database-yml /var/opt/gitlab/gitlab-ci/etc/database.yml --builds-path \
                 /var/opt/gitlab/gitlab-ci/builds"
                    .to_owned(),
            ],
            changes: "nothing",
            undone_by: "remove the archive".to_owned(),
            time: time.clone(),
            tick: archive,
            seen,
        },
        Step {
            server: CI,
            title: "Move the key, and see that it is the right one",
            commands: vec![
                "ci-import secrets show --install /home/gitlab_ci/gitlab-ci".to_owned(),
                format!("on the GitLab server: ci-import secrets check {} --secrets {secrets}", words.archive()),
            ],
            changes: "GitLab's key",
            undone_by: "put the old key back".to_owned(),
            time: "minutes".to_owned(),
            tick: tick(state.key.as_ref().map(Result::is_ok)),
            seen: match &state.key {
                None => String::new(),
                Some(Ok(seen)) => seen.clone(),
                Some(Err(error)) => error.to_string(),
            },
        },
        Step {
            server: GITLAB,
            title: "Check what the import needs",
            commands: vec![chown, words.ours("check", "")],
            changes: "nothing",
            undone_by: "-".to_owned(),
            time: "seconds".to_owned(),
            tick: if imported == Some(true) { Tick::Done } else { Tick::Unknown },
            seen: String::new(),
        },
        Step {
            server: GITLAB,
            title: "Import",
            commands: vec![words.ours("", "")],
            changes: "the 15 tables of CI, tags, taggings, the builds directory; CI is switched on",
            undone_by: words.of_target("rollback"),
            time,
            tick: tick(imported),
            seen: match &state.about {
                Ok(about) => about.builds.map_or_else(
                    || "GitLab has no table of builds".to_owned(),
                    |builds| format!("GitLab has {builds} builds"),
                ),
                Err(_) => String::new(),
            },
        },
    ]
}

/// What comes after the import.
fn afterwards(words: &Words, state: &State) -> Vec<Step> {
    let imported = state.is_imported() == Some(true);
    vec![
        Step {
            server: GITLAB,
            title: "Restart GitLab",
            commands: vec![words.of(
                "sudo gitlab-ctl hup unicorn && sudo gitlab-ctl restart sidekiq",
                "sudo service gitlab reload",
            )],
            changes: "nothing",
            undone_by: "-".to_owned(),
            time: "a minute".to_owned(),
            tick: Tick::Unknown,
            seen: String::new(),
        },
        Step {
            server: GITLAB,
            title: "Compare, before anybody uses CI",
            commands: vec![words.ours("verify", "")],
            changes: "nothing",
            undone_by: "-".to_owned(),
            time: "as long as the import".to_owned(),
            tick: Tick::Unknown,
            seen: String::new(),
        },
        Step {
            server: CI,
            title: "Redirect the old address",
            commands: words.redirect(),
            changes: "the configuration of nginx",
            undone_by: "put the old configuration back".to_owned(),
            time: "minutes".to_owned(),
            tick: tick(state.is_redirected()),
            seen: match state.address.as_ref().map(|seen| (seen, &seen.front)) {
                Some((seen, Front::Redirected)) => match &seen.trouble {
                    None => "runners, triggers and pages arrive at the GitLab".to_owned(),
                    Some(trouble) => trouble.clone(),
                },
                _ => String::new(),
            },
        },
        Step {
            server: GITLAB,
            title: "Some days later: remove what is kept for a rollback",
            commands: vec![words.of_target("discard")],
            changes: "the replaced tables and traces are gone",
            undone_by: "nothing".to_owned(),
            time: "a minute".to_owned(),
            tick: tick(state.has_previous().filter(|_| imported).map(|has| !has)),
            seen: String::new(),
        },
    ]
}
