//! The README says what is true: its commands run, its options are those of the help, its exit
//! codes those of the program.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::archives::gzip;
use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{command, program, project, run};
use crate::support::scene::{
    Dialect, Scene, fixture_database, fixture_dump, make_traces, mysqldump,
};
use crate::support::servers::{expect_success, mariadb, postgresql_url};

fn readme() -> String {
    fs::read_to_string(project().join("README.md")).unwrap()
}

/// What there is to be done in the README.
enum Step {
    /// A line of a shell block.
    Command(String),
    /// A block of SQL: what belongs into the file that was generated last.
    Sql(String),
}

/// The steps, in order.
fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    // Every second piece is in a block.
    for block in readme().split("```").skip(1).step_by(2) {
        if let Some(lines) = block.strip_prefix("sh\n") {
            steps.extend(lines.lines().map(|line| Step::Command(line.to_owned())));
        } else if let Some(sql) = block.strip_prefix("sql\n") {
            steps.push(Step::Sql(sql.to_owned()));
        }
    }
    steps
}

/// `scripts/test` runs itself and the demo, and builds other than releases; all others are run here, as
/// they stand: in a directory with such an archive, with `ssh` to a machine that is this one, and with a
/// private directory and a builds directory of the test's.
#[test]
fn its_commands_run() {
    let scene = Scene::gitlab();
    let mysql = MysqlScene::gitlab();
    let in_mysql = mysql.stage();
    fs::set_permissions(scene.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    scene.pack(&fixture_dump(Dialect::Native));
    fs::write(
        scene.path("shop.sql.gz"),
        gzip(&fixture_dump(Dialect::Native)),
    )
    .unwrap();
    let schema = mysqldump(fixture_database(), &["--no-data"]);
    let data = mysqldump(fixture_database(), &["--no-create-info"]);
    fs::write(scene.path("shop_schema.sql"), schema).unwrap();
    fs::write(scene.path("shop_data.sql.gz"), gzip(&data)).unwrap();
    let backups = scene.path("backups");
    fs::create_dir(&backups).unwrap();
    for epoch in ["1443700800", "1443704400"] {
        let name = format!("{epoch}_gitlab_ci_backup.tar");
        let packed = scene.path("1443700800_gitlab_ci_backup.tar");
        fs::copy(packed, backups.join(name)).unwrap();
    }
    let key = "production:\n  db_key_base: the key of the fixtures\n";
    let config = scene.path("gitlab/config");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("secrets.yml"), key).unwrap();
    fs::write(scene.path("secrets.yml"), key).unwrap();
    let database_yml = format!(
        "production:\n  adapter: postgresql\n  url: {}\n",
        scene.url()
    );
    fs::write(config.join("database.yml"), database_yml).unwrap();
    let programs = scene.path("bin");
    fs::create_dir(&programs).unwrap();
    let script = |name: &str, text: &str| {
        let path = programs.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let (real, private) = (program(), scene.path("private"));
    script(
        "ci-import",
        &format!(
            "if [ \"$1\" = private ]; then shift; set -- private --private-dir '{1}' \"$@\"
             elif [ -z \"$DATABASE_URL\" ]; then case \"$1\" in backup|info|fresh) ;; *) set -- \"$@\" --private-dir '{1}';; esac; fi
             exec '{0}' \"$@\"",
            real.display(),
            private.display()
        ),
    );
    script("ssh", "shift; exec \"$@\"");
    // The CI server is this machine, too.
    let ci = scene.path("gitlab-ci");
    make_traces(&ci.join("builds"));
    fs::create_dir(ci.join("config")).unwrap();
    fs::write(ci.join("config/secrets.yml"), key).unwrap();
    let (socket, database) = (mariadb().directory.join("socket"), fixture_database());
    let database_yml = format!(
        "production:\n  adapter: mysql2\n  username: root\n  database: {database}\n  socket: {}\n",
        socket.display()
    );
    for (name, text) in [
        ("VERSION", "8.0.5\n"),
        ("config/application.yml", ""),
        ("config/database.yml", &database_yml),
    ] {
        fs::write(ci.join(name), text).unwrap();
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut environment = String::new();
    let mut count = 0;
    let mut generated = String::new();
    for step in steps() {
        let line = match step {
            Step::Command(line) => line,
            Step::Sql(sql) => {
                fs::write(scene.path(&generated), sql).unwrap();
                continue;
            }
        };
        if line.starts_with("scripts/") || line.starts_with("cargo build") {
            continue;
        }
        let line = line
            .replace(
                "postgresql://git@db.example.com/gitlabhq_production",
                &postgresql_url(&scene.database),
            )
            .replace(
                "mysql://git@db.example.com/gitlabhq_production",
                &in_mysql.url,
            )
            .replace(
                "/var/opt/gitlab/gitlab-ci/builds",
                in_mysql.builds.to_str().unwrap(),
            )
            .replace("/home/git/gitlab/builds", scene.builds().to_str().unwrap())
            .replace("/home/gitlab_ci/gitlab-ci", ci.to_str().unwrap())
            .replace("/var/backups", backups.to_str().unwrap())
            .replace("/home/git/gitlab/config", config.to_str().unwrap())
            .replace("/var/opt/gitlab/backups", backups.to_str().unwrap());
        if line.starts_with("export ") {
            // This scene's GitLab has traces already, which asks for a yes; the README's has none.
            fs::remove_dir_all(scene.builds()).unwrap();
            environment = line;
            continue;
        }
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!("set -e; {environment}\n{line}"));
        shell
            .env("PATH", &path)
            .env_remove("DATABASE_URL")
            .env_remove("PGHOST")
            .env_remove("BACKUP")
            .env_remove("SKIP_POST_DEPLOYMENT_MIGRATIONS");
        let told = expect_success(&shell.current_dir(scene.directory.path()).output().unwrap());
        if line.contains("generate") {
            generated = String::from_utf8(told).unwrap().trim().to_owned();
        }
        count += 1;
    }
    assert_eq!(count, 46, "commands in the README");
    assert_eq!(scene.value("SELECT count(*) FROM ci_builds"), "7");
    let column = "SELECT column_name FROM information_schema.columns
                  WHERE table_name = 'application_settings' AND column_name ~ '^signup'";
    assert_eq!(scene.values(column), ["signup_mode"]);
}

/// The options that are named in `text`, each once.
fn options(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.starts_with("--") && !word.starts_with("---") && word.len() > 2)
        .filter(|word| !["--help", "--version"].contains(word))
        .map(str::to_owned)
        .collect()
}

/// The rows of a table that begins with `header`.
fn table(header: &str) -> String {
    let text = readme();
    let start = text.find(header).unwrap_or_else(|| panic!("no {header}"));
    let rows = text[start..]
        .lines()
        .take_while(|line| line.starts_with('|'));
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn its_options_are_those_of_the_help() {
    let help = run(command(["--help"])).succeeds().stdout;
    let of_import = options(&table("| option | meaning"));
    // Some rows mention options of others.
    let first_cells = |table: &str| {
        let cells = table.lines().filter_map(|row| row.split('|').nth(1));
        options(&cells.collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(options(&help), first_cells(&table("| option | meaning")));
    // A table for a command has all that an import has not, and nothing else.
    for name in readme().split("| option of `").skip(1) {
        let name = name.split('`').next().unwrap();
        let words: Vec<&str> = name.split(' ').chain(["--help"]).collect();
        let help = options(&run(command(words)).succeeds().stdout);
        let told = first_cells(&table(&format!("| option of `{name}`")));
        let wrong: Vec<_> = told.difference(&help).collect();
        assert!(wrong.is_empty(), "{name} has no {wrong:?}");
        let untold: Vec<_> = help
            .difference(&told)
            .filter(|name| !of_import.contains(*name))
            .collect();
        assert!(untold.is_empty(), "{name} has {untold:?}, too");
    }
}

#[test]
fn its_exit_codes_are_those_of_the_help() {
    let help = run(command(["--help"])).succeeds().stdout;
    let text = readme();
    let section = text
        .split("### Exit codes")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let rows: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert_eq!(rows.len(), 8, "{rows:?}");
    // The help may wrap its lines.
    let collapsed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = collapsed(&help);
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let line = collapsed(&format!("{} {}", cells[0], cells[1]));
        assert!(help.contains(&line), "not in the help: {line}");
    }
}
