mod kpis;
mod targets;

use bellwether_core::engine::EngineConfig;
use bellwether_core::kpi::Standing;
use bellwether_core::labels::{LabelName, MetricName, SeriesKey};
use bellwether_core::rule::{ALERT_NAME, AlertState, Comparison, Severity};
use bellwether_core::sample::Sample;
use bellwether_core::selector::{Condition, Matcher};

use super::*;
use crate::ended::EndedAlert;
use crate::feed::AlertNotice;
use crate::figures::{Instant, Phase, WindowBefore};
use crate::filter::Filter;
use crate::route::{Param, Route};

const NOW: i64 = 1_700_000_000_000;

const BOARD: &str = r#"{
    "title": "Ours",
    "metrics": [
        {"name": "latency", "kind": "observation", "unit": "ms"},
        {"name": "cpu", "kind": "gauge", "unit": "ratio"}
    ],
    "kpis": [
        {"id": "latency", "title": "Latency", "unit": "ms", "better": "lower", "target": 300, "owner": "On call",
         "section": "Service", "query": {"metric": "latency", "window": "5m", "agg": "avg"}},
        {"id": "cpu", "title": "CPU", "unit": "ratio", "better": "lower", "target": 0.9, "section": "Machine",
         "query": {"metric": "cpu", "window": "5m", "agg": "last", "across": "max"}},
        {"id": "never", "title": "Never", "better": "higher", "target": 1, "section": "Service",
         "query": {"metric": "nothing", "window": "90d", "agg": "avg"}}
    ],
    "panels": [
        {"id": "latency", "title": "Latency", "unit": "ms", "threshold": 300, "section": "Service",
         "query": {"metric": "latency", "window": "1m", "agg": "avg"}},
        {"id": "cores", "title": "Cores", "unit": "ratio", "section": "Machine",
         "query": {"metric": "cpu", "window": "1m", "agg": "avg", "by": ["core"]}}
    ],
    "rules": [
        {"name": "Hot", "severity": "ticket", "is": ">", "threshold": 0.5, "summary": "A core is busy.",
         "runbook": "javascript:alert(1)",
         "query": {"metric": "cpu", "window": "5m", "agg": "avg", "by": ["core"]}}
    ]
}"#;

fn board() -> Rc<Board> {
    Rc::new(bellwether_wire::board::decode(BOARD).unwrap())
}

/// Ten minutes of latency, first 400 then 100 ms, and two cores at 20 % and 80 %.
fn engine(board: &Board) -> Engine {
    let mut engine = Engine::new(EngineConfig::page()).unwrap();
    for declared in &board.metrics {
        engine.declare(&declared.name, declared.kind).unwrap();
    }
    let mut record = |metric: &str, core: &str, ms: i64, value: f64| {
        let labels = Labels::new([("core", core)]).unwrap();
        let key = SeriesKey { metric: MetricName::new(metric).unwrap(), labels };
        let id = engine.series(&key, None).unwrap();
        engine.record(id, Sample::new(TimestampMs::new(ms), value).unwrap(), TimestampMs::new(NOW)).unwrap();
    };
    for second in 0..600 {
        let ms = NOW - 599_500 + second * 1_000;
        record("latency", "", ms, if second < 300 { 400.0 } else { 100.0 });
        record("cpu", "0", ms, 0.2);
        record("cpu", "1", ms, 0.8);
    }
    engine
}

fn snapshot(view: View, alerts: Vec<AlertNotice>) -> Snapshot {
    snapshot_of(Completeness::Complete, view, alerts, NOW)
}

fn snapshot_of(completeness: Completeness, view: View, alerts: Vec<AlertNotice>, at: i64) -> Snapshot {
    let board = board();
    let engine = engine(&board);
    let source =
        Source { engine: &engine, completeness, staleness: DurationMs::from_minutes(5), lacks: &[], restated: &[] };
    let ask = Ask {
        board,
        route: Route::default().with_view(view),
        at: Instant::Now,
        alerts: alerts.into(),
        alerts_left_out: 0,
        unjudged: [].into(),
        ended: None,
        listing: None,
        others: [].into(),
    };
    evaluate(source, None, &ask, TimestampMs::new(at))
}

