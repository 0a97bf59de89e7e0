//! The settings file, the environment and the flags: which counts, and what is said of a fault.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::running::{Request, Running, bare_command, board, command};

fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("bellwether.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn a_flag_counts_more_than_the_environment_and_that_more_than_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "[limits]\nbody = \"100B\"\n");
    let longest_body = |variable: Option<&str>, flag: Option<&str>| {
        let data = tempfile::tempdir().unwrap();
        let mut command = command(data.path());
        command.arg("--config").arg(&path).env_remove("BELLWETHER_LIMITS_BODY");
        command.envs(variable.map(|size| ("BELLWETHER_LIMITS_BODY", size)));
        command.args(flag.map(|size| format!("--limits-body={size}")));
        let gateway = Running::start_command(command);
        let answer = gateway.ingest(&" ".repeat(1_000));
        answer.is_error(413, "body_too_large");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        message.split(' ').find_map(|word| word.parse::<u32>().ok()).unwrap()
    };
    assert_eq!(longest_body(None, None), 100);
    assert_eq!(longest_body(Some("200B"), None), 200);
    assert_eq!(longest_body(Some("200B"), Some("300B")), 300);
}

#[test]
fn the_file_of_the_working_directory_is_read_and_its_paths_count_from_it() {
    let folder = tempfile::tempdir().unwrap();
    board(folder.path(), r#"{"title":"Of the file"}"#);
    file(
        folder.path(),
        "[page]\nboard = \"board.json\"\ndir = \"no-page\"\n[server]\nport = 0\n[store]\ndata_dir = \"kept\"\n",
    );
    std::fs::create_dir(folder.path().join("no-page")).unwrap();
    let mut command = bare_command();
    command.args(["serve", "--no-host-metrics"]).current_dir(folder.path());
    let gateway = Running::start_command(command);
    assert_eq!(gateway.get("/api/v1/board").json()["title"], "Of the file");
    assert!(folder.path().join("kept").is_dir());
}

#[test]
fn every_fault_of_a_file_is_said_at_once_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "[server]\nprot = 4001\n\n[store]\nretention = \"10y\"\n");
    let expected = [
        "bellwether.toml has 2 faults",
        "line 2, column 1: there is no setting \"prot\" in [server]; did you mean port?",
        "line 5, column 13: store.retention: 3650d is out of range; give 1d to 92d",
    ];
    let check = bare_command().arg("check").arg(&path).output().unwrap();
    let data = folder.path().join("data");
    let start = command(&data).arg("--config").arg(&path).output().unwrap();
    for output in [check, start] {
        assert_eq!(output.status.code(), Some(1));
        for line in expected {
            assert!(said(&output).contains(line), "{line} is not in {}", said(&output));
        }
    }
    assert!(!data.exists(), "a start that fails leaves nothing behind");
    let none = bare_command().arg("check").arg(folder.path().join("none.toml")).output().unwrap();
    assert!(said(&none).contains("none.toml cannot be read"), "{}", said(&none));
}

#[test]
fn a_file_and_its_board_are_checked_together() {
    let folder = tempfile::tempdir().unwrap();
    board(folder.path(), r#"{"title":"T","kpis":1}"#);
    let path = file(folder.path(), "[page]\nboard = \"board.json\"\n");
    let check = || bare_command().arg("check").arg(&path).output().unwrap();
    let output = check();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("board.json") && said(&output).contains("kpis"), "{}", said(&output));
    board(folder.path(), r#"{"title":"T"}"#);
    assert_eq!(said(&check()), "ok\n");
    // Without a name it is the file of the working directory.
    let here = bare_command().arg("check").current_dir(folder.path()).output().unwrap();
    assert_eq!(said(&here), "ok\n");
}

#[test]
fn the_file_that_config_shows_is_right_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shown = bare_command().arg("config").output().unwrap();
    let path = file(folder.path(), &said(&shown));
    assert!(said(&shown).contains("#port = 4000\n"), "{}", said(&shown));
    assert_eq!(said(&bare_command().arg("check").arg(path).output().unwrap()), "ok\n");
}

#[test]
fn a_wrong_variable_is_said_like_a_wrong_flag() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path()).env("BELLWETHER_RETENTION", "10y").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--retention") && said(&output).contains("give 1d to 92d"), "{}", said(&output));
    let output = command(folder.path()).env("BELLWETHER_DEMO", "perhaps").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let secret = "http://127.0.0.1:1/hook-of-nobody-else";
    let output = bare_command().args(["serve", "--help"]).env("BELLWETHER_ALERT_WEBHOOK", secret).output().unwrap();
    assert!(!said(&output).contains("hook-of-nobody-else"), "a secret is not shown");
}

#[test]
fn limits_are_those_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path =
        file(folder.path(), "[limits]\nseries = 2\nfuture = \"1m\"\nhead = \"8KiB\"\n[log]\nformat = \"json\"\n");
    let data = tempfile::tempdir().unwrap();
    let (gateway, log) = Running::start_heard(data.path(), &["--config", path.to_str().unwrap()]);
    let later = crate::running::now_ms() + 120_000;
    let answer = gateway.ingest(&format!(r#"{{"name":"a","value":1,"timestamp":{later}}}"#));
    assert_eq!(answer.json()["rejected"][0]["code"], "too_new", "{}", answer.body);
    let many: Vec<_> = (0..60).map(|n| format!(r#"{{"name":"m{n}","value":1}}"#)).collect();
    let answer = gateway.ingest(&format!("[{}]", many.join(",")));
    assert_eq!(answer.json()["rejected"][0]["code"], "too_many_series", "{}", answer.body);
    let answer = Request::get("/-/healthy").header("x-long", &"x".repeat(9_000)).send(&gateway);
    assert_eq!(answer.status, 431);
    gateway.terminate();
    let log: Vec<_> = log.collect();
    for line in &log {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    assert!(log.len() > 2, "{log:?}");
}
