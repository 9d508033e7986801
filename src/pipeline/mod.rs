//! The pipeline of the rows: read, convert, queue, load.

pub mod converter;
pub mod loaded;
mod named_tables;
mod needed_policies;
pub mod planned_rows;
pub mod reading;
pub mod row_places;
pub mod sink;
pub(crate) mod work_queue;
pub(crate) mod worker_pool;
