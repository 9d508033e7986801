//! `ci-import plan`: the forms of the list, for people, tickets and programs, and the words of its commands.

use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};

#[test]
fn the_list_in_each_form() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let archive = archive.to_str().unwrap();
    let plan = |more: &[&str]| {
        let mut plan = scene.command(["plan", archive, "--mysql-to-postgresql"]);
        run(plan.args(more)).succeeds().stdout
    };
    let text = plan(&[
        "--installed",
        "source",
        "--ci-url",
        "http://127.0.0.1:1",
        "--gitlab-url",
        "http://gitlab.here:8080/",
    ]);
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "[x] 2. Upgrade GitLab to 8.0, on the GitLab server",
        "[ ] 3. Switch CI off in GitLab",
        "[?] 4. Upgrade GitLab CI to 8.0, and stop it",
        "[x] 5. Make the archive, on the CI server (GitLab CI 8.0.5, made 2015-10-01",
        "sudo service gitlab reload",
        "--database-url \"$DATABASE_URL\"",
        "ci-import redirect --ci-fqdn 127.0.0.1 --gitlab-fqdn gitlab.here:8080 --gitlab-scheme http",
        "next: step 3, Switch CI off in GitLab",
    ] {
        assert!(joined.contains(part), "{part}: {text}");
    }
    assert!(
        !text.contains(&scene.database),
        "a URL may have a password: {text}"
    );
    let markdown = plan(&["--markdown"]);
    assert!(markdown.starts_with("# Move GitLab CI into GitLab\n\n1. [ ] **Back up GitLab**"));
    assert!(
        markdown.contains("\n5. [x] **Make the archive** on the CI server\n"),
        "{markdown}"
    );
    assert!(
        markdown
            .contains("   - `sudo gitlab-ctl hup unicorn && sudo gitlab-ctl restart sidekiq`\n")
    );
    run(command(["plan", "--markdown", "--json"])).exits(2);
    run(command(["plan", "--secrets", "s.yml"])).exits(2);
}

/// Without a database the steps are the same; what cannot be seen is not ticked off.
#[test]
fn nothing_is_named() {
    let home = tempfile::tempdir().unwrap();
    let mut plan = command(["plan", "--installed", "source"]);
    let text = run(plan.env("HOME", home.path())).succeeds().stdout;
    assert!(
        text.contains("--database-yml /home/git/gitlab/config/database.yml"),
        "{text}"
    );
    assert!(!text.contains("[x]  "), "{text}");
    assert!(text.contains("no database is named"), "{text}");
}
