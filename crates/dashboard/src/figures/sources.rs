//! Where the figures come from: the gateway and its feed, and how each metric comes.

use bellwether_core::query::{Aggregation, Query};
use bellwether_core::time::TimestampMs;

use super::evaluate::{STRIP_COLUMNS, Source};
use super::sheet::{Cell, Content, Sheet};
use super::{Line, Point};
use crate::feed::MOST_SERIES;
use crate::format::{self, Unit};
use crate::others::Listing;
use crate::route::{Param, Route, View};
use crate::state::State;

/// Most metrics that are only listed.
const MOST_LISTED: usize = 500;

/// The gateway, its feed, and how much of what the page may hold it holds.
#[must_use]
pub fn feed(state: &State, gateway: &str, series: usize) -> Sheet {
    let mut sheet = Sheet::new("Gateway", &[("What", Content::Words), ("How it stands", Content::Words)]);
    let (_, feed) = state.connection.words(state.now);
    let version = state.hello.as_ref().map_or_else(String::new, |hello| hello.version.clone());
    let most = state.series_that_fit.unwrap_or(MOST_SERIES);
    let limits = state.left_out.len()
        + state.not_taken.len()
        + usize::from(state.series_that_fit.is_some())
        + usize::from(state.others.given_up);
    let limits = if limits == 0 { "none".to_owned() } else { "those that are named above".to_owned() };
    let count = |count: usize| format::count(count as u64);
    let held = format!("{} of at most {}", count(series), count(most));
    for (what, how) in
        [("Version", version), ("Live feed", feed), ("Series of the board", held), ("Limits reached", limits)]
    {
        sheet.push([what.into(), how.into()]);
    }
    let own = format!("{gateway}/gateway/");
    sheet.push(["What it stores and refuses".into(), Cell { href: own.clone(), ..own.into() }]);
    sheet
}

/// Each metric that the page holds: its kind, series, latest sample, samples a second and gaps in the window; and those
/// that the gateway has beside them. Names lead to where they are explored.
pub(super) fn metrics(source: Source<'_>, listing: Option<&Listing>, route: &Route, at: TimestampMs) -> Sheet {
    let over = format!("Gaps, last {}", format::length(route.window.length()));
    let figures = Content::Figures;
    let mut sheet = Sheet::new(
        "Metrics",
        &[
            ("Metric", Content::Words),
            ("Kind", Content::Words),
            ("Series", figures),
            ("Latest sample", figures),
            ("Samples", figures),
            (&over, figures),
        ],
    );
    let explored = route.with_view(View::Explore);
    let link = |name: &str| Cell { href: explored.with_param(Param::Metric, name).hash(), ..name.into() };
    let number = |value: f64, text: String| Cell { order: Some(value), ..text.into() };
    let series_of = |count: usize| number(count as f64, format::count(count as u64));
    let engine = source.engine;
    let held: Vec<_> = engine.metrics().filter(|(.., series)| *series > 0).collect();
    for (name, kind, series) in &held {
        let newest = engine.matching(name, &[]).filter_map(|id| Some(engine.latest(id)?.timestamp())).max();
        let age = newest.map_or_else(Cell::default, |newest| {
            let age = at.since(newest);
            number(age.as_millis() as f64, format!("{} ago", format::length(age)))
        });
        let query = Query::new((*name).clone(), route.window.length(), Aggregation::Count);
        let lines = engine.columns(&query, at - query.window, at, STRIP_COLUMNS).unwrap_or_default();
        let columns: Vec<_> = lines.into_iter().flat_map(|line| line.columns).flatten().collect();
        // Not `sum`, which begins with minus zero.
        let count = columns.iter().fold(0.0, |count, column| count + column.value);
        let rate = count / query.window.as_secs_f64();
        let points = columns.iter().map(|column| Point { at: column.to, value: column.value, band: None });
        let runs = Line::new(String::new(), points.collect(), source.staleness).runs.len();
        let gaps = runs.saturating_sub(1);
        sheet.push([
            link(name.as_str()),
            kind.as_str().into(),
            series_of(*series),
            age,
            number(rate, format::figure(rate, &Unit::PerSec).text()),
            if runs == 0 { Cell::from("no sample") } else { number(gaps as f64, format::count(gaps as u64)) },
        ]);
    }
    let beside = listing.into_iter().flat_map(|listing| &listing.metrics).take(MOST_LISTED);
    for metric in beside.filter(|metric| held.binary_search_by(|(name, ..)| (*name).cmp(&metric.name)).is_err()) {
        let mut row = vec![link(metric.name.as_str()), "not on the board".into(), series_of(metric.series)];
        row.resize(sheet.columns.len(), Cell::default());
        sheet.push(row);
    }
    sheet.sort(route, "0");
    sheet
}
