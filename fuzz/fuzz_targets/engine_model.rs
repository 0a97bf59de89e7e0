//! libFuzzer's way into [`bellwether_fuzz::engine_model`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bellwether_fuzz::engine_model(bytes));
