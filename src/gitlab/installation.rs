//! Where GitLab and GitLab CI of 2015 are installed, from source and from an Omnibus package.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::yaml;

/// Which program an installation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// GitLab.
    Gitlab,
    /// GitLab CI before it was a part of GitLab.
    GitlabCi,
}

/// How it was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// From source, in the home directory of its user.
    Source,
    /// By a package.
    Omnibus,
}

/// An installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Which program it is.
    pub product: Product,
    /// How it was installed.
    pub layout: Layout,
    /// Its directory.
    pub directory: PathBuf,
    /// Its version, if the file says it.
    pub version: Option<String>,
    /// The file that names its database.
    pub database_yml: PathBuf,
    /// The directory of build traces.
    pub builds: PathBuf,
    /// The folder of its backups.
    pub backups: PathBuf,
    /// The file with its key.
    pub secrets: PathBuf,
    /// The directory of the repositories; a GitLab CI has none.
    pub repositories: Option<PathBuf>,
}

impl Installation {
    /// The newest backup that GitLab has made of itself.
    #[must_use]
    pub fn own_backup(&self) -> Option<FoundArchive> {
        newest_archive(&self.backups, "_gitlab_backup.tar")
    }
}

/// The usual directories of installations from source.
const FROM_SOURCE: [&str; 2] = ["home/git/gitlab", "home/gitlab_ci/gitlab-ci"];

/// Where an Omnibus package is, and where it has its data.
const OMNIBUS: &str = "opt/gitlab/embedded/service";
const OMNIBUS_DATA: &str = "var/opt/gitlab";

/// The seconds of a day.
const DAY: u64 = 86_400;

/// The settings are smaller.
const MOST_BYTES: u64 = 1 << 20;

/// The GitLab of this machine, if it has one.
#[must_use]
pub fn local_gitlab() -> Option<Installation> {
    let mut found = find(Path::new("/"), None).into_iter();
    found.find(|found| found.product == Product::Gitlab)
}

/// The installations below `root`; only that in `install`, if it is named.
#[must_use]
pub fn find(root: &Path, install: Option<&Path>) -> Vec<Installation> {
    if let Some(install) = install {
        return from_source(install).into_iter().collect();
    }
    let sources = FROM_SOURCE
        .iter()
        .filter_map(|place| from_source(&root.join(place)));
    sources.chain(omnibus(root)).collect()
}

/// The installation from source in `directory`, if there is one.
fn from_source(directory: &Path) -> Option<Installation> {
    let version = read(&directory.join("VERSION"))?;
    let is_gitlab = directory.join("config/gitlab.yml").exists();
    let is_ci = directory.join("config/application.yml").exists();
    let product = match (is_gitlab, is_ci) {
        (true, _) => Product::Gitlab,
        (false, true) => Product::GitlabCi,
        (false, false) if directory.ends_with("gitlab-ci") => Product::GitlabCi,
        (false, false) => Product::Gitlab,
    };
    let settings = Settings::read(&directory.join("config/gitlab.yml"));
    let path = |written: Option<PathBuf>, default: &str| {
        directory.join(written.unwrap_or_else(|| PathBuf::from(default)))
    };
    Some(Installation {
        product,
        layout: Layout::Source,
        version: Some(version.trim().to_owned()),
        database_yml: directory.join("config/database.yml"),
        builds: path(settings.builds, "builds"),
        backups: path(settings.backups, "tmp/backups"),
        secrets: directory.join("config/secrets.yml"),
        repositories: (product == Product::Gitlab)
            .then(|| path(settings.repositories, "../repositories")),
        directory: directory.to_owned(),
    })
}

/// The installations of an Omnibus package below `root`: GitLab, and GitLab CI, which is in the same package.
fn omnibus(root: &Path) -> Vec<Installation> {
    let (service, data) = (root.join(OMNIBUS), root.join(OMNIBUS_DATA));
    let of = |name: &str, product, backups: &str| {
        let directory = service.join(name);
        let database_yml = data.join(name).join("etc/database.yml");
        // Both are always unpacked; the one that is used has settings.
        let version = read(&directory.join("VERSION")).filter(|_| database_yml.exists())?;
        let settings = Settings::read(&data.join(name).join("etc/gitlab.yml"));
        Some(Installation {
            product,
            layout: Layout::Omnibus,
            version: Some(version.trim().to_owned()),
            database_yml,
            builds: settings
                .builds
                .unwrap_or_else(|| data.join("gitlab-ci/builds")),
            backups: settings.backups.unwrap_or_else(|| data.join(backups)),
            secrets: root.join("etc/gitlab/gitlab-secrets.json"),
            repositories: (product == Product::Gitlab).then(|| {
                let usual = || data.join("git-data/repositories");
                settings.repositories.unwrap_or_else(usual)
            }),
            directory,
        })
    };
    let gitlab = of("gitlab-rails", Product::Gitlab, "backups");
    let ci = of("gitlab-ci", Product::GitlabCi, "ci-backups");
    gitlab.into_iter().chain(ci).collect()
}

