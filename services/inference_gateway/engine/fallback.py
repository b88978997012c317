"""What answers when an arm can't: another version, or an answer that is always the same."""

from __future__ import annotations

import logging
from dataclasses import replace

from services.inference_gateway.domain.default_answer import DefaultAnswer
from services.inference_gateway.domain.errors import ModelFailed, Quarantined, WorkerDied
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.engine.ask import Chunk
from services.inference_gateway.engine.prepare import prepare
from services.inference_gateway.engine.reconcile import Reconciler
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)

# What is an arm's fault, and not the caller's.
FAULTS = (ModelFailed, Quarantined, WorkerDied)


class Fallback:
    """Looks up what an endpoint says is to answer in an arm's place. Nothing stands in twice, and for no shadow."""

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    def another(self, chunk: Chunk, error: BaseException) -> Chunk | None:
        """The same rows for the version that stands in; None where there is none that could take them."""
        if chunk.shadow or chunk.fallback or not isinstance(error, FAULTS):
            return None
        try:
            arms = self._reconciler.arms(chunk.batch.endpoint)
            arm = next((one for one in arms if one.route.fallback and one.runner is not chunk.arm.runner), None)
            if arm is None:
                return None
            made = prepare(
                arm,
                chunk.batch,
                chunk.ids,
                chunk.marks,
                chunk.shares,
                online=chunk.online,
                rows=chunk.rows_read,
            )
        except SlipwayError as refused:
            log.warning(
                "the fallback does not take what its arm failed on",
                extra={"endpoint": chunk.batch.endpoint, "why": refused.message},
            )
            return None
        return replace(made, fallback=True)

    def default(self, chunk: Chunk, error: BaseException) -> Tensors | None:
        """The default answer for these rows, [rows, …] by output; None where the endpoint has none that fits."""
        if chunk.shadow or not isinstance(error, FAULTS):
            return None
        endpoint = self._reconciler.desired.endpoints.get(chunk.batch.endpoint)
        if endpoint is None or not isinstance(endpoint.fallback, DefaultAnswer):
            return None
        return endpoint.fallback.tensors(chunk.arm.runner.spec.signature, chunk.rows)
