//! A disk runs full: that of the builds directory, that of the server's log, that of its tables. The
//! import fails and says why; the old state is there, whole, and with room again the next import works.

use std::fmt::Write as _;
use std::fs;

use crate::support::archives::{archive, small_traces};
use crate::support::own_server::{OwnServer, Small};
use crate::support::paused::Paused;
use crate::support::program::{Outcome, run};
use crate::support::scene::Scene;
use crate::support::snapshot::Snapshot;
use crate::support::two_archives::{TwoArchives, assert_nothing_left};

/// Runs the import of the archive that is not live; from `point` on its disk is full.
fn import_on_full_disk(target: &TwoArchives, point: &str) -> Outcome {
    let paused = Paused::at(target.import_other(), point);
    let disk = target.scene.disk.as_ref().unwrap();
    disk.fill();
    let outcome = paused.finish();
    disk.free();
    outcome
}

#[test]
fn the_disk_of_the_builds_directory() {
    let mut target = TwoArchives::imported_into(Scene::gitlab_with_small_disk(16));
    for (point, message) in [
        ("trace begun", "cannot write the trace "),
        ("steps done", "cannot write the journal "),
        ("journal begun", "cannot write the journal "),
    ] {
        import_on_full_disk(&target, point)
            .exits(1)
            .says(message)
            .says("hint: free some space and run it again");
        target.assert_whole(point);
    }
    // Directories are renamed, and the journal removed, without more room.
    for point in ["journal whole", "journal written", "old directory aside"] {
        import_on_full_disk(&target, point).succeeds();
        target.published();
        target.assert_whole(point);
    }
    run(target.import_other()).succeeds();
    target.published();
    target.assert_whole("all that");
}

/// Nor does `recover` need room.
#[test]
fn a_recovery_on_a_full_disk() {
    let target = TwoArchives::imported_into(Scene::gitlab_with_small_disk(16));
    let mut import = target.import_other();
    import.env("CI_IMPORT_FAILPOINT", "kill:new directory in place");
    assert_eq!(run(import).code, None);
    let disk = target.scene.disk.as_ref().unwrap();
    disk.fill();
    target.recover();
    disk.free();
    target.assert_whole("the kill");
}

/// A dump with so many mebibytes of rows that no compression makes smaller.
fn large_dump(mebibytes: usize) -> Vec<u8> {
    let mut dump = String::from(
        "-- MySQL dump 10.13\nCREATE TABLE `ci_web_hooks` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  \
         `url` varchar(255) NOT NULL,\n  `project_id` int(11) NOT NULL,\n  PRIMARY KEY (`id`),\n  \
         KEY `by_url` (`url`)\n) ENGINE=InnoDB;\n",
    );
    let mut random = fastrand::Rng::with_seed(1);
    let mut id = 0;
    for _ in 0..mebibytes {
        dump += "INSERT INTO `ci_web_hooks` VALUES ";
        for number in 0..4096 {
            id += 1;
            let comma = if number == 0 { "" } else { "," };
            write!(dump, "{comma}({id},'").unwrap();
            dump.extend((0..240).map(|_| random.alphanumeric()));
            dump += "',1)";
        }
        dump += ";\n";
    }
    dump += "-- Dump completed\n";
    dump.into_bytes()
}

/// A target on a server of its own, of which something is on a small disk.
struct Cramped {
    server: OwnServer,
    scene: Scene,
}

impl Cramped {
    fn new(small: Small) -> Cramped {
        let server = OwnServer::start_with_small_disk(small, 100);
        let scene = Scene::gitlab_on(&server.directory);
        let path = scene.path("large.tar");
        fs::write(path, archive(&small_traces(), &large_dump(8))).unwrap();
        // Sequences that were asked for numbers shortly before a crash jump ahead, as ever.
        scene.connect().batch_execute("CHECKPOINT").unwrap();
        Cramped { server, scene }
    }

    /// Imports; from `point` on the disk is full.
    fn import_on_full_disk(&self, point: &str) -> Outcome {
        let path = self.scene.path("large.tar");
        let import = self.scene.import_command(path.to_str().unwrap());
        let paused = Paused::at(import, point);
        let disk = self.server.disk.as_ref().unwrap();
        disk.fill();
        let outcome = paused.finish();
        disk.free();
        outcome
    }

    /// The old state is there, and an import that has room works.
    fn is_as_before(&self, old: &Snapshot) {
        run(self.scene.command(["recover"])).succeeds();
        let difference = old.difference(&Snapshot::of(&self.scene));
        assert!(difference.is_empty(), "{difference}");
        assert_nothing_left(&self.scene, 0, "the disk was full");
        self.scene.import(&self.scene.path("large.tar")).succeeds();
        let rows = self.scene.value("SELECT count(*) FROM ci_web_hooks");
        assert_eq!(rows, (8 * 4096).to_string());
    }
}

#[test]
fn the_disk_of_the_servers_log() {
    let mut cramped = Cramped::new(Small::Log);
    let old = Snapshot::of(&cramped.scene);
    // The server gives up then, whole; it cannot even begin anew while its disk is full. A session may have
    // been told why before that.
    let outcome = cramped
        .import_on_full_disk("table created")
        .exits(4)
        .says("ci-import: error: ");
    if outcome.stderr.contains("No space left on device") {
        outcome.says("hint: free some space on the target server, then run it again");
    } else {
        outcome.says("look at the target server's log, then run it again");
    }
    cramped.server.restart();
    cramped.is_as_before(&old);
}

#[test]
fn the_disk_of_the_servers_tables() {
    let cramped = Cramped::new(Small::Tables);
    let old = Snapshot::of(&cramped.scene);
    for point in ["table created", "index to be built"] {
        cramped
            .import_on_full_disk(point)
            .exits(4)
            .says("No space left on device")
            .says("hint: ");
    }
    cramped.is_as_before(&old);
}
