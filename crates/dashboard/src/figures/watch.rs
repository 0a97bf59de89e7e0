//! What is watched and what came of it: the tables of the view of alerts.

use bellwether_core::board::Board;
use bellwether_core::engine::Engine;
use bellwether_core::labels::MetricName;
use bellwether_core::rule::{RESOLVED_RETENTION, Severity};
use bellwether_core::time::{DurationMs, TimestampMs};

use super::alerts::{AlertCard, Phase};
use super::evaluate::{leading, made_of};
use super::filtered::comparison;
use super::sheet::{Bar, Cell, Content, Sheet};
use super::units;
use crate::format;

/// Most alerts whose changes are told; the list above the table has all.
const MOST_ROWS: usize = 50;

/// A severity in a word.
#[must_use]
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "Urgent",
        Severity::Ticket => "Ticket",
        Severity::Info => "Info",
    }
}

/// When the condition of each alert began to hold, when it fired and when it ended, over the `window` before `at`.
#[must_use]
pub fn changes(alerts: &[AlertCard], window: DurationMs, at: TimestampMs) -> Sheet {
    let over = format!("Last {}", format::length(window));
    let mut sheet = Sheet::new(
        "Changes",
        &[
            ("Alert", Content::Words),
            (&over, Content::Bars),
            ("Condition met", Content::Figures),
            ("Fired", Content::Figures),
            ("Ended", Content::Figures),
        ],
    );
    let place = |instant: TimestampMs| {
        let past = at.since(instant).as_millis().min(window.as_millis());
        // At most a thousand.
        1_000 - (past * 1_000 / window.as_millis().max(1)) as u16
    };
    let time =
        |instant: Option<TimestampMs>| Cell::from(instant.map_or_else(String::new, |found| format::instant(found, at)));
    for alert in alerts.iter().take(MOST_ROWS) {
        let end = alert.resolved_at.unwrap_or(at);
        let fired = alert.fired_at.unwrap_or(end);
        let bar = |from, to, class| Bar { from: place(from), to: place(to), class };
        let firing = match alert.severity {
            Severity::Page => "bar-bad",
            Severity::Ticket => "bar-warn",
            Severity::Info => "bar-calm",
        };
        let bars = [bar(alert.since, fired, "bar-wait"), bar(fired, end, firing)];
        // What began and ended in one instant is still there to be seen.
        let bars = bars.into_iter().filter(|bar| bar.to > bar.from).collect();
        let name =
            if alert.labels.is_empty() { alert.rule.clone() } else { format!("{} ({})", alert.rule, alert.labels) };
        sheet.push([
            name.into(),
            Cell { bars, ..Cell::default() },
            time(Some(alert.since)),
            time(alert.fired_at),
            time(alert.resolved_at),
        ]);
    }
    let kept = format::length(RESOLVED_RETENTION);
    sheet.note = if alerts.len() > MOST_ROWS {
        format!("The first {MOST_ROWS} alerts. One that has ended is told for {kept}.")
    } else {
        format!("An alert that has ended is told for {kept}.")
    };
    sheet
}

/// The rules of the board, or those of one metric: what each watches, when it fires, whom it calls, and how it stands. `left_out` alerts were not
/// told, so that of a rule without one nothing is known then.
#[must_use]
pub fn rules(engine: &Engine, board: &Board, of: Option<&MetricName>, alerts: &[AlertCard], left_out: u64) -> Sheet {
    let mut sheet = Sheet::new(
        "What is watched",
        &[
            ("Rule", Content::Words),
            ("Watches", Content::Words),
            ("Fires when", Content::Words),
            ("Severity", Content::Words),
            ("State", Content::Words),
        ],
    );
    for rule in &board.rules {
        let query = leading(&rule.figure);
        if of.is_some_and(|metric| *metric != query.metric) {
            continue;
        }
        let mut watches = format!("{}, {}", query.metric, made_of(engine, &rule.figure));
        for (place, label) in query.by.iter().enumerate() {
            watches.push_str(if place == 0 { ", by " } else { " and " });
            watches.push_str(label.as_str());
        }
        let threshold = format::figure(rule.threshold, &units::of_figure(board, &rule.figure)).text();
        let mut fires = format!("{} {threshold}", comparison(rule.comparison));
        if rule.hold > DurationMs::ZERO {
            fires.push_str(&format!(" for {}", format::length(rule.hold)));
        }
        let count = |phase| alerts.iter().filter(|alert| alert.rule == rule.name && alert.phase == phase).count();
        let state = match (count(Phase::Firing), count(Phase::Pending)) {
            (0, 0) if left_out > 0 => "Not told".to_owned(),
            (0, 0) => "Quiet".to_owned(),
            (0, 1) => "Pending".to_owned(),
            (0, pending) => format!("{pending} pending"),
            (1, _) => "Firing".to_owned(),
            (firing, _) => format!("{firing} firing"),
        };
        sheet.push([
            rule.name.as_str().into(),
            watches.into(),
            fires.into(),
            severity(rule.severity).into(),
            state.into(),
        ]);
    }
    if sheet.rows.is_empty() {
        let words = if of.is_some() {
            "No rule watches this metric."
        } else {
            "This board has no rules. They stand in board.json."
        };
        sheet.note = words.to_owned();
    }
    sheet
}

