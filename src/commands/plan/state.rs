//! What is seen of a move: on the GitLab server, and in the archive.

use std::path::Path;

use super::addresses::SeenAddress;
use crate::archive::DEFAULT_MAX_INFLATION;
use crate::cancellation::Cancellation;
use crate::cli::secrets::{SecretsSettings, Values};
use crate::cli::settings::Destination;
use crate::commands::estimate::estimate;
use crate::commands::redirect::sites::Front;
use crate::commands::secrets::check;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::gitlab::installation::{FoundArchive, Installation, Layout, local_gitlab};
use crate::gitlab::secrets::read;
use crate::gitlab::target_version;
use crate::input::locate::locate;
use crate::input::open::Input;
use crate::input::source::Source;
use crate::resources::Resources;
use crate::server::About;
use crate::ui::progress::Progress;

/// What is seen.
#[derive(Debug)]
pub(super) struct State {
    /// How GitLab is installed here, if it is.
    pub(super) layout: Option<Layout>,
    /// GitLab's newest own backup.
    pub(super) backup: Option<FoundArchive>,
    /// What is seen at the address of GitLab CI, if it is named.
    pub(super) address: Option<SeenAddress>,
    /// GitLab's database.
    pub(super) about: Result<About>,
    /// The archive, if it is named: when it was made, and how long its import may take.
    pub(super) archive: Option<Result<SeenArchive>>,
    /// How many values of the archive decrypt with GitLab's key, if it is named.
    pub(super) key: Option<Result<String>>,
}

/// An archive that can be imported.
#[derive(Debug)]
pub(super) struct SeenArchive {
    /// Its version and when it was made.
    pub(super) what: String,
    /// How long the import may take.
    pub(super) time: Option<String>,
}

impl State {
    /// Looks at everything.
    pub(super) fn see(
        source: Option<&Source>,
        destination: &Destination,
        mysql_to_postgresql: bool,
        secrets: Option<&Path>,
        address: Option<SeenAddress>,
        cancellation: &Cancellation,
    ) -> State {
        let gitlab = local_gitlab();
        let about = match destination {
            Destination::Named { target, .. } => target.about(),
            Destination::Private { .. } => Err(Error::usage("no database is named")
                .hint("--database-yml names GitLab's; the plan is the same without it, but nothing is ticked off")),
        };
        State {
            layout: gitlab.as_ref().map(|gitlab| gitlab.layout),
            backup: gitlab.as_ref().and_then(Installation::own_backup),
            address,
            about,
            archive: source.map(|source| see(source, mysql_to_postgresql, cancellation)),
            key: source
                .zip(secrets)
                .map(|(source, secrets)| try_key(source, secrets, cancellation)),
        }
    }

    /// Whether GitLab is an 8.0; none if that is not known.
    pub(super) fn is_8_0(&self) -> Option<bool> {
        let migration = self.about.as_ref().ok()?.migration.clone()?;
        Some(target_version::check(&[migration]).is_ok())
    }

    /// Whether CI is switched on in GitLab.
    pub(super) fn ci_enabled(&self) -> Option<bool> {
        self.about.as_ref().ok()?.ci_enabled
    }

    /// Whether CI's data are there.
    pub(super) fn is_imported(&self) -> Option<bool> {
        let about = self.about.as_ref().ok()?;
        Some(about.builds? > 0)
    }

    /// Whether what an import has replaced is still kept.
    pub(super) fn has_previous(&self) -> Option<bool> {
        self.about.as_ref().ok().map(|about| about.has_previous)
    }

    /// Whether GitLab's own backup is of today.
    pub(super) fn has_backup(&self) -> Option<bool> {
        self.backup.as_ref().map(FoundArchive::is_recent)
    }

    /// What the address of GitLab CI answers.
    pub(super) fn front(&self) -> Option<&Front> {
        self.address.as_ref().map(|address| &address.front)
    }

    /// Whether GitLab CI is stopped.
    pub(super) fn is_ci_stopped(&self) -> Option<bool> {
        match self.front()? {
            Front::Redirected | Front::Stopped(_) => Some(true),
            Front::Runs(_) => Some(false),
            Front::Silent(_) => None,
        }
    }

    /// Whether the old address leads to the GitLab, for runners and triggers, too.
    pub(super) fn is_redirected(&self) -> Option<bool> {
        let address = self.address.as_ref()?;
        match address.front {
            Front::Redirected => Some(address.trouble.is_none()),
            Front::Stopped(_) | Front::Runs(_) => Some(false),
            Front::Silent(_) => None,
        }
    }
}

fn see(
    source: &Source,
    mysql_to_postgresql: bool,
    cancellation: &Cancellation,
) -> Result<SeenArchive> {
    let located = locate(source)?;
    let input = Input::open(&located, &Progress::new(true), cancellation)?;
    let judged = input.judge(Asked::by_option(mysql_to_postgresql, true))?;
    let what = judged.map_or_else(
        || "it can be read".to_owned(),
        |judged| {
            let made = judged.information.created_at.unwrap_or_default();
            format!("GitLab CI {}, made {made}", judged.information.version)
        },
    );
    let sizes = input.sizes()?;
    let time = sizes.map(|(database, traces)| estimate(database, traces).to_string());
    Ok(SeenArchive { what, time })
}

/// Decrypts the values of the archive with the key in the file `secrets`.
fn try_key(source: &Source, secrets: &Path, cancellation: &Cancellation) -> Result<String> {
    let settings = SecretsSettings {
        values: Values::Source(source.clone()),
        secrets: read(secrets)?,
        resources: Resources::new(None, None)?,
        max_inflation: DEFAULT_MAX_INFLATION,
        json: false,
    };
    let report = check::run(&settings, &Progress::new(true), cancellation)?;
    match report.failure() {
        Some(error) => Err(error),
        None => Ok("all encrypted values of the archive decrypt".to_owned()),
    }
}
