//! The texts without a browser, in English: what the native tests read.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::NAMES;

static ENGLISH: LazyLock<Vec<String>> = LazyLock::new(|| {
    let texts: Map<String, Value> =
        serde_json::from_str(include_str!("../../../../www/texts/en.json")).unwrap_or_default();
    let text = |name: &&str| texts.get(*name).and_then(Value::as_str).unwrap_or_default().to_owned();
    NAMES.iter().map(text).collect()
});
static TEXTS: LazyLock<Vec<&'static str>> = LazyLock::new(|| ENGLISH.iter().map(String::as_str).collect());

pub(super) fn texts() -> &'static [&'static str] {
    &TEXTS
}

pub(super) fn is_one(count: u64) -> bool {
    count == 1
}
