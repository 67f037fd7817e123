//! Fuzzing: lines are read with any format.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| httpd_exporter::fuzzing::lines(data));
