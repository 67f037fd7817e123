//! Fuzzing: the bytes of a state file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| httpd_exporter::fuzzing::state(data));
