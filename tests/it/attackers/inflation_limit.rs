//! What inflates to far more than its size is refused by each command that reads it, and read where that is asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::archives::{INFORMATION, SMALL_DUMP, gzip, gzip_bomb, members, small_traces};
use crate::support::program::{command, run};
use crate::support::scene::Scene;

const DUMP: &str = "db/database.sql.gz";
const TRACES: &str = "builds/builds.tar.gz";

/// A dump, an archive with one, and an archive with traces, each a bomb in one place; with the name of that place.
struct Bombs {
    dump: PathBuf,
    of_dump: PathBuf,
    of_traces: PathBuf,
}

impl Bombs {
    fn in_scene(scene: &Scene) -> Bombs {
        let write = |name: &str, bytes: &[u8]| {
            let path = scene.path(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let dump = gzip_bomb(SMALL_DUMP, b'\n', 600);
        let traces = gzip_bomb(&small_traces(), 0, 600);
        let of_dump = members(&dump, &gzip(&small_traces()), INFORMATION);
        let of_traces = members(&gzip(SMALL_DUMP), &traces, INFORMATION);
        Bombs {
            dump: write("dump.sql.gz", &dump),
            of_dump: write("dump.tar", &of_dump),
            of_traces: write("traces.tar", &of_traces),
        }
    }
}

/// `make` gives the command that reads an input.
fn is_refused(make: impl Fn(&Path) -> Command, input: &Path, place: &str) {
    for ratio in [200, 300] {
        let mut it = make(input);
        if ratio != 200 {
            it.args(["--max-inflation", &ratio.to_string()]);
        }
        run(it)
            .exits(3)
            .says(&format!(
                "{place}: it inflates to more than {ratio} times its size (byte 5368"
            ))
            .says("hint: do not trust this archive; if you made it yourself, --max-inflation");
    }
    let mut it = make(input);
    run(it.args(["--max-inflation", "0"])).exits(2);
}

fn is_read(make: impl Fn(&Path) -> Command, input: &Path) {
    let mut it = make(input);
    run(it.args(["--max-inflation", "1100"])).succeeds();
}

#[test]
fn of_inspect() {
    let scene = Scene::bare();
    let bombs = Bombs::in_scene(&scene);
    let inspect = |input: &Path| {
        let mut inspect = command(["inspect"]);
        inspect.arg(input);
        inspect
    };
    is_refused(inspect, &bombs.dump, "the dump");
    is_refused(inspect, &bombs.of_dump, DUMP);
    is_refused(inspect, &bombs.of_traces, TRACES);
    let piped = |input: &Path| {
        let mut inspect = command(["inspect", "-"]);
        inspect.stdin(fs::File::open(input).unwrap());
        inspect
    };
    is_refused(piped, &bombs.of_traces, TRACES);
    is_read(inspect, &bombs.of_dump);
    is_read(inspect, &bombs.of_traces);
}

/// Traces pass through as they are.
#[test]
fn of_convert() {
    let scene = Scene::bare();
    let bombs = Bombs::in_scene(&scene);
    let output = scene.path("out");
    let convert = |input: &Path| {
        let mut convert = command(["convert", "-q", "-o"]);
        convert.arg(&output).arg(input);
        convert
    };
    is_refused(convert, &bombs.dump, "the dump");
    is_refused(convert, &bombs.of_dump, DUMP);
    assert!(!output.exists());
    is_read(convert, &bombs.dump);
    is_read(convert, &bombs.of_dump);
    run(convert(&bombs.of_traces)).succeeds();
}

#[test]
fn of_verify() {
    let scene = Scene::gitlab();
    let bombs = Bombs::in_scene(&scene);
    let good = scene.path("good.tar");
    let archive = members(&gzip(SMALL_DUMP), &gzip(&small_traces()), INFORMATION);
    fs::write(&good, archive).unwrap();
    scene.import(&good).succeeds();
    let verify = |input: &Path| scene.command(["verify", input.to_str().unwrap()]);
    is_refused(verify, &bombs.dump, "the dump");
    is_refused(verify, &bombs.of_dump, DUMP);
    is_refused(verify, &bombs.of_traces, TRACES);
    is_read(verify, &bombs.of_dump);
    is_read(verify, &bombs.of_traces);
}
