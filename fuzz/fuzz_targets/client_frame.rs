//! libFuzzer's way into [`bellwether_fuzz::client_frame`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bellwether_fuzz::client_frame(bytes));
