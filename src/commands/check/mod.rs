//! `ci-import check`: runs the checks that an import runs before it begins, and reports their results and
//! what the import would do. Changes nothing.

mod builds;
mod checks;

use super::destination::PreparedTarget;
use super::estimate::{Estimate, estimate};
use super::space::database_space;
use crate::cancellation::Cancellation;
use crate::cli::settings::{CheckSettings, Destination};
use crate::dump::Dialect;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::gitlab::content::Content;
use crate::gitlab::installation::{Installation, local_gitlab};
use crate::gitlab::target_version;
use crate::input::locate::locate;
use crate::input::open::{Input, Judged};
use crate::publish::outcome::Live;
use crate::schema::policies::Policies;
use crate::server::Rights;
use crate::server::postgresql::private_server::PrivateServer;
use crate::traces::{Builds, empty_traces};
use crate::ui::numbers::age_of;
use crate::ui::progress::Progress;
pub use checks::Checks;

/// Runs the checks.
pub fn run(
    settings: &CheckSettings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Checks> {
    let mut checks = Checks::default();
    let located = locate(&settings.source);
    let opened = located.and_then(|located| {
        Ok((
            located.name(),
            Input::open(&located, progress, cancellation)?,
        ))
    });
    let input = checks.add("input", opened, |(name, input)| input.shown(name));
    let Some((_, input)) = input else {
        return Ok(checks);
    };
    if input.is_archive_pipe() {
        return Err(Error::usage("a pipe can be read only once")
            .hint("check the file of the archive; the import itself accepts a pipe"));
    }
    let content = input.content();
    let convert = settings.mysql_to_postgresql;
    let destination = &settings.destination;
    let asked = destination.asks(convert, content, &Policies::default());
    let is_for_mysql = asked.as_ref().is_ok_and(|asked| *asked == Asked::ForMysql);
    let judged = asked.and_then(|asked| input.judge(asked));
    checks.add("version, dialect", judged, |known| {
        tell_version(known.as_ref(), is_for_mysql)
    });
    if input.has_empty_traces() {
        checks.add("traces", Err::<(), _>(empty_traces()), |()| String::new());
    }
    let sizes = input.sizes();
    let estimated = sizes.map(|sizes| sizes.map(|(database, traces)| estimate(database, traces)));
    let known = estimated.as_ref().ok().copied().flatten();
    check_target(&mut checks, settings, content, known);
    if let Some(estimated) = estimated.transpose() {
        checks.add("estimate", estimated, ToString::to_string);
    }
    Ok(checks)
}

fn tell_version(judged: Option<&Judged>, is_for_mysql: bool) -> String {
    match judged {
        None => "they are known when the dump is read".to_owned(),
        Some(Judged {
            information,
            dialect,
        }) => {
            let made = information
                .created_at
                .as_deref()
                .unwrap_or("at an unknown time");
            let dialect = match dialect {
                Dialect::Postgresql => "PostgreSQL, unchanged",
                Dialect::Mysql if is_for_mysql => "MySQL, unchanged",
                Dialect::Mysql => "MySQL, to be converted",
                Dialect::ConvertedMysql => "MySQL, converted by GitLab CI",
            };
            let version = &information.version;
            format!("GitLab CI {version}, made {made}; {dialect}")
        }
    }
}

fn check_target(
    checks: &mut Checks,
    settings: &CheckSettings,
    content: Content,
    estimate: Option<Estimate>,
) {
    if let Destination::Private { directory, .. } = &settings.destination {
        let server = PrivateServer::at(directory);
        let is_new = !server.as_ref().is_ok_and(PrivateServer::exists);
        if is_new {
            checks.add("target", server, |server| {
                let shown = server.directory().display();
                format!("a private PostgreSQL will be created in {shown}")
            });
            return;
        }
    }
    let ready = PreparedTarget::prepare(
        &settings.destination,
        content.has_traces(),
        &Progress::new(true),
    );
    let ready = ready.and_then(|ready| ready.owned_by(settings.builds_owner));
    let Some(ready) = checks.add("target", ready, PreparedTarget::shown) else {
        return;
    };
    let connected = ready.target.server();
    let gitlab = local_gitlab();
    let gitlab = gitlab.as_ref();
    let server = checks.add("server", connected, |server| server.version.clone());
    if let Some(server) = server {
        check_tables(checks, settings, content, &ready, gitlab);
        if let (Some(data), Some(estimate)) = (server.data_directory, estimate) {
            match database_space(&data, estimate.sql) {
                Some(space) if !space.is_enough() => checks.note(
                    "space for tables",
                    format!("may not be enough in {}: {space}", data.display()),
                ),
                space => tell_space(checks, "space for tables", space.map(|s| s.to_string())),
            }
        }
    }
    match &ready.builds {
        None => {}
        Some(Builds::Directory(directory)) => {
            builds::check(checks, directory, settings, (gitlab, estimate));
        }
        Some(Builds::Prefix(prefix)) => builds::check_prefix(checks, prefix),
    }
}

pub(super) fn tell_space(checks: &mut Checks, name: &'static str, space: Option<String>) {
    match space {
        Some(space) => _ = checks.add(name, Ok(space), Clone::clone),
        None => checks.note(name, "the file system does not report it"),
    }
}

fn check_tables(
    checks: &mut Checks,
    settings: &CheckSettings,
    content: Content,
    ready: &PreparedTarget,
    gitlab: Option<&Installation>,
) {
    let locked = ready.target.lock();
    let locked = checks.add("lock", locked, |_| "no other import is running".to_owned());
    let Some(mut target) = locked else { return };
    if let Ok(Some(kept)) = target.kept() {
        checks.note(
            "kept",
            format!(
                "{} is kept: ci-import publish makes it live, an import drops it",
                kept.told()
            ),
        );
    }
    let tables = content.known_tables();
    let schema = target.schema(settings.schema.as_deref(), content);
    let examined = schema.and_then(|schema| target.examine(&schema, tables, settings.undistribute));
    let examined = examined.and_then(|live| Ok((target.rights(&live.schema)?, live)));
    let live = match examined {
        Ok((Rights::Enough(told), live)) => {
            checks.add("rights", Ok(told), Clone::clone);
            live
        }
        Ok((Rights::Unknown(told), live)) => {
            checks.note("rights", told);
            live
        }
        Err(error) => {
            checks.add("rights", Err::<(), _>(error), |()| String::new());
            return;
        }
    };
    if !content.has_gitlab_steps() {
        return;
    }
    if !settings.ignore_target_version {
        let version = target.recorded_versions(&live.schema);
        let version = version.and_then(|recorded| target_version::check(&recorded));
        checks.add("version of GitLab", version, |()| {
            "nothing says that it is not GitLab 8.0".to_owned()
        });
    }
    tell_what_is_replaced(checks, &live, &target.previous());
    if let Ok(holders) = target.holders(&live.schema, tables)
        && !holders.is_empty()
    {
        checks.note(
            "locks",
            format!(
                "other sessions use the tables; the publish waits for them, 300 s or --wait-for-locks SECONDS: {}",
                holders.join(", ")
            ),
        );
    }
    checks.add("recovery", target.check_recovery(), |()| {
        "the target can report the result of a publish".to_owned()
    });
    checks.add(
        "GitLab",
        target.ci_enabled(&live.schema),
        |enabled| match enabled {
            Some(true) => "CI is switched on; it is off while the tables change".to_owned(),
            Some(false) => "CI is switched off; the import switches it on".to_owned(),
            None => "no GitLab in this schema: only the tables are imported".to_owned(),
        },
    );
    tell_backup(checks, gitlab);
}

/// The age of the newest backup that the GitLab on this machine has made of itself. The import keeps what it replaces, but
/// a backup survives the machine.
fn tell_backup(checks: &mut Checks, gitlab: Option<&Installation>) {
    let name = "backup of GitLab";
    let Some(gitlab) = gitlab else {
        checks.note(
            name,
            "no GitLab is installed here: see that its backup is of today",
        );
        return;
    };
    let folder = gitlab.backups.display();
    match gitlab.own_backup() {
        Some(backup) if backup.is_recent() => {
            let told = format!("{} is {} old", backup.name, age_of(backup.age()));
            checks.add(name, Ok(told), Clone::clone);
        }
        Some(backup) => checks.note(
            name,
            format!(
                "the newest in {folder} is {} old: make one before the import",
                age_of(backup.age())
            ),
        ),
        None => checks.note(
            name,
            format!("none is in {folder}: make one before the import"),
        ),
    }
}

fn tell_what_is_replaced(checks: &mut Checks, live: &Live, aside: &str) {
    if live.with_rows.is_empty() {
        let what = "no table with rows is replaced".to_owned();
        checks.add("tables", Ok(what), Clone::clone);
    } else {
        let names = live.with_rows.join(", ");
        checks.note("tables", format!("are moved to {aside}: {names}"));
    }
    if live.has_previous {
        checks.note(
            "previous import",
            format!("the tables that the previous import kept in {aside} are dropped"),
        );
    }
}
