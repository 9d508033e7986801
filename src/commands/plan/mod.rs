//! `ci-import plan`: the whole move as a list of steps. What is done is ticked off by looking. Changes nothing.

mod addresses;
mod state;
mod steps;

use serde_json::{Value, json};

use addresses::Addresses;
use state::State;
use steps::{Step, Tick, Words, steps};

use crate::cancellation::Cancellation;
use crate::cli::arguments::{Installed, PlanArgs, TargetArgs};
use crate::cli::settings::{Destination, refuse_storage};
use crate::error::{Error, Result};
use crate::gitlab::installation::Layout;
use crate::input::source::{Source, shown};
use crate::ui::shown::{Shown, write_line};

/// The steps of a move.
#[derive(Debug)]
pub struct Plan(Vec<Step>);

/// Looks at the GitLab that `arguments` name, and plans the move.
pub fn run(
    arguments: PlanArgs,
    variable: impl Fn(&str) -> Option<String>,
    cancellation: &Cancellation,
) -> Result<Plan> {
    let archives = &arguments.archive.archive;
    if archives.len() > 1 {
        return Err(Error::usage(
            "a move has one archive, but several are named",
        ));
    }
    let named = archives.first().map(|path| shown(path));
    let builds = arguments
        .target
        .builds_path
        .as_ref()
        .map(|path| path.display().to_string());
    if let Some(path) = &arguments.target.builds_path {
        refuse_storage(path, "--builds-path")?;
    }
    let named_target = words_of(&arguments.target);
    let source = if archives.is_empty() {
        None
    } else {
        Some(Source::named(arguments.archive, &variable)?)
    };
    let destination = Destination::named(arguments.target, variable)?;
    let urls = arguments.ci_url.zip(arguments.gitlab_url);
    let addresses = urls.map(|(ci, gitlab)| Addresses {
        ci,
        gitlab,
        ca: arguments.ca,
    });
    let looked = addresses.as_ref().map(Addresses::see).transpose()?;
    let state = State::see(
        source.as_ref(),
        &destination,
        arguments.mysql_to_postgresql,
        arguments.secrets.as_deref(),
        looked,
        cancellation,
    );
    let typed = arguments.installed.map(|installed| match installed {
        Installed::Omnibus => Layout::Omnibus,
        Installed::Source => Layout::Source,
    });
    let layout = typed.or(state.layout).unwrap_or(Layout::Omnibus);
    let (usual, database_yml) = match layout {
        Layout::Omnibus => (
            "/var/opt/gitlab/gitlab-ci/builds",
            "/var/opt/gitlab/gitlab-rails/etc/database.yml",
        ),
        Layout::Source => (
            "/home/git/gitlab/builds",
            "/home/git/gitlab/config/database.yml",
        ),
    };
    let words = Words {
        layout,
        archive: named,
        target: named_target.unwrap_or_else(|| format!("--database-yml {database_yml}")),
        builds: builds.unwrap_or_else(|| usual.to_owned()),
        mysql_to_postgresql: arguments.mysql_to_postgresql,
        addresses,
    };
    Ok(Plan(steps(&words, &state)))
}

/// The options that name the target, if it is named. A URL may have a password, so it is not repeated.
fn words_of(target: &TargetArgs) -> Option<String> {
    if let Some(file) = &target.database_yml {
        let environment = target.environment.as_ref();
        let more = environment.map_or_else(String::new, |name| format!(" --environment {name}"));
        return Some(format!("--database-yml {}{more}", file.display()));
    }
    let url = target.database_url.as_ref();
    url.map(|_| "--database-url \"$DATABASE_URL\"".to_owned())
}

impl Tick {
    fn sign(self) -> &'static str {
        match self {
            Tick::Done => "[x]",
            Tick::Open => "[ ]",
            Tick::Unknown => "[?]",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Tick::Done => "done",
            Tick::Open => "open",
            Tick::Unknown => "unknown",
        }
    }
}

impl Plan {
    /// The number of the step that comes next: the first one that is not done, after the last one that is.
    fn next(&self) -> Option<usize> {
        let done = self.0.iter().rposition(|step| step.tick == Tick::Done);
        let from = done.map_or(0, |done| done + 1);
        let open = self.0.iter().position(|step| step.tick == Tick::Open);
        match open {
            Some(open) if open < from => Some(open),
            _ => (from < self.0.len()).then_some(from),
        }
    }

    /// As text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (number, step) in self.0.iter().enumerate() {
            let seen = if step.seen.is_empty() {
                String::new()
            } else {
                format!(" ({})", step.seen)
            };
            let _ = write_line!(
                &mut text,
                "{} {:2}. {}, on the {}{seen}",
                step.tick.sign(),
                number + 1,
                step.title,
                step.server
            );
            for command in &step.commands {
                let _ = write_line!(&mut text, "          {command}");
            }
            let _ = write_line!(
                &mut text,
                "        changes: {}; undone by: {}; takes: {}",
                step.changes,
                step.undone_by,
                step.time
            );
        }
        text += "\n[x] is seen to be done, [ ] is not done, [?] cannot be seen from here\n";
        if let Some(next) = self.next() {
            let _ = write_line!(&mut text, "next: step {}, {}", next + 1, self.0[next].title);
        }
        text
    }

    /// As Markdown, a list with boxes.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = "# Move GitLab CI into GitLab\n\n".to_owned();
        for (number, step) in self.0.iter().enumerate() {
            let sign = if step.tick == Tick::Done { "x" } else { " " };
            let shown = |text: &str| Shown(text.to_owned()).to_string();
            text += &format!(
                "{}. [{sign}] **{}** on the {}\n",
                number + 1,
                shown(step.title),
                step.server
            );
            if !step.seen.is_empty() {
                text += &format!("   - seen: {}\n", shown(&step.seen));
            }
            for command in &step.commands {
                text += &format!("   - `{}`\n", shown(command));
            }
            text += &format!(
                "   - changes: {}; undone by: {}; takes: {}\n",
                step.changes,
                shown(&step.undone_by),
                step.time
            );
        }
        text
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let steps = self.0.iter().enumerate().map(|(number, step)| {
            json!({
                "number": number + 1,
                "title": step.title,
                "server": step.server,
                "state": step.tick.name(),
                "seen": step.seen,
                "commands": step.commands,
                "changes": step.changes,
                "undone_by": step.undone_by,
                "takes": step.time,
            })
        });
        json!({"steps": steps.collect::<Vec<_>>(), "next": self.next().map(|next| next + 1)})
    }
}
