"""What answers when an arm can't: another version, or an answer that is always the same."""

from __future__ import annotations

import logging
from dataclasses import replace

from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.domain.default_answer import DefaultAnswer
from services.inference_gateway.domain.errors import NotReady
from services.inference_gateway.domain.features import unread
from services.inference_gateway.domain.merge import merged
from services.inference_gateway.domain.signature import Tensors, conform, less
from services.inference_gateway.domain.worker_errors import ARM_FAULTS
from services.inference_gateway.engine.ask import Ask
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.prepare import prepare
from services.inference_gateway.engine.reconcile import Reconciler
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)

DEFAULT_ROUTE = "default"
"""What no arm answered, but the endpoint's default answer."""


class Fallback:
    """Looks up what an endpoint says is to answer in an arm's place. Nothing stands in twice, and for no shadow."""

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    def another(self, chunk: Chunk, error: BaseException) -> Chunk | None:
        """The same rows for the version that stands in; None where there is none that could take them."""
        if chunk.shadow or chunk.fallback or not isinstance(error, ARM_FAULTS):
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
        answer = None if chunk.shadow else self._answer(chunk.batch.endpoint, error)
        return answer.tensors(chunk.arm.runner.spec.signature, chunk.rows) if answer else None

    def unready(self, ask: Ask, error: NotReady, now: float) -> Answer | None:
        """The default answer to a request of an endpoint without a loaded version; None where it has none that fits.

        It is in the shape that the version would have that is to answer most. Raises InvalidInput as that would.
        """
        answer, spec = self._answer(ask.batch.endpoint, error), self._reconciler.desired.main(ask.batch.endpoint)
        outputs = answer.tensors(spec.signature, ask.rows) if answer and spec else None
        if outputs is None or spec is None:
            return None
        batch = merged([ask.batch], [ask.began_s])
        # Nobody reads features for a version that is not there.
        takes = spec.signature if ask.whole else less(spec.signature, unread(spec.signature, batch.features))
        return Answer(
            batch,
            ask.ids,
            ask.marks,
            spec.key.model,
            0,
            DEFAULT_ROUTE,
            conform(takes, batch.features, batch.rows, batch.places, batch.protocol.field),
            outputs,
            degraded=tuple(range(batch.rows)),
            ended_s=now,
            fallback=True,
        )

    def _answer(self, name: str, error: BaseException) -> DefaultAnswer | None:
        endpoint = self._reconciler.desired.endpoints.get(name)
        answer = endpoint.fallback if endpoint else None
        return answer if isinstance(answer, DefaultAnswer) and answer.stands_in_for(error) else None
