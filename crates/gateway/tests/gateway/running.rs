//! A gateway that runs, and how to talk to it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up.
fn patience() -> Duration {
    Duration::from_secs(rounds(30, 300).into())
}

/// How much a test does: `usual`, or `soak` where the environment says BELLWETHER_SOAK=1.
pub(crate) fn rounds(usual: u32, soak: u32) -> u32 {
    if std::env::var("BELLWETHER_SOAK").is_ok_and(|value| value == "1") { soak } else { usual }
}

/// Tells a figure that a test came to; a soak keeps it.
#[expect(clippy::print_stdout, reason = "a figure is for whoever runs the test")]
pub(crate) fn tell(figure: &str) {
    println!("{figure}");
    if let Some(file) = std::env::var_os("BELLWETHER_SOAK_FIGURES") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
        std::io::Write::write_all(&mut file.unwrap(), format!("{figure}\n").as_bytes()).unwrap();
    }
}

/// A running gateway; it is killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) url: String,
    folder: Option<TempDir>,
}

/// The binary, asked to serve on a free port with the data folder `folder`.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = bare_command();
    command.args(["serve", "--port", "0", "--no-host-metrics", "--data-dir"]).arg(folder);
    // A folder without a page, so that tests do not depend on what was built.
    let no_page = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-page");
    std::fs::create_dir_all(&no_page).unwrap();
    command.arg("--page").arg(no_page);
    command
}

/// The binary without arguments; the environment of whoever runs the tests is not its own.
pub(crate) fn bare_command() -> Command {
    command_of(Path::new(env!("CARGO_BIN_EXE_bellwether")))
}

/// Names the binary as it is built for use, whose speed tells something.
const FOR_USE: &str = "BELLWETHER_BIN";

/// The binary as it is built for use, asked to serve, where the soak names one; else the tests' own. Which it is.
pub(crate) fn command_for_use(folder: &Path) -> (Command, &'static str) {
    let Some(binary) = std::env::var_os(FOR_USE) else { return (command(folder), "the tests' build") };
    let own = command(folder);
    let mut command = command_of(Path::new(&binary));
    command.args(own.get_args());
    (command, "built for use")
}

fn command_of(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BELLWETHER_")) {
        command.env_remove(name);
    }
    command.env("RUST_LOG", "info").stdin(Stdio::null());
    command
}

impl Running {
    /// Starts with a data folder of its own.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut running = Self::start_in(folder.path(), flags);
        running.folder = Some(folder);
        running
    }

    /// Starts with a data folder that may hold something already.
    pub(crate) fn start_in(folder: &Path, flags: &[&str]) -> Self {
        let mut command = command(folder);
        command.args(flags);
        Self::start_command(command)
    }

    /// Starts with a data folder that may hold something already, and hears the log, which must be read.
    pub(crate) fn start_heard(folder: &Path, flags: &[&str]) -> (Self, impl Iterator<Item = String> + use<>) {
        let mut command = command(folder);
        command.args(flags);
        let mut running = Self::start_process(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let log = BufReader::new(running.child.stderr.take().unwrap());
        (running, log.lines().map_while(Result::ok))
    }

    /// Starts with a command line of its own.
    pub(crate) fn start_command(mut command: Command) -> Self {
        Self::start_process(command.stdout(Stdio::piped()).stderr(Stdio::inherit()))
    }

    fn start_process(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url =
            line.trim().strip_prefix("Bellwether is at ").unwrap_or_else(|| panic!("it said {line:?}")).to_owned();
        let running = Self { child, url, folder: None };
        // It says where it is once its store is read. What is encrypted is for its own test to ask.
        if running.url.starts_with("http:") {
            assert_eq!(running.get("/-/ready").status, 200);
        }
        running
    }

    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name, such as HUP.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// SIGTERM; how it ended, and after how long.
    pub(crate) fn terminate(mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let sent = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
        (wait(&mut self.child), began.elapsed())
    }

    /// Memory that the process has now.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1_024
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        Request::get(path).send(self)
    }

    /// Posts a JSON body to `/ingest`.
    pub(crate) fn ingest(&self, body: &str) -> Answer {
        Request::post("/ingest").header("content-type", "application/json").body(body).send(self)
    }

    /// The `result` of a query.
    #[track_caller]
    pub(crate) fn result(&self, query: &str) -> Option<f64> {
        let answer = self.get(&format!("/query?{query}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = answer.json();
        assert!(body["result"].is_number() || body["result"].is_null(), "{body}");
        body["result"].as_f64()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Waits for the end of a process; kills one that does not end.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let pid = child.id().to_string();
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let late = end.recv_timeout(patience()) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
        // It is waited for still, so that the number is its own.
        late && Command::new("kill").arg("-KILL").arg(pid).status().is_ok()
    });
    let status = child.wait().unwrap();
    drop(ended);
    assert!(!watchdog.join().unwrap(), "it does not end");
    status
}

/// Asks again and again until `condition` holds.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < patience(), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a sender has a clock of its own")]
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// What the gateway answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Checks status and error code.
    #[track_caller]
    pub(crate) fn is_error(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.json()["error"]["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert!(self.json()["error"]["message"].as_str().is_some_and(|message| message.len() > 10), "{}", self.body);
        self
    }
}

/// A request in the making.
pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path).body("")
    }

    pub(crate) fn new(method: &'static str, path: &str) -> Self {
        Self { method, path: path.to_owned(), headers: Vec::new(), body: None }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends it and reads the answer. Written by hand on a plain connection, so that any header can
    /// be sent and nothing is added.
    #[track_caller]
    pub(crate) fn send(self, to: &Running) -> Answer {
        use std::io::Write;
        use std::net::TcpStream;

        let mut stream = TcpStream::connect(to.address()).unwrap();
        stream.set_read_timeout(Some(patience())).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            head += &format!("host: {}\r\n", to.address());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            head += &format!("content-length: {}\r\n", body.len());
        }
        head += "\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&self.body.unwrap_or_default()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        read_answer(&bytes)
    }
}

pub(crate) fn read_answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<_> = lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.trim().to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
        body = unchunked(&body);
    }
    Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = bytes.windows(2).position(|two| two == b"\r\n").expect("a chunk has a length");
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).unwrap(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&bytes[line + 2..line + 2 + length]);
        bytes = &bytes[line + 2 + length + 2..];
    }
}

/// Writes a board into `folder`.
pub(crate) fn board(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("board.json");
    std::fs::write(&path, text).unwrap();
    path
}
