//! A long command behind one line that says how far it is; its whole output goes to a log.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{network, place, shell};

/// Most lines of the output that are shown when the command fails.
const SHOWN_ON_FAILURE: usize = 60;
/// From so many parts before the end on, the line names what is compiled.
const LAST_PARTS: u32 = 2;
/// How often the line is written anew on a terminal.
const WATCHED_STEP: Duration = Duration::from_millis(500);
/// How often a line is printed where there is no terminal.
const QUIET_STEP: Duration = Duration::from_secs(30);

/// Runs `command`, shows one line of progress, keeps its output in `target/xtask/<name>.log`.
///
/// # Errors
/// A plain sentence when the network is the reason, else what the command said of it.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<()> {
    follow(name, None, command)
}

/// The same for a build of ours: says that it builds, and what that takes (`cost`), once there is something to compile,
/// and how long it took.
///
/// # Errors
/// As [`run`].
pub(crate) fn build(name: &str, cost: &str, command: &mut Command) -> Result<()> {
    follow(name, Some(cost), command)
}

fn follow(name: &str, cost: Option<&str>, command: &mut Command) -> Result<()> {
    std::fs::create_dir_all(place::state())?;
    let log_path = place::state().join(format!("{}.log", name.replace(' ', "-")));
    let mut log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
    let shown = shell::show(command);
    let mut child = command
        // Cargo's own progress, which carries exact counts, is drawn for terminals alone unless it is told to.
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "80")
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;

    let (sender, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender);
    }
    let mut course = Course::begin(name, cost);
    course.read(&lines, &mut log)?;
    let status = child.wait()?;
    if status.success() {
        if course.announced && cost.is_some() {
            eprintln!("Built the {name} in {}.", spoken(course.start.elapsed()));
        }
        return Ok(());
    }
    let said = course.said.into_iter().collect::<Vec<_>>();
    if network::is_named(&said) {
        return Err(network::unreachable(name));
    }
    anyhow::bail!("{}\n\n`{shown}` failed ({status}); all of its output is in {}", said.join("\n"), log_path.display())
}

