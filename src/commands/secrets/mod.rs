//! `ci-import secrets`: shows where GitLab needs the key of GitLab CI, and checks that encrypted values decrypt.

pub mod check;
mod dump;
pub mod report;
pub mod show;
mod warning;

pub(super) use warning::warn_of;