#[test]
fn a_figure_and_a_chart_of_samples_that_were_changed_say_when() {
    let board = board();
    let engine = engine(&board);
    let at = |ms: i64| TimestampMs::new(NOW + ms);
    let span = |metric: &str, to: i64, changed: i64| {
        let series = SeriesKey { metric: MetricName::new(metric).unwrap(), labels: Labels::empty() };
        RestatedSpan { series, from: at(to - 1), to: at(to), at: at(changed) }
    };
    let told = |restated: &[RestatedSpan]| {
        let complete = Completeness::Complete;
        let source =
            Source { engine: &engine, completeness: complete, staleness: DurationMs::ZERO, lacks: &[], restated };
        let ask = Ask {
            board: Rc::clone(&board),
            route: Route::default(),
            at: Instant::Now,
            alerts: [].into(),
            alerts_left_out: 0,
            unjudged: [].into(),
            ended: None,
            listing: None,
            others: [].into(),
        };
        let snapshot = evaluate(source, None, &ask, at(0));
        let of = |section: usize| {
            let Section { kpis, strips, .. } = &*snapshot.sections[section];
            [kpis[0].restated, strips[0].restated].map(|restated| restated.map(|at| at.get() - NOW))
        };
        [of(0), of(1)]
    };
    assert_eq!(told(&[]), [[None; 2]; 2]);
    assert_eq!(told(&[span("latency", -1_000, -7), span("latency", -900, -5)]), [[Some(-5); 2], [None; 2]]);
    assert_eq!(told(&[span("latency", -3 * 3_600_000, -5), span("latency", 1, -5)]), [[None; 2]; 2]);
}

#[test]
fn a_change_is_restated_where_the_window_before_was_changed() {
    let engine = engine(&board());
    let at = |secs: i64| TimestampMs::new(NOW + 1_000 * secs);
    let series = SeriesKey { metric: MetricName::new("latency").unwrap(), labels: Labels::empty() };
    let restated = [RestatedSpan { series: series.clone(), from: at(-61), to: at(-60), at: at(-1) }];
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::ZERO,
        lacks: &[],
        restated: &restated,
    };
    let told = |aggregation, secs: u64| {
        let query = Query::new(series.metric.clone(), DurationMs::from_secs(secs), aggregation);
        source.restated(&Expression::Single(query), at(-(secs as i64)), at(0)).is_some()
    };
    assert_eq!([Aggregation::Avg, Aggregation::Delta].map(|aggregation| told(aggregation, 60)), [false, true]);
    assert_eq!([Aggregation::Avg, Aggregation::Delta].map(|aggregation| told(aggregation, 30)), [false, false]);
    assert_eq!([Aggregation::Avg, Aggregation::Delta].map(|aggregation| told(aggregation, 61)), [true, true]);
}

#[test]
fn sections_keep_the_order_of_the_board() {
    let snapshot = snapshot(View::Overview, Vec::new());
    let sections: Vec<_> = snapshot
        .sections
        .iter()
        .map(|section| (section.title.as_str(), section.kpis.len(), section.strips.len()))
        .collect();
    assert_eq!(sections, [("Service", 2, 1), ("Machine", 1, 1)]);
    assert_eq!(snapshot.series, 3);
}

#[test]
fn sections_without_a_sample_come_last() {
    let board = board();
    let mut engine = Engine::new(EngineConfig::page()).unwrap();
    let key = SeriesKey { metric: MetricName::new("cpu").unwrap(), labels: Labels::empty() };
    engine.series(&key, None).unwrap();
    let complete = Completeness::Complete;
    let source =
        Source { engine: &engine, completeness: complete, staleness: DurationMs::ZERO, lacks: &[], restated: &[] };
    let cards: Vec<_> = Vec::new();
    let found =
        sections(source, &board, &Filter::default(), &cards, PageWindow::FiveMinutes.length(), TimestampMs::new(NOW));
    let titles: Vec<_> = found.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(titles, ["Machine", "Service"]);
}

