//! A whole push to an http server that answers every request with whatever the fuzzer likes, and another one with what the
//! first one learnt.
#![no_main]

mod pushing;

use std::io::Read;

use libfuzzer_sys::fuzz_target;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-receive-pack-advertisement\r\n\r\n";

fuzz_target!(|data: &[u8]| {
    if !pushing::say(HEAD, data) {
        return;
    }
    let port = pushing::port(|stream| drop(stream.read(&mut [0; 8192])));
    let mut met = None;
    for _ in 0..2 {
        pushing::push(&mut met, &format!("http://127.0.0.1:{port}/r"));
        if met.is_none() {
            break;
        }
    }
});
