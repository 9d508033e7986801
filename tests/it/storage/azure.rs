//! Azure's protocol, as Azurite speaks it. scripts/test-azurite runs these.

use std::fs;
use std::time::{Duration, Instant};

use super::large_dump;
use crate::support::azurite::{CONTAINER, azurite};
use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};

#[test]
#[ignore = "scripts/test-azurite runs it"]
fn what_is_read_and_written_is_what_files_have() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("d.sql");
    let converted = folder.path().join("converted.sql");
    let content = large_dump(20);
    fs::write(&dump, &content).unwrap();
    let (dump, converted) = (dump.to_str().unwrap(), converted.to_str().unwrap());
    run(command(["convert", "-q", dump, "-o", converted])).succeeds();
    let expected = fs::read(converted).unwrap();

    azurite().put("in/d.sql", &content);
    let (from, to) = (
        format!("az://{CONTAINER}/in/d.sql"),
        format!("az://{CONTAINER}/out/d.sql"),
    );
    let convert = |more: &[&str]| {
        let mut convert = azurite().command(&["convert", "-q", &from, "-o", &to]);
        run(convert.args(more))
    };
    convert(&[]).succeeds();
    assert!(azurite().get("out/d.sql") == expected);
    convert(&[]).exits(2).says("exists");
    convert(&["--overwrite"]).succeeds();
    assert!(azurite().get("out/d.sql") == expected);
    run(azurite().command(&["inspect", &from])).succeeds();

    run(azurite().denied(&["inspect", &from]))
        .exits(2)
        .says("the storage refuses: AuthorizationFailure");
    run(azurite().command(&["inspect", "az://nobody/d.sql"]))
        .exits(2)
        .says("there is no such bucket");
    let missing = format!("az://{CONTAINER}/in/missing.sql");
    run(azurite().command(&["inspect", &missing])).says("there is no such object");
}

#[test]
#[ignore = "scripts/test-azurite runs it"]
fn an_import_with_its_traces() {
    let scene = Scene::gitlab();
    // One is empty, one is sent in parts.
    let folder = scene.source().join("2015_12/3");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("1.log"), "").unwrap();
    fs::write(folder.join("2.log"), vec![b'x'; 20 << 20]).unwrap();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let name = archive.file_name().unwrap().to_str().unwrap();
    azurite().put(&format!("archives/{name}"), &fs::read(&archive).unwrap());
    let of = |arguments: &[&str]| {
        let mut it = azurite().command(arguments);
        it.args(["--builds-path", &format!("az://{CONTAINER}/traces")]);
        it.args(["--database-url", &scene.url()]);
        it
    };
    // A prefix is a folder of archives.
    let from = format!("az://{CONTAINER}/archives/");
    let import = [&*from, "--mysql-to-postgresql", "--yes", "--verify", "full"];
    run(of(&import)).succeeds();
    let first = azurite().keys("traces/", true);
    assert!(first.iter().any(|key| key.ends_with("/manifest.jsonl")));
    run(of(&["verify", &from])).succeeds().reports("all agree");
    run(of(&import)).succeeds();
    run(of(&["verify", archive.to_str().unwrap()])).succeeds();
    run(of(&["rollback", "--yes"])).succeeds();
    run(of(&["verify", &from])).succeeds();
    run(of(&["discard", "--yes"])).succeeds();
    assert_eq!(azurite().keys("traces/", true), first);
    run(of(&["recover"])).succeeds();

    let mut killed = of(&import);
    killed.env("CI_IMPORT_FAILPOINT", "kill:traces written");
    assert_eq!(run(killed).code, None);
    let since = Instant::now();
    while azurite().keys("traces/", false) != first {
        assert!(since.elapsed() < Duration::from_secs(20), "they are left");
        std::thread::sleep(Duration::from_millis(50));
    }
    run(of(&["verify", &from])).succeeds();
}