#[test]
fn a_card_has_figure_standing_and_trend() {
    let snapshot = snapshot(View::Overview, Vec::new());
    let card = &snapshot.sections[0].kpis[0];
    assert_eq!((card.value, card.standing), (Some(100.0), Standing::Met));
    assert_eq!(card.trend, Some(Trend::Change { by: -300.0, percent: Some(-75.0) }));
    assert_eq!(card.made_of.replace('\u{a0}', " "), "average, last 5 min");
    assert!(card.course.len() > 10 && card.course.iter().flatten().all(|value| *value == 100.0), "{:?}", card.course);
    let cpu = &snapshot.sections[1].kpis[0];
    assert_eq!((cpu.value, cpu.standing), (Some(0.8), Standing::Met));
    let never = &snapshot.sections[0].kpis[1];
    assert_eq!((never.value, never.standing, never.trend), (None, Standing::NoFigure, None));
    assert_eq!((snapshot.tally.met, snapshot.tally.waiting, snapshot.tally.fed), (2, 1, 2));
}

#[test]
fn a_kpi_keeps_its_window_and_its_course_follows_the_page() {
    let board = board();
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::ZERO,
        lacks: &[],
        restated: &[],
    };
    for (page, course_over) in [(PageWindow::FiveMinutes, 5), (PageWindow::QuarterHour, 15), (PageWindow::Hour, 60)] {
        let card = card(source, &board.kpis[0], page.length(), TimestampMs::new(NOW), None);
        assert_eq!((card.value, card.window), (Some(100.0), DurationMs::from_minutes(5)));
        assert_eq!(card.course_over, DurationMs::from_minutes(course_over));
    }
    let never = card(source, &board.kpis[2], PageWindow::Hour.length(), TimestampMs::new(NOW), None);
    assert_eq!((never.window, never.course_over), (DurationMs::from_days(90), DurationMs::from_days(90)));
    // Two windows of 90 days reach beyond the 92 that are kept.
    let cards: Vec<_> = snapshot(View::Overview, Vec::new()).sections.iter().flat_map(|s| s.kpis.clone()).collect();
    for card in cards {
        let never = card.window == DurationMs::from_days(90);
        assert_eq!(card.before == WindowBefore::Beyond, never, "{}", card.id);
    }
}

/// All that there is of a metric, or what satisfies `matchers`, is too much for the page.
fn too_many(metric: &str, matchers: &[Matcher]) -> Lack {
    Lack { metric: MetricName::new(metric).unwrap(), matchers: matchers.to_vec(), shortage: Shortage::TooManySeries }
}

