//! Fuzzing: the head of a request.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| httpd_exporter::fuzzing::head(data));
