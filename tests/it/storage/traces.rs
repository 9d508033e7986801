//! Build traces in an object storage: `--builds-path s3://…`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tar::EntryType;

use crate::support::archives::{SMALL_DUMP, archive as packed, tar};
use crate::support::bad_line::{BadLine, Fault};
use crate::support::mysql_scene::MysqlScene;
use crate::support::mysql_state::MysqlState;
use crate::support::object_storage::{BUCKET, WRITER, storage};
use crate::support::own_server::OwnServer;
use crate::support::paused::Paused;
use crate::support::program::{Outcome, command, finish, project, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::state::{LiveState, State};

/// The name of the manifest of an import.
const MANIFEST: &str = "manifest.jsonl";

/// A target whose traces go below a prefix of its own.
struct Target {
    scene: Scene,
    root: String,
}

impl Target {
    fn new(name: &str) -> Target {
        Target {
            scene: Scene::gitlab(),
            root: format!("traces/{name}"),
        }
    }

    /// What --builds-path is.
    fn builds(&self) -> String {
        format!("s3://{BUCKET}/{}", self.root)
    }

    /// The program with `arguments` and the target, at the storage.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut it = storage().command(arguments);
        it.args(["--builds-path", &self.builds()]);
        it.args(["--database-url", &self.scene.url()]);
        it
    }

    fn import_command(&self, archive: &Path) -> Command {
        self.command(&[archive.to_str().unwrap(), "--mysql-to-postgresql", "--yes"])
    }

    fn import(&self, archive: &Path) -> Outcome {
        run(self.import_command(archive))
    }

    fn verify(&self, archive: &Path) -> Outcome {
        run(self.command(&["verify", archive.to_str().unwrap()]))
    }

    /// Packs the traces that the scene has now, with the dump of the fixtures.
    fn pack(&self, name: &str) -> PathBuf {
        let packed = self.scene.pack(&fixture_dump(Dialect::Native));
        let path = self.scene.path(name);
        fs::rename(packed, &path).unwrap();
        path
    }

    /// The URL of the live prefix, as somebody reads it who serves traces.
    fn live(&self) -> String {
        let sql = sql_of_the_book("FROM pg_namespace");
        self.scene.value(&format!("SELECT COALESCE(({sql}), '')"))
    }

    /// The objects below the root, each with its size.
    fn objects(&self) -> BTreeMap<String, u64> {
        storage().objects(BUCKET, &format!("{}/", self.root))
    }

    /// The key of the prefix that is live.
    fn live_key(&self) -> String {
        let live = self.live();
        live.strip_prefix(&format!("s3://{BUCKET}/"))
            .unwrap()
            .to_owned()
    }
}

/// The query with `part` in it that the book has for whoever serves traces.
fn sql_of_the_book(part: &str) -> String {
    let page = project().join("docs/book/src/reference/traces-in-storage.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```sql\n").skip(1);
    let mut blocks = blocks.map(|block| block.split_once("```").unwrap().0);
    blocks
        .find(|block| block.contains(part))
        .unwrap()
        .to_owned()
}

