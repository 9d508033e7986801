//! The files `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::storage::variables::{Variable, refuse_strangers};

/// The settings of a section by their names; a nested one has a point in its name: `s3.addressing_style`.
type Section = BTreeMap<String, String>;

/// Both files.
pub(super) struct Profiles {
    config: BTreeMap<String, Section>,
    credentials: BTreeMap<String, Section>,
    config_path: PathBuf,
    credentials_path: PathBuf,
    /// The profile that is asked for.
    name: Option<String>,
}

/// A profile of both files.
pub(super) struct Profile<'a> {
    files: &'a Profiles,
    name: String,
}

impl Profiles {
    /// Reads the files where `aws` has them. A file that does not exist is as an empty one.
    pub(super) fn read(variable: Variable<'_>) -> Result<Profiles> {
        let home = variable("HOME").map_or_else(PathBuf::new, PathBuf::from);
        let at = |name: &str, usual: &str| match variable(name) {
            Some(path) => match path.strip_prefix("~/") {
                Some(rest) => home.join(rest),
                None => PathBuf::from(path),
            },
            None => home.join(".aws").join(usual),
        };
        let config_path = at("AWS_CONFIG_FILE", "config");
        let credentials_path = at("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        Ok(Profiles {
            config: sections(&config_path)?,
            credentials: sections(&credentials_path)?,
            config_path,
            credentials_path,
            name: variable("AWS_PROFILE").or_else(|| variable("AWS_DEFAULT_PROFILE")),
        })
    }

    /// The profile that is asked for, or the default.
    pub(super) fn chosen(&self) -> Result<Profile<'_>> {
        let profile = Profile {
            files: self,
            name: self.name.clone().unwrap_or_else(|| "default".to_owned()),
        };
        if self.name.is_some() && profile.config().is_none() && profile.credentials().is_none() {
            let mut known: Vec<&str> = self
                .config
                .keys()
                .map(|name| name.strip_prefix("profile ").unwrap_or(name))
                .filter(|name| !name.starts_with("sso-session ") && !name.starts_with("services "))
                .chain(self.credentials.keys().map(String::as_str))
                .collect();
            known.sort_unstable();
            known.dedup();
            let error = Error::usage(format!("there is no {profile}"));
            return Err(if known.is_empty() {
                error
            } else {
                error.hint(format!("there are: {}", known.join(", ")))
            });
        }
        Ok(profile)
    }
}

impl Profile<'_> {
    fn config(&self) -> Option<&Section> {
        let config = &self.files.config;
        let full = config.get(&format!("profile {}", self.name));
        full.or_else(|| config.get(&self.name).filter(|_| self.name == "default"))
    }

    fn credentials(&self) -> Option<&Section> {
        self.files.credentials.get(&self.name)
    }

    /// A setting; the file with the settings comes first.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let found = |section: Option<&Section>| section?.get(name).cloned();
        found(self.config()).or_else(|| found(self.credentials()))
    }

    /// A setting; the file with the credentials comes first.
    pub(super) fn get_secret(&self, name: &str) -> Option<String> {
        let found = |section: Option<&Section>| section?.get(name).cloned();
        found(self.credentials()).or_else(|| found(self.config()))
    }

    /// The address of the storage.
    pub(super) fn endpoint(&self) -> Option<String> {
        let of_service = || {
            let services = format!("services {}", self.get("services")?);
            self.files
                .config
                .get(&services)?
                .get("s3.endpoint_url")
                .cloned()
        };
        let nested = || self.get("s3.endpoint_url");
        of_service()
            .or_else(nested)
            .or_else(|| self.get("endpoint_url"))
    }

    /// An error if the profile gets its credentials in a way that only `aws` itself knows.
    pub(super) fn refuse_roles(&self) -> Result<()> {
        let is_set = |name: &str| self.get(name).is_some();
        let what =
            if is_set("role_arn") && (is_set("source_profile") || is_set("credential_source")) {
                "takes a role with other credentials (role_arn)"
            } else if is_set("sso_session") || is_set("sso_start_url") {
                "signs in in a browser (sso_…)"
            } else {
                return Ok(());
            };
        let name = &self.name;
        Err(Error::usage(format!("{self} {what}, which ci-import cannot do")).hint(format!(
            "let aws do it: eval \"$(aws configure export-credentials --profile {name} --format env)\", or in another \
             profile: credential_process = aws configure export-credentials --profile {name}"
        )))
    }
}

