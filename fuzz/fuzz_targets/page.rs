//! Fuzzing: a page is read that this program may have written.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| httpd_exporter::fuzzing::page(data));
