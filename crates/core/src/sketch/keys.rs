//! Keys: the numbers by which the engine's own storage names value buckets.
//!
//! Positive values have positive keys, negative ones the same negated, zeros have key 0; keys ascend
//! with the values.

use bellwether_loops::mapping;

/// The key of a finite value at `scale`.
#[inline]
pub(crate) fn key(value: f64, scale: i8) -> i32 {
    mapping::key(value, scale)
}

/// The key of the value bucket that takes up `key` when the scale falls by `steps`.
pub(crate) const fn coarser(key: i32, steps: u8) -> i32 {
    mapping::coarser(key, steps)
}

/// The estimate for the values of a key.
pub(crate) fn midpoint(key: i32, scale: i8) -> f64 {
    mapping::midpoint(key, scale)
}

/// The OpenTelemetry index of a positive key.
pub(crate) const fn index(key: i32) -> i32 {
    mapping::index(key)
}

/// The positive key of an OpenTelemetry index.
pub(crate) const fn of_index(index: i32) -> i32 {
    mapping::key_of_index(index)
}

/// The greatest key at `scale`; the least positive one is at least 1.
pub(crate) const fn greatest(scale: i8) -> i32 {
    mapping::key_of_index(*mapping::indexes(scale).end())
}

/// The least key at `scale` whose value bucket holds positive normal floats only.
pub(crate) const fn least_normal(scale: i8) -> i32 {
    mapping::least_normal_key(scale)
}

/// Bound of the relative error of [`midpoint`].
pub(crate) fn relative_error(scale: i8) -> f64 {
    mapping::relative_error(scale)
}
