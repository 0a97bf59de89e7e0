//! What a target is held against.

use super::*;

#[test]
fn a_target_of_the_whole_window_is_not_held_against_the_parts_that_add_up_to_it() {
    let looked_at = |aggregation: &str| {
        let board = BOARD.replace(
            r#""query": {"metric": "cpu", "window": "5m", "agg": "last", "across": "max"}"#,
            &format!(r#""query": {{"metric": "cpu", "window": "5m", "agg": "{aggregation}"}}"#),
        );
        let board = Rc::new(bellwether_wire::board::decode(&board).unwrap());
        let engine = engine(&board);
        let source = Source {
            engine: &engine,
            completeness: Completeness::Complete,
            staleness: DurationMs::ZERO,
            lacks: &[],
            restated: &[],
        };
        let route = Route::default().with_view(View::Kpi("cpu".into()));
        let (at, alerts) = (Instant::Now, [].into());
        let ask = Ask {
            board,
            route,
            at,
            alerts,
            alerts_left_out: 0,
            unjudged: [].into(),
            listing: None,
            ended: None,
            others: [].into(),
        };
        let snapshot = evaluate(source, None, &ask, TimestampMs::new(NOW));
        let (kpi, chart) = (snapshot.kpi.unwrap(), snapshot.chart.unwrap());
        let small = snapshot.sheets[0].rows[0][2].course.as_ref().unwrap().target;
        (kpi.target, kpi.course_target, chart.threshold, small, kpi.on_target(&chart).is_some())
    };
    let target = Some(0.9);
    assert_eq!(looked_at("avg"), (target, target, target, target, true));
    // Of 600 samples in five minutes a point of the course has a few: each of them is no better than the whole.
    for adds_up in ["count", "sum", "delta"] {
        assert_eq!(looked_at(adds_up), (target, None, None, None, false), "{adds_up}");
    }
}
