//! One KPI with what stands behind it.

use super::*;

#[test]
fn a_kpi_has_its_course_beside_the_time_before_and_how_its_samples_are_spread() {
    let snapshot = snapshot(View::Kpi("latency".into()), Vec::new());
    assert_eq!(snapshot.kpi.as_ref().map(|kpi| kpi.value), Some(Some(100.0)));
    let chart = snapshot.chart.as_ref().unwrap();
    let ends: Vec<_> =
        chart.lines.iter().map(|line| (line.name.replace('\u{a0}', " "), line.latest().unwrap().value)).collect();
    assert_eq!(ends, [("value".to_owned(), 100.0), ("5 min before".to_owned(), 400.0)]);
    assert!(chart.lines[1].points().all(|point| point.at > chart.from && point.at <= chart.to), "drawn at this time");
    assert_eq!((chart.threshold, chart.looks_back), (Some(300.0), Some(DurationMs::from_minutes(5))));
    let titles: Vec<_> = snapshot.sheets.iter().map(|sheet| sheet.title.as_str()).collect();
    assert_eq!(titles, ["Spread", "What is watched"], "the series have no label");
    let spread = texts(&snapshot.sheets[0]);
    assert_eq!(spread[2], ["p95", "", "100 ms", "400 ms"]);
    assert_eq!(spread[5], ["Number", "", "300", "300"]);
    assert_eq!(snapshot.sheets[0].rows[2][1].bars[0].to, 1_000);
    assert_eq!(snapshot.sheets[1].note, "No rule watches this metric.");
    assert!(snapshot.sheets[0].note.ends_with("below p95."), "of equal samples percentiles are exact");
    let spread = snapshot.distribution.as_ref().unwrap();
    assert_eq!((spread.from, spread.to, spread.count()), (chart.from, chart.to, 300));
    assert_eq!(spread.ranges[0].marks, "p50, p95, p99", "all samples of the last 5 minutes are 100 ms");
    // The average was above 300 ms until two thirds of the slow samples had left its window.
    let said = snapshot.kpi.as_ref().unwrap().on_target(chart).unwrap().replace('\u{a0}', " ");
    assert_eq!(said, "On target at 201 of the 300 points of this course, over the last 5 min: 67%.");
}

#[test]
fn only_a_figure_of_observed_values_has_a_distribution() {
    assert_eq!(snapshot(View::Kpi("cpu".into()), Vec::new()).distribution, None, "of a gauge");
    let board = BOARD.replace(r#""agg": "avg"}},"#, r#""agg": "count"}},"#);
    let board = Rc::new(bellwether_wire::board::decode(&board).unwrap());
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::ZERO,
        lacks: &[],
        restated: &[],
    };
    let route = Route::default().with_view(View::Kpi("latency".into()));
    let ask = Ask {
        board,
        route,
        at: Instant::Now,
        alerts: [].into(),
        alerts_left_out: 0,
        unjudged: [].into(),
        ended: None,
        listing: None,
        others: [].into(),
    };
    let snapshot = evaluate(source, None, &ask, TimestampMs::new(NOW));
    assert_eq!((snapshot.distribution, snapshot.kpi.unwrap().value), (None, Some(300.0)), "of a number of samples");
}

#[test]
fn the_time_before_is_drawn_only_where_all_of_it_is_held() {
    let names = |completeness, window| {
        let board = board();
        let engine = engine(&board);
        let source =
            Source { engine: &engine, completeness, staleness: DurationMs::from_minutes(5), lacks: &[], restated: &[] };
        let route = Route::default().with_view(View::Kpi("latency".into())).with_window(window);
        let instant = Instant::Now;
        let ask = Ask {
            board,
            route,
            at: instant,
            alerts: [].into(),
            alerts_left_out: 0,
            unjudged: [].into(),
            ended: None,
            listing: None,
            others: [].into(),
        };
        evaluate(source, None, &ask, TimestampMs::new(NOW)).chart.unwrap().lines.len()
    };
    assert_eq!(names(Completeness::Complete, PageWindow::QuarterHour), 1, "nothing came before");
    assert_eq!(names(Completeness::Complete, PageWindow::FiveMinutes), 2);
    assert_eq!(names(Completeness::Filling, PageWindow::FiveMinutes), 1);
    assert_eq!(names(Completeness::Complete, PageWindow::Hour), 1);
}

