//! libFuzzer's way into [`bellwether_fuzz::exposition`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bellwether_fuzz::exposition(bytes));
