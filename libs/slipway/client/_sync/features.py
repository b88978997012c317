# Generated from libs/slipway/client/_async/features.py by scripts/generate; do not edit.
"""The feature catalogue at feature_serving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slipway.client._sync.transport import Stub
from slipway.client.codec import features as codec
from slipway.client.codec.scalars import text
from slipway.client.types.features import FeatureView, OnlineStore
from slipway.gen.slipway.features.v1 import features_pb2 as pb

_PAGE = 500


class Features:
    """The feature catalogue."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def apply(self, views: Sequence[FeatureView]) -> list[FeatureView]:
        """Store definitions, all or none; gives them as stored, in order.

        FAILED_PRECONDITION when a stored feature would change its type or a view its entities.
        """
        request = pb.ApplyFeatureViewsRequest(
            views=[codec.encode_view(view, f"views[{n}]") for n, view in enumerate(views)]
        )
        answer = self._stub.unary("ApplyFeatureViews", request, pb.ApplyFeatureViewsResponse)
        return [codec.decode_view(view) for view in answer.views]

    def get_view(self, name: str) -> FeatureView:
        """One view; NOT_FOUND."""
        request = pb.GetFeatureViewRequest(name=text("name", name))
        return codec.decode_view((self._stub.unary("GetFeatureView", request, pb.GetFeatureViewResponse)).view)

    def views(self) -> Iterator[FeatureView]:
        """Every view by name, a page at a time."""
        request = pb.ListFeatureViewsRequest(page_size=_PAGE)
        for page in self._stub.pages("ListFeatureViews", request, pb.ListFeatureViewsResponse):
            for view in page.views:
                yield codec.decode_view(view)

    def online_store(self) -> OnlineStore:
        """Whether the online store answers just now."""
        request = pb.GetOnlineStoreRequest()
        return codec.decode_online_store(self._stub.unary("GetOnlineStore", request, pb.GetOnlineStoreResponse))
