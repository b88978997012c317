//! What is sent back.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use crate::call::Reply;
use crate::grpc::{self, Refusal};

/// A message and its status, a status alone, or what another server says.
pub enum Body {
    Message(Bytes),
    Trailers,
    Empty,
    Upstream(Incoming),
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Message(data) => {
                let data = std::mem::take(data);
                *self = Self::Trailers;
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Self::Trailers => {
                *self = Self::Empty;
                Poll::Ready(Some(Ok(Frame::trailers(grpc::ok()))))
            }
            Self::Empty => Poll::Ready(None),
            Self::Upstream(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Message(_) | Self::Trailers => false,
            Self::Empty => true,
            Self::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Upstream(body) => body.size_hint(),
            // With a length hyper would write it, and gRPC has none.
            _ => SizeHint::default(),
        }
    }
}

/// The response to a call.
pub fn answered(reply: Reply) -> Response<Body> {
    match reply {
        Reply::Message(data) => {
            let mut response = Response::new(Body::Message(data));
            grpc::headers(response.headers_mut());
            response
        }
        Reply::Failure { code, message, trailing } => failed(code, &message, trailing),
    }
}

/// A status in place of an answer.
pub fn refused(refusal: Refusal) -> Response<Body> {
    failed(refusal.code, &refusal.message, Vec::new())
}

fn failed(code: u32, message: &str, trailing: Vec<(String, Vec<u8>)>) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    grpc::headers(response.headers_mut());
    grpc::status(response.headers_mut(), code, message, trailing);
    response
}
