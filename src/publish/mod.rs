//! What a publish needs whatever the server is: the journal, the record, the directories that are renamed.

pub(crate) mod aside;
pub(crate) mod directories;
pub(crate) mod journal;
pub mod outcome;
pub(crate) mod record;
