//! The commands that go back after an import, for its report: with the target as it was named, without a password.

use crate::cli::arguments::TargetArgs;
use crate::cli::password::without_password;
use crate::ui::shown::shell_word;

/// How a command names the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target(Vec<String>);

/// The commands: what each is for, and the command.
#[must_use]
pub(super) fn commands(target: &Target) -> Vec<(String, String)> {
    let options = target.0.join(" ");
    let command = |name: &str| format!("ci-import {name} {options}").trim_end().to_owned();
    vec![
        (
            "bring back what was replaced".to_owned(),
            command("rollback"),
        ),
        (
            "remove for good what was replaced".to_owned(),
            command("discard"),
        ),
    ]
}

impl Target {
    /// The target that `arguments` name.
    #[must_use]
    pub(super) fn of(arguments: &TargetArgs) -> Target {
        let paths = [
            ("--database-yml", &arguments.database_yml),
            ("--builds-path", &arguments.builds_path),
            ("--private-dir", &arguments.private_dir),
        ];
        let paths = paths.into_iter().filter_map(|(option, path)| {
            let path = path.as_ref()?.to_string_lossy().into_owned();
            Some([option.to_owned(), shell_word(&path)])
        });
        let texts = [
            (
                "--database-url",
                arguments.database_url.as_deref().map(shown_url),
            ),
            ("--environment", arguments.environment.clone()),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(option, text)| Some([option.to_owned(), shell_word(&text?)]));
        Target(texts.chain(paths).flatten().collect())
    }

    /// The database, for people; empty if no option names it, or if its name may hold a password.
    pub(super) fn shown(&self) -> String {
        let named = ["--database-url", "--database-yml", "--private-dir"];
        let pairs = self.0.chunks(2);
        let mut found = pairs.filter(|pair| named.contains(&pair[0].as_str()));
        found
            .next()
            .filter(|pair| pair[1] != NOT_SHOWN)
            .map_or_else(String::new, |pair| {
                let environment = self.0.chunks(2).find(|pair| pair[0] == "--environment");
                let environment = environment.map(|pair| format!(" ({})", pair[1]));
                pair[1].clone() + &environment.unwrap_or_default()
            })
    }
}

/// What stands for a URL that may hold a password.
const NOT_SHOWN: &str = "URL";

/// `url`, or a word for it if it cannot be shown.
fn shown_url(url: &str) -> String {
    without_password(url).unwrap_or_else(|| NOT_SHOWN.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::arguments::Cli;

    #[test]
    fn the_target_is_named_as_it_was_without_a_password() {
        for (options, expected, shown) in [
            (
                "--database-url postgresql://app@db/shop",
                "--database-url postgresql://app@db/shop",
                "postgresql://app@db/shop",
            ),
            (
                "--database-url postgresql://app:s@db:1/shop",
                "--database-url postgresql://app@db:1/shop",
                "postgresql://app@db:1/shop",
            ),
            (
                "--database-url postgresql://db/s?password=s",
                "--database-url URL",
                "",
            ),
            (
                "--private-dir it's",
                "--private-dir 'it'\\''s'",
                "'it'\\''s'",
            ),
            (
                "--database-yml a.yml --environment test",
                "--environment test --database-yml a.yml",
                "a.yml (test)",
            ),
            ("", "", ""),
        ] {
            let line = format!("ci-import a.sql {options}");
            let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
            let target = Target::of(&cli.import.target);
            assert_eq!(target.0.join(" "), expected);
            assert_eq!(target.shown(), shown);
            let rollback = format!("ci-import rollback {expected}");
            assert_eq!(commands(&target)[0].1, rollback.trim_end());
        }
    }
}
