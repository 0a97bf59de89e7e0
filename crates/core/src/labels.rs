//! Metric names, labels and the series that they name.

use std::fmt;
use std::sync::Arc;

/// Most labels that a series may have.
pub const MAX_LABELS: usize = 30;
/// Most bytes of a metric name or a label name.
pub const MAX_NAME_BYTES: usize = 256;
/// Most bytes of a label value.
pub const MAX_VALUE_BYTES: usize = 2_048;

/// Why a metric name or a set of labels was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// A metric name or a label name has no character.
    #[error("the {what} is empty; give it a name")]
    EmptyName {
        /// `metric name` or `label name`.
        what: &'static str,
    },
    /// A name is longer than [`MAX_NAME_BYTES`].
    #[error("the {what} {name:?}… is {bytes} bytes long; at most {MAX_NAME_BYTES} are allowed")]
    NameTooLong {
        /// `metric name` or `label name`.
        what: &'static str,
        /// Its first characters.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// A name holds a control character.
    #[error("the {what} {name:?} holds a control character; leave it out")]
    ControlCharacter {
        /// `metric name` or `label name`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A value is longer than [`MAX_VALUE_BYTES`].
    #[error("the value of label {label:?} is {bytes} bytes long; at most {MAX_VALUE_BYTES} are allowed")]
    ValueTooLong {
        /// The label's name.
        label: String,
        /// The value's length.
        bytes: usize,
    },
    /// A label name is given twice.
    #[error("label {label:?} is given twice; give each label once")]
    Duplicate {
        /// The label's name.
        label: String,
    },
    /// More than [`MAX_LABELS`] labels.
    #[error("{count} labels are given; at most {MAX_LABELS} are allowed")]
    TooMany {
        /// How many were given.
        count: usize,
    },
}

fn checked_name(what: &'static str, name: &str) -> Result<(), LabelError> {
    if name.is_empty() {
        return Err(LabelError::EmptyName { what });
    }
    if name.len() > MAX_NAME_BYTES {
        let start = name.chars().take(32).collect();
        return Err(LabelError::NameTooLong { what, name: start, bytes: name.len() });
    }
    if name.chars().any(char::is_control) {
        return Err(LabelError::ControlCharacter { what, name: name.to_owned() });
    }
    Ok(())
}

/// The name of a metric: UTF-8, 1 to 256 bytes, no control character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricName(Arc<str>);

impl MetricName {
    /// Checks and keeps a name.
    ///
    /// # Errors
    /// [`LabelError`] where the name is empty, too long or holds a control character.
    pub fn new(name: &str) -> Result<Self, LabelError> {
        checked_name("metric name", name).map(|()| Self(Arc::from(name)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a label, under the same rules as a metric's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelName(Arc<str>);

impl LabelName {
    /// Checks and keeps a name.
    ///
    /// # Errors
    /// [`LabelError`] where the name is empty, too long or holds a control character.
    pub fn new(name: &str) -> Result<Self, LabelError> {
        checked_name("label name", name).map(|()| Self(Arc::from(name)))
    }

    /// [`LabelName::new`] of a text that others hold as well.
    pub(crate) fn shared(name: Arc<str>) -> Result<Self, LabelError> {
        checked_name("label name", &name).map(|()| Self(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of labels, sorted by name: two orders of the same labels are equal.
///
/// A label with an empty value is the same as no label (as in Prometheus) and is left out.
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[(LabelName, Arc<str>)]>);

impl Default for Labels {
    fn default() -> Self {
        Self::empty()
    }
}

impl Labels {
    /// No labels.
    #[must_use]
    pub fn empty() -> Self {
        Self(Arc::from([]))
    }

    /// Checks and sorts `(name, value)` pairs.
    ///
    /// # Errors
    /// [`LabelError`] where a name or value is outside its limits, a name is given twice, or there
    /// are more than [`MAX_LABELS`].
    pub fn new<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, LabelError> {
        let mut gathered = Gathered::default();
        for (name, value) in pairs {
            gathered.add(LabelName::new(name.as_ref())?, value.as_ref().into())?;
        }
        gathered.labels()
    }

    /// [`Labels::new`] of texts that others hold as well.
    pub(crate) fn shared(pairs: Vec<(Arc<str>, Arc<str>)>) -> Result<Self, LabelError> {
        let mut gathered = Gathered::default();
        for (name, value) in pairs {
            gathered.add(LabelName::shared(name)?, value)?;
        }
        gathered.labels()
    }

    /// How many labels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the label `name`. Cost: O(log labels).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self.0.binary_search_by(|(label, _)| label.as_str().cmp(name)).ok()?;
        Some(&self.0[place].1)
    }

    /// The labels as `(name, value)`, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// The labels as they are kept, sorted by name.
    pub(crate) fn pairs(&self) -> &[(LabelName, Arc<str>)] {
        &self.0
    }

    /// Only the labels named in `names`; names that are not there are left out.
    #[must_use]
    pub fn only(&self, names: &[LabelName]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(name)).cloned().collect())
    }

    /// These labels and `others`; where both have a label, the value of `others` counts.
    #[must_use]
    pub fn overlaid(&self, others: &Self) -> Self {
        let mut labels: Vec<_> = others.0.to_vec();
        for (name, value) in &*self.0 {
            if let Err(place) = labels.binary_search_by(|(other, _)| other.cmp(name)) {
                labels.insert(place, (name.clone(), Arc::clone(value)));
            }
        }
        Self(labels.into())
    }
}

/// Labels that are being gathered, whatever the pairs are made of.
#[derive(Default)]
struct Gathered {
    /// The first of each name, sorted by name.
    labels: Vec<(LabelName, Arc<str>)>,
    count: usize,
    duplicate: Option<LabelName>,
}

impl Gathered {
    fn add(&mut self, name: LabelName, value: Arc<str>) -> Result<(), LabelError> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(LabelError::ValueTooLong { label: name.to_string(), bytes: value.len() });
        }
        self.count += 1;
        if self.count <= MAX_LABELS {
            match self.labels.binary_search_by(|(other, _)| other.cmp(&name)) {
                Ok(_) => self.duplicate = Some(name),
                Err(place) => self.labels.insert(place, (name, value)),
            }
        }
        Ok(())
    }

    fn labels(mut self) -> Result<Labels, LabelError> {
        if self.count > MAX_LABELS {
            return Err(LabelError::TooMany { count: self.count });
        }
        if let Some(label) = self.duplicate {
            return Err(LabelError::Duplicate { label: label.to_string() });
        }
        self.labels.retain(|(_, value)| !value.is_empty());
        Ok(Labels(self.labels.into()))
    }
}

/// Sorts labels with what comes with them.
///
/// One function for all who sort labels: each type that is sorted takes kilobytes of the page.
pub(crate) fn sort(labels: &mut [(Labels, u32)]) {
    labels.sort_unstable();
}

impl fmt::Display for Labels {
    /// `{a="x", b="y"}`, values escaped as Rust strings; `{}` where there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (place, (name, value)) in self.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

/// What tells one series from all others: a metric name and labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// The metric.
    pub metric: MetricName,
    /// Its labels.
    pub labels: Labels,
}

impl SeriesKey {
    /// Whether one is a clone of the other, or both are of a third: they name one series then. Two keys that
    /// were made apart may do so as well. Cost: O(1), no text is looked at.
    #[must_use]
    pub fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.metric.0, &other.metric.0) && Arc::ptr_eq(&self.labels.0, &other.labels.0)
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.metric)?;
        if self.labels.is_empty() { Ok(()) } else { write!(f, "{}", self.labels) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_orders_are_one_series() {
        let one = Labels::new([("a", "1"), ("b", "2")]).unwrap();
        let other = Labels::new([("b", "2"), ("a", "1"), ("c", "")]).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.get("b"), Some("2"));
        assert_eq!(one.get("c"), None);
        assert_eq!(one.to_string(), r#"{a="1", b="2"}"#);
    }

    #[test]
    fn a_clone_is_told_by_where_its_texts_lie() {
        let key = |labels| SeriesKey { metric: MetricName::new("m").unwrap(), labels };
        let one = key(Labels::new([("a", "1")]).unwrap());
        assert!(one.clone().is_clone_of(&one));
        let other = key(one.labels.clone());
        assert!(other == one && !other.is_clone_of(&one), "equal, and made apart");
        assert!(!SeriesKey { labels: Labels::empty(), ..one.clone() }.is_clone_of(&one));
    }

    #[test]
    fn limits_are_named() {
        assert_eq!(MetricName::new(""), Err(LabelError::EmptyName { what: "metric name" }));
        assert!(matches!(MetricName::new(&"é".repeat(200)), Err(LabelError::NameTooLong { bytes: 400, .. })));
        assert!(matches!(MetricName::new("a\nb"), Err(LabelError::ControlCharacter { .. })));
        assert!(MetricName::new(&"a".repeat(256)).is_ok());
        assert_eq!(Labels::new([("a", "1"), ("a", "2")]), Err(LabelError::Duplicate { label: "a".into() }));
        assert!(matches!(Labels::new([("a", "x".repeat(2_049))]), Err(LabelError::ValueTooLong { bytes: 2_049, .. })));
        let many = (0..31).map(|n| (format!("l{n}"), "v"));
        assert_eq!(Labels::new(many), Err(LabelError::TooMany { count: 31 }));
    }

    #[test]
    fn overlay_prefers_the_other() {
        let one = Labels::new([("a", "1"), ("b", "2")]).unwrap();
        let other = Labels::new([("b", "3"), ("c", "4")]).unwrap();
        assert_eq!(one.overlaid(&other), Labels::new([("a", "1"), ("b", "3"), ("c", "4")]).unwrap());
        assert_eq!(one.only(&[LabelName::new("b").unwrap()]), Labels::new([("b", "2")]).unwrap());
    }
}
