//! Whoever owns a directory above the traces, or beside them, does not steer the importer.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::paused::Paused;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::two_users::{EVE, need_root};

/// An import by root into a directory that belongs to somebody else.
struct Ground {
    scene: Scene,
    archive: PathBuf,
}

impl Ground {
    /// Eve's directory, in which the builds directory is.
    fn of_eve() -> Ground {
        need_root();
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        fs::set_permissions(scene.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let ground = Ground { scene, archive };
        fs::DirBuilder::new()
            .mode(0o755)
            .create(ground.home())
            .unwrap();
        fs::create_dir_all(ground.builds().join("2014_01")).unwrap();
        for path in [
            ground.home(),
            ground.gitlab(),
            ground.builds(),
            ground.builds().join("2014_01"),
        ] {
            chown(path, Some(EVE), Some(EVE)).unwrap();
        }
        // What is root's, and what Eve wants.
        fs::create_dir_all(ground.roots().join("builds/kept")).unwrap();
        ground
    }

    fn home(&self) -> PathBuf {
        self.scene.path("eve")
    }

    fn gitlab(&self) -> PathBuf {
        self.home().join("gitlab")
    }

    fn builds(&self) -> PathBuf {
        self.gitlab().join("builds")
    }

    fn roots(&self) -> PathBuf {
        self.scene.path("root")
    }

    fn command<const COUNT: usize>(&self, arguments: [&str; COUNT]) -> Command {
        let mut it = command(arguments);
        it.arg("--builds-path").arg(self.builds());
        it.arg("--database-url").arg(self.scene.url());
        it
    }

    fn import(&self) -> Command {
        self.command([
            self.archive.to_str().unwrap(),
            "--mysql-to-postgresql",
            "--yes",
        ])
    }

    /// Nothing of root's was touched, and nothing was left there.
    #[track_caller]
    fn assert_untouched(&self, outcome: &Outcome) {
        let mut names: Vec<_> = fs::read_dir(self.roots())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["builds"], "{}", outcome.whole());
        let inside = fs::read_dir(self.roots().join("builds")).unwrap();
        let inside: Vec<_> = inside.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(inside, ["kept"], "{}", outcome.whole());
        assert_eq!(fs::metadata(self.roots()).unwrap().uid(), 0);
    }
}

/// Does `work` as Eve would.
fn as_eve(script: &str) {
    let mut sh = Command::new("setpriv");
    sh.args([
        "--clear-groups",
        &format!("--reuid={EVE}"),
        &format!("--regid={EVE}"),
    ]);
    let done = sh.args(["sh", "-ec", script]).output().unwrap();
    assert!(
        done.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn root_works_with_the_rights_of_the_directory_s_owner() {
    let ground = Ground::of_eve();
    run(ground.import()).succeeds();
    let mut pending = vec![ground.builds()];
    while let Some(path) = pending.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid()), (EVE, EVE), "{}", path.display());
        if found.is_dir() {
            pending.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
    let beside = fs::read_dir(ground.gitlab()).unwrap();
    let mut beside: Vec<String> = beside
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    beside.sort();
    assert!(
        beside.len() == 2 && beside[0] == "builds" && beside[1].starts_with("builds.1"),
        "{beside:?}"
    );
    run(ground.command(["rollback", "--yes"])).succeeds();
    assert!(ground.builds().join("2014_01").exists());
    run(ground.command(["discard", "--yes"])).succeeds();
}

/// At each of these points Eve puts a link into the place of what the importer has just made, or of a directory above.
#[test]
fn links_in_the_place_of_directories_lead_nowhere() {
    let ground = Ground::of_eve();
    for point in [
        "directory made",
        "staging directory made",
        "trace begun",
        "staged",
        "to be published",
        "journal begun",
        "journal written",
        "old directory aside",
    ] {
        for above in [false, true] {
            let paused = Paused::at(ground.import(), point);
            let (gitlab, roots) = (ground.gitlab(), ground.roots());
            let (gitlab, roots) = (gitlab.display(), roots.display());
            if above {
                as_eve(&format!(
                    "cd '{gitlab}/..'; mv gitlab away; ln -s '{roots}' gitlab"
                ));
            } else {
                as_eve(&format!(
                    "cd '{gitlab}'; for d in builds.ci_import_staging.*; do mv $d ../away; ln -s '{roots}' $d; done"
                ));
            }
            let outcome = paused.finish();
            ground.assert_untouched(&outcome);
            as_eve(&format!(
                "cd '{gitlab}/..'; if test -L gitlab; then rm gitlab; mv away gitlab; else rm -rf away; fi
                 cd gitlab; find . -maxdepth 1 -type l -delete; test -d builds || mkdir builds"
            ));
            let recovered = run(ground.command(["recover"]));
            ground.assert_untouched(&recovered);
            recovered.succeeds();
        }
    }
}

#[test]
fn a_directory_that_belongs_to_several_is_refused() {
    let ground = Ground::of_eve();
    chown(ground.home(), Some(EVE + 1), Some(EVE)).unwrap();
    run(ground.import())
        .exits(2)
        .says("belong to different users (4321 and 4322)");
    chown(ground.home(), Some(EVE), Some(EVE)).unwrap();
    chown(ground.builds(), Some(EVE + 1), Some(EVE)).unwrap();
    run(ground.import())
        .exits(2)
        .says("who cannot give files away");
    chown(ground.builds(), Some(EVE), Some(EVE)).unwrap();
    fs::set_permissions(ground.home(), fs::Permissions::from_mode(0o777)).unwrap();
    run(ground.import())
        .exits(2)
        .says("everybody may rename what is in");
    // A link of Eve's leads to root's directory.
    fs::set_permissions(ground.home(), fs::Permissions::from_mode(0o755)).unwrap();
    let (gitlab, roots) = (ground.gitlab(), ground.roots());
    as_eve(&format!(
        "cd '{0}/..'; mv gitlab away; ln -s '{1}' gitlab",
        gitlab.display(),
        roots.display()
    ));
    let outcome = run(ground.import())
        .exits(2)
        .says("who cannot give files away");
    ground.assert_untouched(&outcome);
    fs::rename(ground.roots().join("builds"), ground.home().join("builds")).unwrap();
    let outcome = run(ground.import())
        .exits(1)
        .says("with the rights of the user 4321");
    fs::rename(ground.home().join("builds"), ground.roots().join("builds")).unwrap();
    ground.assert_untouched(&outcome);
}

/// A name, what is put there, the exit code, and what is said.
type Put<'a> = (&'a str, &'a dyn Fn(&Path), i32, &'a str);

