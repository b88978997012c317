"""Whether a new version may try to take an endpoint over: promote if better."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from examples.flights import figures
from examples.flights.columns import Column
from examples.flights.export import score
from examples.flights.train import LABEL
from slipway.client import DataType, Kind, ModelVersion, RolloutPlan, Route, Slipway, SlipwayError
from slipway.errors import invalid_field

MAIN = "main"
CHAMPION, ROLLOUT, KEPT, ALIAS = "champion", "rollout", "kept", "alias"


@dataclass(frozen=True)
class Decision:
    """What became of a version, and why.

    ``decision`` is ``champion`` (there was none), ``rollout`` (it was better and a rollout has started), ``kept`` (the
    champion stays) or ``alias`` (it was registered beside). Log losses are on the same held-out flights.
    """

    decision: str
    version: int
    champion: int
    log_loss: float
    champion_log_loss: float | None
    reason: str

    def summary(self) -> dict[str, Any]:
        """All of it."""
        names = ("decision", "version", "champion", "log_loss", "champion_log_loss", "reason")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Gate:
    """The endpoint and alias that are fought for, and how a better version is rolled out."""

    endpoint: str
    alias: str
    plan: RolloutPlan
    request_id: str
    start_event_time: datetime | None

    def pass_(self, slipway: Slipway, version: ModelVersion, log_loss: float, later: pd.DataFrame) -> Decision:
        """Make the first version champion, start a rollout of a better one, keep the champion else.

        ``log_loss`` is the candidate's on ``later``, flights that it was held back from; the champion is scored on the
        same here. May be repeated: the same rollout is found again. Fails with InvalidInput when the champion takes
        columns that these flights lack.
        """
        champion = self._champion(slipway, version)
        if champion.number == version.number:
            self._require_endpoint(slipway, version.model)
            reason = f"{version.model} had no {self.alias}"
            return Decision(CHAMPION, version.number, version.number, log_loss, None, reason)
        before = champion_log_loss(slipway, champion, later)
        told = f"log loss {log_loss:.4f} against {before:.4f} of version {champion.number} on {len(later)} flights"
        if not log_loss < before:
            return Decision(KEPT, version.number, champion.number, log_loss, before, f"no better: {told}")
        self._require_endpoint(slipway, version.model)
        try:
            slipway.registry.start_rollout(
                self.endpoint,
                version.number,
                self.plan,
                request_id=self.request_id,
                start_event_time=self.start_event_time,
            )
        except SlipwayError as error:
            if error.kind is not Kind.FAILED_PRECONDITION:
                raise
            return Decision(KEPT, version.number, champion.number, log_loss, before, f"{told}, but {error.message}")
        return Decision(ROLLOUT, version.number, champion.number, log_loss, before, f"better: {told}")

    def _champion(self, slipway: Slipway, version: ModelVersion) -> ModelVersion:
        """The version that the alias points at; this one takes it when nobody has it."""
        try:
            return slipway.registry.get_version(version.model, alias=self.alias)
        except SlipwayError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
        slipway.registry.set_alias(version.model, self.alias, version.number, expected_version=0)
        return version

    def _require_endpoint(self, slipway: Slipway, model: str) -> None:
        try:
            slipway.registry.get_endpoint(self.endpoint)
        except SlipwayError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
            slipway.registry.put_endpoint(self.endpoint, [Route(MAIN, model, alias=self.alias, weight=100)])


def champion_log_loss(slipway: Slipway, champion: ModelVersion, later: pd.DataFrame) -> float:
    """The champion's mean log loss on those of ``later`` that are labelled, by the very file that is served."""
    columns = [Column(one.name, () if one.datatype is DataType.BYTES else None) for one in champion.signature.inputs]
    if lacking := [column.name for column in columns if column.name not in later]:
        raise invalid_field("feature_service", f"lacks {', '.join(lacking)}, which the champion takes; add them")
    known = later[later[LABEL].notna()]
    told = score(slipway.registry.download_artifact(champion.artifact.digest), known, columns)
    return figures.log_loss(told.astype(np.float64), known[LABEL].to_numpy(dtype=np.float64))
