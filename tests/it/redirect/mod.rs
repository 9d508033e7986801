//! `redirect`: the configurations, in real web servers before a stub of GitLab, and the check of them.

mod apache;
mod check;
mod nginx;
mod refusals;
pub(crate) mod requests;