#[test]
fn a_figure_of_some_of_the_series_is_none_and_meets_no_target() {
    let board = board();
    let engine = engine(&board);
    let lacks = [too_many("latency", &[])];
    let complete = Completeness::Complete;
    let source =
        Source { engine: &engine, completeness: complete, staleness: DurationMs::ZERO, lacks: &lacks, restated: &[] };
    let lacking = card(source, &board.kpis[0], PageWindow::FiveMinutes.length(), TimestampMs::new(NOW), None);
    assert_eq!((lacking.value, lacking.standing, lacking.trend), (None, Standing::NoFigure, None));
    assert!(lacking.course.is_empty());
    let ask = Some("/query?name=latency&window=5m&agg=avg".to_owned());
    assert_eq!(lacking.absence, Some(Absence::Lacking { shortage: Shortage::TooManySeries, ask }));
    let cpu = board.kpis.iter().find(|kpi| leading(&kpi.figure).metric.as_str() == "cpu").unwrap();
    let judged = card(source, cpu, PageWindow::FiveMinutes.length(), TimestampMs::new(NOW), None);
    assert_eq!((judged.standing, &judged.absence), (Standing::Met, &None));
    let tally = Tally::of([&lacking, &judged].into_iter());
    assert_eq!((tally.met, tally.waiting, tally.unjudged, tally.fed), (1, 0, 1, 2));
    assert_eq!(tally.why, Some("Too many series for this page"));
    let chart = strip(
        source,
        &board.panels[0],
        &Filter::default(),
        DurationMs::from_minutes(5),
        TimestampMs::new(NOW),
        300,
        Idle::LeftOut,
    );
    assert_eq!((chart.failure.as_deref(), chart.lines.len()), (Some("Too many series for this page"), 0));
    // An alert of such a metric shows what the gateway told.
    let source = Source { lacks: &[too_many("cpu", &[])], ..source };
    let alerts = alerts(source, &board, &[hot()], TimestampMs::new(NOW));
    assert_eq!(alerts[0].value, Some(0.6));
}

#[test]
fn a_figure_of_other_series_of_the_same_metric_is_whole() {
    let board = board();
    let engine = engine(&board);
    let matcher =
        |core: &str| Matcher { label: LabelName::new("core").unwrap(), condition: Condition::Equal(core.to_owned()) };
    let lacks = [too_many("cpu", &[matcher("0")])];
    let complete = Completeness::Complete;
    let source =
        Source { engine: &engine, completeness: complete, staleness: DurationMs::ZERO, lacks: &lacks, restated: &[] };
    let of = |matchers| {
        let mut kpi = board.kpis[1].clone();
        if let Expression::Single(query) = &mut kpi.figure {
            query.matchers = matchers;
        }
        card(source, &kpi, PageWindow::FiveMinutes.length(), TimestampMs::new(NOW), None).value
    };
    assert_eq!((of(vec![matcher("0")]), of(vec![matcher("1")])), (None, Some(0.8)));
}

#[test]
fn what_the_page_lacks_has_come() {
    let board = board();
    let engine = Engine::new(EngineConfig::page()).unwrap();
    let complete = Completeness::Complete;
    let lacks = [too_many("cpu", &[])];
    let source =
        Source { engine: &engine, completeness: complete, staleness: DurationMs::ZERO, lacks: &lacks, restated: &[] };
    let found =
        sections(source, &board, &Filter::default(), &[], PageWindow::FiveMinutes.length(), TimestampMs::new(NOW));
    let titles: Vec<_> = found.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(titles, ["Machine", "Service"]);
}

#[test]
fn no_trend_is_shown_while_history_is_on_its_way() {
    let board = board();
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Filling,
        staleness: DurationMs::ZERO,
        lacks: &[],
        restated: &[],
    };
    let card = card(source, &board.kpis[0], PageWindow::FiveMinutes.length(), TimestampMs::new(NOW), None);
    assert_eq!((card.value, card.trend), (Some(100.0), None));
}

#[test]
fn a_strip_has_one_line_for_each_group() {
    let snapshot = snapshot(View::Overview, Vec::new());
    let strip = &snapshot.sections[1].strips[0];
    let lines: Vec<_> =
        strip.lines.iter().map(|line| (line.name.as_str(), line.latest().map(|point| point.value))).collect();
    assert_eq!(lines, [("core 0", Some(0.2)), ("core 1", Some(0.8))]);
    assert_eq!(strip.lines[0].runs.len(), 1, "no gap in a series of one sample a second");
}

