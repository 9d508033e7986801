//! README and book say what is true: their commands run, their options are those of the help, their exit codes and the
//! keys of the JSON those of the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::archives::gzip;
use crate::support::mysql_scene::MysqlScene;
use crate::support::object_storage::{BUCKET, storage};
use crate::support::pages::{Page, page, pages};
use crate::support::program::{command, program, run};
use crate::support::scene::{
    Dialect, Scene, fixture_database, fixture_dump, make_traces, mysqldump,
};
use crate::support::servers::{expect_success, mariadb, postgresql_url};

/// The beginnings of commands that are not run here: `scripts/test` runs itself and some of these, and builds the program, as
/// `scripts/release` does; the system is not changed; images need a registry.
const NOT_RUN: [&str; 5] = [
    "scripts/",
    "cargo build",
    "cargo install",
    "docker ",
    "sudo ",
];

/// The languages of blocks. Commands are in the first, and in the scripts of the second.
const LANGUAGES: [&str; 7] = ["sh", "yaml", "sql", "toml", "json", "text", "dockerfile"];

/// What there is to be done in a page.
enum Step {
    /// A line of a shell block, or of the script of a pipeline.
    Command(String),
    /// A variable of a pipeline.
    Variable(String),
    /// A block of SQL: what belongs into the file that was generated last.
    Sql(String),
}

/// The steps, in order.
fn steps(page: &Page) -> Vec<Step> {
    let mut steps = Vec::new();
    for block in page.blocks() {
        match block.language {
            "sh" => {
                let lines = block.text.lines();
                steps.extend(lines.map(|line| Step::Command(line.to_owned())));
            }
            "sql" => steps.push(Step::Sql(block.text.to_owned())),
            "yaml" => steps.extend(steps_of_a_pipeline(block.text)),
            _ => {}
        }
    }
    steps
}

/// The commands of GitLab (a list below `script:`) and of GitHub (`run:`), and the target's name.
fn steps_of_a_pipeline(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut script = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if script.is_some_and(|start| indent <= start) {
            script = None;
        }
        if line == "script:" {
            script = Some(indent);
        } else if let Some(command) = line.strip_prefix("- ").filter(|_| script.is_some()) {
            steps.push(Step::Command(command.to_owned()));
        } else if let Some((_, command)) = line.split_once("run: ") {
            steps.push(Step::Command(command.to_owned()));
        } else if let Some(url) = line.strip_prefix("DATABASE_URL: ") {
            steps.push(Step::Variable(format!("export DATABASE_URL={url}")));
        }
    }
    steps
}

/// A machine as the pages speak of it: with such an archive, and such dumps, in the directory; with `ssh` to a machine
/// that is this one; with a GitLab on PostgreSQL and another one on MySQL; with a private directory of the test's.
struct Machine {
    scene: Scene,
    /// It keeps the database of the other GitLab.
    _mysql: MysqlScene,
    programs: PathBuf,
    /// What the pages name, and where it is here.
    places: Vec<(&'static str, String)>,
}

impl Machine {
    fn new() -> Machine {
        let scene = Scene::gitlab();
        let mysql = MysqlScene::gitlab();
        let in_mysql = mysql.stage();
        let shown = |path: PathBuf| path.to_str().unwrap().to_owned();
        let postgresql = postgresql_url(&scene.database);
        let places = vec![
            (
                "postgresql://git@db.example.com/gitlabhq_production",
                postgresql.clone(),
            ),
            ("postgresql://postgres@postgres/shop", postgresql.clone()),
            ("postgresql://postgres@localhost/shop", postgresql),
            (
                "mysql://git@db.example.com/gitlabhq_production",
                in_mysql.url,
            ),
            ("/var/opt/gitlab/gitlab-ci/builds", shown(in_mysql.builds)),
            ("/home/git/gitlab/builds", shown(scene.builds())),
            ("/home/gitlab_ci/gitlab-ci", shown(scene.path("gitlab-ci"))),
            ("/var/backups", shown(scene.path("backups"))),
            ("s3://backups/", format!("s3://{BUCKET}/book/")),
            (
                "/home/git/gitlab/config",
                shown(scene.path("gitlab/config")),
            ),
            ("/var/opt/gitlab/backups", shown(scene.path("backups"))),
        ];
        let programs = scene.path("bin");
        let machine = Machine {
            scene,
            _mysql: mysql,
            programs,
            places,
        };
        machine.make_inputs();
        let archive = "1443700800_gitlab_ci_backup.tar";
        let content = fs::read(machine.scene.path(archive)).unwrap();
        storage().put(BUCKET, &format!("book/ci/{archive}"), &content);
        machine.make_gitlab();
        machine.make_gitlab_ci();
        machine.make_programs();
        machine
    }

