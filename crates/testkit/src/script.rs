//! Scripts that read like the spec: samples in, figures and alerts out, run against any [`Target`].
//!
//! ```text
//! # A comment. Times are lengths since the start: 0, 40s, 1h30m.
//! kind latency observation                           # as a board declares it; may end in => refused "kept"
//! load 10s  latency{route="/a"}  1 2 _ 4 1+1x3        # one value each 10 s from 0 on; _ is none; 1+1x3 is 1 2 3 4
//! load 10s from 5s  latency  7 8                      # the same from 5 s on
//! put  latency  7@1500ms 8@3s                         # values at their own times
//! late 50s  latency  7@12s  => accepted               # they arrive at 50 s; accepted, too_late or too_new
//! at 40s  p50 latency [1m]  =>  3 ±1%                 # also ±0.5, null; without ± equal to nine digits
//! at 40s  avg latency{route=~"/a|/b"} [1m] by (route) => {route="/a"} 3, {route="/b"} null
//! at 40s  last memory [1m] across sum => 12           # merge sum avg min max
//! at 40s  avg latency [500ms] => 3 over 39s 40s       # the range that is really covered
//! at 40s  increase errors [1m] / increase all [1m] => 0.5
//! at 40s  rate memory [1m] => refused "gauge"         # an error whose text holds this
//! every 10s                                           # how often rules are evaluated; 1 s unless told
//! rule Slow: max latency [1m] > 4 for 20s keep_firing_for 1m offset 15s no_data fire severity page labels {team="a"}
//! at 50s  alerts  =>  Slow pending, Other{route="/a"} firing stale value 5 since 40s
//! at 55s  alerts  =>  none
//! at 55s  failures  =>  "two alerts"                  # a rule failed with this text; or none
//! at 55s  scorecard  =>  4.5 4.2 1                    # days, score, conflicts
//! at 55s  kpi avg latency [1m] lower target 300 unit ms  =>  met 276 by -24 percent -8   # or higher; not_met
//! at 55s  kpi increase errors [1m] / increase all [1m] lower target 0.1 unit ratio  =>  met 0.05 points -1
//! at 55s  kpi avg latency [1m] lower unit ms  =>  no_target 276 by 276     # nothing in percent of zero
//! at 55s  kpi avg other [1m] lower target 300  =>  no_figure            # and no trend
//! clear                                               # all is forgotten and time begins anew
//! ```
//!
//! A sample of `load` and `put` arrives at its own timestamp. Rules are evaluated at 0 and then
//! each interval, after the samples of that instant, up to the time of the next `at`; a rule further
//! down is evaluated from the time that has been reached.

mod line;
mod parse;
mod run;

use std::path::{Path, PathBuf};

use bellwether_core::kpi::Kpi;
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::Expression;
use bellwether_core::rule::Rule;
use bellwether_core::sample::Kind;
use bellwether_core::time::DurationMs;

pub use self::run::{Mismatch, Report, RunError};
use crate::target::Acceptance;
#[cfg(doc)]
use crate::target::Target;

/// A script that was read and holds together.
#[derive(Clone, Debug)]
pub struct Script {
    name: String,
    lines: Vec<(usize, Statement)>,
}

