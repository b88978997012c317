# Generated from libs/slipway/client/_async/rollouts.py by scripts/generate; do not edit.
"""Taking endpoints over by another version, and back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime

from slipway.client._sync.artifacts import Artifacts
from slipway.client.codec.registry import decode_endpoint
from slipway.client.codec.rollouts import decode_rollout, encode_plan
from slipway.client.codec.scalars import UINT32_MAX, UINT64_MAX, text, timestamp, whole
from slipway.client.types.registry import Endpoint
from slipway.client.types.rollouts import Rollout, RolloutPlan
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb

_PAGE = 500


class Rollouts(Artifacts):
    """Rollouts of endpoints at the registry."""

    def start_rollout(
        self,
        endpoint: str,
        version: int,
        plan: RolloutPlan | None = None,
        *,
        request_id: str | None = None,
        start_event_time: datetime | None = None,
    ) -> Endpoint:
        """Start to take ``endpoint`` over by ``version`` of its main route's model; its rollout is in the answer.

        Without a ``plan``: a shadow step, then 25 percent, each of 500 labels. Predictions are compared from
        ``start_event_time`` on. A caller that may be restarted gives a ``request_id``. FAILED_PRECONDITION while
        another rollout runs, when the main route follows no alias, or when the version serves already.
        """
        request = pb.StartRolloutRequest(
            request_id=text("request_id", request_id or str(uuid.uuid4())),
            endpoint=text("endpoint", endpoint),
            version=whole("version", version, UINT32_MAX),
            plan=None if plan is None else encode_plan(plan),
            start_event_time=timestamp("start_event_time", start_event_time),
        )
        return decode_endpoint((self._stub.unary("StartRollout", request, pb.StartRolloutResponse)).endpoint)

    def cancel_rollout(self, endpoint: str, rollout_id: str, *, reason: str = "") -> Endpoint:
        """End a running rollout: its candidate's arm goes. One that has ended stays as it ended; NOT_FOUND."""
        request = pb.CancelRolloutRequest(
            endpoint=text("endpoint", endpoint),
            rollout_id=text("rollout_id", rollout_id),
            reason=text("reason", reason),
        )
        return decode_endpoint((self._stub.unary("CancelRollout", request, pb.CancelRolloutResponse)).endpoint)

    def rollouts(self, endpoint: str) -> Iterator[Rollout]:
        """An endpoint's rollouts, newest first, a page at a time."""
        request = pb.ListRolloutsRequest(endpoint=text("endpoint", endpoint), page_size=_PAGE)
        for page in self._stub.pages("ListRollouts", request, pb.ListRolloutsResponse):
            for rollout in page.rollouts:
                yield decode_rollout(rollout)

    def roll_back(
        self, endpoint: str, from_version: int | None = None, *, to_revision: int | None = None, reason: str = ""
    ) -> Endpoint:
        """Put an endpoint back to the version that its alias pointed at before, and end a running rollout.

        Or to what it should have been at ``to_revision``, with the aliases that its arms follow. With that, or with
        ``from_version``, the version that serves now, the call may be repeated. ABORTED when ``from_version`` does not
        serve; NOT_FOUND when the revision is not kept; FAILED_PRECONDITION when there is no version to go back to, or
        something that the revision needs is gone.
        """
        request = pb.RollBackEndpointRequest(endpoint=text("endpoint", endpoint), reason=text("reason", reason))
        if from_version is not None:
            request.from_version = whole("from_version", from_version, UINT32_MAX)
        if to_revision is not None:
            request.to_revision = whole("to_revision", to_revision, UINT64_MAX)
        keyed = from_version is not None or to_revision is not None
        answer = self._stub.unary("RollBackEndpoint", request, pb.RollBackEndpointResponse, keyed=keyed)
        return decode_endpoint(answer.endpoint)
