//! libFuzzer's way into [`bellwether_fuzz::feed_frame`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bellwether_fuzz::feed_frame(bytes));
