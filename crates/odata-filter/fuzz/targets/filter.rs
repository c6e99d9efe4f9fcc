//! Any text as a `$filter`: no panic, every place in the text, and what is printed reads back the same.

#![no_main]

#[path = "../../tests/it/exercise.rs"]
#[allow(dead_code, reason = "the other target uses the rest")]
mod exercise;

libfuzzer_sys::fuzz_target!(|text: &str| exercise::exercise(text));
