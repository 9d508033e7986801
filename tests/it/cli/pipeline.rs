//! The pipeline step: the scripts of the component for GitLab and of the action for GitHub, run as their runners run them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde::Deserialize;

use crate::support::archives::gzip;
use crate::support::program::{command, program, project, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};

/// What both keep of a run.
const REPORTS: [&str; 4] = [
    "ci-import.html",
    "ci-import.json",
    "ci-import.md",
    "ci-import.xml",
];

type Texts = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Header {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    inputs: BTreeMap<String, Input>,
}

#[derive(Deserialize)]
struct Input {
    default: Option<Preset>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Preset {
    Text(String),
    List(Vec<String>),
}

/// The job of the component.
#[derive(Deserialize)]
struct Job {
    variables: Texts,
    script: Vec<String>,
    artifacts: Artifacts,
}

#[derive(Deserialize)]
struct Artifacts {
    when: String,
    paths: Vec<String>,
    reports: Texts,
}

#[derive(Deserialize)]
struct Action {
    inputs: BTreeMap<String, Input>,
    runs: Runs,
}

#[derive(Deserialize)]
struct Runs {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(rename = "if")]
    condition: Option<String>,
    run: Option<String>,
    shell: Option<String>,
    #[serde(default)]
    env: Texts,
    #[serde(default)]
    with: Texts,
}

/// The inputs with their values: those that are given, and what is preset for the others.
fn values(inputs: &BTreeMap<String, Input>, given: &[(&str, &str)]) -> Texts {
    for (name, _) in given {
        assert!(inputs.contains_key(*name), "there is no input {name}");
    }
    let value = |name: &str, input: &Input| match given.iter().find(|(given, _)| *given == name) {
        Some((_, value)) => (*value).to_owned(),
        None => match &input.default {
            Some(Preset::Text(text)) => text.clone(),
            Some(Preset::List(list)) => list.join(" "),
            None => panic!("{name} must be given"),
        },
    };
    let named = inputs.iter();
    named
        .map(|(name, input)| (name.clone(), value(name, input)))
        .collect()
}

/// The text with each place between `open` and `close` replaced.
fn filled(text: &str, open: &str, close: &str, fill: impl Fn(&str) -> String) -> String {
    let mut pieces = text.split(open);
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (place, rest) = piece.split_once(close).unwrap();
        filled += &fill(place.trim());
        filled += rest;
    }
    filled
}

/// The machine of a runner: a directory of a job, and the program.
struct Runner {
    scene: Scene,
}

impl Runner {
    fn new() -> Runner {
        let scene = Scene::bare();
        let directory = scene.directory.path();
        // The server of the private PostgreSQL must reach its directory.
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
        let dump = gzip(&fixture_dump(Dialect::Native));
        fs::write(scene.path("shop.sql.gz"), dump).unwrap();
        fs::create_dir(scene.path("bin")).unwrap();
        std::os::unix::fs::symlink(program(), scene.path("bin/ci-import")).unwrap();
        Runner { scene }
    }

    /// Whether the lines succeed in one shell, with such variables.
    fn succeeds(&self, options: &[&str], lines: &str, variables: &Texts) -> bool {
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("bash");
        // Without the variables that name a target of this machine.
        let clean = command([""; 0]);
        let removed = clean.get_envs().filter(|(_, value)| value.is_none());
        for (name, _) in removed {
            shell.env_remove(name);
        }
        shell.args(options).arg("-c").arg(lines).envs(variables);
        shell.env("GITHUB_ACTION_PATH", project());
        shell.env("GITHUB_STEP_SUMMARY", self.scene.path("summary"));
        let bin = self.scene.path("bin");
        shell.env("PATH", format!("{}:{path}", bin.display()));
        shell.current_dir(self.scene.directory.path());
        let output = shell.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        eprintln!("{}\n{said}", String::from_utf8_lossy(&output.stdout));
        output.status.success()
    }

