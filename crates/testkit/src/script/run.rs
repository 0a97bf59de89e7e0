//! Runs a script against a target.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use bellwether_core::kpi::Trend;
use bellwether_core::labels::{Labels, SeriesKey};
use bellwether_core::query::Expression;
use bellwether_core::rule::Rule;
use bellwether_core::sample::Sample;
use bellwether_core::time::{DurationMs, TimestampMs};

use super::{Expected, ExpectedAlert, ExpectedKpi, ExpectedNumber, Freshness, Script, Statement};
use crate::target::{Acceptance, Figure, SeenAlert, SeenKpi, Target};

/// What a run checked, where all was as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many lines were checked.
    pub checks: usize,
}

/// One line that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{script}:{line}: {what}: expected {expected}, found {found}")]
pub struct Mismatch {
    /// The script's name.
    pub script: String,
    /// The line, from 1.
    pub line: usize,
    /// What was asked.
    pub what: String,
    /// What the script says.
    pub expected: String,
    /// What the target says.
    pub found: String,
}

/// Why a script does not hold for a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Lines that did not hold; the others did.
    #[error("{}", lines(.0))]
    Mismatches(Vec<Mismatch>),
    /// A line that could not be carried out; the run ended there.
    #[error("{script}:{line}: {reason}")]
    Broken {
        /// The script's name.
        script: String,
        /// The line, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
}

