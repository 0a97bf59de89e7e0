//! The engine for JavaScript, in Node.
#![cfg(target_arch = "wasm32")]

mod shared;

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn a_window_is_answered() {
    shared::a_window_is_answered();
}

#[wasm_bindgen_test]
fn an_empty_window_is_null() {
    shared::an_empty_window_is_null();
}

#[wasm_bindgen_test]
fn groups_and_conditions() {
    shared::groups_and_conditions();
}

#[wasm_bindgen_test]
fn columns_are_recorded() {
    shared::columns_are_recorded();
}

#[wasm_bindgen_test]
fn refusals_have_codes() {
    shared::refusals_have_codes();
}

#[wasm_bindgen_test]
fn options_are_heeded() {
    shared::options_are_heeded();
}

#[wasm_bindgen_test]
fn the_platforms_clock_is_the_default() {
    shared::the_platforms_clock_is_the_default();
}
