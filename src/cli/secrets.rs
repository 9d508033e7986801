//! The meaning of the arguments of `secrets`.

use super::arguments::CheckSecretsArgs;
use super::settings::Destination;
use crate::error::{Error, Result};
use crate::gitlab::secrets::{SecretsFile, read};
use crate::input::source::Source;
use crate::resources::Resources;

/// Where the encrypted values are.
#[derive(Clone)]
pub enum Values {
    /// In an archive or a dump.
    Source(Source),
    /// In the live tables of a database.
    Live {
        /// The database.
        destination: Box<Destination>,
        /// The schema, if one is named.
        schema: Option<String>,
    },
}

/// The settings of a check of encrypted values.
#[derive(Clone)]
pub struct SecretsSettings {
    /// Where the values are.
    pub values: Values,
    /// The file with the key.
    pub secrets: SecretsFile,
    /// The limits of what is kept of a dump.
    pub resources: Resources,
    /// The maximum inflation of a member, as a multiple of its size.
    pub max_inflation: u32,
    /// Whether the report is in JSON.
    pub json: bool,
}

impl SecretsSettings {
    /// The settings from `arguments` and the environment. `variable` looks up a variable.
    pub fn new(
        arguments: CheckSecretsArgs,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<SecretsSettings> {
        let (archive, target) = (arguments.archive, arguments.target);
        if target.builds_path.is_some() {
            return Err(Error::usage(
                "--builds-path: encrypted values are not in the traces",
            ));
        }
        let is_named = target.database_url.is_some()
            || target.database_yml.is_some()
            || target.private_dir.is_some();
        if !archive.archive.is_empty() && (is_named || arguments.schema.is_some()) {
            return Err(
                Error::usage("both an archive and a database are named").hint("check one of them")
            );
        }
        let values = if archive.archive.is_empty() {
            Values::Live {
                destination: Box::new(Destination::named(target, variable)?),
                schema: arguments.schema,
            }
        } else {
            Values::Source(Source::named(archive, variable)?)
        };
        let reserved = match &values {
            Values::Source(source) => source.reserved_bytes(),
            Values::Live { .. } => 0,
        };
        Ok(SecretsSettings {
            values,
            secrets: read(&arguments.secrets)?,
            resources: Resources::beside(reserved, None, arguments.memory)?,
            max_inflation: arguments.inflation.max_inflation,
            json: arguments.json,
        })
    }
}
