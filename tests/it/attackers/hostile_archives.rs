//! Hostile archives: paths, links, SQL and names that would do harm if they were followed, executed or
//! pasted. Most are refused; what is harmless is imported, and nothing of it was executed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tar::EntryType;

use crate::support::archives::{
    END, INFORMATION, SMALL_DUMP, archive, entry, gzip, long_entry, members, pax_entry, tar,
};
use crate::support::program::{run_watched, surplus};
use crate::support::state::pg_dump;
use crate::support::unwelcome::{BUDGET, Case, Ground, count_different};

const REGULAR: EntryType = EntryType::Regular;

/// The groups of what is refused, each a test of its own. `bait` is where nothing must be put.
const GROUPS: [fn(&Path) -> Vec<Case>; 6] = [
    paths,
    links_and_devices,
    files_that_are_there_twice,
    members_of_the_archive,
    statements,
    definitions_and_values,
];

#[test]
fn there_are_more_than_forty() {
    let bait = Path::new("/nowhere/bait");
    let cases: Vec<Case> = GROUPS.iter().flat_map(|group| group(bait)).collect();
    let count = count_different(&cases);
    println!("{count} hostile archives are refused");
    assert!(count >= 40, "{count}");
}

#[track_caller]
fn refuses(group: fn(&Path) -> Vec<Case>) {
    let ground = Ground::new();
    ground.refuses(&group(&ground.bait()));
}

#[test]
fn paths_that_lead_elsewhere() {
    refuses(paths);
}

#[test]
fn links_devices_and_their_like() {
    refuses(links_and_devices);
}

#[test]
fn names_that_are_there_twice() {
    refuses(files_that_are_there_twice);
}

#[test]
fn an_archive_of_hostile_members() {
    refuses(members_of_the_archive);
}

#[test]
fn statements_that_would_do_harm() {
    refuses(statements);
}

#[test]
fn definitions_and_values_that_would_do_harm() {
    refuses(definitions_and_values);
}

/// An archive with these entries of traces.
fn with_traces(entries: &[Vec<u8>]) -> Vec<u8> {
    let traces = [entries.concat(), END.to_vec()].concat();
    archive(&traces, SMALL_DUMP)
}

fn file(name: &[u8]) -> Vec<u8> {
    entry(name, REGULAR, b"x", |_| ())
}

fn refused(name: &str, why: &str) -> String {
    format!("builds/builds.tar.gz: the member {name:?} is refused: {why}")
}

fn paths(bait: &Path) -> Vec<Case> {
    let absolute = bait.join("x").into_os_string().into_encoded_bytes();
    let doubled = [b"/", absolute.as_slice()].concat();
    let leads_out = "its name has a part \"..\"";
    let mut cases = Vec::new();
    for name in [
        "..",
        "../x",
        "../bait/x",
        "../../bait/x",
        "./../../bait/x",
        "a/../../../bait/x",
        "2015_10/1/../../../../bait/x",
        "a/..",
        "a/b/../c",
        "\u{1b}[2J/../../bait/x",
        "-rf/../../bait/x",
    ] {
        let says = refused(name, leads_out);
        cases.push(Case::new(
            name,
            with_traces(&[file(name.as_bytes())]),
            3,
            says,
        ));
    }
    for (what, name) in [("absolute", &absolute), ("absolute twice", &doubled)] {
        let bytes = with_traces(&[file(name)]);
        cases.push(Case::new(
            what,
            bytes,
            3,
            "is refused: its name is absolute",
        ));
    }
    let directory = entry(b"../../bait/d/", EntryType::Directory, b"", |_| ());
    let says = refused("../../bait/d/", leads_out);
    cases.push(Case::new(
        "a directory outside",
        with_traces(&[directory]),
        3,
        says,
    ));
    let root = entry(b"/", EntryType::Directory, b"", |_| ());
    let says = refused("/", "its name is absolute");
    cases.push(Case::new("the root", with_traces(&[root]), 3, says));

    let long = long_entry(b"../../bait/long\0", REGULAR, b"x");
    let says = refused("../../bait/long", leads_out);
    cases.push(Case::new(
        "a long name outside",
        with_traces(&[long]),
        3,
        says,
    ));
    let pax = pax_entry(b"../../bait/pax", REGULAR, b"x");
    let says = refused("../../bait/pax", leads_out);
    cases.push(Case::new(
        "an extended name outside",
        with_traces(&[pax]),
        3,
        says,
    ));
    // The long name is the one that counts, whatever the extended header before it says.
    let mut both = pax_entry(b"inside", REGULAR, b"");
    both.truncate(2 * crate::support::archives::BLOCK);
    both.extend(long_entry(b"../../bait/both\0", REGULAR, b"x"));
    let says = refused("../../bait/both", leads_out);
    cases.push(Case::new("two names", with_traces(&[both]), 3, says));
    let mut split = file(b"x");
    split.splice(
        ..crate::support::archives::BLOCK,
        ustar_with_prefix("../../bait", "x"),
    );
    let says = refused("../../bait/x", leads_out);
    cases.push(Case::new(
        "a prefix outside",
        with_traces(&[split]),
        3,
        says,
    ));

    cases.extend(odd_names());
    cases
}