impl fmt::Display for Profile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "profile {} in {} and {}",
            self.name,
            self.files.config_path.display(),
            self.files.credentials_path.display()
        )
    }
}

/// The sections of the file at `path`.
fn sections(path: &Path) -> Result<BTreeMap<String, Section>> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(BTreeMap::new());
        }
        Err(cause) => {
            return Err(Error::usage(format!("cannot read {shown}: {cause}")).caused_by(cause));
        }
    };
    refuse_strangers(
        path,
        "name a file of your own: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE",
    )?;
    Ok(parse(&text))
}

/// Reads the text as `aws` does: `name = value`, and below a name without a value, indented, nested ones. A comment
/// begins a line, or follows white space.
fn parse(text: &str) -> BTreeMap<String, Section> {
    let mut sections = BTreeMap::new();
    let mut section: Option<&mut Section> = None;
    let mut outer = String::new();
    for line in text.lines() {
        let is_indented = line.starts_with([' ', '\t']);
        let line = without_comment(line).trim();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            section = Some(sections.entry(name.replace(['"', '\''], "")).or_default());
            outer.clear();
            continue;
        }
        let (Some((name, value)), Some(section)) = (line.split_once('='), section.as_mut()) else {
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if is_indented && !outer.is_empty() {
            section.insert(format!("{outer}.{name}"), value.to_owned());
        } else if value.is_empty() {
            outer = name;
        } else {
            outer.clear();
            section.insert(name, value.to_owned());
        }
    }
    sections
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) {
        return "";
    }
    let end = [" #", " ;", "\t#", "\t;"]
        .iter()
        .filter_map(|mark| line.find(mark))
        .min();
    &line[..end.unwrap_or(line.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\nregion = eu-west-1\n# not = this\n\n[profile far]\nRegion=us-west-2 # far\n\
        s3 =\n  addressing_style = virtual\n  endpoint_url = https://nested\nservices = other\nca_bundle = /a#b\n\
        [services other]\ns3 = \n  endpoint_url = https://service\n[ profile  \"with quotes\" ]\nrole_arn = r\n\
        source_profile = default\n";
    const CREDENTIALS: &str =
        "stray = 1\n[default]\naws_access_key_id=id\naws_secret_access_key = a=b\n[old]\nx=\n";

    fn profiles(name: Option<&str>) -> Profiles {
        Profiles {
            config: parse(CONFIG),
            credentials: parse(CREDENTIALS),
            config_path: "c".into(),
            credentials_path: "d".into(),
            name: name.map(str::to_owned),
        }
    }

    #[test]
    fn settings_of_profiles() {
        let all = profiles(None);
        let default = all.chosen().unwrap();
        assert_eq!(default.get("region").as_deref(), Some("eu-west-1"));
        assert_eq!(default.get("not"), None);
        assert_eq!(
            default.get_secret("aws_secret_access_key").as_deref(),
            Some("a=b")
        );
        assert_eq!(default.endpoint(), None);
        default.refuse_roles().unwrap();

        let all = profiles(Some("far"));
        let far = all.chosen().unwrap();
        assert_eq!(far.get("region").as_deref(), Some("us-west-2"));
        assert_eq!(far.get("s3.addressing_style").as_deref(), Some("virtual"));
        assert_eq!(far.get("ca_bundle").as_deref(), Some("/a#b"));
        assert_eq!(far.endpoint().as_deref(), Some("https://service"));
    }

    #[test]
    fn what_is_refused() {
        let all = profiles(Some("with quotes"));
        let error = all.chosen().unwrap().refuse_roles().unwrap_err();
        assert!(error.to_string().contains("role_arn"), "{error}");
        let all = profiles(Some("none"));
        let error = all.chosen().err().unwrap();
        assert_eq!(error.to_string(), "there is no profile none in c and d");
        assert_eq!(
            error.hint_text(),
            Some("there are: default, far, old, with quotes")
        );
    }

    #[test]
    fn a_file_of_a_stranger_is_not_believed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, CONFIG).unwrap();
        assert_eq!(sections(&path).unwrap().len(), 4);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let error = sections(&path).unwrap_err();
        assert!(error.to_string().contains("cannot be trusted"), "{error}");
        assert!(sections(&folder.path().join("none")).unwrap().is_empty());
    }
}
