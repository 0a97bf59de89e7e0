//! What is watched and what came of it: the tables of the view of alerts.

use bellwether_core::board::Board;
use bellwether_core::engine::Engine;
use bellwether_core::labels::{LabelName, MetricName};
use bellwether_core::rule::{RESOLVED_RETENTION, Severity};
use bellwether_core::time::{DurationMs, TimestampMs};

use super::alerts::{AlertCard, Phase};
use super::evaluate::{leading, made_of};
use super::sheet::{Bar, Cell, Content, Sheet};
use super::units;
use crate::format;
use crate::texts::{self, Text};

/// Most alerts whose changes are listed.
const MOST_ROWS: usize = 100;

/// A severity in a word.
#[must_use]
pub fn severity(severity: Severity) -> &'static str {
    let word = match severity {
        Severity::Page => Text::SeverityPage,
        Severity::Ticket => Text::SeverityTicket,
        Severity::Info => Text::SeverityInfo,
    };
    word.say()
}

/// What is known of alerts.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Those that the gateway tells, most urgent first: who ended is told for a while.
    pub told: &'a [AlertCard],
    /// Those that it has kept, the one that ended last first; `None` where it has not said.
    pub kept: Option<&'a [AlertCard]>,
}

impl<'a> Known<'a> {
    /// Those that are told, and of the others those that ended in the `window` before `at`.
    fn within(self, window: DurationMs, at: TimestampMs) -> impl Iterator<Item = &'a AlertCard> {
        let told = self.told;
        let is_told = move |past: &AlertCard| {
            // Alert states of then are known to ten seconds: what is told and what is kept of one may differ by that.
            let is_same = |one: &AlertCard| {
                let overlaps = past.resolved_at >= Some(one.since) && past.since <= one.resolved_at.unwrap_or(at);
                (&one.rule, &one.labels) == (&past.rule, &past.labels) && overlaps
            };
            told.iter().any(is_same)
        };
        let is_within = move |past: &&AlertCard| {
            past.since <= at && past.resolved_at.is_some_and(|ended| ended > at - window) && !is_told(past)
        };
        told.iter().chain(self.kept.unwrap_or_default().iter().filter(is_within))
    }
}

