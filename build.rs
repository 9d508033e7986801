//! Tells the program which commit it was built from, and for which system.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CI_IMPORT_COMMIT");
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let target = env::var("TARGET").unwrap_or_default();
    // A build to develop is not told: it would be built again after each commit.
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = is_release.then(commit).flatten();
    let known = commit.clone().unwrap_or_default();
    println!("cargo::rustc-env=CI_IMPORT_COMMIT={known}");
    println!("cargo::rustc-env=CI_IMPORT_TARGET={target}");
    let commit = commit.unwrap_or_else(|| "no commit known".to_owned());
    println!("cargo::rustc-env=CI_IMPORT_LONG_VERSION={version} ({commit}, {target})");
}

/// The commit, as whoever packages the program says, or as Git does.
fn commit() -> Option<String> {
    if let Ok(named) = env::var("CI_IMPORT_COMMIT") {
        return Some(named);
    }
    for file in ["HEAD", "packed-refs", "refs/heads"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
