"""How values are written as JSON and blobs, and read back: one form for each kind of type.

Reading is led by the type, never by the bytes: nothing is looked up by a name that was stored.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from slipway.workflow.errors import NotStorable
from slipway.workflow.opaque import Opaque


class Form(Protocol):
    """Writes and reads one type; ``path`` is where the value stands, for errors (NotStorable)."""

    def write(self, path: str, value: Any, blobs: list[bytes]) -> Any:
        """The JSON value; raw bytes are appended to ``blobs``."""
        ...

    def read(self, path: str, value: Any, blobs: Sequence[bytes]) -> Any:
        """The value back."""
        ...


@dataclasses.dataclass(frozen=True)
class ScalarForm:
    """A bool, int, float, str or None; whole floats are read as ints, for JSON knows one kind of number."""

    kind: type
    accepted: type

    def write(self, path: str, value: Any, blobs: list[bytes]) -> Any:
        """See Form."""
        if not isinstance(value, self.accepted) or (isinstance(value, bool) and self.kind is not bool):
            raise _wrong(path, value, self.kind.__name__)
        return None if self.kind is type(None) else self.kind(value)

    def read(self, path: str, value: Any, blobs: Sequence[bytes]) -> Any:
        """See Form."""
        if self.kind is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        return self.write(path, value, [])


class JsonForm:
    """Any JSON value."""

    def write(self, path: str, value: Any, blobs: list[bytes]) -> Any:
        """See Form."""
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, numbers.Integral):
            return int(value)
        if isinstance(value, numbers.Real):
            return float(value)
        if isinstance(value, (list, tuple)):
            return [self.write(f"{path}[{n}]", one, blobs) for n, one in enumerate(value)]
        if isinstance(value, Mapping):
            return MappingForm(self).write(path, value, blobs)
        raise _wrong(path, value, "a JSON value")

    def read(self, path: str, value: Any, blobs: Sequence[bytes]) -> Any:
        """See Form."""
        return value


@dataclasses.dataclass(frozen=True)
class OptionalForm:
    """A value or None."""

    inner: Form

    def write(self, path: str, value: Any, blobs: list[bytes]) -> Any:
        """See Form."""
        return None if value is None else self.inner.write(path, value, blobs)

    def read(self, path: str, value: Any, blobs: Sequence[bytes]) -> Any:
        """See Form."""
        return None if value is None else self.inner.read(path, value, blobs)


@dataclasses.dataclass(frozen=True)
class ListForm:
    """Any number of values of one form."""

    kind: type
    inner: Form

    def write(self, path: str, value: Any, blobs: list[bytes]) -> Any:
        """See Form."""
        if not isinstance(value, (list, tuple)):
            raise _wrong(path, value, "a list")
        return [self.inner.write(f"{path}[{n}]", one, blobs) for n, one in enumerate(value)]

    def read(self, path: str, value: Any, blobs: Sequence[bytes]) -> Any:
        """See Form."""
        if not isinstance(value, list):
            raise _wrong(path, value, "a list")
        return self.kind(self.inner.read(f"{path}[{n}]", one, blobs) for n, one in enumerate(value))


@dataclasses.dataclass(frozen=True)
class TupleForm:
    """So many values, each of its own form."""

    inner: tuple[Form, ...]

    def write(self, path: str, value: Any, blobs: list[bytes]) -> Any:
        """See Form."""
        self._require(path, value)
        return [form.write(f"{path}[{n}]", one, blobs) for n, (form, one) in enumerate(zip(self.inner, value))]  # noqa: B905

    def read(self, path: str, value: Any, blobs: Sequence[bytes]) -> Any:
        """See Form."""
        self._require(path, value)
        return tuple(form.read(f"{path}[{n}]", one, blobs) for n, (form, one) in enumerate(zip(self.inner, value)))  # noqa: B905

    def _require(self, path: str, value: Any) -> None:
        if not isinstance(value, (list, tuple)) or len(value) != len(self.inner):
            raise _wrong(path, value, f"a list of {len(self.inner)}")


@dataclasses.dataclass(frozen=True)
class MappingForm:
    """Values of one form by name, in their order."""

    inner: Form

    def write(self, path: str, value: Any, blobs: list[bytes]) -> Any:
        """See Form."""
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise _wrong(path, value, "a dict with str keys")
        return {name: self.inner.write(f"{path}[{name}]", one, blobs) for name, one in value.items()}

    def read(self, path: str, value: Any, blobs: Sequence[bytes]) -> Any:
        """See Form."""
        if not isinstance(value, Mapping):
            raise _wrong(path, value, "a dict")
        return {name: self.inner.read(f"{path}[{name}]", one, blobs) for name, one in value.items()}


@dataclasses.dataclass(frozen=True)
class RecordForm:
    """A dataclass, by its fields."""

    kind: type
    fields: tuple[dataclasses.Field[Any], ...]
    forms: Mapping[str, Form]

    def write(self, path: str, value: Any, blobs: list[bytes]) -> Any:
        """See Form."""
        if type(value) is not self.kind:
            raise _wrong(path, value, f"a {self.kind.__name__}")
        return {name: form.write(f"{path}.{name}", getattr(value, name), blobs) for name, form in self.forms.items()}

    def read(self, path: str, value: Any, blobs: Sequence[bytes]) -> Any:
        """See Form."""
        if not isinstance(value, Mapping):
            raise _wrong(path, value, f"the fields of a {self.kind.__name__}")
        if unknown := sorted(set(value) - set(self.forms)):
            known = ", ".join(self.forms) or "nothing"
            raise NotStorable(f"{path}.{unknown[0]}", f"is not known; {self.kind.__name__} has {known}")
        for one in self.fields:
            needed = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
            if needed and one.name not in value:
                raise NotStorable(f"{path}.{one.name}", "is missing and has no default; give it")
        return self.kind(**{name: self.forms[name].read(f"{path}.{name}", one, blobs) for name, one in value.items()})


@dataclasses.dataclass(frozen=True)
class OpaqueForm:
    """A blob; its JSON value is its position."""

    kind: type
    opaque: Opaque

    def write(self, path: str, value: Any, blobs: list[bytes]) -> Any:
        """See Form."""
        if type(value) is not self.kind:
            raise _wrong(path, value, f"a {self.kind.__name__}")
        try:
            blobs.append(self.opaque.dump(value))
        except Exception as error:
            raise NotStorable(path, f"can't be stored ({error})") from error
        return len(blobs) - 1

    def read(self, path: str, value: Any, blobs: Sequence[bytes]) -> Any:
        """See Form."""
        if type(value) is not int or not 0 <= value < len(blobs):
            raise _wrong(path, value, "the position of a blob")
        return self.opaque.load(blobs[value])


def _wrong(path: str, value: Any, wanted: str) -> NotStorable:
    shown = type(value).__name__ if not isinstance(value, (str, int, float)) else f"{value!r:.60}"
    return NotStorable(path, f"is {shown}; give {wanted}")
