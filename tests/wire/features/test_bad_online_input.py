from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message

from slipway.errors import Kind
from slipway.gen.slipway.features.v1 import features_pb2 as pb

NOON_US = 1_370_088_000_000_000
TAILNUM: dict[str, Any] = {"name": "tailnum", "strings": {"values": ["N1"]}}
SEATS: dict[str, Any] = {"name": "seats", "int64s": {"values": [1]}}


def rows(**changes: Any) -> pb.PushRowsRequest:
    given = {"view": "planes", "entities": [TAILNUM], "features": [SEATS], "event_times_us": [NOON_US]}
    return pb.PushRowsRequest(rows={**given, **changes})  # type: ignore[arg-type]


def seats(**changes: Any) -> pb.PushRowsRequest:
    return rows(features=[{"name": "seats", **changes}])


def ask(**changes: Any) -> pb.GetOnlineFeaturesRequest:
    return pb.GetOnlineFeaturesRequest(**{"features": ["planes:seats"], "entities": [TAILNUM], **changes})


def service(**changes: Any) -> pb.ApplyFeatureServicesRequest:
    given: dict[str, Any] = {"name": "new", "owner": "fleet", "features": ["planes:seats"]}
    return pb.ApplyFeatureServicesRequest(services=[{**given, **changes}])


def column(name: str, kind: str, *values: Any) -> dict[str, Any]:
    return {"name": name, kind: {"values_us" if kind == "timestamps" else "values": values}}


METHODS = (
    "ApplyFeatureServices",
    "GetFeatureService",
    "ListFeatureServices",
    "PushRows",
    "GetOnlineFeatures",
    "AwaitWatermarks",
    "GetWatermark",
    "ListWatermarks",
)


@pytest.mark.parametrize("method", METHODS)
async def test_junk_bytes_are_an_invalid_argument(online: Any, method: str) -> None:
    error = await online.refused(method, b"\xff\xff\xff")
    assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


@pytest.mark.parametrize(
    ("method", "request_", "field_"),
    [
        ("ApplyFeatureServices", pb.ApplyFeatureServicesRequest(), "services"),
        ("ApplyFeatureServices", service(name="No!"), "services[0].name"),
        ("ApplyFeatureServices", service(owner=" "), "services[0].owner"),
        ("ApplyFeatureServices", service(features=[]), "services[0].features"),
        ("ApplyFeatureServices", service(features=["planes"]), "services[0].features[0]"),
        ("ApplyFeatureServices", service(features=["planes:seats"] * 2), "services[0].features[1]"),
        ("GetFeatureService", pb.GetFeatureServiceRequest(), "name"),
        ("ListFeatureServices", pb.ListFeatureServicesRequest(page_size=-1), "page_size"),
        ("ListWatermarks", pb.ListWatermarksRequest(page_token="junk"), "page_token"),
        ("GetWatermark", pb.GetWatermarkRequest(view="No!"), "view"),
        ("AwaitWatermarks", pb.AwaitWatermarksRequest(event_time_us=1), "views"),
        ("AwaitWatermarks", pb.AwaitWatermarksRequest(views=["planes"] * 501, event_time_us=1), "views"),
        ("AwaitWatermarks", pb.AwaitWatermarksRequest(views=["planes", "No!"], event_time_us=1), "views[1]"),
        ("AwaitWatermarks", pb.AwaitWatermarksRequest(views=["planes"]), "event_time_us"),
        ("PushRows", pb.PushRowsRequest(), "rows.view"),
        ("PushRows", rows(event_times_us=[]), "rows.event_times_us"),
        ("PushRows", rows(event_times_us=[0]), "rows.event_times_us[0]"),
        ("PushRows", rows(event_times_us=[2**62]), "rows.event_times_us[0]"),
        ("PushRows", rows(event_times_us=[NOON_US] * 2), "rows.entities[0]"),
        ("PushRows", rows(complete_until_us=-1), "rows.complete_until_us"),
        ("PushRows", rows(entities=[]), "rows.entities"),
        ("PushRows", rows(entities=[TAILNUM, TAILNUM]), "rows.entities[1].name"),
        ("PushRows", rows(entities=[{**TAILNUM, "name": "origin"}]), "rows.entities[0].name"),
        ("PushRows", rows(entities=[{**TAILNUM, "absent_rows": [0]}]), "rows.entities[0]"),
        ("PushRows", rows(entities=[{"name": "tailnum", "absent_rows": [0]}]), "rows.entities[0]"),
        ("PushRows", rows(entities=[column("tailnum", "doubles", 1.0)]), "rows.entities[0]"),
        ("PushRows", rows(features=[SEATS, SEATS]), "rows.features[1].name"),
        ("PushRows", rows(features=[{**SEATS, "name": "seatz"}]), "rows.features[0].name"),
        ("PushRows", seats(), "rows.features[0]"),
        ("PushRows", seats(int64s={"values": [1, 2]}), "rows.features[0]"),
        ("PushRows", seats(int64s={"values": [1]}, absent_rows=[1]), "rows.features[0].absent_rows"),
        ("PushRows", seats(int64s={"values": [2**31]}), "rows.features[0]"),
        ("PushRows", seats(doubles={"values": [1.0]}), "rows.features[0]"),
        ("PushRows", seats(bools={"values": [True]}), "rows.features[0]"),
        ("PushRows", rows(features=[column("delay", "int64s", 2**53 + 1)]), "rows.features[0]"),
        ("PushRows", rows(features=[column("age_years", "doubles", 1e300)]), "rows.features[0]"),
        ("PushRows", rows(features=[column("built", "timestamps", 1)]), "rows.features[0]"),
        ("GetOnlineFeatures", pb.GetOnlineFeaturesRequest(), "features"),
        ("GetOnlineFeatures", ask(feature_service="late"), "features"),
        ("GetOnlineFeatures", ask(features=["seats"]), "features[0]"),
        ("GetOnlineFeatures", ask(features=["planes:seats"] * 2), "features[1]"),
        ("GetOnlineFeatures", ask(entities=[]), "entities"),
        ("GetOnlineFeatures", ask(entities=[{"name": "tailnum"}]), "entities"),
        ("GetOnlineFeatures", ask(entities=[TAILNUM, {**TAILNUM, "name": "origin"}]), "entities[1].name"),
        ("GetOnlineFeatures", ask(entities=[column("tailnum", "bools", True)]), "entities[0]"),
        ("GetOnlineFeatures", ask(event_times_us=[NOON_US] * 2), "event_times_us"),
        ("GetOnlineFeatures", ask(event_times_us=[-1]), "event_times_us[0]"),
        ("GetOnlineFeatures", ask(entities=[column("tailnum", "strings", *"x" * 50_001)]), "entities"),
    ],
)
async def test_bad_input_names_its_field(online: Any, method: str, request_: Message, field_: str) -> None:
    error = await online.refused(method, request_)
    assert error.kind is Kind.INVALID_ARGUMENT
    assert [one.field for one in error.violations] == [field_]


