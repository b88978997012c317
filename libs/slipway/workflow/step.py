"""The decorator that makes a function a step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")


class Step(Generic[P, R]):
    """A function with a name in a graph; calling it calls the function."""

    def __init__(self, function: Callable[P, R], name: str, output: str) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = name
        self.output = output

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function itself."""
        return self.function(*args, **kwargs)


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(*, name: str = "", output: str = "") -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(function: Callable[..., Any] | None = None, /, *, name: str = "", output: str = "") -> Any:
    """Make a function a step: ``@step``, or ``@step(output="flights")`` to name what it gives.

    ``name`` is the function's own when it is not given, ``output`` the step's. Other steps take the output by a
    parameter of that name.
    """

    def make(made_from: Callable[..., Any]) -> Step[..., Any]:
        own = name or made_from.__name__
        return Step(made_from, own, output or own)

    return make if function is None else make(function)
