"""Explaining answers: the same version is asked again, with one column after the other as it typically is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.inference_gateway.domain.answer import Attributions
from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.domain.explain import (
    NotExplainable,
    Typical,
    check_size,
    contributions,
    explained_output,
    occluded,
    slices,
    typical,
)
from services.inference_gateway.engine.ask import Part
from services.inference_gateway.engine.dispatch import Dispatch
from services.inference_gateway.engine.probe import Probe
from services.inference_gateway.engine.reconcile import Reconciler


class Explain:
    """Has what explains an answer run in slices, each after whatever the version has to answer: no prediction waits."""

    def __init__(self, reconciler: Reconciler, dispatch: Dispatch) -> None:
        self._reconciler = reconciler
        self._dispatch = dispatch

    def check(self, batch: Batch) -> None:
        """Raise NotExplainable, or InvalidInput where too much is asked, before anything is answered."""
        for arm in self._reconciler.arms(batch.endpoint):
            if arm.route.weight:
                check_size(batch.rows, len(self._typical(arm.route.version)))

    async def parts(self, batch: Batch, parts: Sequence[Part]) -> list[Part]:
        """The same parts of a batch's answer with what each column contributed; without, where no version answered.

        Raises NotExplainable, QueueFull, ModelFailed, WorkerDied, Quarantined.
        """
        return [await self._part(batch, one) for one in parts]

    async def _part(self, batch: Batch, part: Part) -> Part:
        key = VersionKey(part.answer.model, part.version)
        arms = self._reconciler.arms(batch.endpoint)
        runner = next((arm.runner for arm in arms if arm.route.version == key), None)
        if not part.version or runner is None:
            return part
        name = explained_output(runner.spec.signature)
        if name is None:
            return part
        rows = slice(part.start, part.end)
        inputs = {column: array[rows] for column, array in part.answer.features.items()}
        told = self._typical(key)
        answers, found = part.outputs[name], []
        for columns in slices(len(answers), list(told)):
            changed = occluded(inputs, runner.spec.signature, told, columns)
            probe = Probe(
                changed,
                len(answers) * len(columns),
                tenant=batch.tenant,
                priority=batch.priority,
                deadline=batch.deadline_s,
            )
            without = await self._dispatch.probe(runner, probe)
            found.append(contributions(answers, without[name], len(columns)))
        return part._replace(attributions=_by_row(list(told), np.concatenate(found)))

    def _typical(self, key: VersionKey) -> Typical:
        # As the registry says now: a version that was loaded from an older snapshot may know less.
        spec = self._reconciler.desired.versions.get(key)
        told = typical(spec.signature.inputs) if spec is not None else {}
        if not told:
            raise NotExplainable(str(key))
        return told


def _by_row(columns: Sequence[str], found: Array) -> list[Attributions]:
    return [
        tuple((name, tuple(values)) for name, values in zip(columns, row, strict=True))
        for row in found.transpose(1, 0, 2).tolist()
    ]