/// What lies in the place of a journal, of a lock or of a leftover neither hangs an import nor fills the memory, nor has
/// anything else renamed.
#[test]
fn what_others_put_beside_the_directory_is_not_believed() {
    need_root();
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let import = || run(scene.import_command(archive.to_str().unwrap()));
    let beside = |name: &str| scene.builds().with_file_name(name);
    fs::create_dir(beside("precious")).unwrap();
    let names = |name: &str| format!("{:?}", name.as_bytes());
    let journal = |staged: &str, previous: &str| {
        format!(
            "{{\"staged\":{staged},\"previous\":{previous},\"transaction\":\"1\",\"database\":\"x\"}}"
        )
    };
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let endless = |path: &Path| symlink("/dev/zero", path).unwrap();
    let forged = |path: &Path| {
        fs::write(path, journal(&names("precious"), &names("builds.1"))).unwrap();
    };
    let outside = |path: &Path| {
        fs::write(
            path,
            journal(&names("builds.ci_import_staging.1/../x"), "null"),
        )
        .unwrap();
    };
    let of_all = |path: &Path| {
        fs::write(path, journal("null", "null")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    };
    let of_eve = |path: &Path| {
        fs::write(path, journal("null", "null")).unwrap();
        chown(path, Some(EVE), None).unwrap();
    };
    let large = |path: &Path| {
        fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
    };
    let puts: [Put; 10] = [
        (
            "builds.ci_import_journal",
            &pipe,
            6,
            "it is not a regular file",
        ),
        (
            "builds.ci_import_journal",
            &endless,
            6,
            "it is not a regular file",
        ),
        ("builds.ci_import_journal", &forged, 6, "it is damaged"),
        ("builds.ci_import_journal", &outside, 6, "it is damaged"),
        (
            "builds.ci_import_journal",
            &of_all,
            6,
            "others may write to it",
        ),
        ("builds.ci_import_journal", &large, 6, "it is too long"),
        (
            "builds.ci_import_lock",
            &pipe,
            1,
            "it is not a regular file",
        ),
        (
            "builds.ci_import_lock",
            &endless,
            1,
            "it is not a regular file",
        ),
        (
            "builds.ci_import_journal",
            &of_eve,
            6,
            "it belongs to the user 4321",
        ),
        (
            "builds.ci_import_lock",
            &of_eve,
            1,
            "it belongs to the user 4321",
        ),
    ];
    for (name, put, code, says) in puts {
        put(&beside(name));
        import().exits(code).says(says);
        run(scene.command(["recover"])).exits(code).says(says);
        assert!(beside("precious").exists());
        fs::remove_file(beside(name)).unwrap();
    }
    // A leftover that is none does not hinder.
    pipe(&beside("builds.ci_import_staging.1"));
    endless(&beside("builds.ci_import_staging.2"));
    import().succeeds();
}

/// Two databases share a builds directory: one import at a time.
#[test]
fn imports_into_two_databases_exclude_each_other_at_their_directory() {
    let (scene, other) = (Scene::gitlab(), Scene::gitlab());
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let shown = archive.to_str().unwrap();
    let into_other = |arguments: &[&str]| {
        let mut it = command(arguments);
        it.arg("--builds-path").arg(scene.builds());
        it.arg("--database-url").arg(other.url());
        run(it)
    };
    let what = "another import into the builds directory";
    let paused = Paused::at(scene.import_command(shown), "staged");
    let import = [shown, "--mysql-to-postgresql", "--yes"];
    into_other(&import).exits(4).says(what);
    into_other(&["recover"]).exits(4).says(what);
    into_other(&["check", shown, "--mysql-to-postgresql"])
        .exits(4)
        .reports(what);
    // For the same database it is as before.
    scene
        .import(&archive)
        .exits(4)
        .says("another import into this database");
    paused.finish().succeeds();
    let beside = fs::read_dir(scene.builds().parent().unwrap()).unwrap();
    let lock = beside.filter(|e| {
        e.as_ref()
            .unwrap()
            .path()
            .to_string_lossy()
            .ends_with("lock")
    });
    assert_eq!(lock.count(), 0);
    into_other(&import).succeeds();
}