fn odd_names() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, name, why) in [
        (
            "a NUL in a name",
            &b"a\0../../bait/x"[..],
            "its name has a NUL character",
        ),
        (
            "a name that is not UTF-8",
            b"a\xff\xfeb",
            "its name is not UTF-8",
        ),
        (
            "a name in Latin-1 outside",
            b"\xe4/../../../bait/x",
            "its name is not UTF-8",
        ),
        ("a file without a name", b"", "a file needs a name"),
        ("a file that is a point", b".", "a file needs a name"),
        (
            "a file that is points and slashes",
            b"././/.",
            "a file needs a name",
        ),
    ] {
        let bytes = with_traces(&[pax_entry(name, REGULAR, b"x")]);
        cases.push(Case::new(what, bytes, 3, format!("is refused: {why}")));
    }
    let part = "p".repeat(256);
    let path = ["p".repeat(255).as_str(); 17].join("/");
    let deep = "d/".repeat(32) + "f";
    for (what, name, why) in [
        (
            "a part that is too long",
            &part,
            "a part of more than 255 bytes",
        ),
        (
            "a path that is too long",
            &path,
            "its name is longer than 4096 bytes",
        ),
        (
            "a path that is too deep",
            &deep,
            "its name has more than 32 parts",
        ),
    ] {
        let name = name.as_bytes();
        let long = with_traces(&[long_entry(name, REGULAR, b"x")]);
        cases.push(Case::new(what, long, 3, why));
        let pax = with_traces(&[pax_entry(name, REGULAR, b"x")]);
        cases.push(Case::new(format!("{what}, extended"), pax, 3, why));
    }
    cases
}

