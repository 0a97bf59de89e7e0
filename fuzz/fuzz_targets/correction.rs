//! libFuzzer's way into [`bellwether_fuzz::correction`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bellwether_fuzz::correction(bytes));
