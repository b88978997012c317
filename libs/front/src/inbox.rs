//! What waits for Python: calls that came, and calls whose caller is gone.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::call::Call;

/// What Python is told, in the order in which it happened.
pub enum Event {
    Came(Call),
    Gone(u64),
}

/// A queue that wakes its reader by a byte on a pipe: one for all that came since the reader looked.
pub struct Inbox {
    events: Mutex<Vec<Event>>,
    told: AtomicBool,
    wake: OwnedFd,
}

impl Inbox {
    /// `wake` is the writing end of a pipe that never blocks.
    pub fn new(wake: OwnedFd) -> Self {
        Self { events: Mutex::new(Vec::new()), told: AtomicBool::new(false), wake }
    }

    pub fn push(&self, event: Event) {
        self.events.lock().expect("nobody panics while holding it").push(event);
        if !self.told.swap(true, Ordering::AcqRel) {
            self.tell();
        }
    }

    /// All that came; the reader has emptied the pipe before.
    pub fn take(&self) -> Vec<Event> {
        self.told.store(false, Ordering::Release);
        std::mem::take(&mut *self.events.lock().expect("nobody panics while holding it"))
    }

    fn tell(&self) {
        loop {
            // SAFETY: the descriptor is open as long as self is, and the buffer is one byte.
            let written = unsafe { libc::write(self.wake.as_raw_fd(), [1u8].as_ptr().cast(), 1) };
            // A full pipe wakes its reader as well.
            if written >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return;
            }
        }
    }
}