/// The files below `directory`, with their contents.
fn files_below(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn each_trace_is_an_object_and_the_manifest_lists_it() {
    let target = Target::new("each");
    let source = target.scene.source();
    let mut random = fastrand::Rng::with_seed(20);
    let large: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(20 << 20)
        .collect();
    fs::write(source.join("2015_10/2/90.log"), large).unwrap();
    fs::write(source.join("2015_10/2/91.log"), "").unwrap();
    fs::write(source.join("2015_10/2/a b%2f#?é.log"), "a name").unwrap();
    for build in 1000..1400 {
        fs::write(
            source.join(format!("2015_10/2/{build}.log")),
            format!("{build}"),
        )
        .unwrap();
    }
    let archive = target.pack("a.tar");
    let old = files_below(&target.scene.builds());
    let mut import = target.import_command(&archive);
    import.args(["--verify", "full", "--json"]);
    let report: Value = serde_json::from_str(&run(import).succeeds().stdout).unwrap();
    let live = target.live();
    assert_eq!(report["archive"]["builds"], live.as_str());
    assert_eq!(files_below(&target.scene.builds()), old);

    let expected = files_below(&source);
    let key = target.live_key();
    let objects = target.objects();
    let sizes: BTreeMap<String, u64> = expected
        .iter()
        .map(|(name, content)| (format!("{key}{name}"), content.len() as u64))
        .collect();
    let mut found = objects.clone();
    assert!(found.remove(&format!("{key}{MANIFEST}")).is_some());
    assert_eq!(found, sizes);
    for (name, content) in &expected {
        if name.is_ascii() && !name.contains(['%', '#', '?', ' ']) {
            assert!(
                storage().get(BUCKET, &format!("{key}{name}")).unwrap() == *content,
                "{name}"
            );
        }
    }
    let manifest = storage().get(BUCKET, &format!("{key}{MANIFEST}")).unwrap();
    let lines: Vec<Value> = manifest
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let (first, last) = (&lines[0], lines.last().unwrap());
    assert_eq!(
        (&first["format"], &first["version"]),
        (&"ci-import traces".into(), &1.into())
    );
    let bytes: usize = expected.values().map(Vec::len).sum();
    assert_eq!(
        (&last["files"], &last["bytes"]),
        (&expected.len().into(), &bytes.into())
    );
    let mut listed = BTreeMap::new();
    for line in &lines[1..lines.len() - 1] {
        let name = line["path"].as_str().unwrap().to_owned();
        let modified = fs::metadata(source.join(&name))
            .unwrap()
            .modified()
            .unwrap();
        let modified = modified
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        assert_eq!(line["modified"], modified);
        listed.insert(name, (line["size"].clone(), line["sha256"].clone()));
    }
    let meant: BTreeMap<String, (Value, Value)> = expected
        .iter()
        .map(|(name, content)| {
            let sum = Sha256::digest(content);
            let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
            (name.clone(), (content.len().into(), sum.into()))
        })
        .collect();
    assert_eq!(listed, meant);
    target.verify(&archive).succeeds();
    assert_eq!(
        storage().open_uploads(BUCKET, &target.root),
        Vec::<String>::new()
    );
}

#[test]
fn verify_finds_what_differs() {
    let target = Target::new("differs");
    let source = target.scene.source();
    fs::write(source.join("2015_10/2/90.log"), vec![b'x'; 3 << 20]).unwrap();
    let archive = target.pack("a.tar");
    target.import(&archive).succeeds();
    let key = target.live_key();
    let without = |outcome: &Outcome| {
        let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
        told["builds_without_trace"].clone()
    };
    let json =
        |archive: &Path| run(target.command(&["verify", "--json", archive.to_str().unwrap()]));
    let before = without(&json(&archive).succeeds());
    // The same as with a directory.
    let directory = Scene::gitlab();
    run(directory.import_command(archive.to_str().unwrap())).succeeds();
    let as_files =
        run(directory.command(["verify", "--json", archive.to_str().unwrap()])).succeeds();
    assert_eq!(before, without(&as_files));

    storage().put(BUCKET, &format!("{key}2015_10/2/5.log"), b"another");
    storage().put(
        BUCKET,
        &format!("{key}2015_10/2/90.log"),
        &vec![b'y'; 3 << 20],
    );
    storage().remove(BUCKET, &format!("{key}2015_10/2/6.log"));
    storage().put(BUCKET, &format!("{key}2015_10/9/9.log"), b"more");
    target
        .verify(&archive)
        .exits(1)
        .reports("2015_10/2/5.log")
        .reports("2015_10/2/6.log")
        .reports("2015_10/2/90.log");
    storage().remove(BUCKET, &format!("{key}{MANIFEST}"));
    target
        .verify(&archive)
        .exits(1)
        .says("are not complete: they have no manifest.jsonl");
}

#[test]
fn rollback_and_discard_know_it() {
    let target = Target::new("back");
    let source = target.scene.source();
    let first = target.pack("1.tar");
    fs::write(source.join("2015_10/2/5.log"), "of the second").unwrap();
    let second = target.pack("2.tar");
    target.import(&first).succeeds();
    let of_first = target.live();
    target.import(&second).succeeds().reports(&of_first);
    let of_second = target.live();
    assert_ne!(of_first, of_second);
    target.verify(&second).succeeds();
    target.verify(&first).exits(1);

    let rollback = || target.command(&["rollback", "--yes"]);
    run(rollback())
        .succeeds()
        .reports(&format!("the old build traces are back in {of_first}"))
        .reports(&format!(
            "the build traces of the import are now in {of_second}"
        ));
    assert_eq!(target.live(), of_first);
    target.verify(&first).succeeds();
    run(rollback()).succeeds();
    assert_eq!(target.live(), of_second);

    // Where they are must be named, so that nobody else's record decides what is removed.
    let hint = format!("hint: add --builds-path {}", target.builds());
    for path in [None, Some("s3://open/elsewhere")] {
        let mut discard = storage().command(&["discard", "--yes", "--database-url"]);
        discard.arg(target.scene.url());
        discard.args(path.into_iter().flat_map(|path| ["--builds-path", path]));
        run(discard).exits(2).says(&hint);
    }
    assert_eq!(target.live(), of_second);
    run(rollback()).succeeds();
    run(rollback()).succeeds();

    // Without the old traces one can go back, too, if one says so.
    let manifest = format!("{}{MANIFEST}", key_of(&of_first));
    let content = storage().get(BUCKET, &manifest).unwrap();
    storage().remove(BUCKET, &manifest);
    run(rollback())
        .exits(1)
        .says("with an empty object manifest.jsonl there, a rollback goes back without them");
    assert_eq!(target.live(), of_second);
    storage().put(BUCKET, &manifest, b"");
    run(rollback()).succeeds();
    assert_eq!(target.live(), of_first);
    run(rollback()).succeeds();
    storage().put(BUCKET, &manifest, &content);

    target.import(&first).succeeds();
    let last = target.live();
    let before = LiveState::of(&target.scene);
    run(target.command(&["discard", "--yes"]))
        .succeeds()
        .reports(&format!("removed {of_second}"));
    assert_eq!(target.live(), last);
    before.assert_same(&LiveState::of(&target.scene));
    assert!(storage().objects(BUCKET, &key_of(&of_second)).is_empty());
    target.verify(&first).succeeds();
    run(target.command(&["discard", "--yes"]))
        .succeeds()
        .reports("there was nothing to discard");
    run(rollback())
        .exits(2)
        .says("there is nothing to roll back");
    assert_eq!(target.live(), last);

    // A dump has no traces: those that are live stay it, whatever becomes of the dump.
    let dump = target.scene.path("d.sql");
    fs::write(&dump, SMALL_DUMP).unwrap();
    let dump = dump.to_str().unwrap();
    let import = ["--mysql-to-postgresql", "--schema", "other", "--once"];
    let url = target.scene.url();
    run(command(
        [&[dump], &import[..], &["--database-url", &url]].concat(),
    ))
    .succeeds();
    assert_eq!(target.live(), last);
    run(target.command(&["rollback", "--yes"])).succeeds();
    assert_eq!(target.live(), last);
    target.import(&second).succeeds();
    run(target.command(&["rollback", "--yes"])).succeeds();
    assert_eq!(target.live(), last);
}

/// The key of a prefix.
fn key_of(url: &str) -> String {
    url.strip_prefix(&format!("s3://{BUCKET}/"))
        .unwrap()
        .to_owned()
}

#[test]
fn from_a_directory_and_back() {
    let target = Target::new("mixed");
    let archive = target.pack("a.tar");
    run(target.scene.import_command(archive.to_str().unwrap())).succeeds();
    let files = files_below(&target.scene.builds());
    target.import(&archive).succeeds();
    let live = target.live();
    assert_eq!(files_below(&target.scene.builds()), files);
    run(target.command(&["rollback", "--yes"])).succeeds();
    assert_eq!(target.live(), "");
    assert_eq!(files_below(&target.scene.builds()), files);
    run(target.command(&["verify", archive.to_str().unwrap()]))
        .exits(2)
        .says("are live in the target");
    run(target.command(&["rollback", "--yes"])).succeeds();
    assert_eq!(target.live(), live);
    // And the other way: what lies elsewhere stays, and a second discard finds it.
    let into_directory = || {
        let import = target.scene.import_command(archive.to_str().unwrap());
        run(storage().used_by(import, storage().port)).succeeds();
    };
    into_directory();
    assert_eq!(target.live(), "");
    let in_directory = |arguments| {
        let it = target.scene.command(arguments);
        run(storage().used_by(it, storage().port))
    };
    in_directory(["rollback", "--yes"])
        .succeeds()
        .reports(&format!("the old build traces are back in {live}"));
    assert_eq!(target.live(), live);
    target.verify(&archive).succeeds();
    into_directory();
    in_directory(["discard", "--yes"]).succeeds().says(&format!(
        "the traces in {live} stay; ci-import discard with --builds-path {} removes them",
        target.builds()
    ));
    assert!(!storage().objects(BUCKET, &key_of(&live)).is_empty());
    run(target.command(&["discard", "--yes"]))
        .succeeds()
        .reports(&format!("removed {live}"));
    assert_eq!(target.objects(), BTreeMap::new());
    in_directory(["discard", "--yes"])
        .succeeds()
        .reports("there was nothing to discard");
}

/// Directories that were replaced before the traces went to a storage are known until they are removed.
#[test]
fn older_directories_are_not_forgotten() {
    let target = Target::new("older");
    let archive = target.pack("a.tar");
    run(target.scene.import_command(archive.to_str().unwrap())).succeeds();
    let aside = || -> Vec<String> {
        let beside = fs::read_dir(target.scene.builds().parent().unwrap()).unwrap();
        let names = beside.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("builds.1")).collect()
    };
    assert_eq!(aside().len(), 1);
    target.import(&archive).succeeds();
    let directory = target.scene.builds();
    let left = format!(
        "replaced traces beside {0} stay; ci-import discard with --builds-path {0} removes them",
        directory.display()
    );
    run(target.command(&["discard", "--yes"]))
        .succeeds()
        .says(&left);
    target.import(&archive).succeeds();
    let live = target.live();
    assert_eq!(aside().len(), 1);
    let discard = target.scene.command(["discard", "--yes"]);
    run(storage().used_by(discard, storage().port))
        .succeeds()
        .reports("removed")
        .says("stay; ci-import discard with --builds-path s3://");
    assert_eq!(aside(), Vec::<String>::new());
    run(target.command(&["discard", "--yes"]))
        .succeeds()
        .reports("removed s3://");
    assert!(
        target
            .objects()
            .keys()
            .all(|key| key.starts_with(&key_of(&live)))
    );
    target.verify(&archive).succeeds();
}