async def test_columns_of_different_lengths_are_refused(online: Any) -> None:
    entities = [column("origin", "strings", "JFK", "LGA"), column("number", "int64s", 1)]
    error = await online.refused("GetOnlineFeatures", ask(features=["routes:delay"], entities=entities))
    assert [one.field for one in error.violations] == ["entities[1]"]


@pytest.mark.parametrize(
    ("method", "request_", "reason", "field_"),
    [
        ("ApplyFeatureServices", service(features=["none:x"]), "FEATURE_VIEW_NOT_FOUND", "services[0].features[0]"),
        ("ApplyFeatureServices", service(features=["planes:x"]), "FEATURE_NOT_FOUND", "services[0].features[0]"),
        ("GetFeatureService", pb.GetFeatureServiceRequest(name="none"), "FEATURE_SERVICE_NOT_FOUND", "name"),
        ("PushRows", rows(view="none"), "FEATURE_VIEW_NOT_FOUND", "rows.view"),
        ("GetOnlineFeatures", ask(features=["planes:seats", "none:x"]), "FEATURE_VIEW_NOT_FOUND", "features[1]"),
        ("GetOnlineFeatures", ask(features=["planes:x"]), "FEATURE_NOT_FOUND", "features[0]"),
        (
            "GetOnlineFeatures",
            ask(features=[], feature_service="none"),
            "FEATURE_SERVICE_NOT_FOUND",
            "feature_service",
        ),
        ("GetWatermark", pb.GetWatermarkRequest(view="none"), "FEATURE_VIEW_NOT_FOUND", "view"),
        (
            "AwaitWatermarks",
            pb.AwaitWatermarksRequest(views=["none"], event_time_us=1),
            "FEATURE_VIEW_NOT_FOUND",
            "views[0]",
        ),
    ],
)
async def test_an_unknown_name_is_not_found(
    online: Any, method: str, request_: Message, reason: str, field_: str
) -> None:
    error = await online.refused(method, request_)
    assert (error.kind, error.reason) == (Kind.NOT_FOUND, reason)
    assert [one.field for one in error.violations] == [field_]


async def test_a_view_without_a_row_has_no_watermark(online: Any) -> None:
    error = await online.refused("GetWatermark", pb.GetWatermarkRequest(view="planes"))
    assert (error.kind, error.reason) == (Kind.NOT_FOUND, "WATERMARK_NOT_FOUND")
