//! The operations of the HTTP API, as its description tells them: one for each route.
#![expect(dead_code, reason = "what describes an operation is never called")]

use super::bodies::{
    Correction, CorrectionDone, EndedAlerts, Error, Metrics, QueryAnswer, Rejections, Repeated, Samples, Scorecard,
    SignIn, Ticket, Trail,
};

/// Take samples.
///
/// Answers once they are on disk. Refused samples are named; the others are stored all the same.
#[utoipa::path(
    post, path = "/ingest", tag = "samples", security(("token" = ["ingest"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A batch of one key is stored once."),
        ("Content-Encoding" = Option<String>, Header, description = "gzip, or nothing."),
    ),
    request_body(
        content((Samples = "application/json"), (String = "application/x-ndjson")),
        description = "One sample, an array of them, or one a line. At most 10,000 and 1 MiB.",
    ),
    responses(
        (status = 204, description = "All are stored."),
        (status = 200, description = "The batch was stored before.", body = Repeated),
        (status = 422, description = "Some were refused, the others are stored. Final.", body = Rejections),
        (status = 400, description = "The body cannot be read; nothing is stored.", body = Error),
        (status = 401, description = "Nobody says who asks, or wrongly.", body = Error),
        (status = 403, description = "The token or the page may not.", body = Error),
        (status = 413, description = "The body is too long.", body = Error),
        (status = 415, description = "The body is of another type.", body = Error),
        (status = 503, description = "Nothing is stored: send it again after `Retry-After`.", body = Error),
    )
)]
pub(super) fn ingest() {}

/// Take samples by Prometheus remote write, 1.0 or 2.0.
#[utoipa::path(
    post, path = "/api/v1/write", tag = "samples", security(("token" = ["ingest"])),
    params(("X-Prometheus-Remote-Write-Version" = Option<String>, Header, description = "0.1.0 or 2.0.0.")),
    request_body(content_type = "application/x-protobuf", description = "The message, packed with snappy."),
    responses(
        (status = 204, description = "All are stored; headers say how many."),
        (status = 400, description = "Some were refused, the others are stored, or it cannot be read. Final.", body = Error),
        (status = 401, description = "Nobody says who asks, or wrongly.", body = Error),
        (status = 403, description = "The token may not.", body = Error),
        (status = 413, description = "The body is too long.", body = Error),
        (status = 415, description = "The body is of another type or version.", body = Error),
        (status = 503, description = "Nothing is stored: send it again after `Retry-After`.", body = Error),
    )
)]
pub(super) fn remote_write() {}

/// Take OpenTelemetry metrics: an `ExportMetricsServiceRequest`.
#[utoipa::path(
    post, path = "/v1/metrics", tag = "samples", security(("token" = ["ingest"])),
    request_body(content_type = "application/x-protobuf", description = "The message, as protobuf or JSON, also packed with gzip."),
    responses(
        (status = 200, description = "An `ExportMetricsServiceResponse`; what it names as rejected is refused for good."),
        (status = 400, description = "The body cannot be read; nothing is stored."),
        (status = 401, description = "Nobody says who asks, or wrongly.", body = Error),
        (status = 403, description = "The token or the page may not.", body = Error),
        (status = 413, description = "The body is too long."),
        (status = 415, description = "The body is of another type."),
        (status = 503, description = "Nothing is stored: send it again after `Retry-After`."),
    )
)]
pub(super) fn otlp() {}

/// Take lines of InfluxDB's line protocol, as version 1 has it.
#[utoipa::path(
    post, path = "/write", tag = "samples", security(("token" = ["ingest"])),
    params(("precision" = Option<String>, Query, description = "Of timestamps: ns, us, ms, s, m or h; without it ns.")),
    request_body(content_type = "text/plain", description = "The lines, also packed with gzip."),
    responses(
        (status = 204, description = "All are stored."),
        (status = 400, description = "Some were refused, the others are stored, or it cannot be read. Final."),
        (status = 401, description = "Nobody says who asks, or wrongly.", body = Error),
        (status = 403, description = "The token or the page may not.", body = Error),
        (status = 413, description = "The body is too long."),
        (status = 415, description = "The body is of another type."),
        (status = 503, description = "Nothing is stored: send it again after `Retry-After`."),
    )
)]
pub(super) fn influx_v1() {}

/// Take lines of InfluxDB's line protocol, as version 2 has it.
#[utoipa::path(
    post, path = "/api/v2/write", tag = "samples", security(("token" = ["ingest"])),
    params(("precision" = Option<String>, Query, description = "Of timestamps: ns, us, ms, s, m or h; without it ns.")),
    request_body(content_type = "text/plain", description = "The lines, also packed with gzip."),
    responses(
        (status = 204, description = "All are stored."),
        (status = 400, description = "Some were refused, the others are stored, or it cannot be read. Final."),
        (status = 401, description = "Nobody says who asks, or wrongly.", body = Error),
        (status = 403, description = "The token or the page may not.", body = Error),
        (status = 413, description = "The body is too long."),
        (status = 415, description = "The body is of another type."),
        (status = 503, description = "Nothing is stored: send it again after `Retry-After`."),
    )
)]
pub(super) fn influx_v2() {}

