//! `ci-import secrets check`: decrypts the encrypted values of an archive or a target in memory. Changes nothing.

use super::dump::Decrypting;
use super::report::Report;
use super::warn_of;
use crate::archive;
use crate::cancellation::Cancellation;
use crate::cli::secrets::{SecretsSettings, Values};
use crate::cli::settings::Destination;
use crate::commands::destination::PreparedTarget;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::gitlab::content::Content;
use crate::gitlab::secrets::{Checked, Checking};
use crate::input::locate::locate;
use crate::input::members::{DumpMember, Part};
use crate::input::open::Input;
use crate::input::packing::unpacked;
use crate::input::source::Source;
use crate::pipeline::converter::Accept;
use crate::pipeline::reading::Dump;
use crate::schema::policies::Policies;
use crate::ui::progress::Progress;

/// Runs the check of `settings`.
pub fn run(
    settings: &SecretsSettings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Report> {
    warn_of(&settings.secrets);
    let check = Check {
        settings,
        progress,
        cancellation,
    };
    let (values_of, checked) = match &settings.values {
        Values::Source(source) => check.source(source)?,
        Values::Live {
            destination,
            schema,
        } => check.live(destination, schema.as_deref())?,
    };
    Ok(Report {
        values_of,
        secrets: settings.secrets.path.display().to_string(),
        checked,
    })
}

/// A running check.
struct Check<'a> {
    settings: &'a SecretsSettings,
    progress: &'a Progress,
    cancellation: &'a Cancellation,
}

impl Check<'_> {
    /// Checks an archive or a dump.
    fn source(&self, source: &Source) -> Result<(String, Checked)> {
        let located = locate(source)?;
        let input = Input::open(&located, self.progress, self.cancellation)?;
        let mut checked = None;
        input.for_each_part(self.cancellation, |part| {
            if let Part::Dump(member) = part {
                checked = Some(self.dump(member)?);
            }
            Ok(())
        })?;
        let missing = || {
            let name = archive::DATABASE;
            Error::archive(format!("the archive has no member {name}"))
        };
        Ok((located.name(), checked.ok_or_else(missing)?))
    }

    fn dump(&self, member: DumpMember<'_>) -> Result<Checked> {
        let meter = self
            .progress
            .member("reading the database", member.size, "encrypted values");
        let (reader, packing) = (meter.watch(member.reader), member.packing);
        let dump = Dump {
            name: member.name,
            reader: &mut unpacked(reader, packing, self.settings.max_inflation),
            asked: Asked::Either,
            policies: Policies::to_look(),
            accept: Accept::by(|_, _| Ok(())),
            late_prefix: None,
            limits: self.settings.resources.dump,
        };
        let decrypting = Decrypting::new(&self.settings.secrets.key, meter.counts());
        let checked = dump.read_into(decrypting)?.sink.finish();
        meter.complete();
        Ok(checked)
    }

    /// Checks the live tables of `destination`.
    fn live(&self, destination: &Destination, schema: Option<&str>) -> Result<(String, Checked)> {
        let ready = PreparedTarget::existing(destination, false, self.progress)?;
        let checked = self.cancellation.guard(|| {
            let target = ready.target.verifies();
            let schema = target.schema(schema, Content::Backup)?;
            let mut session = target.encrypted()?;
            let held = session.count_encrypted(&schema)?;
            let mut checking = Checking::with(&self.settings.secrets.key);
            checking.add_never_encrypted(held.never_encrypted);
            let meter = self.progress.steps("decrypting");
            session.read_encrypted(&schema, &mut |row| {
                checking.add(row);
                self.cancellation.check()
            })?;
            let checked = checking.finish();
            meter.complete();
            Ok(checked)
        })?;
        Ok((ready.shown(), checked))
    }
}
