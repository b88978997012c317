"""Incidents and verdicts, from events to events: what the registry says, what was answered, what came of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slipway.client import Decision, IncidentKind, IncidentState, MonitorProgress
from slipway.errors import Kind
from slipway.events import Event
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2, resources_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as told_pb2
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb
from slipway.gen.slipway.registry.v1 import events_pb2 as registry_pb2
from slipway.gen.slipway.registry.v1 import resources_pb2 as registered_pb2

START = datetime(2013, 5, 30, tzinfo=UTC)
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
ROWS = 240


def version_event(number: int = 3, **changes: Any) -> Event:
    """A version whose features spread over four bins, and whose AUC is 0.9."""
    features = [
        {"name": name, "importance": share, "edges": [0, 10, 20], "counts": [100, 400, 400, 100], "spread": 0.05}
        for name, share in (("delay", 0.8), ("calm", 0.15), ("idle", 0.0))
    ]
    performance = {"auc": 0.9, "auc_spread": 0.05, "log_loss": 0.3, "log_loss_spread": 0.05, "row_count": 1000}
    baseline = {"features": features, "performance": performance, "row_count": 1000, **changes}
    made = registry_pb2.ModelVersionChanged(created={"model": "flights", "number": number, "baseline": baseline})
    return Event(
        f"v{number}", "registry.model-version.v1", "flights", "t", "/registry", START, made.SerializeToString()
    )


def endpoint_event(revision: int, main: int = 3, step: int | None = None) -> Event:
    """The endpoint's main arm, and a rollout of version 4 at ``step``."""
    endpoint = registered_pb2.Endpoint(
        name="flight-delay",
        revision=revision,
        routes=[{"name": "main", "model": "flights", "alias": "champion", "weight": 1, "resolved_version": main}],
    )
    if step is not None:
        endpoint.rollout.MergeFrom(
            registered_pb2.Rollout(
                id="r1",
                model="flights",
                candidate_version=4,
                baseline_version=3,
                state=registered_pb2.ROLLOUT_STATE_RUNNING,
                step=step,
                plan={"steps": [{"percent": 0, "min_labels": 50}, {"percent": 25, "min_labels": 50}]},
            )
        )
    value = registry_pb2.EndpointChanged(put=endpoint).SerializeToString()
    return Event(f"rev{revision}", "registry.endpoint.v1", "flight-delay", "t", "/registry", START, value)


def ids(week: int) -> list[str]:
    return [f"w{week}-{row}" for row in range(ROWS)]


def asked(monitor: Any, week: int, scores: tuple[float, float], delay: float, **changes: Any) -> Event:
    """A week of predictions: of every second row the first score, of the others the second."""
    values = {"delay": delay, "calm": 5.0, "unknown": 1.0}
    columns = [
        resources_pb2.Column(name=name, doubles={"values": [value] * ROWS}, absent_rows=[1] if name == "calm" else [])
        for name, value in values.items()
    ]
    given: dict[str, Any] = {
        "prediction_ids": ids(week),
        "features": columns,
        "outputs": [events_pb2.OutputColumn(name="late", width=1, values=[scores[row % 2] for row in range(ROWS)])],
        **changes,
    }
    event_id = f"w{week}-{given.get('version', 3)}"
    return monitor.event(event_id, monitor.batch(*[START + week * WEEK + HOUR] * ROWS, **given))  # type: ignore[no-any-return]


def known(monitor: Any, week: int, prefix: str = "") -> Event:
    """Every second row was late."""
    moment = START + week * WEEK + 2 * HOUR
    rows = [(f"{prefix}{one}", (row + 1) % 2, moment) for row, one in enumerate(ids(week))]
    return monitor.labels(*rows, event_id=f"{prefix}l{week}")  # type: ignore[no-any-return]


async def weeks(monitor: Any, *numbers: int, scores: tuple[float, float], delay: float, **changes: Any) -> None:
    """Weeks in lockstep: the labels of one are in before the next."""
    for week in numbers:
        await monitor.publisher.publish([asked(monitor, week, scores, delay, **changes), known(monitor, week)])

        async def taken(moment: datetime = START + week * WEEK + 2 * HOUR) -> bool:
            reached = await monitor.client.monitor.progress("flight-delay")
            return bool(reached.labels_time and reached.labels_time >= moment)

        await monitor.eventually(taken)


