//! What targets have in common that push to a server which says whatever the fuzzer likes.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Mutex, OnceLock},
    time::Duration,
};

use send_pack::{
    Outcome, PackObject, PushOptions, RefUpdate,
    connect::{ConnectOptions, Greeting, Prompt, RemoteUrl},
};

static SAYS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// The port of a server that tells every connection, once it has `heard` what it waits for, what was said last to
/// [`say()`], and then that this was all.
pub fn port(heard: fn(&mut TcpStream)) -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("bound").port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let says = SAYS.lock().expect("nobody panics with it").clone();
                let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
                heard(&mut stream);
                let _ = stream.write_all(&says);
                let _ = stream.shutdown(Shutdown::Write);
                let _ = std::io::copy(&mut (&stream).take(1 << 20), &mut std::io::sink());
            }
        });
        port
    })
}

/// Has the server say `data`, half of the time with a valid `head` in front, to come to what is behind it at all. False:
/// there is nothing to say.
pub fn say(head: &[u8], data: &[u8]) -> bool {
    let says = match data.split_first() {
        Some((0..128, rest)) => [head, rest].concat(),
        Some((_, rest)) => rest.to_vec(),
        None => return false,
    };
    *SAYS.lock().expect("nobody panics with it") = says;
    true
}

/// Pushes a commit that is none. Nothing that was said may move a cursor.
pub fn push(met: &mut Option<Greeting>, url: &str) {
    let url = RemoteUrl::parse(url).expect("valid");
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
    let text = match send_pack::push_again(met, &url, &options, &PushOptions::new("fuzz"), &update, objects) {
        Ok(Outcome::Refused(refusal)) => refusal.reason + &refusal.server_text,
        Ok(Outcome::Unknown { cause }) => cause.message + &cause.server_text,
        Ok(_) => String::new(),
        Err(err) => err.to_string(),
    };
    assert!(!text.contains(|c: char| c != '\n' && c.is_control()), "{text:?}");
}
