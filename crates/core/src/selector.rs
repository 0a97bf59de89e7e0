//! Which series of a metric are asked for.

use crate::labels::{LabelName, Labels};

/// Why a matcher's pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is not a pattern: {reason}")]
pub struct PatternError {
    /// The text that was given.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A pattern that must match a whole label value, as in Prometheus.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: regex_lite::Regex,
}

impl Pattern {
    /// Compiles a pattern; it is anchored at both ends.
    ///
    /// # Errors
    /// [`PatternError`] where the text is no regular expression.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        // Alone first: "a)|(b" is a pattern only between our parentheses, and not anchored there.
        let regex = regex_lite::Regex::new(text)
            .and_then(|_| regex_lite::Regex::new(&format!("^(?s:{text})$")))
            .map_err(|error| PatternError { pattern: text.to_owned(), reason: error.to_string() })?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// What the value of a label must be; an absent label has the empty value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `=`
    Equal(String),
    /// `!=`
    NotEqual(String),
    /// `=~`
    Matches(Pattern),
    /// `!~`
    MatchesNot(Pattern),
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// The label.
    pub label: LabelName,
    /// What its value must be.
    pub condition: Condition,
}

impl Matcher {
    /// Whether `labels` satisfy the condition. Cost: O(log labels), plus the pattern's.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(self.label.as_str()).unwrap_or("");
        match &self.condition {
            Condition::Equal(expected) => value == expected,
            Condition::NotEqual(expected) => value != expected,
            Condition::Matches(pattern) => pattern.regex.is_match(value),
            Condition::MatchesNot(pattern) => !pattern.regex.is_match(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(condition: Condition, expected: bool) {
        let labels = Labels::new([("route", "/book")]).unwrap();
        let matcher = Matcher { label: LabelName::new("route").unwrap(), condition };
        assert_eq!(matcher.matches(&labels), expected, "{matcher:?}");
    }

    #[test]
    fn conditions() {
        check(Condition::Equal("/book".into()), true);
        check(Condition::NotEqual("/book".into()), false);
        check(Condition::Matches(Pattern::new("/b.*").unwrap()), true);
        check(Condition::Matches(Pattern::new("b").unwrap()), false);
        check(Condition::Matches(Pattern::new("a|/book").unwrap()), true);
        check(Condition::MatchesNot(Pattern::new("/b.*").unwrap()), false);
        assert!(Pattern::new("(").is_err());
        assert!(Pattern::new("a)|(b").is_err());
    }

    #[test]
    fn an_absent_label_is_empty() {
        let matcher = Matcher { label: LabelName::new("x").unwrap(), condition: Condition::Equal(String::new()) };
        assert!(matcher.matches(&Labels::empty()));
    }
}
