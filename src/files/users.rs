//! Users and groups of the operating system (passwd(5), group(5)).

use rustix::fd::BorrowedFd;
use rustix::fs::{Gid, Stat, Uid, fchown};

use crate::error::{Error, Result};

/// The users, and the groups.
const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// A user and a group, as files have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The number of the user.
    pub user: u32,
    /// The number of the group.
    pub group: u32,
}

impl Owner {
    /// The owner that `text` names: `USER`, with the user's own group, or `USER:GROUP`; each by its name or number.
    pub fn named(text: &str) -> Result<Owner> {
        let mut parts = text.splitn(2, ':');
        let (user, group) = (parts.next().unwrap_or_default(), parts.next());
        let unknown = |what: &str, name: &str, file: &str| {
            Error::usage(format!("there is no {what} {name:?} in {file}")).hint(
                "what only a directory service knows can be given by numbers: id -u git, id -g git",
            )
        };
        // As numbers of chown(2), these stand for no change.
        let number = |text: &str| text.parse().ok().filter(|number| *number != u32::MAX);
        let known = ids_of(user);
        let id = number(user).or(known.map(|(id, _)| id));
        let id = id.ok_or_else(|| unknown("user", user, USERS))?;
        let group = if let Some(group) = group {
            let known = number(group).or_else(|| group_of(group));
            known.ok_or_else(|| unknown("group", group, GROUPS))?
        } else {
            let own = known.or_else(|| ids_of_number(id)).map(|(_, group)| group);
            own.ok_or_else(|| {
                Error::usage(format!("the group of the user {user} is not known"))
                    .hint("name it, too: USER:GROUP")
            })?
        };
        Ok(Owner { user: id, group })
    }

    /// Whose an open file is.
    pub(crate) fn of(found: &Stat) -> Owner {
        Owner {
            user: found.st_uid,
            group: found.st_gid,
        }
    }

    /// Makes an open file the owner's.
    pub(crate) fn give(self, file: BorrowedFd<'_>) -> rustix::io::Result<()> {
        let (user, group) = (Uid::from_raw(self.user), Gid::from_raw(self.group));
        fchown(file, Some(user), Some(group))
    }

    /// The names of the user and the group, or their numbers if they have none.
    #[must_use]
    pub fn shown(self) -> String {
        let name = |id: u32, file| name_in(file, id).unwrap_or_else(|| id.to_string());
        format!("{}:{}", name(self.user, USERS), name(self.group, GROUPS))
    }
}

/// The numbers of the user `name` and of the user's group, if there is such a user.
pub(crate) fn ids_of(name: &str) -> Option<(u32, u32)> {
    let is_it = |fields: &[&str]| fields.first() == Some(&name);
    line_of(USERS, is_it, |fields| {
        Some((number_at(fields, 2)?, number_at(fields, 3)?))
    })
}

/// The name of the user with this number.
pub(crate) fn user_name(id: u32) -> Option<String> {
    name_in(USERS, id)
}

fn ids_of_number(id: u32) -> Option<(u32, u32)> {
    let is_it = |fields: &[&str]| number_at(fields, 2) == Some(id);
    line_of(USERS, is_it, |fields| Some((id, number_at(fields, 3)?)))
}

fn group_of(name: &str) -> Option<u32> {
    let is_it = |fields: &[&str]| fields.first() == Some(&name);
    line_of(GROUPS, is_it, |fields| number_at(fields, 2))
}

/// The name that `file` has for a number.
fn name_in(file: &str, id: u32) -> Option<String> {
    let is_it = |fields: &[&str]| number_at(fields, 2) == Some(id);
    line_of(file, is_it, |fields| {
        fields.first().map(|name| (*name).to_owned())
    })
}

fn number_at(fields: &[&str], at: usize) -> Option<u32> {
    fields.get(at)?.parse().ok()
}

/// What `read` makes of the fields of the first line that `is_it`.
fn line_of<T>(
    file: &str,
    is_it: impl Fn(&[&str]) -> bool,
    read: impl Fn(&[&str]) -> Option<T>,
) -> Option<T> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines
        .find(|fields| is_it(fields))
        .and_then(|fields| read(&fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        assert_eq!(ids_of("root"), Some((0, 0)));
        assert_eq!(ids_of("no such user"), None);
        assert_eq!(user_name(0).as_deref(), Some("root"));
    }

    #[test]
    fn owners() {
        let owner = |user, group| Owner { user, group };
        for (text, expected) in [
            ("root", owner(0, 0)),
            ("0", owner(0, 0)),
            ("0:12", owner(0, 12)),
            ("4321:root", owner(4321, 0)),
        ] {
            assert_eq!(Owner::named(text).unwrap(), expected, "{text}");
        }
        for text in [
            "",
            ":",
            "no such user",
            "0:no such group",
            "0:",
            "4294967295:0",
            "0:4294967295",
            "3999999999",
        ] {
            assert!(Owner::named(text).is_err(), "{text}");
        }
        assert_eq!(owner(0, 0).shown(), "root:root");
        assert_eq!(owner(3_999_999_999, 0).shown(), "3999999999:root");
    }
}
