//! Which series of a metric are asked for.

use crate::labels::{LabelName, Labels};

/// Longest text of a pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1_024;
/// Most patterns among the conditions of one query.
pub const MAX_PATTERNS: usize = 8;
/// Most memory of a compiled pattern, in bytes; the time of a match grows with it. A text of
/// [`MAX_PATTERN_BYTES`] without repetitions fits.
const MAX_COMPILED_BYTES: usize = 64 * 1_024;
/// How the compiler says that it went beyond [`MAX_COMPILED_BYTES`]; it has no other way.
const TOO_LARGE: &str = "compiled regex exceeded size limit";

/// Why a matcher's pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The text is too long.
    #[error("the pattern is {bytes} bytes long; at most {MAX_PATTERN_BYTES} are taken")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The text is no regular expression.
    #[error("{pattern:?} is not a pattern: {reason}")]
    Syntax {
        /// The text that was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The pattern would need too much memory, and so time.
    #[error("{pattern:?} asks for too much; use fewer and smaller repetitions")]
    TooLarge {
        /// The text that was given.
        pattern: String,
    },
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
    /// [`PatternError`] where the text is no regular expression, or one beyond its bounds.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong { bytes: text.len() });
        }
        let compiled = |text: &str| regex_lite::RegexBuilder::new(text).size_limit(MAX_COMPILED_BYTES).build();
        // Alone first: "a)|(b" is a pattern only between our parentheses, and not anchored there.
        let regex = compiled(text).and_then(|_| compiled(&format!("^(?s:{text})$"))).map_err(|error| {
            let (pattern, reason) = (text.to_owned(), error.to_string());
            if reason == TOO_LARGE {
                PatternError::TooLarge { pattern }
            } else {
                PatternError::Syntax { pattern, reason }
            }
        })?;
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

impl Condition {
    /// Whether it holds a pattern, of which a query has at most [`MAX_PATTERNS`].
    #[must_use]
    pub const fn is_pattern(&self) -> bool {
        matches!(self, Self::Matches(_) | Self::MatchesNot(_))
    }
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
        self.accepts(labels.get(self.label.as_str()).unwrap_or(""))
    }

    /// Whether a value of the label satisfies the condition; an absent label has the empty value.
    pub(crate) fn accepts(&self, value: &str) -> bool {
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
    fn patterns_are_bounded() {
        let error = |text: &str| Pattern::new(text).unwrap_err();
        for text in
            ["(.{999}){99}", ".{2000}", "(?:[a-z0-9]{100}){100}", "((((.{9}){9}){9}){9}){9}", "(?:){4000000000}"]
        {
            assert_eq!(error(text), PatternError::TooLarge { pattern: text.to_owned() });
        }
        assert_eq!(
            error("(.{999}){99}").to_string(),
            "\"(.{999}){99}\" asks for too much; use fewer and smaller repetitions"
        );
        assert!(matches!(error("("), PatternError::Syntax { .. }));
        let long = "a".repeat(MAX_PATTERN_BYTES + 1);
        assert_eq!(error(&long).to_string(), "the pattern is 1025 bytes long; at most 1024 are taken");
        // What is as long as may be is compiled.
        for text in ["a".repeat(MAX_PATTERN_BYTES), "/a|".repeat(341), "[ab]".repeat(256), ".".repeat(1_024)] {
            assert!(Pattern::new(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_absent_label_is_empty() {
        let matcher = Matcher { label: LabelName::new("x").unwrap(), condition: Condition::Equal(String::new()) };
        assert!(matcher.matches(&Labels::empty()));
    }
}
