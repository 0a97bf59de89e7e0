use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Aggregation, Query};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::selector::Matcher;
use bellwether_core::summary::Summary;
use bellwether_wire::feed::{BucketSummary, FeedHeader, FeedSeries, Follow, Phase};
use bellwether_wire::frame::{self, ClientFrame};

use super::*;

const NOW: i64 = 1_700_000_000_000;

fn at(ms: f64) -> Monotonic {
    Monotonic::from_millis(ms)
}

fn hello(feed: &mut Feed) -> Rc<Hello> {
    let hello = frame::Hello {
        version: "0.1.0".into(),
        epoch: 1,
        seq: 0,
        now: TimestampMs::new(NOW),
        title: "Ours".into(),
        demo: true,
        board: Board::default(),
        staleness: DurationMs::from_minutes(5),
    };
    match feed.receive_text(&ServerFrame::Hello(hello).encode(), at(0.0)).pop() {
        Some(Msg::HelloReceived { hello, .. }) => hello,
        other => panic!("no hello: {other:?}"),
    }
}

fn sample(ms: i64, value: f64) -> Sample {
    Sample::new(TimestampMs::new(ms), value).unwrap()
}

fn latency() -> SeriesKey {
    SeriesKey { metric: MetricName::new("latency").unwrap(), labels: Labels::empty() }
}

/// One plain sample and one summary of two.
fn samples(phase: Phase) -> Vec<u8> {
    let mut summary = Summary::of(sample(NOW - 4_500, 200.0), Kind::Observation);
    summary.record(sample(NOW - 4_400, 400.0), Kind::Observation);
    let series = FeedSeries {
        key: latency(),
        kind: Kind::Observation,
        samples: vec![sample(NOW - 2_000, 600.0)],
        summaries: vec![BucketSummary { end: TimestampMs::new(NOW - 4_000), summary }],
    };
    let header = FeedHeader { epoch: 1, seq: 1, subscription: SUBSCRIPTION, phase, step: STEP, follow: Follow::End };
    binary::encode(&FeedFrame { header, series: vec![series] })
}

fn subscribed(feed: &mut Feed) -> Vec<Msg> {
    let frame =
        ServerFrame::Subscribed(Subscribed { id: SUBSCRIPTION, epoch: 1, seq: 1, restated: Vec::new(), until: None });
    feed.receive_text(&frame.encode(), at(0.0))
}

fn average(feed: &Feed) -> (Option<f64>, u64) {
    let query = Query::new(latency().metric, DurationMs::from_minutes(5), Aggregation::Avg);
    let (engine, _) = feed.engine().unwrap();
    let answer = engine.query(&query, TimestampMs::new(NOW)).unwrap();
    (answer.value, answer.count)
}

#[test]
fn a_hello_sets_the_clock_and_says_what_is_simulated() {
    let mut feed = Feed::default();
    let hello = hello(&mut feed);
    assert_eq!((hello.title.as_str(), hello.origin), ("Ours", Origin::Simulated));
    assert_eq!(feed.now(at(250.0)), Some(TimestampMs::new(NOW + 250)));
    assert!(feed.engine().is_none());
}

#[test]
fn a_board_becomes_one_subscription_that_reaches_back_far_enough() {
    let text = r#"{"title": "t", "kpis": [
        {"id": "a", "title": "A", "better": "lower", "query": {"metric": "latency", "window": "5m", "agg": "avg"}},
        {"id": "b", "title": "B", "better": "lower", "query": {"metric": "days", "window": "30d", "agg": "avg"}},
        {"id": "c", "title": "C", "better": "lower", "query": {"metric": "score", "window": "90d", "agg": "avg"}}
    ], "panels": [{"id": "d", "title": "D", "query": {"metric": "sent", "window": "1m", "agg": "max"}}]}"#;
    let board = bellwether_wire::board::decode(text).unwrap();
    let ClientFrame::Subscribe(subscribe) = ClientFrame::decode(&Feed::default().begin(&board).unwrap()).unwrap()
    else {
        panic!("no subscription")
    };
    let ranges: Vec<_> =
        subscribe.metrics.iter().map(|metric| (metric.name.as_str(), metric.range.to_string())).collect();
    let expected = [("latency", "1h10m"), ("days", "60d1h"), ("score", "92d"), ("sent", "1h5m")]
        .map(|(name, range)| (name, range.to_owned()));
    assert_eq!(ranges, expected);
    assert_eq!((subscribe.step, subscribe.format), (Step::Every(STEP), FeedFormat::Binary));
}

