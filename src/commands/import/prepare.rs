//! The preparation before anything is staged: what the input is, whether it may be imported, what it would
//! replace, and whether there is enough space.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::context::Import;
use super::once::known_again;
use crate::cancellation::Cancellation;
use crate::cli::settings::Settings;
use crate::commands::estimate::estimate;
use crate::commands::replacing::confirm_replacing;
use crate::commands::space::refuse_too_little;
use crate::dump::Databases;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::gitlab::content::Content;
use crate::gitlab::information::Information;
use crate::gitlab::target_version;
use crate::input::locate::{Located, locate};
use crate::input::open::Input;
use crate::input::whole::Whole;
use crate::pipeline::converter::Accept;
use crate::publish::irreplaceable::Irreplaceable;
use crate::publish::outcome::Live;
use crate::schema::Map;
use crate::server::LockedTarget;
use crate::ui::progress::Progress;
use crate::ui::terminal;

/// The opened input, checked as far as possible before it is read.
pub(super) struct OpenedInput<'a> {
    pub(super) located: Located,
    pub(super) input: Input<'a>,
    /// All bytes of it, if it is to be known again later: a dump only if that was asked for.
    pub(super) whole: Option<Whole>,
    pub(super) content: Content,
    /// The kinds of dump that the target accepts.
    pub(super) asked: Asked,
    /// What an archive in a file says about itself.
    pub(super) information: Option<Information>,
}

impl<'a> OpenedInput<'a> {
    pub(super) fn open(
        settings: &Settings,
        progress: &Progress,
        cancellation: &'a Cancellation,
    ) -> Result<OpenedInput<'a>> {
        let located = locate(&settings.source)?;
        let (input, whole) = Input::open_whole(&located, progress, cancellation)?;
        let content = input.content();
        let (convert, policies) = (settings.mysql_to_postgresql, &settings.policies);
        let asked = settings.destination.asks(convert, content, policies)?;
        Ok(OpenedInput {
            information: input.judge(asked)?.map(|judged| judged.information),
            whole: if settings.once {
                Some(known_again(whole, &located.name())?)
            } else {
                whole.filter(|whole| content.has_traces() && whole.is_identified())
            },
            located,
            input,
            content,
            asked,
        })
    }
}

/// The state of the target before the import.
pub(super) struct Prepared {
    /// The live data.
    pub(super) live: Live,
    /// The existing tables that a dump must not replace, with their schemas.
    existing: HashSet<(String, String)>,
    /// Those that cannot be replaced, and why.
    irreplaceable: HashMap<(String, String), Irreplaceable>,
}

impl Prepared {
    /// Checks the names of tables. A backup may only have tables of GitLab CI. A dump may only have tables
    /// that replace none, unless `--replace` allows it and nothing prevents it.
    pub(super) fn accept(&self, content: Content, map: &Arc<Map>) -> Accept {
        let place = {
            let (map, schema) = (Arc::clone(map), self.live.schema.clone());
            move |database: Option<&str>, name: &str| {
                let (own, name) = map.place(database, name);
                (own.unwrap_or_else(|| schema.clone()), name)
            }
        };
        let place_of_rows = place.clone();
        let (existing, irreplaceable) = (self.existing.clone(), self.irreplaceable.clone());
        Accept {
            tables: Box::new(move |database, name| {
                content.check_table(name)?;
                let table = place(database, name);
                if !existing.contains(&table) {
                    return Ok(());
                }
                let (schema, name) = table;
                let what = format!("the target already has a table {schema}.{name}");
                Err(Error::usage(what).hint(
                    "--replace replaces the tables of the target; --schema imports into another schema",
                ))
            }),
            rows: Box::new(move |database, name| {
                let found = irreplaceable.get(&place_of_rows(database, name));
                found.map_or(Ok(()), |found| Err(found.refused()))
            }),
        }
    }
}

impl Import<'_> {
    /// Completes or undoes an interrupted publish.
    pub(super) fn recover(&self, target: &mut dyn LockedTarget) -> Result<()> {
        let directory = self.destination.directory();
        if let Some(told) = target.recover(directory)?.told() {
            terminal::say(&format!("ci-import: {told}"));
        }
        Ok(())
    }

    /// Examines the target. Asks whether CI's data may be replaced.
    pub(super) fn prepare(
        &self,
        target: &mut dyn LockedTarget,
        opened: &OpenedInput<'_>,
    ) -> Result<Prepared> {
        self.check_room(target, &opened.input)?;
        let schema = target.schema(self.settings.schema.as_deref(), self.content)?;
        let known = self.content.known_tables();
        if self.content.has_gitlab_steps() && !self.settings.ignore_target_version {
            target_version::check(&target.recorded_versions(&schema)?)?;
        }
        let takes_all = self.settings.policies.databases == Databases::All;
        let live = if takes_all {
            // Nothing goes to this schema. The others are not known before the dump is read.
            Live {
                schema,
                with_rows: Vec::new(),
                has_previous: false,
            }
        } else {
            target.examine(&schema, known, self.settings.undistribute)?
        };
        let mut existing = HashSet::new();
        if !known.is_empty() {
            confirm_replacing(
                self.destination,
                self.settings.yes,
                &live,
                &target.previous(),
                self.cancellation,
            )?;
        } else if takes_all || self.settings.policies.map.has_schemas() {
            // With --replace, too: it refuses what prevents a publish in several schemas.
            existing.extend(target.all_tables()?);
            if self.settings.replace {
                existing.clear();
            }
        } else if !self.settings.replace {
            let tables = target.tables_of(&live.schema)?.into_iter();
            existing.extend(tables.map(|table| (live.schema.clone(), table)));
        }
        let irreplaceable = if known.is_empty() && self.settings.replace {
            target.irreplaceable(self.settings.undistribute)?
        } else {
            HashMap::new()
        };
        Ok(Prepared {
            live,
            existing,
            irreplaceable,
        })
    }

    /// Checks that a publish with traces could be recovered, and that there is enough space for them.
    fn check_room(&self, target: &mut dyn LockedTarget, input: &Input<'_>) -> Result<()> {
        let Some(builds) = self.destination.directory() else {
            return Ok(());
        };
        target.check_recovery()?;
        match input.sizes()? {
            Some((database, traces)) if !self.settings.no_space_check => {
                refuse_too_little(builds, estimate(database, traces).least_traces)
            }
            _ => Ok(()),
        }
    }
}
