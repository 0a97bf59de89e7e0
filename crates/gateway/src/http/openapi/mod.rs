//! The description of the HTTP API, as OpenAPI.

mod bodies;
mod operations;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, OpenApi as Document};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bellwether gateway",
        description = "Takes samples, keeps them, answers figures. Where the gateway asks who is there, a token goes along as `Authorization: Bearer …`; its scopes stand at each operation.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        operations::ingest,
        operations::remote_write,
        operations::otlp,
        operations::influx_v1,
        operations::influx_v2,
        operations::exposition,
        operations::query,
        operations::dashboard,
        operations::board,
        operations::metrics,
        operations::ended,
        operations::ticket,
        operations::live,
        operations::export,
        operations::backup,
        operations::correct,
        operations::trail,
        operations::healthy,
        operations::ready,
        operations::counters,
        operations::signin_form,
        operations::sign_in,
        operations::sign_out,
        operations::openapi,
    ),
    modifiers(&Tokens)
)]
struct Api;

/// Adds the way tokens go along.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_with(Components::new);
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The description as JSON; empty where it cannot be written, which no test has seen.
fn text() -> String {
    let mut text = Api::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// `GET /api/openapi.json`.
pub(super) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], text()).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::routes::{Needs, ROUTES};
    use super::*;
    use serde_json::Value;

    /// What is for browsers alone and no part of the API.
    const NOT_DESCRIBED: [&str; 1] = ["/signin.css"];

    #[test]
    fn every_route_is_described_with_its_scope_and_nothing_else_is() {
        let document: Value = serde_json::from_str(&text()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let mut described = 0;
        for route in ROUTES.iter().filter(|route| !NOT_DESCRIBED.contains(&route.path)) {
            let method = route.method.as_str().to_ascii_lowercase();
            let operation = &document["paths"][route.path][&method];
            let named = format!("{method} {}", route.path);
            assert!(operation.is_object(), "{named} is not described: add it to operations.rs");
            let scopes: Vec<_> =
                operation["security"].as_array().unwrap().iter().filter_map(|one| one.get("token")).collect();
            match route.needs {
                Needs::Scope(scope) => assert_eq!(scopes, [&serde_json::json!([scope.as_str()])], "{named}"),
                // The live feed may be told in its first message.
                Needs::Nothing => assert!(scopes.is_empty() || route.path == "/ws", "{named}"),
            }
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{named}");
            described += 1;
        }
        let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(operations, described, "something is described that is no route");
    }

    #[test]
    fn the_description_is_the_golden_one() {
        let golden = include_str!("../../../../../tests/golden/api/openapi.json");
        assert!(
            text() == golden,
            "tests/golden/api/openapi.json is not of this program: look at what changes, then put the answer of \
             GET /api/openapi.json into it"
        );
    }
}