#[test]
fn idle_lines_are_counted_on_the_overview_and_drawn_in_the_focus_chart() {
    let board = board();
    let mut engine = engine(&board);
    for core in ["2", "3"] {
        let labels = Labels::new([("core", core)]).unwrap();
        let id = engine.series(&SeriesKey { metric: MetricName::new("cpu").unwrap(), labels }, None).unwrap();
        for second in 0..200 {
            let at = TimestampMs::new(NOW - second * 1_000);
            engine.record(id, Sample::new(at, 0.0).unwrap(), TimestampMs::new(NOW)).unwrap();
        }
    }
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::from_minutes(5),
        lacks: &[],
        restated: &[],
    };
    let shown = |idle| {
        let strip = strip(
            source,
            &board.panels[1],
            &Filter::default(),
            DurationMs::from_minutes(5),
            TimestampMs::new(NOW),
            300,
            idle,
        );
        (strip.lines.len(), strip.idle_lines, strip.hidden_lines)
    };
    assert_eq!(shown(Idle::LeftOut), (2, 2, 0));
    assert_eq!(shown(Idle::Drawn), (4, 0, 0));
}

#[test]
fn of_many_lines_the_highest_are_drawn() {
    let board = board();
    let mut engine = engine(&board);
    // Cores 2 to 9, of which 7 was highest until it ended; 0 and 1 have 0.2 and 0.8.
    for core in 2..10_u32 {
        let labels = Labels::new([("core", core.to_string())]).unwrap();
        let id = engine.series(&SeriesKey { metric: MetricName::new("cpu").unwrap(), labels }, None).unwrap();
        let ended = if core == 7 { 100 } else { 0 };
        for second in ended..200 {
            let at = TimestampMs::new(NOW - second * 1_000);
            let sample = Sample::new(at, f64::from(core) / 10.0 + f64::from(core == 7)).unwrap();
            engine.record(id, sample, TimestampMs::new(NOW)).unwrap();
        }
    }
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::from_minutes(5),
        lacks: &[],
        restated: &[],
    };
    let strip = strip(
        source,
        &board.panels[1],
        &Filter::default(),
        DurationMs::from_minutes(5),
        TimestampMs::new(NOW),
        300,
        Idle::LeftOut,
    );
    let names: Vec<_> = strip.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["core 1", "core 4", "core 5", "core 6", "core 8", "core 9"]);
    assert_eq!(strip.hidden_lines, 4);
}

#[test]
fn an_average_has_a_band_of_its_samples() {
    let board = board();
    let mut engine = engine(&board);
    let key = SeriesKey { metric: MetricName::new("latency").unwrap(), labels: Labels::empty() };
    let id = engine.find(&key).unwrap();
    for (ms, value) in [(NOW - 60_300, 20.0), (NOW - 60_200, 900.0)] {
        engine.record(id, Sample::new(TimestampMs::new(ms), value).unwrap(), TimestampMs::new(NOW)).unwrap();
    }
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::from_minutes(5),
        lacks: &[],
        restated: &[],
    };
    let strip = strip(
        source,
        &board.panels[0],
        &Filter::default(),
        DurationMs::from_minutes(5),
        TimestampMs::new(NOW),
        STRIP_COLUMNS,
        Idle::LeftOut,
    );
    // The drawn average looks back a minute, and so does the band: the line is always within it.
    let banded: Vec<_> =
        strip.lines[0].points().filter(|point| point.at.get() > NOW - 200_000 && point.band.is_some()).collect();
    assert_eq!(banded.first().map(|point| point.at), Some(TimestampMs::new(NOW - 60_000)));
    assert_eq!(banded.last().map(|point| point.at), Some(TimestampMs::new(NOW - 1_000)));
    for point in banded {
        assert_eq!(point.band, Some((20.0, 900.0)));
        assert!(point.value > 100.0 && point.value < 300.0, "the average of a minute: {}", point.value);
    }
}

#[test]
fn a_panel_of_observations_gets_quantiles() {
    let focus = snapshot(View::Panel("latency".into()), Vec::new()).focus.unwrap();
    let names: Vec<_> = focus.strip.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!((names.as_slice(), focus.quantiles), (["avg", "p50", "p95", "p99"].as_slice(), Quantiles::Drawn));
    let focus = snapshot(View::Panel("cores".into()), Vec::new()).focus.unwrap();
    assert_eq!((focus.strip.lines.len(), focus.quantiles), (2, Quantiles::Absent));
    assert!(snapshot(View::Panel("gone".into()), Vec::new()).focus.is_none());
}

