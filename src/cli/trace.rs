//! What `-v`, `-vv` and `METIS_SYNC_TRACE` show of a run: its stages, connections and exchanges, each with its time and bytes.
//!
//! The library opens a span for each of them ([`tracing`]). Unless somebody asked, nothing listens, and a span costs one load of
//! an atomic. What may be shown is decided where a span is opened: no field holds a header, a password or a command line.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    time::Instant,
};

use serde_json::{Map, Value, json};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, EnteredSpan, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, SpanRef},
};

use super::{Global, output};
use crate::text;

/// Names a file, or standard error.
const VARIABLE: &str = "METIS_SYNC_TRACE";

/// Listens from here on, if anybody asked, and opens the span of the whole command.
pub fn begin(global: &Global, command: &str) -> EnteredSpan {
    let talk = match (global.talks(), global.verbose) {
        (false, _) | (true, 0) => LevelFilter::OFF,
        (true, 1) => LevelFilter::INFO,
        (true, _) => LevelFilter::DEBUG,
    };
    let target = std::env::var_os(VARIABLE).and_then(Target::of);
    let log = target.and_then(|target| {
        let opened = target.open();
        opened
            .inspect_err(|err| mention!("warning: no trace is written to {}: {err}", target.shown()))
            .ok()
    });
    if talk != LevelFilter::OFF || log.is_some() {
        let listening = tracing_subscriber::registry().with(Listener { talk, log });
        // Once per process, so there is no other one.
        let _ = tracing::subscriber::set_global_default(listening);
    }
    tracing::info_span!("command", name = command).entered()
}

/// Where the trace goes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Stderr,
    File { path: PathBuf, form: Form },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    /// One JSON document on each line.
    Json,
}

impl Target {
    /// Reads the variable as git reads `GIT_TRACE`: `1`, `2` and `true` are standard error, `0` and `false` nothing.
    fn of(value: OsString) -> Option<Self> {
        match value.to_str() {
            Some("" | "0" | "false") => None,
            Some("1" | "2" | "true") => Some(Target::Stderr),
            _ => {
                let path = PathBuf::from(value);
                let form = match path.extension().and_then(OsStr::to_str) {
                    Some("json" | "jsonl") => Form::Json,
                    _ => Form::Text,
                };
                Some(Target::File { path, form })
            }
        }
    }

    /// A file is appended to: several runs may share it.
    fn open(&self) -> std::io::Result<Log> {
        Ok(match self {
            Target::Stderr => Log {
                file: None,
                form: Form::Text,
            },
            Target::File { path, form } => Log {
                file: Some(OpenOptions::new().create(true).append(true).open(path)?),
                form: *form,
            },
        })
    }

    fn shown(&self) -> String {
        match self {
            Target::Stderr => "standard error".to_owned(),
            Target::File { path, .. } => text::shown(path).to_string(),
        }
    }
}

/// A trace that is being written.
struct Log {
    /// `None`: standard error.
    file: Option<File>,
    form: Form,
}

impl Log {
    /// In one piece, so that the lines of two processes don't mix. A disk that is full must not stop a sync.
    fn write(&self, line: &str) {
        match self.file.as_ref() {
            Some(mut file) => drop(file.write_all(format!("{line}\n").as_bytes())),
            None => mention!("{line}"),
        }
    }

    /// Writes that a span began or ended.
    fn note<S: for<'a> LookupSpan<'a>>(&self, event: &str, span: &SpanRef<'_, S>, facts: &Facts) {
        let now = jiff::Timestamp::now();
        let pid = std::process::id();
        let path = span
            .scope()
            .from_root()
            .map(|span| name(&span))
            .collect::<Vec<_>>()
            .join("/");
        let line = match self.form {
            Form::Text => format!("{now:.6} {pid} {event:5} {path}{facts}"),
            Form::Json => {
                let mut document = json!({
                    "schema": 1,
                    "time": format!("{now:.6}"),
                    "pid": pid,
                    "event": event,
                    "id": span.id().into_u64(),
                    "parent": span.parent().map(|parent| parent.id().into_u64()),
                    "span": path,
                });
                let all = facts.0.iter().map(|(key, value)| (key.clone(), value.clone()));
                document.as_object_mut().expect("it is one").extend(all);
                text::json(&document).unwrap_or_default()
            }
        };
        self.write(&text::escaped(&line));
    }
}

/// What was recorded of a span, by name.
#[derive(Clone, Default)]
struct Facts(Map<String, Value>);

impl Facts {
    fn bytes(&self, key: &str) -> u64 {
        self.0.get(key).and_then(Value::as_u64).unwrap_or_default()
    }

    fn add(&mut self, key: &str, bytes: u64) {
        let sum = self.bytes(key) + bytes;
        self.0.insert(key.to_owned(), sum.into());
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))
    }
}

impl Visit for Facts {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}

/// A span that is open.
struct Open {
    begun: Instant,
    /// Where many spans have one callsite, as exchanges have.
    name: Option<String>,
    facts: Facts,
}

/// What the bytes of a span are recorded as.
const BYTES: [&str; 2] = ["sent", "received"];

/// Writes down spans as they begin and end.
struct Listener {
    /// What is shown on standard error, at its end.
    talk: LevelFilter,
    log: Option<Log>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener {
    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Also where only stages are shown: they are shown with the bytes of their connections.
        Some(LevelFilter::DEBUG)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut facts = Facts::default();
        attributes.record(&mut facts);
        let name = facts.0.remove("name").and_then(|name| Some(name.as_str()?.to_owned()));
        span.extensions_mut().insert(Open {
            begun: Instant::now(),
            name,
            facts: facts.clone(),
        });
        if let Some(log) = &self.log {
            log.note("begin", &span, &facts);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(open) = span.extensions_mut().get_mut::<Open>()
        {
            values.record(&mut open.facts);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let closed = span.extensions_mut().get_mut::<Open>().map(|open| {
            let millis = open.begun.elapsed().as_micros() as f64 / 1e3;
            (millis, std::mem::take(&mut open.facts))
        });
        let Some((millis, mut facts)) = closed else { return };
        // A stage sends what its connections send. Exchanges are parts of those.
        if span.name() == "connection" {
            for outer in span.scope().skip(1) {
                if let Some(open) = outer.extensions_mut().get_mut::<Open>() {
                    BYTES.iter().for_each(|key| open.facts.add(key, facts.bytes(key)));
                }
            }
        }
        if *span.metadata().level() <= self.talk {
            mention_end(&span, millis, &facts);
        }
        if let Some(log) = &self.log {
            facts.0.insert("ms".to_owned(), millis.into());
            log.note("end", &span, &facts);
        }
    }
}

fn name<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) -> String {
    let extensions = span.extensions();
    let given = extensions.get::<Open>().and_then(|open| open.name.clone());
    given.unwrap_or_else(|| span.name().to_owned())
}

/// One line for a person: what is inside comes before what it is inside of, and further to the right.
fn mention_end<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>, millis: f64, facts: &Facts) {
    let indent = "  ".repeat(span.scope().skip(1).count());
    let name = name(span);
    let bytes = match BYTES.map(|key| facts.bytes(key)) {
        [0, 0] => String::new(),
        [sent, received] => format!(", {sent} bytes sent, {received} received"),
    };
    let url = facts
        .0
        .get("url")
        .and_then(Value::as_str)
        .map(|url| format!(" to {url}"));
    if output::talks_to_terminal() {
        // There may be a progress bar.
        output::redraw("");
    }
    mention!("{millis:9.1} ms  {indent}{name}{}{bytes}", url.unwrap_or_default());
}

#[cfg(test)]
mod tests;
