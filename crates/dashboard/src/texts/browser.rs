//! The texts in a browser: `boot.js` fetches those of the reader's language beside the wasm, a switch fetches others.

use std::cell::{Cell, RefCell};

use js_sys::{Array, Intl, Object, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};

use super::Language;
use crate::format;

thread_local! {
    /// The texts of each language that was in force. They live as long as the page, some 20 KB each, and come once.
    static KNOWN: Cell<[&'static [&'static str]; Language::ALL.len()]> = const { Cell::new([&[]; Language::ALL.len()]) };
    /// Those of the language in force.
    static TEXTS: Cell<&'static [&'static str]> = const { Cell::new(&[]) };
    static LANGUAGE: Cell<Language> = const { Cell::new(Language::English) };
    /// What `Intl` is asked in: the reader's own kind of the language, such as `es-MX`. Unset it is the browser's own.
    static LOCALE: RefCell<JsValue> = const { RefCell::new(JsValue::UNDEFINED) };
    static PLURALS: RefCell<Option<Intl::PluralRules>> = const { RefCell::new(None) };
}

pub(super) fn texts() -> &'static [&'static str] {
    TEXTS.get()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = bellwether, js_name = speak)]
    async fn fetch(language: &str) -> Result<JsValue, JsValue>;
}

/// Has `boot.js` fetch the texts of a language, keep the choice for the next visit, and puts them in force; `false` where
/// they do not come.
pub async fn speak(language: Language) -> bool {
    let came = fetch(language.code()).await.is_ok();
    if came {
        start();
    }
    came
}

/// Puts in force what `boot.js` has left for the page: language, locale and texts.
pub fn start() {
    let left = |name: &str| {
        let left = Reflect::get(&js_sys::global(), &"bellwether".into()).unwrap_or_default();
        Reflect::get(&left, &name.into()).unwrap_or_default()
    };
    let language = left("language").as_string().and_then(|code| Language::named(&code)).unwrap_or_default();
    let mut known = KNOWN.get();
    let texts = &mut known[language as usize];
    if let Some(left) = left("texts").dyn_ref::<Object>().filter(|_| texts.is_empty()) {
        let text = |value: JsValue| &*Box::leak(value.as_string().unwrap_or_default().into_boxed_str());
        *texts = Box::leak(Object::values(left).iter().map(text).collect());
    }
    TEXTS.set(*texts);
    KNOWN.set(known);
    LANGUAGE.set(language);
    LOCALE.set(left("locale"));
    PLURALS.set(None);
    format::forget();
}

/// The language in force.
#[must_use]
pub fn language() -> Language {
    LANGUAGE.get()
}

/// What `Intl` is asked in.
#[must_use]
pub fn locales() -> Array {
    LOCALE.with_borrow(|locale| if locale.is_string() { Array::of1(locale) } else { Array::new() })
}

pub(super) fn is_one(count: u64) -> bool {
    PLURALS.with_borrow_mut(|rules| {
        let rules = rules.get_or_insert_with(|| Intl::PluralRules::new(&locales(), &Object::new()));
        rules.select(count as f64) == "one"
    })
}
