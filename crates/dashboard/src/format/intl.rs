//! Figures through the browser's `Intl`, in the reader's language and zone.

use std::cell::RefCell;

use bellwether_core::time::TimestampMs;
use js_sys::{Date, Function, Intl, Number, Object, Reflect};
use wasm_bindgen::JsValue;

use super::{Formatted, Part, Precision, Sign, Style};
use crate::texts;

/// The short forms of the minute are "mins" in some English and "m" in other; its symbol is the same everywhere.
const MINUTE: Style = Style::Unit("minute");

/// What makes one formatter differ from another.
type NumberStyle = (Style, (u8, u8), Sign);

thread_local! {
    // Making a formatter costs a thousand times what using it does. There are a dozen of each: a list will do.
    static NUMBERS: RefCell<Vec<(NumberStyle, Intl::NumberFormat)>> = RefCell::default();
    static TIMES: RefCell<Vec<(TimeStyle, Function)>> = RefCell::default();
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TimeStyle {
    OfDay(Precision),
    DateAndTime,
}

/// Forgets all formatters: the language has changed.
pub(super) fn forget() {
    NUMBERS.take();
    TIMES.take();
}

/// Whether the hours of the reader's clock go to twelve.
pub(super) fn has_noon() -> bool {
    let options = Object::new();
    set(&options, "hour", "numeric");
    let resolved = Intl::DateTimeFormat::new(&texts::locales(), &options).resolved_options();
    Reflect::get(&resolved, &"hour12".into()).is_ok_and(|hour12| hour12.is_truthy())
}

fn set(options: &Object, name: &str, value: impl Into<JsValue>) {
    // Setting a property of a fresh object cannot fail.
    let _ = Reflect::set(options, &name.into(), &value.into());
}

fn number_format(style: &Style, digits: (u8, u8), sign: Sign) -> Intl::NumberFormat {
    let options = Object::new();
    set(&options, "minimumFractionDigits", digits.0);
    set(&options, "maximumFractionDigits", digits.1);
    if sign == Sign::Always {
        set(&options, "signDisplay", "exceptZero");
    }
    match style {
        Style::Decimal | Style::Suffix(_) | &MINUTE => {}
        Style::Percent => set(&options, "style", "percent"),
        Style::Unit(unit) => {
            set(&options, "style", "unit");
            set(&options, "unit", *unit);
            let display = match *unit {
                // "d" would be too short a word for the unit that managers read.
                "day" => "long",
                // The short forms are words in English: "26 secs", "3 hrs", "20 byte/s".
                "second" | "hour" | "byte" | "byte-per-second" => "narrow",
                _ => "short",
            };
            set(&options, "unitDisplay", display);
        }
    }
    Intl::NumberFormat::new(&texts::locales(), &options)
}

pub(super) fn number(value: f64, style: &Style, digits: (u8, u8), sign: Sign) -> Formatted {
    let parts = NUMBERS.with_borrow_mut(|formats| {
        let known =
            formats.iter().position(|((known, places, plus), _)| known == style && *places == digits && *plus == sign);
        let place = known.unwrap_or_else(|| {
            formats.push(((style.clone(), digits, sign), number_format(style, digits, sign)));
            formats.len() - 1
        });
        formats[place].1.format_to_parts(value)
    });
    let text_of = |part: &JsValue, name: &str| {
        Reflect::get(part, &name.into()).ok().and_then(|value| value.as_string()).unwrap_or_default()
    };
    let mut found: Vec<(Part, String)> = Vec::with_capacity(2);
    for part in parts.iter() {
        let kind = match text_of(&part, "type").as_str() {
            "unit" | "percentSign" | "literal" => Part::Unit,
            _ => Part::Number,
        };
        let mut text = text_of(&part, "value");
        // The narrow forms leave out the space before a Latin letter, which makes "26s" hard to read.
        let glued = found.last().is_some_and(|(last, _)| *last == Part::Number) && kind == Part::Unit;
        if glued && matches!(style, Style::Unit(_)) && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) {
            text.insert(0, '\u{a0}');
        }
        match found.last_mut() {
            Some((last, whole)) if *last == kind => whole.push_str(&text),
            _ => found.push((kind, text)),
        }
    }
    match style {
        Style::Suffix(suffix) => found.push((Part::Unit, suffix.to_string())),
        &MINUTE => found.push((Part::Unit, "\u{a0}min".to_owned())),
        _ => {}
    }
    Formatted(found.into())
}

fn time(at: TimestampMs, style: TimeStyle) -> String {
    TIMES.with_borrow_mut(|formats| {
        let place = formats.iter().position(|(known, _)| *known == style).unwrap_or_else(|| {
            let options = Object::new();
            match style {
                TimeStyle::OfDay(precision) => {
                    let [one, other] = if precision == Precision::Days { ["day", "month"] } else { ["hour", "minute"] };
                    set(&options, one, "2-digit");
                    set(&options, other, "2-digit");
                    if precision == Precision::Seconds {
                        set(&options, "second", "2-digit");
                    }
                }
                TimeStyle::DateAndTime => {
                    set(&options, "dateStyle", "medium");
                    set(&options, "timeStyle", "short");
                }
            }
            formats.push((style, Intl::DateTimeFormat::new(&texts::locales(), &options).format()));
            formats.len() - 1
        });
        let format = &formats[place].1;
        // Fails only outside the range of a JavaScript date, far from anything that is kept.
        let text = format.call1(&JsValue::UNDEFINED, &JsValue::from_f64(at.get() as f64));
        text.ok().and_then(|text| text.as_string()).unwrap_or_else(|| super::NO_FIGURE.to_owned())
    })
}

pub(super) fn time_of_day(at: TimestampMs, precision: Precision) -> String {
    time(at, TimeStyle::OfDay(precision))
}

pub(super) fn date_and_time(at: TimestampMs) -> String {
    time(at, TimeStyle::DateAndTime)
}

pub(super) fn zone_offset_minutes(at: TimestampMs) -> i32 {
    let offset = Date::new(&JsValue::from_f64(at.get() as f64)).get_timezone_offset();
    // The cast saturates; JavaScript counts minutes west of Greenwich.
    -(offset as i32)
}

pub(super) fn of_field(text: &str) -> Option<TimestampMs> {
    // Without a zone it is of the reader's; what is no time is NaN, which no range holds.
    let ms = Date::parse(text);
    (0.0..8.64e15).contains(&ms).then(|| TimestampMs::new(ms as i64))
}

pub(super) fn iso(at: TimestampMs) -> String {
    Date::new(&JsValue::from_f64(at.get() as f64)).to_iso_string().into()
}

pub(super) fn exact(value: f64) -> String {
    // Only a base outside 2 to 36 fails.
    Number::from(value).to_string_with_radix(10).map_or_else(|_| String::new(), String::from)
}
