//! How much a connection may still send, where that is limited: nobody's word is waited for at any length.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Without a limit.
const UNLIMITED: usize = usize::MAX;

/// What a connection may still send; clones are of the same connection.
#[derive(Clone, Debug)]
pub(super) struct Allowance(Arc<AtomicUsize>);

impl Default for Allowance {
    /// Without a limit.
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(UNLIMITED)))
    }
}

impl Allowance {
    /// From now on only so many bytes more, and what is read together with them.
    pub(super) fn limit(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Release);
    }

    /// From now on without a limit.
    pub(super) fn lift(&self) {
        self.0.store(UNLIMITED, Ordering::Release);
    }

    fn is_used_up(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }

    fn take(&self, bytes: usize) {
        let take = |left: usize| (left != UNLIMITED).then(|| left.saturating_sub(bytes));
        // Without a limit nothing is counted.
        let _unlimited = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
    }
}

/// A stream of which no more is read once its allowance is used up: it fails then.
#[derive(Debug)]
pub(super) struct Allowed<S> {
    stream: S,
    allowance: Allowance,
}

impl<S> Allowed<S> {
    pub(super) const fn new(stream: S, allowance: Allowance) -> Self {
        Self { stream, allowance }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Allowed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.allowance.is_used_up() {
            return Poll::Ready(Err(io::Error::other("more was sent than is allowed by now")));
        }
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, into);
        self.allowance.take(into.filled().len() - before);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Allowed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn no_more_is_read_than_is_allowed() {
        let (mut far, near) = tokio::io::duplex(64);
        let allowance = Allowance::default();
        let mut near = Allowed::new(near, allowance.clone());
        let mut four = [0; 4];
        let mut read = async |near: &mut Allowed<_>| {
            far.write_all(b"four").await.unwrap();
            near.read_exact(&mut four).await.is_ok()
        };
        assert!(read(&mut near).await);
        allowance.limit(7);
        assert!(read(&mut near).await);
        assert!(read(&mut near).await, "what is read together with the last of it");
        assert!(!read(&mut near).await);
        allowance.lift();
        assert!(read(&mut near).await);
        near.write_all(b"back").await.unwrap();
        far.read_exact(&mut four).await.unwrap();
    }
}
