//! The HTTP door: routes, and what stands before them.

mod archive;
pub(crate) mod body;
pub(crate) mod delivered;
mod errors;
mod health;
mod ingest;
pub(crate) mod page;
mod query;
mod remote_write;
pub(crate) mod seats;
pub(crate) mod security;
pub(crate) mod server;
mod timing;
mod ws;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::routing::{get, post};
use tokio::sync::{mpsc, watch};

use crate::hub::Hub;
use crate::own::OwnWork;
use crate::settings::LimitSettings;
use crate::telemetry::Metrics;
use crate::writer::Writer;
pub(crate) use archive::Archives;
use errors::ApiError;
use page::Page;
use seats::Seats;
use security::AllowList;

/// Where the gateway is in its life.
#[derive(Debug, Default)]
pub(crate) struct Life(AtomicU8);

impl Life {
    const READY: u8 = 1;
    const STOPPING: u8 = 2;

    /// The store is read: samples may come.
    pub(crate) fn begin(&self) {
        self.0.store(Self::READY, Ordering::Release);
    }

    /// No more samples are taken.
    pub(crate) fn end(&self) {
        self.0.store(Self::STOPPING, Ordering::Release);
    }
}

/// What the routes work with.
pub(crate) struct Gateway {
    pub(crate) hub: Arc<Hub>,
    pub(crate) writer: Writer,
    pub(crate) metrics: Metrics,
    pub(crate) own: Arc<OwnWork>,
    pub(crate) allow: AllowList,
    pub(crate) life: Life,
    pub(crate) limits: LimitSettings,
    pub(crate) bodies: body::Bodies,
    /// What remote write said of metrics, beside their samples.
    pub(crate) described: delivered::Described,
    /// Turns true when the gateway stops.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Held by every live connection; when all are gone, its other end learns of it.
    pub(crate) connections: mpsc::Sender<()>,
    /// Who has how many live connections.
    pub(crate) seats: Seats,
    /// Who reads the whole store.
    pub(crate) archives: Archives,
}

impl Gateway {
    /// # Errors
    /// [`ApiError`] before the store is read and after the stop began.
    fn ready(&self) -> Result<(), ApiError> {
        match self.life.0.load(Ordering::Acquire) {
            Life::READY => Ok(()),
            Life::STOPPING => Err(ApiError::Stopping),
            _ => Err(ApiError::Starting),
        }
    }
}

/// Waits until the gateway stops.
async fn stopping(mut stopping: watch::Receiver<bool>) {
    // An error means that the gateway is gone, which is the same.
    let _ended = stopping.wait_for(|stopping| *stopping).await;
}

/// All routes of the gateway.
pub(crate) fn router(gateway: Arc<Gateway>, page: Page) -> Router {
    let allow = gateway.allow.clone();
    let elsewhere = Router::new()
        .route("/ingest", post(ingest::ingest))
        .route("/api/v1/write", post(remote_write::write))
        .route("/query", get(query::query))
        .route("/api/v1/dashboard", get(query::dashboard))
        .route("/api/v1/board", get(query::board))
        .route("/api/v1/metrics", get(query::metrics))
        .method_not_allowed_fallback(wrong_method)
        .layer(allow.cors())
        .layer(middleware::from_fn_with_state(allow.clone(), security::note_origin));
    Router::new()
        .merge(elsewhere)
        .route("/ws", get(ws::live))
        .route("/api/v1/export", get(archive::export))
        .route("/api/v1/backup", get(archive::backup))
        .route("/-/healthy", get(health::healthy))
        .route("/-/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .method_not_allowed_fallback(wrong_method)
        .fallback(move |request: Request| page::fallback(page.clone(), request))
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), timing::time))
        .layer(middleware::from_fn_with_state(allow, security::check_host))
        .layer(middleware::from_fn(security::harden))
        .with_state(gateway)
}

async fn wrong_method(request: Request) -> ApiError {
    ApiError::Method { path: request.uri().path().to_owned(), method: request.method().to_string() }
}
