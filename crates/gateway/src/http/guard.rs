//! Stands before the routes: finds out who asks and whether they may.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Gateway;
use super::caller::Caller;
use super::errors::ApiError;
use super::routes::{self, Asked, Needs};
use super::seats::counted_as;
use super::{asked_path, page, signin, wrong_method};
use crate::auth::{Principal, Scope, Unknown};

/// Lets a request pass to its route if its caller may, and tells the route who it is.
pub(super) async fn guard(State(gateway): State<Arc<Gateway>>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let needs = match &path {
        // The page's files hold nothing; whoever opens the page itself is asked first.
        None if page::wants_html(&request) => Needs::Scope(Scope::Read),
        None => Needs::Nothing,
        Some(path) => match routes::asked(request.method(), path) {
            Some(Asked::Needs(needs)) => needs,
            // Whoever asks: no token would open it.
            Some(Asked::NotTaken { allowed }) => {
                let error = wrong_method(request).await;
                return ([(header::ALLOW, allowed)], error).into_response();
            }
            None => {
                tracing::error!(path, "the route is not in the table of routes, so it is not served");
                return ApiError::NotFound { path: asked_path(&request) }.into_response();
            }
        },
    };
    let Needs::Scope(scope) = needs else { return next.run(request).await };
    let (headers, caller) = (request.headers(), request.extensions().get::<Caller>());
    match by_headers(&gateway, headers, caller, request.method()).await {
        Ok(principal) if principal.scopes.have(scope) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Ok(_) if path.is_none() => signin::not_enough(&gateway),
        Err(_) if path.is_none() => signin::first(&gateway, request.uri()),
        Ok(principal) => refused(&gateway, ApiError::ScopeMissing { needed: scope, has: principal.scopes }),
        Err(error) => refused(&gateway, error),
    }
}

fn refused(gateway: &Gateway, error: ApiError) -> Response {
    gateway.metrics.refuse(error.code());
    error.into_response()
}

/// Who asks, by the headers of a request.
///
/// # Errors
/// [`ApiError`] where it cannot be known and has to be.
pub(super) async fn by_headers(
    gateway: &Gateway,
    headers: &HeaderMap,
    caller: Option<&Caller>,
    method: &Method,
) -> Result<Principal, ApiError> {
    let access = &gateway.access;
    if let Some(anyone) = access.open() {
        return Ok(anyone);
    }
    let Some(caller) = caller else { return Err(ApiError::TokenNeeded) };
    let user = access.users().filter(|_| caller.through_proxy).and_then(|users| headers.get(&users.header));
    let user = user.and_then(|name| name.to_str().ok()).map(str::trim).filter(|name| !name.is_empty());
    match (bearer(headers), user) {
        // The proxy knows who asks, and may send a token of its own or of somebody who signs people in.
        (Some(secret), Some(_)) => {
            if let Some(principal) = access.token_of_proxy(secret) {
                return Ok(principal);
            }
        }
        (Some(secret), None) => {
            return access.token(secret, counted_as(caller.address)).await.map_err(ApiError::from);
        }
        (None, _) => {}
    }
    if let Some(principal) = signin::cookie(headers).and_then(|key| access.session(key)) {
        // A browser sends a cookie by itself: what changes something must come from a page of ours. Same-site
        // cookies see to that; this is for browsers that do not.
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        if changes && !headers.contains_key(header::ORIGIN) {
            return Err(ApiError::TokenNeeded);
        }
        gateway.allow.check_origin(headers)?;
        return Ok(principal);
    }
    user.and_then(|name| access.user(name)).ok_or(ApiError::TokenNeeded)
}

/// The token of the header `Authorization`: `Bearer <token>`, or `Token <token>` as Influx's clients send it.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    known.then(|| token.trim())
}

impl From<Unknown> for ApiError {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Wrong => Self::BadToken,
            Unknown::TooManyWrong => Self::TooManyWrong,
        }
    }
}
