//! libFuzzer's way into [`bellwether_fuzz::server_frame`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bellwether_fuzz::server_frame(bytes));
