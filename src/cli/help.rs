//! The help: options in groups, the ones that most people need first, and examples for each command.

use clap::{Arg, Command, CommandFactory};

use super::arguments::Cli;

/// The options of the import that `-h` shows.
const SHORT: [&str; 8] = [
    "archive",
    "database_url",
    "builds_path",
    "mysql_to_postgresql",
    "replace",
    "yes",
    "help",
    "version",
];

/// The headings, and the options below each. The others are below "Options".
const GROUPS: [(&str, &[&str]); 4] = [
    (
        "Target",
        &[
            "mysql_to_postgresql",
            "database_url",
            "database_yml",
            "environment",
            "builds_path",
            "private_dir",
            "schema",
            "replace",
            "undistribute",
            "once",
        ],
    ),
    (
        "Archives of GitLab CI",
        &[
            "backup",
            "allow_truncated_traces",
            "allow_no_traces",
            "builds_owner",
            "leave_ci_off",
            "ignore_target_version",
            "secrets",
            "no_space_check",
        ],
    ),
    (
        "Checks and limits",
        &[
            "verify",
            "strict",
            "wait_for_locks",
            "jobs",
            "memory",
            "max_inflation",
        ],
    ),
    (
        "Output",
        &[
            "quiet",
            "json",
            "report",
            "overwrite",
            "progress",
            "verbose",
            "log_format",
            "show_values",
            "config",
        ],
    ),
];

/// What `-h` of another command does not show.
const ONLY_IN_LONG_HELP: [&str; 3] = ["Conversion", "Checks and limits", "Archives of GitLab CI"];

/// The commands, and an example of each.
const EXAMPLES: [(&[&str], &str); 23] = [
    (
        &["backup"],
        "ci-import backup --builds-path gitlab-ci/builds -o /var/backups",
    ),
    (&["info"], "ci-import info --install /home/git/gitlab"),
    (
        &["plan"],
        "ci-import plan BACKUP.tar --mysql-to-postgresql --builds-path DIR",
    ),
    (
        &["convert"],
        "ci-import convert shop.sql.gz -o shop.postgresql.sql.gz",
    ),
    (&["inspect"], "ci-import inspect shop.sql.gz --suggest"),
    (
        &["check"],
        "ci-import check BACKUP.tar --mysql-to-postgresql --builds-path DIR",
    ),
    (
        &["verify"],
        "ci-import verify shop.sql.gz --database-url postgresql://app@db/shop",
    ),
    (
        &["publish"],
        "ci-import publish --database-url postgresql://app@db/shop",
    ),
    (
        &["recover"],
        "ci-import recover --database-url postgresql://app@db/shop",
    ),
    (
        &["rollback"],
        "ci-import rollback --database-url postgresql://app@db/shop",
    ),
    (
        &["discard"],
        "ci-import discard --database-url postgresql://app@db/shop",
    ),
    (
        &["fresh"],
        "ci-import fresh --builds-path /home/git/gitlab/builds",
    ),
    (&["migrate"], "ci-import migrate --skip-post-deployment"),
    (
        &["generate"],
        "ci-import generate post-deployment-migration drop_old_tags",
    ),
    (
        &["secrets", "check"],
        "ci-import secrets check BACKUP.tar --secrets gitlab/config/secrets.yml",
    ),
    (
        &["secrets", "show"],
        "ci-import secrets show --install /home/gitlab_ci/gitlab-ci",
    ),
    (&["private"], "ci-import private psql"),
    (
        &["redirect"],
        "ci-import redirect --ci-fqdn ci.example.com --gitlab-fqdn gitlab.example.com",
    ),
    (
        &["summary"],
        "ci-import summary reports/ --output summary.html",
    ),
    (&["settings"], "ci-import settings > ci-import.toml"),
    (&["explain"], "ci-import explain index-left-out"),
    (
        &["completions"],
        "ci-import completions bash > /etc/bash_completion.d/ci-import",
    ),
    (&["man"], "ci-import man /usr/local/share/man/man1"),
];

