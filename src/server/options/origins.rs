//! The origins of the parameters that an error may mention.

use std::fmt;

use super::parameters::{Origin, Parameters};

/// The origins of the parts of a target, except those from the command line.
#[derive(Clone, Default)]
pub(crate) struct Origins(Vec<(String, Vec<&'static str>)>);

impl Origins {
    /// The origins of the keywords in `told`, which pairs each keyword with its name in messages.
    pub(crate) fn of(parameters: &Parameters, told: &[(&'static str, &'static str)]) -> Origins {
        let mut origins = Origins::default();
        for (keyword, name) in told {
            match parameters.origin(keyword) {
                None | Some(Origin::Url) => {}
                Some(origin) => origins.add(origin.to_string(), name),
            }
        }
        origins
    }

    /// Adds that `name` came from `origin`.
    pub(crate) fn add(&mut self, origin: impl Into<String>, name: &'static str) {
        let origin = origin.into();
        match self.0.iter_mut().find(|(known, _)| *known == origin) {
            Some((_, names)) => names.push(name),
            None => self.0.push((origin, vec![name])),
        }
    }
}

/// The suffix of the target in a message: " (host, port from PGHOST; …)", or empty.
impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<String> = self
            .0
            .iter()
            .map(|(origin, names)| format!("{} from {origin}", names.join(", ")))
            .collect();
        if told.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", told.join("; "))
    }
}
