//! A whole push to a `git://` server that says whatever the fuzzer likes: refs, and an answer.
#![no_main]

mod pushing;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let line = format!(
        "{} capabilities^{{}}\0report-status side-band-64k agent=x\n",
        "0".repeat(40)
    );
    let refs = format!("{:04x}{line}0000", line.len() + 4);
    if pushing::say(refs.as_bytes(), data) {
        // It speaks first.
        let url = format!("git://127.0.0.1:{}/r", pushing::port(|_| {}));
        pushing::push(&mut None, &url);
    }
});