/// Why a script could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A line that is not of the language.
    #[error("{script}:{line}:{column}: {reason}")]
    Syntax {
        /// The script's name.
        script: String,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What was expected, or what is wrong.
        reason: String,
    },
    /// A script without a single `=>`.
    #[error("{script}: it checks nothing; add a line with =>")]
    NoChecks {
        /// The script's name.
        script: String,
    },
    /// A file or folder that could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Script {
    /// Reads a script; `name` stands in its errors.
    ///
    /// # Errors
    /// [`ScriptError::Syntax`] with the line and column; [`ScriptError::NoChecks`].
    pub fn parse(name: &str, text: &str) -> Result<Self, ScriptError> {
        parse::script(name, text)
    }

    /// Reads the scripts of a folder, `*.test`, sorted by name.
    ///
    /// # Errors
    /// [`ScriptError`] of the first script that cannot be read or does not hold together.
    pub fn read_folder(folder: &Path) -> Result<Vec<Self>, ScriptError> {
        let failed = |source| ScriptError::Read { path: folder.to_owned(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "test") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut scripts = Vec::new();
        for path in paths {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let text = std::fs::read_to_string(&path).map_err(|source| ScriptError::Read { path, source })?;
            scripts.push(Self::parse(&name, &text)?);
        }
        Ok(scripts)
    }

    /// The script's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How far its times go, for targets whose clock cannot be set: with its start that far before
    /// their now, the script ends now.
    #[must_use]
    pub fn length(&self) -> DurationMs {
        let times = self.lines.iter().filter_map(|(_, statement)| match statement {
            Statement::Load { samples, .. } => samples.iter().map(|(time, _)| *time).max(),
            Statement::Late { arrival, samples, .. } => samples.iter().map(|(time, _)| *time).chain([*arrival]).max(),
            Statement::Query { at, .. }
            | Statement::Kpi { at, .. }
            | Statement::Alerts { at, .. }
            | Statement::Failures { at, .. }
            | Statement::Scorecard { at, .. } => Some(*at),
            Statement::Kind { .. } | Statement::Every(_) | Statement::Rule(_) | Statement::Clear => None,
        });
        times.max().unwrap_or(DurationMs::ZERO)
    }

    /// Whether it has rules, for targets that cannot be told which rules to evaluate.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        self.lines.iter().any(|(_, statement)| matches!(statement, Statement::Rule(_)))
    }

    /// Whether it asks for KPIs, for targets that have none.
    #[must_use]
    pub fn has_kpis(&self) -> bool {
        self.lines.iter().any(|(_, statement)| matches!(statement, Statement::Kpi { .. }))
    }

    /// Whether it has samples that arrive late, for targets that cannot be told what time it is.
    #[must_use]
    pub fn has_late_samples(&self) -> bool {
        self.lines.iter().any(|(_, statement)| matches!(statement, Statement::Late { .. }))
    }
}

/// One line of a script. Times are lengths since the script's start.
#[derive(Clone, Debug)]
enum Statement {
    Kind { metric: MetricName, kind: Kind, refused: Option<String> },
    Load { series: SeriesKey, samples: Vec<(DurationMs, f64)> },
    Late { arrival: DurationMs, series: SeriesKey, samples: Vec<(DurationMs, f64)>, expected: Acceptance },
    Every(DurationMs),
    Rule(Box<Rule>),
    Query { at: DurationMs, text: String, expression: Box<Expression>, expected: Expected },
    Alerts { at: DurationMs, expected: Vec<ExpectedAlert> },
    Failures { at: DurationMs, expected: Vec<String> },
    Scorecard { at: DurationMs, expected: [ExpectedNumber; 3] },
    Kpi { at: DurationMs, text: String, kpi: Box<Kpi>, expected: ExpectedKpi },
    Clear,
}

/// What a query should answer; of one figure also what range it should cover, if that is said.
#[derive(Clone, Debug, PartialEq)]
enum Expected {
    One(Option<ExpectedNumber>, Option<(DurationMs, DurationMs)>),
    Groups(Vec<(Labels, Option<ExpectedNumber>)>),
    Refused(String),
}

/// A number and how far from it an answer may be; where that is not said, nine digits must agree.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ExpectedNumber {
    value: f64,
    tolerance: Option<f64>,
}

/// What a KPI should show.
#[derive(Clone, Debug, PartialEq)]
struct ExpectedKpi {
    standing: String,
    value: Option<ExpectedNumber>,
    by: Option<ExpectedNumber>,
    percent: Option<ExpectedNumber>,
    points: Option<ExpectedNumber>,
}

/// An alert as it should be; what is `None` is not compared.
#[derive(Clone, Debug, PartialEq)]
struct ExpectedAlert {
    rule: String,
    labels: Labels,
    state: String,
    freshness: Freshness,
    value: Option<ExpectedNumber>,
    since: Option<DurationMs>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    Fresh,
    Stale,
}
