//! Fuzzing: a format's text is compiled.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| httpd_exporter::fuzzing::format(data));
