//! gRPC over HTTP/2: what stands in the headers and trailers.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

pub const CANCELLED: u32 = 1;
pub const DEADLINE_EXCEEDED: u32 = 4;
pub const RESOURCE_EXHAUSTED: u32 = 8;
pub const INTERNAL: u32 = 13;
pub const UNAVAILABLE: u32 = 14;

const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const KIND: &str = "application/grpc";

const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// Why a call gets no answer from Python.
#[derive(Debug)]
pub struct Refusal {
    pub code: u32,
    pub message: String,
}

impl Refusal {
    pub const fn of(code: u32, message: String) -> Self {
        Self { code, message }
    }

    pub const fn exhausted(message: String) -> Self {
        Self::of(RESOURCE_EXHAUSTED, message)
    }

    pub const fn cancelled() -> Self {
        Self::of(CANCELLED, String::new())
    }
}

/// Whether a request is gRPC's.
pub fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| {
        value
            .as_bytes()
            .strip_prefix(KIND.as_bytes())
            .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
    })
}

/// Whether the messages of a request are compressed.
pub fn is_compressed(headers: &HeaderMap) -> bool {
    headers.get(ENCODING).is_some_and(|value| value != "identity")
}

/// Refuse more metadata than `limit` bytes, reckoned as HTTP/2 does.
pub fn check_metadata(headers: &HeaderMap, limit: usize) -> Result<(), Refusal> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    if bytes <= limit {
        return Ok(());
    }
    Err(Refusal::exhausted(format!("the metadata has {bytes} bytes, and {limit} are taken at most")))
}

/// How long the caller waits; None: for ever.
pub fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|one| one.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// The headers of every answer.
pub fn headers(into: &mut HeaderMap) {
    into.insert(CONTENT_TYPE, HeaderValue::from_static(KIND));
}

/// The trailers of an answer.
pub fn ok() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(STATUS, HeaderValue::from_static("0"));
    trailers
}

/// A status with trailing metadata. What no header can hold is left out.
pub fn status(into: &mut HeaderMap, code: u32, message: &str, trailing: Vec<(String, Vec<u8>)>) {
    into.insert(STATUS, HeaderValue::from(code));
    let escaped = percent_encode(message.as_bytes(), ESCAPED).to_string();
    if let Ok(value) = HeaderValue::from_str(&escaped) {
        into.insert(MESSAGE, value);
    }
    for (name, value) in trailing {
        let told = if name.ends_with("-bin") { STANDARD_NO_PAD.encode(value).into_bytes() } else { value };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(&told)) {
            into.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn timeouts_have_units() {
        let found = |text| timeout(&with(TIMEOUT, text));
        assert_eq!(found("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(found("3M"), Some(Duration::from_secs(180)));
        assert_eq!(found("4S"), Some(Duration::from_secs(4)));
        assert_eq!(found("99999999m"), Some(Duration::from_millis(99_999_999)));
        assert_eq!(found("5u"), Some(Duration::from_micros(5)));
        assert_eq!(found("6n"), Some(Duration::from_nanos(6)));
        for wrong in ["", "S", "1", "-1S", "1s", "123456789S", "+1S", "1.5S"] {
            assert_eq!(found(wrong), None, "{wrong}");
        }
        assert_eq!(timeout(&HeaderMap::new()), None);
    }

    #[test]
    fn content_types() {
        for right in ["application/grpc", "application/grpc+proto", "application/grpc;charset=x"] {
            assert!(is_grpc(&with(CONTENT_TYPE, right)), "{right}");
        }
        for wrong in ["application/grpc-web", "text/plain", "application/grpcx"] {
            assert!(!is_grpc(&with(CONTENT_TYPE, wrong)), "{wrong}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn messages_are_escaped_and_details_encoded() {
        let mut found = HeaderMap::new();
        status(&mut found, 3, "100 % \u{e9}\n", vec![("a-bin".into(), vec![255, 0]), ("b".into(), b"c".to_vec())]);
        assert_eq!(found[STATUS], "3");
        assert_eq!(found[MESSAGE], "100 %25 %C3%A9%0A");
        assert_eq!(found["a-bin"], "/wA");
        assert_eq!(found["b"], "c");
    }
}