/// Take the text of a metrics page.
#[utoipa::path(
    post, path = "/api/v1/import/prometheus", tag = "samples", security(("token" = ["ingest"])),
    params(("extra_label" = Option<Vec<String>>, Query, description = "`name=value`: a label of every sample that has none of that name.")),
    request_body(content_type = "text/plain", description = "The text in Prometheus' format, or as application/openmetrics-text; also packed with gzip."),
    responses(
        (status = 204, description = "All are stored."),
        (status = 400, description = "Some were refused, the others are stored, or it cannot be read. Final."),
        (status = 401, description = "Nobody says who asks, or wrongly.", body = Error),
        (status = 403, description = "The token or the page may not.", body = Error),
        (status = 413, description = "The body is too long."),
        (status = 415, description = "The body is of another type."),
        (status = 503, description = "Nothing is stored: send it again after `Retry-After`."),
    )
)]
pub(super) fn exposition() {}

/// One figure, or one for each group.
#[utoipa::path(
    get, path = "/query", tag = "figures", security(("token" = ["read"])),
    params(
        ("name" = String, Query, description = "The metric."),
        ("window" = String, Query, description = "Its length: `30s`, `5m`, `1h30m`, `90d`.", example = "5m"),
        ("agg" = String, Query, description = "avg, sum, count, min, max, first, last, stddev, rate, increase, delta, or a quantile such as p95.", example = "avg"),
        ("where" = Option<Vec<String>>, Query, description = "`label:value`; all must hold."),
        ("by" = Option<Vec<String>>, Query, description = "Labels to group by."),
        ("across" = Option<String>, Query, description = "merge, sum, avg, min or max of several series."),
        ("at" = Option<i64>, Query, description = "The end of the window, in milliseconds since 1970; without it now."),
        ("over" = Option<String>, Query, description = "A second metric, by whose figure the first is divided."),
        ("over_where" = Option<Vec<String>>, Query, description = "As `where`, for the second."),
        ("over_agg" = Option<String>, Query, description = "As `agg`, for the second."),
        ("over_window" = Option<String>, Query, description = "As `window`, for the second."),
    ),
    responses(
        (status = 200, description = "The figure, or the groups.", body = QueryAnswer),
        (status = 400, description = "The query is wrong; the message says how.", body = Error),
        (status = 401, description = "Nobody says who asks, or wrongly.", body = Error),
        (status = 403, description = "The token may not.", body = Error),
        (status = 503, description = "It is starting or stopping.", body = Error),
    )
)]
pub(super) fn query() {}

/// The grants office's scorecard.
#[utoipa::path(
    get, path = "/api/v1/dashboard", tag = "figures", security(("token" = ["read"])),
    responses((status = 200, description = "Its three figures.", body = Scorecard))
)]
pub(super) fn dashboard() {}

/// The board that is watched: KPIs, panels and rules.
#[utoipa::path(
    get, path = "/api/v1/board", tag = "figures", security(("token" = ["read"])),
    responses((status = 200, description = "The board, as its own JSON Schema describes it.", body = serde_json::Value))
)]
pub(super) fn board() {}

/// The metrics that have samples.
#[utoipa::path(
    get, path = "/api/v1/metrics", tag = "figures", security(("token" = ["read"])),
    responses((status = 200, description = "At most 1,000 of them.", body = Metrics))
)]
pub(super) fn metrics() {}

/// A ticket for one live connection.
#[utoipa::path(
    post, path = "/api/v1/ticket", tag = "access", security(("token" = ["read"])),
    responses((status = 200, description = "The ticket.", body = Ticket))
)]
pub(super) fn ticket() {}

/// The live feed: a WebSocket of the subprotocol `bellwether.v1`.
#[utoipa::path(
    get, path = "/ws", tag = "figures", security(("token" = ["read"]), ()),
    params(("ticket" = Option<String>, Query, description = "In place of a token.")),
    responses(
        (status = 101, description = "The connection is open."),
        (status = 400, description = "It is no handshake of the subprotocol.", body = Error),
        (status = 401, description = "The token, ticket or sign-in is not known.", body = Error),
        (status = 403, description = "The page may not.", body = Error),
        (status = 503, description = "There are too many connections.", body = Error),
    )
)]
pub(super) fn live() {}

