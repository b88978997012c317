//! One call as Python sees it.

use std::sync::Mutex;
use std::time::Instant;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::HeaderMap;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use tokio::sync::oneshot;

use crate::message::framed;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What Python says of a call.
pub enum Reply {
    /// A message with its prefix.
    Message(Bytes),
    Failure {
        code: u32,
        message: String,
        trailing: Vec<(String, Vec<u8>)>,
    },
}

/// A call that waits for its answer: its message, and how to answer it.
#[pyclass(frozen, module = "slipway_front")]
pub struct Call {
    /// Its number, by which its end is told.
    #[pyo3(get)]
    id: u64,
    /// Which of the methods that the front was given.
    #[pyo3(get)]
    method: usize,
    message: Bytes,
    headers: HeaderMap,
    deadline: Option<Instant>,
    reply: Mutex<Option<oneshot::Sender<Reply>>>,
}

impl Call {
    pub fn new(
        id: u64,
        method: usize,
        message: Bytes,
        headers: HeaderMap,
        deadline: Option<Instant>,
        reply: oneshot::Sender<Reply>,
    ) -> Self {
        Self { id, method, message, headers, deadline, reply: Mutex::new(Some(reply)) }
    }

    /// Answer with a message's bytes. False: it was answered before, or nobody waits.
    pub fn answered(&self, data: &[u8]) -> bool {
        self.say(Reply::Message(framed(data)))
    }

    fn say(&self, reply: Reply) -> bool {
        let waiting = self.reply.lock().expect("nobody panics while holding it").take();
        waiting.is_some_and(|sender| sender.send(reply).is_ok())
    }
}

#[pymethods]
impl Call {
    /// The request's bytes.
    #[getter]
    fn message<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.message)
    }

    /// Seconds that the caller still waits, never negative; None where it waits for ever.
    fn remaining_s(&self) -> Option<f64> {
        self.deadline.map(|end| end.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    /// What the caller sent beside the message: pairs of a name and a str, or bytes where the name ends with "-bin".
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let mut pairs = Vec::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            let name = name.as_str();
            if name == "te" || name == "content-type" || name.starts_with("grpc-") {
                continue;
            }
            let value = if name.ends_with("-bin") {
                let Ok(data) = BASE64.decode(value.as_bytes()) else { continue };
                PyBytes::new(py, &data).into_any()
            } else {
                PyString::new(py, &String::from_utf8_lossy(value.as_bytes())).into_any()
            };
            pairs.push(PyTuple::new(py, [PyString::new(py, name).into_any(), value])?);
        }
        PyTuple::new(py, pairs)
    }

    /// Whether the caller sent something under this name beside the message.
    fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Answer with a status and trailing metadata. False: it was answered before, or nobody waits.
    fn fail(&self, code: u32, message: String, trailing: Vec<(String, Vec<u8>)>) -> bool {
        self.say(Reply::Failure { code, message, trailing })
    }
}