/// The text of a short file.
fn read(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return None;
    }
    fs::read_to_string(path).ok()
}

/// What `gitlab.yml` says about places.
#[derive(Debug, Default)]
struct Settings {
    builds: Option<PathBuf>,
    backups: Option<PathBuf>,
    repositories: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Written {
    production: Production,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Production {
    gitlab_ci: Ci,
    backup: Backup,
    gitlab_shell: Shell,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Ci {
    builds_path: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Shell {
    repos_path: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Backup {
    path: Option<String>,
}

impl Settings {
    /// What the file at `path` says; nothing if it is missing or no plain YAML.
    fn read(path: &Path) -> Settings {
        let text = read(path).unwrap_or_default();
        let written = serde_saphyr::from_str_with_options::<Written>(&text, yaml::of_settings());
        let production = written.unwrap_or_default().production;
        let place = |text: Option<String>| {
            let text = text.filter(|text| !text.is_empty() && !text.contains("<%"));
            text.map(PathBuf::from)
        };
        Settings {
            builds: place(production.gitlab_ci.builds_path),
            backups: place(production.backup.path),
            repositories: place(production.gitlab_shell.repos_path),
        }
    }
}

/// An archive in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundArchive {
    /// Its name.
    pub name: String,
    /// When it was made, in seconds since 1970.
    pub made: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

impl FoundArchive {
    /// Its age in seconds.
    #[must_use]
    pub fn age(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.unwrap_or_default().as_secs().saturating_sub(self.made)
    }

    /// Whether it is not older than a day: an older backup of what changes every day does not help.
    #[must_use]
    pub fn is_recent(&self) -> bool {
        self.age() < DAY
    }
}

/// The newest file in `folder` whose name is a time and then `suffix`.
#[must_use]
pub fn newest_archive(folder: &Path, suffix: &str) -> Option<FoundArchive> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let archives = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let made = name.strip_suffix(suffix)?.parse().ok()?;
        let bytes = entry.metadata().ok().filter(fs::Metadata::is_file)?.len();
        Some(FoundArchive { name, made, bytes })
    });
    archives.max_by_key(|archive| archive.made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn installations_are_found() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert_eq!(find(root, None), []);
        put(root, "home/gitlab_ci/gitlab-ci/VERSION", "8.0.5\n");
        put(root, "home/gitlab_ci/gitlab-ci/config/application.yml", "");
        put(root, "home/git/gitlab/VERSION", "8.0.5");
        let settings = "production: &base\n  gitlab_ci:\n    builds_path: /data/builds\n  backup:\n    path: \"tmp/b\"\n  gitlab_shell:\n    repos_path: /data/repositories/\n";
        put(root, "home/git/gitlab/config/gitlab.yml", settings);
        put(
            root,
            "opt/gitlab/embedded/service/gitlab-ci/VERSION",
            "8.0.4",
        );
        put(
            root,
            "opt/gitlab/embedded/service/gitlab-rails/VERSION",
            "8.0.4",
        );
        put(root, "var/opt/gitlab/gitlab-rails/etc/database.yml", "");
        let found = find(root, None);
        let shapes: Vec<_> = found
            .iter()
            .map(|found| (found.product, found.layout))
            .collect();
        assert_eq!(
            shapes,
            [
                (Product::Gitlab, Layout::Source),
                (Product::GitlabCi, Layout::Source),
                (Product::Gitlab, Layout::Omnibus),
            ]
        );
        assert_eq!(found[0].builds, Path::new("/data/builds"));
        let repositories = found.iter().map(|found| found.repositories.clone());
        assert_eq!(
            repositories.collect::<Vec<_>>(),
            [
                Some(PathBuf::from("/data/repositories/")),
                None,
                Some(root.join("var/opt/gitlab/git-data/repositories")),
            ]
        );
        assert_eq!(found[0].backups, root.join("home/git/gitlab/tmp/b"));
        assert_eq!(
            found[1].builds,
            root.join("home/gitlab_ci/gitlab-ci/builds")
        );
        assert_eq!(
            found[2].builds,
            root.join("var/opt/gitlab/gitlab-ci/builds")
        );
        let one = find(root, Some(&root.join("home/gitlab_ci/gitlab-ci")));
        assert_eq!(one, found[1..2]);
    }

    #[test]
    fn the_newest_archive_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest_archive(folder.path(), "_x.tar"), None);
        for name in ["9_x.tar", "10_x.tar", "x_x.tar", "11_y.tar"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let found = newest_archive(folder.path(), "_x.tar").unwrap();
        assert_eq!(
            (found.name.as_str(), found.made, found.bytes),
            ("10_x.tar", 10, 8)
        );
    }
}
