# Generated from libs/slipway/client/_async/features.py by scripts/generate; do not edit.
"""The feature catalogue and features online, at feature_serving."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from slipway.client._sync.training_sets import TrainingSets
from slipway.client.codec import features as codec
from slipway.client.codec import online
from slipway.client.codec.scalars import text
from slipway.client.types.features import (
    FeatureService,
    FeatureView,
    OnlineFeatures,
    OnlineStore,
    Pushed,
    Watermark,
)
from slipway.errors import invalid_field
from slipway.gen.slipway.features.v1 import events_pb2
from slipway.gen.slipway.features.v1 import features_pb2 as pb

_PAGE = 500


class Features(TrainingSets):
    """The feature catalogue, features online, and training sets."""

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

    def apply_services(self, services: Sequence[FeatureService]) -> list[FeatureService]:
        """Store feature services, all or none; gives them as stored, in order.

        NOT_FOUND when a feature that one names is not in the catalogue.
        """
        request = pb.ApplyFeatureServicesRequest(
            services=[codec.encode_service(one, f"services[{n}]") for n, one in enumerate(services)]
        )
        answer = self._stub.unary("ApplyFeatureServices", request, pb.ApplyFeatureServicesResponse)
        return [codec.decode_service(one) for one in answer.services]

    def get_service(self, name: str) -> FeatureService:
        """One feature service; NOT_FOUND."""
        request = pb.GetFeatureServiceRequest(name=text("name", name))
        answer = self._stub.unary("GetFeatureService", request, pb.GetFeatureServiceResponse)
        return codec.decode_service(answer.service)

    def services(self) -> Iterator[FeatureService]:
        """Every feature service by name, a page at a time."""
        request = pb.ListFeatureServicesRequest(page_size=_PAGE)
        for page in self._stub.pages("ListFeatureServices", request, pb.ListFeatureServicesResponse):
            for service in page.services:
                yield codec.decode_service(service)

    def push(
        self,
        view: str,
        entities: online.Rows,
        features: online.Rows,
        event_times: Sequence[datetime] | datetime,
        *,
        complete_until: datetime | None = None,
        timeout_s: float | None = None,
    ) -> Pushed:
        """Write rows of one view to the online store; they are there when it returns. Safe to repeat.

        The n-th of ``entities`` (join keys, str or int) and of ``features`` make the n-th row, true at the n-th of
        ``event_times``, or all at one moment. A newer row of the same entities stays; at the same moment this one
        wins. None is a null. A feature that no row names is NOT_FOUND after it. NOT_FOUND: no such view.

        Rows of a windowed view are events, their ``features`` the columns that it aggregates: each call counts, the
        same call once. ``complete_until`` is the word that no older row is to come, even without a row; None: the
        newest row says it.
        """
        times = online.times_us("event_times", event_times)
        keys, values = online.columns("entities", entities), online.columns("features", features)
        if len(features) != len(entities):
            raise invalid_field("features", f"has {len(features)} rows but entities has {len(entities)}")
        rows = events_pb2.FeatureRows(
            view=text("view", view),
            entities=keys,
            features=values,
            event_times_us=times * len(entities) if isinstance(event_times, datetime) else times,
            complete_until_us=sum(online.times_us("complete_until", complete_until)),
        )
        request = pb.PushRowsRequest(rows=rows)
        answer = self._stub.unary("PushRows", request, pb.PushRowsResponse, timeout_s=timeout_s)
        return Pushed(answer.applied_rows, answer.late_rows)

    def get_online(
        self,
        features: str | Sequence[str],
        entities: online.Rows,
        *,
        event_times: online.Times = None,
        timeout_s: float | None = None,
    ) -> OnlineFeatures:
        """Features of each of ``entities`` (join keys of all views asked), with status and event time.

        ``features`` is the name of a feature service, or a list of ``view:feature``. Ages are measured from
        ``event_times``: one a row, one for all, or None for now. A value that is missing, null or too old is None
        and its status says which. NOT_FOUND: no such feature service, view or feature.
        """
        named = isinstance(features, str)
        request = pb.GetOnlineFeaturesRequest(
            feature_service=text("features", features) if isinstance(features, str) else "",
            features=[] if named else [text(f"features[{n}]", one) for n, one in enumerate(features)],
            entities=online.columns("entities", entities),
            event_times_us=online.times_us("event_times", event_times),
        )
        answer = self._stub.unary("GetOnlineFeatures", request, pb.GetOnlineFeaturesResponse, timeout_s=timeout_s)
        return online.decode_online(answer)

    def watermark(self, view: str) -> Watermark:
        """How far a view's rows have come; NOT_FOUND before the first."""
        request = pb.GetWatermarkRequest(view=text("view", view))
        answer = self._stub.unary("GetWatermark", request, pb.GetWatermarkResponse)
        return online.decode_watermark(answer.watermark)

    def await_watermarks(self, views: Sequence[str], event_time: datetime, *, timeout_s: float = 60.0) -> None:
        """Return when rows of all the views up to ``event_time`` are in the online store.

        DEADLINE_EXCEEDED when they are not after ``timeout_s`` seconds.
        """
        request = pb.AwaitWatermarksRequest(
            views=[text(f"views[{n}]", view) for n, view in enumerate(views)],
            event_time_us=online.times_us("event_time", event_time)[0],
        )
        give_up_at = time.monotonic() + timeout_s
        while True:
            left_s = max(give_up_at - time.monotonic(), 0.001)
            answer = self._stub.unary("AwaitWatermarks", request, pb.AwaitWatermarksResponse, timeout_s=left_s)
            if answer.passed:
                return

    def watermarks(self) -> Iterator[Watermark]:
        """Every watermark by view, a page at a time."""
        request = pb.ListWatermarksRequest(page_size=_PAGE)
        for page in self._stub.pages("ListWatermarks", request, pb.ListWatermarksResponse):
            for watermark in page.watermarks:
                yield online.decode_watermark(watermark)
