//! Settings of the C library's allocator.
//!
//! glibc gives a freed block of 20 MiB back to the system the first time only. From then on it takes blocks of that
//! size from the heaps of its threads, which grow with every thread that has had a large row: with eight jobs and
//! `--memory 64`, ten rows of 20 MiB took 484 MB. With a fixed limit they take 114 MB. mimalloc took 150 to 390 MB.
//!
//! This is the only module with `unsafe`: no safe crate sets it, and the environment variable of the same name is
//! read before `main`.

/// Larger blocks are mapped, so that they are given back when they are freed. Buffers that are kept for reuse are not
/// larger (`MAX_SPARE_BYTES`).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGEST_ON_HEAP: libc::c_int = 1 << 20;

/// Has the allocator give large blocks back to the system as soon as they are freed.
///
/// It is called before there are other threads. Other C libraries give them back anyway.
#[allow(unsafe_code)]
pub fn give_large_blocks_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes two numbers and reads no memory of ours; there is no other thread. A value that is
    // refused leaves the settings as they were.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_ON_HEAP);
    }
}