fn lines(mismatches: &[Mismatch]) -> String {
    mismatches.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Script {
    /// Runs the script against targets made by `make`: one at the start and one after each `clear`.
    ///
    /// Time 0 of the script is `start`; make it a multiple of the widest time bucket, so that
    /// windows begin where the script says.
    ///
    /// # Errors
    /// [`RunError`] with every line that did not hold, or the one at which the run had to end.
    pub fn run<T: Target>(&self, start: TimestampMs, mut make: impl FnMut() -> T) -> Result<Report, RunError> {
        let mut run = Run::new(start, make());
        let mut mismatches = Vec::new();
        let mut checks = 0;
        for (line, statement) in &self.lines {
            if matches!(statement, Statement::Clear) {
                run = Run::new(start, make());
                continue;
            }
            match run.carry_out(statement) {
                Ok(Outcome::Done) => {}
                Ok(Outcome::Holds) => checks += 1,
                Ok(Outcome::Differs { what, expected, found }) => {
                    checks += 1;
                    mismatches.push(Mismatch { script: self.name.clone(), line: *line, what, expected, found });
                }
                Err(reason) => return Err(RunError::Broken { script: self.name.clone(), line: *line, reason }),
            }
        }
        if mismatches.is_empty() { Ok(Report { checks }) } else { Err(RunError::Mismatches(mismatches)) }
    }
}

enum Outcome {
    /// There was nothing to compare.
    Done,
    Holds,
    Differs {
        what: String,
        expected: String,
        found: String,
    },
}

struct Run<T> {
    target: T,
    start: TimestampMs,
    /// How far the target's time has come; nothing before the first `at`.
    reached: Option<DurationMs>,
    /// Samples that have not arrived yet, by the time of their arrival.
    waiting: BTreeMap<DurationMs, Vec<(SeriesKey, Sample)>>,
    rules: Vec<Rule>,
    interval: DurationMs,
    next_evaluation: DurationMs,
}

impl<T: Target> Run<T> {
    fn new(start: TimestampMs, target: T) -> Self {
        Self {
            target,
            start,
            reached: None,
            waiting: BTreeMap::new(),
            rules: Vec::new(),
            interval: DurationMs::from_secs(1),
            next_evaluation: DurationMs::ZERO,
        }
    }

    fn carry_out(&mut self, statement: &Statement) -> Result<Outcome, String> {
        match statement {
            Statement::Kind { metric, kind, refused: None } => self.target.declare(metric, *kind)?,
            Statement::Kind { metric, kind, refused: Some(reason) } => {
                let found = self.target.declare(metric, *kind);
                if found.as_ref().is_err_and(|error| error.contains(reason.as_str())) {
                    return Ok(Outcome::Holds);
                }
                let found = found.map_or_else(|error| format!("the error {error:?}"), |()| "it declared".to_owned());
                let what = format!("kind {metric} {}", kind.as_str());
                return Ok(Outcome::Differs { what, expected: format!("an error with {reason:?}"), found });
            }
            Statement::Load { series, samples } => {
                for (time, value) in samples {
                    let sample = self.sample(*time, *value)?;
                    self.not_past(*time)?;
                    self.waiting.entry(*time).or_default().push((series.clone(), sample));
                }
            }
            Statement::Late { arrival, series, samples, expected } => {
                return self.late(*arrival, series, samples, *expected);
            }
            Statement::Every(interval) => self.interval = *interval,
            Statement::Rule(rule) => {
                self.rules.push(Rule::clone(rule));
                self.target.set_rules(&self.rules)?;
                // A new rule is evaluated from now on, also where now was evaluated without it:
                // the same rules over the same samples change nothing.
                if let Some(reached) = self.reached
                    && plus(reached, self.interval) == self.next_evaluation
                {
                    self.next_evaluation = reached;
                }
            }
            Statement::Query { at, text, expression, expected } => {
                self.go_to(*at)?;
                return Ok(self.query(*at, text, expression, expected));
            }
            Statement::Kpi { at, text, kpi, expected } => {
                self.go_to(*at)?;
                let found = self.target.kpi(kpi, self.start + *at)?;
                if expected.holds(&found) {
                    return Ok(Outcome::Holds);
                }
                let (expected, found) = (expected.to_string(), seen_kpi(&found));
                return Ok(Outcome::Differs { what: format!("at {at} {text}"), expected, found });
            }
            Statement::Alerts { at, expected } => {
                self.go_to(*at)?;
                return self.alerts(*at, expected);
            }
            Statement::Failures { at, expected } => {
                self.go_to(*at)?;
                let found = self.target.failures()?;
                let holds = found.len() == expected.len()
                    && expected.iter().zip(&found).all(|(expected, found)| found.contains(expected.as_str()));
                if !holds {
                    let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
                    return Ok(Outcome::Differs { what: format!("at {at} failures"), expected, found });
                }
                return Ok(Outcome::Holds);
            }
            Statement::Scorecard { at, expected } => {
                self.go_to(*at)?;
                let card = self.target.scorecard(self.start + *at)?;
                let found = [card.avg_resolution_time, card.avg_satisfaction, card.total_conflicts];
                let holds = expected.iter().zip(found).all(|(expected, found)| expected.holds(Some(found)));
                if !holds {
                    let wanted = expected.map(|number| number.value);
                    let (expected, found) = (format!("{wanted:?}"), format!("{found:?}"));
                    return Ok(Outcome::Differs { what: format!("at {at} scorecard"), expected, found });
                }
                return Ok(Outcome::Holds);
            }
            // The runner begins anew before it comes here.
            Statement::Clear => {}
        }
        Ok(Outcome::Done)
    }

    fn sample(&self, time: DurationMs, value: f64) -> Result<Sample, String> {
        Sample::new(self.start + time, value).map_err(|error| error.to_string())
    }

    fn not_past(&self, time: DurationMs) -> Result<(), String> {
        match self.reached {
            Some(reached) if time <= reached => Err(format!(
                "the sample at {time} is in the past, time has come to {reached}; move the line up, or write late"
            )),
            _ => Ok(()),
        }
    }

    /// Lets time pass until `at`: samples arrive and rules are evaluated, in order.
    fn go_to(&mut self, at: DurationMs) -> Result<(), String> {
        if let Some(reached) = self.reached
            && at < reached
        {
            return Err(format!("{at} is in the past, time has come to {reached}; times only grow"));
        }
        loop {
            let arrival = self.waiting.keys().next().copied().filter(|time| *time <= at);
            let evaluation = Some(self.next_evaluation).filter(|time| *time <= at && !self.rules.is_empty());
            match (arrival, evaluation) {
                (None, None) => break,
                // What arrives at the instant of an evaluation is seen by it.
                (Some(arrival), evaluation) if evaluation.is_none_or(|evaluation| arrival <= evaluation) => {
                    self.arrive(arrival)?;
                }
                (_, _) => {
                    self.target.evaluate(self.start + self.next_evaluation)?;
                    self.next_evaluation = plus(self.next_evaluation, self.interval);
                }
            }
        }
        // Without rules no evaluation was due; with the first rule they begin now.
        while self.next_evaluation < at {
            self.next_evaluation = plus(self.next_evaluation, self.interval);
        }
        self.reached = Some(at);
        Ok(())
    }

    fn arrive(&mut self, time: DurationMs) -> Result<(), String> {
        let samples = self.waiting.remove(&time).unwrap_or_default();
        let fates = self.target.load(&samples, self.start + time)?;
        match samples.iter().zip(&fates).find(|(_, fate)| **fate != Acceptance::Accepted) {
            Some(((series, _), fate)) => Err(format!("the sample of {series} at {time} was {}", fate.as_str())),
            None if fates.len() == samples.len() => Ok(()),
            None => Err(format!("{} samples were loaded, and {} were answered for", samples.len(), fates.len())),
        }
    }

    fn late(
        &mut self,
        arrival: DurationMs,
        series: &SeriesKey,
        samples: &[(DurationMs, f64)],
        expected: Acceptance,
    ) -> Result<Outcome, String> {
        self.go_to(arrival)?;
        let mut batch = Vec::new();
        for (time, value) in samples {
            batch.push((series.clone(), self.sample(*time, *value)?));
        }
        let found = self.target.load(&batch, self.start + arrival)?;
        let holds = found.len() == batch.len() && found.iter().all(|fate| *fate == expected);
        if holds {
            return Ok(Outcome::Holds);
        }
        let found: Vec<&str> = found.iter().map(|fate| fate.as_str()).collect();
        let (expected, found) = (expected.as_str().to_owned(), found.join(", "));
        Ok(Outcome::Differs { what: format!("late {arrival} {series}"), expected, found })
    }

    fn query(&mut self, at: DurationMs, text: &str, expression: &Expression, expected: &Expected) -> Outcome {
        let found = self.target.query(expression, self.start + at);
        let holds = match (expected, &found) {
            (Expected::Refused(reason), Err(error)) => error.contains(reason.as_str()),
            (Expected::One(expected, covered), Ok(found)) => match found.as_slice() {
                [] => expected.is_none() && covered.is_none(),
                [figure] => {
                    let range = (figure.from, figure.to);
                    let covered = covered.map_or(range, |(from, to)| (self.start + from, self.start + to));
                    figure.labels.is_empty() && figure_holds(*expected, figure.value) && covered == range
                }
                _ => false,
            },
            (Expected::Groups(expected), Ok(found)) => {
                let mut expected: Vec<_> = expected.iter().collect();
                expected.sort_by(|(one, _), (other, _)| one.cmp(other));
                expected.len() == found.len()
                    && expected.iter().zip(found).all(|((labels, expected), figure)| {
                        *labels == figure.labels && figure_holds(*expected, figure.value)
                    })
            }
            (Expected::Refused(_), Ok(_)) | (Expected::One(..) | Expected::Groups(_), Err(_)) => false,
        };
        if holds {
            return Outcome::Holds;
        }
        let mut answer = answered(&found);
        if let (Expected::One(_, Some(_)), Ok([figure])) = (expected, found.as_deref()) {
            // Writing to a String cannot fail.
            let _ = write!(answer, " over {} {}", figure.from.since(self.start), figure.to.since(self.start));
        }
        Outcome::Differs { what: format!("at {at} {text}"), expected: said(expected), found: answer }
    }

    fn alerts(&mut self, at: DurationMs, expected: &[ExpectedAlert]) -> Result<Outcome, String> {
        let found = self.target.alerts()?;
        let mut sorted: Vec<&ExpectedAlert> = expected.iter().collect();
        sorted.sort_by(|one, other| (&one.rule, &one.labels).cmp(&(&other.rule, &other.labels)));
        let holds = sorted.len() == found.len()
            && sorted.iter().zip(&found).all(|(expected, found)| self.alert_holds(expected, found));
        if holds {
            return Ok(Outcome::Holds);
        }
        let wanted: Vec<String> = sorted.iter().map(|alert| said_alert(alert)).collect();
        let found: Vec<String> = found.iter().map(|alert| seen_alert(alert, self.start)).collect();
        Ok(Outcome::Differs { what: format!("at {at} alerts"), expected: listed(&wanted), found: listed(&found) })
    }

    fn alert_holds(&self, expected: &ExpectedAlert, found: &SeenAlert) -> bool {
        expected.rule == found.rule
            && expected.labels == found.labels
            && expected.state == found.state
            && (expected.freshness == Freshness::Stale) == found.stale
            && expected.value.is_none_or(|value| value.holds(found.value))
            && expected.since.is_none_or(|since| self.start + since == found.active_at)
    }
}

impl ExpectedNumber {
    fn holds(self, found: Option<f64>) -> bool {
        // What is exact in whole numbers may differ in the last digits of a sum.
        let tolerance = self.tolerance.unwrap_or(1e-9 * self.value.abs());
        // NaN is within no tolerance.
        found.is_some_and(|found| found == self.value || (found - self.value).abs() <= tolerance)
    }
}

impl ExpectedKpi {
    fn holds(&self, found: &SeenKpi) -> bool {
        let (by, percent, points) = changes(found);
        let pairs = [(self.value, found.value), (self.by, by), (self.percent, percent), (self.points, points)];
        self.standing == found.standing && pairs.into_iter().all(|(expected, found)| figure_holds(expected, found))
    }
}

impl fmt::Display for ExpectedKpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.standing)?;
        let numbers = [("", self.value), (" by", self.by), (" percent", self.percent), (" points", self.points)];
        for (word, number) in numbers {
            number.map_or(Ok(()), |number| write!(f, "{word} {number}"))?;
        }
        Ok(())
    }
}

