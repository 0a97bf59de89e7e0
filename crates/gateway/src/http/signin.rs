//! Sign-in for readers: a form exchanges a token for a cookie that scripts cannot read.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Gateway;
use super::body::Packing;
use super::caller::{Caller, Transport};
use super::errors::ApiError;
use super::seats::counted_as;
use crate::auth::{Principal, Scope, Unknown};

/// The cookie.
const COOKIE: &str = "bellwether_session";
/// Longest form that is read.
const MAX_FORM_BYTES: usize = 8 * 1024;
/// The policy of the form: it needs its style and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The form; what stands in `{…}` is put in.
const FORM: &str = include_str!("signin.html");
/// Its style.
const STYLE: &str = include_str!("signin.css");

/// The key of the sign-in that the browser sends.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).map(|(_, key)| key).next()
}

/// Sends whoever opens the page to the form, and from there back.
pub(super) fn first(gateway: &Gateway, wanted: &Uri) -> Response {
    let next = form_urlencoded::byte_serialize(wanted.path().as_bytes()).collect::<String>();
    see(&format!("{}/signin?next={next}", gateway.base_path))
}

/// Says that whoever is signed in may not see the page.
pub(super) fn not_enough(gateway: &Gateway) -> Response {
    let sentence = "You are known here, but you may not see figures. Sign in with a token that has the scope read.";
    form(gateway, StatusCode::FORBIDDEN, Some(sentence), "/")
}

/// `GET /signin`.
pub(super) async fn ask(
    State(gateway): State<Arc<Gateway>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let signed_in = cookie(&headers).and_then(|key| gateway.access.session(key));
    if let Some(principal) = signed_in {
        return signed_in_page(&gateway, &principal);
    }
    if gateway.access.open().is_some() {
        return see(&format!("{}/", gateway.base_path));
    }
    let query = query.unwrap_or_default();
    let next = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    form(&gateway, StatusCode::OK, None, &next.map_or_else(|| "/".to_owned(), |(_, next)| next.into_owned()))
}

/// `POST /signin`: the form's token becomes a cookie.
pub(super) async fn sign_in(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    gateway.allow.check_own_origin(&headers)?;
    let body = gateway.bodies.read(body, Packing::Plain, MAX_FORM_BYTES).await;
    let body = body.inspect_err(|error| gateway.metrics.refuse(error.code()))?;
    let field = |name: &str| {
        let found = form_urlencoded::parse(&body).find(|(found, _)| found == name);
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let next = field("next");
    let refuse = |error: ApiError, sentence: &str| {
        gateway.metrics.refuse(error.code());
        Ok(form(&gateway, error.status(), Some(sentence), &next))
    };
    match gateway.access.sign_in(&field("token"), counted_as(caller.address)).await {
        Ok((key, principal)) if principal.scopes.have(Scope::Read) => {
            tracing::info!(token = &*principal.name, address = %caller.address, "a reader signed in");
            let mut response = see(&format!("{}{}", gateway.base_path, own_path(&next)));
            set_cookie(&mut response, &gateway, &caller, key.reveal(), gateway.access.session_time().as_secs());
            Ok(response)
        }
        Ok((key, principal)) => {
            gateway.access.sign_out(key.reveal());
            let has = principal.scopes;
            let sentence = "This token is for sending samples. Sign in with one that has the scope read.";
            refuse(ApiError::ScopeMissing { needed: Scope::Read, has }, sentence)
        }
        Err(Unknown::Wrong) => {
            refuse(ApiError::BadToken, "This token is not known here. Look for a slip and try again.")
        }
        Err(Unknown::TooManyWrong) => {
            refuse(ApiError::TooManyWrong, "Too many tokens from this address were wrong. Wait a minute and try again.")
        }
    }
}

/// `POST /signout`.
pub(super) async fn sign_out(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    gateway.allow.check_own_origin(&headers)?;
    if let Some(key) = cookie(&headers) {
        gateway.access.sign_out(key);
    }
    let mut response = see(&format!("{}/signin", gateway.base_path));
    set_cookie(&mut response, &gateway, &caller, "", 0);
    Ok(response)
}

/// `GET /signin.css`.
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css"), (header::CACHE_CONTROL, "no-cache")], STYLE).into_response()
}