#[test]
fn a_longer_window_reaches_farther_back_from_then_on() {
    let text = r#"{"title": "t", "panels": [{"id": "d", "title": "D",
        "query": {"metric": "sent", "window": "1m", "agg": "max"}}]}"#;
    let board = bellwether_wire::board::decode(text).unwrap();
    let mut feed = Feed::default();
    let asked = |request: String| match ClientFrame::decode(&request).unwrap() {
        ClientFrame::Subscribe(subscribe) => subscribe.metrics[0].range.to_string(),
        _ => panic!("no subscription"),
    };
    feed.look_back(PageWindow::Week);
    assert_eq!(asked(feed.begin(&board).unwrap()), "7d5m");
    feed.look_back(PageWindow::FiveMinutes);
    assert_eq!(asked(feed.begin(&board).unwrap()), "7d5m", "what is on screen would be lost");
    assert_eq!(asked(feed.follow(&[latency().metric]).unwrap()), "7d5m");
    feed.look_back(PageWindow::Quarter);
    assert_eq!(asked(feed.begin(&board).unwrap()), "90d5m");
}

/// Names and conditions of what a board is subscribed to.
#[track_caller]
fn check_selections(figures: &[&str], expected: &[(&str, &[&str])]) {
    let panels: Vec<_> = figures
        .iter()
        .enumerate()
        .map(|(place, figure)| {
            format!(r#"{{"id": "p{place}", "title": "P", "query": {{"window": "1m", "agg": "max", {figure}}}}}"#)
        })
        .collect();
    let text = format!(r#"{{"title": "t", "panels": [{}]}}"#, panels.join(","));
    let board = bellwether_wire::board::decode(&text).unwrap();
    let asked = selections::selections(&board, DurationMs::from_hours(1), DurationMs::from_days(92));
    let asked: Vec<_> = asked
        .iter()
        .map(|selection| {
            let key = |matcher: &Matcher| format!("{}: {:?}", matcher.label, matcher.condition);
            (selection.name.to_string(), selection.matchers.iter().map(key).collect())
        })
        .collect();
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(name, matchers)| ((*name).to_owned(), matchers.iter().map(|text| (*text).to_owned()).collect()))
        .collect();
    assert_eq!(asked, expected);
}

#[test]
fn only_the_series_that_the_board_shows_are_asked_for() {
    let (eu, us) = (r#""metric": "m", "where": {"region": "eu"}"#, r#""metric": "m", "where": {"region": "us"}"#);
    let expected: [(&str, &[&str]); 2] = [("m", &[r#"region: Equal("eu")"#]), ("m", &[r#"region: Equal("us")"#])];
    check_selections(&[eu, eu, us], &expected);
    check_selections(&[eu, r#""metric": "n""#, us, r#""metric": "m""#, eu], &[("n", &[]), ("m", &[])]);
    let pattern = r#""metric": "m", "where": {"region": {"matches": "e.*"}}"#;
    check_selections(&[eu, pattern], &[("m", &[])]);
}

#[test]
fn what_the_gateway_leaves_out_is_lacking_as_long_as_its_engine_is_on_screen() {
    let mut feed = Feed::default();
    let hello = hello(&mut feed);
    feed.begin(&hello.board).unwrap();
    let selection =
        |name: &str| Selection { name: MetricName::new(name).unwrap(), matchers: Vec::new(), range: DurationMs::ZERO };
    let error = |code: &str, subscription, names: &[&str]| {
        let metrics = names.iter().map(|name| selection(name)).collect();
        ServerFrame::Error(frame::ErrorFrame {
            subscription: Some(subscription),
            metrics,
            ..frame::ErrorFrame::new(code, "too many")
        })
        .encode()
    };
    let told = feed.receive_text(&error("too_many_series", SUBSCRIPTION, &["a", "b", "c", "d"]), at(1.0));
    let [Msg::PartLeftOut(sentence)] = &told[..] else { panic!("not said: {told:?}") };
    assert!(sentence.starts_with("Too many series for this page: a, b, c and 1 more. "), "{sentence}");
    feed.receive_text(&error("history_too_long", SUBSCRIPTION, &["e"]), at(1.0));
    // Of metrics that the board does not name no figure is judged.
    feed.receive_text(&error("too_many_series", OTHERS, &["f"]), at(1.0));
    let lacks: Vec<_> = feed.lacks(Instant::Now).iter().map(|lack| (lack.metric.to_string(), lack.shortage)).collect();
    let many = |name: &str| (name.to_owned(), Shortage::TooManySeries);
    assert_eq!(lacks, [many("a"), many("b"), many("c"), many("d"), ("e".to_owned(), Shortage::TooMuchHistory)]);
    feed.receive_binary(&samples(Phase::History), at(1.0));
    subscribed(&mut feed);
    feed.begin(&hello.board).unwrap();
    assert_eq!(feed.lacks(Instant::Now).len(), 5, "the same engine is on screen");
    feed.receive_text(&error("too_many_series", SUBSCRIPTION, &["g"]), at(2.0));
    assert_eq!(feed.lacks(Instant::Now).len(), 5, "the next engine's lacks are not of this one");
    subscribed(&mut feed);
    let lacks: Vec<_> = feed.lacks(Instant::Now).iter().map(|lack| lack.metric.to_string()).collect();
    assert_eq!(lacks, ["g"]);
}

#[test]
fn history_and_live_values_make_the_figures() {
    let mut feed = Feed::default();
    let hello = hello(&mut feed);
    feed.begin(&hello.board).unwrap();
    assert_eq!(feed.receive_binary(&samples(Phase::History), at(1.0)), [Msg::FeedChanged]);
    assert!(matches!(feed.engine(), Some((_, Completeness::Filling))), "figures show before all has come");
    assert_eq!(subscribed(&mut feed), [Msg::HistoryCompleted]);
    assert!(matches!(feed.engine(), Some((_, Completeness::Complete))));
    assert_eq!(average(&feed), (Some(400.0), 3));
    feed.receive_binary(&samples(Phase::Live), at(2.0));
    assert_eq!(average(&feed), (Some(400.0), 6), "each summary is an increment to merge");
}

#[test]
fn a_history_asked_for_anew_counts_nothing_twice_and_never_empties_the_screen() {
    let mut feed = Feed::default();
    let again = hello(&mut feed);
    feed.begin(&again.board).unwrap();
    feed.receive_binary(&samples(Phase::History), at(1.0));
    subscribed(&mut feed);
    feed.begin(&again.board).unwrap();
    assert_eq!(average(&feed).1, 3, "the old engine stays until the new one is full");
    feed.receive_binary(&samples(Phase::History), at(2.0));
    assert_eq!(average(&feed).1, 3);
    subscribed(&mut feed);
    assert_eq!(average(&feed), (Some(400.0), 3));
}

/// The place that a request resumes from.
fn resumed_from(request: &str) -> Option<(u64, u64)> {
    let Ok(ClientFrame::Subscribe(subscribe)) = ClientFrame::decode(request) else { panic!("{request}") };
    subscribe.resume.map(|place| (place.epoch, place.seq))
}

/// A feed that was live up to batch 7 and is connected anew.
fn cut_off() -> (Feed, Rc<Hello>) {
    let mut feed = Feed::default();
    let first = hello(&mut feed);
    assert_eq!(resumed_from(&feed.begin(&first.board).unwrap()), None);
    feed.receive_binary(&samples(Phase::History), at(1.0));
    subscribed(&mut feed);
    let tick = ServerFrame::Tick(frame::Tick { now: TimestampMs::new(NOW), seq: 7 });
    feed.receive_text(&tick.encode(), at(1.0));
    let again = hello(&mut feed);
    // Before it is asked, the gateway tells of batches that this feed has not got.
    let tick = ServerFrame::Tick(frame::Tick { now: TimestampMs::new(NOW), seq: 9 });
    feed.receive_text(&tick.encode(), at(1.0));
    (feed, again)
}

#[test]
fn a_feed_that_was_cut_goes_on_where_it_was() {
    let (mut feed, hello) = cut_off();
    assert_eq!(resumed_from(&feed.begin(&hello.board).unwrap()), Some((1, 7)));
    assert_eq!(feed.receive_binary(&samples(Phase::Live), at(2.0)), [Msg::FeedChanged], "what came meanwhile");
    assert_eq!(subscribed(&mut feed), [Msg::HistoryCompleted]);
    assert_eq!(average(&feed), (Some(400.0), 6));
}

#[test]
fn a_gateway_that_knows_no_resume_is_asked_anew() {
    let (mut feed, hello) = cut_off();
    assert_eq!(resumed_from(&feed.begin(&hello.board).unwrap()), Some((1, 7)));
    let refusal = r#"{"type":"error","code":"bad_frame","message":"unknown field resume"}"#;
    assert_eq!(feed.receive_text(refusal, at(0.0)), [Msg::ResumeRefused]);
    assert_eq!(resumed_from(&feed.begin(&hello.board).unwrap()), None);
    assert!(feed.engine().is_some(), "the old picture stays");
    feed.receive_binary(&samples(Phase::History), at(0.0));
    assert_eq!(subscribed(&mut feed), [Msg::HistoryCompleted]);
    // What it refuses then is refused for good.
    assert!(matches!(feed.receive_text(refusal, at(0.0))[..], [Msg::GatewayRefused(_)]));
}

#[test]
fn a_gateway_that_knows_no_resume_is_asked_anew_for_both_subscriptions() {
    let mut feed = Feed::default();
    let name = [MetricName::new("other").unwrap()];
    for asked in [None, Some((1, 7)), None] {
        let hello = hello(&mut feed);
        assert_eq!(resumed_from(&feed.begin(&hello.board).unwrap()), asked);
        assert_eq!(resumed_from(&feed.follow(&name).unwrap()), asked);
        if asked.is_some() {
            let refusal = r#"{"type":"error","code":"bad_frame","message":"unknown field resume"}"#;
            assert_eq!(feed.receive_text(refusal, at(0.0)), [Msg::ResumeRefused]);
            continue;
        }
        for id in [SUBSCRIPTION, OTHERS] {
            let complete =
                ServerFrame::Subscribed(Subscribed { id, epoch: 1, seq: 7, restated: Vec::new(), until: None });
            feed.receive_text(&complete.encode(), at(0.0));
        }
    }
}

#[test]
fn where_samples_were_changed_is_known_until_the_next_history() {
    let mut feed = Feed::default();
    let hello = hello(&mut feed);
    feed.begin(&hello.board).unwrap();
    feed.receive_binary(&samples(Phase::History), at(0.0));
    let span =
        RestatedSpan { series: latency(), from: TimestampMs::new(1), to: TimestampMs::new(2), at: TimestampMs::new(9) };
    let complete = |restated| {
        ServerFrame::Subscribed(Subscribed { id: SUBSCRIPTION, epoch: 1, seq: 7, restated, until: None }).encode()
    };
    assert_eq!(feed.restated(), [&[], &[], &[]] as [&[RestatedSpan]; 3]);
    feed.receive_text(&complete(vec![span.clone()]), at(0.0));
    assert_eq!(feed.restated(), [&[span][..], &[], &[]]);
    feed.begin(&hello.board).unwrap();
    feed.receive_text(&complete(Vec::new()), at(0.0));
    assert_eq!(feed.restated(), [&[], &[], &[]] as [&[RestatedSpan]; 3]);
}

#[test]
fn what_cannot_be_gone_on_with_is_filled_anew_behind_the_old_picture() {
    let (mut feed, hello) = cut_off();
    feed.begin(&hello.board).unwrap();
    let gap = ServerFrame::Gap(frame::Gap { subscription: SUBSCRIPTION, from_seq: 8, to_seq: 9 });
    assert_eq!(feed.receive_text(&gap.encode(), at(1.0)), []);
    feed.receive_binary(&samples(Phase::Live), at(2.0));
    assert_eq!(average(&feed).1, 6, "the picture on screen");
    for _ in 0..4 {
        feed.receive_binary(&samples(Phase::History), at(2.0));
    }
    assert_eq!(subscribed(&mut feed), [Msg::HistoryCompleted]);
    assert_eq!(average(&feed).1, 12);
}

#[test]
fn what_is_not_whole_is_not_gone_on_with() {
    let (mut feed, first) = cut_off();
    feed.begin(&first.board).unwrap();
    subscribed(&mut feed);
    let mut frame = binary::decode(&samples(Phase::Live)).unwrap();
    frame.header.follow = Follow::More;
    feed.receive_binary(&binary::encode(&frame), at(2.0));
    hello(&mut feed);
    assert_eq!(resumed_from(&feed.begin(&first.board).unwrap()), None, "a part of a batch has come");

    let (mut feed, first) = cut_off();
    let other = bellwether_wire::board::decode(
        r#"{"title": "t", "panels": [{"id": "d", "title": "D", "query": {"metric": "sent", "window": "1m", "agg": "max"}}]}"#,
    );
    assert_eq!(resumed_from(&feed.begin(&other.unwrap()).unwrap()), None, "another board");
    hello(&mut feed);
    assert_eq!(resumed_from(&feed.begin(&first.board).unwrap()), None, "its history was not complete");
    let left_out =
        frame::ErrorFrame { subscription: Some(SUBSCRIPTION), ..frame::ErrorFrame::new("too_many_series", "") };
    feed.receive_text(&ServerFrame::Error(left_out).encode(), at(1.0));
    subscribed(&mut feed);
    hello(&mut feed);
    assert_eq!(resumed_from(&feed.begin(&first.board).unwrap()), None, "the gateway left out a part of it");
}

#[test]
fn a_subscription_that_follows_another_is_not_mixed_with_it() {
    let mut feed = Feed::default();
    let hello = hello(&mut feed);
    feed.begin(&hello.board).unwrap();
    feed.receive_binary(&samples(Phase::History), at(1.0));
    subscribed(&mut feed);
    // Live values of the first that were on their way are in the history of the second as well.
    feed.begin(&hello.board).unwrap();
    feed.receive_binary(&samples(Phase::Live), at(2.0));
    assert_eq!(average(&feed).1, 6, "the picture on screen goes on");
    // And a third comes before the second is answered.
    feed.begin(&hello.board).unwrap();
    assert_eq!(feed.receive_binary(&samples(Phase::History), at(3.0)), []);
    assert_eq!(subscribed(&mut feed), [], "this answers the second");
    feed.receive_binary(&samples(Phase::History), at(4.0));
    assert_eq!(subscribed(&mut feed), [Msg::HistoryCompleted]);
    assert_eq!(average(&feed).1, 3, "nothing is counted twice");
    // What a connection did not answer, no later one will.
    feed.begin(&hello.board).unwrap();
    self::hello(&mut feed);
    feed.begin(&hello.board).unwrap();
    assert_eq!(subscribed(&mut feed), [Msg::HistoryCompleted]);
}

#[test]
fn json_samples_count_like_binary_ones() {
    let mut feed = Feed::default();
    let hello = hello(&mut feed);
    feed.begin(&hello.board).unwrap();
    let frame = binary::decode(&samples(Phase::History)).unwrap();
    feed.receive_text(&ServerFrame::Samples(frame).encode(), at(1.0));
    subscribed(&mut feed);
    assert_eq!(average(&feed), (Some(400.0), 3));
}

#[test]
fn a_tick_keeps_the_feed_alive_without_a_refresh() {
    let mut feed = Feed::default();
    hello(&mut feed);
    let tick = ServerFrame::Tick(frame::Tick { now: TimestampMs::new(NOW + 1_000), seq: 1 });
    assert_eq!(feed.receive_text(&tick.encode(), at(1_000.0)), []);
    assert_eq!(feed.heard(), Some(at(1_000.0)));
}

#[test]
fn a_tick_sets_the_clock_right() {
    let mut feed = Feed::default();
    hello(&mut feed);
    // An hour of sleep that the browser's clock did not count.
    let woken = TimestampMs::new(NOW + 3_600_000);
    feed.receive_text(&ServerFrame::Tick(frame::Tick { now: woken, seq: 1 }).encode(), at(5_000.0));
    assert_eq!(feed.now(at(5_000.0)), Some(woken));
}

#[test]
fn what_cannot_be_read_is_said() {
    let mut feed = Feed::default();
    hello(&mut feed);
    assert!(matches!(feed.receive_text("{", at(1.0))[..], [Msg::FeedUnreadable(_)]));
    assert!(matches!(feed.receive_text(r#"{"type":"news"}"#, at(1.0))[..], [Msg::FeedUnreadable(_)]));
    assert!(matches!(feed.receive_binary(&[0xff, 0xff, 0xff], at(1.0))[..], [Msg::FeedUnreadable(_)]));
}

#[test]
fn refusals_are_told() {
    let mut feed = Feed::default();
    hello(&mut feed);
    let mut told = |code: &str, message: &str| {
        let error = frame::ErrorFrame::new(code, message);
        feed.receive_text(&ServerFrame::Error(error).encode(), at(1.0))
    };
    let sentence = "The gateway says: no such frame (bad_frame)".to_owned();
    assert_eq!(told("bad_frame", "no such frame"), [Msg::GatewayRefused(sentence)]);
    let sentence = "The gateway says: sent has 2400 series (too_many_series)".to_owned();
    assert_eq!(told("too_many_series", "sent has 2400 series"), [Msg::PartLeftOut(sentence)]);
    assert!(matches!(told("news", "of a later gateway")[..], [Msg::PartLeftOut(_)]), "the rest goes on");
}

#[test]
fn alerts_that_the_gateway_left_out_are_counted() {
    let mut feed = Feed::default();
    let list = frame::AlertList { seq: 1, alerts: Vec::new(), left_out: 7 };
    let told = feed.receive_text(&ServerFrame::Alerts(list).encode(), at(1.0));
    assert_eq!(told, [Msg::AlertsReceived { alerts: [].into(), left_out: 7 }]);
}

#[test]
fn what_was_known_ends_with_the_last_words_until_a_new_history_is_complete() {
    let mut feed = Feed::default();
    let first = hello(&mut feed);
    feed.begin(&first.board).unwrap();
    let last_known = |feed: &Feed, ms: f64| feed.instant(Instant::LastKnown, at(ms)).unwrap().get() - NOW;
    assert_eq!(last_known(&feed, 40.0), 40, "nothing was ever known: the first figures are of now");
    subscribed(&mut feed);
    feed.receive_binary(&samples(Phase::Live), at(2_000.0));
    let tick = ServerFrame::Tick(frame::Tick { now: TimestampMs::new(NOW + 3_000), seq: 1 }).encode();
    feed.receive_text(&tick, at(3_000.0));
    assert_eq!(last_known(&feed, 90_000.0), 3_000);
    assert_eq!(feed.instant(Instant::Now, at(90_000.0)), Some(TimestampMs::new(NOW + 90_000)));
    let again = hello(&mut feed);
    feed.begin(&again.board).unwrap();
    feed.receive_binary(&samples(Phase::History), at(95_000.0));
    assert_eq!(last_known(&feed, 95_000.0), 3_000, "the engine on screen has not heard what fills the next one");
    subscribed(&mut feed);
    assert_eq!(last_known(&feed, 95_000.0), 0, "the clock of the new hello");
}

/// A frame of history with one sample of each of `count` series of `metric`.
fn many(metric: &str, kind: Kind, count: usize) -> Vec<u8> {
    let series = (0..count).map(|number| FeedSeries {
        key: SeriesKey {
            metric: MetricName::new(metric).unwrap(),
            labels: Labels::new([("number", number.to_string())]).unwrap(),
        },
        kind,
        samples: vec![sample(NOW, 1.0)],
        summaries: Vec::new(),
    });
    let header = FeedHeader {
        epoch: 1,
        seq: 1,
        subscription: SUBSCRIPTION,
        phase: Phase::History,
        step: STEP,
        follow: Follow::End,
    };
    binary::encode(&FeedFrame { header, series: series.collect() })
}

#[test]
fn what_the_engine_does_not_take_is_counted_and_said_once() {
    let mut feed = Feed::default();
    let first = hello(&mut feed);
    feed.begin(&first.board).unwrap();
    assert_eq!(feed.receive_binary(&many("sent", Kind::Gauge, 2), at(1.0)), [Msg::FeedChanged]);
    let conflict = "Left out: 1 series of sent. metric sent is kept as gauge, so it cannot be counter as well; give \
                    one of them another name.";
    let told = feed.receive_binary(&many("sent", Kind::Counter, 1), at(1.0));
    let [Msg::FeedChanged, Msg::SeriesNotTaken(sentences)] = &told[..] else { panic!("not said: {told:?}") };
    assert_eq!((sentences[0].as_str(), sentences.len()), (conflict, 2));
    assert!(sentences[1].contains("/query"), "what to do is said: {sentences:?}");
    assert_eq!(feed.lacks(Instant::Now)[0].shortage, Shortage::OtherKind);
    let again = feed.receive_binary(&many("sent", Kind::Counter, 1), at(1.0));
    assert_eq!(again, [Msg::FeedChanged], "the same series is no news");
    subscribed(&mut feed);
    feed.begin(&first.board).unwrap();
    let told = feed.receive_binary(&many("sent", Kind::Gauge, MOST_SERIES + 7), at(1.0));
    let [Msg::FeedChanged, Msg::SeriesNotTaken(sentences)] = &told[..] else { panic!("not said: {told:?}") };
    assert!(sentences[0].starts_with("Left out: 7 series of sent. "), "{sentences:?}");
}

#[test]
fn a_full_engine_stays_within_its_memory_for_half_a_day() {
    let mut engine = Engine::new(track::config(MOST_SERIES)).unwrap();
    let key = SeriesKey {
        metric: latency().metric,
        labels: Labels::new([("route", "/api/bookings/{id}"), ("method", "GET"), ("status", "200")]).unwrap(),
    };
    let id = engine.series(&key, Some(Kind::Observation)).unwrap();
    let mut bytes = Vec::new();
    // A value each second, spread over three decades.
    for second in 1..=12 * 3_600_i64 {
        let now = TimestampMs::new(NOW + second * 1_000);
        let value = 1.0 + (second * 7_919 % 100_000) as f64 / 100.0;
        engine.record(id, sample(now.get(), value), now).unwrap();
        if second % 3_600 == 0 {
            engine.advance(now);
            bytes.push(engine.memory().bytes);
        }
    }
    // When the fine tiers are full, what an hour adds is one time bucket of an hour.
    assert!(bytes[11] - bytes[3] <= 8 * 8_192, "{bytes:?}");
    let most = bytes[11] * MOST_SERIES;
    assert!(most <= MOST_BYTES, "{most} bytes");
    assert!(most >= MOST_BYTES / 4 * 3, "{most} bytes: the bound leaves out more than it must");
}

/// A frame of history of subscription `subscription`.
fn frame_of(subscription: u32, metric: &str, count: usize) -> Vec<u8> {
    let mut frame = binary::decode(&many(metric, Kind::Gauge, count)).unwrap();
    frame.header.subscription = subscription;
    binary::encode(&frame)
}

#[test]
fn other_metrics_have_an_engine_of_their_own_and_end_with_an_empty_list() {
    let mut feed = Feed::default();
    let first = hello(&mut feed);
    feed.begin(&first.board).unwrap();
    subscribed(&mut feed);
    let request = feed.follow(&[latency().metric]).unwrap();
    let ClientFrame::Subscribe(request) = ClientFrame::decode(&request).unwrap() else { panic!("no subscribe") };
    assert_eq!((request.id, request.metrics.len()), (OTHERS, 1));
    feed.receive_binary(&frame_of(OTHERS, "latency", 3), at(1.0));
    let complete =
        ServerFrame::Subscribed(Subscribed { id: OTHERS, epoch: 1, seq: 1, restated: Vec::new(), until: None });
    assert_eq!(feed.receive_text(&complete.encode(), at(1.0)), [Msg::FeedChanged]);
    assert_eq!(feed.others().map(|(engine, _)| engine.series_count()), Some(3));
    assert_eq!(
        feed.engine().map(|(engine, _)| engine.series_count()),
        Some(0),
        "the board's engine knows nothing of them"
    );
    // Followed anew the old picture stays until the new one is whole, and nothing is counted twice.
    feed.follow(&[latency().metric]).unwrap();
    feed.receive_binary(&frame_of(OTHERS, "latency", 2), at(2.0));
    assert_eq!(feed.others().map(|(engine, _)| engine.series_count()), Some(3));
    feed.receive_text(&complete.encode(), at(3.0));
    assert_eq!(feed.others().map(|(engine, _)| engine.series_count()), Some(2));
    let request = feed.follow(&[]).unwrap();
    assert!(request.contains(r#""metrics":[]"#), "{request}");
    assert!(feed.others().is_none());
    // Wanted again before the gateway has answered that nothing is wanted.
    feed.follow(&[latency().metric]).unwrap();
    feed.receive_text(&complete.encode(), at(4.0));
    feed.receive_binary(&frame_of(OTHERS, "latency", 3), at(4.0));
    assert!(matches!(feed.others(), Some((_, Completeness::Filling))), "that answer was of the empty list");
    feed.receive_text(&complete.encode(), at(5.0));
    assert!(matches!(feed.others(), Some((_, Completeness::Complete))));
}

#[test]
fn what_can_be_spared_is_given_up_before_the_bytes_are_too_many() {
    let mut feed = Feed::default();
    let first = hello(&mut feed);
    feed.begin(&first.board).unwrap();
    subscribed(&mut feed);
    feed.receive_binary(&frame_of(SUBSCRIPTION, "sent", 100), at(1.0));
    feed.follow(&[latency().metric]).unwrap();
    feed.receive_binary(&frame_of(OTHERS, "latency", 100), at(1.0));
    let (one, _) = feed.board.weight();
    assert_eq!(feed.keep_within(3 * one), None, "there is room for all");
    // First go the metrics that the board does not name.
    assert_eq!(feed.keep_within(one * 3 / 2), Some(Msg::OthersGivenUp));
    assert_eq!(feed.keep_within(one * 3 / 2), None);
    // Then the old picture's engine, once another is filled beside it; the picture itself stays.
    feed.begin(&first.board).unwrap();
    feed.receive_binary(&frame_of(SUBSCRIPTION, "sent", 100), at(2.0));
    assert!(feed.engine().is_some());
    assert_eq!(feed.keep_within(one * 3 / 2), None);
    assert!(feed.board.weight().0 <= one * 3 / 2 && feed.engine().is_none(), "half a history is no picture");
    subscribed(&mut feed);
    assert_eq!(feed.engine().map(|(engine, _)| engine.series_count()), Some(100));
    // And a board that is too much alone is begun anew with what fits.
    let Some(Msg::MemoryFull { series }) = feed.keep_within(one / 2) else { panic!("nothing is said") };
    assert!((40..50).contains(&series), "{series}");
    feed.begin(&first.board).unwrap();
    let told = feed.receive_binary(&frame_of(SUBSCRIPTION, "sent", 100), at(3.0));
    let [Msg::FeedChanged, Msg::SeriesNotTaken(sentences)] = &told[..] else { panic!("not said: {told:?}") };
    assert!(sentences[0].starts_with(&format!("Left out: {} series of sent. ", 100 - series)), "{sentences:?}");
    assert_eq!(feed.keep_within(one * 2), None);
}

#[test]
fn the_past_is_asked_for_and_taken_as_of_then() {
    let (mut feed, hello) = cut_off();
    feed.begin(&hello.board).unwrap();
    let span = Span::new(TimestampMs::new(900_000), TimestampMs::new(1_000_000)).unwrap();
    let asked = feed.recall(&hello.board, &[MetricName::new("other").unwrap()], span, at(0.0)).unwrap();
    let ClientFrame::Subscribe(asked) = ClientFrame::decode(&asked).unwrap() else { panic!() };
    assert_eq!((asked.id, asked.until, asked.resume), (PAST, Some(span.to()), None));
    assert_eq!(asked.metrics.last().unwrap().name.as_str(), "other");
    assert!(feed.past().is_none(), "it is on its way");

    // It may end earlier than was asked for.
    let complete = |until| {
        let until = Some(TimestampMs::new(until));
        ServerFrame::Subscribed(Subscribed { id: PAST, epoch: 1, seq: 1, restated: Vec::new(), until }).encode()
    };
    assert_eq!(feed.receive_text(&complete(990_000), at(0.0)), [Msg::PastCompleted]);
    assert!(feed.past().is_some());
    assert_eq!(feed.instant(Instant::Bygone, at(0.0)), Some(TimestampMs::new(990_000)));

    // Of two that are asked for the last one counts.
    feed.recall(&hello.board, &[], span, at(0.0)).unwrap();
    feed.recall(&hello.board, &[], span, at(0.0)).unwrap();
    assert_eq!(feed.receive_text(&complete(990_000), at(0.0)), []);
    assert_eq!(feed.receive_text(&complete(1_000_000), at(0.0)), [Msg::PastCompleted]);
    feed.forget();
    assert!(feed.past().is_none());

    // The answer to one that is refused says nothing of the one after it.
    let refusal = || {
        let error = frame::ErrorFrame { subscription: Some(PAST), ..frame::ErrorFrame::new("overloaded", "No.") };
        ServerFrame::Error(error).encode()
    };
    feed.recall(&hello.board, &[], span, at(0.0)).unwrap();
    feed.recall(&hello.board, &[], span, at(0.0)).unwrap();
    assert_eq!(feed.receive_text(&refusal(), at(0.0)), []);
    assert_eq!(feed.receive_text(&complete(1_000_000), at(0.0)), [Msg::PastCompleted]);
    assert!(feed.past().is_some());

    // What was given up while it was on its way is not there when all of it has come.
    for answer in [complete(1_000_000), refusal()] {
        feed.recall(&hello.board, &[], span, at(0.0)).unwrap();
        feed.forget();
        assert_eq!(feed.receive_text(&answer, at(0.0)), [Msg::PastLapsed]);
        assert!(feed.past().is_none());
    }
}

#[test]
fn the_past_of_a_span_that_ends_later_than_now_ends_now() {
    let (mut feed, hello) = cut_off();
    let span = Span::new(TimestampMs::new(NOW - 60_000), TimestampMs::new(NOW + 90_000_000)).unwrap();
    let asked = feed.recall(&hello.board, &[], span, at(1.0)).unwrap();
    let ClientFrame::Subscribe(asked) = ClientFrame::decode(&asked).unwrap() else { panic!() };
    assert_eq!(asked.until, feed.now(at(1.0)));
    assert!(asked.until.is_some_and(|until| until < span.to()));
}

#[test]
fn a_past_that_takes_too_much_memory_is_not_said_to_be_there() {
    let (mut feed, hello) = cut_off();
    let span = Span::new(TimestampMs::new(900_000), TimestampMs::new(1_000_000)).unwrap();
    feed.recall(&hello.board, &[], span, at(0.0)).unwrap();
    feed.receive_binary(&frame_of(PAST, "latency", 100), at(0.0));
    assert!(matches!(feed.keep_within(1), Some(Msg::PastFailed(_))));
    let subscribed = Subscribed { id: PAST, epoch: 1, seq: 1, restated: Vec::new(), until: Some(span.to()) };
    assert_eq!(feed.receive_text(&ServerFrame::Subscribed(subscribed).encode(), at(0.0)), [Msg::PastLapsed]);
    assert!(feed.past().is_none());
}

#[test]
fn a_past_that_cannot_be_had_ends_nothing_else() {
    let (mut feed, hello) = cut_off();
    let span = Span::new(TimestampMs::new(900_000), TimestampMs::new(1_000_000)).unwrap();
    for (code, subscription) in [("overloaded", Some(PAST)), ("bad_frame", None)] {
        feed.recall(&hello.board, &[], span, at(0.0)).unwrap();
        let error = frame::ErrorFrame { subscription, ..frame::ErrorFrame::new(code, "No.") };
        let facts = feed.receive_text(&ServerFrame::Error(error).encode(), at(0.0));
        assert_eq!(facts, [Msg::PastFailed(format!("The gateway says: No. ({code})"))]);
        assert!(feed.past().is_none());
    }
}
