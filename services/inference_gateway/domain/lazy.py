"""Sequences whose elements are made when somebody looks at one: mostly nobody does."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

T_co = TypeVar("T_co", covariant=True)


class Lazy(Sequence[T_co]):
    """A sequence that knows its length before its elements are made."""

    __slots__ = ()

    @overload
    def __getitem__(self, place: int) -> T_co: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T_co]: ...
    def __getitem__(self, place: int | slice) -> T_co | Sequence[T_co]:
        return self._made()[place]

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._made())

    @abstractmethod
    def _made(self) -> Sequence[T_co]:
        """All elements."""
