//! Who may ask: the `Host` and `Origin` allow-lists, and the headers that keep a browser strict.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::caller::Transport;
use super::errors::ApiError;
use crate::settings::{HostName, Origin};

/// The policy of the page: every byte comes from the site itself. The hash is the empty style that
/// the chart bundle adds.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// The policy of what is no page: nothing in it is ever shown or run.
const POLICY_OF_ANSWERS: &str = "default-src 'none'; frame-ancestors 'none'";

/// Most refused origins and hosts that the log names; senders may invent any number of them.
const MAX_NAMED: usize = 100;
/// Longest part of a refused origin or host that is shown.
const MAX_SHOWN_CHARS: usize = 200;

/// The hosts and origins that the gateway answers to.
#[derive(Clone, Debug)]
pub(crate) struct AllowList {
    hosts: Vec<String>,
    origins: Vec<String>,
    any_address: bool,
    /// Refusals of origins and hosts that the log has named.
    named: Arc<Mutex<BTreeSet<String>>>,
}

impl AllowList {
    /// The names of this machine's loopback, the address that is listened on, and what was added.
    pub(crate) fn new(listen: SocketAddr, hosts: &[HostName], origins: &[Origin]) -> Self {
        let own = match listen.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let loopback = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let hosts = loopback.into_iter().chain([own]).chain(hosts.iter().map(|host| host.0.clone())).collect();
        // DNS rebinding needs a name; who listens on every address is asked by any of them.
        let origins = origins.iter().map(|origin| origin.0.clone()).collect();
        Self { hosts, origins, any_address: listen.ip().is_unspecified(), named: Arc::default() }
    }

    fn allows_host(&self, host: &str) -> bool {
        let name = host_without_port(host).to_ascii_lowercase();
        self.hosts.contains(&name) || (self.any_address && name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok())
    }

    /// Whether the request comes from no page, from a page of the gateway's own, or from an allowed one.
    /// Where it does not, the log says so, once for each origin.
    ///
    /// # Errors
    /// [`ApiError::Origin`] otherwise.
    pub(crate) fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match headers.get(header::ORIGIN) {
            None => Ok(()),
            Some(_) if is_own_page(headers) => Ok(()),
            Some(origin) => {
                let origin = String::from_utf8_lossy(origin.as_bytes()).to_ascii_lowercase();
                if self.origins.contains(&origin) {
                    return Ok(());
                }
                Err(self.told(ApiError::Origin { origin: shown(&origin) }))
            }
        }
    }

    /// Whether the request comes from no page or from one of the gateway's own: nobody else may sign readers
    /// in or out.
    ///
    /// # Errors
    /// [`ApiError::Origin`] otherwise.
    pub(crate) fn check_own_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match headers.get(header::ORIGIN) {
            Some(origin) if !is_own_page(headers) => {
                Err(ApiError::Origin { origin: shown(&String::from_utf8_lossy(origin.as_bytes())) })
            }
            _ => Ok(()),
        }
    }

    /// Whether the request asks by a name of the gateway's. Where it does not, the log says so, once for
    /// each name.
    ///
    /// # Errors
    /// [`ApiError::Host`] otherwise.
    fn check_host(&self, request: &Request) -> Result<(), ApiError> {
        let host = request.uri().host().map_or_else(|| host_of(request.headers()), str::to_owned);
        if self.allows_host(&host) {
            return Ok(());
        }
        Err(self.told(ApiError::Host { host: shown(host_without_port(&host)) }))
    }

    /// Has the log say a refusal, once: a page shows no more than that it is not connected.
    fn told(&self, error: ApiError) -> ApiError {
        if self.is_new(&error) {
            tracing::warn!(code = error.code(), "{error}");
        }
        error
    }

    /// Whether the log has not said this yet, and still may.
    fn is_new(&self, error: &ApiError) -> bool {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.len() < MAX_NAMED && named.insert(error.to_string())
    }

    /// CORS, preflight included, for the allowed origins; without any there is no CORS header at all.
    pub(crate) fn cors(&self) -> CorsLayer {
        let origins = self.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("idempotency-key")])
            .expose_headers([header::RETRY_AFTER])
            .max_age(std::time::Duration::from_secs(600))
    }
}

