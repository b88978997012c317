"""Feature serving's gRPC methods: decode, call the engine, encode."""

from __future__ import annotations

from services.feature_serving import codec
from services.feature_serving.engine.views import Views
from services.feature_serving.ports import OnlineStore
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.rpc.call import Call


class FeatureServicer:
    """``slipway.features.v1.FeatureStoreService``."""

    def __init__(self, *, views: Views, store: OnlineStore) -> None:
        self._views = views
        self._store = store

    async def ApplyFeatureViews(self, request: pb.ApplyFeatureViewsRequest, call: Call) -> pb.ApplyFeatureViewsResponse:
        """Store definitions."""
        views = await self._views.apply(codec.decode_views(request.views))
        return pb.ApplyFeatureViewsResponse(views=[codec.encode_view(view) for view in views])

    async def GetFeatureView(self, request: pb.GetFeatureViewRequest, call: Call) -> pb.GetFeatureViewResponse:
        """Give one view."""
        return pb.GetFeatureViewResponse(view=codec.encode_view(await self._views.get(request.name)))

    async def ListFeatureViews(self, request: pb.ListFeatureViewsRequest, call: Call) -> pb.ListFeatureViewsResponse:
        """Give a page of views."""
        found = await self._views.list(request.page_size, request.page_token)
        views = [codec.encode_view(view) for view in found.rows]
        return pb.ListFeatureViewsResponse(views=views, next_page_token=found.next_token)

    async def GetOnlineStore(self, request: pb.GetOnlineStoreRequest, call: Call) -> pb.GetOnlineStoreResponse:
        """Ask the online store how it stands."""
        return codec.encode_state(await self._store.state())
