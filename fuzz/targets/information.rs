//! The information file: no crash.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(information) = ci_import::gitlab::information::parse(data) {
        let _ = information.check_version();
    }
});