/// Every stored sample that is asked for.
#[utoipa::path(
    get, path = "/api/v1/export", tag = "store", security(("token" = ["admin"])),
    params(
        ("name" = Option<String>, Query, description = "Only this metric."),
        ("where" = Option<Vec<String>>, Query, description = "`label:value`; all must hold."),
        ("from" = Option<String>, Query, description = "Not before this instant."),
        ("to" = Option<String>, Query, description = "Before this instant."),
        ("format" = Option<String>, Query, description = "csv or ndjson."),
    ),
    responses((status = 200, description = "The samples.", content((String = "text/csv"), (String = "application/x-ndjson"))))
)]
pub(super) fn export() {}

/// A copy of the store.
#[utoipa::path(
    get, path = "/api/v1/backup", tag = "store", security(("token" = ["admin"])),
    responses((status = 200, description = "The store's file.", body = Vec<u8>, content_type = "application/octet-stream"))
)]
pub(super) fn backup() {}

/// Corrects, withdraws or erases stored samples, by the `ref` that they were sent with.
#[utoipa::path(
    post, path = "/api/v1/corrections", tag = "store", security(("token" = ["admin"])),
    request_body(content = Correction, content_type = "application/json"),
    responses(
        (status = 200, description = "The change is on disk and to be seen.", body = CorrectionDone),
        (status = 400, description = "The body is no correction; the message says why.", body = Error),
        (status = 401, description = "Nobody says who asks, or wrongly.", body = Error),
        (status = 403, description = "The token or the page may not.", body = Error),
        (status = 404, description = "No stored sample is meant.", body = Error),
        (status = 409, description = "Several samples are meant and one is to be corrected, or nothing would change.", body = Error),
        (status = 422, description = "Too many samples are meant, or the time is not accepted.", body = Error),
        (status = 503, description = "Nothing was changed: send it again after `Retry-After`.", body = Error),
    )
)]
pub(super) fn correct() {}

/// Alerts that fired and are over.
#[utoipa::path(
    get, path = "/api/v1/alerts/ended", tag = "figures", security(("token" = ["read"])),
    params(
        ("from" = Option<String>, Query, description = "Only those that ended after this instant."),
        ("to" = Option<String>, Query, description = "Only those that ended up to this instant."),
    ),
    responses(
        (status = 200, description = "Those alerts, the one that ended last first. The newest 10,000 are kept.", body = EndedAlerts),
        (status = 400, description = "A parameter is wrong; the message says which.", body = Error),
        (status = 503, description = "Too many ask at once, or the store cannot be read: ask again after `Retry-After`.", body = Error),
    )
)]
pub(super) fn ended() {}

/// The trail of corrections.
#[utoipa::path(
    get, path = "/api/v1/corrections", tag = "store", security(("token" = ["admin"])),
    params(
        ("from" = Option<String>, Query, description = "Only those made after this instant."),
        ("to" = Option<String>, Query, description = "Only those made up to this instant."),
        ("id" = Option<u64>, Query, description = "Only those with this number and above."),
    ),
    responses(
        (status = 200, description = "Those corrections, oldest first.", body = Trail),
        (status = 400, description = "A parameter is wrong; the message says which.", body = Error),
    )
)]
pub(super) fn trail() {}

/// Whether the process answers.
#[utoipa::path(get, path = "/-/healthy", tag = "health", security(()), responses((status = 200, description = "It does.", body = String)))]
pub(super) fn healthy() {}

/// Whether samples are taken.
#[utoipa::path(
    get, path = "/-/ready", tag = "health", security(()),
    responses((status = 200, description = "They are.", body = String), (status = 503, description = "Not yet, or no more.", body = Error))
)]
pub(super) fn ready() {}

/// The gateway's own counters.
#[utoipa::path(
    get, path = "/metrics", tag = "health", security(("token" = ["read"])),
    responses((status = 200, description = "As OpenMetrics text.", body = String, content_type = "application/openmetrics-text"))
)]
pub(super) fn counters() {}

/// The form that readers sign in with.
#[utoipa::path(
    get, path = "/signin", tag = "access", security(()),
    params(("next" = Option<String>, Query, description = "The path to go on to.")),
    responses((status = 200, description = "The form, or who is signed in.", body = String, content_type = "text/html"))
)]
pub(super) fn signin_form() {}

/// Sign in: the token becomes a cookie.
#[utoipa::path(
    post, path = "/signin", tag = "access", security(()),
    request_body(content = SignIn, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "Signed in; `Set-Cookie` says so."),
        (status = 401, description = "The token is not known; the form again.", body = String, content_type = "text/html"),
        (status = 403, description = "The token may not read; the form again.", body = String, content_type = "text/html"),
        (status = 429, description = "Too many wrong tokens of this address.", body = String, content_type = "text/html"),
    )
)]
pub(super) fn sign_in() {}

/// Sign out.
#[utoipa::path(post, path = "/signout", tag = "access", security(()), responses((status = 303, description = "Signed out.")))]
pub(super) fn sign_out() {}

/// This description.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "health", security(()),
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value))
)]
pub(super) fn openapi() {}