    fn make_inputs(&self) {
        let scene = &self.scene;
        fs::set_permissions(scene.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        scene.pack(&fixture_dump(Dialect::Native));
        let dump = |name: &str, bytes: &[u8]| fs::write(scene.path(name), bytes).unwrap();
        dump("shop.sql.gz", &gzip(&fixture_dump(Dialect::Native)));
        let schema = mysqldump(fixture_database(), &["--no-data"]);
        let data = mysqldump(fixture_database(), &["--no-create-info"]);
        dump("shop_schema.sql", &schema);
        dump("shop_data.sql.gz", &gzip(&data));
        let backups = scene.path("backups");
        fs::create_dir(&backups).unwrap();
        for epoch in ["1443700800", "1443704400"] {
            let name = format!("{epoch}_gitlab_ci_backup.tar");
            let packed = scene.path("1443700800_gitlab_ci_backup.tar");
            fs::copy(packed, backups.join(name)).unwrap();
        }
    }

    /// The GitLab has no traces yet: that is why an import into it asks nothing.
    fn make_gitlab(&self) {
        let scene = &self.scene;
        fs::remove_dir_all(scene.builds()).unwrap();
        let config = scene.path("gitlab/config");
        fs::create_dir_all(&config).unwrap();
        fs::write(config.join("secrets.yml"), KEY).unwrap();
        fs::write(scene.path("secrets.yml"), KEY).unwrap();
        let url = scene.url();
        let database_yml = format!("production:\n  adapter: postgresql\n  url: {url}\n");
        fs::write(config.join("database.yml"), database_yml).unwrap();
    }

    /// The CI server is this machine, too.
    fn make_gitlab_ci(&self) {
        let ci = self.scene.path("gitlab-ci");
        make_traces(&ci.join("builds"));
        fs::create_dir(ci.join("config")).unwrap();
        fs::write(ci.join("config/secrets.yml"), KEY).unwrap();
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
    }

    /// The program, which gets a private directory of the test's if nothing names a target; and `ssh`.
    fn make_programs(&self) {
        fs::create_dir(&self.programs).unwrap();
        let script = |name: &str, text: &str| {
            let path = self.programs.join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let text = format!(
            "private='--private-dir {1}'
             [ -z \"$DATABASE_URL\" ] || private=
             case \" $* \" in *' --database-'*) private=;; esac
             case \"$1\" in
               private) shift; set -- private --private-dir '{1}' \"$@\"; private=;;
               -*|help|backup|info|fresh|inspect|convert|generate|secrets|redirect|settings|explain|summary|completions|man) private=;;
             esac
             exec '{0}' \"$@\" $private",
            program().display(),
            self.scene.path("private").display()
        );
        script("ci-import", &text);
        script("ssh", "shift; exec \"$@\"");
    }

    /// Runs a line as it stands, but for the places.
    fn run(&self, environment: &[String], line: &str) -> Vec<u8> {
        let mut text = format!("set -e\n{}\n{line}", environment.join("\n"));
        for (named, here) in &self.places {
            text = text.replace(named, here);
        }
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &text]);
        shell.env("PATH", format!("{}:{path}", self.programs.display()));
        for name in [
            "DATABASE_URL",
            "PGHOST",
            "BACKUP",
            "SKIP_POST_DEPLOYMENT_MIGRATIONS",
        ] {
            shell.env_remove(name);
        }
        let mut shell = storage().used_by(shell, storage().port);
        let directory = self.scene.directory.path();
        expect_success(&shell.current_dir(directory).output().unwrap())
    }
}

const KEY: &str = "production:\n  db_key_base: the key of the fixtures\n";

