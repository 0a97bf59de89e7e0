//! The live feed: history then live, joined without gap or overlap; its limits.

use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_core::query::Aggregation;
use bellwether_wire::frame::ServerFrame;

use crate::live::{Live, connect};
use crate::running::{Running, now_ms, rounds};

#[test]
fn the_greeting_brings_board_and_clock() {
    let gateway = Running::start(&[]);
    let before = now_ms();
    let live = Live::open(&gateway);
    assert!((before..=now_ms()).contains(&live.hello.now.get()));
    assert!(!live.hello.demo);
    assert_eq!(live.hello.title, "Bellwether");
    assert!(!live.hello.board.kpis.is_empty());
    assert!(live.alerts.alerts.is_empty());
}

/// Subscribes again and again while samples come, and counts them all in each client's engine.
fn joins(step: &str, format: &str) {
    let gateway = Running::start(&[]);
    let clients = rounds(12, 40);
    // Enough that samples still come when the last client joins.
    let (batches, batch) = (i64::from(clients) * 10, 7_i64);
    let total = (batches * batch) as u64;
    let sum: i64 = (0..batches).map(|number| number * batch).sum();
    let done = AtomicBool::new(false);
    let lives: Vec<Live> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..batches {
                let samples: Vec<_> = (0..batch)
                    .map(|place| {
                        // Some are late by up to an hour, so that every tier has its share.
                        let timestamp = now_ms() - [0, 0, 0, 5_000, 700_000, 1_900_000, 3_000_000][place as usize];
                        let label = number % 3;
                        format!(r#"{{"name":"m","value":{number},"timestamp":{timestamp},"labels":{{"l":"{label}"}}}}"#)
                    })
                    .collect();
                assert_eq!(gateway.ingest(&format!("[{}]", samples.join(","))).status, 204);
            }
            done.store(true, Ordering::Release);
        });
        let mut joined = Vec::new();
        for client in 0..clients {
            let gateway = &gateway;
            joined.push(scope.spawn(move || {
                // Each one comes when some more samples are there.
                crate::running::until("some samples are there", || {
                    gateway.result("name=m&window=2h&agg=count").unwrap_or(0.0) >= f64::from(client) * 60.0
                });
                let mut live = Live::open(gateway);
                live.subscribe("m", step, format);
                live.until("all samples are counted", |live| {
                    live.subscribed && live.figure("m", Aggregation::Count).count >= total
                });
                live
            }));
        }
        joined.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(done.load(Ordering::Acquire));
    for mut live in lives {
        // Whatever came twice would come by the next tick.
        let mut ticks = 0;
        while ticks < 2 {
            ticks += u32::from(matches!(live.step().unwrap(), ServerFrame::Tick(_)));
        }
        assert_eq!(live.figure("m", Aggregation::Count).value, Some(total as f64), "{step} {format}");
        assert_eq!(live.figure("m", Aggregation::Sum).value, Some(sum as f64), "{step} {format}");
        assert!(live.seqs.is_sorted(), "{:?}", live.seqs);
    }
}

#[test]
fn history_and_live_join_in_binary_steps() {
    joins("1s", "binary");
}

#[test]
fn history_and_live_join_in_binary_raw() {
    joins("raw", "binary");
}

#[test]
fn history_and_live_join_in_json_steps() {
    joins("1s", "json");
}

#[test]
fn history_and_live_join_in_json_raw() {
    joins("raw", "json");
}