#[cfg(test)]
mod tests {
    use bellwether_core::engine::EngineConfig;

    use super::*;

    const fn at(secs: i64) -> TimestampMs {
        TimestampMs::new(secs * 1_000)
    }

    fn texts(sheet: &Sheet) -> Vec<Vec<String>> {
        let texts = |row: &Vec<Cell>| row.iter().map(|cell| cell.text.replace('\u{a0}', " ")).collect();
        sheet.rows.iter().map(texts).collect()
    }

    #[test]
    fn changes_are_drawn_where_they_were() {
        let card = |phase, since, fired: Option<i64>, ended: Option<i64>| AlertCard {
            since: at(since),
            fired_at: fired.map(at),
            resolved_at: ended.map(at),
            labels: "a".to_owned(),
            ..AlertCard::example(phase)
        };
        let alerts = [
            card(Phase::Firing, 700, Some(850), None),
            card(Phase::Pending, 970, None, None),
            card(Phase::Resolved, 100, Some(100), Some(400)),
            card(Phase::Resolved, 100, Some(760), Some(820)),
        ];
        let sheet = changes(&alerts, DurationMs::from_minutes(5), at(1_000));
        let bars: Vec<Vec<_>> = sheet
            .rows
            .iter()
            .map(|row| row[1].bars.iter().map(|bar| (bar.from, bar.to, bar.class)).collect())
            .collect();
        assert_eq!(bars[0], [(0, 500, "bar-wait"), (500, 1_000, "bar-bad")]);
        assert_eq!(bars[1], [(900, 1_000, "bar-wait")]);
        assert_eq!(bars[2], [], "all of it was before");
        assert_eq!(bars[3], [(0, 200, "bar-wait"), (200, 400, "bar-bad")]);
        assert_eq!(texts(&sheet)[0], ["Slow (a)", "", "00:11:40", "00:14:10", ""]);
        assert_eq!(texts(&sheet)[2][4], "00:06:40");
        assert_eq!(sheet.columns[1].title.replace('\u{a0}', " "), "Last 5 min");
    }

    #[test]
    fn each_rule_is_in_words_with_its_state() {
        let board = bellwether_wire::board::decode(
            r#"{"title": "t", "metrics": [{"name": "days", "kind": "observation", "unit": "days"}], "rules": [
                {"name": "Slow", "severity": "page", "is": ">", "threshold": 5, "for": "2m",
                 "query": {"metric": "days", "window": "5m", "agg": "avg", "by": ["team", "place"]}},
                {"name": "Low", "severity": "info", "is": "<=", "threshold": 1,
                 "query": {"metric": "days", "window": "1h", "agg": "p95"}}]}"#,
        )
        .unwrap();
        let engine = Engine::new(EngineConfig::page()).unwrap();
        let one = [AlertCard::example(Phase::Firing)];
        let two = [AlertCard::example(Phase::Pending), AlertCard::example(Phase::Pending)];
        let said = |alerts: &[AlertCard], left_out| texts(&rules(&engine, &board, None, alerts, left_out));
        assert_eq!(
            said(&one, 0),
            [
                ["Slow", "days, average, last 5 min, by team and place", "above 5 days for 2 min", "Urgent", "Firing"],
                ["Low", "days, p95, last 1 h", "at or below 1 days", "Info", "Quiet"],
            ]
        );
        assert_eq!(said(&two, 0)[0][4], "2 pending");
        assert_eq!(said(&one, 3)[1][4], "Not told");
        let none = rules(&engine, &Board::default(), None, &[], 0);
        assert!(none.rows.is_empty() && none.note.starts_with("This board has no rules"));
    }
}