async def published(monitor: Any, topic: str) -> list[Event]:
    async with open_log(monitor.config.events) as log:
        return [record.event for record in await log.read(topic)]


async def the_incidents(monitor: Any) -> list[Any]:
    return [one async for one in monitor.client.monitor.incidents("flight-delay")]


BAD, GOOD = (0.4, 0.6), (0.9, 0.1)


async def test_two_harmful_weeks_open_one_incident_that_names_what_drifted(monitor: Any) -> None:
    await monitor.learn(version_event())
    await weeks(monitor, 0, 1, scores=BAD, delay=50.0)
    assert await the_incidents(monitor) == []
    await weeks(monitor, 2, 3, scores=BAD, delay=50.0)
    (incident,) = await the_incidents(monitor)
    assert (incident.model, incident.version, incident.kind) == ("flights", 3, IncidentKind.PERFORMANCE)
    assert (incident.state, incident.start_time, incident.trigger_time) == (
        IncidentState.OPEN,
        START,
        START + 2 * WEEK,
    )
    assert (incident.harm.metric, incident.harm.rows, incident.harm.baseline) == ("auc", ROWS, 0.9)
    assert (incident.harm.observed, incident.harm.threshold) == (0.0, pytest.approx(0.85))
    assert [one.name for one in incident.features] == ["delay", "calm"]
    assert incident.features[0].distance > 0.8
    assert (await monitor.client.monitor.progress("flight-delay")) == MonitorProgress(
        START + 3 * WEEK + HOUR, START + 3 * WEEK + 2 * HOUR, START + 2 * WEEK
    )
    await monitor.eventually(lambda: _published(monitor, "monitor.incident.v1", 1))
    (event,) = await published(monitor, "monitor.incident.v1")
    assert told_pb2.IncidentChanged.FromString(event.value).incident.id == incident.id
    assert event.key == "flight-delay"


async def _published(monitor: Any, topic: str, count: int) -> bool:
    return len(await published(monitor, topic)) >= count


async def test_an_incident_ends_when_two_weeks_are_good_again(monitor: Any) -> None:
    await monitor.learn(version_event())
    await weeks(monitor, 0, 1, scores=BAD, delay=5.0)
    await weeks(monitor, 2, 3, 4, 5, scores=GOOD, delay=5.0)
    (incident,) = await the_incidents(monitor)
    assert (incident.state, incident.close_reason) == (
        IncidentState.CLOSED,
        "its version did well in two windows in a row",
    )
    assert [one async for one in monitor.client.monitor.incidents(open_only=True)] == []
    await monitor.eventually(lambda: _published(monitor, "monitor.incident.v1", 2))


async def test_an_incident_ends_when_its_version_answers_no_more(monitor: Any) -> None:
    await monitor.learn(version_event())
    await monitor.learn(endpoint_event(1))
    await weeks(monitor, 0, 1, 2, 3, scores=BAD, delay=5.0)
    assert (await the_incidents(monitor))[0].state == IncidentState.OPEN
    await monitor.learn(endpoint_event(2, main=4))
    (incident,) = await the_incidents(monitor)
    assert (incident.state, incident.close_reason) == (IncidentState.CLOSED, "its version answers no more")


async def test_drift_alone_is_told_and_opens_nothing(monitor: Any) -> None:
    await monitor.learn(version_event())
    await weeks(monitor, 0, 1, 2, 3, scores=GOOD, delay=50.0)
    assert await the_incidents(monitor) == []
    ask = monitor.client.monitor.feature_windows
    everything = [one async for one in ask("flight-delay", histograms=True)]
    assert [one.feature for one in everything] == ["calm", "delay", "idle"] * 4
    calm, delay, idle = everything[:3]
    assert (delay.rows, delay.nulls, delay.counts, delay.drifted) == (ROWS, 0, (0, 0, 0, ROWS), True)
    assert (calm.nulls, calm.counts, calm.importance) == (1, (0, ROWS - 1, 0, 0), 0.15)
    assert (idle.nulls, idle.distance) == (ROWS, 1.0)
    only = [one async for one in ask(feature="delay", drifted_only=True, start=START + WEEK, end=START + 3 * WEEK)]
    assert [(one.start_time, one.counts) for one in only] == [(START + WEEK, ()), (START + 2 * WEEK, ())]


