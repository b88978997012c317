"""What the gateway's benchmark measures: servers, models, rows a request, callers; and which of them somebody wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scripts.benchmarks import questions
from scripts.benchmarks.models import MODELS, TINY, Model
from scripts.benchmarks.questions import Question

LIMIT, FLOOR = "ort", "bare"
"""The loop around ONNX Runtime, and the bare gRPC server: what every other figure is divided by."""
GATEWAY, UNLOGGED, BEHIND_GRPC = "gateway", "gateway-unlogged", "gateway-grpc"
VARIANTS = (UNLOGGED, BEHIND_GRPC)
"""Gateways of their own; the other names that begin alike are questions to the first one."""
PEERS = ("mlserver", "kserve")
ROWS = (1, 32)
CALLERS = (1, 8, 64)

_ASKED: dict[str, Callable[[Model, int], Question]] = {
    FLOOR: questions.model_infer,
    **dict.fromkeys(PEERS, questions.model_infer),
    GATEWAY: questions.model_infer,
    UNLOGGED: questions.model_infer,
    BEHIND_GRPC: questions.model_infer,
    "gateway-predict": questions.predict,
    "gateway-columns": questions.predict_columns,
    "gateway-keys": questions.predict_keys,
    "gateway-canary": questions.model_infer_canary,
}
_OF_TINY_ALONE = {"gateway-columns", "gateway-keys", "gateway-canary"}
SERVERS = (LIMIT, *_ASKED)
MEANING = {
    LIMIT: "a loop around ONNX Runtime's run, no server: the limit",
    FLOOR: "grpc.aio that calls ONNX Runtime in place, ModelInfer",
    "mlserver": "MLServer, a runtime over ONNX Runtime, ModelInfer",
    "kserve": "KServe's Python server, a model over ONNX Runtime, ModelInfer",
    GATEWAY: "this gateway, ModelInfer",
    UNLOGGED: "this gateway without its prediction log, ModelInfer",
    BEHIND_GRPC: "this gateway behind Python's gRPC in place of the native front, ModelInfer",
    "gateway-predict": "this gateway, Predict, one column of vectors",
    "gateway-columns": "this gateway, Predict, 32 columns in the request",
    "gateway-keys": "this gateway, Predict by entity keys: 32 features read from feature serving and Redis",
    "gateway-canary": "this gateway, ModelInfer of an endpoint where a canary has a tenth",
}


@dataclass(frozen=True)
class Case:
    """One cell of the table."""

    server: str
    model: Model
    rows: int
    callers: int

    def question(self) -> Question:
        """What is asked; not for the limit, which has no server."""
        return _ASKED[self.server](self.model, self.rows)

    def __str__(self) -> str:
        return f"{self.model.name:<5} x{self.rows:<2} c{self.callers:<2} {self.server}"


class UnknownWord(ValueError):
    """A filter names nothing that is measured."""


def chosen(words: Sequence[str]) -> list[Case]:
    """The cases that the words pick, all of them when there are none, those to be compared beside each other.

    A word is a server, a model, ``x32`` (rows a request) or ``c64`` (callers). Of words of one kind any may fit, and
    each kind has to. Raises UnknownWord.
    """
    known = [set(SERVERS), {one.name for one in MODELS}, {f"x{one}" for one in ROWS}, {f"c{one}" for one in CALLERS}]
    if unknown := set(words) - set().union(*known):
        raise UnknownWord(f"{', '.join(sorted(unknown))}; give {', '.join(sorted(set().union(*known)))}")
    kinds = [kind & set(words) for kind in known]
    return [case for case in _all() if all(not kind or kind & _words(case) for kind in kinds)]


def _words(case: Case) -> set[str]:
    return {case.server, case.model.name, f"x{case.rows}", f"c{case.callers}"}


def _all() -> Iterator[Case]:
    for model in MODELS:
        for rows in ROWS:
            for callers in CALLERS:
                for server in SERVERS:
                    # One thread loops, and only the small model's numbers are features.
                    if not (server == LIMIT and callers > 1) and (server not in _OF_TINY_ALONE or model is TINY):
                        yield Case(server, model, rows, callers)
