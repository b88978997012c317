"""What a version answered before the registry's word of it is judged once that has come."""

from __future__ import annotations

from typing import Any

from slipway.client import IncidentKind, MonitorProgress
from tests.wire.monitor.test_judgement import (
    BAD,
    GOOD,
    HOUR,
    ROWS,
    START,
    WEEK,
    asked,
    endpoint_event,
    ids,
    known,
    the_incidents,
    version_event,
    weeks,
)


async def _incident(monitor: Any) -> bool:
    return bool(await the_incidents(monitor))


async def test_weeks_that_were_answered_before_the_baseline_came_are_judged_by_it(monitor: Any) -> None:
    await weeks(monitor, 0, 1, 2, 3, scores=BAD, delay=50.0)
    assert await the_incidents(monitor) == []
    await monitor.learn(version_event())
    await monitor.eventually(lambda: _incident(monitor))
    (incident,) = await the_incidents(monitor)
    assert (incident.version, incident.kind, incident.start_time) == (3, IncidentKind.PERFORMANCE, START)
    assert (incident.harm.rows, [one.name for one in incident.features]) == (ROWS, ["delay", "calm"])
    found = [one async for one in monitor.client.monitor.feature_windows(feature="delay", histograms=True)]
    assert [(one.start_time, one.counts) for one in found] == [
        (START + week * WEEK, (0, 0, 0, ROWS)) for week in range(4)
    ]
    reached = await monitor.client.monitor.progress("flight-delay")
    assert reached == MonitorProgress(START + 3 * WEEK + HOUR, START + 3 * WEEK + 2 * HOUR, START + 2 * WEEK)


async def test_a_version_that_waits_holds_up_no_other_and_is_judged_for_the_weeks_that_passed(monitor: Any) -> None:
    await monitor.learn(version_event(3))
    for week in range(5):
        other = asked(monitor, week, BAD, 50.0, version=4, prediction_ids=[f"other-{one}" for one in ids(week)])
        await monitor.publisher.publish([other, known(monitor, week, "other-")])
        await weeks(monitor, week, scores=GOOD, delay=5.0)
    judged = (await monitor.client.monitor.progress("flight-delay")).judged_time
    assert (judged, await the_incidents(monitor)) == (START + 3 * WEEK, [])
    await monitor.learn(version_event(4))
    await monitor.eventually(lambda: _incident(monitor))
    (incident,) = await the_incidents(monitor)
    assert (incident.version, incident.start_time, incident.trigger_time) == (4, START, START + 2 * WEEK)


async def test_a_version_on_trial_when_its_baseline_comes_is_not_judged(monitor: Any) -> None:
    await monitor.learn(endpoint_event(1, main=4))
    await weeks(monitor, 0, 1, 2, scores=BAD, delay=50.0)
    await monitor.learn(version_event())

    async def counted() -> bool:
        return len([one async for one in monitor.client.monitor.feature_windows(feature="delay")]) == 3

    await monitor.eventually(counted)
    assert await the_incidents(monitor) == []
