//! The listener, its threads, and what Python asks of them.

use std::collections::HashMap;
use std::net::TcpListener;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::call::Call;
use crate::connection::{self, Shared};
use crate::inbox::{Event, Inbox};
use crate::message::{Arriving, Limits};

const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Listens, and hands over calls.
#[pyclass(frozen, module = "slipway_front")]
pub struct Front {
    shared: Arc<Shared>,
    ending: watch::Sender<bool>,
    open: Mutex<watch::Receiver<()>>,
    runtime: Mutex<Option<Runtime>>,
}

#[pymethods]
impl Front {
    /// Take over listening sockets and the writing end of a pipe, both non-blocking, and begin.
    ///
    /// `methods` are paths; a call names its place among them. `upstream` is the abstract name of the socket of the server that
    /// answers all others.
    #[new]
    #[pyo3(signature = (listeners, wake, methods, upstream, *, threads, message_bytes, arriving_bytes, longest_s,
                        keepalive_s, streams))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        listeners: Vec<RawFd>,
        wake: RawFd,
        methods: Vec<String>,
        upstream: String,
        threads: usize,
        message_bytes: usize,
        arriving_bytes: usize,
        longest_s: f64,
        keepalive_s: f64,
        streams: u32,
    ) -> PyResult<Self> {
        // SAFETY: Python has let go of these descriptors; they are nobody else's.
        let wake = unsafe { OwnedFd::from_raw_fd(wake) };
        let listeners: Vec<TcpListener> =
            listeners.into_iter().map(|one| unsafe { TcpListener::from_raw_fd(one) }).collect();
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("slipway-front")
            .enable_io()
            .enable_time()
            .build()?;
        let shared = Arc::new(Shared {
            inbox: Inbox::new(wake),
            methods: methods.into_iter().enumerate().map(|(place, path)| (path, place)).collect::<HashMap<_, _>>(),
            limits: Limits { message: message_bytes, arriving: arriving_bytes },
            arriving: Arriving::new(),
            longest: Duration::from_secs_f64(longest_s),
            keepalive: Duration::from_secs_f64(keepalive_s),
            streams,
            upstream,
            calls: AtomicU64::new(0),
        });
        let (ending, ends) = watch::channel(false);
        let (alive, open) = watch::channel(());
        let alive = Arc::new(alive);
        for listener in listeners {
            let _inside = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener)?;
            runtime.spawn(accept(Arc::clone(&shared), listener, ends.clone(), Arc::clone(&alive)));
        }
        Ok(Self { shared, ending, open: Mutex::new(open), runtime: Mutex::new(Some(runtime)) })
    }

    /// What happened since the last time: the calls that came, and the numbers of those whose caller is gone.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyList>, Vec<u64>)> {
        let calls = PyList::empty(py);
        let mut gone = Vec::new();
        for event in self.shared.inbox.take() {
            match event {
                Event::Came(call) => calls.append(Bound::new(py, call)?)?,
                Event::Gone(id) => gone.push(id),
            }
        }
        Ok((calls, gone))
    }

    /// Answer several calls, each with its message's bytes.
    #[staticmethod]
    fn answer(answers: Vec<(PyRef<'_, Call>, Bound<'_, PyBytes>)>) {
        for (call, data) in answers {
            call.answered(data.as_bytes());
        }
    }

    /// Take no more connections, and ask callers to leave; what runs goes on.
    fn drain(&self) {
        self.ending.send_replace(true);
    }

    /// Wait until every connection is closed, `patience_s` at most, then close those left.
    fn close(&self, py: Python<'_>, patience_s: f64) -> PyResult<()> {
        self.drain();
        let runtime = self.runtime.lock().map_err(|_| PyRuntimeError::new_err("the front has failed"))?.take();
        let Some(runtime) = runtime else { return Ok(()) };
        let mut open = self.open.lock().map_err(|_| PyRuntimeError::new_err("the front has failed"))?.clone();
        py.detach(|| {
            let patience = Duration::from_secs_f64(patience_s);
            // Its sender is dropped with the last connection.
            let _ = runtime.block_on(async { tokio::time::timeout(patience, open.changed()).await });
            runtime.shutdown_timeout(patience);
        });
        Ok(())
    }
}

async fn accept(
    shared: Arc<Shared>,
    listener: tokio::net::TcpListener,
    mut ending: watch::Receiver<bool>,
    alive: Arc<watch::Sender<()>>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ending.wait_for(|ends| *ends) => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: the next try may find one.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (shared, ending, alive) = (Arc::clone(&shared), ending.clone(), Arc::clone(&alive));
        tokio::spawn(async move {
            connection::serve(shared, stream, ending).await;
            drop(alive);
        });
    }
}