/// A discard that is killed before it has dropped the tables goes on.
#[test]
fn a_killed_discard_in_mysql_goes_on() {
    let scene = MysqlScene::gitlab();
    let builds = format!("s3://{BUCKET}/traces/killed-discard");
    let archive = scene.archive();
    let archive = archive.to_str().unwrap();
    let it = |arguments: &[&str]| {
        let mut it = storage().command(arguments);
        it.args([
            "--builds-path",
            &builds,
            "--database-url",
            &scene.stage().url,
        ]);
        it
    };
    run(it(&[archive, "--yes"])).succeeds();
    for _ in 0..2 {
        run(it(&["rollback", "--yes"])).succeeds();
    }
    let mut discard = it(&["discard", "--yes"]);
    discard.env("CI_IMPORT_FAILPOINT", "kill:old tables to be dropped");
    assert_eq!(run(discard).code, None);
    run(it(&["discard", "--yes"])).succeeds().reports("removed");
    let tables = format!(
        "SELECT GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = '{}'",
        scene.databases.previous
    );
    assert_eq!(scene.values(&tables), ["ci_import_record"]);
    run(it(&["discard", "--yes"]))
        .succeeds()
        .reports("nothing to discard");
    run(it(&["verify", archive])).succeeds();
}

/// Whoever undoes a publish that was cut off says where its traces are.
#[test]
fn an_undone_publish_in_mysql_names_its_traces() {
    let scene = MysqlScene::gitlab();
    let builds = format!("s3://{BUCKET}/traces/undone");
    let archive = scene.archive();
    let it = |arguments: &[&str]| {
        let mut it = storage().command(arguments);
        it.args([
            "--builds-path",
            &builds,
            "--database-url",
            &scene.stage().url,
        ]);
        it
    };
    let before = MysqlState::of(&scene);
    let import = it(&[archive.to_str().unwrap(), "--yes"]);
    killed_at("new tables in place", import);
    let left = storage().objects(BUCKET, "traces/undone/");
    assert!(left.keys().any(|key| key.ends_with(MANIFEST)), "{left:?}");
    run(it(&["recover"]))
        .succeeds()
        .reports("undid an interrupted publish")
        .says(&format!("has left its traces in {builds}/import-"));
    before.assert_live(&MysqlState::of(&scene), "the recovery");

    // Behind the commit, they are live.
    let import = it(&[archive.to_str().unwrap(), "--yes"]);
    killed_at("committed", import);
    run(it(&["recover"])).succeeds();
    run(it(&["verify", archive.to_str().unwrap()])).succeeds();
}