#[test]
fn a_page_and_the_gateway_say_the_same() {
    let gateway = Running::start(&[]);
    for number in 0..50 {
        let body = format!(r#"{{"name":"booking_response_time","value":{}}}"#, 100 + number * 7 % 90);
        assert_eq!(gateway.ingest(&body).status, 204);
    }
    let mut live = Live::open(&gateway);
    live.subscribe("booking_response_time", "1s", "binary");
    live.until("the history is there", |live| live.subscribed);
    for (agg, aggregation) in [("avg", "avg"), ("p95", "p95"), ("stddev", "stddev"), ("increase", "increase")] {
        let page = live.figure("booking_response_time", aggregation.parse().unwrap()).value.unwrap();
        let gateway = gateway.result(&format!("name=booking_response_time&window=2h&agg={agg}")).unwrap();
        assert!((page - gateway).abs() <= 1e-9 * gateway.abs(), "{agg}: {page} {gateway}");
    }
}

#[test]
fn a_subscription_is_for_what_it_names() {
    let gateway = Running::start(&[]);
    let mut live = Live::open(&gateway);
    live.say(
        r#"{"type":"subscribe","id":7,"metrics":[{"name":"m","where":["l:yes"],"range":"1h"}],"step":"raw","format":"json"}"#,
    );
    live.until("it is subscribed", |live| live.subscribed);
    for (name, label) in [("m", "no"), ("other", "yes"), ("m", "yes")] {
        gateway.ingest(&format!(r#"{{"name":"{name}","value":1,"labels":{{"l":"{label}"}}}}"#));
    }
    loop {
        if let ServerFrame::Samples(frame) = live.step().unwrap() {
            assert_eq!(frame.header.subscription, 7);
            assert_eq!(frame.series.len(), 1);
            assert_eq!(frame.series[0].key.to_string(), r#"m{l="yes"}"#);
            return;
        }
    }
}

#[test]
fn a_metric_of_too_many_series_is_named_and_the_others_go_on() {
    let gateway = Running::start(&[]);
    let many: Vec<_> =
        (0..2_001).map(|number| format!(r#"{{"name":"many","value":1,"labels":{{"l":"{number}"}}}}"#)).collect();
    assert_eq!(gateway.ingest(&format!("[{}]", many.join(","))).status, 204);
    assert_eq!(gateway.ingest(r#"{"name":"m","value":1}"#).status, 204);
    let mut live = Live::open(&gateway);
    live.say(
        r#"{"type":"subscribe","id":1,"metrics":[{"name":"many","range":"1h"},{"name":"m","range":"1h"}],"step":"1s"}"#,
    );
    let mut errors = Vec::new();
    while !live.subscribed {
        if let ServerFrame::Error(error) = live.step().unwrap() {
            errors.push(error);
        }
    }
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].code, "too_many_series");
    assert!(errors[0].message.contains("many has 2001 series"), "{errors:?}");
    let named: Vec<_> = errors[0].metrics.iter().map(|selection| selection.name.as_str()).collect();
    assert_eq!((errors[0].subscription, named), (Some(1), vec!["many"]));
    assert_eq!(live.figure("m", Aggregation::Count).count, 1);
    assert_eq!(gateway.ingest(&format!(r#"[{},{{"name":"m","value":1}}]"#, many[0])).status, 204);
    live.until("live values come too", |live| live.figure("m", Aggregation::Count).count == 2);
    assert_eq!(live.engine.series_count(), 1, "of the other nothing comes");
}

#[test]
fn a_quiet_feed_ticks() {
    let gateway = Running::start(&[]);
    let mut live = Live::open(&gateway);
    let began = live.now;
    live.until("two ticks came", |live| live.now.since(began).as_millis() > 1_000);
}

#[test]
fn slips_are_answered_and_the_connection_stays() {
    let gateway = Running::start(&[]);
    let mut live = Live::open(&gateway);
    for (said, code) in [
        ("{", "bad_frame"),
        (r#"{"type":"subscribe","id":1,"metrics":[{"name":"m","rnage":"1h"}],"step":"1s"}"#, "bad_frame"),
        (r#"{"type":"subscribe","id":1,"metrics":[{"name":"m"}],"step":"7s"}"#, "bad_step"),
        (r#"{"type":"shout"}"#, "unknown_type"),
        (r#"{"type":"samples","id":1,"samples":[{"}"#, "bad_frame"),
    ] {
        live.say(said);
        loop {
            match live.step().unwrap() {
                ServerFrame::Error(error) => {
                    assert_eq!(error.code, code, "{said}: {}", error.message);
                    break;
                }
                ServerFrame::Tick(_) => {}
                other => panic!("{said}: {other:?}"),
            }
        }
    }
    live.subscribe("m", "1s", "json");
    live.until("it is subscribed", |live| live.subscribed);
}

#[test]
fn a_token_that_nobody_asks_for_is_no_slip() {
    let gateway = Running::start(&[]);
    let mut live = Live::open(&gateway);
    live.say(r#"{"type":"auth","token":"of another gateway"}"#);
    live.say(r#"{"type":"shout"}"#);
    loop {
        match live.step().unwrap() {
            ServerFrame::Error(error) => return assert!(error.message.contains("shout"), "{}", error.message),
            ServerFrame::Tick(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_reader_who_does_not_read_is_let_go_and_holds_up_nobody() {
    let gateway = Running::start(&[]);
    let mut idle = Live::open(&gateway);
    idle.subscribe("m", "raw", "json");
    let mut quick = Live::open(&gateway);
    quick.subscribe("m", "1s", "binary");
    quick.until("it is subscribed", |live| live.subscribed);
    let mut sent = 0;
    let body =
        format!("[{}]", vec![r#"{"name":"m","value":1,"labels":{"l":"some text to fill frames"}}"#; 5_000].join(","));
    crate::running::until("the idle one is let go", || {
        assert_eq!(gateway.ingest(&body).status, 204);
        sent += 5_000;
        gateway.get("/metrics").body.contains("gateway_subscribers_too_slow_total 1")
    });
    quick.until("the quick one has everything", |live| live.figure("m", Aggregation::Count).count == sent);
    // What was on its way still comes; then the connection ends, and may be opened again.
    let end = loop {
        if let Err(end) = idle.step() {
            break end;
        }
    };
    assert!(end.is_empty() || end.starts_with("1013") || end.contains("reset"), "{end}");
    let mut again = Live::open(&gateway);
    again.subscribe("m", "1s", "binary");
    again.until("the history has everything", |live| live.subscribed);
    assert_eq!(again.figure("m", Aggregation::Count).count, sent);
}

#[test]
fn a_goodbye_is_said_back() {
    let gateway = Running::start(&[]);
    let mut live = Live::open(&gateway);
    live.close();
    let end = loop {
        if let Err(end) = live.step() {
            break end;
        }
    };
    assert!(end.starts_with("1000"), "{end}");
    crate::running::until("it is forgotten", || gateway.get("/metrics").body.contains("gateway_subscribers 0"));
}

#[test]
fn a_handshake_is_checked() {
    let gateway = Running::start(&["--allow-origin", "https://status.example.org"]);
    let own = gateway.url.clone();
    let open = |protocol, origin| connect(&gateway, protocol, origin).map(drop);
    assert_eq!(open(Some("bellwether.v1"), None), Ok(()));
    assert_eq!(open(Some("bellwether.v1"), Some(own.as_str())), Ok(()));
    assert_eq!(open(Some("bellwether.v1"), Some("https://status.example.org")), Ok(()));
    assert_eq!(open(Some("chat, bellwether.v1"), None), Ok(()));
    assert_eq!(open(Some("bellwether.v1"), Some("https://evil.example")), Err(403));
    assert_eq!(open(Some("bellwether.v1"), Some("null")), Err(403));
    assert_eq!(open(Some("bellwether.v9"), None), Err(400));
    assert_eq!(open(None, None), Err(400));
    gateway.get("/ws").is_error(400, "bad_handshake");
}

#[test]
fn a_reader_who_says_too_much_is_let_go() {
    let gateway = Running::start(&[]);
    let mut live = Live::open(&gateway);
    for _ in 0..101 {
        live.say(r#"{"type":"shout"}"#);
    }
    let end = loop {
        if let Err(end) = live.step() {
            break end;
        }
    };
    assert!(end.starts_with("1008"), "{end}");

    let mut live = Live::open(&gateway);
    live.say(&"x".repeat(65 * 1024));
    let end = loop {
        if let Err(end) = live.step() {
            break end;
        }
    };
    // What of the message was not read can cut the goodbye short.
    assert!(end.starts_with("1009") || end.contains("reset"), "{end}");
}
