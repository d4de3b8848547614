//! A whole push to an http server that answers every request with whatever the fuzzer likes, and another one with what the
//! first one learnt.
#![no_main]

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    sync::{Mutex, OnceLock},
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use send_pack::{
    Outcome, PackObject, PushOptions, RefUpdate,
    connect::{ConnectOptions, Prompt, RemoteUrl},
};

static SAYS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Every connection is told what [`SAYS`] has, and then that this was all.
fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("bound").port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let says = SAYS.lock().expect("nobody panics with it").clone();
                let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
                let _ = stream.read(&mut [0; 8192]);
                let _ = stream.write_all(&says);
                let _ = stream.shutdown(Shutdown::Write);
                let _ = std::io::copy(&mut (&stream).take(1 << 20), &mut std::io::sink());
            }
        });
        port
    })
}

fuzz_target!(|data: &[u8]| {
    // With a valid head in front, half of the time, to come to git at all.
    let mut says = Vec::new();
    let data = match data.split_first() {
        Some((0..128, rest)) => {
            says.extend_from_slice(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-receive-pack-advertisement\r\n\r\n",
            );
            rest
        }
        Some((_, rest)) => rest,
        None => return,
    };
    says.extend_from_slice(data);
    *SAYS.lock().expect("nobody panics with it") = says;
    let url = RemoteUrl::parse(format!("http://127.0.0.1:{}/r", port())).expect("valid");
    let mut options = ConnectOptions::default();
    options.deadlines.idle = Duration::from_secs(2);
    options.deadlines.settle = Duration::ZERO;
    options.prompt = Prompt::Never;
    let new = gix_hash::ObjectId::Sha1([7; 20]);
    let update = RefUpdate {
        name: "refs/heads/main".into(),
        expected: None,
        new: Some(new),
    };
    let object = PackObject {
        id: new,
        kind: gix_object::Kind::Blob,
        data: b"x".to_vec(),
        delta_base: None,
    };
    let objects = || Ok::<_, std::convert::Infallible>([Ok(object.clone())].into_iter());
    let (mut met, mut again) = (None, false);
    loop {
        let text = match send_pack::push_again(&mut met, &url, &options, &PushOptions::new("fuzz"), &update, objects) {
            Ok(Outcome::Refused(refusal)) => refusal.reason + &refusal.server_text,
            Ok(Outcome::Unknown { cause }) => cause.message + &cause.server_text,
            Ok(_) => String::new(),
            Err(err) => err.to_string(),
        };
        assert!(!text.contains(|c: char| c != '\n' && c.is_control()), "{text:?}");
        if met.is_none() || std::mem::replace(&mut again, true) {
            return;
        }
    }
});
