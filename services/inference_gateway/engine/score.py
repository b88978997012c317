"""One version's answer to some rows of a batch, and what it says about the version's health."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.inference_gateway.domain.batch import Answer, Batch
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.errors import FeatureTypeMismatch, ModelFailed, Quarantined, WorkerDied
from services.inference_gateway.domain.features import Filled, Online, fill, join_keys, unread
from services.inference_gateway.domain.guardrail import why_unsound
from services.inference_gateway.domain.signature import Signature, conform
from services.inference_gateway.engine.reconcile import Arm, Reconciler
from slipway.errors import InvalidInput

_AS_GIVEN = Filled((), (), {})


@dataclass(frozen=True, slots=True)
class Work:
    """A batch to be scored: its ids, its digests (none when nobody can ask again), and what was read for it.

    ``online`` is None where the protocol reads nothing. A ``shadow`` scores what another arm answered.
    """

    batch: Batch
    ids: tuple[str, ...]
    marks: tuple[bytes, ...] = ()
    online: Online | None = None
    shadow: bool = False


class Score:
    """Fills, conforms and runs; tells the reconciler how it went."""

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    async def answer(self, work: Work, arm: Arm, rows: Array) -> Answer:
        """What the arm says about the ``rows`` (indices) of the batch.

        Raises InvalidInput, FeaturesUnavailable, FeatureTypeMismatch, QueueFull, ModelFailed, Quarantined,
        WorkerDied.
        """
        endpoint = work.batch.endpoint
        try:
            answer = await _scored(work, arm, rows)
        except (FeatureTypeMismatch, ModelFailed, Quarantined, WorkerDied) as error:
            self._reconciler.observe(endpoint, arm.route, error.message)
            raise
        except InvalidInput as error:
            # Input that suited the arm which answered is this arm's fault, not the caller's.
            if work.shadow:
                self._reconciler.observe(endpoint, arm.route, error.message)
            raise
        except asyncio.CancelledError:
            # The caller waited in vain; or went for reasons of its own, which tells nothing.
            if arm.runner.worker is None:
                self._reconciler.observe(endpoint, arm.route, "its worker does not come up again")
            raise
        self._reconciler.observe(endpoint, arm.route, why_unsound(arm.runner.spec.signature, answer.outputs))
        return answer


async def _scored(work: Work, arm: Arm, rows: Array) -> Answer:
    spec, batch = arm.runner.spec, work.batch
    part = batch if len(rows) == batch.rows else batch.take(rows)
    filled = _filled(work, spec.signature, rows, part.places)
    read = {column.name for column in filled.columns}
    columns = [*filled.columns, *(column for column in part.features if column.name not in read)]
    inputs = conform(spec.signature, columns, part.rows, part.places, part.protocol.field)
    outputs = await arm.runner.run(inputs, part.rows)
    chosen = rows.tolist()
    return Answer(
        batch=part,
        ids=tuple(work.ids[row] for row in chosen),
        digests=tuple(work.marks[row] for row in chosen) if work.marks else (),
        model=spec.key.model,
        version=spec.key.number,
        route=arm.route.name,
        features=inputs,
        outputs=outputs,
        view_times=filled.view_times,
        degraded=filled.degraded,
        shadow=work.shadow,
    )


def _filled(work: Work, signature: Signature, rows: Array, places: Array | None) -> Filled:
    if work.online is None or not (specs := unread(signature, work.batch.features)):
        return _AS_GIVEN
    if work.shadow:
        join_keys(signature, work.batch.entity_keys)
    return fill(specs, work.online, rows, places)
