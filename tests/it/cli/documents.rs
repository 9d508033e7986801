//! What a shell, `man` and a person at a terminal see of the command line.

use std::fs;
use std::process::Command;

use crate::support::program::{command, run};
use crate::support::servers::expect_success;

#[test]
fn the_short_help_has_what_most_people_need() {
    let mut short = run(command(["-h"])).succeeds();
    for line in [
        "Commands:",
        "--database-url <URL>",
        "--mysql-to-postgresql",
        "ci-import --help",
    ] {
        short = short.reports(line);
    }
    for name in ["--zero-dates", "--allow-no-traces", "Exit codes"] {
        assert!(!short.stdout.contains(name), "{name}: {}", short.stdout);
    }
    let long = run(command(["--help"])).succeeds();
    for name in [
        "--zero-dates",
        "--allow-no-traces",
        "Exit codes:",
        "Target:",
        "Archives of GitLab CI:",
    ] {
        assert!(long.stdout.contains(name), "{name}: {}", long.stdout);
    }
    run(command(["verify", "-h"]))
        .succeeds()
        .reports("Example:")
        .reports("ci-import verify shop.sql.gz --database-url postgresql://app@db/shop");
}

#[test]
fn codes_are_explained() {
    run(command(["explain", "index-left-out"]))
        .succeeds()
        .reports("An index was left out.")
        .reports("may be slower");
    let list = run(command(["explain"])).succeeds().stdout;
    assert!(
        list.contains("zero-date\n    A date or time with a zero"),
        "{list}"
    );
    run(command(["explain", "index-leftout"]))
        .exits(2)
        .says("there is no code index-leftout")
        .says("hint: perhaps index-left-out is meant");
    run(command(["explain", "?"]))
        .exits(2)
        .says("there is no code ?")
        .says("hint: ci-import explain lists all codes");
}

#[test]
fn the_version_says_for_which_system_it_was_built() {
    let version = run(command(["--version"])).succeeds().stdout;
    let expected = format!("ci-import {} (", env!("CARGO_PKG_VERSION"));
    assert!(
        version.starts_with(&expected) && version.contains("linux"),
        "{version}"
    );
}

#[test]
fn bash_completes_commands_and_options() {
    let script = run(command(["completions", "bash"])).succeeds().stdout;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ci-import");
    fs::write(&file, &script).unwrap();
    let complete = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let told = expect_success(
            &Command::new("bash")
                .arg("-c")
                .arg(format!(
                    ". {}; COMP_WORDS=({}); COMP_CWORD={}; COMPREPLY=(); \
                     $(complete -p ci-import | sed 's/.* -F //; s/ .*//') ci-import '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
                    file.display(),
                    words.join(" "),
                    words.len() - 1,
                    words[words.len() - 1],
                    words[words.len() - 2],
                ))
                .output()
                .unwrap(),
        );
        String::from_utf8(told).unwrap().trim().to_owned()
    };
    assert_eq!(complete("ci-import roll"), "rollback");
    assert_eq!(complete("ci-import verify --builds-p"), "--builds-path");
    assert_eq!(complete("ci-import inspect --sug"), "--suggest");
    for shell in ["zsh", "fish"] {
        run(command(["completions", shell]))
            .succeeds()
            .reports("mysql-to-postgresql");
    }
    run(command(["completions", "sh"]))
        .exits(2)
        .says("possible values");
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    run(command(["man", pages.to_str().unwrap()])).succeeds();
    let mut names: Vec<String> = fs::read_dir(&pages)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    for name in [
        "ci-import.1",
        "ci-import-verify.1",
        "ci-import-secrets-check.1",
        "ci-import-man.1",
    ] {
        assert!(names.iter().any(|it| it == name), "{name} in {names:?}");
    }
    let page = fs::read_to_string(pages.join("ci-import-verify.1")).unwrap();
    assert!(
        page.contains(".TH") && page.contains("builds\\-path"),
        "{page}"
    );
    let main = run(command(["man"])).succeeds().stdout;
    assert_eq!(main, fs::read_to_string(pages.join("ci-import.1")).unwrap());
}
