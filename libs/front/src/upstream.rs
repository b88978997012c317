//! Python's own gRPC server, which answers what is not taken over.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream as StdUnixStream};

use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use crate::body::{self, Body};
use crate::grpc::{self, Refusal};

const WINDOW: u32 = 1024 * 1024;

/// One connection to it for each that a caller has: streams and flow control of callers stay apart.
pub struct Upstream {
    name: String,
    sender: Mutex<Option<SendRequest<Incoming>>>,
}

impl Upstream {
    /// `name` is that of a socket in Linux's abstract namespace: nothing of it outlives its process.
    pub fn at(name: &str) -> Self {
        Self { name: name.to_owned(), sender: Mutex::new(None) }
    }

    /// Let it answer a request.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let Ok(mut sender) = self.sender().await else { return gone() };
        let (mut parts, body) = request.into_parts();
        let mut uri = parts.uri.into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = uri.authority.or_else(|| Some(Authority::from_static("localhost")));
        let Ok(uri) = Uri::from_parts(uri) else { return gone() };
        parts.uri = uri;
        match sender.send_request(Request::from_parts(parts, body)).await {
            Ok(response) => response.map(Body::Upstream),
            Err(_) => gone(),
        }
    }

    fn connect(&self) -> io::Result<UnixStream> {
        // It never waits: the kernel queues it for the server.
        let stream = StdUnixStream::connect_addr(&SocketAddr::from_abstract_name(&self.name)?)?;
        stream.set_nonblocking(true)?;
        UnixStream::from_std(stream)
    }

    async fn sender(&self) -> io::Result<SendRequest<Incoming>> {
        let mut known = self.sender.lock().await;
        if let Some(sender) = known.as_ref().filter(|one| !one.is_closed()) {
            return Ok(sender.clone());
        }
        let stream = self.connect()?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(4 * WINDOW)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(connection);
        *known = Some(sender.clone());
        Ok(sender)
    }
}

fn gone() -> Response<Body> {
    body::refused(Refusal::of(grpc::UNAVAILABLE, "the server ends; try again".into()))
}
