//! The statements of a script.

use bellwether_core::kpi::{Direction, Kpi};
use bellwether_core::labels::Labels;
use bellwether_core::query::{Across, Aggregation, Expression, Query};
use bellwether_core::rule::{Comparison, NoData, Rule, Severity};
use bellwether_core::sample::Kind;
use bellwether_core::time::DurationMs;

use super::line::{Line, LineError};
use super::{Expected, ExpectedAlert, ExpectedKpi, Freshness, Script, ScriptError, Statement};
use crate::target::{Acceptance, is_grouped};

/// Most values that one `x` may stand for, so that a slip of the pen does not fill the memory.
const MAX_REPEATS: u32 = 1_000_000;

pub(super) fn script(name: &str, text: &str) -> Result<Script, ScriptError> {
    let mut lines = Vec::new();
    let mut checks = 0;
    for (index, raw) in text.lines().enumerate() {
        let mut line = Line::new(raw);
        if line.is_empty() {
            continue;
        }
        match statement(&mut line).and_then(|statement| line.finish().map(|()| statement)) {
            Ok(statement) => {
                checks += usize::from(matches!(
                    statement,
                    Statement::Kind { refused: Some(_), .. }
                        | Statement::Late { .. }
                        | Statement::Query { .. }
                        | Statement::Alerts { .. }
                        | Statement::Failures { .. }
                        | Statement::Scorecard { .. }
                        | Statement::Kpi { .. }
                ));
                lines.push((index + 1, statement));
            }
            Err(LineError { at, reason }) => {
                let column = raw.get(..at).map_or(at, |before| before.chars().count()) + 1;
                return Err(ScriptError::Syntax { script: name.to_owned(), line: index + 1, column, reason });
            }
        }
    }
    if checks == 0 {
        return Err(ScriptError::NoChecks { script: name.to_owned() });
    }
    Ok(Script { name: name.to_owned(), lines })
}

fn statement(line: &mut Line<'_>) -> Result<Statement, LineError> {
    let start = line.place();
    match line.word() {
        "kind" => {
            let (metric, kind) = (line.metric()?, kind(line)?);
            let refused = if line.take("=>") {
                line.expect("refused")?;
                Some(line.quoted()?)
            } else {
                None
            };
            Ok(Statement::Kind { metric, kind, refused })
        }
        "load" => load(line),
        "put" => Ok(Statement::Load { series: line.series()?, samples: timed_values(line)? }),
        "late" => late(line),
        "every" => Ok(Statement::Every(interval(line)?)),
        "rule" => rule(line).map(Box::new).map(Statement::Rule),
        "at" => at(line),
        "clear" => Ok(Statement::Clear),
        word => {
            Line::error_at(start, format!("expected kind, load, put, late, every, rule, at or clear, found {word:?}"))
        }
    }
}

/// One of the words that `choices` go by.
fn choice<T: Copy>(line: &mut Line<'_>, what: &str, choices: &[(&str, T)]) -> Result<T, LineError> {
    let start = line.place();
    let word = line.word();
    match choices.iter().find(|(name, _)| *name == word) {
        Some((_, chosen)) => Ok(*chosen),
        None => {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            Line::error_at(start, format!("expected {what}, one of {}, found {word:?}", names.join(", ")))
        }
    }
}

fn kind(line: &mut Line<'_>) -> Result<Kind, LineError> {
    let kinds = Kind::ALL.map(|kind| (kind.as_str(), kind));
    choice(line, "a kind", &kinds)
}

fn interval(line: &mut Line<'_>) -> Result<DurationMs, LineError> {
    let start = line.place();
    let interval = line.duration()?;
    if interval == DurationMs::ZERO { Line::error_at(start, "expected a length above zero") } else { Ok(interval) }
}

fn load(line: &mut Line<'_>) -> Result<Statement, LineError> {
    let step = interval(line)?.as_millis();
    // A metric may be called "from"; then its name is quoted.
    let from = if line.take_word("from") { line.duration()?.as_millis() } else { 0 };
    let series = line.series()?;
    let mut samples = Vec::new();
    let mut place = 0;
    while !line.is_empty() {
        for value in values(line)? {
            if let Some(value) = value {
                samples.push((DurationMs::from_millis(from + step * place), value));
            }
            place += 1;
        }
    }
    if samples.is_empty() { line.error("expected values") } else { Ok(Statement::Load { series, samples }) }
}

