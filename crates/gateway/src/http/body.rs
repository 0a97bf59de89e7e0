//! Bodies: read within their limits, and unpacked within theirs, so that no sender can take more memory
//! than a limit says.

use std::io::Read;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, header};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt;
use tokio::sync::Semaphore;

use super::errors::ApiError;

/// A body up to here is unpacked and decoded where it was read; a longer one would hold up the other connections of
/// that thread, and gets one of its own.
const AT_ONCE_BYTES: usize = 64 * 1024;
/// So many times as long as it is packed is a body taken to be before it is unpacked.
const LIKELY_RATIO: usize = 16;
/// How much of a body that is too long is still read, so that its sender gets to read the answer.
const MAX_DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    /// One block, without the framing of the file format.
    Snappy,
}

impl Packing {
    /// What `Content-Encoding` says; plain where it is not there.
    ///
    /// # Errors
    /// [`ApiError`] for an encoding that is neither plain nor among `taken`.
    pub(super) fn of(headers: &HeaderMap, taken: &'static [Self]) -> Result<Self, ApiError> {
        let Some(given) = text(headers, header::CONTENT_ENCODING) else { return Ok(Self::Plain) };
        let packing = match given.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "snappy" => Some(Self::Snappy),
            _ => None,
        };
        let is_taken = |packing: &Self| *packing == Self::Plain || taken.contains(packing);
        packing.filter(is_taken).ok_or_else(|| ApiError::ContentEncoding {
            given,
            taken: if taken.contains(&Self::Snappy) { "snappy" } else { "gzip, or send the body as it is" },
        })
    }
}

/// A header as text.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The bodies that are being read, and what they may take together. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    taken_bytes: Arc<AtomicUsize>,
    most_bytes: usize,
    /// How long a body may take to arrive.
    time: Duration,
    /// One for each long body that is worked on at once: what is decoded takes more memory than the body.
    desks: Arc<Semaphore>,
}

/// What one body takes of [`Bodies`]; given back when it is dropped.
#[derive(Debug)]
struct Taken {
    bodies: Bodies,
    bytes: usize,
}

impl Taken {
    fn more(&mut self, bytes: usize) -> Result<(), ApiError> {
        let before = self.bodies.taken_bytes.fetch_add(bytes, Ordering::AcqRel);
        self.bytes += bytes;
        if before + bytes > self.bodies.most_bytes { Err(ApiError::NoRoom) } else { Ok(()) }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.bodies.taken_bytes.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// A body, whole and unpacked, and the room that it takes for as long as it is held.
#[derive(Debug)]
pub(super) struct Whole {
    bytes: Bytes,
    taken: Taken,
}

impl std::ops::Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Whole {
    /// What `decode` makes of it, and the body itself; a long one is decoded on a thread of its own.
    ///
    /// # Errors
    /// The decoder's.
    pub(super) async fn decoded<T, E>(
        self,
        decode: impl FnOnce(&[u8]) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Self), ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError> + Send + 'static,
    {
        let (bodies, bytes) = (self.taken.bodies.clone(), self.len());
        let (decoded, whole) = bodies.at_a_desk(bytes, move || (decode(&self), self)).await?;
        Ok((decoded.map_err(Into::into)?, whole))
    }
}

impl Bodies {
    /// No bodies yet; they may take `most_bytes` together, and each may take `time` to arrive.
    pub(crate) fn new(most_bytes: usize, time: Duration) -> Self {
        let desks = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { taken_bytes: Arc::default(), most_bytes, time, desks: Arc::new(Semaphore::new(desks)) }
    }

    /// Does what takes its time with so many bytes.
    async fn at_a_desk<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        if bytes <= AT_ONCE_BYTES {
            return Ok(work());
        }
        // Never closed.
        let desk = Arc::clone(&self.desks).acquire_owned().await.map_err(|_| ApiError::Stopping)?;
        // The desk is taken until the work is done, also where nobody waits for it any more.
        let at_desk = move || {
            let done = work();
            drop(desk);
            done
        };
        // It panics for nobody, and is given up only when the gateway ends.
        tokio::task::spawn_blocking(at_desk).await.map_err(|_| ApiError::Stopping)
    }

    /// A body that came another way and is whole already.
    ///
    /// # Errors
    /// [`ApiError::NoRoom`] where there is no room for it now.
    pub(super) fn hold(&self, bytes: Bytes) -> Result<Whole, ApiError> {
        let mut taken = Taken { bodies: self.clone(), bytes: 0 };
        taken.more(bytes.len())?;
        Ok(Whole { bytes, taken })
    }

    /// Reads a body to its end and unpacks it; neither may be longer than `limit_bytes`.
    ///
    /// # Errors
    /// [`ApiError`] where it is too long, packed or not, does not arrive in time, is not packed as it
    /// says, or there is no room for it now.
    pub(super) async fn read(&self, body: Body, packing: Packing, limit_bytes: usize) -> Result<Whole, ApiError> {
        let mut taken = Taken { bodies: self.clone(), bytes: 0 };
        let arriving = arrive(&mut taken, body, limit_bytes);
        let slow = ApiError::BodyTooSlow { limit: self.time };
        let packed = tokio::time::timeout(self.time, arriving).await.unwrap_or(Err(slow))?;
        let likely_bytes = match packing {
            Packing::Plain => return Ok(Whole { bytes: packed, taken }),
            Packing::Gzip => packed.len().saturating_mul(LIKELY_RATIO),
            Packing::Snappy => snap::raw::decompress_len(&packed).map_err(no_snappy)?,
        };
        let unpacking = move || {
            let bytes = match packing {
                Packing::Plain => packed,
                Packing::Gzip => gunzip(&mut taken, &packed, limit_bytes)?.into(),
                Packing::Snappy => unsnap(&mut taken, &packed, limit_bytes)?.into(),
            };
            Ok(Whole { bytes, taken })
        };
        self.at_a_desk(likely_bytes, unpacking).await?
    }
}

async fn arrive(taken: &mut Taken, body: Body, limit_bytes: usize) -> Result<Bytes, ApiError> {
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    let mut length = 0;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| ApiError::BodyBroken)?;
        length += piece.len();
        if length <= limit_bytes {
            taken.more(piece.len())?;
            whole.extend_from_slice(&piece);
        } else if length > limit_bytes.saturating_add(MAX_DRAINED_BYTES) {
            break;
        }
    }
    if length > limit_bytes {
        return Err(ApiError::BodyTooLong { limit_bytes });
    }
    Ok(Bytes::from(whole))
}