/// All commands of the README, and then those of each page in the order of the summary. Each page names its own target:
/// nobody reads all of them.
#[test]
fn its_commands_run() {
    let machine = Machine::new();
    let (mut count, mut not_run) = (0, BTreeSet::new());
    let mut generated = String::new();
    for page in pages() {
        let mut environment = Vec::new();
        for step in steps(&page) {
            let line = match step {
                Step::Sql(sql) => {
                    fs::write(machine.scene.path(&generated), sql).unwrap();
                    continue;
                }
                Step::Variable(line) => {
                    environment.push(line);
                    continue;
                }
                Step::Command(line) => line,
            };
            if NOT_RUN.iter().any(|start| line.starts_with(start)) {
                not_run.insert(line);
                continue;
            }
            if line.starts_with("export ") {
                environment.push(line);
                continue;
            }
            eprintln!("{}: {line}", page.name);
            let told = machine.run(&environment, &line);
            if line.contains("generate") {
                generated = String::from_utf8(told).unwrap().trim().to_owned();
            }
            count += 1;
        }
    }
    assert_eq!(count, 106, "commands in README and book");
    let not_run: Vec<&str> = not_run.iter().map(String::as_str).collect();
    let expected = [
        "cargo build --release",
        "cargo install --path .",
        "docker build --tag ci-import .",
        "docker run --rm --volume \"$PWD:/dumps:ro\" ci-import ci-import inspect /dumps/shop.sql.gz",
        "scripts/demo",
        "scripts/portable",
        "scripts/portable target/arm aarch64",
        "scripts/release",
        "scripts/test",
        "sudo apt-get install ./target/release-0.1.0/ci-import_0.1.0-1_amd64.deb",
    ];
    assert_eq!(not_run, expected);
    let scene = &machine.scene;
    assert_eq!(scene.value("SELECT count(*) FROM ci_builds"), "7");
    let column = "SELECT column_name FROM information_schema.columns
                  WHERE table_name = 'application_settings' AND column_name ~ '^signup'";
    assert_eq!(scene.values(column), ["signup_mode"]);
}

/// A command in a block of another language would not be run.
#[test]
fn its_commands_are_in_blocks_that_are_run() {
    for page in pages() {
        for block in page.blocks() {
            assert!(
                LANGUAGES.contains(&block.language),
                "{} has a block of {:?}",
                page.name,
                block.language
            );
            let is_run = ["sh", "yaml"].contains(&block.language);
            let mut lines = block.text.lines();
            let hidden = lines.find(|line| line.trim_start_matches("$ ").starts_with("ci-import "));
            // The check needs two web servers of these names; tests/it/redirect has them.
            if let Some(line) = hidden.filter(|line| !line.contains("redirect check")) {
                assert!(is_run, "{}: {line}", page.name);
            }
        }
    }
}

/// The options that are named in `text`, each once.
fn options(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.starts_with("--") && !word.starts_with("---") && word.len() > 2)
        .filter(|word| !["--help", "--version"].contains(word))
        .map(str::to_owned)
        .collect()
}

/// The first cell of each row.
fn first_cells<'a>(rows: &[&'a str]) -> Vec<&'a str> {
    let cells = rows.iter().filter_map(|row| row.split('|').nth(1));
    cells.map(str::trim).collect()
}

fn help(words: &[&str]) -> String {
    let words = words.iter().chain(&["--help"]);
    run(command(words)).succeeds().stdout
}

/// The names of the commands that the help of `words` lists, each with what comes before it.
fn commands(words: &[&str]) -> Vec<String> {
    let help = help(words);
    let Some((_, list)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !["", "help"].contains(name));
    let mut found = Vec::new();
    for name in names {
        let all: Vec<&str> = words.iter().copied().chain([name]).collect();
        found.push(all.join(" "));
        found.extend(commands(&all));
    }
    found
}

#[test]
fn its_options_are_those_of_the_help() {
    let pages = pages();
    let tables = |header: &str| -> Vec<Vec<String>> {
        let tables = pages.iter().flat_map(|page| page.tables(header));
        let owned = |rows: Vec<&str>| rows.into_iter().map(str::to_owned).collect();
        tables.map(owned).collect()
    };
    // Some rows mention options of others.
    let named = |rows: &[String]| {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        options(&first_cells(&rows).join("\n"))
    };
    let of_import = tables("| option | meaning | default |").concat();
    let whole = options(&of_import.join("\n"));
    assert_eq!(options(&help(&[])), named(&of_import));
    let first: Vec<String> = of_import
        .iter()
        .map(|row| row.split('|').nth(1).unwrap().to_owned())
        .collect();
    let distinct: BTreeSet<&String> = first.iter().collect();
    assert_eq!(distinct.len(), first.len(), "an option has two rows");
    // A table for a command has all that an import and the command above it have not, and nothing else.
    for name in commands(&[]) {
        let words: Vec<&str> = name.split(' ').collect();
        let help = options(&help(&words));
        let of = |name: &str| tables(&format!("| option of `{name}` |"));
        let rows = of(&name);
        assert!(rows.len() < 2, "{name} has two tables");
        let told = named(&rows.concat());
        let wrong: Vec<_> = told.difference(&help).collect();
        assert!(wrong.is_empty(), "{name} has no {wrong:?}");
        let above = named(&of(words[0]).concat());
        let untold: Vec<_> = help
            .difference(&told)
            .filter(|name| !whole.contains(*name) && !above.contains(*name))
            .collect();
        assert!(untold.is_empty(), "{name} has {untold:?}, too");
    }
}

