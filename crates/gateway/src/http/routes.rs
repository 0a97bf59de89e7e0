//! What each route asks of its caller. A route that is not named here is not served.

use axum::http::Method;

use crate::auth::Scope;

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: it says nothing that is worth keeping, or it asks by itself.
    Nothing,
    /// A scope.
    Scope(Scope),
}

/// A route.
pub(super) struct Route {
    pub(super) method: Method,
    /// As it is declared, parameters in braces.
    pub(super) path: &'static str,
    pub(super) needs: Needs,
}

const fn route(method: Method, path: &'static str, needs: Needs) -> Route {
    Route { method, path, needs }
}

const INGEST: Needs = Needs::Scope(Scope::Ingest);
const READ: Needs = Needs::Scope(Scope::Read);
const ADMIN: Needs = Needs::Scope(Scope::Admin);

/// All routes.
pub(super) const ROUTES: &[Route] = &[
    route(Method::POST, "/ingest", INGEST),
    route(Method::POST, "/api/v1/write", INGEST),
    route(Method::POST, "/v1/metrics", INGEST),
    route(Method::POST, "/write", INGEST),
    route(Method::POST, "/api/v2/write", INGEST),
    route(Method::POST, "/api/v1/import/prometheus", INGEST),
    route(Method::GET, "/query", READ),
    route(Method::GET, "/api/v1/dashboard", READ),
    route(Method::GET, "/api/v1/board", READ),
    route(Method::GET, "/api/v1/metrics", READ),
    route(Method::GET, "/api/v1/alerts/ended", READ),
    route(Method::POST, "/api/v1/ticket", READ),
    route(Method::GET, "/api/openapi.json", Needs::Nothing),
    // All that is kept, at once.
    route(Method::GET, "/api/v1/export", ADMIN),
    route(Method::GET, "/api/v1/backup", ADMIN),
    // What is stored changes, and the trail says what it was.
    route(Method::POST, "/api/v1/corrections", ADMIN),
    route(Method::GET, "/api/v1/corrections", ADMIN),
    // It may be told who asks in its first message.
    route(Method::GET, "/ws", Needs::Nothing),
    route(Method::GET, "/-/healthy", Needs::Nothing),
    route(Method::GET, "/-/ready", Needs::Nothing),
    route(Method::GET, "/metrics", READ),
    route(Method::GET, "/signin", Needs::Nothing),
    route(Method::POST, "/signin", Needs::Nothing),
    route(Method::POST, "/signout", Needs::Nothing),
    route(Method::GET, "/signin.css", Needs::Nothing),
];

/// What a route says to a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is taken, of who has what it needs.
    Needs(Needs),
    /// It is not; these are, as the header `Allow` lists them.
    NotTaken { allowed: String },
}

/// What the route says to the method; `None` where it is not known.
pub(super) fn asked(method: &Method, path: &str) -> Option<Asked> {
    let of_path: Vec<_> = ROUTES.iter().filter(|route| route.path == path).collect();
    let wanted = if method == Method::HEAD { &Method::GET } else { method };
    if let Some(route) = of_path.iter().find(|route| route.method == wanted) {
        return Some(Asked::Needs(route.needs));
    }
    let allowed =
        of_path.iter().map(|route| if route.method == Method::GET { "GET, HEAD" } else { route.method.as_str() });
    let allowed = allowed.collect::<Vec<_>>().join(", ");
    (!of_path.is_empty()).then_some(Asked::NotTaken { allowed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_open() {
        let not_taken = |allowed: &str| Some(Asked::NotTaken { allowed: allowed.to_owned() });
        assert_eq!(asked(&Method::GET, "/query"), Some(Asked::Needs(READ)));
        assert_eq!(asked(&Method::HEAD, "/query"), Some(Asked::Needs(READ)));
        assert_eq!(asked(&Method::DELETE, "/query"), not_taken("GET, HEAD"));
        assert_eq!(asked(&Method::PUT, "/signin"), not_taken("GET, HEAD, POST"));
        assert_eq!(asked(&Method::HEAD, "/ingest"), not_taken("POST"));
        assert_eq!(asked(&Method::GET, "/nowhere"), None);
    }
}