/// A header of POSIX.1-1988, in which a name may come in two parts.
fn ustar_with_prefix(prefix: &str, name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    let fields = header.as_ustar_mut().unwrap();
    fields.prefix[..prefix.len()].copy_from_slice(prefix.as_bytes());
    fields.name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(REGULAR);
    header.set_mode(0o600);
    header.set_size(1);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn links_and_devices(bait: &Path) -> Vec<Case> {
    let link = |name: &[u8], kind, to: &str| {
        entry(name, kind, b"", |header| {
            header.set_link_name(to).unwrap();
        })
    };
    let bait = bait.to_str().unwrap();
    let symbolic = "it is a symbolic link";
    let hard = "it is a hard link";
    let (symlink, hard_link) = (EntryType::Symlink, EntryType::Link);
    let mut cases = vec![
        Case::new(
            "a symbolic link to outside",
            with_traces(&[link(b"l", symlink, "../../bait"), file(b"l/x")]),
            3,
            refused("l", symbolic),
        ),
        Case::new(
            "a symbolic link to a path from the root",
            with_traces(&[link(b"l", symlink, bait), file(b"l/x")]),
            3,
            refused("l", symbolic),
        ),
        Case::new(
            "a symbolic link inside",
            with_traces(&[file(b"a"), link(b"l", symlink, "a")]),
            3,
            refused("l", symbolic),
        ),
        Case::new(
            "a symbolic link in the place of a directory",
            with_traces(&[
                file(b"d/a"),
                link(b"d", symlink, "../../bait"),
                file(b"d/x"),
            ]),
            3,
            refused("d", symbolic),
        ),
        Case::new(
            "a symbolic link to itself",
            with_traces(&[link(b"l", symlink, "l")]),
            3,
            refused("l", symbolic),
        ),
        Case::new(
            "a hard link to outside",
            with_traces(&[link(b"h", hard_link, "/etc/passwd"), file(b"h")]),
            3,
            refused("h", hard),
        ),
        Case::new(
            "a hard link inside",
            with_traces(&[file(b"a"), link(b"h", hard_link, "a")]),
            3,
            refused("h", hard),
        ),
    ];
    for (kind, why) in [
        (b'3', "it is a device"),
        (b'4', "it is a device"),
        (b'6', "it is a FIFO"),
        (b'D', "it is neither a file nor a directory"),
        (b'V', "it is neither a file nor a directory"),
        (b'N', "it is neither a file nor a directory"),
        (b's', "it is neither a file nor a directory"),
    ] {
        let special = entry(b"special", EntryType::new(kind), b"", |_| ());
        let name = format!("an entry of kind {}", char::from(kind));
        cases.push(Case::new(
            name,
            with_traces(&[special]),
            3,
            refused("special", why),
        ));
    }
    cases
}

fn files_that_are_there_twice(_: &Path) -> Vec<Case> {
    let directory = |name: &[u8]| entry(name, EntryType::Directory, b"", |_| ());
    let twice = "is refused: it is in the archive twice";
    [
        ("a file twice", [file(b"a"), file(b"a")]),
        (
            "a file twice, once with a point",
            [file(b"a"), file(b"./a")],
        ),
        (
            "a file twice, once with two slashes",
            [file(b"d/a"), file(b"d//a")],
        ),
        (
            "a file twice, once with a slash behind it",
            [file(b"d/a"), file(b"d/./a/")],
        ),
        ("a file, then a directory", [file(b"a"), directory(b"a/")]),
        ("a directory, then a file", [directory(b"a/"), file(b"a")]),
        ("a file, then a file in it", [file(b"a"), file(b"a/b")]),
        (
            "a file in a directory, then a file",
            [file(b"a/b"), file(b"a")],
        ),
        (
            "a file by a long name",
            [file(b"a"), long_entry(b"a\0", REGULAR, b"y")],
        ),
        (
            "a file by an extended name",
            [file(b"a"), pax_entry(b".//a", REGULAR, b"y")],
        ),
    ]
    .into_iter()
    .map(|(name, entries)| Case::new(name, with_traces(&entries), 3, twice))
    .collect()
}

fn members_of_the_archive(bait: &Path) -> Vec<Case> {
    let good = archive(&tar(&[], false), SMALL_DUMP);
    let before = |entry: Vec<u8>| [entry, good.clone()].concat();
    let absolute = bait.join("x").into_os_string().into_encoded_bytes();
    let is = |name: &str, why: &str| format!("error: the member {name:?} is refused: {why}");
    let dump = gzip(SMALL_DUMP);
    let member = |name: &[u8]| entry(name, REGULAR, &dump, |_| ());
    let twice = "the member \"db/database.sql.gz\" is refused: it is in the archive twice";
    let link = |name: &[u8], kind| entry(name, kind, b"", |_| ());
    vec![
        Case::new(
            "a member outside",
            before(file(b"../x")),
            3,
            is("../x", "its name has a part \"..\""),
        ),
        Case::new(
            "a dump outside",
            before(member(b"../db/database.sql.gz")),
            3,
            is("../db/database.sql.gz", "its name has a part \"..\""),
        ),
        Case::new(
            "an absolute member",
            before(file(&absolute)),
            3,
            "its name is absolute",
        ),
        Case::new(
            "a point before a dump",
            before(member(b"./db/database.sql.gz")),
            3,
            twice,
        ),
        Case::new(
            "two slashes in a dump",
            before(member(b"db//database.sql.gz")),
            3,
            twice,
        ),
        Case::new(
            "a dump by a long name",
            before(long_entry(b"db/database.sql.gz\0", REGULAR, &dump)),
            3,
            twice,
        ),
        Case::new(
            "a dump by an extended name",
            before(pax_entry(b"db/database.sql.gz", REGULAR, &dump)),
            3,
            twice,
        ),
        Case::new(
            "a dump that is a link",
            before(link(b"db/database.sql.gz", EntryType::Symlink)),
            3,
            is("db/database.sql.gz", "it is a symbolic link"),
        ),
        Case::new(
            "traces that are a hard link",
            before(link(b"builds/builds.tar.gz", EntryType::Link)),
            3,
            is("builds/builds.tar.gz", "it is a hard link"),
        ),
        Case::new(
            "a member that is a device",
            before(link(b"null", EntryType::Char)),
            3,
            is("null", "it is a device"),
        ),
        Case::new(
            "a member that is a FIFO",
            before(link(b"fifo", EntryType::Fifo)),
            3,
            is("fifo", "it is a FIFO"),
        ),
        Case::new(
            "a member that is not UTF-8",
            before(file(b"\xff")),
            3,
            "its name is not UTF-8",
        ),
        Case::new(
            "a member of lines",
            before(file(b"\n\x1b[31m/..")),
            3,
            is("\n\u{1b}[31m/..", "its name has a part"),
        ),
        Case::new(
            "a member with a NUL",
            before(pax_entry(b"a\0b", REGULAR, b"")),
            3,
            "its name has a NUL character",
        ),
        Case::new(
            "a member of a long name",
            before(long_entry(&[b'l'; 256], REGULAR, b"")),
            3,
            "a part of more than 255 bytes",
        ),
    ]
}

/// A dump of `ci_tags` with `rest` behind it.
fn dump_with(rest: &[u8]) -> Vec<u8> {
    let before =
        b"-- MySQL dump 10.13\nCREATE TABLE `ci_tags` (`id` int NOT NULL, `name` varchar(255));\n";
    let after = b"\n-- Dump completed\n";
    archive(&tar(&[], false), &[before, rest, after].concat())
}

fn statements(bait: &Path) -> Vec<Case> {
    let touch = bait.join("x").display().to_string();
    let not_understood = "a statement that is not understood: ";
    let mut cases = Vec::new();
    for statement in [
        "DELETE FROM tags;",
        "UPDATE application_settings SET signup_enabled = false;",
        "TRUNCATE TABLE tags;",
        "RENAME TABLE tags TO old_tags;",
        "ALTER TABLE tags DROP COLUMN name;",
        "CALL shell('id');",
        "HANDLER tags OPEN;",
        "WITH gone AS (DELETE FROM tags RETURNING 1) SELECT 1;",
        "EXPLAIN ANALYZE DELETE FROM tags;",
        "ANALYZE FORMAT=JSON DELETE FROM tags;",
        "VACUUM FULL;",
        "DO $$ BEGIN DROP TABLE tags; END $$;",
        "LOAD DATA INFILE '/etc/passwd' INTO TABLE ci_tags;",
        "CREATE EXTENSION plperlu;",
        "CREATE INDEX i ON tags (name);",
        "/*!40101 DELETE FROM tags */;",
        "/*!50003 UPDATE tags SET name = 'x' */;",
        "/* harmless */ DELETE FROM tags;",
        "-- harmless\nDELETE FROM tags;",
        "DELIMITER ;;\nDELETE FROM tags;;\nDELIMITER ;",
        "DELIMITER $$\nSELECT 1$$ DELETE FROM tags$$\nDELIMITER ;",
    ] {
        let bytes = dump_with(statement.as_bytes());
        cases.push(Case::new(statement, bytes, 1, not_understood));
    }
    for (statement, says) in [
        (
            "INSERT INTO `ci_tags` SELECT 1, 'a';",
            "rows that are not written as VALUES",
        ),
        (
            "INSERT INTO `tags` SELECT * FROM ci_tags;",
            "rows that are not written as VALUES",
        ),
        (
            "REPLACE INTO `tags` SELECT 1, 'a';",
            "rows that are not written as VALUES",
        ),
        (
            "SELECT pg_read_file('/etc/passwd') INTO OUTFILE '/tmp/x';",
            "the dump writes what it selects to a place",
        ),
        (
            "PREPARE hostile FROM 'DROP TABLE tags'; EXECUTE hostile;",
            "the dump executes a prepared statement",
        ),
    ] {
        let bytes = dump_with(statement.as_bytes());
        cases.push(Case::new(statement, bytes, 1, says));
    }
    for statement in [
        format!("COPY tags FROM PROGRAM 'touch {touch}';"),
        format!("COPY (SELECT 1) TO PROGRAM 'touch {touch}';"),
        format!("COPY tags TO '{touch}';"),
        format!("\\! touch {touch}\n;"),
        format!("\\copy tags to program 'touch {touch}'\n;"),
        "\\connect template1\n;".to_owned(),
        "\\i /etc/passwd\n;".to_owned(),
        format!("system touch {touch};"),
        format!("source {touch};"),
        format!("INSERT INTO `ci_tags` VALUES (1,'a');\n\\! touch {touch}\n;"),
    ] {
        let bytes = dump_with(statement.as_bytes());
        let name = statement.replace(bait.to_str().unwrap(), "bait");
        cases.push(Case::new(name, bytes, 1, not_understood));
    }
    let unfinished = format!("\\! touch {touch}\n");
    let says = "it ends in the middle of a statement";
    cases.push(Case::new(
        "\\! at the end",
        dump_with(unfinished.as_bytes()),
        3,
        says,
    ));
    cases
}

/// A dump of this table alone.
fn table(definition: &str) -> Vec<u8> {
    let dump = format!("-- MySQL dump 10.13\n{definition}\n-- Dump completed\n");
    archive(&tar(&[], false), dump.as_bytes())
}

fn definitions_and_values(_: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for (written, name) in [
        ("`tags`", "tags"),
        ("`application_settings`", "application_settings"),
        ("`schema_migrations`", "schema_migrations"),
        ("`pg_class`", "pg_class"),
        ("`pg_catalog`.`pg_authid`", "pg_authid"),
        ("`ci_builds`.`tags`", "tags"),
        ("`public\".\"tags`", "public\".\"tags"),
        (
            "`ci_builds\"; DROP TABLE tags; --`",
            "ci_builds\"; DROP TABLE tags; --",
        ),
        ("`CI_BUILDS`", "CI_BUILDS"),
        ("`ci_builds `", "ci_builds "),
        ("``", ""),
        ("`\u{1b}]0;x\u{7}`", "\\u{1b}]0;x\\u{7}"),
    ] {
        let bytes = table(&format!("CREATE TABLE {written} (`id` int);"));
        let says = format!("the table {name}, which is none of GitLab CI 8.0");
        cases.push(Case::new(format!("table {written}"), bytes, 3, says));
    }
    let insert = dump_with(b"INSERT INTO `tags` VALUES (1,'x',0);");
    let says = "the dump has rows of tags, but not its definition";
    cases.push(Case::new("rows of a table of GitLab", insert, 1, says));

    for (columns, code, says) in [
        (
            "`a` regclass",
            1,
            "column ci_tags.a: the type regclass is not supported",
        ),
        ("`a` `int); DROP TABLE tags; --`", 1, "column ci_tags.a"),
        (
            "`a` int); DROP TABLE tags; --",
            1,
            "a statement that is not understood: it begins with no word of SQL",
        ),
        (
            "`a` bit(8) DEFAULT b'0''); DROP TABLE public.tags; SELECT (''0'",
            3,
            "are no digits",
        ),
        (
            "`a` bit(8) DEFAULT b'0\\'); DROP TABLE public.tags; SELECT (\\'0'",
            3,
            "are no digits",
        ),
        (
            "`a` blob DEFAULT x'41''::bytea); DROP TABLE public.tags; SELECT (''41'",
            3,
            "are no digits",
        ),
        (
            "`a` varchar(10); DROP TABLE tags; --)",
            1,
            "column ci_tags.a",
        ),
    ] {
        let bytes = table(&format!("CREATE TABLE `ci_tags` ({columns});"));
        cases.push(Case::new(columns, bytes, code, says));
    }
    let set = dump_with(b"/*!40101 SET NAMES 'x''; DROP TABLE tags; --' */;");
    let says = "the character set x'; drop table tags; -- is not supported";
    cases.push(Case::new("a character set with SQL", set, 1, says));

    for values in [
        "(1,pg_read_file('/etc/passwd'))",
        "(1,(SELECT name FROM tags))",
        "(1,'a'||'b')",
        "(1,@@version)",
        "(1,LOAD_FILE('/etc/passwd'))",
        "(1,'a') RETURNING id",
        "(1,'a'), (SELECT 2,'b')",
        "(nextval('tags_id_seq'),'a')",
        "(1,'a'::regclass)",
        "(1,E'\\\\x41')",
        "(1,$$a$$)",
    ] {
        let bytes = dump_with(format!("INSERT INTO `ci_tags` VALUES {values};").as_bytes());
        cases.push(Case::new(
            format!("values {values}"),
            bytes,
            1,
            "ci_tags row ",
        ));
    }
    let clause =
        dump_with(b"INSERT INTO `ci_tags` VALUES (1,'a') ON DUPLICATE KEY UPDATE name = 'x';");
    let says = "ON DUPLICATE KEY UPDATE changes rows";
    cases.push(Case::new("a clause", clause, 1, says));
    let columns =
        dump_with(b"INSERT INTO `ci_tags` (`id`,`name\") FROM PROGRAM 'id'; --`) VALUES (1,'a');");
    let says =
        "ci_tags: rows have a column name\") FROM PROGRAM 'id'; -- that the table does not have";
    cases.push(Case::new("rows with a column of SQL", columns, 1, says));
    cases
}

/// What of the target no import may touch.
fn gitlabs_own(ground: &Ground) -> String {
    pg_dump(&ground.scene, &["--exclude-table=ci_*", "--schema=public"])
}

/// Imports `archive`, which is harmless, and sees that nothing of it was executed: everything but the
/// tables of CI is as it was.
#[track_caller]
fn is_harmless(ground: &Ground, what: &str, archive: &[u8]) {
    let before = gitlabs_own(ground);
    let path = ground.scene.path("harmless.tar");
    fs::write(&path, archive).unwrap();
    let (outcome, peak) = run_watched(ground.import(path.to_str().unwrap()));
    let outcome = outcome.exits(0);
    let limit = (BUDGET << 20) + surplus();
    assert!(peak <= limit, "{what:.99}: {} KiB", peak >> 10);
    let is_control = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(
        !outcome.stdout.contains(is_control),
        "{what:.99}: {outcome:?}"
    );
    assert_eq!(gitlabs_own(ground), before, "{what}");
    let bait = fs::read_dir(ground.bait()).unwrap().count();
    assert_eq!(bait, 0, "{what}");
    let more = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'hostile%'
                UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
                UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
                UNION ALL SELECT viewname FROM pg_views WHERE schemaname = 'public'
                UNION ALL SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'";
    assert_eq!(ground.scene.values(more), [""; 0], "{what}");
}

/// A target into which a good archive was imported: what an import does to GitLab's tags is done.
fn settled() -> Ground {
    let ground = Ground::new();
    let path = ground.scene.path("good.tar");
    fs::write(&path, archive(&tar(&[], false), SMALL_DUMP)).unwrap();
    ground.scene.import(&path).succeeds();
    ground
}

#[test]
fn statements_of_no_consequence_are_not_executed() {
    let ground = settled();
    let touch = ground.bait().join("x").display().to_string();
    for statement in [
        "DROP TABLE tags;".to_owned(),
        "DROP DATABASE gitlab;".to_owned(),
        "DROP SCHEMA public CASCADE;".to_owned(),
        "GRANT ALL ON tags TO PUBLIC;".to_owned(),
        "SELECT pg_sleep(1000);".to_owned(),
        "DO drop_all_tables();".to_owned(),
        "ALTER USER postgres PASSWORD 'x';".to_owned(),
        "REVOKE ALL ON tags FROM postgres;".to_owned(),
        "INSTALL PLUGIN x SONAME 'x.so';".to_owned(),
        "CREATE ROLE hostile SUPERUSER;".to_owned(),
        "SET PASSWORD = 'x'; SET ROLE postgres; SET search_path = pg_catalog;".to_owned(),
        "CREATE USER hostile PASSWORD 'x';".to_owned(),
        "CREATE DATABASE hostile;".to_owned(),
        "CREATE FUNCTION hostile() RETURNS int RETURN 1;".to_owned(),
        "DELIMITER ;;\nCREATE PROCEDURE hostile() BEGIN DELETE FROM tags; END;;\nDELIMITER ;".to_owned(),
        "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER hostile BEFORE INSERT ON ci_tags \
         FOR EACH ROW DELETE FROM tags */;"
            .to_owned(),
        "CREATE VIEW hostile AS SELECT pg_read_file('/etc/passwd');".to_owned(),
        "CREATE EVENT hostile ON SCHEDULE EVERY 1 SECOND DO DELETE FROM tags;".to_owned(),
        "CREATE SERVER hostile FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h');".to_owned(),
        format!("/* \\! touch {touch} */ -- \\! touch {touch}\n# COPY tags TO PROGRAM 'touch {touch}';\n"),
        format!("mysqldump: \\! touch {touch}; DROP TABLE tags;\n"),
    ] {
        is_harmless(&ground, &statement, &dump_with(statement.as_bytes()));
    }
}

#[test]
fn names_and_values_of_sql_stay_what_they_are() {
    let ground = settled();
    let hostile = "x\"; DROP TABLE tags; --";
    let text = "x''); DROP TABLE tags; --";
    for columns in [
        format!("`{hostile}` int"),
        format!("`a` int COMMENT '{text}'"),
        format!("`a` varchar(99) DEFAULT '{text}'"),
        "`a` varchar(99) DEFAULT '\\\\''); DROP TABLE tags; --'".to_owned(),
        "`a` int DEFAULT (pg_sleep(1000))".to_owned(),
        "`a` int DEFAULT nextval('tags_id_seq')".to_owned(),
        "`a` varchar(9) DEFAULT (pg_read_file('/etc/passwd'))".to_owned(),
        "`a` datetime DEFAULT now()".to_owned(),
        "`a` int GENERATED ALWAYS AS (pg_sleep(1000)) STORED".to_owned(),
        "`a` int, CHECK (pg_sleep(1000) is null)".to_owned(),
        "`a` text CHARACTER SET `x; DROP TABLE tags`".to_owned(),
        // Deep, and long: who reads it needs stack and memory.
        format!("`a` int, CHECK (1{} > 0)", "+1".repeat(40_000)),
        format!(
            "`a` int, CHECK ({}1{} > 0)",
            "(".repeat(20_000),
            ")".repeat(20_000)
        ),
        format!("`a` int, CHECK ({}1 > 0)", "not ".repeat(40_000)),
        format!(
            "`a` varchar(9), CHECK (`a` in ('x'{}))",
            ",'x'".repeat(40_000)
        ),
        format!("`a` int COMMENT '{}'", "c".repeat(2_000_000)),
        format!("`a` varchar(9), CONSTRAINT `{hostile}` CHECK (`a` <> '{text}')"),
        format!("`a` enum('{text}','\\\\')"),
        format!("`a` set('{text}')"),
        format!("`a` int, KEY `{hostile}` (`a`) COMMENT '{text}'"),
        format!("`a` int, UNIQUE KEY `{hostile}` (`a`)"),
        "`a` int, KEY `i` ((pg_sleep(1000)))".to_owned(),
        format!("`a` varchar(99) CHARACTER SET utf8 COLLATE `{hostile}`"),
    ] {
        let rows = if columns.contains("GENERATED") {
            String::new()
        } else {
            "INSERT INTO `ci_web_hooks` VALUES (1,NULL);".to_owned()
        };
        let definition = format!(
            "CREATE TABLE `ci_web_hooks` (`id` int, {columns}) ENGINE=`{hostile}` COMMENT='{text}';"
        );
        is_harmless(&ground, &columns, &table(&format!("{definition}\n{rows}")));
        let comment = ground
            .scene
            .value("SELECT obj_description('ci_web_hooks'::regclass)");
        assert_eq!(comment, "x'); DROP TABLE tags; --");
    }
    is_harmless(
        &ground,
        "names",
        &table(&format!(
            "CREATE TABLE `ci_web_hooks` (`{hostile}` int, KEY `k{hostile}` (`{hostile}`));"
        )),
    );
    let column =
        "SELECT attname FROM pg_attribute WHERE attrelid = 'ci_web_hooks'::regclass AND attnum = 1";
    assert_eq!(ground.scene.value(column), hostile);
    let index =
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'ci_web_hooks'::regclass";
    assert_eq!(ground.scene.value(index), "\"kx\"\"; DROP TABLE tags; --\"");
}

#[test]
fn values_that_look_like_notation_are_values() {
    let ground = settled();
    // As MySQL writes them, and as they are.
    let values = [
        ("\\\\.", "\\."),
        ("\\\\.\\n", "\\.\n"),
        ("\\n\\\\.\\n", "\n\\.\n"),
        ("\\\\N", "\\N"),
        ("NULL", "NULL"),
        (
            "a\\tb\\n\\\\.\\nDROP TABLE tags;\\n",
            "a\tb\n\\.\nDROP TABLE tags;\n",
        ),
        ("\\'); DROP TABLE tags; --", "'); DROP TABLE tags; --"),
        ("''); DROP TABLE tags; --", "'); DROP TABLE tags; --"),
        ("$$; DROP TABLE tags; $$", "$$; DROP TABLE tags; $$"),
        ("\\\\! touch /x", "\\! touch /x"),
        ("PGCOPY\\nÿ\\r\\n", "PGCOPY\nÿ\r\n"),
    ];
    let rows: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(id, (written, _))| format!("({id},'{written}')"))
        .collect();
    let dump = format!(
        "CREATE TABLE `ci_web_hooks` (`id` int, `url` text);\nINSERT INTO `ci_web_hooks` VALUES {};",
        rows.join(",")
    );
    is_harmless(&ground, "values", &table(&dump));
    let found = ground
        .scene
        .values("SELECT url FROM ci_web_hooks ORDER BY id");
    let expected: Vec<&str> = values.iter().map(|(_, value)| *value).collect();
    assert_eq!(found, expected);
    // In GBK a backslash can be half a character: who took it for an escape would see the end of
    // the text elsewhere.
    let mut gbk = b"-- MySQL dump 10.13\n/*!40101 SET NAMES gbk */;\n\
        CREATE TABLE `ci_web_hooks` (`id` int, `url` text);\nINSERT INTO `ci_web_hooks` VALUES (1,'"
        .to_vec();
    gbk.extend(b"\x95\\'),(2,'; DELETE FROM tags; -- ');\n-- Dump completed\n");
    is_harmless(&ground, "GBK", &archive(&tar(&[], false), &gbk));
    let found = ground
        .scene
        .values("SELECT url FROM ci_web_hooks ORDER BY id");
    assert_eq!(found, ["昞", "; DELETE FROM tags; -- "]);
}

