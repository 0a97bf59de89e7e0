//! Binary frames: Prometheus remote-write 2.0 messages with extension fields from 1000.
//!
//! The bytes are read and written here directly, without a tree of messages in between: hostile
//! bytes cannot take more memory than a small multiple of their own length, and the page carries no
//! protobuf library. `docs/formats/live-feed.md` draws the message.

mod decode;
mod encode;
pub(crate) mod fields;
mod histogram;
pub(crate) mod protobuf;

pub use decode::{DecodeError, decode};
pub use encode::FrameEncoder;

/// Most bytes of one frame.
pub const MAX_FRAME_BYTES: usize = 32 << 20;
/// Most bytes of names and label values in one frame, each counted as often as a series uses it.
pub const MAX_LABEL_BYTES: usize = 32 << 20;

/// The bytes of a whole frame.
///
/// ```
/// use bellwether_wire::binary::{decode, encode};
/// use bellwether_wire::feed::FeedFrame;
/// let frame = FeedFrame::default();
/// assert_eq!(decode(&encode(&frame))?, frame);
/// # Ok::<(), bellwether_wire::binary::DecodeError>(())
/// ```
#[must_use]
pub fn encode(frame: &crate::feed::FeedFrame) -> Vec<u8> {
    let mut encoder = FrameEncoder::new();
    for series in &frame.series {
        let summaries = series.summaries.iter().map(|bucket| (bucket.end, &bucket.summary));
        encoder.series(&series.key, series.kind, &series.samples, summaries);
    }
    encoder.finish(&frame.header)
}
