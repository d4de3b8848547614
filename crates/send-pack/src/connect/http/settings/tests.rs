use super::*;

fn settings(config: &str, env: &'static [(&'static str, &'static str)]) -> HttpConfig {
    let lookup = |name: &str| {
        env.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| OsString::from(value))
    };
    HttpConfig::read(&config.parse().expect("valid config"), &lookup)
}

fn http(settings: &HttpConfig, url: &str) -> HttpSettings {
    settings
        .of(&RemoteUrl::parse(url).expect("valid"))
        .unwrap_or_else(|err| panic!("{err}"))
}

#[test]
fn the_best_fitting_section_decides_wherever_it_stands() {
    let settings = settings(
        r#"
        [http "https://h.org/team"]
            sslCAInfo = ~/team.pem
            sslVerify
        [http "https://h.org"]
            sslVerify = no
            lowSpeedLimit = 1k
            lowSpeedTime = 5
        [http]
            sslVerify = false
            userAgent = git/me
            followRedirects = false
        "#,
        &[("HOME", "/home/u")],
    );
    let team = http(&settings, "https://h.org/team/r");
    assert_eq!(team.ca_file.as_deref(), Some(std::path::Path::new("/home/u/team.pem")));
    assert!(team.verify && !team.follow_redirects);
    assert_eq!(team.user_agent.as_deref(), Some("git/me"));
    assert_eq!(team.low_speed.map(|slow| slow.bytes_per_second), Some(1024));
    let other = http(&settings, "https://h.org/x");
    assert!(!other.verify && other.ca_file.is_none());
    let elsewhere = http(&settings, "https://elsewhere.org/x");
    assert!(!elsewhere.verify && elsewhere.low_speed.is_none());
}

#[test]
fn extra_headers_add_up_until_an_empty_one_or_a_better_fit() {
    let settings = settings(
        "[http]\nextraHeader = Lost: 1\nextraHeader =\nextraHeader = A: 1\n\
         [http \"https://h.org\"]\nextraHeader = Authorization: basic s3cret\n[http]\nextraHeader = Late: 1",
        &[],
    );
    let names = |url| {
        http(&settings, url)
            .extra_headers
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("https://h.org/r"), ["A", "Authorization"]);
    assert_eq!(names("https://x.org/r"), ["A", "Late"]);
}

#[test]
fn a_header_that_would_be_more_than_one_is_an_error_that_does_not_show_it() {
    for header in [
        "X: s3cret\\nY: 1",
        "X s3cret",
        ": s3cret",
        "content-length : 5",
        "Transfer-Encoding: chunked",
    ] {
        let settings = settings(&format!("[http]\nextraHeader = \"{header}\""), &[]);
        let refused = settings.of(&RemoteUrl::parse("http://h/r").expect("valid"));
        assert!(refused.is_err_and(|message| !message.contains("s3cret")), "{header}");
    }
}

#[test]
fn the_environment_overrides_the_files() {
    let settings = settings(
        "[http]\nsslCAInfo = /file.pem\nsslCert = /c.pem\nuserAgent = git/file\nproxy = http://file:1",
        &[
            ("GIT_SSL_CAINFO", "/env.pem"),
            ("GIT_SSL_NO_VERIFY", "1"),
            ("GIT_HTTP_USER_AGENT", "git/env"),
        ],
    );
    let http = http(&settings, "https://h/r");
    assert_eq!(http.ca_file.as_deref(), Some(std::path::Path::new("/env.pem")));
    assert_eq!(http.user_agent.as_deref(), Some("git/env"));
    assert!(!http.verify && http.proxy.is_some_and(|proxy| proxy.host == "file"));
    assert_eq!(http.client_cert, Some(("/c.pem".into(), "/c.pem".into())));
}
