//! Answers as plain JavaScript objects: no `Map`, no `BigInt`, `null` where there is no value.

use bellwether_core::columns::{Line, Link};
use bellwether_core::heat::HeatMap;
use bellwether_core::labels::Labels;
use bellwether_core::query::{Answer, Group};
use bellwether_core::time::TimestampMs;
use js_sys::{Array, Float64Array, Uint8Array};
use wasm_bindgen::JsValue;

use crate::shapes;

/// `{ result, count, from, to, relativeError }`.
pub(crate) fn figure(answer: &Answer) -> JsValue {
    let Answer { value, count, from, to, relative_error } = *answer;
    shapes::figure(value, count as f64, number(from), number(to), relative_error)
}

/// `{ groups: [{ labels, result, … }] }`.
pub(crate) fn groups(groups: &[Group]) -> JsValue {
    let list = Array::new();
    for group in groups {
        list.push(&shapes::group(&labels(&group.labels), &figure(&group.answer)));
    }
    shapes::groups(&list)
}

/// A plain object of strings, whatever the labels are called.
pub(crate) fn labels(labels: &Labels) -> JsValue {
    let pairs = Array::new();
    for (name, value) in labels.iter() {
        pairs.push(&Array::of2(&name.into(), &value.into()));
    }
    shapes::labels(&pairs)
}

/// `{ lines: [{ labels, to, value, … }] }`.
pub(crate) fn lines(lines: &[Line]) -> JsValue {
    let list = Array::new();
    for line in lines {
        list.push(&self::line(line));
    }
    shapes::lines(&list)
}

/// The columns that have a value, field by field.
fn line(line: &Line) -> JsValue {
    let columns: Vec<_> = line.columns.iter().flatten().collect();
    let mut fields = Vec::with_capacity(7 * columns.len());
    fields.extend(columns.iter().map(|column| number(column.to)));
    fields.extend(columns.iter().map(|column| column.value));
    fields.extend(columns.iter().map(|column| column.min));
    fields.extend(columns.iter().map(|column| column.max));
    fields.extend(columns.iter().map(|column| column.first));
    fields.extend(columns.iter().map(|column| column.last));
    fields.extend(columns.iter().map(|column| column.count as f64));
    let joined: Vec<u8> = columns.iter().map(|column| u8::from(column.link == Link::Joined)).collect();
    shapes::line(&labels(&line.labels), Float64Array::from(&fields[..]), Uint8Array::from(&joined[..]))
}

/// `{ groups: [{ labels, lower, upper, to, counts, relativeError }] }`.
pub(crate) fn histograms(maps: &[HeatMap]) -> JsValue {
    let list = Array::new();
    for map in maps {
        let column = |values: &mut dyn Iterator<Item = f64>| Float64Array::from(&values.collect::<Vec<_>>()[..]);
        let mut counts = vec![0.0; map.rows.len() * map.columns.len()];
        for (place, one) in map.columns.iter().enumerate() {
            for (row, count) in &one.cells {
                counts[place * map.rows.len() + row] = *count as f64;
            }
        }
        list.push(&shapes::histogram(
            &labels(&map.labels),
            column(&mut map.rows.iter().map(|row| row.lower)),
            column(&mut map.rows.iter().map(|row| row.upper)),
            column(&mut map.columns.iter().map(|column| number(column.to))),
            Float64Array::from(&counts[..]),
            map.relative_error,
        ));
    }
    shapes::groups(&list)
}

/// An instant as JavaScript has it.
pub(crate) const fn number(instant: TimestampMs) -> f64 {
    instant.get() as f64
}
