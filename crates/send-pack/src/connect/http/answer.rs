//! What an answer means, and its body as the server wrote it, whatever it was packed in on the way.

use std::io::{self, Read};
use std::sync::Arc;

use base64::Engine as _;
use flate2::read::MultiGzDecoder;
use gix_transport::client::AuthenticationRequired;
use ureq::http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::super::errors::{HttpReport, HttpTrouble};
use super::super::text;
use super::super::watch::Watch;

/// The head and body of a successful answer.
pub(super) struct Answer {
    pub(super) headers: Vec<u8>,
    pub(super) body: Box<dyn Read + Send>,
}

/// Of the body of an answer that is a refusal; more is not worth keeping the connection for.
const MAX_ERROR_BODY: u64 = 64 << 10;

/// The answer if its status is a success; the connection is left fit for the next request if it is not. `sent` are the headers of
/// the request.
pub(super) fn accepted(
    response: Response<ureq::Body>,
    sent: &[(HeaderName, HeaderValue)],
    report: &Arc<HttpReport>,
    watch: &Arc<Watch>,
) -> io::Result<Answer> {
    let status = response.status();
    if status.is_success() {
        report.set(None);
        let content_type = response
            .headers()
            .get(header::CONTENT_TYPE)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        let headers = [b"content-type: ", content_type, b"\n"].concat();
        let body = body(response, Some(report), watch).map_err(|trouble| {
            report.set(Some(trouble.clone()));
            io::Error::other(trouble)
        })?;
        return Ok(Answer { headers, body });
    }
    let challenges = response.headers().get_all(header::WWW_AUTHENTICATE).iter();
    let www_authenticate = challenges.map(|value| value.as_bytes().into()).collect();
    let is_text = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let body = drain(response, watch);
    let text = if is_text {
        without_secrets(&text::lines(&body, 2048), sent)
    } else {
        String::new()
    };
    let trouble = HttpTrouble::Status {
        code: status.as_u16(),
        text,
    };
    report.set(Some(trouble.clone()));
    Err(match status {
        StatusCode::UNAUTHORIZED => io::Error::new(
            io::ErrorKind::PermissionDenied,
            AuthenticationRequired { www_authenticate },
        ),
        _ => io::Error::other(trouble),
    })
}

/// `text` without the lines that repeat what was to get us in: some gateways show the request that they make nothing of.
fn without_secrets(text: &str, sent: &[(HeaderName, HeaderValue)]) -> String {
    let is_secret =
        |name: &HeaderName| [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE].contains(name);
    let secrets = sent
        .iter()
        .filter(|(name, value)| is_secret(name) || value.is_sensitive());
    let mut words = Vec::new();
    for (_, value) in secrets {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let Some(token) = value.split_whitespace().next_back() else {
            continue;
        };
        let account = base64::engine::general_purpose::STANDARD
            .decode(token)
            .unwrap_or_default();
        let password = account
            .iter()
            .position(|byte| *byte == b':')
            .map(|at| &account[at + 1..]);
        words.extend(password.map(|password| String::from_utf8_lossy(password).into_owned()));
        words.push(token.to_owned());
    }
    // What is as short as that stands in any text.
    words.retain(|word| word.len() >= 4);
    let kept = text
        .lines()
        .filter(|line| !words.iter().any(|word| line.contains(word.as_str())));
    kept.collect::<Vec<_>>().join("\n")
}

/// Reads the body of an answer that nobody needs, as far as that is worth while.
pub(super) fn drain(response: Response<ureq::Body>, watch: &Arc<Watch>) -> Vec<u8> {
    let mut read = Vec::new();
    // What cannot be read of it costs a connection, and nothing else.
    if let Ok(body) = body(response, None, watch) {
        body.take(MAX_ERROR_BODY).read_to_end(&mut read).ok();
    }
    read
}

/// The body of `response`, unpacked. Its end is reported to `report`, if it is git's at all, and not the page of a proxy, and
/// if there is a mark that tells it from a connection that broke.
fn body(
    response: Response<ureq::Body>,
    report: Option<&Arc<HttpReport>>,
    watch: &Arc<Watch>,
) -> Result<Box<dyn Read + Send>, HttpTrouble> {
    let headers = response.headers();
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_framed = content_type.is_some_and(|kind| kind.starts_with(b"application/x-git-"))
        && (headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING));
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let encoding = encoding.unwrap_or_default().trim_ascii().to_ascii_lowercase();
    let body = Framed {
        body: response.into_body().into_reader(),
        report: report.filter(|_| is_framed).cloned(),
    };
    match encoding.as_slice() {
        b"" | b"identity" => Ok(Box::new(body)),
        b"gzip" | b"x-gzip" => Ok(Box::new(Unpacked {
            body: MultiGzDecoder::new(body),
            watch: watch.clone(),
        })),
        other => Err(HttpTrouble::Malformed(format!(
            "the answer is encoded as {}, which was not asked for",
            text::line(other, 40)
        ))),
    }
}

/// A body as it came.
struct Framed {
    body: ureq::BodyReader<'static>,
    report: Option<Arc<HttpReport>>,
}

impl Read for Framed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buf)?;
        if read == 0
            && !buf.is_empty()
            && let Some(report) = self.report.take()
        {
            report.completed();
        }
        Ok(read)
    }
}

/// A body that was compressed, which may be a thousand times as large as what came: what it holds is counted as well.
struct Unpacked {
    body: MultiGzDecoder<Framed>,
    watch: Arc<Watch>,
}

impl Read for Unpacked {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buf)?;
        self.watch.received(read as u64)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_to_get_in_is_not_repeated() {
        let token = base64::engine::general_purpose::STANDARD.encode("me:s3cret");
        let sent = [
            (header::PROXY_AUTHORIZATION, format!("Basic {token}")),
            (header::AUTHORIZATION, "Bearer t0ken".to_owned()),
            (header::COOKIE, "session=c00kie".to_owned()),
            (header::ACCEPT, "text/plain".to_owned()),
        ]
        .map(|(name, value)| (name, HeaderValue::from_str(&value).unwrap()));
        let text = format!(
            "Bad request\nproxy-authorization: Basic {token}\n{{\"Authorization\": \"Bearer t0ken\"}}\nme, s3cret\n\
             Cookie: session=c00kie\naccept: text/plain"
        );
        assert_eq!(without_secrets(&text, &sent), "Bad request\naccept: text/plain");
        assert_eq!(without_secrets("as it is\n", &[]), "as it is");
        let empty = [(header::AUTHORIZATION, HeaderValue::from_static("Basic bWU6"))];
        assert_eq!(without_secrets("me: no", &empty), "me: no");
    }
}