/// Unpacks piece by piece and stops at the limit, whatever the body says of its length.
fn gunzip(taken: &mut Taken, packed: &[u8], limit_bytes: usize) -> Result<Vec<u8>, ApiError> {
    const PIECE_BYTES: usize = 64 * 1024;
    let mut unpacked = MultiGzDecoder::new(packed);
    let mut whole = Vec::new();
    loop {
        taken.more(PIECE_BYTES)?;
        let piece = unpacked.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut whole);
        let piece = piece.map_err(|error| ApiError::BadPacking { packing: "gzip", reason: error.to_string() })?;
        if whole.len() > limit_bytes {
            return Err(ApiError::BodyTooLong { limit_bytes });
        }
        if piece == 0 {
            return Ok(whole);
        }
    }
}

/// Looks at the length that the block names before any memory is taken for it.
fn unsnap(taken: &mut Taken, packed: &[u8], limit_bytes: usize) -> Result<Vec<u8>, ApiError> {
    let length = snap::raw::decompress_len(packed).map_err(no_snappy)?;
    if length > limit_bytes {
        return Err(ApiError::BodyTooLong { limit_bytes });
    }
    taken.more(length)?;
    snap::raw::Decoder::new().decompress_vec(packed).map_err(no_snappy)
}

fn no_snappy(error: snap::Error) -> ApiError {
    ApiError::BadPacking { packing: "a snappy block", reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    async fn unpacked(packing: Packing, packed: Vec<u8>, limit_bytes: usize) -> Result<usize, ApiError> {
        let bodies = Bodies::new(1 << 20, Duration::from_secs(10));
        let whole = bodies.read(Body::from(packed), packing, limit_bytes).await.map(|whole| whole.len());
        assert_eq!(bodies.taken_bytes.load(Ordering::Acquire), 0, "what was taken is given back");
        whole
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn a_desk_is_taken_until_its_work_is_done_though_nobody_waits_for_it() {
        let bodies = Bodies::new(1 << 20, Duration::from_secs(10));
        let desks = bodies.desks.available_permits();
        let (begun, begins) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let asker = tokio::spawn({
            let bodies = bodies.clone();
            async move {
                let work = move || {
                    begun.send(()).unwrap();
                    let _ends = ended.recv();
                };
                bodies.at_a_desk(AT_ONCE_BYTES + 1, work).await
            }
        });
        tokio::task::spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
        assert_eq!(bodies.desks.available_permits(), desks - 1, "the work goes on");
        drop(end);
        let all = bodies.desks.acquire_many(desks as u32);
        assert!(tokio::time::timeout(Duration::from_secs(30), all).await.is_ok(), "it is given back");
    }

    #[tokio::test]
    async fn the_limit_is_that_of_the_unpacked_body_too() {
        let limit = 100_000;
        for (length, fits) in [(limit, true), (limit + 1, false), (limit * 400, false)] {
            let zeros = vec![0; length];
            let expected = if fits { Ok(length) } else { Err(ApiError::BodyTooLong { limit_bytes: limit }) };
            assert_eq!(unpacked(Packing::Gzip, gzip(&zeros), limit).await, expected);
            let block = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
            assert_eq!(unpacked(Packing::Snappy, block, limit).await, expected);
        }
        // A block that names four gigabytes and has five bytes: nothing is taken for it.
        let liar = vec![0xff, 0xff, 0xff, 0xff, 0x0f];
        let too_long = Err(ApiError::BodyTooLong { limit_bytes: limit });
        assert_eq!(unpacked(Packing::Snappy, liar, limit).await, too_long);
    }

    #[tokio::test]
    async fn what_is_not_packed_as_it_says_is_refused() {
        for packing in [Packing::Gzip, Packing::Snappy] {
            let refused = unpacked(packing, b"\x05not packed".to_vec(), 1_000).await;
            assert!(matches!(refused, Err(ApiError::BadPacking { .. })), "{refused:?}");
        }
        let mut cut = gzip(&[7; 5_000]);
        cut.truncate(cut.len() - 9);
        assert!(matches!(unpacked(Packing::Gzip, cut, 10_000).await, Err(ApiError::BadPacking { .. })));
    }

    #[tokio::test]
    async fn only_so_many_bodies_are_read_at_once() {
        let bodies = Bodies::new(1_000, Duration::from_secs(10));
        let mut held = Taken { bodies: bodies.clone(), bytes: 0 };
        assert_eq!(held.more(1_000), Ok(()));
        let refused = bodies.read(Body::from("{}"), Packing::Plain, 1_000).await;
        assert_eq!(refused.err(), Some(ApiError::NoRoom));
        drop(held);
        assert!(bodies.read(Body::from("{}"), Packing::Plain, 1_000).await.is_ok());
    }
}