/// A change in the unit of the figure, in percent and in percentage points.
fn changes(kpi: &SeenKpi) -> (Option<f64>, Option<f64>, Option<f64>) {
    match kpi.trend {
        None => (None, None, None),
        Some(Trend::Points(points)) => (None, None, Some(points)),
        Some(Trend::Change { by, percent }) => (Some(by), percent, None),
    }
}

fn seen_kpi(kpi: &SeenKpi) -> String {
    let exactly = |value: Option<f64>| value.map(|value| ExpectedNumber { value, tolerance: None });
    let (by, percent, points) = changes(kpi);
    let (value, by, percent, points) = (exactly(kpi.value), exactly(by), exactly(percent), exactly(points));
    ExpectedKpi { standing: kpi.standing.clone(), value, by, percent, points }.to_string()
}

impl fmt::Display for ExpectedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)?;
        self.tolerance.map_or(Ok(()), |tolerance| write!(f, " ±{tolerance}"))
    }
}

fn figure_holds(expected: Option<ExpectedNumber>, found: Option<f64>) -> bool {
    expected.map_or(found.is_none(), |expected| expected.holds(found))
}

fn plus(one: DurationMs, other: DurationMs) -> DurationMs {
    DurationMs::from_millis(one.as_millis().saturating_add(other.as_millis()))
}

