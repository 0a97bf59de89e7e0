//! The HTTP door: routes, and what stands before them.

mod allowance;
mod archive;
pub(crate) mod body;
pub(crate) mod caller;
mod corrections;
pub(crate) mod delivered;
mod ended;
mod errors;
mod guard;
mod health;
mod ingest;
mod lines;
mod openapi;
mod otlp;
pub(crate) mod page;
mod produce;
mod query;
pub(crate) mod remote_write;
mod routes;
pub(crate) mod seats;
pub(crate) mod security;
pub(crate) mod server;
mod signin;
mod socket;
mod timing;
pub(crate) mod tls;
mod ws;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Uri;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{mpsc, watch};

use crate::auth::Access;
use crate::hub::Hub;
use crate::own::OwnWork;
use crate::settings::LimitSettings;
use crate::telemetry::Metrics;
use crate::writer::Writer;
pub(crate) use archive::Archives;
use caller::{Proxies, Transport};
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
    pub(crate) access: Access,
    pub(crate) proxies: Proxies,
    /// The path below which all is served, such as `/bellwether`; empty where it is the root.
    pub(crate) base_path: String,
    pub(crate) life: Life,
    pub(crate) limits: LimitSettings,
    pub(crate) bodies: body::Bodies,
    /// What remote write said of metrics, beside their samples.
    pub(crate) described: delivered::Described,
    /// The series that it named.
    pub(crate) known: remote_write::Known,
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

impl Gateway {
    /// # Errors
    /// [`ApiError::TooManySamples`] where a body of so many is not taken.
    fn takes(&self, samples: usize) -> Result<(), ApiError> {
        let most = self.limits.samples.0;
        if samples > most { Err(ApiError::TooManySamples { most }) } else { Ok(()) }
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
        .route("/v1/metrics", post(otlp::write))
        .route("/write", post(lines::influx_v1))
        .route("/api/v2/write", post(lines::influx_v2))
        .route("/api/v1/import/prometheus", post(lines::exposition))
        .route("/query", get(query::query))
        .route("/api/v1/dashboard", get(query::dashboard))
        .route("/api/v1/board", get(query::board))
        .route("/api/v1/metrics", get(query::metrics))
        .route("/api/v1/alerts/ended", get(ended::ended))
        .route("/api/v1/ticket", post(signin::ticket))
        .route("/api/openapi.json", get(openapi::serve))
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), guard::guard))
        .layer(allow.cors())
        .layer(middleware::from_fn_with_state(allow.clone(), security::note_origin));
    let here = Router::new()
        .route("/ws", get(ws::live))
        .route("/api/v1/export", get(archive::export))
        .route("/api/v1/backup", get(archive::backup))
        .route("/api/v1/corrections", get(corrections::trail).post(corrections::correct))
        .route("/-/healthy", get(health::healthy))
        .route("/-/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/signin", get(signin::ask).post(signin::sign_in))
        .route("/signout", post(signin::sign_out))
        .route("/signin.css", get(signin::style))
        .method_not_allowed_fallback(wrong_method)
        .fallback(move |request: Request| page::fallback(page.clone(), request))
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), guard::guard));
    let routes = Router::new()
        .merge(elsewhere)
        .merge(here)
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), timing::time))
        .layer(middleware::from_fn_with_state(allow, security::check_host))
        .layer(middleware::from_fn(security::harden))
        .with_state(Arc::clone(&gateway));
    // Before a route is chosen: the path may have a part that is not ours.
    Router::new().fallback_service(routes).layer(middleware::from_fn_with_state(gateway, enter))
}

/// Finds out where a request comes from and takes the base path off its address.
async fn enter(State(gateway): State<Arc<Gateway>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let transport = request.extensions().get::<Transport>().copied().unwrap_or(Transport::Plain);
    if let Some(peer) = peer {
        let caller = gateway.proxies.caller(peer, transport, request.headers());
        caller.restore_host(request.headers_mut());
        request.extensions_mut().insert(caller);
    }
    let asked = AskedPath(request.uri().path().to_owned());
    request.extensions_mut().insert(asked);
    match below(&gateway.base_path, request.uri()) {
        Below::Here => {}
        Below::There(uri) => *request.uri_mut() = uri,
        Below::Slash(address) => {
            return (axum::http::StatusCode::PERMANENT_REDIRECT, [(axum::http::header::LOCATION, address)])
                .into_response();
        }
        Below::Outside => return ApiError::NotFound { path: asked_path(&request) }.into_response(),
    }
    next.run(request).await
}

/// Where a path stands to the base path.
#[derive(Debug, PartialEq)]
enum Below {
    /// There is no base path, or health is asked, which has none.
    Here,
    /// Below it, as the routes know it.
    There(Uri),
    /// It is the base path without its slash: to be asked for again at this address.
    Slash(String),
    /// Not below it.
    Outside,
}

fn below(base: &str, uri: &Uri) -> Below {
    if base.is_empty() || uri.path().starts_with("/-/") {
        return Below::Here;
    }
    match uri.path_and_query().map_or("", |path| path.as_str()).strip_prefix(base) {
        Some("") => Below::Slash(format!("{base}/")),
        Some(rest) if rest.starts_with('/') => rest.parse().map_or(Below::Outside, Below::There),
        Some(rest) if rest.starts_with('?') => Below::Slash(format!("{base}/{rest}")),
        _ => Below::Outside,
    }
}

async fn wrong_method(request: Request) -> ApiError {
    ApiError::Method { path: asked_path(&request), method: request.method().to_string() }
}

/// The path of a request as it came, base path and all.
#[derive(Clone)]
struct AskedPath(String);

fn asked_path(request: &Request) -> String {
    let asked = request.extensions().get::<AskedPath>();
    asked.map_or_else(|| request.uri().path().to_owned(), |AskedPath(path)| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, path: &str, expected: Below) {
        assert_eq!(below(base, &path.parse().unwrap()), expected, "{path} below {base:?}");
    }

    #[test]
    fn the_base_path_is_taken_off() {
        check("", "/query?a=b", Below::Here);
        check("/a/b", "/a/b/query?a=b", Below::There("/query?a=b".parse().unwrap()));
        check("/a/b", "/a/b/", Below::There("/".parse().unwrap()));
        check("/a/b", "/a/b", Below::Slash("/a/b/".to_owned()));
        check("/a/b", "/a/b?c=d", Below::Slash("/a/b/?c=d".to_owned()));
        check("/a/b", "/a/bc", Below::Outside);
        check("/a/b", "/query", Below::Outside);
        check("/a/b", "/-/healthy", Below::Here);
    }
}
