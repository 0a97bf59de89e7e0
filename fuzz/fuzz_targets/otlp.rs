//! libFuzzer's way into [`bellwether_fuzz::otlp`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bellwether_fuzz::otlp(bytes));