/// What one written value stands for, as in Prometheus' test scripts: `1x4` is five times 1,
/// `1+2x3` is 1 3 5 7, `_x3` is three times none.
fn values(line: &mut Line<'_>) -> Result<Vec<Option<f64>>, LineError> {
    let start = line.place();
    let text = line.value_text();
    let wrong = || LineError { at: start, reason: format!("{text:?} is no value; write 3, _, _x4, 1x4 or 1+0.5x4") };
    let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(wrong);
    let repeats = |text: &str| text.parse().ok().filter(|count| *count <= MAX_REPEATS).ok_or_else(wrong);
    if let Some(rest) = text.strip_prefix('_') {
        let count = if rest.is_empty() { 1 } else { repeats(rest.strip_prefix('x').ok_or_else(wrong)?)? };
        return Ok(vec![None; count as usize]);
    }
    let Some((first, count)) = text.split_once('x') else {
        return Ok(vec![Some(number(text)?)]);
    };
    let count = repeats(count)?;
    // The sign of the step, not that of the first value nor of an exponent.
    let sign = first
        .char_indices()
        .skip(1)
        .find(|(at, character)| "+-".contains(*character) && !first[..*at].ends_with(['e', 'E']));
    let (first, step) = match sign {
        Some((at, _)) => (number(&first[..at])?, number(&first[at..])?),
        None => (number(first)?, 0.0),
    };
    Ok((0..=count).map(|n| Some(first + step * f64::from(n))).collect())
}

fn timed_values(line: &mut Line<'_>) -> Result<Vec<(DurationMs, f64)>, LineError> {
    let mut samples = Vec::new();
    loop {
        let value = line.number()?;
        line.expect("@")?;
        samples.push((line.duration()?, value));
        let place = line.place();
        if line.is_empty() || line.take("=>") {
            // The arrow is the caller's.
            line.go_back_to(place);
            return Ok(samples);
        }
    }
}

fn late(line: &mut Line<'_>) -> Result<Statement, LineError> {
    let arrival = line.duration()?;
    let series = line.series()?;
    let samples = timed_values(line)?;
    line.expect("=>")?;
    let fates = [Acceptance::Accepted, Acceptance::TooLate, Acceptance::TooNew].map(|fate| (fate.as_str(), fate));
    Ok(Statement::Late { arrival, series, samples, expected: choice(line, "what becomes of the samples", &fates)? })
}

fn rule(line: &mut Line<'_>) -> Result<Rule, LineError> {
    let name = line.name("the rule's name")?;
    line.expect(":")?;
    let figure = expression(line)?;
    // The longer signs first, for each begins with a shorter one.
    let comparisons = [Comparison::AtLeast, Comparison::AtMost, Comparison::Above, Comparison::Below];
    let Some(comparison) = comparisons.into_iter().find(|comparison| line.take(comparison.as_str())) else {
        return line.error("expected one of > >= < <=");
    };
    let mut rule = Rule {
        name,
        figure,
        comparison,
        threshold: line.number()?,
        hold: DurationMs::ZERO,
        keep_firing_for: DurationMs::ZERO,
        query_offset: DurationMs::ZERO,
        no_data: NoData::Keep,
        severity: Severity::Page,
        labels: Labels::empty(),
        summary: String::new(),
        runbook: String::new(),
    };
    while !line.is_empty() {
        let start = line.place();
        match line.word() {
            "for" => rule.hold = line.duration()?,
            "keep_firing_for" => rule.keep_firing_for = line.duration()?,
            "offset" => rule.query_offset = line.duration()?,
            "no_data" => {
                let meanings = NoData::ALL.map(|meaning| (meaning.as_str(), meaning));
                rule.no_data = choice(line, "what no data means", &meanings)?;
            }
            "severity" => {
                let severities = Severity::ALL;
                rule.severity = choice(line, "a severity", &severities.map(|severity| (severity.as_str(), severity)))?;
            }
            "labels" => rule.labels = line.labels()?,
            word => {
                return Line::error_at(
                    start,
                    format!("expected for, keep_firing_for, offset, no_data, severity or labels, found {word:?}"),
                );
            }
        }
    }
    Ok(rule)
}

fn expression(line: &mut Line<'_>) -> Result<Expression, LineError> {
    let over = query(line)?;
    if line.take("/") { Ok(Expression::Ratio(over, query(line)?)) } else { Ok(Expression::Single(over)) }
}

fn query(line: &mut Line<'_>) -> Result<Query, LineError> {
    let aggregation: Aggregation = line.parsed("an aggregation")?;
    let metric = line.metric()?;
    let matchers = line.matchers()?;
    line.expect("[")?;
    let window = line.duration()?;
    line.expect("]")?;
    let mut query = Query { matchers, ..Query::new(metric, window, aggregation) };
    if line.take_word("by") {
        line.list("(", ")", |line| {
            query.by.push(line.label_name()?);
            Ok(())
        })?;
        if query.by.is_empty() {
            return line.error("expected the labels to group by, as (route)");
        }
    }
    if line.take_word("across") {
        let ways = Across::ALL;
        query.across = choice(line, "a way across series", &ways.map(|way| (way.as_str(), way)))?;
    }
    Ok(query)
}

