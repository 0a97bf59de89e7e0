//! The bodies of the HTTP API, as its description tells them. They are written by `wire` and by the routes;
//! the tests compare real answers with these.

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// What a metric's values are.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub(super) enum MetricKind {
    Observation,
    Counter,
    Gauge,
    Event,
}

/// One sample.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Sample {
    /// The metric.
    #[schema(min_length = 1, max_length = 256, example = "booking_response_time")]
    name: String,
    /// A finite number.
    #[schema(example = 120.0)]
    value: f64,
    /// Milliseconds since 1970, UTC; without it the time of receipt.
    #[schema(minimum = 0)]
    timestamp: Option<i64>,
    /// At most 30.
    labels: Option<BTreeMap<String, String>>,
    kind: Option<MetricKind>,
    #[schema(max_length = 64)]
    unit: Option<String>,
    /// The case or request that it belongs to.
    #[schema(max_length = 256)]
    r#ref: Option<String>,
}

/// One sample, or several.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) enum Samples {
    One(Sample),
    Several(Vec<Sample>),
}

/// A refused sample.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Rejection {
    /// Its place in the body, from 0.
    index: u64,
    /// For programs; it stays.
    code: String,
    /// For people; it may change.
    message: String,
}

/// What was refused of a batch whose other samples are stored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Rejections {
    /// How many samples are stored.
    accepted: u64,
    rejected: Vec<Rejection>,
}

/// A batch of this `Idempotency-Key` was stored before.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Repeated {
    repeated: bool,
}

/// What becomes of stored samples.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
pub(super) enum CorrectionAction {
    /// One sample gets another value or another time.
    Correct,
    /// They count no more; the trail says what they were.
    Withdraw,
    /// Nothing of them is left, here or in the trail.
    Erase,
}

/// A change of stored samples.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Correction {
    /// The reference that they were sent with.
    #[schema(min_length = 1, max_length = 256, example = "case 17")]
    r#ref: String,
    /// Only samples of this metric.
    name: Option<String>,
    /// Only samples of series that have all of these labels.
    labels: Option<BTreeMap<String, String>>,
    /// Only samples of this instant.
    #[schema(minimum = 0)]
    at: Option<i64>,
    action: CorrectionAction,
    /// For `correct`: the value that it is to have.
    value: Option<f64>,
    /// For `correct`: the time that it is to have.
    #[schema(minimum = 0)]
    timestamp: Option<i64>,
    /// Why; `erase` needs none and keeps none.
    #[schema(min_length = 1, max_length = 1024)]
    reason: Option<String>,
}

/// What became of a correction.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct CorrectionDone {
    /// Its number in the trail.
    id: u64,
    action: CorrectionAction,
    /// When, in milliseconds since 1970.
    at: i64,
    /// How many samples were changed.
    samples: u64,
    /// How many damaged records could not be searched; left out where none.
    #[schema(nullable = false)]
    unreadable: Option<u64>,
}

/// A sample's time and value.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct CorrectedPoint {
    timestamp: i64,
    value: f64,
}

/// What became of one sample.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct CorrectedSample {
    name: String,
    labels: BTreeMap<String, String>,
    before: CorrectedPoint,
    /// Null where it counts no more.
    after: Option<CorrectedPoint>,
}

/// One correction of the trail.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct TrailEntry {
    id: u64,
    at: i64,
    /// The name of the token, or of the user.
    by: String,
    action: CorrectionAction,
    /// True where what it was about is erased; then the rest is left out.
    #[schema(nullable = false)]
    erased: Option<bool>,
    #[schema(nullable = false)]
    r#ref: Option<String>,
    #[schema(nullable = false)]
    reason: Option<String>,
    #[schema(nullable = false)]
    samples: Option<Vec<CorrectedSample>>,
}

/// The trail of corrections, oldest first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Trail {
    /// At most 1,000.
    corrections: Vec<TrailEntry>,
    /// The `id` to go on with, where there are more.
    #[schema(nullable = false)]
    next: Option<u64>,
}

/// An alert that fired and is over.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct EndedAlert {
    /// The name of its rule.
    rule: String,
    labels: BTreeMap<String, String>,
    /// page, ticket or info.
    severity: String,
    /// When its condition began to hold, in milliseconds since 1970.
    active_at: i64,
    /// When it fired.
    fired_at: i64,
    /// When it ended.
    resolved_at: i64,
    /// The last figure; null where there was none.
    value: Option<f64>,
}

/// Alerts that fired and are over, the one that ended last first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct EndedAlerts {
    /// At most 1,000.
    alerts: Vec<EndedAlert>,
    /// Whether there are more in the span: ask again with the last one's `resolved_at` as `to`.
    more: bool,
}

/// A figure over a window.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Figure {
    /// Null where the window holds nothing that could give one.
    result: Option<f64>,
    /// Samples in the window.
    count: u64,
    /// Start of the range that is covered, itself not included, in milliseconds since 1970.
    from: i64,
    /// Its end.
    to: i64,
    /// Bound of the relative error of the result; null where none is known.
    relative_error: Option<f64>,
    /// When a stored sample of the window was changed last; left out where none was.
    #[schema(nullable = false)]
    restated: Option<i64>,
}

/// One group's figure.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Group {
    labels: BTreeMap<String, String>,
    result: Option<f64>,
    count: u64,
    from: i64,
    to: i64,
    relative_error: Option<f64>,
    #[schema(nullable = false)]
    restated: Option<i64>,
}

/// Figures by group.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Groups {
    groups: Vec<Group>,
}

/// One figure, or with `by` one for each group.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) enum QueryAnswer {
    One(Figure),
    Grouped(Groups),
}

/// The grants office's three figures over everything that is kept; 0 where there is nothing.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Scorecard {
    avg_resolution_time: f64,
    avg_satisfaction: f64,
    total_conflicts: f64,
}

/// One metric that has samples.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Metric {
    name: String,
    kind: MetricKind,
    series: u64,
}

/// The metrics that have samples, by name.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Metrics {
    #[schema(max_items = 1000)]
    metrics: Vec<Metric>,
    /// How many there are beyond those listed.
    left_out: u64,
}

/// A ticket for one live connection.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Ticket {
    /// Goes into the address: `/ws?ticket=…`.
    ticket: String,
    /// How long it may wait to be used.
    expires_in_secs: u64,
}

/// The form of the sign-in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct SignIn {
    /// A token with the scope `read`.
    token: String,
    /// The path to go on to.
    next: Option<String>,
}

/// What went wrong.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct ErrorDetail {
    /// For programs; it stays.
    code: String,
    /// For people; it may change.
    message: String,
}

/// An error.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct Error {
    error: ErrorDetail,
}
