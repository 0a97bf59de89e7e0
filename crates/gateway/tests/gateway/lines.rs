//! InfluxDB's line protocol, and the text of a `/metrics` page, pushed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::running::{Answer, Request, Running, now_ms};

fn post(gateway: &Running, path: &str, body: &str) -> Answer {
    Request::post(path).body(body).send(gateway)
}

#[test]
fn fields_become_metrics_and_tags_labels() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let body = format!(
        "# a comment of 5\" with \\\n\
         cpu,host=a\\ b,core=0 usage_idle=97.5,interrupts_total=10i {now}000000\n\
         cpu,host=a\\ b,core=0 interrupts_total=14i,up=true {}000000\r\n\
         \n\
         my\\,disk,path=/ used=18446744073709551615u {now}000000\n\
         now value=1\n",
        now + 1,
    );
    let answer = post(&gateway, "/write?db=telegraf", &body);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(gateway.result("name=cpu_usage_idle&window=5m&agg=last&where=host:a%20b&where=core:0"), Some(97.5));
    assert_eq!(gateway.result("name=cpu_interrupts_total&window=5m&agg=increase"), Some(4.0));
    assert_eq!(gateway.result("name=cpu_up&window=5m&agg=last"), Some(1.0));
    assert_eq!(gateway.result("name=my%2Cdisk_used&window=5m&agg=last"), Some(18_446_744_073_709_551_615.0));
    assert_eq!(gateway.result("name=now_value&window=5m&agg=count"), Some(1.0));
    // Sent again, what has a timestamp counts once.
    assert_eq!(post(&gateway, "/write", &body).status, 204);
    assert_eq!(gateway.result("name=cpu_interrupts_total&window=5m&agg=count"), Some(2.0));
}

#[test]
fn timestamps_have_the_precision_that_is_named() {
    let gateway = Running::start(&[]);
    let now_secs = now_ms() / 1_000;
    for (precision, timestamp) in
        [("s", now_secs), ("ms", now_secs * 1_000), ("us", now_secs * 1_000_000), ("n", now_secs * 1_000_000_000)]
    {
        let path = format!("/api/v2/write?org=o&bucket=b&precision={precision}");
        let answer = post(&gateway, &path, &format!("m{precision} v=1 {timestamp}"));
        assert_eq!(answer.status, 204, "{}", answer.body);
        assert_eq!(gateway.result(&format!("name=m{precision}_v&window=5m&agg=count")), Some(1.0), "{precision}");
    }
    let answer = post(&gateway, "/api/v2/write?precision=days", "m v=1");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("bad_precision")));
}

#[test]
fn what_is_wrong_with_a_line_is_told_and_the_others_are_kept() {
    let gateway = Running::start(&[]);
    let body = "good v=1\n\
                texts s=\"a, b=c \n d\",v=2\n\
                ,nameless=1 v=1\n\
                no_field\n\
                no_value v=\n\
                word v=abc\n\
                late v=1 yesterday\n\
                tag,t v=1\n\
                good v=NaN\n\
                last v=3\n";
    let answer = post(&gateway, "/api/v2/write", body);
    assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("invalid")), "{}", answer.body);
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("partial write: 8 of 11 samples were refused"), "{message}");
    assert!(message.contains("line 2: texts_s is a text"), "{message}");
    assert_eq!(gateway.result("name=texts_v&window=5m&agg=sum"), Some(2.0));
    assert_eq!(gateway.result("name=last_v&window=5m&agg=sum"), Some(3.0));
    let metrics = gateway.get("/metrics").body;
    for (reason, count) in [("bad_line", 4), ("bad_value", 4)] {
        let line = format!("gateway_samples_rejected_total{{reason=\"{reason}\"}} {count}");
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    let first = post(&gateway, "/write", "m v=x").json();
    assert!(first["error"].as_str().unwrap().contains("line 1"), "version 1 says it in one text: {first}");
    let mebibyte = post(&gateway, "/write", &" ".repeat((1 << 20) + 1));
    assert_eq!((mebibyte.status, mebibyte.json()["code"].as_str()), (413, Some("body_too_large")));
    let many = "m v=1\n".repeat(10_001);
    assert_eq!(post(&gateway, "/write", &many).json()["code"], "too_many_samples");
    assert_eq!(gateway.result("name=m_v&window=5m&agg=count"), None);
}

#[test]
fn the_text_of_a_metrics_page_may_be_pushed() {
    let gateway = Running::start(&[]);
    let now = now_ms();
    let page = |count: i64, at: i64| {
        format!(
            "# HELP jobs Jobs.\n# TYPE jobs counter\njobs{{queue=\"a\\\"b\\n\",host=\"h\",}} {count} {at}\n\
             # TYPE load gauge\nload 0.5\nnan NaN\n"
        )
    };
    let path = "/api/v1/import/prometheus?extra_label=job=nightly&extra_label=host=other";
    let first = post(&gateway, path, &page(1, now - 2_000));
    assert_eq!(
        (first.status, first.json()["rejected"][0]["code"].as_str()),
        (400, Some("bad_value")),
        "{}",
        first.body
    );
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(page(5, now - 1_000).replace("nan NaN\n", "").as_bytes()).unwrap();
    let second = Request::post(path).header("content-type", "text/plain; version=0.0.4");
    let second = second.header("content-encoding", "gzip").body(packed.finish().unwrap()).send(&gateway);
    assert_eq!(second.status, 204, "{}", second.body);
    assert_eq!(gateway.result("name=jobs&window=5m&agg=increase&where=job:nightly&where=host:h"), Some(4.0));
    assert_eq!(gateway.result("name=load&window=5m&agg=count&where=host:other"), Some(2.0));

    let open = format!(
        "# TYPE done counter\ndone_total 3 {}.5 # {{trace_id=\"x\"}} 1\n{{\"utf8.name\",\"a.b\"=\"c\"}} 7\n# EOF\n",
        now / 1_000 - 10
    );
    let send = |content_type: &str, body: &str| {
        Request::post("/api/v1/import/prometheus").header("content-type", content_type).body(body).send(&gateway)
    };
    let answer = send("application/openmetrics-text; version=1.0.0", &open);
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(gateway.result("name=done_total&window=5m&agg=last"), Some(3.0));
    assert_eq!(gateway.result("name=utf8.name&window=5m&agg=last&where=a.b:c"), Some(7.0));
    assert!(gateway.get("/metrics").body.contains("gateway_exemplars_dropped_total 1"));
    send("application/json", "{}").is_error(415, "unsupported_content_type");
    let wrong = "no_value\nm{a=b} 1\nm{a=\"b\" 1\nm 1 2 3\nm{__name__=\"x\"} 1\n";
    let answer = send("text/plain", wrong).json();
    assert_eq!((answer["refused"].as_u64(), answer["accepted"].as_u64()), (Some(5), Some(0)), "{answer}");
}
