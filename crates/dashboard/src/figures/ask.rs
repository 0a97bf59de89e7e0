//! A figure as the gateway is asked for it.

use bellwether_core::query::{Across, Expression, Query};
use bellwether_core::selector::Condition;
use bellwether_core::time::TimestampMs;

use crate::route::encoded;

/// Path and query of `/query` for `figure`, as of `at` or of now; `None` where that has no words for one of its conditions.
#[must_use]
pub fn address(figure: &Expression, at: Option<TimestampMs>) -> Option<String> {
    let (query, over) = match figure {
        Expression::Single(query) => (query, None),
        Expression::Ratio(dividend, divisor) => (dividend, Some(divisor)),
    };
    let mut address = "/query".to_owned();
    let mut add = |name: &str, value: &str| {
        address.push(if address.len() == "/query".len() { '?' } else { '&' });
        address.push_str(name);
        address.push('=');
        address.push_str(&encoded(value));
    };
    for (prefix, query) in [("", Some(query)), ("over_", over)] {
        let Some(Query { metric, matchers, window, aggregation, .. }) = query else { continue };
        add(if prefix.is_empty() { "name" } else { "over" }, metric.as_str());
        add(&format!("{prefix}window"), &window.to_string());
        add(&format!("{prefix}agg"), &aggregation.to_string());
        for matcher in matchers {
            let Condition::Equal(value) = &matcher.condition else { return None };
            add(&format!("{prefix}where"), &format!("{}:{value}", matcher.label));
        }
    }
    if query.across != Across::Merge {
        add("across", query.across.as_str());
    }
    for label in &query.by {
        add("by", label.as_str());
    }
    if let Some(at) = at {
        add("at", &at.get().to_string());
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: Option<&str>) {
        let text = format!(r#"{{"title": "t", "panels": [{{"id": "p", "title": "P", "query": {query}}}]}}"#);
        let board = bellwether_wire::board::decode(&text).unwrap();
        let asked = address(&board.panels[0].figure, None);
        assert_eq!(asked.as_deref(), expected);
        // The gateway reads the same figure.
        if let Some(asked) = asked {
            let request = bellwether_wire::query::from_query_string(asked.strip_prefix("/query?").unwrap()).unwrap();
            assert_eq!(request.expression, board.panels[0].figure);
            let then = address(&board.panels[0].figure, Some(TimestampMs::new(1_700_000_000_123))).unwrap();
            let then = bellwether_wire::query::from_query_string(then.strip_prefix("/query?").unwrap()).unwrap();
            assert_eq!((then.expression, then.at.map(TimestampMs::get)), (request.expression, Some(1_700_000_000_123)));
        }
    }

    #[test]
    fn the_gateway_is_asked_for_the_same_figure() {
        check(r#"{"metric": "a b", "window": "5m", "agg": "p95"}"#, Some("/query?name=a%20b&window=5m&agg=p95"));
        check(
            r#"{"metric": "m", "window": "1h", "agg": "last", "across": "sum", "by": ["host"], "where": {"é": "a&b=c:d"}}"#,
            Some("/query?name=m&window=1h&agg=last&where=%C3%A9%3Aa%26b%3Dc%3Ad&across=sum&by=host"),
        );
        check(
            r#"{"ratio": [{"metric": "e", "window": "1h", "agg": "rate"}, {"metric": "a", "window": "2h", "agg": "rate"}]}"#,
            Some("/query?name=e&window=1h&agg=rate&over=a&over_window=2h&over_agg=rate"),
        );
        check(r#"{"metric": "m", "window": "1h", "agg": "avg", "where": {"a": {"not": "b"}}}"#, None);
    }
}
