//! Samples over the WebSocket: checked, stored and answered as those of `POST /ingest`.

use bellwether_wire::frame::{Ack, ErrorFrame, ServerFrame};

use crate::live::Live;
use crate::running::Running;

/// Sends a batch and hears what became of it.
fn push(live: &mut Live, id: u64, rest: &str) -> Result<Ack, ErrorFrame> {
    live.say(&format!(r#"{{"type":"samples","id":{id},{rest}}}"#));
    loop {
        match live.step().unwrap() {
            ServerFrame::Ack(ack) => {
                assert_eq!(ack.id, id);
                return Ok(ack);
            }
            ServerFrame::Error(error) => return Err(error),
            ServerFrame::Tick(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_acknowledged_survives_a_kill_and_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let mut live = Live::open(&gateway);
    // More than a reader may say in a minute.
    for id in 0..150 {
        let rest = format!(r#""key":"till-7:{id}","samples":[{{"name":"m","value":1}},{{"name":"m","value":2}}]"#);
        assert_eq!(push(&mut live, id, &rest), Ok(Ack { id, rejected: Vec::new() }));
    }
    gateway.kill();
    let gateway = Running::start_in(folder.path(), &[]);
    let mut live = Live::open(&gateway);
    let again = r#""key":"till-7:149","samples":[{"name":"m","value":1},{"name":"m","value":2}]"#;
    assert!(push(&mut live, 0, again).is_ok());
    assert_eq!(gateway.result("name=m&window=1h&agg=count"), Some(300.0));
}

#[test]
fn each_refused_sample_is_named_and_the_others_are_kept() {
    let gateway = Running::start(&[]);
    let mut live = Live::open(&gateway);
    let ack = push(
        &mut live,
        7,
        r#""samples":[{"name":"m","value":1},{"name":"m"},{"name":"m","value":3,"timestamp":1},{"name":"m","value":4}]"#,
    )
    .unwrap();
    let refused: Vec<_> = ack.rejected.iter().map(|sample| (sample.index, sample.code.as_str())).collect();
    assert_eq!(refused, [(1, "missing_field"), (2, "too_late")]);
    assert!(ack.rejected.iter().all(|sample| sample.message.len() > 10), "{ack:?}");
    assert_eq!(gateway.result("name=m&window=1h&agg=sum"), Some(5.0));
}

#[test]
fn a_batch_that_cannot_be_taken_is_answered_and_the_connection_stays() {
    let gateway = Running::start(&[]);
    let mut live = Live::open(&gateway);
    let many = vec![r#"{"name":"m","value":1}"#; 10_001].join(",");
    for (id, rest, code) in [
        (1, format!(r#""samples":[{many}]"#), "too_many_samples"),
        (2, r#""key":"","samples":[{"name":"m","value":1}]"#.to_owned(), "bad_idempotency_key"),
    ] {
        let error = push(&mut live, id, &rest).unwrap_err();
        assert_eq!((error.batch, error.code.as_str()), (Some(id), code), "{}", error.message);
    }
    assert!(push(&mut live, 3, r#""key":"a","samples":[{"name":"m","value":1}]"#).is_ok());
    let error = push(&mut live, 4, r#""key":"a","samples":[{"name":"m","value":2}]"#).unwrap_err();
    assert_eq!((error.batch, error.code.as_str()), (Some(4), "bad_idempotency_key"));
    assert_eq!(gateway.result("name=m&window=1h&agg=count"), Some(1.0));
}

/// The close that ends a connection, after whatever else it still says.
fn farewell(live: &mut Live) -> String {
    loop {
        match live.step() {
            Ok(ServerFrame::Ack(_) | ServerFrame::Error(_) | ServerFrame::Tick(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(close) => return close,
        }
    }
}

#[test]
fn batches_of_which_nothing_is_stored_are_counted_as_messages() {
    let gateway = Running::start(&[]);
    for (rest, code) in [(r#""samples":[]"#, None), (r#""key":"","samples":[]"#, Some("bad_idempotency_key"))] {
        let mut live = Live::open(&gateway);
        for id in 0..100 {
            let answer = push(&mut live, id, rest);
            assert_eq!(answer.err().map(|error| error.code).as_deref(), code);
            // Of this one something is: it costs the disk, and counts as nothing else.
            assert!(push(&mut live, 1_000 + id, r#""samples":[{"name":"m","value":1}]"#).is_ok());
        }
        live.say(&format!(r#"{{"type":"samples","id":7,{rest}}}"#));
        assert_eq!(farewell(&mut live), "1008: more than 100 messages in a minute");
    }
    assert_eq!(gateway.result("name=m&window=1h&agg=count"), Some(200.0));
}
