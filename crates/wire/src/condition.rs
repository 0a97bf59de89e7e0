//! The short form of a condition: `label:value`.

use bellwether_core::labels::{LabelError, LabelName};
use bellwether_core::selector::{Condition, Matcher};

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoCondition {
    /// It has no colon.
    Colon,
    /// What stands before the colon is no label.
    Label(LabelError),
}

/// `label:value`, split at the first colon; the value may be empty.
pub(crate) fn from_text(text: &str) -> Result<Matcher, NoCondition> {
    let (label, value) = text.split_once(':').ok_or(NoCondition::Colon)?;
    let label = LabelName::new(label).map_err(NoCondition::Label)?;
    Ok(Matcher { label, condition: Condition::Equal(value.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, label: &str, value: &str) {
        let expected = Matcher { label: LabelName::new(label).unwrap(), condition: Condition::Equal(value.to_owned()) };
        assert_eq!(from_text(text), Ok(expected));
    }

    #[test]
    fn the_first_colon_splits() {
        check("route:/book", "route", "/book");
        check("url:http://x:80/", "url", "http://x:80/");
        check("a:", "a", "");
    }

    #[test]
    fn what_is_no_condition_says_why() {
        assert_eq!(from_text("route"), Err(NoCondition::Colon));
        assert_eq!(from_text(""), Err(NoCondition::Colon));
        assert!(matches!(from_text(":x"), Err(NoCondition::Label(_))));
    }
}
