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
    route(Method::POST, "/api/v1/ticket", READ),
    route(Method::GET, "/api/openapi.json", Needs::Nothing),
    // All that is kept, at once.
    route(Method::GET, "/api/v1/export", ADMIN),
    route(Method::GET, "/api/v1/backup", ADMIN),
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

/// What the route asks for; `None` where it is not known.
pub(super) fn needs(method: &Method, path: &str) -> Option<Needs> {
    let mut of_path = ROUTES.iter().filter(|route| route.path == path).peekable();
    of_path.peek()?;
    let method = if method == Method::HEAD { &Method::GET } else { method };
    // A method that the route does not take is refused by the router, and asks for the most until then.
    Some(of_path.find(|route| route.method == method).map_or(Needs::Scope(Scope::Admin), |route| route.needs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_open() {
        assert_eq!(needs(&Method::GET, "/query"), Some(READ));
        assert_eq!(needs(&Method::HEAD, "/query"), Some(READ));
        assert_eq!(needs(&Method::DELETE, "/query"), Some(Needs::Scope(Scope::Admin)));
        assert_eq!(needs(&Method::GET, "/nowhere"), None);
    }
}
