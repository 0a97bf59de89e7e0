//! Times every request and counts it under its route, never under the path that was asked.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use super::Gateway;
use crate::clock::{self, Stopwatch};
use crate::telemetry::RequestLabels;

/// The route of what no route matches: the files of the page.
const PAGE: &str = "page";

/// Runs the request and notes how long it took.
pub(super) async fn time(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or(PAGE, |path| path.as_str()).to_owned();
    let method = method(request.method());
    let watch = Stopwatch::start();
    let response = next.run(request).await;
    // A live connection lasts: its handshake says nothing about the time of requests.
    if route != "/ws" {
        let secs = watch.elapsed().as_secs_f64();
        let labels = RequestLabels { route, method, status: response.status().as_u16() };
        gateway.metrics.request(&labels, secs);
        if !gateway.own.request(labels, clock::now(), secs) {
            gateway.metrics.own_samples_lost.inc();
        }
    }
    response
}

/// The methods that are counted apart; senders may invent any number of others.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
