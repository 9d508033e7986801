//! Users of the operating system: the one that the program runs as, and others by their names.

/// The name of the user that the program runs as, the default user of clients.
pub(crate) fn system_user() -> Option<String> {
    let id = rustix::process::geteuid().as_raw();
    let mut found = users().filter(|(_, (user, _))| *user == id);
    let found = found.next().map(|(name, _)| name);
    found.or_else(|| std::env::var("USER").ok())
}

/// The numbers of the user `name` and of his group, if there is such a user.
pub(crate) fn ids_of(name: &str) -> Option<(u32, u32)> {
    users().find(|(found, _)| found == name).map(|(_, ids)| ids)
}

/// The names, users and groups of passwd(5).
fn users() -> impl Iterator<Item = (String, (u32, u32))> {
    let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let users = text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let ids = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((name, ids))
    });
    users.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        assert_eq!(ids_of("root"), Some((0, 0)));
        assert_eq!(ids_of("no such user"), None);
        let name = system_user().unwrap();
        if let Some((user, _)) = ids_of(&name) {
            assert_eq!(user, rustix::process::geteuid().as_raw());
        }
    }
}
