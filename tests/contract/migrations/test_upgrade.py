"""What today's code reads of rows that were written before it knew their newer columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Table, insert

from services.feature_serving.adapters import tables as features
from services.feature_serving.adapters.sql import SqlCatalogue as SqlFeatures
from services.feature_serving.adapters.watermarks import SqlWatermarks
from services.feature_serving.adapters.windows import SqlWindows
from services.feature_serving.domain.advance import Standing
from services.registry.adapters import tables as registry
from services.registry.adapters.sql import SqlCatalogue
from services.registry.domain.revision import Cause
from services.training_scheduler.adapters import tables as training
from services.training_scheduler.adapters.sql import SqlRuns
from slipway.sql import Database, migrate
from tests.contract.migrations.aged import SERVICES, MakeAged, connected

NOW = datetime(2013, 1, 1, tzinfo=UTC)
SIGNATURE = {
    "inputs": [{"name": "x", "datatype": "FP32", "nullable": True, "description": ""}],
    "outputs": [{"name": "p", "datatype": "FP32", "shape": [-1, 1]}],
}
LINEAGE = {
    "data": {"digest": "d", "source": "s", "row_count": 3},
    "code": {"digest": "", "revision": "", "workflow": ""},
    "run_id": "",
}
VERSION = {
    "model": "m",
    "number": 1,
    "request_id": "r1",
    "fingerprint": "f",
    "artifact_digest": "sha256:a",
    "artifact_size": 1,
    "signature": SIGNATURE,
    "metrics": {},
    "params": {},
    "lineage": LINEAGE,
    "create_time": NOW,
}
ROUTE = {"name": "main", "model": "m", "version": 0, "alias": "champion", "weight": 100, "resolved": 1}
MODEL = {"name": "m", "owner": "dock", "description": "", "create_time": NOW, "latest_version": 2}
TOLD = {"owner": "o", "description": "", "revision": 1, "update_time": NOW}
RUN = {"id": "r", "request_id": "q", "fingerprint": "f", "workflow": "w", "code_digest": "sha256:c", "params": {}}


def put(url: str, rows: Sequence[tuple[Table, Mapping[str, object]]]) -> None:
    with connected(url) as connection:
        for table, row in rows:
            connection.execute(insert(table).values(row))


async def test_versions_aliases_and_endpoints_of_the_first_revision_are_read(make_aged: MakeAged) -> None:
    url = make_aged(SERVICES["registry"], "0001")
    put(
        url,
        [
            (
                registry.model,
                {"name": "m", "owner": "dock", "description": "", "create_time": NOW, "latest_version": 2},
            ),
            (registry.model_version, VERSION),
            (registry.alias, {"model": "m", "name": "champion", "version": 1, "update_time": NOW}),
            (registry.endpoint, {"name": "late", "revision": 1, "update_time": NOW, "deleted": False}),
            (registry.route, {"endpoint": "late", "position": 0, **ROUTE}),
        ],
    )
    assert migrate(url, SERVICES["registry"]) == ["0002", "0003", "0004"]
    async with (
        Database.open(url, SERVICES["registry"]) as database,
        SqlCatalogue(database, lambda: None).read() as reader,
    ):
        version = await reader.version("m", 1)
        assert version is not None
        assert (version.draft.baseline, version.draft.signature.entities) == (None, ())
        assert (version.draft.signature.inputs[0].feature, version.draft.lineage.data.definitions) == ("", ())
        (move,) = await reader.alias_moves("m", "champion")
        assert (move.from_version, move.to_version, move.time, move.rollback) == (0, 1, NOW, False)
        endpoint = await reader.endpoint("late")
        assert endpoint is not None
        assert (endpoint.routes[0].shadow, endpoint.rollout) == (False, None)
        kept = await reader.endpoint_revision("late", 1)
        assert kept is not None
        assert (kept.spec, kept.time, kept.why.cause) == (endpoint.spec, NOW, Cause.PUT)


async def test_views_services_and_watermarks_of_before_windows_are_read(make_aged: MakeAged) -> None:
    url = make_aged(SERVICES["feature_serving"], "0002")
    put(
        url,
        [
            (features.feature_view, {"name": "v", "entities": ["port"], "max_age_us": None, **TOLD}),
            (features.feature, {"view": "v", "name": "f", "position": 0, "type": "FLOAT", "description": ""}),
            (features.feature_service, {"name": "s", **TOLD}),
            (features.feature_service_feature, {"service": "s", "position": 0, "view": "v", "feature": "f"}),
            (features.watermark, {"view": "v", "event_time_us": 7, "update_time": NOW}),
        ],
    )
    assert migrate(url, SERVICES["feature_serving"]) == ["0003", "0004", "0005", "0006"]
    async with Database.open(url, SERVICES["feature_serving"]) as database:
        async with SqlFeatures(database).read() as reader:
            definition = (await reader.named(["v"]))["v"].definition
            assert (definition.entity_types, definition.source, definition.hop) == ((), None, None)
            assert [one.feature for one in (await reader.services_named(["s"]))["s"].definition.features] == ["f"]
        mark = (await SqlWatermarks(database).several(["v"]))["v"]
        assert (mark.event_time_us, mark.update_time) == (7, NOW)
        async with SqlWindows(database).read() as windows:
            assert await windows.standings(["v"]) == {"v": Standing(7, 7, 0, 0)}


async def test_runs_of_before_triggers_are_read(make_aged: MakeAged) -> None:
    url = make_aged(SERVICES["training_scheduler"], "0001")
    state = {"state": "QUEUED", "create_time": NOW, "finish_time": None, "error": "", "revision": 1}
    with connected(url) as connection:
        old = [column for column in training.run.c if column.name not in {"incident_id", "position"}]
        connection.execute(insert(training.run).values({one.name: {**RUN, **state}[one.name] for one in old}))
    assert migrate(url, SERVICES["training_scheduler"]) == ["0002"]
    async with (
        Database.open(url, SERVICES["training_scheduler"]) as database,
        SqlRuns(database, lambda: None).read() as reader,
    ):
        run = await reader.run("r")
        assert run is not None
        assert (run.incident_id, run.create_time, run.position) == ("", NOW, 1)
