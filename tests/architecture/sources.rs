//! The files of a crate, and the paths that stand in them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files that are no rooms, but put the rooms together.
pub(crate) const ROOTS: [&str; 2] = ["lib", "main"];

/// A file of the crate.
pub(crate) struct Source {
    /// Where it is, below `src/`.
    pub(crate) path: PathBuf,
    /// Its module, as `server::mysql::ddl`; that of `lib.rs` and `main.rs` is their name.
    pub(crate) module: String,
    /// All of it.
    pub(crate) text: String,
}

/// All files of a crate.
pub(crate) struct Sources {
    pub(crate) files: Vec<Source>,
    by_module: HashMap<String, usize>,
    /// What each module hands on of others: its name there, and where it comes from.
    facades: HashMap<(String, String), Vec<String>>,
}

impl Source {
    /// The top module it belongs to.
    pub(crate) fn room(&self) -> &str {
        self.module.split("::").next().unwrap()
    }

    /// The code without comments and unit tests.
    fn code(&self) -> String {
        let tests = self.text.find("#[cfg(test)]\nmod tests {");
        let end = tests.unwrap_or(self.text.len());
        let lines = self.text[..end].lines();
        let lines = lines.map(|line| line.find("//").map_or(line, |at| &line[..at]));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// The module as the segments of a path; none for the crate's root.
    fn segments(&self) -> Vec<String> {
        if ROOTS.contains(&self.module.as_str()) {
            return Vec::new();
        }
        self.module.split("::").map(str::to_owned).collect()
    }
}

impl Sources {
    /// Those below `directory`.
    pub(crate) fn read(directory: &Path) -> Sources {
        let mut found = Vec::new();
        let mut folders = vec![directory.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let below = path.strip_prefix(directory).unwrap().to_owned();
                    found.push((below, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        found.retain(|(path, _)| !path.ends_with("tests.rs"));
        found.sort();
        Sources::index(found)
    }

    /// Those of a small crate that is made for a test.
    pub(crate) fn of(files: &[(&str, &str)]) -> Sources {
        let files = files.iter();
        Sources::index(
            files
                .map(|(path, text)| (path.into(), (*text).to_owned()))
                .collect(),
        )
    }

    fn index(found: Vec<(PathBuf, String)>) -> Sources {
        let files: Vec<Source> = found
            .into_iter()
            .map(|(path, text)| {
                let module = path.with_extension("");
                let module = if module.ends_with("mod") {
                    module.parent().unwrap()
                } else {
                    &module
                };
                let module = module.to_str().unwrap().replace('/', "::");
                Source { path, module, text }
            })
            .collect();
        let by_module = files.iter().enumerate();
        let by_module = by_module
            .map(|(number, file)| (file.module.clone(), number))
            .collect();
        let mut sources = Sources {
            files,
            by_module,
            facades: HashMap::new(),
        };
        for number in 0..sources.files.len() {
            for (name, path) in handed_on(&sources.files[number].code()) {
                let module = sources.files[number].module.clone();
                if let Some(path) = sources.absolute(number, &path) {
                    sources.facades.insert((module, name), path);
                }
            }
        }
        sources
    }

    /// The files that the code of `number` names by paths, without its facade.
    pub(crate) fn named_in(&self, number: usize) -> Vec<usize> {
        let code = self.files[number].code();
        let mut paths = used(&code);
        paths.extend(inline(&code));
        let resolved = paths.iter().filter_map(|path| {
            let absolute = self.absolute(number, path)?;
            self.resolve(absolute)
        });
        resolved.filter(|file| *file != number).collect()
    }

    /// The path from the crate's root; none if it is of another crate.
    fn absolute(&self, number: usize, path: &str) -> Option<Vec<String>> {
        let mut segments: Vec<String> = path.split("::").map(str::to_owned).collect();
        let mut base = self.files[number].segments();
        match segments[0].as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                while segments.first().is_some_and(|segment| segment == "super") {
                    base.pop();
                    segments.remove(0);
                }
                segments.insert(0, "super".to_owned());
            }
            // A child by its name, or else another crate.
            first => {
                let child = [base.clone(), vec![first.to_owned()]].concat().join("::");
                if !self.by_module.contains_key(&child) {
                    return None;
                }
                segments.insert(0, "self".to_owned());
            }
        }
        base.extend(segments.into_iter().skip(1));
        Some(base)
    }

    /// The file that defines what `path` names, through the facades that hand it on.
    fn resolve(&self, mut path: Vec<String>) -> Option<usize> {
        for _ in 0..10 {
            let is_module = |count: &usize| self.by_module.contains_key(&path[..*count].join("::"));
            let count = (1..=path.len()).rev().find(is_module)?;
            let module = path[..count].join("::");
            let Some(name) = path.get(count) else {
                return self.by_module.get(&module).copied();
            };
            match self.facades.get(&(module.clone(), name.clone())) {
                Some(target) => path = [target.clone(), path[count + 1..].to_vec()].concat(),
                None => return self.by_module.get(&module).copied(),
            }
        }
        None
    }
}

/// The statements of `code` that begin with `use`, each with whether it hands things on.
fn statements(code: &str) -> Vec<(bool, &str)> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let line = rest[..at].rfind('\n').map_or(0, |at| at + 1);
        let before = rest[line..at].trim();
        let is_statement = before.is_empty() || before.starts_with("pub");
        let tail = &rest[at + 4..];
        if is_statement && let Some(end) = tail.find(';') {
            found.push((before.starts_with("pub"), &tail[..end]));
            rest = &tail[end..];
        } else {
            rest = tail;
        }
    }
    found
}

/// The paths of a tree as in `a::{b, c::{self, d as e}}`, each with the name it has here.
fn leaves(tree: &str, prefix: &str, found: &mut Vec<(String, String)>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let prefix = format!("{prefix}{}", &tree[..open]);
        let (mut depth, mut start) = (0, open + 1);
        for (at, byte) in tree.bytes().enumerate().skip(open) {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            let ends = (byte == b',' && depth == 1) || depth == 0;
            if ends {
                leaves(&tree[start..at], &prefix, found);
                start = at + 1;
            }
            if depth == 0 {
                break;
            }
        }
        return;
    }
    if tree.is_empty() {
        return;
    }
    let (path, alias) = tree
        .split_once(" as ")
        .map_or((tree, None), |(p, a)| (p, Some(a)));
    let path = format!("{prefix}{path}");
    let path = path.trim_end_matches("::self").to_owned();
    let name = alias
        .unwrap_or(path.rsplit("::").next().unwrap())
        .trim()
        .to_owned();
    found.push((name, path));
}

/// What a module hands on.
fn handed_on(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (_, tree) in statements(code)
        .into_iter()
        .filter(|(is_public, _)| *is_public)
    {
        leaves(tree, "", &mut found);
    }
    found
}

/// The paths that are imported, and not only handed on.
fn used(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, tree) in statements(code)
        .into_iter()
        .filter(|(is_public, _)| !is_public)
    {
        leaves(tree, "", &mut found);
    }
    found.into_iter().map(|(_, path)| path).collect()
}

/// The paths from the crate's root or the parent that stand in the code itself.
fn inline(code: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for line in code
        .lines()
        .filter(|line| !line.trim_start().contains("use "))
    {
        for start in ["crate::", "super::"] {
            for (at, _) in line.match_indices(start) {
                if line[..at].ends_with(is_path) {
                    continue;
                }
                let path: String = line[at..].chars().take_while(|c| is_path(*c)).collect();
                found.push(path.trim_end_matches(':').to_owned());
            }
        }
    }
    found
}