/// Core 1 is hot, as the gateway told it.
fn hot() -> AlertNotice {
    AlertNotice {
        rule: "Hot".into(),
        labels: Labels::new([(ALERT_NAME, "Hot"), ("core", "1")]).unwrap(),
        severity: Severity::Ticket,
        state: AlertState::Firing {
            active_at: TimestampMs::new(NOW - 9_000),
            fired_at: TimestampMs::new(NOW - 8_000),
            keep_firing_since: None,
        },
        value: Some(0.6),
        stale: false,
        comparison: Comparison::Above,
        threshold: 0.5,
        summary: "A core is busy.".into(),
        runbook: "javascript:alert(1)".into(),
    }
}

#[test]
fn an_alert_shows_the_live_figure_of_its_own_group() {
    let snapshot = snapshot(View::Overview, vec![hot()]);
    let card = &snapshot.alerts[0];
    assert_eq!((card.phase, card.labels.as_str(), &card.unit), (Phase::Firing, "core 1", &Unit::Ratio));
    assert!(card.value.is_some_and(|value| (value - 0.8).abs() < 1e-9), "the page's own figure, not the told one");
    assert_eq!((card.since, card.runbook.as_deref()), (TimestampMs::new(NOW - 9_000), None));
}

#[test]
fn a_condition_of_the_board_is_no_filter() {
    let elsewhere = BOARD.replace(
        r#""query": {"metric": "cpu", "window": "5m", "agg": "last", "across": "max"}"#,
        r#""query": {"metric": "cpu", "window": "5m", "agg": "last", "where": {"core": "9"}}"#,
    );
    assert_ne!(elsewhere, BOARD);
    let board = Rc::new(bellwether_wire::board::decode(&elsewhere).unwrap());
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::ZERO,
        lacks: &[],
        restated: &[],
    };
    let ask = |filter: Filter| Ask {
        board: Rc::clone(&board),
        route: Route::default().with_filter(filter),
        at: Instant::Now,
        alerts: [].into(),
        alerts_left_out: 0,
        unjudged: [].into(),
        ended: None,
        listing: None,
        others: [].into(),
    };
    // Nothing of core 9 has come, whatever the reader chooses.
    for filter in [Filter::default(), Filter::default().with("core:0")] {
        let snapshot = evaluate(source, None, &ask(filter), TimestampMs::new(NOW));
        assert_eq!(snapshot.sections[1].kpis[0].absence, None);
    }
}

#[test]
fn an_alert_shows_what_was_told_where_the_page_cannot_know_better() {
    let told = |snapshot: &Snapshot, place: usize| snapshot.alerts[place].value == Some(0.6);
    let filling = snapshot_of(Completeness::Filling, View::Overview, vec![hot()], NOW);
    assert!(told(&filling, 0), "half a history has no figure of now");
    let paused = snapshot_of(Completeness::Complete, View::Overview, vec![hot()], NOW - 60_000);
    assert!(told(&paused, 0), "the picture stands at a time before the alert began");
    let many = snapshot(View::Overview, vec![hot(); MOST_LIVE + 1]);
    assert_eq!(many.alerts.len(), MOST_LIVE + 1);
    assert!(!told(&many, MOST_LIVE - 1) && told(&many, MOST_LIVE), "one of many costs no evaluation");
}