/// When the condition of each alert began to hold, when it fired and when it ended, over the `window` before `at`.
#[must_use]
pub fn changes(known: Known<'_>, window: DurationMs, at: TimestampMs) -> Sheet {
    let over = format::length(window);
    let heading = Text::LastLength.fill(&[&over]);
    let mut sheet = Sheet::new(
        Text::Changes.say(),
        &[
            (Text::Alert.say(), Content::Words),
            (&heading, Content::Bars),
            (Text::ConditionMet.say(), Content::Figures),
            (Text::Fired.say(), Content::Figures),
            (Text::Ended.say(), Content::Figures),
        ],
    );
    let place = |instant: TimestampMs| {
        let past = at.since(instant).as_millis().min(window.as_millis());
        // At most a thousand.
        1_000 - (past * 1_000 / window.as_millis().max(1)) as u16
    };
    let time =
        |instant: Option<TimestampMs>| Cell::from(instant.map_or_else(String::new, |found| format::instant(found, at)));
    let mut all = 0_usize;
    for alert in known.within(window, at) {
        all += 1;
        if all > MOST_ROWS {
            continue;
        }
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
    sheet.note = match all {
        0 => Text::ChangesNone.fill(&[&over]),
        all if all > MOST_ROWS => {
            Text::ChangesFirst.fill(&[&format::count(MOST_ROWS as u64), &format::count(all as u64), &over])
        }
        _ => Text::ChangesAll.fill(&[&over]),
    };
    if known.kept.is_none() {
        sheet.note.push_str(&Text::ChangesToldFor.fill(&[&format::length(RESOLVED_RETENTION)]));
    }
    sheet
}

/// The rules of the board, or those of one metric: what each watches, when it fires, whom it calls, and how it stands.
/// `left_out` alerts were not told, so that of a rule without one nothing is known then.
/// Nor is it of those that are `unjudged`, by name.
#[must_use]
pub fn rules(
    engine: &Engine,
    board: &Board,
    of: Option<&MetricName>,
    alerts: &[AlertCard],
    left_out: u64,
    unjudged: &[String],
) -> Sheet {
    let mut sheet = Sheet::new(
        Text::Watched.say(),
        &[
            (Text::Rule.say(), Content::Words),
            (Text::WatchesWhat.say(), Content::Words),
            (Text::FiresWhen.say(), Content::Words),
            (Text::Severity.say(), Content::Words),
            (Text::State.say(), Content::Words),
        ],
    );
    for rule in &board.rules {
        let query = leading(&rule.figure);
        if of.is_some_and(|metric| *metric != query.metric) {
            continue;
        }
        let mut watches = format!("{}, {}", query.metric, made_of(engine, &rule.figure));
        if !query.by.is_empty() {
            let labels: Vec<_> = query.by.iter().map(LabelName::as_str).collect();
            watches.push_str(&Text::ByLabels.fill(&[&labels.join(Text::And.say())]));
        }
        let threshold = format::figure(rule.threshold, &units::of_figure(board, &rule.figure)).text();
        let mut fires = format!("{} {threshold}", texts::comparison(rule.comparison));
        if rule.hold > DurationMs::ZERO {
            fires.push_str(&Text::HoldsFor.fill(&[&format::length(rule.hold)]));
        }
        let count = |phase| alerts.iter().filter(|alert| alert.rule == rule.name && alert.phase == phase).count();
        let state = match (count(Phase::Firing), count(Phase::Pending)) {
            (0, 0) if unjudged.contains(&rule.name) => Text::RuleNotJudged.say().to_owned(),
            (0, 0) if left_out > 0 => Text::RuleNotTold.say().to_owned(),
            (0, 0) => Text::RuleQuiet.say().to_owned(),
            (0, pending) => Text::RulePending.count(pending as u64, &[]),
            (firing, _) => Text::RuleFiring.count(firing as u64, &[]),
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
        let words = if of.is_some() { Text::NoRuleWatches } else { Text::NoRules };
        sheet.note = words.say().to_owned();
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
        let known = Known { told: &alerts, kept: None };
        let sheet = changes(known, DurationMs::from_minutes(5), at(1_000));
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
        assert_eq!(
            sheet.note.replace('\u{a0}', " "),
            "Alerts that fire or wait, and those that ended in the last 5 min. What ended more than 15 min ago is not known."
        );
    }

    #[test]
    fn what_the_gateway_has_kept_follows_what_it_tells() {
        let past = |fired: i64, ended: i64| AlertCard {
            since: at(fired - 10),
            fired_at: Some(at(fired)),
            resolved_at: Some(at(ended)),
            ..AlertCard::example(Phase::Resolved)
        };
        let told = [past(900, 950)];
        let kept = [past(900, 950), past(800, 850), past(690, 701), past(600, 700)];
        let known = Known { told: &told, kept: Some(&kept) };
        let ends = |window| texts(&changes(known, window, at(1_000))).into_iter().map(|row| row[4].clone());
        let five = DurationMs::from_minutes(5);
        assert_eq!(
            ends(five).collect::<Vec<_>>(),
            ["00:15:50", "00:14:10", "00:11:41"],
            "each once, and of the window"
        );
        assert_eq!(ends(DurationMs::from_hours(1)).count(), 4);
        let note = |known| changes(known, five, at(1_000)).note.replace('\u{a0}', " ");
        assert_eq!(note(known), "Alerts that fire or wait, and those that ended in the last 5 min.");
        assert_eq!(
            note(Known { told: &[], kept: Some(&[]) }),
            "No alert fires or waits, and none ended in the last 5 min."
        );
        let many: Vec<_> = (0..120).map(|fired| past(800 + fired, 921)).collect();
        let sheet = changes(Known { told: &[], kept: Some(&many) }, five, at(1_000));
        assert_eq!(sheet.rows.len(), 100);
        assert!(sheet.note.starts_with("The first 100 of 120 alerts"), "{}", sheet.note);
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
        let said = |alerts: &[AlertCard], left_out| texts(&rules(&engine, &board, None, alerts, left_out, &[]));
        assert_eq!(
            said(&one, 0),
            [
                ["Slow", "days, average, last 5 min, by team and place", "above 5 days for 2 min", "Urgent", "Firing"],
                ["Low", "days, p95, last 1 h", "at or below 1 days", "Info", "Quiet"],
            ]
        );
        assert_eq!(said(&two, 0)[0][4], "2 pending");
        assert_eq!(said(&one, 3)[1][4], "Not told");
        let unjudged = ["Slow".to_owned(), "Low".to_owned()];
        let judged = texts(&rules(&engine, &board, None, &one, 0, &unjudged[1..]));
        assert_eq!([&judged[0][4], &judged[1][4]], ["Firing", "Cannot be judged"]);
        let none = rules(&engine, &Board::default(), None, &[], 0, &[]);
        assert!(none.rows.is_empty() && none.note.starts_with("This board has no rules"));
    }
}
