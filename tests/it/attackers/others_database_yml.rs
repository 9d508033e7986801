//! A `database.yml` that somebody else has written names a host. The passwords of the user do not go there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use crate::support::program::run;
use crate::support::tcp_servers::{PASSWORD, Visit, without_tls};
use crate::support::two_users::{EVE, need_root};

#[test]
fn no_password_of_the_user_goes_to_a_host_of_another() {
    need_root();
    let visit = Visit::to(without_tls());
    let (port, database) = (visit.server.port, &visit.database);
    let text = format!(
        "production:\n  adapter: postgresql\n  host: localhost\n  port: {port}\n  database: {database}\n\
         \x20 username: secret\n"
    );
    let file = visit.put("database.yml", &text);
    visit.put(
        ".pgpass",
        &format!("*:*:*:*:{}\n", PASSWORD.replace(':', "\\:")),
    );
    let by_file = || visit.import(&["--database-yml", &file]);
    let by_environment = || {
        let mut import = by_file();
        import.env("PGPASSWORD", PASSWORD);
        import
    };
    run(by_file()).succeeds();
    visit.was_imported();
    run(by_environment()).succeeds();
    visit.was_imported();
    chown(&file, Some(EVE), None).unwrap();
    for import in [by_file(), by_environment()] {
        run(import).exits(4).says("password");
    }
    chown(&file, Some(0), None).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    run(by_environment()).exits(4);
    // Nor does it lead to the user's files.
    let passfile = visit.put(
        "passfile",
        &format!("*:*:*:*:{}\n", PASSWORD.replace(':', "\\:")),
    );
    let file = visit.put("other.yml", &format!("{text}  passfile: {passfile}\n"));
    run(visit.import(&["--database-yml", &file])).succeeds();
    visit.was_imported();
    chown(&file, Some(EVE), None).unwrap();
    run(visit.import(&["--database-yml", &file]))
        .exits(2)
        .says("names a file with a password or a key");
}
