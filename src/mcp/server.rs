//! The protocol around a call: its thread, its progress, its end.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
        PaginatedRequestParams, ProgressNotificationParam, ProgressToken, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Start, TICK, call::Call, failure::Failure, tools};
use crate::{
    sync::{Progress, Step, stop::Stop},
    text::printed,
};

/// How long a call may take whose client hears nothing of it: most give up after a minute.
const DEADLINE: Duration = Duration::from_secs(50);

/// How often a client hears of a call in which nothing moves.
const HEARTBEAT: Duration = Duration::from_secs(10);

pub struct Server {
    start: Arc<Start>,
}

impl Server {
    pub fn new(start: Start) -> Self {
        Server { start: Arc::new(start) }
    }
}

/// The step that a call is at, for whoever waits for it.
#[derive(Default, Clone)]
struct Steps(Arc<Mutex<Option<Step>>>);

impl Progress for Steps {
    fn step(&mut self, step: Step) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
    }
}

impl Steps {
    fn latest(&self) -> Option<Step> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("git-metis-sync", env!("CARGO_PKG_VERSION")))
            .with_instructions(tools::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let token = context.meta.get_progress_token();
        let interrupt = Arc::new(AtomicBool::new(false));
        let steps = Steps::default();
        let done = begin(
            Arc::clone(&self.start),
            &params,
            token.is_none().then_some(DEADLINE),
            Arc::clone(&interrupt),
            steps.clone(),
        );
        let waited = Waited {
            context: &context,
            token,
            interrupt: &interrupt,
            stop: &self.start.interrupt,
        };
        let result = match waited.until(done, steps).await {
            Some(Ok(answer)) => CallToolResult::structured(fit(answer)),
            Some(Err(failure)) => CallToolResult::structured_error(fit(failure.json())),
            None => {
                let message = format!("there is no tool {}", printed(&params.name));
                return Err(ErrorData::invalid_params(message, None));
            }
        };
        Ok(with_text(result).into())
    }
}

type Done = Option<Result<Value, Failure>>;

/// Starts a call on a thread of its own: the engine blocks.
fn begin(
    start: Arc<Start>,
    params: &CallToolRequestParams,
    deadline: Option<Duration>,
    interrupt: Arc<AtomicBool>,
    mut steps: Steps,
) -> oneshot::Receiver<Done> {
    let (tell, done) = oneshot::channel();
    let (tool, arguments) = (params.name.to_string(), params.arguments.clone().unwrap_or_default());
    // Without a thread the other end is dropped, which says it. What a client calls a tool may be no name for a thread.
    let _ = std::thread::Builder::new().name("call".into()).spawn(move || {
        let call = Call {
            start: &start,
            tool: &tool,
            arguments,
            interrupt,
            deadline,
        };
        let _ = tell.send(call.run(&mut steps));
    });
    done
}

struct Waited<'a> {
    context: &'a RequestContext<RoleServer>,
    token: Option<ProgressToken>,
    interrupt: &'a AtomicBool,
    /// Set when the process is to end.
    stop: &'a AtomicBool,
}

impl Waited<'_> {
    /// Until the call has ended, which it does soon after it was interrupted.
    async fn until(&self, mut done: oneshot::Receiver<Done>, steps: Steps) -> Done {
        let begun = Instant::now();
        let mut told: Option<(Instant, Option<Step>)> = None;
        let mut late = false;
        loop {
            tokio::select! {
                ended = &mut done => {
                    return match ended.unwrap_or_else(|_| Some(Err(unstarted()))) {
                        Some(Err(_)) if late => Some(Err(too_late())),
                        ended => ended,
                    };
                }
                () = tokio::time::sleep(TICK) => {}
            }
            late = late || (self.token.is_none() && begun.elapsed() >= DEADLINE);
            if late || self.context.ct.is_cancelled() || self.stop.load(Ordering::Relaxed) {
                self.interrupt.store(true, Ordering::Relaxed);
            }
            let step = steps.latest();
            let is_due = told.is_none_or(|(at, before)| before != step || at.elapsed() >= HEARTBEAT);
            if let (Some(token), true) = (&self.token, is_due) {
                told = Some((Instant::now(), step));
                let progress = ProgressNotificationParam::new(token.clone(), begun.elapsed().as_secs_f64());
                let message = step.map_or_else(|| "working".to_owned(), |step| step.to_string());
                // Whoever does not listen gets the answer all the same.
                let _ = self.context.peer.notify_progress(progress.with_message(message)).await;
            }
        }
    }
}

fn unstarted() -> Failure {
    let next = "Call it again.".to_owned();
    Failure::new("internal", Stop::Disk, "the call could not be carried out".into(), next)
}

fn too_late() -> Failure {
    let message = format!(
        "this took {} s and was stopped, since clients give up soon after",
        DEADLINE.as_secs()
    );
    let next = "Call it again with a progress token, or run `git metis-sync`. What was done is kept.".to_owned();
    Failure::new("timeout", Stop::OutOfTime, message, next)
}

/// Whatever others wrote comes without characters that hide, move or turn text around: a model reads what a person would see.
fn fit(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(printed(&text).into_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(fit).collect()),
        Value::Object(items) => Value::Object(items.into_iter().map(|(key, value)| (key, fit(value))).collect()),
        other => other,
    }
}

/// A failure in words, for clients that show text alone.
fn with_text(mut result: CallToolResult) -> CallToolResult {
    let error = result.structured_content.as_ref().map(|value| &value["error"]);
    if let Some(error) = error.filter(|error| error.is_object()) {
        let line = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        let person = match (error["needs_a_person"].as_bool(), error["command"].as_str()) {
            (Some(true), Some(command)) => format!("A person has to decide this, and would run: {command}"),
            _ => String::new(),
        };
        let lines = [
            format!("error: {}", line("message")),
            line("server_text"),
            line("state"),
            line("next"),
            person,
        ];
        let text: Vec<&str> = lines
            .iter()
            .map(String::as_str)
            .filter(|line| !line.is_empty())
            .collect();
        result.content = vec![ContentBlock::text(text.join("\n"))];
    }
    result
}