/// Whether a page that the gateway served asks.
pub(crate) fn is_own_page(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()));
    let host = host_of(headers);
    let origin = origin.as_deref().and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(scheme, rest)| {
        (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
            && !host.is_empty()
            && rest.eq_ignore_ascii_case(&host)
    })
}

/// The host that is asked; nobody's where none is named, or more than one.
fn host_of(headers: &HeaderMap) -> String {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => String::from_utf8_lossy(host.as_bytes()).into_owned(),
        _ => String::new(),
    }
}

/// A text of a sender's as it may stand in a log, and so perhaps on a terminal: nothing in it is a command.
fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN_CHARS).flat_map(char::escape_default).collect()
}

fn host_without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    host.split_once(':').map_or(host, |(name, _)| name)
}

/// Refuses requests for other hosts (DNS rebinding). Health is asked by address and says nothing.
pub(crate) async fn check_host(State(allow): State<AllowList>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/-/") {
        return next.run(request).await;
    }
    match allow.check_host(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Has the log name the origins that may not read an answer. The browser keeps it from their pages and
/// says so to nobody but whoever opens its console.
pub(crate) async fn note_origin(State(allow): State<AllowList>, request: Request, next: Next) -> Response {
    let _named = allow.check_origin(request.headers());
    next.run(request).await
}

/// Which pages may fetch an answer without reading it.
pub(super) const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Headers of every answer.
pub(crate) async fn harden(request: Request, next: Next) -> Response {
    let secure = request.extensions().get::<Transport>() == Some(&Transport::Tls);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY_OF_ANSWERS));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(RESOURCE_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(listen: &str) -> AllowList {
        AllowList::new(
            listen.parse().unwrap(),
            &[HostName("metrics-store".to_owned())],
            &[Origin("https://status.example.org".to_owned())],
        )
    }

    #[track_caller]
    fn check_host(listen: &str, host: &str, expected: bool) {
        assert_eq!(list(listen).allows_host(host), expected, "{host} at {listen}");
    }

    #[test]
    fn hosts_are_exact() {
        for host in ["localhost", "localhost:4000", "LOCALHOST", "127.0.0.1:4000", "[::1]:4000", "metrics-store:4000"] {
            check_host("127.0.0.1:4000", host, true);
        }
        for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:4000", "10.0.0.7", "[::2]"] {
            check_host("127.0.0.1:4000", host, false);
        }
        check_host("0.0.0.0:4000", "10.0.0.7:4000", true);
        check_host("0.0.0.0:4000", "[fe80::1]:4000", true);
        check_host("0.0.0.0:4000", "evil.example:4000", false);
        check_host("[::1]:4000", "[::1]:4000", true);
    }

    #[test]
    fn a_refused_origin_is_named_once_and_not_without_end() {
        let allow = list("127.0.0.1:4000");
        let refused = |origin: &str| ApiError::Origin { origin: origin.to_owned() };
        assert!(allow.is_new(&refused("https://a.example")));
        assert!(!allow.clone().is_new(&refused("https://a.example")));
        let named = (0..2 * MAX_NAMED).filter(|n| allow.is_new(&refused(&format!("https://{n}.example"))));
        assert_eq!(named.count(), MAX_NAMED - 1);
    }

    #[test]
    fn what_cannot_be_allowed_is_told_another_way_out() {
        let told = |origin: &str| ApiError::Origin { origin: origin.to_owned() }.to_string();
        assert!(told("https://a.example").contains("start it with --allow-origin https://a.example to"));
        assert!(!told("null").contains("--allow-origin") && told("null").contains("web server"));
    }

    #[track_caller]
    fn check_origin(host: &str, origin: Option<&str>, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        assert_eq!(list("127.0.0.1:4000").check_origin(&headers).is_ok(), expected, "{origin:?} at {host}");
    }

    #[test]
    fn origins_are_exact() {
        check_origin("localhost:4000", None, true);
        check_origin("localhost:4000", Some("http://localhost:4000"), true);
        check_origin("status.local", Some("https://status.local"), true);
        check_origin("localhost:4000", Some("https://status.example.org"), true);
        for origin in [
            "http://localhost:4001",
            "http://localhost",
            "null",
            "",
            "https://status.example.org.evil.example",
            "https://status.example.org:8443",
            "file://localhost:4000",
        ] {
            check_origin("localhost:4000", Some(origin), false);
        }
    }
}
