//! The HTTP/2 side of Slipway's gRPC servers.
//!
//! Python's gRPC spends more on the framing of a call than the call's own work takes. Here connections, framing,
//! deadlines of what is on its way and flow control are threads of their own, without Python's lock; what is to be
//! answered by Python is handed over in batches, and so are its answers. Every method that is not taken over (streams,
//! health, reflection, unknown ones, compressed messages) goes to Python's own gRPC server, which listens behind.

mod body;
mod call;
mod connection;
mod front;
mod grpc;
mod inbox;
mod message;
mod upstream;

use pyo3::prelude::*;

#[pymodule]
fn slipway_front(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<front::Front>()?;
    module.add_class::<call::Call>()
}