/// The `import` is killed at this point, and its watchdog has ended.
fn killed_at(point: &str, mut import: Command) {
    import.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
    assert_eq!(run(import).code, None, "{point}");
    // So long it would need.
    std::thread::sleep(Duration::from_secs(3));
}

/// Between the record of what is kept and the end.
#[test]
fn what_is_kept_stays_if_the_program_is_killed() {
    let target = Target::new("kept-killed");
    let archive = target.pack("a.tar");
    target.import(&archive).succeeds();
    let live = target.live();
    let mut holder = target.scene.connect();
    let mut transaction = holder.transaction().unwrap();
    transaction
        .batch_execute("LOCK TABLE ci_runners IN ACCESS SHARE MODE")
        .unwrap();
    let mut import = target.import_command(&archive);
    import.args(["--wait-for-locks", "1"]);
    killed_at("staging kept", import);
    drop(transaction);
    assert_eq!(target.live(), live);
    run(target.command(&["publish", "--yes"])).succeeds();
    assert_ne!(target.live(), live);
    target.verify(&archive).succeeds();
}

#[test]
fn what_fails_leaves_no_object() {
    let target = Target::new("fails");
    let archive = target.pack("a.tar");
    let before = State::of(&target.scene);
    let nothing_is_left = |what: &str| {
        assert_eq!(target.objects(), BTreeMap::new(), "{what}");
        let uploads = storage().open_uploads(BUCKET, &target.root);
        assert_eq!(uploads, Vec::<String>::new(), "{what}");
        before.assert_same(&State::of(&target.scene));
    };
    let cut = target.scene.path("cut.tar");
    let whole = fs::read(&archive).unwrap();
    fs::write(&cut, &whole[..whole.len() - 3000]).unwrap();
    target.import(&cut).exits(3);
    nothing_is_left("a cut archive");

    // The same path twice.
    let twice = target.scene.path("twice.tar");
    let trace: (&[u8], _, &[u8]) = (b"2015_10/2/5.log", EntryType::Regular, b"one");
    let traces = tar(&[trace, trace], false);
    fs::write(&twice, packed(&traces, &fixture_dump(Dialect::Native))).unwrap();
    target.import(&twice).exits(3).says("twice");
    nothing_is_left("a trace twice");

    // One answer never comes: its request is given up and done again, though the object may be there.
    for after in [500, 2000, 4000, 6000] {
        let line = BadLine::to(storage().port, Fault::OneSilentAfter(after));
        let mut import = target.import_command(&archive);
        import.args(["--storage-timeout", "9"]);
        run(storage().used_by(&mut import, line.port)).succeeds();
        assert!(line.happened(), "{after}");
        target.verify(&archive).succeeds();
    }

    // Answers are lost: all is there once.
    let line = BadLine::to(storage().port, Fault::BreaksOnce(3000));
    let mut import = target.import_command(&archive);
    run(storage().used_by(&mut import, line.port)).succeeds();
    assert!(line.happened());
    target.verify(&archive).succeeds();
}

