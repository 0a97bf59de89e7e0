//! Test support: manual clock, seeded randomness, naive model, script runner.

#![forbid(unsafe_code)]

pub mod clock;
pub mod engine_target;
pub mod naive;
pub mod naive_target;
pub mod random;
pub mod script;
pub mod target;
