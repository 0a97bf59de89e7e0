//! The page: static files with a strict policy, precompressed, cached as long as their names allow.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use tower_http::services::ServeDir;

use super::asked_path;
use super::caller::{Caller, Transport};
use super::errors::ApiError;
use super::security::CONTENT_SECURITY_POLICY;
use crate::board::OWN_BOARD;

/// A name that changes with its content can be kept for a year.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Any other file is asked for again each time; an unchanged one costs a 304.
const REVALIDATE: &str = "no-cache";
/// Where the page shows the gateway itself.
const OWN_VIEW: &str = "/gateway";

/// The folder of the built page: the one that was named, else `page` beside the binary, else `dist`.
///
/// # Errors
/// One plain sentence where the folder that was named is none.
pub(crate) fn folder(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(named) = named {
        anyhow::ensure!(
            named.is_dir(),
            "the page's folder {named:?} is not there; build the page with cargo xtask dist and name its folder, or \
             leave --page out"
        );
        return Ok(named.to_owned());
    }
    let beside = std::env::current_exe().ok().and_then(|binary| Some(binary.parent()?.join("page")));
    Ok(beside.filter(|folder| folder.is_dir()).unwrap_or_else(|| PathBuf::from("dist")))
}

/// Answers what no route does: a file of the page, or a plain sentence.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    folder: PathBuf,
    /// The path below which all is served; empty where it is the root.
    base_path: String,
}

impl Page {
    pub(crate) const fn new(folder: PathBuf, base_path: String) -> Self {
        Self { folder, base_path }
    }

    /// The same page once more, below `/gateway/`, with settings that have it show the gateway itself: what
    /// is asked of the page's files there, or the answer where it is one of the two files that differ.
    fn own_view(&self, mut request: Request) -> Result<Request, Box<Response>> {
        let Some(below) = request.uri().path().strip_prefix(OWN_VIEW) else { return Ok(request) };
        match below {
            "" => {
                let address = format!("{}{OWN_VIEW}/", self.base_path);
                Err((StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, address)]).into_response().into())
            }
            "/config.json" => {
                let secure =
                    request.extensions().get::<Caller>().is_some_and(|caller| caller.transport == Transport::Tls);
                let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
                let scheme = if secure { "https" } else { "http" };
                // The host is one of the gateway's names: it was looked at before.
                let gateway = format!("{scheme}://{host}{}", self.base_path);
                let settings = serde_json::json!({ "gateway": gateway, "board": "board.json", "title": null });
                Err(([(header::CACHE_CONTROL, "no-store")], Json(settings)).into_response().into())
            }
            "/board.json" => {
                let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, REVALIDATE)];
                Err((headers, OWN_BOARD).into_response().into())
            }
            _ if below.starts_with('/') => {
                if let Ok(uri) = below.parse() {
                    *request.uri_mut() = uri;
                }
                Ok(request)
            }
            // Another name that begins alike.
            _ => Ok(request),
        }
    }

    /// The file at the request's path.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        let (asked, before) = (asked_path(&request), request.uri().path().to_owned());
        let request = match self.own_view(request) {
            Ok(request) => request,
            Err(answer) => return harden(*answer),
        };
        let path = request.uri().path().to_owned();
        // What was taken off the address, which the files know nothing of.
        let taken_off = format!("{}{}", self.base_path, before.strip_suffix(&path).unwrap_or_default());
        let wants_html = wants_html(&request);
        // The API's names are never files, so that a mistyped call gets an error that it can read.
        if path.starts_with("/api/") || path.starts_with("/-/") {
            return ApiError::NotFound { path: asked }.into_response();
        }
        let mut served = ServeDir::new(&self.folder).precompressed_br().precompressed_gzip();
        let response = match served.try_call(request).await {
            Ok(response) => response.map(Body::new),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                StatusCode::NOT_FOUND.into_response()
            }
            Err(error) => {
                tracing::warn!(%error, path, "a file of the page could not be read");
                return harden(sentence(StatusCode::INTERNAL_SERVER_ERROR, "The page's files could not be read."));
            }
        };
        let mut response = match response.status() {
            StatusCode::NOT_FOUND if path == "/" => missing_page(),
            StatusCode::NOT_FOUND if wants_html => sentence(
                StatusCode::NOT_FOUND,
                &format!("There is nothing at this address. <a href=\"{}/\">Go to the overview</a>.", self.base_path),
            ),
            StatusCode::NOT_FOUND => ApiError::NotFound { path: asked }.into_response(),
            _ => response,
        };
        if let Some(address) = response.headers_mut().get_mut(header::LOCATION) {
            // A folder without its slash.
            let whole = [taken_off.as_bytes(), address.as_bytes()].concat();
            *address = HeaderValue::from_bytes(&whole).unwrap_or_else(|_| HeaderValue::from_static("/"));
        }
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            let caching = if is_named_by_content(&path) { IMMUTABLE } else { REVALIDATE };
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        }
        harden(response)
    }
}

/// Lets a [`Page`] stand as a router's fallback.
pub(crate) async fn fallback(page: Page, request: Request) -> Result<Response, Infallible> {
    Ok(page.answer(request).await)
}

fn harden(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    response
}

pub(super) fn wants_html(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn missing_page() -> Response {
    sentence(
        StatusCode::OK,
        "The gateway runs, but the page is not built: run <code>cargo xtask run</code>, or build it with \
         <code>cargo xtask dist</code> and start the gateway with <code>--page dist</code>.",
    )
}

fn sentence(status: StatusCode, text: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Bellwether</title><h1>Bellwether</h1><p>{text}</p></html>"
    );
    (status, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

/// Whether the file's content can never change under its name: the build puts a hash of the content
/// (`name-0123456789abcdef.js`) or, under `vendor/`, a version into the path.
fn is_named_by_content(path: &str) -> bool {
    if path.starts_with("/vendor/") {
        return path.split('/').any(|part| part.rsplit_once('-').is_some_and(|(_, end)| is_version(end)));
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.strip_suffix("_bg").unwrap_or(stem);
    stem.rsplit_once('-').is_some_and(|(_, hash)| hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_version(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_made_from_the_content_are_kept() {
        for path in [
            "/bellwether-dashboard-3f2ab54c91d0e7aa.js",
            "/bellwether-dashboard-3f2ab54c91d0e7aa_bg.wasm",
            "/chunks/views-3f2ab54c91d0e7aa.wasm",
            "/css/main-0123abcd.css",
            "/vendor/plotly-4.1.1/plotly-basic.min.js",
        ] {
            assert!(is_named_by_content(path), "{path}");
        }
        for path in
            ["/", "/index.html", "/config.json", "/board.json", "/boot.js", "/css/main-dark.css", "/vendor/a.js"]
        {
            assert!(!is_named_by_content(path), "{path}");
        }
    }
}
