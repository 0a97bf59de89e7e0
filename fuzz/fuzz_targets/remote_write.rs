//! libFuzzer's way into [`bellwether_fuzz::remote_write`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bellwether_fuzz::remote_write(bytes));
