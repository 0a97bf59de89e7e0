//! Where the figures come from: the gateway and its feed, and how each metric comes.

use bellwether_core::board::Board;
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
use crate::texts::{self, Text};

/// Most metrics that are only listed.
const MOST_LISTED: usize = 500;

/// The gateway, its feed, and how much of what the page may hold it holds.
#[must_use]
pub fn feed(state: &State, gateway: &str, series: usize) -> Sheet {
    let mut sheet = Sheet::new(
        Text::Gateway.say(),
        &[(Text::What.say(), Content::Words), (Text::HowItStands.say(), Content::Words)],
    );
    let (_, feed) = state.connection.words(state.now);
    let version = state.hello.as_ref().map_or_else(String::new, |hello| hello.version.clone());
    let most = state.series_that_fit.unwrap_or(MOST_SERIES);
    let limits = state.left_out.len()
        + state.not_taken.len()
        + usize::from(state.series_that_fit.is_some())
        + usize::from(state.others.given_up);
    let limits = if limits == 0 { Text::LimitsNone } else { Text::LimitsNamed };
    let count = |count: usize| format::count(count as u64);
    let held = Text::OfAtMost.fill(&[&count(series), &count(most)]);
    for (what, how) in [
        (Text::Version, version),
        (Text::LiveFeed, feed),
        (Text::SeriesOfBoard, held),
        (Text::LimitsReached, limits.say().to_owned()),
    ] {
        sheet.push([what.say().into(), how.into()]);
    }
    if state.is_of_file() {
        return sheet;
    }
    let own = format!("{gateway}/gateway/");
    sheet.push([Text::StoresAndRefuses.say().into(), Cell { href: own.clone(), ..own.into() }]);
    sheet
}

/// Each metric that the page holds: its kind, series, latest sample, samples a second and gaps in the window; and those
/// that the gateway has beside them. Names lead to where they are explored.
pub(super) fn metrics(
    source: Source<'_>,
    board: &Board,
    listing: Option<&Listing>,
    route: &Route,
    at: TimestampMs,
) -> Sheet {
    let over = Text::GapsLast.fill(&[&format::length(route.length())]);
    let figures = Content::Figures;
    let mut sheet = Sheet::new(
        Text::Metrics.say(),
        &[
            (Text::Metric.say(), Content::Words),
            (Text::Kind.say(), Content::Words),
            (Text::Series.say(), figures),
            (Text::LatestSample.say(), figures),
            (Text::Samples.say(), figures),
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
            number(age.as_millis() as f64, Text::Ago.fill(&[&format::length(age)]))
        });
        let query = Query::new((*name).clone(), route.length(), Aggregation::Count);
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
            texts::kind(*kind).into(),
            series_of(*series),
            age,
            number(rate, format::figure(rate, &Unit::PerSec).text()),
            if runs == 0 { Cell::from(Text::NoSample.say()) } else { number(gaps as f64, format::count(gaps as u64)) },
        ]);
    }
    let beside: Vec<_> = listing
        .into_iter()
        .flat_map(|listing| &listing.metrics)
        .filter(|metric| held.binary_search_by(|(name, ..)| (*name).cmp(&metric.name)).is_err())
        .collect();
    let ranges = board.ranges();
    for metric in beside.iter().take(MOST_LISTED) {
        // What the board names may have been too much for this page, or nothing of it may have come to it yet.
        let named = ranges.contains_key(&metric.name);
        let word = if named { Text::NotHere } else { Text::NotOnBoard };
        let mut row = vec![link(metric.name.as_str()), word.say().into(), series_of(metric.series)];
        row.resize(sheet.columns.len(), Cell::default());
        sheet.push(row);
    }
    let beyond = listing.map_or(0, |listing| listing.left_out) + beside.len().saturating_sub(MOST_LISTED);
    if beyond > 0 {
        sheet.note = Text::MoreListed.fill(&[&format::count(beyond as u64)]);
    }
    sheet.sort(route, "0");
    sheet
}
