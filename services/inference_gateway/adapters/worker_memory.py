"""Memory that the gateway and a worker share: files without a name, gone with the processes that hold them."""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Sequence

_FIRST_BYTES = 64 * 1024
_LARGEST_BYTES = 2**32
_FIXED = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class BadMemory(ValueError):
    """The other side says of the memory what is not so."""


class Slot:
    """Room for one batch, there and back. Either side may make it larger; none can make it smaller.

    A mapping that the other side could cut short would end whoever reads on with SIGBUS: hence the seal.
    """

    def __init__(self, descriptor: int) -> None:
        """The slot of an open file, which it closes."""
        self.descriptor = descriptor
        self._map(os.fstat(descriptor).st_size)

    @classmethod
    def make(cls) -> Slot:
        """A new one. Raises OSError without memory."""
        descriptor = os.memfd_create("slipway-batch", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.posix_fallocate(descriptor, 0, _FIRST_BYTES)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
            return cls(descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def need(self, size: int) -> None:
        """Have room for so many bytes. Raises OSError without memory."""
        if size > self.size:
            # Allocated at once, so that what is missing is an error here and no signal later.
            larger = size + size // 4
            os.posix_fallocate(self.descriptor, 0, larger)
            self._map(larger)

    def follow(self, size: int) -> None:
        """See it as large as the other side says that it is. Raises BadMemory when it is not."""
        if size == self.size:
            return
        if not self.size < size <= min(_LARGEST_BYTES, os.fstat(self.descriptor).st_size):
            raise BadMemory(f"a slot of {self.size} bytes can't be {size} bytes large")
        self._map(size)

    def close(self) -> None:
        """Let go of it; arrays that lie in it stay valid."""
        os.close(self.descriptor)

    def _map(self, size: int) -> None:
        self.size = size
        self.memory = mmap.mmap(self.descriptor, size)


def fixed_file(pieces: Sequence[bytes]) -> int:
    """The descriptor of a new file with these bytes, which nobody can change. Raises OSError without memory."""
    descriptor = os.memfd_create("slipway-model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[os.write(descriptor, view) :]
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _FIXED)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
