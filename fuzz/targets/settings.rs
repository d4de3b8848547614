//! URLs and git's configuration: what is accepted is safe to hand to a program, and no message shows a password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use send_pack::connect::{Direction, RemoteUrl, Settings, rewrite};

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (url, config) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    check(url);
    if let Ok(text) = std::str::from_utf8(config)
        && let Ok(config) = text.parse()
    {
        let _ = Settings::read(&config, &|_| None);
        for direction in [Direction::Fetch, Direction::Push] {
            check(&rewrite(url, &config, direction));
        }
    }
});

fn check(url: &[u8]) {
    match RemoteUrl::parse(url) {
        Ok(parsed) => {
            assert!(parsed.host().is_none_or(|host| !host.starts_with('-')), "{parsed}");
            assert!(!parsed.path().starts_with(b"-"), "{parsed}");
            let shown = parsed.to_string();
            assert!(!shown.contains(|c: char| c.is_control()), "{shown:?}");
            let again = parsed.to_bstring();
            assert!(RemoteUrl::parse(&again).is_ok(), "{again}");
        }
        Err(err) => assert!(!err.to_string().contains(|c: char| c.is_control()), "{err}"),
    }
}
