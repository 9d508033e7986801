//! Reports that cannot be written: to a full disk, and into a pipe that nobody reads any more.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::archives::gzip;
use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};

const FULL: &str = "cannot write to standard output: No space left on device";
const PUBLISHED: &str = "the import was published; only the report is missing";
const ROLLED_BACK: &str = "the rollback is done; only the report is missing";

/// The read end is closed before the program starts.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full_disk() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// A command of the table, what it says if the disk is full, and its exit code if nobody reads.
type Case<'a> = (&'a [&'a str], &'a str, i32);

/// The commands in an order in which each finds what it needs.
fn cases<'a>(archive: &'a str, dump: &'a str) -> Vec<Case<'a>> {
    let written = "cannot write the dump: No space left on device";
    vec![
        (&["--help"], FULL, 0),
        (&["--version"], FULL, 0),
        (&["migrate", "--help"], FULL, 0),
        (leak(&["inspect", archive]), FULL, 0),
        (leak(&["inspect", archive, "--json"]), FULL, 0),
        (leak(&["inspect", dump]), FULL, 0),
        // Half a dump is of no use to anybody.
        (leak(&["convert", dump]), written, 1),
        (
            leak(&["convert", archive]),
            "cannot write the archive: No space",
            1,
        ),
        (leak(&["convert", dump, "-o", "/dev/stdout"]), written, 1),
        (
            leak(&["check", archive, "--mysql-to-postgresql", "@"]),
            FULL,
            0,
        ),
        (
            leak(&["check", archive, "--mysql-to-postgresql", "--json", "@"]),
            FULL,
            0,
        ),
        (
            leak(&[archive, "--mysql-to-postgresql", "--yes", "@"]),
            PUBLISHED,
            0,
        ),
        (
            leak(&[archive, "--mysql-to-postgresql", "--yes", "--json", "@"]),
            PUBLISHED,
            0,
        ),
        (leak(&["verify", archive, "@"]), FULL, 0),
        (leak(&["verify", archive, "--json", "@"]), FULL, 0),
        (&["rollback", "--yes", "@"], ROLLED_BACK, 0),
        (
            &["recover", "@"],
            "the recovery is done; only the report is missing",
            0,
        ),
        (&["migrate", "status", "$"], FULL, 0),
        (&["migrate", "status", "--json", "$"], FULL, 0),
        (
            &["migrate", "up", "20000101000012", "--dry-run", "$"],
            FULL,
            0,
        ),
        (
            &["migrate", "$"],
            "the migrations are done; only the report is missing",
            0,
        ),
        (
            &["discard", "--yes", "@"],
            "the discard is done; only the report is missing",
            0,
        ),
        (&["private", "url"], FULL, 0),
    ]
}

/// A table of the test lives as long as the test.
fn leak<'a>(arguments: &[&'a str]) -> &'a [&'a str] {
    Box::leak(arguments.to_vec().into_boxed_slice())
}

/// `arguments`, with the scene's target for `@`, and its database alone for `$`.
fn command_in(scene: &Scene, arguments: &[&str]) -> Command {
    let mut command = command::<&str>([]);
    for argument in arguments {
        match *argument {
            "@" => command
                .args(["--database-url", &scene.url(), "--builds-path"])
                .arg(scene.builds()),
            "$" => command.args(["--database-url", &scene.url()]),
            argument => command.arg(argument),
        };
    }
    command
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_after_the_work() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let dump = scene.path("shop.sql.gz");
    std::fs::write(&dump, gzip(&fixture_dump(Dialect::Native))).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (archive, dump) = (text(&archive), text(&dump));
    for (arguments, message, code) in cases(&archive, &dump) {
        let mut to_full_disk = command_in(&scene, arguments);
        run(to_full_disk.stdout(full_disk())).exits(1).says(message);
        if arguments[0] == "discard" {
            // There is nothing left to discard.
            continue;
        }
        let mut to_nobody = command_in(&scene, arguments);
        let outcome = run(to_nobody.stdout(closed_pipe())).exits(code);
        assert_eq!(
            outcome.stderr.contains("error"),
            code != 0,
            "{}",
            outcome.whole()
        );
    }
}

/// What was published stays published, and the hint keeps people from importing again.
#[test]
fn an_import_whose_report_is_lost_is_live() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    for option in [&["--json"][..], &[], &["--strict"]] {
        scene
            .connect()
            .batch_execute("DROP TABLE IF EXISTS ci_builds")
            .unwrap();
        let mut import = scene.import_command(archive.to_str().unwrap());
        import.args(option).stdout(full_disk());
        run(import)
            .exits(1)
            .says(PUBLISHED)
            .says("hint: do not import again; ci-import verify compares");
        assert_eq!(scene.value("SELECT count(*) FROM ci_builds"), "7");
    }
}
