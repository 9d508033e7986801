//! Finds the members of a backup archive: in a file or an object by its headers, in a pipe in their order.
//!
//! The archive is a plain tar (ustar, with the long names and sizes of GNU and of POSIX.1-2001). Nothing
//! in it is trusted. A member with an unsafe name, or of a kind that a backup never has, is
//! refused; the error names it.

mod compressed;
mod compression;
mod entries;
mod extent;
mod file;
mod folder;
mod foreign;
mod inflate;
mod inflation_limit;
mod input_kind;
mod layout;
mod member;
mod packed;
mod pipe;
mod xz;
mod zip;

pub use compressed::{CompressedArchive, decompressed_archive, read_through};
pub use compression::{Compression, decompressed, decompressed_within};
pub use entries::{Entry, InOrder, Source, for_each_entry};
pub use extent::{Extent, RandomAccess};
pub use file::{ArchiveFile, MemberSize, index};
pub use folder::{is_unpacked, open_folder};
pub use foreign::refuse_foreign;
pub use inflate::{
    BLOCK_BYTES, for_each_block, inflated, inflated_within, is_empty_gzip, read_ahead, read_block,
    read_failure,
};
pub use inflation_limit::DEFAULT_MAX_INFLATION;
pub(crate) use inflation_limit::{error_behind, inflation_failure};
pub use input_kind::{InputKind, SNIFF_BYTES, kind_of_input, sniff};
pub use layout::Layout;
pub(crate) use layout::refused_kind;
pub use member::{BUILDS, DATABASE, INFORMATION, Member, safe_path};
pub(crate) use member::{refused, shown, twice};
pub(crate) use pipe::damaged;
pub use pipe::{PassingMember, read_pipe};