fn listed(texts: &[String]) -> String {
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

fn said(expected: &Expected) -> String {
    match expected {
        Expected::One(figure, None) => said_figure(*figure),
        Expected::One(figure, Some((from, to))) => format!("{} over {from} {to}", said_figure(*figure)),
        Expected::Groups(groups) => {
            let groups: Vec<String> =
                groups.iter().map(|(labels, figure)| format!("{labels} {}", said_figure(*figure))).collect();
            listed(&groups)
        }
        Expected::Refused(reason) => format!("an error with {reason:?}"),
    }
}

fn said_figure(figure: Option<ExpectedNumber>) -> String {
    figure.map_or("null".to_owned(), |number| number.to_string())
}

fn answered(found: &Result<Vec<Figure>, String>) -> String {
    let value = |value: Option<f64>| value.map_or("null".to_owned(), |value| value.to_string());
    match found {
        Err(error) => format!("the error {error:?}"),
        Ok(figures) => match figures.as_slice() {
            [figure] if figure.labels.is_empty() => value(figure.value),
            figures => {
                let figures: Vec<String> =
                    figures.iter().map(|figure| format!("{} {}", figure.labels, value(figure.value))).collect();
                listed(&figures)
            }
        },
    }
}

fn said_alert(alert: &ExpectedAlert) -> String {
    let mut text = alert_head(&alert.rule, &alert.labels, &alert.state);
    if alert.freshness == Freshness::Stale {
        text.push_str(" stale");
    }
    // Writing to a String cannot fail.
    if let Some(value) = alert.value {
        let _ = write!(text, " value {value}");
    }
    if let Some(since) = alert.since {
        let _ = write!(text, " since {since}");
    }
    text
}

fn seen_alert(alert: &SeenAlert, start: TimestampMs) -> String {
    let mut text = alert_head(&alert.rule, &alert.labels, &alert.state);
    if alert.stale {
        text.push_str(" stale");
    }
    if let Some(value) = alert.value {
        let _ = write!(text, " value {value}");
    }
    let _ = write!(text, " since {}", alert.active_at.since(start));
    text
}

fn alert_head(rule: &str, labels: &Labels, state: &str) -> String {
    if labels.is_empty() { format!("{rule} {state}") } else { format!("{rule}{labels} {state}") }
}
