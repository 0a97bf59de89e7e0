//! Test support: manual clock, naive model, script runner.
