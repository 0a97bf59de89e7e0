//! The WebSocket stack as the live feed sets it up: its bounds, and what whoever breaks its rules is told. It is public
//! for the echo server that Autobahn's tests are run against (`examples/websocket_echo.rs`).

use axum::extract::ws::{WebSocketUpgrade, close_code};
use bellwether_wire::binary::MAX_FRAME_BYTES;
use tokio_tungstenite::tungstenite::Error as StackError;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use crate::settings::LimitSettings;

/// What the frame of a producer's batch says around its samples, which may be as long as a body of `/ingest`.
const BATCH_FRAME_BYTES: usize = 1_024;

/// How much is read at once. Each reading clears so much memory first, also one that finds nothing: with the library's
/// 128 KiB that took longer than to send a message.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Most bytes that the socket's own buffer holds beyond the message under way.
const WRITE_BUFFER_BYTES: usize = 128 * 1024;

/// The longest message that is taken, in bytes.
pub(crate) fn longest(limits: &LimitSettings) -> usize {
    limits.body.0.saturating_add(BATCH_FRAME_BYTES).max(limits.message.0)
}

/// The longest message that is taken where no limit is set, in bytes.
pub fn longest_by_default() -> usize {
    longest(&LimitSettings::default())
}

/// Sets the bounds of a connection that takes messages of up to `longest` bytes, and sends none longer than that or
/// than the longest frame of the feed. No compression is offered.
pub fn bounded(upgrade: WebSocketUpgrade, longest: usize) -> WebSocketUpgrade {
    upgrade
        .max_message_size(longest)
        .max_frame_size(longest)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        // Most bytes that the library keeps before it says that it has no room.
        .max_write_buffer_size(WRITE_BUFFER_BYTES + MAX_FRAME_BYTES.max(longest))
}

/// What the other side did that ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Breach {
    /// Its message is longer than is taken.
    TooLong,
    /// Its text is not UTF-8.
    NotText,
    /// It broke a rule of RFC 6455.
    Rule,
}

impl Breach {
    /// The breach that `error`, which reading came to, stands for; `None` where the connection is gone.
    pub fn of(error: axum::Error) -> Option<Self> {
        // axum passes the library's own error on, behind a box.
        match *error.into_inner().downcast::<StackError>().ok()? {
            StackError::Capacity(_) => Some(Self::TooLong),
            StackError::Utf8(_) => Some(Self::NotText),
            StackError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            StackError::Protocol(_) => Some(Self::Rule),
            _ => None,
        }
    }

    /// The code that the connection is closed with (RFC 6455, section 7.4.1).
    pub const fn close_code(self) -> u16 {
        match self {
            Self::TooLong => close_code::SIZE,
            Self::NotText => close_code::INVALID,
            Self::Rule => close_code::PROTOCOL,
        }
    }
}
