"""Feature serving's gRPC methods: decode, call the engine, encode."""

from __future__ import annotations

from services.feature_serving.api.training_sets import TrainingSetMethods
from services.feature_serving.codec import catalogue, online
from services.feature_serving.engine.intake import Intake
from services.feature_serving.engine.progress import Progress
from services.feature_serving.engine.reads import Reads
from services.feature_serving.engine.services import Services
from services.feature_serving.engine.spines import Spines
from services.feature_serving.engine.training_sets import Sets
from services.feature_serving.engine.views import Views
from services.feature_serving.ports.online_store import OnlineStore
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.rpc.call import Call


class FeatureServicer(TrainingSetMethods):
    """``slipway.features.v1.FeatureStoreService``."""

    def __init__(
        self,
        *,
        views: Views,
        services: Services,
        reads: Reads,
        intake: Intake,
        progress: Progress,
        store: OnlineStore,
        spines: Spines,
        sets: Sets,
    ) -> None:
        super().__init__(spines, sets)
        self._views = views
        self._services = services
        self._reads = reads
        self._intake = intake
        self._progress = progress
        self._store = store

    async def ApplyFeatureViews(self, request: pb.ApplyFeatureViewsRequest, call: Call) -> pb.ApplyFeatureViewsResponse:
        """Store definitions."""
        views = await self._views.apply(catalogue.decode_views(request.views))
        return pb.ApplyFeatureViewsResponse(views=[catalogue.encode_view(view) for view in views])

    async def GetFeatureView(self, request: pb.GetFeatureViewRequest, call: Call) -> pb.GetFeatureViewResponse:
        """Give one view."""
        return pb.GetFeatureViewResponse(view=catalogue.encode_view(await self._views.get(request.name)))

    async def ListFeatureViews(self, request: pb.ListFeatureViewsRequest, call: Call) -> pb.ListFeatureViewsResponse:
        """Give a page of views."""
        found = await self._views.list(request.page_size, request.page_token)
        views = [catalogue.encode_view(view) for view in found.rows]
        return pb.ListFeatureViewsResponse(views=views, next_page_token=found.next_token)

    async def GetOnlineStore(self, request: pb.GetOnlineStoreRequest, call: Call) -> pb.GetOnlineStoreResponse:
        """Ask the online store how it stands."""
        return catalogue.encode_state(await self._store.state())

    async def ApplyFeatureServices(
        self, request: pb.ApplyFeatureServicesRequest, call: Call
    ) -> pb.ApplyFeatureServicesResponse:
        """Store feature services."""
        services = await self._services.apply(catalogue.decode_services(request.services))
        return pb.ApplyFeatureServicesResponse(services=[catalogue.encode_service(one) for one in services])

    async def GetFeatureService(self, request: pb.GetFeatureServiceRequest, call: Call) -> pb.GetFeatureServiceResponse:
        """Give one feature service."""
        service = await self._services.get(request.name)
        return pb.GetFeatureServiceResponse(service=catalogue.encode_service(service))

    async def ListFeatureServices(
        self, request: pb.ListFeatureServicesRequest, call: Call
    ) -> pb.ListFeatureServicesResponse:
        """Give a page of feature services."""
        found = await self._services.list(request.page_size, request.page_token)
        services = [catalogue.encode_service(service) for service in found.rows]
        return pb.ListFeatureServicesResponse(services=services, next_page_token=found.next_token)

    async def PushRows(self, request: pb.PushRowsRequest, call: Call) -> pb.PushRowsResponse:
        """Write rows."""
        written = await self._intake.push(online.push_id(request.rows), online.decode_rows(request.rows))
        return pb.PushRowsResponse(applied_rows=written.applied, late_rows=written.late)

    async def GetOnlineFeatures(self, request: pb.GetOnlineFeaturesRequest, call: Call) -> pb.GetOnlineFeaturesResponse:
        """Read features."""
        return online.encode_answer(await self._reads.answer(online.decode_question(request)))

    async def GetWatermark(self, request: pb.GetWatermarkRequest, call: Call) -> pb.GetWatermarkResponse:
        """Say how far a view has come."""
        return pb.GetWatermarkResponse(watermark=online.encode_watermark(await self._progress.get(request.view)))

    async def AwaitWatermarks(self, request: pb.AwaitWatermarksRequest, call: Call) -> pb.AwaitWatermarksResponse:
        """Wait for views to come to a moment."""
        return pb.AwaitWatermarksResponse(passed=await self._progress.passed(request.views, request.event_time_us))

    async def ListWatermarks(self, request: pb.ListWatermarksRequest, call: Call) -> pb.ListWatermarksResponse:
        """Give a page of watermarks."""
        found = await self._progress.list(request.page_size, request.page_token)
        watermarks = [online.encode_watermark(one) for one in found.rows]
        return pb.ListWatermarksResponse(watermarks=watermarks, next_page_token=found.next_token)
