//! The doors to the store as a whole: every stored sample, and a copy of everything.
//!
//! Both read a snapshot on a thread of their own while the writer goes on. What could not be read to its end
//! is broken off, so that nobody takes it for whole.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Gateway;
use super::errors::ApiError;
use crate::archive::{ExportRequest, Rows};
use crate::clock::Stopwatch;
use crate::store::{Snapshot, StoreError};
use crate::writer::WriteError;

/// Most archives that are taken at once: each reads the disk that the writer writes to.
const MAX_AT_ONCE: usize = 2;
/// Most questions about the long past that are answered at once; an engine is made for each.
const MAX_QUESTIONS: usize = 2;
/// Most searches for what corrections are about, and readings of their trail, at once.
const MAX_CORRECTIONS: usize = 2;
/// How long one waits for those before it.
const QUESTION_WAIT: Duration = Duration::from_secs(5);
/// Pieces that wait to be sent.
const PIECES_WAITING: usize = 8;
/// Rows are sent in pieces of about so many bytes.
const PIECE_BYTES: usize = 64 * 1_024;
/// How long an archive may take. As long as a snapshot lives, nothing that is dropped gives its room back.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How long the last pieces of what is broken off have to get on their way.
const LAST_PIECES: Duration = Duration::from_millis(200);
/// Most damaged records that the log names of one export.
const MOST_NAMED: usize = 10;

/// Who reads the store now: archives take up to an hour, questions about the long past and searches for corrections
/// seconds, and none waits for the others.
#[derive(Debug)]
pub(crate) struct Archives {
    archives: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    corrections: Arc<Semaphore>,
}

impl Default for Archives {
    fn default() -> Self {
        let room = |at_once| Arc::new(Semaphore::new(at_once));
        Self { archives: room(MAX_AT_ONCE), questions: room(MAX_QUESTIONS), corrections: room(MAX_CORRECTIONS) }
    }
}

impl Archives {
    fn take(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let permit = Arc::clone(&self.archives).try_acquire_owned();
        permit.map_err(|_| ApiError::Archiving { at_once: MAX_AT_ONCE })
    }

    /// Waits a little: those before it take no longer.
    async fn ask(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let asked = timeout(QUESTION_WAIT, Arc::clone(&self.questions).acquire_owned()).await;
        asked.ok().and_then(Result::ok).ok_or(ApiError::Questions { at_once: MAX_QUESTIONS })
    }

    async fn correct(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let asked = timeout(QUESTION_WAIT, Arc::clone(&self.corrections).acquire_owned()).await;
        asked.ok().and_then(Result::ok).ok_or(ApiError::Corrections { at_once: MAX_CORRECTIONS })
    }
}

/// Every stored sample that is asked for, as CSV or NDJSON.
pub(super) async fn export(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    gateway.allow.check_origin(&headers)?;
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let request = ExportRequest::from_pairs(pairs)?;
    let (permit, snapshot) = take(&gateway).await?;
    let format = request.format;
    let body = streamed(permit, move |pieces| {
        let mut rows = Rows::new(format);
        let hand_on = |rows: &mut Rows| {
            if rows.len() >= PIECE_BYTES && !pieces.send(rows.take()) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let mut faults = snapshot.export(&request.selection, &mut |row| {
            rows.add(row);
            hand_on(&mut rows)
        })?;
        faults.extend(snapshot.export_histograms(&request.selection, &mut |row| {
            rows.add_histogram(row);
            hand_on(&mut rows)
        })?);
        for fault in faults.iter().take(MOST_NAMED) {
            tracing::error!(%fault, "an export is broken off at its end: not all of it could be read");
        }
        pieces.send(rows.take());
        Ok(faults.is_empty())
    });
    let name = format!("attachment; filename=\"samples.{}\"", format.word());
    let headers = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, body).into_response())
}

