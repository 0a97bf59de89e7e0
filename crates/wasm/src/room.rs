//! The wasm memory, which grows in few and large steps.
//!
//! Each growth hands JavaScript a new view of the whole memory, and its collector takes the old one for as much garbage
//! as the memory is large: grown by a page at a time, many series cost hundreds of collections.

use std::cell::Cell;
use std::hint::black_box;

/// Bytes of a page of wasm memory.
const PAGE: usize = 65_536;
/// A growth is of this part of the memory, and of [`LEAST`] bytes at the least.
const SHARE: usize = 32;
const LEAST: usize = 1 << 20;

/// Room that is taken before it is needed.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Bytes of the memory when it was looked at last.
    seen: Cell<usize>,
}

impl Room {
    /// Lets the memory grow by a whole step where it has grown.
    #[inline]
    pub(crate) fn take_ahead(&self) {
        let bytes = memory_bytes();
        if bytes > self.seen.get() {
            let mut ahead: Vec<u8> = Vec::new();
            // Where there is no more memory, what is there must do.
            if ahead.try_reserve_exact((bytes / SHARE).max(LEAST)).is_ok() {
                // The allocator keeps what is given back.
                drop(black_box(ahead));
            }
            self.seen.set(memory_bytes());
        }
    }
}

/// Bytes of the whole wasm memory; it is shared by every engine of the page and never shrinks.
pub(crate) fn memory_bytes() -> usize {
    pages() * PAGE
}

#[cfg(target_arch = "wasm32")]
fn pages() -> usize {
    std::arch::wasm32::memory_size::<0>()
}

/// There is no such memory elsewhere.
#[cfg(not(target_arch = "wasm32"))]
const fn pages() -> usize {
    0
}