#[test]
fn a_kpi_is_told_apart_by_label_the_worst_first() {
    let board = board();
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::ZERO,
        lacks: &[],
        restated: &[],
    };
    let sheet = |by: &str, sort: &str| {
        let route = Route::default().with_view(View::Kpi("cpu".into()));
        let route = route.with_param(Param::By, by).with_param(Param::Sort, sort);
        let ask = Ask {
            board: Rc::clone(&board),
            route,
            at: Instant::Now,
            alerts: [hot()].into(),
            alerts_left_out: 0,
            unjudged: [].into(),
            ended: None,
            listing: None,
            others: [].into(),
        };
        evaluate(source, None, &ask, TimestampMs::new(NOW)).sheets
    };
    let sheets = sheet("", "");
    let titles: Vec<_> = sheets.iter().map(|sheet| sheet.title.as_str()).collect();
    assert_eq!(titles, ["By label", "Alert history", "What is watched"], "of a gauge there are no percentiles");
    assert_eq!(texts(&sheets[1])[0][0], "Hot (core 1)", "what became of its alerts");
    assert_eq!(texts(&sheets[0]), [["1", "80%", "", "", "300"], ["0", "20%", "", "", "300"]]);
    assert_eq!((sheets[0].rows[0][3].bars[0].to, sheets[0].rows[1][3].bars[0].to), (1_000, 250));
    let course = |row: usize| sheets[0].rows[row][2].course.as_ref().unwrap();
    assert_eq!([0, 1].map(|row| course(row).scale), [(0.2, 0.9); 2], "one scale for all, with the target");
    assert_eq!([0, 1].map(|row| course(row).points.last().copied().flatten()), [Some(0.8), Some(0.2)]);
    assert_eq!(course(1).summary.replace('\u{a0}', " "), "Course over the last 5 min: between 20% and 20%");
    assert_eq!(sheets[0].note, "All courses are drawn from 20% to 90%.");
    assert_eq!(texts(&sheets[2])[0][4], "Firing");
    assert_eq!(texts(&sheet("no such label", "0")[0])[0][0], "0", "sorted by name");
    let of_one = [&sheets[0].picks[0].text, &sheets[0].picks[0].href];
    assert_eq!(of_one, ["core", "#/kpi/cpu?window=5m&by=core"]);
}

#[test]
fn a_long_kpi_has_the_course_of_its_parts() {
    let text = BOARD.replace(
        r#""metric": "latency", "window": "5m", "agg": "avg"}},"#,
        r#""metric": "latency", "window": "4h", "agg": "avg"}},"#,
    );
    assert_ne!(text, BOARD);
    let board = Rc::new(bellwether_wire::board::decode(&text).unwrap());
    let engine = engine(&board);
    let source = Source {
        engine: &engine,
        completeness: Completeness::Complete,
        staleness: DurationMs::ZERO,
        lacks: &[],
        restated: &[],
    };
    let route = Route::default().with_view(View::Kpi("latency".into()));
    let ask = Ask {
        board,
        route,
        at: Instant::Now,
        alerts: [].into(),
        alerts_left_out: 0,
        unjudged: [].into(),
        ended: None,
        listing: None,
        others: [].into(),
    };
    let chart = evaluate(source, None, &ask, TimestampMs::new(NOW)).chart.unwrap();
    assert_eq!(chart.to.since(chart.from), DurationMs::from_hours(4));
    assert_eq!(chart.looks_back, Some(DurationMs::from_minutes(5)));
}