/// A copy of the store, as `bellwether backup` takes it.
pub(super) async fn backup(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Result<Response, ApiError> {
    gateway.allow.check_origin(&headers)?;
    let (permit, snapshot) = take(&gateway).await?;
    let body = streamed(permit, move |pieces| {
        let taken = snapshot.send(&mut |piece| if pieces.send(piece.to_vec()) { Ok(()) } else { Err(()) })?;
        Ok(taken.is_ok())
    });
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

/// The store as it is, for an archive.
async fn take(gateway: &Gateway) -> Result<(OwnedSemaphorePermit, Snapshot), ApiError> {
    gateway.ready()?;
    let permit = gateway.archives.take()?;
    Ok((permit, snapshot(gateway).await?))
}

/// The store as it is, for a question about the long past.
pub(super) async fn ask(gateway: &Gateway) -> Result<(OwnedSemaphorePermit, Snapshot), ApiError> {
    let permit = gateway.archives.ask().await?;
    Ok((permit, snapshot(gateway).await?))
}

/// The store as it is, for a correction or the trail of them.
pub(super) async fn correct(gateway: &Gateway) -> Result<(OwnedSemaphorePermit, Snapshot), ApiError> {
    let permit = gateway.archives.correct().await?;
    Ok((permit, snapshot(gateway).await?))
}

async fn snapshot(gateway: &Gateway) -> Result<Snapshot, ApiError> {
    gateway.writer.snapshot().await.map_err(|error| match error {
        WriteError::Store { reason } => ApiError::Unreadable { reason },
        error => error.into(),
    })
}

/// The way out of a thread that reads a snapshot.
struct Pieces {
    out: Sender<io::Result<Bytes>>,
    began: Stopwatch,
}

impl Pieces {
    /// `false` where nobody takes them any more, or has for too long.
    fn send(&self, piece: Vec<u8>) -> bool {
        self.began.elapsed() < LONGEST && self.out.blocking_send(Ok(piece.into())).is_ok()
    }
}

/// A body that `write` writes on a thread of its own. Where it fails, or says that not all was written, the
/// body is broken off.
fn streamed(
    permit: OwnedSemaphorePermit,
    write: impl FnOnce(&Pieces) -> Result<bool, StoreError> + Send + 'static,
) -> Body {
    let (out, pieces) = channel(PIECES_WAITING);
    tokio::task::spawn_blocking(move || {
        let pieces = Pieces { out, began: Stopwatch::start() };
        let whole = write(&pieces).unwrap_or_else(|error| {
            tracing::error!(%error, "an archive is broken off: the store cannot be read");
            false
        });
        if !whole || pieces.began.elapsed() >= LONGEST {
            // Whoever listens no more knows it already.
            let _gone = pieces.out.blocking_send(Err(io::Error::other("not all of it could be read")));
        }
        drop(permit);
    });
    let next = |mut pieces: Receiver<io::Result<Bytes>>| async move {
        let piece = pieces.recv().await?;
        if piece.is_err() {
            // What was written before is sent only while the body is waited for; an end like this drops it.
            tokio::time::sleep(LAST_PIECES).await;
        }
        Some((piece, pieces))
    };
    Body::from_stream(futures_util::stream::unfold(pieces, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn archives_and_questions_do_not_take_each_others_room() {
        let archives = Archives::default();
        let taken: Vec<_> = (0..MAX_AT_ONCE).map(|_| archives.take().unwrap()).collect();
        assert_eq!(archives.take().err(), Some(ApiError::Archiving { at_once: MAX_AT_ONCE }));
        let mut asked = Vec::new();
        for _ in 0..MAX_QUESTIONS {
            asked.push(archives.ask().await.unwrap());
        }
        assert_eq!(archives.ask().await.err(), Some(ApiError::Questions { at_once: MAX_QUESTIONS }));
        drop(taken);
        assert!(archives.take().is_ok(), "questions hold up no archive");
        // One that ends lets the next one in, which has waited.
        let (next, ()) = tokio::join!(archives.ask(), async {
            tokio::time::sleep(QUESTION_WAIT / 2).await;
            asked.pop();
        });
        assert!(next.is_ok());
    }
}
