//! What people type who know other tools: rake, pg_restore, psql, mysql, pgloader. Each guess gets a hint.

/// Arguments of other tools, and what means the same here.
const GUESSES: [(&[&str], &str); 17] = [
    (
        &["force"],
        "--yes replaces existing CI data without asking; force=yes before the command means the same",
    ),
    (
        &["MYSQL_TO_POSTGRESQL"],
        "--mysql-to-postgresql converts the MySQL dump",
    ),
    (
        &["BACKUP"],
        "--backup EPOCH selects an archive of the folder; BACKUP=EPOCH before the command means the same",
    ),
    (
        &["SKIP_POST_DEPLOYMENT_MIGRATIONS"],
        "set the variable before the command, or use --skip-post-deployment",
    ),
    (
        &["--dry-run", "-n"],
        "ci-import check runs all checks of an import and changes nothing",
    ),
    (
        &["--dbname", "-d", "--database", "-D"],
        "--database-url URL names the database",
    ),
    (
        &[
            "--host",
            "-h",
            "--port",
            "-p",
            "-P",
            "--user",
            "--username",
            "-u",
            "-U",
            "--socket",
            "-S",
        ],
        "--database-url URL names host, port, user and database: postgresql://user@host:port/database, or \
         mysql://user@host:port/database",
    ),
    (
        &["--password", "-W"],
        "put the password into ~/.pgpass, ~/.my.cnf or DATABASE_URL; other users can see arguments",
    ),
    (
        &[
            "--clean",
            "-c",
            "--if-exists",
            "--force",
            "-f",
            "--overwrite",
        ],
        "--yes replaces CI data; --replace replaces tables that a dump has, too",
    ),
    (
        &[
            "--no-owner",
            "-O",
            "--no-privileges",
            "--no-acl",
            "-x",
            "--role",
        ],
        "nothing to add: the tables get the owner and the grants of the tables that they replace",
    ),
    (
        &["--single-transaction", "-1", "--exit-on-error", "-e"],
        "nothing to add: everything is published in one step, or nothing",
    ),
    (
        &["--list", "-l"],
        "ci-import inspect shows what is in an archive or dump",
    ),
    (
        &["--file", "--input"],
        "name the archive or dump without an option: ci-import FILE; \"-\" is a pipe",
    ),
    (
        &["--builds", "--builds-dir", "--builds-directory"],
        "--builds-path DIR names the directory of the build traces",
    ),
    (
        &["--table", "-t", "--tables"],
        "--only-table TABLE imports only this table",
    ),
    (
        &["--exclude-table", "-T", "--ignore-table"],
        "--skip-table TABLE leaves out a table",
    ),
    (
        &["--verbose", "-v", "--progress"],
        "the progress is always shown; --quiet switches it off",
    ),
];

/// Warnings about variables of the environment that GitLab's tasks read, but this program does not. `variable` looks up
/// a variable.
pub fn ignored(
    mysql_to_postgresql: bool,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    let mut warnings = Vec::new();
    if !mysql_to_postgresql && variable("MYSQL_TO_POSTGRESQL").is_some() {
        warnings.push(
            "MYSQL_TO_POSTGRESQL of the environment is not read; --mysql-to-postgresql converts the MySQL dump"
                .to_owned(),
        );
    }
    if let Some(force) = variable("force").filter(|force| force != "yes") {
        warnings.push(format!(
            "force={} of the environment is not read; force=yes or --yes replaces existing CI data without asking",
            force.escape_debug()
        ));
    }
    warnings
}

/// The hint for `argument`, which the parser does not know.
#[must_use]
pub fn hint_for(argument: &str) -> Option<&'static str> {
    let name = argument.split('=').next().unwrap_or(argument);
    let is_assignment = argument.contains('=') && !argument.starts_with('-');
    let found = GUESSES.iter().find(|(names, _)| {
        names
            .iter()
            .any(|known| *known == name && (known.starts_with('-') || is_assignment))
    });
    found.map(|(_, hint)| *hint)
}
