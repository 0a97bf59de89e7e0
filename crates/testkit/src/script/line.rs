//! Words, texts, numbers, labels and lengths of one line of a script.

use std::str::FromStr;

use bellwether_core::labels::{LabelName, Labels, MetricName, SeriesKey};
use bellwether_core::selector::{Condition, Matcher, Pattern};
use bellwether_core::time::DurationMs;

use super::ExpectedNumber;

/// What is wrong, and the byte of the line at which it was noticed.
#[derive(Debug)]
pub(super) struct LineError {
    pub(super) at: usize,
    pub(super) reason: String,
}

/// A line that is read from left to right.
pub(super) struct Line<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Line<'a> {
    /// The line without its comment.
    pub(super) fn new(text: &'a str) -> Self {
        let mut quoted = false;
        let mut escaped = false;
        let mut end = text.len();
        for (at, character) in text.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '#' if !quoted => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        Self { text: text[..end].trim_end(), at: 0 }
    }

    pub(super) fn error<T>(&self, reason: impl Into<String>) -> Result<T, LineError> {
        Err(LineError { at: self.at, reason: reason.into() })
    }

    pub(super) fn error_at<T>(at: usize, reason: impl Into<String>) -> Result<T, LineError> {
        Err(LineError { at, reason: reason.into() })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    pub(super) fn is_empty(&mut self) -> bool {
        self.skip_space();
        self.rest().is_empty()
    }

    pub(super) fn finish(&mut self) -> Result<(), LineError> {
        if self.is_empty() { Ok(()) } else { self.error(format!("expected nothing more, found {:?}", self.rest())) }
    }

    /// The text from `start` to where the line has been read.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text[start..self.at].trim()
    }

    pub(super) fn place(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    pub(super) fn go_back_to(&mut self, place: usize) {
        self.at = place;
    }

    /// Takes `sign` if it comes next.
    pub(super) fn take(&mut self, sign: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), LineError> {
        if self.take(sign) { Ok(()) } else { self.error(format!("expected {sign:?}, found {:?}", self.rest())) }
    }

    /// The characters up to the next that is not `allowed`.
    fn run(&mut self, allowed: impl Fn(char) -> bool) -> &'a str {
        self.skip_space();
        let rest = self.rest();
        let end = rest.find(|character| !allowed(character)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A bare name; empty where none comes next.
    pub(super) fn word(&mut self) -> &'a str {
        self.run(|character| character.is_alphanumeric() || "_.-".contains(character))
    }

    /// Takes `word` if it comes next as a whole.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let start = self.place();
        let found = self.word() == word;
        if !found {
            self.at = start;
        }
        found
    }

    pub(super) fn name(&mut self, what: &str) -> Result<String, LineError> {
        self.skip_space();
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let name = self.word();
        if name.is_empty() {
            return self.error(format!("expected {what}, found {:?}", self.rest()));
        }
        Ok(name.to_owned())
    }

    pub(super) fn quoted(&mut self) -> Result<String, LineError> {
        self.expect("\"")?;
        let start = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => {
                    self.at = start + offset + 1;
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    _ => return Self::error_at(start + offset, "only \\\" and \\\\ may follow a backslash"),
                },
                _ => text.push(character),
            }
        }
        Self::error_at(start, "the text has no closing quote")
    }

    /// A word that `T` can be read from.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, what: &str) -> Result<T, LineError> {
        let start = self.place();
        let word = self.word();
        if word.is_empty() {
            return self.error(format!("expected {what}, found {:?}", self.rest()));
        }
        word.parse().or_else(|error: T::Err| Self::error_at(start, error.to_string()))
    }

    pub(super) fn duration(&mut self) -> Result<DurationMs, LineError> {
        self.parsed("a length of time such as 40s")
    }

    /// One written value of a series: `3`, `_`, `1x4`, `1+0.5x4`.
    pub(super) fn value_text(&mut self) -> &'a str {
        self.run(|character| character.is_ascii_alphanumeric() || "+-._".contains(character))
    }

    pub(super) fn number(&mut self) -> Result<f64, LineError> {
        let start = self.place();
        let text = self.run(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
        match text.parse() {
            Ok(number) if f64::is_finite(number) => Ok(number),
            _ => Self::error_at(start, format!("expected a number, found {text:?}")),
        }
    }

    /// A number with an optional tolerance: `3`, `3 ±1%`, `3 ±0.5`.
    pub(super) fn expected_number(&mut self) -> Result<ExpectedNumber, LineError> {
        let value = self.number()?;
        if !self.take("±") {
            return Ok(ExpectedNumber { value, tolerance: None });
        }
        let tolerance = self.number()?.abs();
        let tolerance = if self.take("%") { value.abs() * tolerance / 100.0 } else { tolerance };
        Ok(ExpectedNumber { value, tolerance: Some(tolerance) })
    }

    /// A number with an optional tolerance, or `null`.
    pub(super) fn expected_figure(&mut self) -> Result<Option<ExpectedNumber>, LineError> {
        if self.take_word("null") { Ok(None) } else { self.expected_number().map(Some) }
    }

    pub(super) fn metric(&mut self) -> Result<MetricName, LineError> {
        let start = self.place();
        let name = self.name("the name of a metric")?;
        MetricName::new(&name).or_else(|error| Self::error_at(start, error.to_string()))
    }

    pub(super) fn label_name(&mut self) -> Result<LabelName, LineError> {
        let start = self.place();
        let name = self.name("the name of a label")?;
        LabelName::new(&name).or_else(|error| Self::error_at(start, error.to_string()))
    }

    /// `{a="x", b="y"}`; none where no `{` comes next.
    pub(super) fn labels(&mut self) -> Result<Labels, LineError> {
        let start = self.place();
        let mut pairs = Vec::new();
        self.list("{", "}", |line| {
            let label = line.name("the name of a label")?;
            line.expect("=")?;
            pairs.push((label, line.quoted()?));
            Ok(())
        })?;
        Labels::new(pairs).or_else(|error| Self::error_at(start, error.to_string()))
    }

    pub(super) fn series(&mut self) -> Result<SeriesKey, LineError> {
        Ok(SeriesKey { metric: self.metric()?, labels: self.labels()? })
    }

    /// `{a="x", b!="y", c=~"p", d!~"q"}`; none where no `{` comes next.
    pub(super) fn matchers(&mut self) -> Result<Vec<Matcher>, LineError> {
        let mut matchers = Vec::new();
        self.list("{", "}", |line| {
            let label = line.label_name()?;
            let start = line.place();
            let Some(sign) = ["=~", "!~", "!=", "="].into_iter().find(|sign| line.take(sign)) else {
                return Self::error_at(start, "expected one of = != =~ !~");
            };
            let text = line.quoted()?;
            let pattern = |text: &str| Pattern::new(text).or_else(|error| Self::error_at(start, error.to_string()));
            let condition = match sign {
                "=~" => Condition::Matches(pattern(&text)?),
                "!~" => Condition::MatchesNot(pattern(&text)?),
                "!=" => Condition::NotEqual(text),
                _ => Condition::Equal(text),
            };
            matchers.push(Matcher { label, condition });
            Ok(())
        })?;
        Ok(matchers)
    }

    /// Elements between two signs, parted by commas; none where `open` does not come next.
    pub(super) fn list(
        &mut self,
        open: &str,
        close: &str,
        mut element: impl FnMut(&mut Self) -> Result<(), LineError>,
    ) -> Result<(), LineError> {
        if !self.take(open) || self.take(close) {
            return Ok(());
        }
        loop {
            element(self)?;
            if self.take(close) {
                return Ok(());
            }
            self.expect(",")?;
        }
    }
}
