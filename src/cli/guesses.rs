//! What people type who know other tools: rake, pg_restore, psql, mysql, pgloader. Each guess gets a hint.

/// Arguments of other tools, and what means the same here.
const GUESSES: [(&[&str], &str); 24] = [
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
        &[
            "--single-transaction",
            "-1",
            "--exit-on-error",
            "-e",
            "--on-error-stop",
        ],
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
        &["--with", "--set", "--cast", "--type"],
        "--map FILE maps names and types; ci-import inspect --suggest -o map.toml writes a file to begin with",
    ),
    (
        &[
            "--data-only",
            "-a",
            "--schema-only",
            "-s",
            "--section",
            "--disable-triggers",
        ],
        "an import takes definitions and rows together; convert writes both to a file",
    ),
    (
        &["--create", "-C"],
        "the database must exist: createdb NAME, or CREATE DATABASE",
    ),
    (
        &["--no-ssl-cert-verification", "--ssl", "--ssl-mode"],
        "sslmode in the URL says how the connection is encrypted: postgresql://user@host/database?sslmode=verify-full",
    ),
    (
        &["--default-character-set", "--encoding", "-E"],
        "nothing to add: the dump says its character set",
    ),
    (
        &[
            "--debug",
            "--trace",
            "--client-min-messages",
            "--log-min-messages",
        ],
        "-v tells more of what is done, -vv of each piece of it",
    ),
    (
        &["--summary", "--logfile", "-L"],
        "--report FILE writes the report to a file: .html, .json, .xml or .md",
    ),
    (
        &["RAILS_ENV"],
        "--environment NAME names the environment of --database-yml",
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