#[test]
fn a_filter_narrows_figures_charts_and_preview_but_no_alert() {
    let board = board();
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::from_minutes(5),
        lacks: &[],
        restated: &[],
    };
    let ask = Ask {
        board,
        route: Route::default().with_filter(Filter::default().with("core:0")),
        at: Instant::Now,
        alerts: [hot()].into(),
        alerts_left_out: 0,
        unjudged: [].into(),
        ended: None,
        listing: None,
        others: [].into(),
    };
    let snapshot = evaluate(source, None, &ask, TimestampMs::new(NOW));
    let machine = &snapshot.sections[1];
    let lines: Vec<_> = machine.strips[0].lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!((machine.kpis[0].value, lines), (Some(0.2), vec!["core 0"]));
    // The latency has no such label: nothing of it is judged.
    let latency = &snapshot.sections[0].kpis[0];
    assert_eq!((latency.standing, &latency.absence), (Standing::NoFigure, &Some(Absence::Filtered)));
    let chart = &snapshot.sections[0].strips[0];
    assert_eq!((chart.lines.len(), chart.failure.as_deref()), (0, Some("No series passes the filter")));
    // Of the third metric nothing has ever come.
    assert_eq!((snapshot.tally.met, snapshot.tally.waiting, snapshot.tally.unjudged), (1, 1, 1));
    assert!(snapshot.alerts[0].value.is_some_and(|value| (value - 0.8).abs() < 1e-9), "the alert is of core 1");
    assert_eq!(snapshot.alerts[0].unit, Unit::Ratio);
    assert!(
        snapshot.preview.starts_with("Preview for core: 0: no rule's condition holds now."),
        "{}",
        snapshot.preview
    );
    let choices: Vec<_> = snapshot.choices.iter().map(|choice| (choice.label.as_str(), choice.values.len())).collect();
    assert_eq!(choices, [("core", 2)]);
}

#[test]
fn a_paused_picture_is_evaluated_as_of_then() {
    let board = board();
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::from_minutes(5),
        lacks: &[],
        restated: &[],
    };
    let at = TimestampMs::new(NOW - 300_000);
    let ask = Ask {
        board,
        route: Route::default(),
        at: Instant::Fixed(at),
        alerts: [].into(),
        alerts_left_out: 0,
        unjudged: [].into(),
        ended: None,
        listing: None,
        others: [].into(),
    };
    let snapshot = evaluate(source, None, &ask, at);
    assert_eq!((snapshot.at, snapshot.sections[0].kpis[0].value), (at, Some(400.0)));
}

fn texts(sheet: &crate::figures::sheet::Sheet) -> Vec<Vec<String>> {
    let texts =
        |row: &Vec<crate::figures::sheet::Cell>| row.iter().map(|cell| cell.text.replace('\u{a0}', " ")).collect();
    sheet.rows.iter().map(texts).collect()
}

#[test]
fn each_metric_says_how_it_comes() {
    use crate::others::{Listing, Metric};
    let board = board();
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::from_minutes(5),
        lacks: &[],
        restated: &[],
    };
    let metric = |name: &str, series| Metric { name: MetricName::new(name).unwrap(), series };
    let listing = Listing { metrics: vec![metric("cpu", 2), metric("other", 9)], left_out: 0 };
    let ask = Ask {
        board: Rc::clone(&board),
        route: Route::default().with_view(View::Sources),
        at: Instant::Now,
        alerts: [].into(),
        alerts_left_out: 0,
        unjudged: [].into(),
        ended: None,
        listing: Some(Rc::new(listing)),
        others: [].into(),
    };
    let sheets = evaluate(source, None, &ask, TimestampMs::new(NOW)).sheets;
    assert_eq!(
        texts(&sheets[0]),
        [
            ["cpu", "gauge", "2", "0 s ago", "2/s", "0"],
            ["latency", "observation", "1", "0 s ago", "1/s", "0"],
            ["other", "not on the board", "9", "", "", ""],
        ]
    );
    assert_eq!(sheets[0].rows[2][0].href, "#/explore?window=5m&metric=other");
    // Ten minutes later nothing has come.
    let later = evaluate(source, None, &ask, TimestampMs::new(NOW + 600_000)).sheets;
    assert_eq!(texts(&later[0])[0][3..], ["10 min ago", "0/s", "no sample"]);
}

