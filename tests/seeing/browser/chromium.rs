//! Chromium without a window, spoken to through its debugging pipe.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::Child,
};

use serde_json::{Value, json};

use crate::support::{
    process::quoted,
    servers::{installed, server_command},
};

/// A running browser with one page.
pub struct Chromium {
    child: Child,
    requests: File,
    answers: BufReader<File>,
    session: Value,
    last: u64,
}

impl Chromium {
    /// Starts one whose profile is below `home`. `None` if there is none, which is said in the open.
    pub fn start(home: &Path) -> Option<Chromium> {
        let [chromium] = installed(["chromium"])?;
        let pipes = [home.join("requests"), home.join("answers")];
        for pipe in &pipes {
            rustix::fs::mknodat(
                rustix::fs::CWD,
                pipe,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
                0,
            )
            .expect("temp folder is writable");
        }
        let [requests, answers] = pipes.each_ref().map(|pipe| quoted(pipe.to_str().unwrap()));
        let program = quoted(chromium.to_str().unwrap());
        let profile = quoted(home.join("profile").to_str().unwrap());
        // As root it has no sandbox, and what it is shown here is the tests' own.
        let line = format!(
            "exec {program} --headless=new --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage \
             --user-data-dir={profile} --remote-debugging-pipe about:blank 3<{requests} 4>{answers} 2>/dev/null"
        );
        let mut command = server_command(Path::new("sh"));
        let child = command
            .args(["-c", &line])
            .env("HOME", home)
            .spawn()
            .expect("sh starts");
        let mut browser = Chromium {
            child,
            requests: OpenOptions::new().write(true).open(&pipes[0]).expect("it reads"),
            answers: BufReader::new(File::open(&pipes[1]).expect("it writes")),
            session: Value::Null,
            last: 0,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.call("Target.attachToTarget", attach)["sessionId"].clone();
        browser.call("Page.enable", json!({}));
        Some(browser)
    }

    /// Calls a method of the browser's protocol.
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut request = json!({ "id": self.last, "method": method, "params": params });
        if !self.session.is_null() {
            request["sessionId"] = self.session.clone();
        }
        self.requests
            .write_all(format!("{request}\0").as_bytes())
            .expect("the browser runs");
        loop {
            let mut message = Vec::new();
            let read = self.answers.read_until(0, &mut message).expect("the browser runs");
            assert!(read > 0, "the browser ended");
            message.pop();
            let answer: Value = serde_json::from_slice(&message).expect("it speaks JSON");
            // The others are events.
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Opens a page anew, and waits until it has loaded.
    #[track_caller]
    pub fn open(&mut self, url: &str) {
        // Another state of the same page alone would not load it again.
        for url in ["about:blank", url] {
            self.call("Page.navigate", json!({ "url": url }));
            self.value("new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))");
        }
    }

    /// What an expression is in the page.
    #[track_caller]
    pub fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses a key, as the reader would.
    pub fn press(&mut self, key: &str) {
        let mut down = json!({ "type": "keyDown", "key": key });
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            _ => 0,
        };
        if code > 0 {
            down["windowsVirtualKeyCode"] = code.into();
        }
        match key {
            "Enter" => down["text"] = "\r".into(),
            letter if letter.chars().count() == 1 => down["text"] = letter.into(),
            _ => {}
        }
        self.call("Input.dispatchKeyEvent", down.clone());
        down["type"] = "keyUp".into();
        down.as_object_mut().unwrap().remove("text");
        self.call("Input.dispatchKeyEvent", down);
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
