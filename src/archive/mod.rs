//! Finds the members of a backup archive: in a file by its headers, in a pipe in their order.
//!
//! The archive is a plain tar (ustar, with the long names and sizes of GNU and of POSIX.1-2001). Nothing
//! in it is trusted. A member with an unsafe name, or of a kind that a backup never has, is
//! refused; the error names it.

mod compressed;
mod compression;
mod entries;
mod extent;
mod file;
mod inflate;
mod inflation_limit;
mod input_kind;
mod member;
mod pipe;

pub use compressed::{CompressedArchive, decompressed_archive, read_through};
pub use compression::{Compression, decompressed, decompressed_within};
pub use entries::{Entry, InOrder, Source, for_each_entry};
pub use extent::Extent;
pub use file::{ArchiveFile, MemberSize, index};
pub use inflate::{
    BLOCK_BYTES, for_each_block, inflated, inflated_within, read_ahead, read_block, read_failure,
};
pub use inflation_limit::DEFAULT_MAX_INFLATION;
pub(crate) use inflation_limit::inflation_failure;
pub use input_kind::{InputKind, SNIFF_BYTES, kind_of_input, sniff};
pub use member::{BUILDS, DATABASE, INFORMATION, Member, classify_entry, safe_path};
pub(crate) use member::{kind_of, refused, shown};
pub(crate) use pipe::damaged;
pub use pipe::{PassingMember, read_pipe};