#[test]
fn modes_are_masked_and_odd_names_stay_inside() {
    let ground = settled();
    let with_mode =
        |name: &[u8], kind, mode| entry(name, kind, b"", |header| header.set_mode(mode));
    let traces = [
        with_mode(b"d/", EntryType::Directory, 0o7777),
        with_mode(b"closed/", EntryType::Directory, 0),
        with_mode(b"d/suid", REGULAR, 0o4755),
        with_mode(b"d/sgid", REGULAR, 0o2755),
        with_mode(b"d/sticky", REGULAR, 0o1744),
        with_mode(b"closed/nothing", REGULAR, 0),
        with_mode(b"-rf", REGULAR, 0o600),
        with_mode(b"a\nb", REGULAR, 0o600),
        with_mode(b"\x1b[2J", REGULAR, 0o600),
        with_mode(b"...", REGULAR, 0o600),
        with_mode(b"~root", REGULAR, 0o600),
        with_mode(b"$(touch x)", REGULAR, 0o600),
        with_mode("\u{202e}gol.1".as_bytes(), REGULAR, 0o600),
        // Owned by others, and of the far future.
        entry(b"owned", REGULAR, b"x", |header| {
            header.set_uid(12345);
            header.set_gid(12345);
            header.set_mtime(u64::MAX);
        }),
    ];
    is_harmless(&ground, "modes", &with_traces(&traces));
    let builds = ground.scene.builds();
    let mode = |name: &str| {
        let metadata = fs::symlink_metadata(builds.join(name)).unwrap();
        metadata.permissions().mode() & 0o7777
    };
    for (name, expected) in [
        // As the umask of the tests has it.
        ("d", 0o755),
        ("closed", 0o700),
        ("d/suid", 0o644),
        ("d/sgid", 0o644),
        ("d/sticky", 0o644),
        ("closed/nothing", 0o600),
        ("-rf", 0o600),
        ("a\nb", 0o600),
        ("\u{1b}[2J", 0o600),
        ("...", 0o600),
        ("~root", 0o600),
        ("$(touch x)", 0o600),
        ("\u{202e}gol.1", 0o600),
        ("owned", 0o600),
    ] {
        assert_eq!(mode(name), expected, "{name}");
    }
    let owner =
        |name: &str| std::os::unix::fs::MetadataExt::uid(&fs::metadata(builds.join(name)).unwrap());
    assert_eq!(owner("owned"), owner("-rf"));
}

#[test]
fn no_password_is_shown() {
    let ground = settled();
    let url = crate::support::servers::postgresql_url(&ground.scene.database);
    let url = url.replace("postgres@", "postgres:hunter2@");
    let archives = [
        members(b"", &gzip(&tar(&[], false)), INFORMATION),
        dump_with(b"DELETE FROM tags;"),
        dump_with(b"INSERT INTO `ci_tags` VALUES (1,'a'),(NULL,'b');"),
        dump_with(b"INSERT INTO `ci_tags` VALUES (1,'a');"),
    ];
    for archive in archives {
        let path = ground.scene.path("password.tar");
        fs::write(&path, archive).unwrap();
        let mut import = crate::support::program::command([
            path.to_str().unwrap(),
            "--mysql-to-postgresql",
            "--yes",
        ]);
        import.arg("--builds-path").arg(ground.scene.builds());
        import.env("DATABASE_URL", &url);
        let outcome = crate::support::program::run(import);
        let said = outcome.whole();
        let said = said.split("exit code").nth(1).unwrap();
        assert!(!said.contains("hunter2"), "{said}");
    }
}