#[test]
fn its_commands_are_those_of_the_help() {
    let page = page("reference/commands.md");
    let rows = page.tables("| command |").concat();
    let told: Vec<&str> = first_cells(&rows);
    let told: Vec<String> = told
        .iter()
        .filter_map(|cell| cell.split('`').nth(1)?.strip_prefix("ci-import "))
        .map(str::to_owned)
        .collect();
    assert_eq!(told, commands(&[]));
}

#[test]
fn its_exit_codes_are_those_of_the_help() {
    let help = help(&[]);
    let page = page("reference/exit-codes.md");
    let rows = page.tables("| code | meaning | again? |").concat();
    assert_eq!(rows.len(), 9, "{rows:?}");
    // The help may wrap its lines.
    let collapsed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = collapsed(&help);
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let line = collapsed(&format!("{} {}", cells[0], cells[1]));
        assert!(help.contains(&line), "not in the help: {line}");
    }
}

/// The keys below `value`, as the page writes them, and whether there is nothing below.
fn keys(value: &Value, path: &str, found: &mut BTreeMap<String, bool>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                keys(value, &format!("{path}{dot}{key}"), found);
            }
        }
        Value::Array(values) if values.iter().any(Value::is_object) => {
            for value in values {
                keys(value, &format!("{path}[]"), found);
            }
        }
        _ => {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            let before = found.get(path).copied().unwrap_or(true);
            found.insert(path.to_owned(), before && empty);
        }
    }
}

/// A key that a report has is in the page, and one that the page has is in the report, unless nothing is there.
#[test]
fn its_keys_of_json_are_those_of_the_reports() {
    let scene = Scene::gitlab();
    scene.pack(&fixture_dump(Dialect::Native));
    let archive = scene.path("1443700800_gitlab_ci_backup.tar");
    let archive = archive.to_str().unwrap();
    let (url, builds) = (scene.url(), scene.builds());
    let builds = builds.to_str().unwrap();
    let target = ["--database-url", &url, "--builds-path", builds];
    let convert = "--mysql-to-postgresql";
    let of_import = [&[archive, convert, "--yes", "--json"], &target[..]].concat();
    let of_check = [&["check", archive, convert, "--json"], &target[..]].concat();
    let of_verify = [&["verify", archive, "--json"], &target[..]].concat();
    let of_status = ["migrate", "status", "--json", "--database-url", &url];
    let page = page("reference/json.md");
    for (title, arguments) in [
        ("import --json", &of_import[..]),
        ("check --json", &of_check),
        ("verify --json", &of_verify),
        ("migrate status --json", &of_status),
        ("inspect --json", &["inspect", archive, "--json"]),
    ] {
        let report = run(command(arguments)).succeeds();
        let report: Value = serde_json::from_str(&report.stdout).unwrap();
        let mut found = BTreeMap::new();
        keys(&report, "", &mut found);
        let rows = page.tables(&format!("| key of `{title}` |")).concat();
        let told: BTreeSet<&str> = first_cells(&rows)
            .into_iter()
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .collect();
        let is_below = |key: &str, above: &str| {
            key.strip_prefix(above)
                .is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        let untold: Vec<_> = found
            .iter()
            .filter(|(key, _)| !told.contains(key.as_str()))
            .filter(|(key, empty)| !(**empty && told.iter().any(|told| is_below(told, key))))
            .map(|(key, _)| key)
            .collect();
        assert!(untold.is_empty(), "{title} has {untold:?}, too");
        let wrong: Vec<_> = told
            .iter()
            .filter(|told| {
                let mut found = found.iter();
                !found.any(|(key, empty)| {
                    key == *told || is_below(key, told) || *empty && is_below(told, key)
                })
            })
            .collect();
        assert!(wrong.is_empty(), "{title} has no {wrong:?}");
    }
}