/// A ticket for one live connection.
#[derive(Serialize)]
pub(super) struct TicketBody {
    /// Goes into the address: `/ws?ticket=…`.
    ticket: String,
    /// How long it may wait to be used.
    expires_in_secs: u64,
}

/// `POST /api/v1/ticket`: for who can send a token with a request and none with a WebSocket.
pub(super) async fn ticket(
    State(gateway): State<Arc<Gateway>>,
    Extension(principal): Extension<Principal>,
) -> Result<Response, ApiError> {
    let (key, waits) = gateway.access.ticket(&principal).ok_or(ApiError::NoRandomness)?;
    let body = TicketBody { ticket: key.reveal().to_owned(), expires_in_secs: waits.as_secs() };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// A path of this gateway's, whatever the form says.
fn own_path(next: &str) -> &str {
    let inside = next.starts_with('/') && !next.starts_with("//");
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    if inside && plain { next } else { "/" }
}

fn set_cookie(response: &mut Response, gateway: &Gateway, caller: &Caller, key: &str, secs: u64) {
    let secure = if caller.transport == Transport::Tls { "; Secure" } else { "" };
    let path = if gateway.base_path.is_empty() { "/" } else { &gateway.base_path };
    let text = format!("{COOKIE}={key}; Path={path}; Max-Age={secs}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}

fn see(address: &str) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::CACHE_CONTROL, "no-store")]).into_response();
    if let Ok(address) = HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    response
}

fn form(gateway: &Gateway, status: StatusCode, fault: Option<&str>, next: &str) -> Response {
    let fault = fault.map_or_else(String::new, |sentence| format!("<p class=\"fault\" role=\"alert\">{sentence}</p>"));
    let fields = format!(
        "{fault}<form method=\"post\" action=\"{base}/signin\"><input type=\"hidden\" name=\"next\" value=\"{next}\">\
         <label for=\"token\">Token</label><input id=\"token\" name=\"token\" type=\"password\" \
         autocomplete=\"current-password\" required autofocus><button>Sign in</button></form>\
         <p class=\"hint\">Whoever runs this gateway gives you a token.</p>",
        base = gateway.base_path,
        next = own_path(next).replace('&', "&amp;").replace('\'', "&#39;"),
    );
    html(gateway, status, "Sign in to see its figures.", &fields)
}

fn signed_in_page(gateway: &Gateway, principal: &Principal) -> Response {
    let name: String = principal.name.chars().filter(|letter| !"<>&\"'".contains(*letter)).collect();
    let fields = format!(
        "<p>You are signed in as <strong>{name}</strong>.</p><p><a class=\"button\" href=\"{base}/\">See the figures</a></p>\
         <form method=\"post\" action=\"{base}/signout\"><button class=\"quiet\">Sign out</button></form>",
        base = gateway.base_path
    );
    html(gateway, StatusCode::OK, "Signed in.", &fields)
}

fn html(gateway: &Gateway, status: StatusCode, about: &str, content: &str) -> Response {
    let page = FORM.replace("{base}", &gateway.base_path).replace("{about}", about).replace("{content}", content);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // With less, a browser would send the form without its origin.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, headers, page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_its_own_are_gone_to() {
        for path in ["/", "/#/chart", "/a/b?c=d"] {
            assert_eq!(own_path(path), path);
        }
        for path in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a b", "/\"><script>", "evil"] {
            assert_eq!(own_path(path), "/", "{path}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; bellwether_session_x=1".parse().unwrap());
        assert_eq!(cookie(&headers), None);
        headers.append(header::COOKIE, "c=d; bellwether_session=key".parse().unwrap());
        assert_eq!(cookie(&headers), Some("key"));
    }
}
