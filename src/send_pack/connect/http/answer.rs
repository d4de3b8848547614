//! What an answer means, and its body as the server wrote it, whatever it was packed in on the way.

use std::io::{self, Read};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use gix::protocol::transport::client::AuthenticationRequired;
use ureq::http::{HeaderValue, Response, StatusCode, header};

use super::super::deadline::Watch;
use super::super::text;
use super::super::trouble::{HttpReport, HttpTrouble};

/// The head and body of a successful answer.
pub(super) struct Answer {
    pub(super) headers: Vec<u8>,
    pub(super) body: Box<dyn Read + Send>,
}

/// Of the body of an answer that is a refusal; more is not worth keeping the connection for.
const MAX_ERROR_BODY: u64 = 64 << 10;

/// The answer if its status is a success; the connection is left fit for the next request if it is not.
pub(super) fn accepted(
    response: Response<ureq::Body>,
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
        text::lines(&body, 2048)
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
