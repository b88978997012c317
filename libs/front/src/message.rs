//! gRPC's messages on a stream of bytes: a flag, four bytes of length, and the data.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::grpc::{self, Refusal};

const PREFIX: usize = 5;

/// A message as it is sent.
pub fn framed(data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(PREFIX + data.len());
    out.put_u8(0);
    out.put_u32(u32::try_from(data.len()).expect("no message has 4 GiB"));
    out.put_slice(data);
    out.freeze()
}

/// What may be on its way to Python: of one message, and of all that are not complete yet.
pub struct Limits {
    pub message: usize,
    pub arriving: usize,
}

/// The bytes of all messages that are not complete yet.
pub struct Arriving(AtomicUsize);

impl Arriving {
    pub const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }
}

/// A message's part of what is arriving, given back when it is complete or its caller gone.
struct Share<'a> {
    all: &'a Arriving,
    bytes: usize,
}

impl Share<'_> {
    fn grow(&mut self, bytes: usize, limit: usize) -> Result<(), Refusal> {
        self.bytes += bytes;
        let all = self.all.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // One message always fits, whoever else sends nothing.
        if all > limit && all > self.bytes {
            return Err(Refusal::exhausted(format!(
                "more than {limit} bytes of requests are on their way; try again, or send less at once"
            )));
        }
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The one message of a call.
pub async fn one(body: &mut Incoming, limits: &Limits, arriving: &Arriving) -> Result<Bytes, Refusal> {
    let mut share = Share { all: arriving, bytes: 0 };
    let mut parts = Parts::new(limits.message);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::cancelled())?;
        if let Ok(data) = frame.into_data() {
            share.grow(data.len(), limits.arriving)?;
            parts.add(data)?;
        }
    }
    parts.whole()
}

/// What came of a message, in as few copies as its frames allow.
struct Parts {
    limit: usize,
    first: Bytes,
    joined: BytesMut,
    wanted: Option<usize>,
}

impl Parts {
    fn new(limit: usize) -> Self {
        Self { limit, first: Bytes::new(), joined: BytesMut::new(), wanted: None }
    }

    fn add(&mut self, data: Bytes) -> Result<(), Refusal> {
        if self.joined.is_empty() && self.first.is_empty() {
            self.first = data;
        } else {
            if self.joined.is_empty() {
                // What is announced is not believed: memory grows with what came.
                self.joined.extend_from_slice(&self.first);
            }
            self.joined.extend_from_slice(&data);
        }
        let have = self.have();
        if self.wanted.is_none() && have.len() >= PREFIX {
            self.wanted = Some(PREFIX + announced(have, self.limit)?);
        }
        match self.wanted {
            Some(wanted) if self.have().len() > wanted => {
                Err(Refusal::of(grpc::INTERNAL, "more than one message came, and the method takes one".into()))
            }
            _ => Ok(()),
        }
    }

    fn have(&self) -> &[u8] {
        if self.joined.is_empty() { &self.first } else { &self.joined }
    }

    fn whole(self) -> Result<Bytes, Refusal> {
        if self.wanted != Some(self.have().len()) {
            return Err(Refusal::of(grpc::INTERNAL, "the request ends before its message does".into()));
        }
        let all = if self.joined.is_empty() { self.first } else { self.joined.freeze() };
        Ok(all.slice(PREFIX..))
    }
}

fn announced(prefix: &[u8], limit: usize) -> Result<usize, Refusal> {
    if prefix[0] != 0 {
        return Err(Refusal::of(
            grpc::INTERNAL,
            "the message is marked as compressed, but names no grpc-encoding".into(),
        ));
    }
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
    if length > limit {
        return Err(Refusal::exhausted(format!("the message has {length} bytes, and {limit} are taken at most")));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pieces: &[&[u8]]) -> Result<Bytes, u32> {
        let mut parts = Parts::new(8);
        for piece in pieces {
            parts.add(Bytes::copy_from_slice(piece)).map_err(|error| error.code)?;
        }
        parts.whole().map_err(|error| error.code)
    }

    #[test]
    fn a_message_is_the_same_however_it_is_cut() {
        let sent = framed(b"slipway");
        for first in 0..=sent.len() {
            for second in first..=sent.len() {
                let pieces = [&sent[..first], &sent[first..second], &sent[second..]];
                assert_eq!(told(&pieces).unwrap(), &b"slipway"[..], "{first} {second}");
            }
        }
    }

    #[test]
    fn an_empty_message_is_one() {
        assert_eq!(told(&[&framed(b"")]).unwrap(), &b""[..]);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        assert_eq!(told(&[]).unwrap_err(), grpc::INTERNAL);
        assert_eq!(told(&[b"\0\0\0\0\x02a"]).unwrap_err(), grpc::INTERNAL);
        assert_eq!(told(&[b"\0\0\0\0\x01ab"]).unwrap_err(), grpc::INTERNAL);
        assert_eq!(told(&[b"\x01\0\0\0\x01a"]).unwrap_err(), grpc::INTERNAL);
        assert_eq!(told(&[b"\0\0\0\0\x09"]).unwrap_err(), grpc::RESOURCE_EXHAUSTED);
        assert_eq!(told(&[b"\0\xff\xff\xff\xff"]).unwrap_err(), grpc::RESOURCE_EXHAUSTED);
    }

    #[test]
    fn all_together_are_bounded_but_one_alone_is_not() {
        let all = Arriving::new();
        let mut large = Share { all: &all, bytes: 0 };
        assert!(large.grow(100, 10).is_ok());
        let mut small = Share { all: &all, bytes: 0 };
        assert_eq!(small.grow(1, 10).unwrap_err().code, grpc::RESOURCE_EXHAUSTED);
        drop(large);
        drop(small);
        assert!(Share { all: &all, bytes: 0 }.grow(10, 10).is_ok());
    }
}