#[test]
fn a_signal_leaves_no_object() {
    for (name, signal) in [("int", Signal::INT), ("term", Signal::TERM)] {
        let target = Target::new(&format!("signal-{name}"));
        for build in 1000..2000 {
            fs::write(
                target.scene.source().join(format!("2015_10/2/{build}.log")),
                name,
            )
            .unwrap();
        }
        let archive = target.pack("a.tar");
        let before = State::of(&target.scene);
        let line = BadLine::to(storage().port, Fault::Late(Duration::from_millis(40)));
        let mut import = target.import_command(&archive);
        let import = storage().used_by(&mut import, line.port);
        let child = import.spawn().unwrap();
        let waiting = Instant::now();
        while target.objects().len() < 100 {
            assert!(waiting.elapsed() < Duration::from_secs(60), "nothing began");
            std::thread::sleep(Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        finish(child, format!("{import:?}")).exits(130);
        assert_eq!(target.objects(), BTreeMap::new());
        let uploads = storage().open_uploads(BUCKET, &target.root);
        assert_eq!(uploads, Vec::<String>::new());
        before.assert_same(&State::of(&target.scene));
    }
}

/// The watchdog of an import that is killed removes its objects, also those of a large trace that is on its way.
#[test]
fn a_killed_import_leaves_no_object() {
    let target = Target::new("watched");
    let first = target.pack("first.tar");
    target.import(&first).succeeds();
    let (live, before) = (target.live(), target.objects());
    let folder = target.scene.source().join("2015_12/2");
    fs::create_dir_all(&folder).unwrap();
    for build in 0..300 {
        fs::write(folder.join(format!("{build}.log")), "small").unwrap();
    }
    fs::write(folder.join("1000.log"), vec![b'x'; 40 << 20]).unwrap();
    let archive = target.pack("a.tar");
    let is_gone = |what: &str| {
        let killed = Instant::now();
        loop {
            let uploads = storage().open_uploads(BUCKET, &target.root);
            if uploads.is_empty() && target.objects() == before {
                break;
            }
            assert!(killed.elapsed() < Duration::from_secs(30), "{what}");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(target.live(), live, "{what}");
        target.verify(&first).succeeds();
    };
    let mut import = target.import_command(&archive);
    import.env("CI_IMPORT_FAILPOINT", "kill:traces written");
    assert_eq!(run(import).code, None);
    is_gone("when they were written");

    let slow = BadLine::to(storage().port, Fault::Late(Duration::from_millis(40)));
    for most in [50, 250] {
        let mut import = target.import_command(&archive);
        let mut child = storage().used_by(&mut import, slow.port).spawn().unwrap();
        let begun = Instant::now();
        while target.objects().len() < before.len() + most {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing began");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        is_gone("in the middle");
    }
}

/// What may be live is not removed. It is told, and what is live stays.
#[test]
fn an_import_that_is_killed_in_its_publish_is_told_later() {
    let target = Target::new("killed");
    let archive = target.pack("a.tar");
    target.import(&archive).succeeds();
    let live = target.live();
    let import = target.import_command(&archive);
    killed_at("live tables locked", import);
    run(target.command(&["recover"]))
        .succeeds()
        .says("has traces that this target does not know");
    let check = target.command(&["check", archive.to_str().unwrap(), "--mysql-to-postgresql"]);
    run(check)
        .succeeds()
        .reports("has the traces of 2 imports, which stay");
    assert_eq!(target.live(), live);
    target.verify(&archive).succeeds();
    target.import(&archive).succeeds();
    target.verify(&archive).succeeds();

    // After the commit, they are live.
    let live = target.live();
    let import = target.import_command(&archive);
    killed_at("published", import);
    assert_ne!(target.live(), live);
    target.verify(&archive).succeeds();
}

#[test]
fn what_others_hold_up_is_kept_in_the_storage() {
    let target = Target::new("kept");
    let archive = target.pack("a.tar");
    target.import(&archive).succeeds();
    let live = target.live();
    let keep = || {
        let mut holder = target.scene.connect();
        let mut transaction = holder.transaction().unwrap();
        transaction
            .batch_execute("LOCK TABLE ci_runners IN ACCESS SHARE MODE")
            .unwrap();
        let mut import = target.import_command(&archive);
        run(import.args(["--wait-for-locks", "1"]))
            .exits(4)
            .says("and is kept");
    };
    keep();
    assert_eq!(target.live(), live);
    let before = target.objects();
    run(target.command(&["publish", "--yes"])).succeeds();
    assert_ne!(target.live(), live);
    assert_eq!(target.objects(), before);
    target.verify(&archive).succeeds();

    // An import drops what is kept, a discard, too.
    for discards in [true, false] {
        keep();
        let with_kept = target.objects().len();
        if discards {
            run(target.command(&["discard", "--yes"])).succeeds();
            let live = target.live_key();
            assert!(target.objects().keys().all(|key| key.starts_with(&live)));
        } else {
            target.import(&archive).succeeds();
            assert_eq!(target.objects().len(), with_kept);
        }
        target.verify(&archive).succeeds();
    }
}

#[test]
fn once_looks_at_the_manifest() {
    let target = Target::new("once");
    let archive = target.pack("a.tar");
    let once = || {
        let mut import = target.import_command(&archive);
        run(import.arg("--once"))
    };
    once().succeeds();
    let live = target.live();
    once().succeeds().reports("nothing was done");
    assert_eq!(target.live(), live);
    storage().remove(BUCKET, &format!("{}{MANIFEST}", target.live_key()));
    once().succeeds();
    assert_ne!(target.live(), live);
    target.verify(&archive).succeeds();
}

/// Nobody knows whether the publish was committed: what may be live is not removed.
#[test]
fn an_unclear_publish_keeps_the_traces() {
    let target = Target::new("unclear");
    let archive = target.pack("a.tar");
    target.import(&archive).succeeds();
    let before = target.live();
    let mut server = OwnServer::start();
    let scene = Scene::gitlab_on(&server.directory);
    let mut import = storage().command(&[archive.to_str().unwrap(), "--mysql-to-postgresql"]);
    import.args([
        "--yes",
        "--builds-path",
        &target.builds(),
        "--database-url",
        &scene.url(),
    ]);
    let paused = Paused::at(import, "to be committed");
    server.kill();
    paused.finish().exits(6).says("; its traces stay in s3://");
    let mut prefixes: Vec<String> = target
        .objects()
        .into_keys()
        .filter(|key| key.ends_with(MANIFEST))
        .collect();
    prefixes.retain(|key| !key.starts_with(&key_of(&before)));
    assert_eq!(prefixes.len(), 1, "{prefixes:?}");
}

#[test]
fn a_bucket_itself_may_be_the_place() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let it = |arguments: &[&str]| {
        let mut it = storage().command(arguments);
        it.args(["--builds-path", "S3://open", "--database-url", &scene.url()]);
        run(it)
    };
    let archive = archive.to_str().unwrap();
    it(&[archive, "--mysql-to-postgresql", "--yes"]).succeeds();
    it(&["verify", archive]).succeeds();
    it(&[archive, "--mysql-to-postgresql", "--yes"]).succeeds();
    it(&["rollback", "--yes"]).succeeds();
    it(&["discard", "--yes"])
        .succeeds()
        .reports("removed s3://open/import-");
    it(&["verify", archive]).succeeds();
}

/// Somebody writes a record of what is kept that names what is live.
#[test]
fn a_strangers_record_removes_nothing() {
    let target = Target::new("stranger");
    let archive = target.pack("a.tar");
    target.import(&archive).succeeds();
    let live = target.live();
    let kept = serde_json::json!({
        "program": "0", "input": "a", "loaded_at": "now", "is_backup": true, "schema": "public", "tables": [],
        "traces": {"files": 1, "bytes": 1, "prefix": live}, "replace": false, "ignore_target_version": false,
        "strict": false, "report": {},
    });
    let mark = "staging of ci-import";
    let eve = format!("eve_{}", target.scene.database);
    let record = |owner: &str| {
        target.scene.execute(&format!(
            "DROP SCHEMA IF EXISTS ci_import_staging; CREATE SCHEMA ci_import_staging AUTHORIZATION {owner};
             COMMENT ON SCHEMA ci_import_staging IS E'{mark}\\n{kept}'"
        ));
    };
    target.scene.execute(&format!("CREATE ROLE {eve}"));
    record(&eve);
    let objects = target.objects();
    target
        .import(&archive)
        .exits(4)
        .says(&format!("has the owner {eve}"));
    assert_eq!(target.objects(), objects);
    target.scene.execute("DROP SCHEMA ci_import_staging");
    target.scene.execute(&format!("DROP ROLE {eve}"));
    // One's own may be wrong, too.
    record("CURRENT_USER");
    target.import(&archive).succeeds().says("are not removed");
    assert!(objects.keys().all(|key| target.objects().contains_key(key)));
}

#[test]
fn into_mysql_too() {
    let scene = MysqlScene::gitlab();
    let root = "traces/mysql";
    let builds = format!("s3://{BUCKET}/{root}");
    let archive = scene.archive();
    let archive = archive.to_str().unwrap();
    let it = |arguments: &[&str]| {
        let mut it = storage().command(arguments);
        it.args([
            "--builds-path",
            &builds,
            "--database-url",
            &scene.stage().url,
        ]);
        it
    };
    let live = || {
        let sql = sql_of_the_book("ci_import_record");
        let of_book = "gitlabhq_production_ci_import_previous";
        scene.values(&sql.replace(of_book, &scene.databases.previous))[0].clone()
    };
    run(it(&[archive, "--yes"])).succeeds();
    let first = live();
    run(it(&[archive, "--yes"])).succeeds().reports(&first);
    let second = live();
    assert_ne!(first, second);
    run(it(&["verify", archive])).succeeds();
    run(it(&["rollback", "--yes"])).succeeds().reports(&first);
    assert_eq!(live(), first);
    run(it(&["verify", archive])).succeeds();
    let before = MysqlState::of(&scene);
    run(it(&["discard", "--yes"]))
        .succeeds()
        .reports(&format!("removed {second}"));
    assert_eq!(live(), first);
    before.assert_live(&MysqlState::of(&scene), "the discard");
    assert!(storage().objects(BUCKET, &key_of(&second)).is_empty());
    run(it(&["discard", "--yes"]))
        .succeeds()
        .reports("nothing to discard");
    run(it(&["verify", archive])).succeeds();
    run(it(&[archive, "--yes"])).succeeds();
    run(it(&["rollback", "--yes"])).succeeds();
    assert_eq!(live(), first);
}

#[test]
fn where_only_a_directory_will_do_it_is_said() {
    let target = Target::new("refused");
    let archive = target.pack("a.tar");
    let mut import = target.import_command(&archive);
    run(import.args(["--builds-owner", "root"]))
        .exits(2)
        .says("--builds-owner: objects in a storage have no owner");
    let builds = target.builds();
    for arguments in [
        vec!["fresh", "--yes"],
        vec![
            "backup",
            "--ci-version",
            "8.0.5",
            "--database-url",
            "mysql:///x",
        ],
    ] {
        run(command(arguments).args(["--builds-path", &builds]))
            .exits(2)
            .says("--builds-path: it is not a directory");
    }
    let archive = archive.to_str().unwrap();
    let with = |builds: &str| {
        let mut it = storage().command(&[archive, "--mysql-to-postgresql", "--yes"]);
        it.args(["--builds-path", builds, "--database-url"]);
        it.arg(target.scene.url());
        it.env("AWS_ACCESS_KEY_ID", WRITER.0);
        it.env("AWS_SECRET_ACCESS_KEY", WRITER.1);
        run(it)
    };
    with("https://localhost/traces")
        .exits(2)
        .says("a web server takes no traces");
    with("s3://nowhere/traces")
        .exits(2)
        .says("cannot write s3://nowhere/traces/import-");
}
