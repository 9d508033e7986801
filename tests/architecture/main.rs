//! The house as ARCHITECTURE.md draws it: arrows go one way, files are small, rooms have names.

mod arrows;
mod documents;
mod sources;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use arrows::{arrows, circles};
use sources::{ROOTS, Source, Sources};

/// Entries of `src/`: more are no house, but a street.
const MAX_ENTRIES: usize = 24;

/// Lines of a file, its unit tests included.
const MAX_LINES: usize = 600;

/// What both servers' folders have, as a file or a folder, under the same names.
const OF_A_SERVER: [&str; 12] = [
    "connection",
    "error",
    "gitlab",
    "load",
    "migrate",
    "options",
    "publish",
    "session",
    "statement",
    "target",
    "tls",
    "verify",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rooms that ARCHITECTURE.md names in its table, each with those that it may use.
fn allowed() -> Vec<(String, BTreeSet<String>)> {
    let text = read("ARCHITECTURE.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let names = |cell: &str| -> Vec<String> {
        let parts = cell.split('`').skip(1).step_by(2);
        parts
            .map(|name| name.trim_end_matches('/').to_owned())
            .collect()
    };
    let mut table = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, rooms, _, uses, _] = cells[..] else {
            continue;
        };
        for room in names(rooms) {
            table.push((room, names(uses).into_iter().collect()));
        }
    }
    table
}

#[test]
fn arrows_are_those_of_the_table() {
    let sources = Sources::read(&root().join("src"));
    let table = allowed();
    let rooms = sources.files.iter().map(Source::room);
    let rooms: BTreeSet<&str> = rooms.filter(|room| !ROOTS.contains(room)).collect();
    let named: BTreeSet<&str> = table.iter().map(|(room, _)| room.as_str()).collect();
    assert_eq!(rooms, named, "the rooms, and those that the table names");
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for (from, to) in arrows(&sources) {
        let (from_room, to_room) = (sources.files[from].room(), sources.files[to].room());
        if from_room == to_room || ROOTS.contains(&from_room) {
            continue;
        }
        used.insert((from_room, to_room));
        let (_, may) = table.iter().find(|(room, _)| room == from_room).unwrap();
        if !may.contains(to_room) {
            let (from, to) = (&sources.files[from].module, &sources.files[to].module);
            wrong.push(format!("{from} uses {to}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows against the table:\n{}",
        wrong.join("\n")
    );
    let needless: Vec<String> = table
        .iter()
        .flat_map(|(from, may)| may.iter().map(move |to| (from.as_str(), to.as_str())))
        .filter(|arrow| !used.contains(arrow))
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect();
    assert!(
        needless.is_empty(),
        "no code needs these arrows: {needless:?}"
    );
}

#[test]
fn nothing_goes_in_circles() {
    let sources = Sources::read(&root().join("src"));
    let circles: Vec<String> = circles(&sources)
        .into_iter()
        .map(|circle| {
            let names = circle
                .into_iter()
                .map(|file| sources.files[file].module.as_str());
            names.collect::<Vec<_>>().join(", ")
        })
        .collect();
    assert!(circles.is_empty(), "circles:\n{}", circles.join("\n"));
}

#[test]
fn the_tree_is_small_enough_to_be_read() {
    let entries = fs::read_dir(root().join("src")).unwrap().count();
    assert!(entries <= MAX_ENTRIES, "src/ has {entries} entries");
    let sources = Sources::read(&root().join("src"));
    let long: Vec<String> = sources
        .files
        .iter()
        .map(|file| (file.text.lines().count(), file))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, file)| format!("{} has {lines} lines", file.path.display()))
        .collect();
    assert!(long.is_empty(), "split these:\n{}", long.join("\n"));
}

#[test]
fn only_the_heap_is_unsafe() {
    let sources = Sources::read(&root().join("src"));
    let files = sources.files.iter();
    let of_unsafe = files.filter(|file| file.text.contains("unsafe_code"));
    let modules: Vec<&str> = of_unsafe.map(|file| file.module.as_str()).collect();
    assert_eq!(modules, ["resources::heap"]);
    assert!(read("Cargo.toml").contains("unsafe_code = \"deny\""));
}

#[test]
fn the_places_that_are_named_exist() {
    let text = read("ARCHITECTURE.md");
    let named = text.split('`').skip(1).step_by(2);
    let is_place = |name: &&str| name.contains(['/', '.']);
    let exists = |name: &str| {
        let path = root().join("src").join(name);
        path.exists() || root().join(name).exists()
    };
    let missing: Vec<&str> = named
        .filter(is_place)
        .filter(|name| !name.contains(['<', ' ']))
        .filter(|name| {
            // `server/*/` is said of both servers.
            let servers = ["mysql", "postgresql"];
            !servers
                .iter()
                .all(|server| exists(&name.replace('*', server)))
        })
        .collect();
    assert!(missing.is_empty(), "there are no {missing:?}");
}

#[test]
fn both_servers_have_the_same_rooms() {
    for server in ["postgresql", "mysql"] {
        for name in OF_A_SERVER {
            let path = root().join("src/server").join(server).join(name);
            let found = path.is_dir() || path.with_extension("rs").is_file();
            assert!(found, "src/server/{server} has no {name}");
        }
    }
}

/// What the checks above can find: a circle, an arrow, and one through a facade.
#[test]
fn the_checks_find_what_they_should() {
    let sources = Sources::of(&[
        ("a/mod.rs", "mod inner;\npub use inner::Thing;\n"),
        (
            "a/inner.rs",
            "use crate::b::{self, c::Other};\npub struct Thing;\n",
        ),
        ("b/mod.rs", "pub mod c;\npub fn f() {}\n"),
        ("b/c.rs", "pub struct Other(crate::a::Thing);\n"),
        (
            "d.rs",
            "// use crate::a::Thing;\n#[cfg(test)]\nmod tests {\n    use crate::a::Thing;\n}\n",
        ),
    ]);
    let named = |(from, to): &(usize, usize)| {
        let module = |file: usize| sources.files[file].module.clone();
        format!("{} {}", module(*from), module(*to))
    };
    let found: BTreeSet<String> = arrows(&sources).iter().map(named).collect();
    let expected = ["a::inner b", "a::inner b::c", "b::c a::inner"];
    assert_eq!(found, expected.map(str::to_owned).into());
    assert_eq!(circles(&sources).len(), 1);
}
