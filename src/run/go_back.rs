//! The commands that go back after an import, for its report: with the target as it was named, without a password.

use crate::cli::arguments::TargetArgs;

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
            Some([option.to_owned(), quoted(&path)])
        });
        let texts = [
            (
                "--database-url",
                arguments.database_url.as_deref().map(without_password),
            ),
            ("--environment", arguments.environment.clone()),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(option, text)| Some([option.to_owned(), quoted(&text?)]));
        Target(texts.chain(paths).flatten().collect())
    }

    /// The database, for people; empty if no option names it.
    pub(super) fn shown(&self) -> String {
        let named = ["--database-url", "--database-yml", "--private-dir"];
        let pairs = self.0.chunks(2);
        let mut found = pairs.filter(|pair| named.contains(&pair[0].as_str()));
        found
            .next()
            .map_or_else(String::new, |pair| pair[1].clone())
    }
}

/// `url` without its password. If it may have one somewhere else, it is not shown.
fn without_password(url: &str) -> String {
    let hidden = || "URL".to_owned();
    if url.to_ascii_lowercase().contains("password") {
        return hidden();
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        // It may be a part of the password.
        _ if path.contains('@') => hidden(),
        None => url.to_owned(),
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}{path}")
        }
    }
}

/// `text` as a word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::arguments::Cli;

    #[test]
    fn the_target_is_named_as_it_was_without_a_password() {
        for (options, expected) in [
            (
                "--database-url postgresql://app@db/shop",
                "--database-url postgresql://app@db/shop",
            ),
            (
                "--database-url postgresql://app:s@db:1/shop",
                "--database-url postgresql://app@db:1/shop",
            ),
            (
                "--database-url mysql://a:s@[::1]/s?ssl-mode=x",
                "--database-url 'mysql://a@[::1]/s?ssl-mode=x'",
            ),
            (
                "--database-url postgresql://db/s?password=s",
                "--database-url URL",
            ),
            (
                "--database-url postgresql://a:s/x@db/s",
                "--database-url URL",
            ),
            ("--private-dir it's", "--private-dir 'it'\\''s'"),
            (
                "--database-yml a.yml --environment test",
                "--environment test --database-yml a.yml",
            ),
            ("", ""),
        ] {
            let line = format!("ci-import a.sql {options}");
            let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
            let target = Target::of(&cli.import.target);
            assert_eq!(target.0.join(" "), expected);
            let rollback = format!("ci-import rollback {expected}");
            assert_eq!(commands(&target)[0].1, rollback.trim_end());
        }
    }
}