/// The command line, with its help.
#[must_use]
pub fn command() -> Command {
    let mut command = in_groups(Cli::command()).mut_args(|arg| {
        let is_short = SHORT.contains(&arg.get_id().as_str());
        arg.hide_short_help(!is_short)
    });
    let names: Vec<String> = command
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(name, of_subcommand);
    }
    for (path, example) in EXAMPLES {
        command = with_example(command, path, example);
    }
    command
}

fn with_example(command: Command, path: &[&str], example: &str) -> Command {
    let [first, rest @ ..] = path else {
        return command.after_help(format!("Example:\n  {example}"));
    };
    command.mut_subcommand(first, |inner| with_example(inner, rest, example))
}

fn of_subcommand(command: Command) -> Command {
    let command = in_groups(command);
    command.mut_args(|arg| {
        let heading = arg.get_help_heading().unwrap_or_default();
        let is_long = ONLY_IN_LONG_HELP.contains(&heading);
        arg.hide_short_help(is_long)
    })
}

/// `command` with its options below their headings.
fn in_groups(command: Command) -> Command {
    command.mut_args(|arg| match heading_of(&arg) {
        Some(heading) => arg.help_heading(heading),
        None => arg,
    })
}

fn heading_of(arg: &Arg) -> Option<&'static str> {
    let id = arg.get_id().as_str();
    let mut groups = GROUPS.iter();
    groups
        .find(|(_, ids)| ids.contains(&id))
        .map(|(heading, _)| *heading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Change;

    #[test]
    fn the_groups_name_options_that_exist() {
        let command = Cli::command();
        let known: Vec<&str> = command
            .get_arguments()
            .map(|it| it.get_id().as_str())
            .collect();
        let named = GROUPS.iter().flat_map(|(_, ids)| ids.iter()).chain(&SHORT);
        for id in named.filter(|id| !["help", "version"].contains(*id)) {
            assert!(known.contains(id), "{id}");
        }
    }

    #[test]
    fn each_command_has_an_example_that_is_understood() {
        let command = command();
        for subcommand in command.get_subcommands() {
            let name = subcommand.get_name();
            let mut examples = EXAMPLES.iter();
            assert!(examples.any(|(path, _)| path[0] == name), "{name}");
        }
        // At 80 columns, each is on a line of its own.
        let mut helps = command.clone().term_width(80);
        let helps = [helps.render_help(), helps.render_long_help()].map(|help| help.to_string());
        let lines = helps.iter().flat_map(|help| help.lines());
        let examples = lines.filter_map(|line| line.strip_prefix("  "));
        // What is before a pipe is another program.
        let examples = examples.map(|line| line.rsplit(" | ").next().unwrap_or(line));
        let examples: Vec<&str> = examples.filter(|it| it.starts_with("ci-import ")).collect();
        assert_eq!(examples.len(), 5, "{examples:?}");
        for example in examples {
            let parsed = command.clone().try_get_matches_from(example.split(' '));
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
        for (path, example) in EXAMPLES {
            let line = example.split(" > ").next().unwrap_or(example);
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(&words[1..=path.len()], path);
            assert!(example.len() <= 78, "{example}");
            let parsed = command.clone().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn what_decides_about_a_change_is_an_option() {
        let all = [
            Change::ZeroDateToNull,
            Change::ZeroDateToInfinity,
            Change::InvalidDateToNull,
            Change::NulStripped,
            Change::NulReplaced,
            Change::InvalidReplaced,
            Change::InvalidAsLatin1,
            Change::NumberToTrue,
            Change::OutsideDay,
        ];
        for change in all {
            let policy = change.policy().unwrap();
            let words = ["ci-import", "a.sql"].into_iter().chain(policy.split(' '));
            let parsed = command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{policy}: {}", parsed.unwrap_err());
            assert!(change.found().contains(policy.split(' ').next().unwrap()));
        }
    }

    #[test]
    fn the_short_help_fits_on_a_screen() {
        let mut command = command().term_width(100);
        let help = command.render_help().to_string();
        let lines = help.lines().count();
        assert!(lines <= 50, "{lines} lines:\n{help}");
        assert!(!help.contains("--zero-dates"), "{help}");
        let help = command.render_long_help().to_string();
        assert!(
            help.contains("--zero-dates") && help.contains("Exit codes:"),
            "{help}"
        );
    }
}