#[test]
fn a_metric_is_explored_as_the_address_says() {
    let board = board();
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::from_minutes(5),
        lacks: &[],
        restated: &[],
    };
    let explored_by = |filter: &Filter, params: &[(Param, &str)]| {
        let route = Route::default().with_view(View::Explore).with_filter(filter.clone());
        let route = params.iter().fold(route, |route, (param, value)| route.with_param(*param, value));
        let ask = Ask {
            board: Rc::clone(&board),
            route,
            at: Instant::Now,
            alerts: [].into(),
            alerts_left_out: 0,
            unjudged: [].into(),
            ended: None,
            listing: None,
            others: [].into(),
        };
        evaluate(source, None, &ask, TimestampMs::new(NOW))
    };
    let explored = |params: &[(Param, &str)]| explored_by(&Filter::default(), params);
    let lines = |snapshot: &Snapshot| {
        let chart = snapshot.chart.as_ref().unwrap();
        chart.lines.iter().map(|line| (line.name.clone(), line.latest().unwrap().value)).collect::<Vec<_>>()
    };
    let chosen = |snapshot: &Snapshot| {
        let picks = snapshot.picks.iter().flat_map(|picks| &picks.picks).filter(|pick| pick.chosen);
        picks.map(|pick| pick.text.replace('\u{a0}', " ")).collect::<Vec<_>>()
    };
    assert!(explored(&[]).chart.is_none());
    let cpu = (Param::Metric, "cpu");
    let each = explored(&[cpu]);
    assert_eq!(lines(&each), [("core 0".to_owned(), 0.2), ("core 1".to_owned(), 0.8)]);
    assert_eq!(chosen(&each), ["avg", "each series"], "of a gauge no point looks back");
    let filtered = explored_by(&Filter::default().with("core:0"), &[cpu]);
    assert_eq!(filtered.chart.map(|chart| chart.lines.len()), Some(1), "what the board names is held, also filtered");
    let together = explored(&[cpu, (Param::By, "-"), (Param::Figure, "max")]);
    assert_eq!(lines(&together), [("max of 2 series".to_owned(), 0.8)]);
    let by = explored(&[cpu, (Param::By, "core")]);
    assert_eq!(texts(&by.sheets[0])[0][0], "1", "the highest first");
    assert_eq!(
        explored(&[cpu, (Param::Figure, "rate")]).chart.unwrap().failure,
        None,
        "what does not fit is not asked"
    );
    let latency = explored(&[(Param::Metric, "latency"), (Param::Figure, "p95"), (Param::Back, "5m")]);
    assert_eq!(chosen(&latency), ["p95", "each series", "5 min"]);
    assert_eq!(latency.chart.unwrap().looks_back, Some(DurationMs::from_minutes(5)));
}

#[test]
fn of_the_past_no_alert_is_told_that_ended_later() {
    let board = board();
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::from_minutes(5),
        lacks: &[],
        restated: &[],
    };
    let ended = |ago: i64| EndedAlert {
        rule: format!("Ended{ago}"),
        labels: Labels::empty(),
        severity: Severity::Page,
        active_at: TimestampMs::new(NOW - 200_000),
        fired_at: TimestampMs::new(NOW - 190_000),
        resolved_at: TimestampMs::new(NOW - ago * 1_000),
    };
    let ask = Ask {
        board,
        route: Route::default().with_view(View::Alerts),
        at: Instant::Bygone,
        alerts: [].into(),
        alerts_left_out: 0,
        unjudged: [].into(),
        ended: Some([ended(150), ended(60)].into()),
        listing: None,
        others: [].into(),
    };
    let told = |at: i64| {
        let changes = evaluate(source, None, &ask, TimestampMs::new(at)).sheets.swap_remove(0);
        changes.rows.iter().map(|row| row[0].text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(NOW - 100_000), ["Ended150"]);
    assert_eq!(told(NOW).len(), 2);
}