async def test_values_that_vanish_are_an_incident_of_data(monitor: Any) -> None:
    await monitor.learn(version_event())
    await weeks(monitor, 0, 1, 2, 3, scores=GOOD, delay=float("nan"))
    (incident,) = await the_incidents(monitor)
    assert (incident.kind, incident.harm.metric, incident.harm.observed) == (IncidentKind.DATA, "null_rate", 1.0)
    assert [(one.name, one.null_rate) for one in incident.features] == [("delay", 1.0)]


@pytest.mark.parametrize(("mine", "decision"), [(GOOD, Decision.PROMOTE), (BAD, Decision.ROLL_BACK)])
async def test_a_step_gets_one_verdict_on_pairs_and_shadows_are_not_counted(
    monitor: Any, mine: tuple[float, float], decision: Decision
) -> None:
    other = BAD if mine == GOOD else GOOD
    await monitor.learn(version_event())
    await monitor.learn(endpoint_event(1, step=0))
    shadow = asked(monitor, 0, mine, 5.0, version=4, route="candidate", shadow=True)
    events = [asked(monitor, 0, other, 5.0), shadow, known(monitor, 0)]
    await monitor.publisher.publish([*events, *events])
    await monitor.eventually(lambda: _published(monitor, "monitor.verdict.v1", 1))
    (verdict,) = [one async for one in monitor.client.monitor.verdicts("flight-delay")]
    assert (verdict.rollout_id, verdict.step, verdict.decision, verdict.labels) == ("r1", 0, decision, ROWS)
    assert verdict.harm_lower <= verdict.harm <= verdict.harm_upper
    assert (verdict.candidate_auc, verdict.baseline_auc) == ((1, 0) if mine == GOOD else (0, 1))
    assert verdict.event_time == START + 2 * HOUR
    (event,) = await published(monitor, "monitor.verdict.v1")
    told = told_pb2.VerdictReached.FromString(event.value).verdict
    assert (told.rollout_id, told.step, told.labels) == ("r1", 0, ROWS)
    counted = await monitor.client.monitor.count("flight-delay")
    assert [(one.version, one.predictions) for one in counted.versions] == [(3, ROWS)]
    routes = {one.route: one.predictions async for one in monitor.client.monitor.performance("flight-delay")}
    assert routes == {"main": ROWS, "candidate": ROWS}
    found = await monitor.client.monitor.compare("flight-delay", "flights", 4, 3)
    assert (found.labels, found.auc, found.other_auc) == (ROWS, verdict.candidate_auc, verdict.baseline_auc)
    nothing = await monitor.client.monitor.compare("flight-delay", "flights", 4, 3, start=START + WEEK)
    assert (nothing.labels, nothing.auc) == (0, None)


async def test_the_next_step_is_judged_by_its_own_pairs(monitor: Any) -> None:
    await monitor.learn(endpoint_event(1, step=0))
    for week in (0, 1):
        shadow = asked(monitor, week, GOOD, 5.0, version=4, route="candidate", shadow=True)
        await monitor.publisher.publish([asked(monitor, week, BAD, 5.0), shadow, known(monitor, week)])
        await monitor.eventually(lambda week=week: _published(monitor, "monitor.verdict.v1", week + 1))
        await monitor.learn(endpoint_event(2 + week, step=1))
    verdicts = [one async for one in monitor.client.monitor.verdicts()]
    assert [(one.step, one.labels) for one in verdicts] == [(1, ROWS), (0, ROWS)]