    /// The job of the component with such inputs.
    fn gitlab(&self, given: &[(&str, &str)]) -> bool {
        let text = fs::read_to_string(project().join("templates/ci-import.yml")).unwrap();
        let (header, job) = text.split_once("\n---\n").unwrap();
        let header: Header = serde_saphyr::from_str(header).unwrap();
        let jobs: BTreeMap<String, Job> = serde_saphyr::from_str(job).unwrap();
        let given = [given, &[("image", "ci-import")]].concat();
        let values = values(&header.spec.inputs, &given);
        let job = jobs.into_values().next().unwrap();
        let mut paths = job.artifacts.paths;
        paths.sort_unstable();
        assert_eq!(paths, REPORTS);
        assert_eq!(job.artifacts.when, "always");
        assert_eq!(job.artifacts.reports["junit"], "ci-import.xml");
        let script = job.script.join("\n");
        assert!(!script.contains("$[["), "an input in the script: {script}");
        let interpolated = |text: &String| {
            filled(text, "$[[", "]]", |place| {
                values[place.strip_prefix("inputs.").unwrap()].clone()
            })
        };
        let variables = job.variables.iter();
        let variables = variables
            .map(|(name, text)| (name.clone(), interpolated(text)))
            .collect();
        self.succeeds(&["-eo", "pipefail"], &script, &variables)
    }

    /// The scripts of the action with such inputs. What other actions do is left out.
    fn github(&self, given: &[(&str, &str)]) -> bool {
        let text = fs::read_to_string(project().join("action.yml")).unwrap();
        let action: Action = serde_saphyr::from_str(&text).unwrap();
        let values = values(&action.inputs, given);
        let value = |term: &str| match term.split_once('.').unwrap() {
            ("inputs", name) => values[name].clone(),
            ("env", _) => String::new(),
            _ => panic!("{term}"),
        };
        let interpolated = |text: &String| {
            filled(text, "${{", "}}", |place| {
                let mut terms = place.split("||").map(|term| value(term.trim()));
                terms.find(|term| !term.is_empty()).unwrap_or_default()
            })
        };
        let mut fine = true;
        for step in &action.runs.steps {
            let always = step.condition.as_deref() == Some("always()");
            if let Some(paths) = step.with.get("path") {
                let mut paths: Vec<&str> = paths.lines().collect();
                paths.sort_unstable();
                assert_eq!(paths, REPORTS);
                assert!(always);
            }
            let Some(script) = step.run.as_ref().filter(|_| fine || always) else {
                continue;
            };
            assert_eq!(step.shell.as_deref(), Some("bash"));
            assert!(!script.contains("${{"), "an input in a script: {script}");
            let variables = step.env.iter();
            let variables = variables
                .map(|(name, text)| (name.clone(), interpolated(text)))
                .collect();
            let options = ["--noprofile", "--norc", "-eo", "pipefail"];
            fine &= self.succeeds(&options, script, &variables);
        }
        fine
    }

    /// The tables are there, and so are the reports, each in its own format.
    fn assert_imported(&self, schema: &str) {
        let count = format!("SELECT count(*) FROM {schema}.ci_builds");
        assert_eq!(self.scene.value(&count), "7");
        self.assert_reports();
    }

    fn assert_reports(&self) {
        let read = |name: &str| fs::read_to_string(self.scene.path(name)).unwrap();
        let report: serde_json::Value = serde_json::from_str(&read("ci-import.json")).unwrap();
        assert!(report.is_object());
        let html = read("ci-import.html").to_ascii_lowercase();
        assert!(html.contains("<!doctype html"), "{html}");
        let junit = read("ci-import.xml");
        assert!(junit.contains("<testsuite"), "{junit}");
        for name in ["ci-import.html", "ci-import.xml", "ci-import.md"] {
            // Markdown has a backslash before the underscore.
            let text = read(name).replace('\\', "");
            assert!(text.contains("ci_builds"), "{name}");
        }
    }

    /// Takes the reports away, for the next run.
    fn clear(&self) {
        for name in REPORTS {
            fs::remove_file(self.scene.path(name)).unwrap();
        }
    }
}

/// Serves `bytes` to whoever asks once, and returns the URL, as that of an object.
fn object(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = BufReader::new(stream.try_clone().unwrap()).lines();
        assert!(request.any(|line| line.unwrap().is_empty()));
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&bytes).unwrap();
    });
    format!("http://{address}/bucket/shop.sql.gz?signature=a%2Fb&expires=60")
}

