//! Numbers as OTLP's JSON writes them.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::json::shortened;

/// A number of JSON, or the text of one: 64 bits are written as text, and so are NaN and infinities. Read without
/// a copy, and anything else is refused where it begins, so that what is nested in its place takes no memory.
pub(super) trait Number: Sized {
    fn unsigned(number: u64) -> Result<Self, String>;
    fn signed(number: i64) -> Result<Self, String>;
    fn float(number: f64) -> Result<Self, String>;
    fn text(text: &str) -> Result<Self, String>;
}

fn parsed<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{:?} is not such a number", shortened(text)))
}

fn no_whole<T>(number: f64) -> Result<T, String> {
    Err(format!("{number} is no whole number"))
}

impl Number for u64 {
    fn unsigned(number: u64) -> Result<Self, String> {
        Ok(number)
    }

    fn signed(number: i64) -> Result<Self, String> {
        number.try_into().map_err(|_| format!("{number} is negative"))
    }

    fn float(number: f64) -> Result<Self, String> {
        no_whole(number)
    }

    fn text(text: &str) -> Result<Self, String> {
        parsed(text)
    }
}

impl Number for i64 {
    fn unsigned(number: u64) -> Result<Self, String> {
        number.try_into().map_err(|_| format!("{number} is too great"))
    }

    fn signed(number: i64) -> Result<Self, String> {
        Ok(number)
    }

    fn float(number: f64) -> Result<Self, String> {
        no_whole(number)
    }

    fn text(text: &str) -> Result<Self, String> {
        parsed(text)
    }
}

impl Number for f64 {
    fn unsigned(number: u64) -> Result<Self, String> {
        Ok(number as Self)
    }

    fn signed(number: i64) -> Result<Self, String> {
        Ok(number as Self)
    }

    fn float(number: f64) -> Result<Self, String> {
        Ok(number)
    }

    fn text(text: &str) -> Result<Self, String> {
        // `NaN`, `Infinity` and `-Infinity` are among what it reads.
        parsed(text)
    }
}

/// A number, or a name as some libraries write it.
struct Temporality(i32);

impl Number for Temporality {
    fn unsigned(number: u64) -> Result<Self, String> {
        i32::try_from(number).map(Self).map_err(|_| format!("{number} is too great"))
    }

    fn signed(number: i64) -> Result<Self, String> {
        i32::try_from(number).map(Self).map_err(|_| format!("{number} is out of range"))
    }

    fn float(number: f64) -> Result<Self, String> {
        no_whole(number)
    }

    fn text(text: &str) -> Result<Self, String> {
        match text {
            "AGGREGATION_TEMPORALITY_DELTA" => Ok(Self(1)),
            "AGGREGATION_TEMPORALITY_CUMULATIVE" => Ok(Self(2)),
            text => parsed(text).map(Self),
        }
    }
}

/// A [`Number`] as the parser gives it.
struct Given<T>(T);

impl<'de, T: Number> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor(PhantomData)).map(Self)
    }
}

struct NumberVisitor<T>(PhantomData<T>);

impl<T: Number> Visitor<'_> for NumberVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or the text of one")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::unsigned(number).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::signed(number).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::float(number).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::text(text).map_err(E::custom)
    }
}

pub(super) fn number<'de, T: Number, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Given::deserialize(deserializer).map(|Given(number)| number)
}

pub(super) fn maybe<'de, T: Number, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Given<T>>::deserialize(deserializer)?.map(|Given(number)| number))
}

pub(super) fn numbers<'de, T: Number, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct All<T>(PhantomData<T>);

    impl<'de, T: Number> Visitor<'de> for All<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of numbers")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut given: A) -> Result<Vec<T>, A::Error> {
            let mut numbers = Vec::new();
            while let Some(Given(number)) = given.next_element()? {
                numbers.push(number);
            }
            Ok(numbers)
        }
    }
    deserializer.deserialize_seq(All(PhantomData))
}

pub(super) fn temporality<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    number(deserializer).map(|Temporality(temporality)| temporality)
}