fn at(line: &mut Line<'_>) -> Result<Statement, LineError> {
    let at = line.duration()?;
    if line.take_word("alerts") {
        line.expect("=>")?;
        return Ok(Statement::Alerts { at, expected: listed(line, alert)? });
    }
    if line.take_word("failures") {
        line.expect("=>")?;
        return Ok(Statement::Failures { at, expected: listed(line, |line| line.quoted())? });
    }
    if line.take_word("scorecard") {
        line.expect("=>")?;
        let expected = [line.expected_number()?, line.expected_number()?, line.expected_number()?];
        return Ok(Statement::Scorecard { at, expected });
    }
    let start = line.place();
    if line.take_word("kpi") {
        let kpi = kpi(line)?;
        let text = line.since(start).to_owned();
        line.expect("=>")?;
        return Ok(Statement::Kpi { at, text, kpi: Box::new(kpi), expected: expected_kpi(line)? });
    }
    let expression = expression(line)?;
    let text = line.since(start).to_owned();
    line.expect("=>")?;
    let (Expression::Single(Query { by, .. }) | Expression::Ratio(Query { by, .. }, _)) = &expression;
    let expected = if line.take_word("refused") {
        Expected::Refused(line.quoted()?)
    } else if by.is_empty() {
        let figure = line.expected_figure()?;
        let covered = line.take_word("over").then(|| Ok((line.duration()?, line.duration()?))).transpose()?;
        Expected::One(figure, covered)
    } else if line.take_word("nothing") {
        Expected::Groups(Vec::new())
    } else {
        Expected::Groups(listed(line, |line| {
            let start = line.place();
            let labels = line.labels()?;
            if line.place() == start {
                return line.error("expected the labels of a group, as {route=\"/a\"}");
            }
            Ok((labels, line.expected_figure()?))
        })?)
    };
    Ok(Statement::Query { at, text, expression: Box::new(expression), expected })
}

/// `avg latency [1m] lower target 300 unit ms`; target and unit may be left out.
fn kpi(line: &mut Line<'_>) -> Result<Kpi, LineError> {
    let start = line.place();
    let figure = expression(line)?;
    if is_grouped(&figure) {
        return Line::error_at(start, "a KPI has one figure; leave out by");
    }
    let directions = [("lower", Direction::LowerIsBetter), ("higher", Direction::HigherIsBetter)];
    let direction = choice(line, "which way is better", &directions)?;
    let target = if line.take_word("target") { Some(line.number()?) } else { None };
    let unit = if line.take_word("unit") { line.name("a unit")? } else { String::new() };
    let (id, title, owner, section) = ("kpi".into(), "KPI".into(), String::new(), String::new());
    Ok(Kpi { id, title, unit, figure, direction, target, owner, section })
}

/// `met 276 by -24 percent -8`, `met 0.05 points -1`, `no_figure`.
fn expected_kpi(line: &mut Line<'_>) -> Result<ExpectedKpi, LineError> {
    let standings = ["met", "not_met", "no_target", "no_figure"].map(|standing| (standing, standing));
    let standing = choice(line, "where the KPI stands", &standings)?.to_owned();
    let mut expected = ExpectedKpi { standing, value: None, by: None, percent: None, points: None };
    if expected.standing != "no_figure" {
        expected.value = Some(line.expected_number()?);
    }
    for (word, place) in
        [("by", &mut expected.by), ("percent", &mut expected.percent), ("points", &mut expected.points)]
    {
        if line.take_word(word) {
            *place = Some(line.expected_number()?);
        }
    }
    Ok(expected)
}

/// `none`, or elements parted by commas.
fn listed<T>(
    line: &mut Line<'_>,
    mut element: impl FnMut(&mut Line<'_>) -> Result<T, LineError>,
) -> Result<Vec<T>, LineError> {
    let mut elements = Vec::new();
    if line.take_word("none") {
        return Ok(elements);
    }
    loop {
        elements.push(element(line)?);
        if !line.take(",") {
            return Ok(elements);
        }
    }
}

fn alert(line: &mut Line<'_>) -> Result<ExpectedAlert, LineError> {
    let rule = line.name("a rule's name, or none")?;
    let labels = line.labels()?;
    let states = ["pending", "firing", "resolved"].map(|state| (state, state));
    let state = choice(line, "a state", &states)?.to_owned();
    let freshness = if line.take_word("stale") { Freshness::Stale } else { Freshness::Fresh };
    let value = if line.take_word("value") { Some(line.expected_number()?) } else { None };
    let since = if line.take_word("since") { Some(line.duration()?) } else { None };
    Ok(ExpectedAlert { rule, labels, state, freshness, value, since })
}
