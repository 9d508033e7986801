//! Settings in the environment and in files of the user, as the storages' own programs read them.

use std::path::Path;

use crate::error::{Error, Result};
use crate::files::stranger_at;

/// Looks up a variable of the environment.
pub(super) type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether the variable `name` is set to something that means yes.
pub(super) fn is_on(variable: Variable<'_>, name: &str) -> bool {
    variable(name).is_some_and(|value| means_yes(&value))
}

/// Whether `value` means yes.
pub(super) fn means_yes(value: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
}

/// An error if somebody else could have written the file at `path`: it says where archives come from and who asks for them,
/// and may name a program that is run. `hint` says how another file is named.
pub(super) fn refuse_strangers(path: &Path, hint: &str) -> Result<()> {
    let shown = path.display();
    match stranger_at(path) {
        Ok(None) => Ok(()),
        Ok(Some(why)) => Err(Error::usage(format!("{shown} cannot be trusted: {why}")).hint(hint)),
        Err(cause) => Err(Error::usage(format!("cannot look at {shown}: {cause}"))),
    }
}