#[test]
fn both_import_a_file_into_a_database() {
    let runner = Runner::new();
    let url = runner.scene.url();
    let inputs = |schema: &'static str| {
        let options = format!("--schema {schema} --replace");
        [
            ("dump".to_owned(), "shop.sql.gz".to_owned()),
            ("database-url".to_owned(), url.clone()),
            ("options".to_owned(), options),
        ]
    };
    // Every night again.
    for _ in 0..2 {
        let given = inputs("from_gitlab");
        let given = given.each_ref().map(|(name, value)| (&**name, &**value));
        assert!(runner.gitlab(&given));
        runner.assert_imported("from_gitlab");
        runner.clear();
    }
    let given = inputs("from_github");
    let given = given.each_ref().map(|(name, value)| (&**name, &**value));
    assert!(runner.github(&given));
    runner.assert_imported("from_github");
    let summary = fs::read_to_string(runner.scene.path("summary")).unwrap();
    let report = fs::read_to_string(runner.scene.path("ci-import.md")).unwrap();
    assert_eq!(summary, report);
}

#[test]
fn both_import_an_object_into_the_private_server() {
    let runner = Runner::new();
    let dump = gzip(&fixture_dump(Dialect::Native));
    let directory = runner.scene.path("private");
    let directory = directory.to_str().unwrap();
    let options = format!("--replace --private-dir {directory}");
    let value = |sql: &str| {
        let start = ["private", "--private-dir", directory, "start"];
        run(command(start)).succeeds();
        let psql = ["private", "--private-dir", directory, "psql", "-XAtc", sql];
        let value = run(command(psql)).succeeds().stdout;
        let stop = ["private", "--private-dir", directory, "stop"];
        run(command(stop)).succeeds();
        value
    };
    let given = object(dump.clone());
    assert!(runner.gitlab(&[("dump", &given), ("options", &options)]));
    assert_eq!(value("SELECT count(*) FROM ci_builds"), "7\n");
    runner.assert_reports();
    runner.clear();
    let given = object(dump);
    assert!(runner.github(&[("dump", &given), ("options", &options)]));
    assert_eq!(value("SELECT count(*) FROM ci_builds"), "7\n");
    runner.assert_reports();
}

/// The names of branches and of files come into inputs, and not all who give them are friends.
#[test]
fn no_input_is_a_command() {
    let runner = Runner::new();
    let url = runner.scene.url();
    let commands = [
        "$(touch hacked)",
        "`touch hacked`",
        "x; touch hacked",
        "x' ; touch hacked ; '",
        "x\" ; touch hacked ; \"",
        "x\ntouch hacked",
        "x && touch hacked",
        "://$(touch hacked)",
    ];
    for text in commands {
        for given in [
            [
                ("dump", text),
                ("database-url", &url),
                ("options", "--quiet"),
            ],
            [
                ("dump", "shop.sql.gz"),
                ("database-url", text),
                ("options", "--quiet"),
            ],
            [
                ("dump", "shop.sql.gz"),
                ("database-url", &url),
                ("options", text),
            ],
        ] {
            assert!(!runner.gitlab(&given), "{given:?}");
            assert!(!runner.github(&given), "{given:?}");
            assert!(!runner.scene.path("hacked").exists(), "{given:?}");
        }
    }
    // Nor is a file an option.
    assert!(!runner.gitlab(&[("dump", "--help")]));
    assert!(!runner.github(&[("dump", "--help")]));
}

#[test]
fn a_job_that_fails_keeps_what_it_has() {
    let runner = Runner::new();
    let whole = fs::read(runner.scene.path("shop.sql.gz")).unwrap();
    fs::write(runner.scene.path("shop.sql.gz"), &whole[..whole.len() / 2]).unwrap();
    let url = runner.scene.url();
    let given = [("dump", "shop.sql.gz"), ("database-url", &*url)];
    assert!(!runner.gitlab(&given));
    assert!(!runner.github(&given));
    assert_eq!(
        runner
            .scene
            .value("SELECT count(*) FROM pg_tables WHERE tablename = 'ci_builds'"),
        "0"
    );
    // An object that is not there is not imported, either.
    let missing = format!("file://{}", runner.scene.path("missing").display());
    let given = [("dump", &*missing), ("database-url", &*url)];
    assert!(!runner.gitlab(&given));
    assert!(!runner.github(&given));
}