/// Sends each line of `source`; a line that a program would write anew on a terminal ends with a carriage return.
fn forward(mut source: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        let mut line = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = source.read(&mut bytes) {
            for byte in bytes.iter().take(count) {
                if !matches!(byte, b'\n' | b'\r') {
                    line.push(*byte);
                } else if !line.is_empty() {
                    // Whoever listened may have ended; then the rest is for nobody.
                    let _ = sender.send(String::from_utf8_lossy(&line).trim_end().to_owned());
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            let _ = sender.send(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
    });
}

/// How far a command is, and what it said.
struct Course<'a> {
    name: &'a str,
    /// What a build costs, to be said once there is something to compile.
    cost: Option<&'a str>,
    start: Instant,
    /// Parts compiled, and how many there are.
    compiled: Option<(u32, u32)>,
    /// What is being compiled, as cargo says it.
    at_work: String,
    announced: bool,
    /// The last lines; once there is an error, the lines from the first one on.
    said: VecDeque<String>,
    failing: bool,
}

impl<'a> Course<'a> {
    fn begin(name: &'a str, cost: Option<&'a str>) -> Self {
        let start = Instant::now();
        Self {
            name,
            cost,
            start,
            compiled: None,
            at_work: String::new(),
            announced: false,
            said: VecDeque::new(),
            failing: false,
        }
    }

    /// Shows the progress until both outputs have ended.
    fn read(&mut self, lines: &Receiver<String>, log: &mut File) -> Result<()> {
        let watched = shell::watched();
        let step = if watched { WATCHED_STEP } else { QUIET_STEP };
        let mut next = self.start + step;
        loop {
            match lines.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(announcement) = self.take(line, log)? {
                        eprintln!("{announcement}");
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    if watched {
                        eprint!("\r\x1b[2K{}", self.line());
                    } else {
                        eprintln!("{}", self.line());
                    }
                    next = Instant::now() + step;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if watched {
            eprint!("\r\x1b[2K");
        }
        Ok(())
    }

    /// Takes a line of the output; returns what is to be said because of it.
    fn take(&mut self, line: String, log: &mut impl Write) -> Result<Option<String>> {
        if let Some((counts, at_work)) = counts(&line) {
            self.compiled = Some(counts);
            at_work.clone_into(&mut self.at_work);
            return Ok(None);
        }
        writeln!(log, "{line}")?;
        let compiles = line.trim_start().starts_with("Compiling ");
        if !self.failing && is_error(&line) {
            self.failing = true;
            self.said.clear();
        }
        if self.said.len() < SHOWN_ON_FAILURE {
            self.said.push_back(line);
        } else if !self.failing {
            self.said.pop_front();
            self.said.push_back(line);
        }
        if self.announced || !compiles {
            return Ok(None);
        }
        self.announced = true;
        Ok(self.cost.map(|cost| format!("Building the {} ({cost}).", self.name)))
    }

    fn line(&self) -> String {
        let time = spoken(self.start.elapsed());
        match self.compiled {
            // The last parts take the longest; the line is to say that something is going on.
            Some((done, all)) if done + LAST_PARTS >= all && !self.at_work.is_empty() => {
                format!("  {}: {done} of {all} parts compiled, {time}, at work on {}", self.name, self.at_work)
            }
            Some((done, all)) => format!("  {}: {done} of {all} parts compiled, {time}", self.name),
            None => format!("  {}: working, {time}", self.name),
        }
    }
}

/// The counts in cargo's own progress, and what it is at work on: `Building [=====>   ] 12/340: serde, syn`.
fn counts(line: &str) -> Option<((u32, u32), &str)> {
    let (_, after) = line.trim_start().strip_prefix("Building [")?.split_once("] ")?;
    let (done, rest) = after.split_once('/')?;
    let (all, at_work) = rest.split_once(": ").unwrap_or((rest, ""));
    Some(((done.trim().parse().ok()?, all.trim().parse().ok()?), at_work))
}

/// Whether a compiler, cargo, npm or apt-get begins to say what is wrong.
fn is_error(line: &str) -> bool {
    ["error:", "error[", "npm error", "npm ERR!", "E: "].iter().any(|start| line.starts_with(start))
}

/// A duration as a person says it: `8 s`, `1 min 05 s`.
pub(crate) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {:02} s", seconds / 60, seconds % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_counts_are_read() {
        assert_eq!(counts("    Building [=>      ] 3/14: quote(build), syn…"), Some(((3, 14), "quote(build), syn…")));
        assert_eq!(counts("    Building [=======>] 112/340"), Some(((112, 340), "")));
        assert_eq!(counts("   Compiling syn v3.0.9"), None);
        assert_eq!(counts("    Building [of a house] some/day"), None);
    }

    #[test]
    fn a_build_is_announced_once_and_only_when_there_is_something_to_compile() {
        let mut course = Course::begin("page", Some("about 2 minutes"));
        let mut log = Vec::new();
        let mut said = Vec::new();
        for line in ["    Blocking waiting", "   Compiling a v1", "    Building [>  ] 1/9: a", "   Compiling b v1"] {
            said.extend(course.take(line.to_owned(), &mut log).unwrap());
        }
        assert_eq!(said, ["Building the page (about 2 minutes)."]);
        assert_eq!(course.line(), "  page: 1 of 9 parts compiled, 0 s");
        let log = String::from_utf8(log).unwrap();
        assert_eq!(log, "    Blocking waiting\n   Compiling a v1\n   Compiling b v1\n", "the drawn bar is not kept");
    }

    #[test]
    fn the_last_parts_are_named() {
        let mut course = Course::begin("gateway", None);
        for line in ["    Building [=>  ] 1/9: syn", "    Building [===>] 8/9: bellwether_gateway(bin)"] {
            course.take(line.to_owned(), &mut Vec::new()).unwrap();
        }
        assert_eq!(course.line(), "  gateway: 8 of 9 parts compiled, 0 s, at work on bellwether_gateway(bin)");
    }

    #[test]
    fn what_is_shown_of_a_failure_begins_with_the_error_and_has_an_end() {
        let mut course = Course::begin("page", None);
        for line in (0..100).map(|n| format!("line {n}")).chain(["error[E0308]: mismatched types".to_owned()]) {
            course.take(line, &mut Vec::new()).unwrap();
        }
        for n in 0..100 {
            course.take(format!("note {n}"), &mut Vec::new()).unwrap();
        }
        assert_eq!(course.said.len(), SHOWN_ON_FAILURE);
        assert_eq!(course.said[0], "error[E0308]: mismatched types");
    }

    #[test]
    fn a_line_written_anew_counts_as_a_line() {
        let (sender, lines) = channel();
        forward(&b"one\rtwo\r\nthree"[..], sender);
        assert_eq!(lines.iter().collect::<Vec<_>>(), ["one", "two", "three"]);
    }
}