async def test_what_the_registry_says_badly_is_set_aside(monitor: Any) -> None:
    uneven = version_event(9, features=[{"name": "delay", "edges": [1, 2], "counts": [1]}])
    junk = Event("junk", "registry.endpoint.v1", "k", "t", "/registry", START, b"\xff\xff")
    strange = Event("strange", "registry.endpoint.v1", "k", "t", "/registry", START, b"")
    await monitor.publisher.publish([uneven, junk, strange])

    async def set_aside() -> bool:
        return len([one async for one in monitor.client.monitor.dead_letters()]) == 3

    await monitor.eventually(set_aside)
    letters = {one.event_id: one.error async for one in monitor.client.monitor.dead_letters()}
    assert "baseline.features[delay].counts" in letters["v9"]
    assert "2 bytes" in letters["junk"]
    assert "does not know" in letters["strange"]


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("ListFeatureWindows", pb.ListFeatureWindowsRequest(endpoint="No!"), "endpoint"),
        ("ListFeatureWindows", pb.ListFeatureWindowsRequest(page_token="?"), "page_token"),
        ("ListIncidents", pb.ListIncidentsRequest(page_size=501), "page_size"),
        ("ListIncidents", pb.ListIncidentsRequest(endpoint="No!"), "endpoint"),
        ("ListVerdicts", pb.ListVerdictsRequest(page_token="WzFd!"), "page_token"),
        ("CompareVersions", pb.CompareVersionsRequest(model="m", version=1, other_version=2), "endpoint"),
        ("CompareVersions", pb.CompareVersionsRequest(endpoint="e", version=1, other_version=2), "model"),
        ("CompareVersions", pb.CompareVersionsRequest(endpoint="e", model="m", other_version=2), "version"),
        ("CompareVersions", pb.CompareVersionsRequest(endpoint="e", model="m", version=2), "other_version"),
        (
            "CompareVersions",
            pb.CompareVersionsRequest(endpoint="e", model="m", version=2, other_version=2),
            "other_version",
        ),
        ("GetProgress", pb.GetProgressRequest(), "endpoint"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_by_field(
    monitor: Any, method: str, request_: Any, field: str
) -> None:
    error = await monitor.refused(method, request_)
    assert (error.kind, error.violations[0].field) == (Kind.INVALID_ARGUMENT, field)


async def test_pages_of_features_follow_each_other(monitor: Any) -> None:
    await monitor.learn(version_event())
    await weeks(monitor, 0, 1, scores=GOOD, delay=5.0)
    request, seen = pb.ListFeatureWindowsRequest(page_size=2), []
    for size in (2, 2, 2):
        page = await monitor.asked("ListFeatureWindows", request, pb.ListFeatureWindowsResponse)
        assert len(page.windows) == size
        seen += [(one.start_time.seconds, one.feature) for one in page.windows]
        request.page_token = page.next_page_token
    assert (request.page_token, seen) == ("", sorted(seen))
    assert len(set(seen)) == 6


async def test_the_operator_sees_what_was_judged(monitor: Any, run: Any) -> None:
    await monitor.learn(version_event())
    assert (await run("incidents")).output == "no incidents\n"
    assert (await run("verdicts", "--json")).output == "[]\n"
    await weeks(monitor, 0, 1, 2, 3, scores=BAD, delay=50.0)
    (incident,) = json.loads((await run("incidents", "--open", "--json")).output)
    assert (incident["kind"], incident["state"], incident["harm"]["metric"]) == ("performance", "open", "auc")
    assert "delay" in (await run("incidents", "--endpoint", "flight-delay")).output
    drifted = json.loads((await run("features", "--drifted", "--feature", "delay", "--json")).output)
    assert [one["counts"] for one in drifted] == [[0, 0, 0, ROWS]] * 4
    assert "threshold" in (await run("features")).output
    progress = json.loads((await run("progress", "--endpoint", "flight-delay", "--json")).output)
    assert progress["judged_time"] == (START + 2 * WEEK).isoformat()
    compared = json.loads((await run("compare", "--endpoint", "flight-delay", "flights", "4", "3", "--json")).output)
    assert [(one["version"], one["labels"]) for one in compared] == [(4, 0), (3, 0)]
    assert (await run("compare", "--endpoint", "flight-delay", "flights", "3", "3")).exit_code == 2
