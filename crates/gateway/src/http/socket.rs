//! The socket of a connection that is not encrypted: once it is a live one, whole messages may be written to it from
//! two sides, by the WebSocket library and at once by the [courier](crate::hub::Rounds), and none is ever torn.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::hub::{Direct, Frame, Sent};

/// A message whole in one frame, of text or of bytes (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
/// The longest head of a frame of a server, which masks nothing.
const MAX_HEAD_BYTES: usize = 10;

/// The head of a frame and how long it is.
fn head(first: u8, payload_bytes: usize) -> ([u8; MAX_HEAD_BYTES], usize) {
    let mut head = [0; MAX_HEAD_BYTES];
    head[0] = first;
    let length = match (u8::try_from(payload_bytes), u16::try_from(payload_bytes)) {
        (Ok(short @ 0..126), _) => {
            head[1] = short;
            2
        }
        (_, Ok(middle)) => {
            head[1] = 126;
            head[2..4].copy_from_slice(&middle.to_be_bytes());
            4
        }
        _ => {
            head[1] = 127;
            head[2..].copy_from_slice(&(payload_bytes as u64).to_be_bytes());
            MAX_HEAD_BYTES
        }
    };
    (head, length)
}

/// The side of the socket that is written to; clones are of the same one.
#[derive(Clone, Debug)]
pub(super) struct WriteSide(Arc<Mutex<Written>>);

#[derive(Debug)]
struct Written {
    socket: OwnedWriteHalf,
    /// What the socket had no room for of a message that it has begun to take; before it has left, nothing else is
    /// written.
    rest: Bytes,
    /// Whether each writing is of whole messages, which are taken as a whole.
    is_live: bool,
}

impl WriteSide {
    fn written(&self) -> MutexGuard<'_, Written> {
        // Each change under the lock is whole in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on each writing is of whole messages of the live feed; frames that are written at once are counted by
    /// `frames_sent`.
    pub(super) fn go_live(self, frames_sent: Counter) -> LiveSocket {
        self.written().is_live = true;
        LiveSocket { side: self, frames_sent }
    }
}

impl Written {
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let taken = ready!(Pin::new(&mut self.socket).poll_write(cx, &self.rest))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let rest = self.rest.split_off(taken);
            self.rest = rest;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.is_live {
            return Pin::new(&mut self.socket).poll_write(cx, bytes);
        }
        ready!(self.poll_rest(cx))?;
        let taken = ready!(Pin::new(&mut self.socket).poll_write(cx, bytes))?;
        // The library writes whole messages: what it would keep of one, another could get in front of.
        if taken > 0 {
            self.rest = Bytes::copy_from_slice(bytes.get(taken..).unwrap_or_default());
        }
        Poll::Ready(Ok(if taken > 0 { bytes.len() } else { 0 }))
    }
}

/// Both sides.
#[derive(Debug)]
pub(super) struct PlainSocket {
    read: OwnedReadHalf,
    write: WriteSide,
}

impl PlainSocket {
    /// A socket as it was accepted.
    pub(super) fn new(stream: TcpStream) -> Self {
        let (read, socket) = stream.into_split();
        let written = Written { socket, rest: Bytes::new(), is_live: false };
        Self { read, write: WriteSide(Arc::new(Mutex::new(written))) }
    }

    /// The side that is written to.
    pub(super) fn write_side(&self) -> WriteSide {
        self.write.clone()
    }
}

impl AsyncRead for PlainSocket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, into)
    }
}

