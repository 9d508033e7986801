use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::cli::help;
use crate::error::codes::Code;

/// What is added to the words of `line`, with these variables.
fn added(line: &str, variables: &[(&str, &str)]) -> Result<Vec<String>> {
    let typed: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    let variables: Vec<(String, String)> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let all = configured(&help::command(), typed.clone(), &variables)?;
    let arguments = all.arguments.iter();
    let new = arguments.filter(|argument| !typed.contains(argument));
    Ok(new.map(|it| it.to_string_lossy().into_owned()).collect())
}

#[test]
fn what_is_typed_wins_over_the_environment() {
    let variables = [
        ("CI_IMPORT_JOBS", "3"),
        ("CI_IMPORT_STRICT", "yes"),
        ("CI_IMPORT_REPLACE", "no"),
        ("CI_IMPORT_MEMORY", ""),
        ("CI_IMPORT_SKIP_TABLE", "a, b"),
        ("CI_IMPORT_DATABASE_YML", "x.yml"),
        ("CI_IMPORT_ENVIRONMENT", "test"),
    ];
    let expected = [
        "--database-yml=x.yml",
        "--environment=test",
        "--jobs=3",
        "--skip-table=a",
        "--skip-table=b",
        "--strict",
    ];
    let sorted = |line: &str| {
        let mut found = added(line, &variables).unwrap();
        found.sort();
        found
    };
    assert_eq!(sorted("ci-import a.sql"), expected);
    // A URL excludes the file, and what is about the file says nothing then.
    let with_url = "ci-import a.sql --jobs 2 --database-url postgresql://h/d";
    assert_eq!(sorted(with_url), expected[3..]);
    assert_eq!(sorted("ci-import inspect a.sql"), Vec::<String>::new());
    assert_eq!(sorted("ci-import"), Vec::<String>::new());
    assert_eq!(sorted("ci-import completions bash"), Vec::<String>::new());
    let wrong = added("ci-import a.sql", &[("CI_IMPORT_STRICT", "perhaps")]);
    assert!(wrong.unwrap_err().to_string().contains("CI_IMPORT_STRICT"));
}

#[test]
fn the_table_of_a_command_wins_in_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "jobs = 2\nstrict = true\nskip-table = [\"a\"]\n[verify]\njobs = 1\n[secrets.check]\nmemory = 64\n").unwrap();
    let name = file.path().display();
    let of = |command: &str| {
        added(
            &format!("ci-import {command} --config {name}"),
            &[("CI_IMPORT_MEMORY", "32")],
        )
        .unwrap()
    };
    let mut import = of("a.sql");
    import.sort();
    assert_eq!(
        import,
        ["--jobs=2", "--memory=32", "--skip-table=a", "--strict"]
    );
    let mut verify = of("verify a.sql");
    verify.sort();
    assert_eq!(verify, ["--jobs=1", "--memory=32", "--skip-table=a"]);
    let quick = added(
        "ci-import a.sql --jobs 7",
        &[("CI_IMPORT_CONFIG", &name.to_string())],
    )
    .unwrap();
    assert!(
        !quick.iter().any(|it| it.starts_with("--jobs=")),
        "{quick:?}"
    );
}

#[test]
fn what_is_no_option_is_refused() {
    for (text, says) in [
        ("job = 2", "job in "),
        ("[verfy]\njobs = 2", "verfy in "),
        ("[verify]\nstrict = true", "verify.strict in "),
        ("jobs = [2]", "jobs in "),
        ("strict = 1", "strict in "),
        ("config = \"x\"", "config in "),
        ("jobs == 2", "line 1"),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, text).unwrap();
        let name = file.path().display();
        let error = added(&format!("ci-import a.sql --config {name}"), &[]).unwrap_err();
        assert!(error.to_string().contains(says), "{text}: {error}");
        assert_eq!(error.kind().exit_code(), 2);
    }
}

#[test]
fn variables_that_are_nearly_right_are_found() {
    let variables = [("CI_IMPORT_JOB", "2"), ("CI_IMPORT_PROGRAM", "x")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let typed = vec!["ci-import".into(), "a.sql".into()];
    let found = configured(&help::command(), typed, &variables).unwrap();
    let expected = "CI_IMPORT_JOB of the environment is not read; perhaps CI_IMPORT_JOBS is meant";
    assert_eq!(
        found.warnings,
        [(Code::VariableNotRead, expected.to_owned())]
    );
}

#[test]
fn a_file_that_is_not_the_users_alone() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let with_mode = |mode: u32, url: &str| {
        fs::write(&file, format!("database-url = \"{url}\"\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let name = file.path().display();
        let typed = format!("ci-import a.sql --config {name}");
        let typed = typed.split(' ').map(OsString::from).collect();
        configured(&help::command(), typed, &[])
    };
    let (open, secret) = ("postgresql://h/d", "postgresql://u:s@h/d");
    assert!(with_mode(0o644, open).unwrap().warnings.is_empty());
    assert!(with_mode(0o600, secret).unwrap().warnings.is_empty());
    let warnings = with_mode(0o644, secret).unwrap().warnings;
    assert!(
        warnings.len() == 1 && warnings[0].1.contains("has a password"),
        "{warnings:?}"
    );
    let refused = with_mode(0o666, open).unwrap_err();
    assert!(
        refused.to_string().contains("everybody may write to"),
        "{refused}"
    );
}

#[test]
fn only_the_password_of_a_url_is_left_out_of_the_list() {
    let variables = [
        ("CI_IMPORT_DATABASE_URL", "postgresql://u:s@h/d"),
        ("CI_IMPORT_SKIP_COLUMN", "users.password"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let list = listed(&help::command(), &[], None, &variables).unwrap();
    for line in [
        "database-url = \"postgresql://u@h/d\"  # CI_IMPORT_DATABASE_URL of the environment; its password is not shown",
        "skip-column = [\"users.password\"]  # CI_IMPORT_SKIP_COLUMN of the environment\n",
    ] {
        assert!(list.contains(line), "{line}: {list}");
    }
}
