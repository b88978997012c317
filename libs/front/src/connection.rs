//! One caller's connection, and the calls on it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};

use crate::body::{self, Body};
use crate::call::Call;
use crate::grpc::{self, Refusal};
use crate::inbox::{Event, Inbox};
use crate::message::{self, Arriving, Limits};
use crate::upstream::Upstream;

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const LOOK: Duration = Duration::from_millis(10);
const WINDOW: u32 = 1024 * 1024;
/// gRPC's own bound, which is told by a status.
const METADATA_BYTES: usize = 16 * 1024;
/// What ends a request by HTTP's means.
const HEADER_BYTES: u32 = 256 * 1024;

/// What all connections share.
pub struct Shared {
    pub inbox: Inbox,
    /// The numbers of the methods that Python answers by batches, by their paths.
    pub methods: HashMap<String, usize>,
    pub limits: Limits,
    pub arriving: Arriving,
    /// The longest that a request may be on its way.
    pub longest: Duration,
    pub keepalive: Duration,
    pub streams: u32,
    pub upstream: String,
    pub calls: AtomicU64,
}

/// Whether the caller speaks HTTP/2: it has to begin within the time of a keepalive, or holds a descriptor for nothing.
async fn begins(stream: &TcpStream, patience: Duration) -> bool {
    let mut came = [0; PREFACE.len()];
    let whole = async {
        loop {
            match stream.peek(&mut came).await {
                Ok(0) | Err(_) => return false,
                Ok(count) if came[..count] != PREFACE[..count] => return false,
                Ok(count) if count == PREFACE.len() => return true,
                // What is there already would be told again at once.
                Ok(_) => tokio::time::sleep(LOOK).await,
            }
        }
    };
    tokio::time::timeout(patience, whole).await.unwrap_or(false)
}

/// Serve a connection until its caller leaves or `ending` says so; then what runs on it ends first.
pub async fn serve(shared: Arc<Shared>, stream: TcpStream, mut ending: watch::Receiver<bool>) {
    let speaks = tokio::select! {
        speaks = begins(&stream, shared.keepalive) => speaks,
        _ = ending.wait_for(|ends| *ends) => false,
    };
    if !speaks {
        return;
    }
    let upstream = Arc::new(Upstream::at(&shared.upstream));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(shared.keepalive)
        .keep_alive_timeout(shared.keepalive / 3)
        .max_concurrent_streams(shared.streams)
        .max_header_list_size(HEADER_BYTES)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(4 * WINDOW);
    let answer = service_fn(move |request| {
        let (shared, upstream) = (Arc::clone(&shared), Arc::clone(&upstream));
        async move { Ok::<_, Infallible>(route(shared, upstream, request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), answer);
    tokio::pin!(connection);
    let over = tokio::select! {
        _ = connection.as_mut() => true,
        _ = ending.wait_for(|ends| *ends) => false,
    };
    if !over {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

async fn route(shared: Arc<Shared>, upstream: Arc<Upstream>, request: Request<Incoming>) -> Response<Body> {
    if request.method() != Method::POST || !grpc::is_grpc(request.headers()) {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return response;
    }
    if let Err(refusal) = grpc::check_metadata(request.headers(), METADATA_BYTES) {
        return body::refused(refusal);
    }
    match shared.methods.get(request.uri().path()) {
        Some(&method) if !grpc::is_compressed(request.headers()) => match unary(&shared, method, request).await {
            Ok(response) => response,
            Err(refusal) => body::refused(refusal),
        },
        _ => upstream.answer(request).await,
    }
}

async fn unary(shared: &Arc<Shared>, method: usize, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let came = Instant::now();
    let (parts, mut body) = request.into_parts();
    let deadline = grpc::timeout(&parts.headers).and_then(|left| came.checked_add(left));
    let whole = message::one(&mut body, &shared.limits, &shared.arriving);
    let message = tokio::time::timeout(shared.longest, whole).await.map_err(|_| {
        let told = format!("the request took longer than {} s to come", shared.longest.as_secs_f64());
        Refusal::of(grpc::DEADLINE_EXCEEDED, told)
    })??;
    let id = shared.calls.fetch_add(1, Ordering::Relaxed);
    let (reply, replied) = oneshot::channel();
    shared.inbox.push(Event::Came(Call::new(id, method, message, parts.headers, deadline, reply)));
    let mut watch = Watch { shared, id: Some(id) };
    let reply = replied.await.map_err(|_| Refusal::of(grpc::INTERNAL, "the call was given up".into()))?;
    watch.id = None;
    Ok(body::answered(reply))
}

/// Tells Python when a caller is gone: hyper drops what nobody waits for.
struct Watch<'a> {
    shared: &'a Shared,
    id: Option<u64>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shared.inbox.push(Event::Gone(id));
        }
    }
}