impl AsyncWrite for PlainSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write.written().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write.written().poll_rest(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut written = self.write.written();
        ready!(written.poll_rest(cx))?;
        Pin::new(&mut written.socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut written = self.write.written();
        if written.is_live {
            let first = pieces.iter().find(|piece| !piece.is_empty());
            return written.poll_write(cx, first.map_or(&[][..], |piece| &**piece));
        }
        Pin::new(&mut written.socket).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

/// A live socket that frames are written to at once.
#[derive(Debug)]
pub(super) struct LiveSocket {
    side: WriteSide,
    frames_sent: Counter,
}

impl Direct for LiveSocket {
    fn try_send(&self, frame: &Frame) -> Sent {
        let (first, payload) = match frame {
            Frame::Text(text) => (TEXT, text.as_str().as_bytes()),
            Frame::Binary(bytes) => (BINARY, &bytes[..]),
        };
        let (head, head_bytes) = head(first, payload.len());
        let head = &head[..head_bytes];
        let mut written = self.side.written();
        if !written.rest.is_empty() {
            return Sent::Not;
        }
        // An error comes to the task too, which then ends the connection.
        let taken = written.socket.try_write_vectored(&[IoSlice::new(head), IoSlice::new(payload)]).unwrap_or(0);
        if taken == 0 {
            return Sent::Not;
        }
        self.frames_sent.inc();
        if taken == head_bytes + payload.len() {
            return Sent::Whole;
        }
        written.rest = match (taken.checked_sub(head_bytes), frame) {
            (Some(taken), Frame::Binary(bytes)) => bytes.slice(taken..),
            (Some(taken), Frame::Text(_)) => Bytes::copy_from_slice(payload.get(taken..).unwrap_or_default()),
            (None, _) => [head.get(taken..).unwrap_or_default(), payload].concat().into(),
        };
        Sent::InPart
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{SinkExt, StreamExt};
    use tokio::net::TcpListener;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::Role;

    /// A live socket of ours, and the library's on the other side.
    async fn pair() -> (PlainSocket, LiveSocket, WebSocketStream<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let near = PlainSocket::new(listener.accept().await.unwrap().0);
        let live = near.write_side().go_live(Counter::default());
        (near, live, WebSocketStream::from_raw_socket(far, Role::Client, None).await)
    }

    fn binary(bytes: usize) -> Frame {
        Frame::Binary((0..bytes).map(|place| place as u8).collect::<Vec<_>>().into())
    }

    #[tokio::test]
    async fn the_library_reads_frames_of_every_length() {
        let (near, live, mut far) = pair().await;
        for bytes in [0, 1, 125, 126, 65_535, 65_536] {
            assert_eq!(live.try_send(&binary(bytes)), Sent::Whole, "{bytes}");
            let Frame::Binary(expected) = binary(bytes) else { panic!() };
            assert_eq!(far.next().await.unwrap().unwrap(), Message::Binary(expected));
        }
        assert_eq!(live.try_send(&Frame::Text("tick".into())), Sent::Whole);
        assert_eq!(far.next().await.unwrap().unwrap(), Message::text("tick"));
        drop(near);
    }

    #[tokio::test]
    async fn a_frame_that_is_sent_in_part_is_never_torn_by_another() {
        let (near, live, mut far) = pair().await;
        let mut near = WebSocketStream::from_raw_socket(near, Role::Server, None).await;
        let mut number = 0_usize;
        for _ in 0..5 {
            let mut expected = std::collections::VecDeque::new();
            // Until the socket has taken a part.
            loop {
                number += 1;
                let sent = live.try_send(&binary(100_000 + number));
                match sent {
                    // The one before just filled it.
                    Sent::Not => {
                        let taken = far.next().await.unwrap().unwrap();
                        assert_eq!(Some(taken.len()), expected.pop_front());
                    }
                    Sent::Whole | Sent::InPart => expected.push_back(100_000 + number),
                }
                if sent == Sent::InPart {
                    break;
                }
            }
            assert_eq!(live.try_send(&binary(1)), Sent::Not, "the rest comes first");
            // The library's message comes behind the rest, as a whole, whatever comes while it waits.
            let sending = async {
                near.send(Message::Binary(vec![7; 50_000].into())).await.unwrap();
            };
            expected.push_back(50_000);
            let taking = async {
                let mut lengths = std::collections::VecDeque::new();
                while lengths.back() != Some(&50_000) {
                    let Message::Binary(bytes) = far.next().await.unwrap().unwrap() else { panic!() };
                    lengths.push_back(bytes.len());
                }
                lengths
            };
            let ((), lengths) = tokio::join!(sending, taking);
            assert_eq!(lengths, expected);
        }
    }

    #[tokio::test]
    async fn what_is_left_of_a_frame_leaves_when_the_socket_is_flushed() {
        let (near, live, mut far) = pair().await;
        let mut near = WebSocketStream::from_raw_socket(near, Role::Server, None).await;
        let mut sent = 0;
        while live.try_send(&binary(100_000)) == Sent::Whole {
            sent += 1;
        }
        let reading = async {
            for _ in 0..=sent {
                assert_eq!(far.next().await.unwrap().unwrap().len(), 100_000);
            }
        };
        let (flushed, ()) = tokio::join!(near.flush(), reading);
        flushed.unwrap();
        assert_eq!(live.try_send(&binary(1)), Sent::Whole);
    }

    #[tokio::test]
    async fn who_is_gone_takes_nothing() {
        let (_near, live, far) = pair().await;
        drop(far);
        // The first may still find room.
        while live.try_send(&binary(1)) != Sent::Not {
            tokio::task::yield_now().await;
        }
    }
}
