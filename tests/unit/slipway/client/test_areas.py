from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.client import (
    Artifact,
    Baseline,
    CalibrationBin,
    ColumnSpec,
    DataType,
    DeadLetter,
    DefaultAnswer,
    Distribution,
    Experiment,
    Feature,
    FeatureBaseline,
    FeatureService,
    FeatureStatus,
    FeatureView,
    Guardrails,
    Kind,
    LabelCoverage,
    LogLine,
    Question,
    RecordedLabels,
    RevisionCause,
    RolloutKind,
    RolloutPlan,
    RolloutState,
    RolloutStep,
    Route,
    RunState,
    Signature,
    SlipwayError,
    TenantStatus,
    TensorSpec,
    Trigger,
    ValueType,
    VersionState,
    Watermark,
)
from slipway.client.pieces import PIECE_BYTES, digest
from slipway.errors import InvalidInput

SIGNATURE = Signature((ColumnSpec("x", DataType.FP32),), (TensorSpec("p", DataType.FP32),))


def test_models_and_versions(client: Any, unique: str) -> None:
    model = client.registry.create_model("late", owner="ops", description="is it late")
    assert (model.name, model.owner, model.description) == ("late", "ops", "is it late")
    artifact = Artifact("sha256:" + "1" * 64, 3)
    made = client.registry.register_version("late", artifact, SIGNATURE, metrics={"auc": 0.7}, request_id=unique)
    assert (made.number, made.artifact, made.signature, made.metrics) == (3, artifact, SIGNATURE, {"auc": 0.7})
    assert client.registry.register_version("late", artifact, SIGNATURE).number == 3
    assert client.registry.get_version("late", number=2).params == {"by": "number"}
    assert client.registry.get_version("late", alias="champion").params == {"by": "alias"}
    assert [version.number for version in client.registry.versions("late")] == [2, 1]


@pytest.mark.parametrize("selector", [{}, {"number": 1, "alias": "champion"}])
def test_a_version_is_selected_one_way(client: Any, selector: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="exactly one of number and alias"):
        client.registry.get_version("late", **selector)


def test_rollouts(client: Any, unique: str) -> None:
    steps = (RolloutStep(0, 10, 20), RolloutStep(25))
    plan = RolloutPlan(steps, 0.5, 0.1, RolloutKind.BLUE_GREEN, 60, "spring")
    since = datetime(2013, 5, 1, tzinfo=UTC)
    started = client.registry.start_rollout("late", 4, plan, request_id=unique, start_event_time=since).rollout
    # Tried again by itself: the request has the caller's key.
    assert (started.id, started.step, started.candidate_version) == (unique, 3, 4)
    assert (started.plan, started.state, started.start_event_time) == (plan, RolloutState.RUNNING, since)
    assert client.registry.start_rollout("late", 4).rollout.plan == RolloutPlan(())
    ended = client.registry.cancel_rollout("late", unique, reason="why").rollout
    assert (ended.id, ended.reason, ended.state) == (unique, "why", RolloutState.ROLLED_BACK)
    assert [rollout.id for rollout in client.registry.rollouts("late")] == ["3", "2", "1"]
    assert client.registry.roll_back("late", 7, reason=unique).routes[0].resolved_version == 7
    assert client.registry.roll_back("late", to_revision=2**40, reason=f"{unique} to").revision == 2**40
    with pytest.raises(SlipwayError) as caught:
        client.registry.roll_back("late", reason=f"{unique} again")
    assert caught.value.reason == "WARMING_UP"


@pytest.mark.parametrize(
    ("baseline", "field"),
    [
        (Baseline((FeatureBaseline("x", "much"),)), "importance"),  # type: ignore[arg-type]
        (Baseline((FeatureBaseline("x", counts=(-1,)),)), "counts[0]"),
        (Baseline((FeatureBaseline("x", spread="wide"),)), "spread"),  # type: ignore[arg-type]
        (Baseline(block=7), "block"),  # type: ignore[arg-type]
    ],
)
def test_a_baseline_that_no_message_holds_is_refused_by_its_field(client: Any, baseline: Baseline, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        client.registry.register_version("late", Artifact("sha256:" + "1" * 64), SIGNATURE, baseline=baseline)
    assert caught.value.violations[0].field.endswith(field)


def test_endpoints(client: Any) -> None:
    put = client.registry.put_endpoint("late", [Route("main", "late", alias="champion")], expected_revision=4)
    assert (put.revision, put.routes[0].alias, put.routes[0].version) == (5, "champion", None)
    told = client.registry.put_endpoint(
        "late",
        [Route("main", "late", alias="champion")],
        guardrails=Guardrails(0.5, 20.0, 100, 100),
        fallback=DefaultAnswer({"late": (0.5, 1.0), "why": ("no model",)}, when_features_unavailable=True),
        sticky_by=["plane"],
        experiment=Experiment("spring", ("main", "other"), "salt"),
    )
    assert (told.guardrails, told.sticky_by) == (Guardrails(0.5, 20.0, 100, 100), ("plane",))
    assert told.fallback == DefaultAnswer({"late": (0.5, 1.0), "why": ("no model",)}, when_features_unavailable=True)
    assert told.experiment == Experiment("spring", ("main", "other"), "salt")
    revisions = list(client.registry.endpoint_revisions("late"))
    assert [one.endpoint.revision for one in revisions] == [3, 2, 1]
    assert (revisions[0].cause, revisions[0].reason, revisions[0].rollout_id) == (RevisionCause.ROLLOUT, "why", "r1")
    assert client.registry.get_endpoint("late").name == "late"
    assert [endpoint.name for endpoint in client.registry.endpoints()] == ["late"]
    with pytest.raises(SlipwayError, match="no endpoint gone"):
        client.registry.delete_endpoint("gone")


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, 3 * PIECE_BYTES + 1])
def test_artifacts_go_there_and_back(client: Any, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    stored = client.registry.upload_artifact(data)
    assert (stored.digest, stored.size_bytes) == (digest(data), size)
    assert client.registry.download_artifact(stored.digest) == data


def test_artifacts_come_from_files(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"onnx" * PIECE_BYTES)
    assert client.registry.upload_artifact(path).digest == digest(path.read_bytes())
    file = io.BytesIO(b"skipped" + b"sent")
    file.seek(7)
    assert client.registry.upload_artifact(file).digest == digest(b"sent")
    assert not file.closed


def test_an_upload_announces_its_digest(client: Any) -> None:
    with pytest.raises(SlipwayError, match="not the digest that was announced"):
        client.registry.upload_artifact(b"data", expected_digest=digest(b"other"))


def test_an_upload_that_was_stored_as_something_else_is_told(client: Any) -> None:
    with pytest.raises(SlipwayError) as caught:
        client.registry.upload_artifact(b"lie")
    assert (caught.value.kind, caught.value.reason) == (Kind.DATA_LOSS, "DAMAGED_ARTIFACT")


def test_a_damaged_download_is_told(client: Any) -> None:
    with pytest.raises(SlipwayError) as caught:
        client.registry.download_artifact("sha256:" + "0" * 64)
    assert (caught.value.kind, caught.value.reason) == (Kind.DATA_LOSS, "DAMAGED_ARTIFACT")
    with pytest.raises(SlipwayError, match="no such artifact"):
        client.registry.download_artifact("sha256:" + "f" * 64)


class Failing(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        raise OSError("the disk is gone")


def test_what_fails_while_reading_the_source_is_told(client: Any, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the disk is gone"):
        client.registry.upload_artifact(Failing())
    with pytest.raises(InvalidInput, match="binary mode"):
        client.registry.upload_artifact(io.StringIO("text"))
    with pytest.raises(InvalidInput, match="source: can't open"):
        client.registry.upload_artifact(tmp_path / "none")
    with pytest.raises(InvalidInput, match="source: is int"):
        client.registry.upload_artifact(7)


def test_predictions_come_back_in_order(client: Any) -> None:
    rows = [{"carrier": "UA", "distance": 1400}, {"carrier": None, "distance": 2.5}]
    first, second = client.inference.predict("late", rows, entity_keys=[{"flight": 1}, {"flight": 2}])
    assert first.outputs == {"carrier": ("UA",), "distance": (1400.0,)}
    assert second.outputs == {"carrier": (), "distance": (2.5,)}
    assert (first.model, first.version, first.route, first.replayed) == ("echo", 1, "main", False)


def test_predictions_from_columns(client: Any) -> None:
    answers = client.inference.predict_columns("late", {"x": (1, 2, 3)}, prediction_ids=["a", "b", "c"])
    assert [(answer.prediction_id, answer.value) for answer in answers] == [("a", 1.0), ("b", 2.0), ("c", 3.0)]


def test_keys_alone_ask_and_what_was_read_has_its_age(client: Any) -> None:
    for answers in (
        client.inference.predict("late", entity_keys=[{"carrier": "UA"}, {"carrier": None}]),
        client.inference.predict_columns("late", entity_keys={"carrier": ["UA", None]}),
    ):
        assert [one.feature_ages for one in answers] == [{"carriers": 60.0, "planes": None}] * 2
        assert all(one.degraded for one in answers)
    (alone,) = client.inference.predict("late", entity_keys=[{"carrier": None}])
    assert alone.version == 1
    with pytest.raises(InvalidInput):
        client.inference.predict("late")
    with pytest.raises(InvalidInput):
        client.inference.predict_columns("late")


class Questions(list[Question]):
    """For either client."""

    async def __aiter__(self) -> AsyncIterator[Question]:
        for one in self:
            yield one


def test_many_questions_on_one_stream(client: Any) -> None:
    asked = Questions(Question([{"x": number}], correlation_id=f"q{number}") for number in range(300))
    with client.inference.stream_predict("late", asked) as answers:
        told = {one.correlation_id: [answer.value for answer in one.predictions] for one in answers}
    assert told == {f"q{number}": [float(number)] for number in range(300)}
    [refused] = client.inference.stream_predict("nowhere", Questions([Question([{"x": 1}])]))
    assert refused.error is not None
    assert (refused.error.kind, refused.error.reason, refused.predictions) == (Kind.NOT_FOUND, "ENDPOINT_NOT_FOUND", ())
    assert refused.error.facts == {"endpoint": "x"}
    assert [one.field for one in refused.error.violations] == ["endpoint"]


def test_a_stream_of_questions_tells_what_it_ends_by(client: Any) -> None:
    with pytest.raises(SlipwayError) as gone:
        list(client.inference.stream_predict("gone", Questions([Question([{"x": 1}])])))
    assert (gone.value.kind, gone.value.retry_after_s) == (Kind.UNAVAILABLE, 1.0)
    with pytest.raises(InvalidInput, match="entity_keys: has 2 for 1 rows"):
        list(client.inference.stream_predict("late", Questions([Question([{"x": 1}], [{}, {}])])))


def test_the_value_of_an_answer_that_is_no_scalar_is_refused(client: Any) -> None:
    (answer,) = client.inference.predict("late", [{"x": 1, "y": 2}])
    with pytest.raises(InvalidInput, match=r"x \(1\), y \(1\)"):
        _ = answer.value


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"entity_keys": [{"k": 1}]}, "entity_keys"),
        ({"prediction_ids": ["a"]}, "prediction_ids"),
        ({"prediction_ids": "ab"}, "prediction_ids"),
        ({"event_times": [datetime.now(UTC)] * 3}, "event_times"),
        ({"event_times": datetime(2013, 1, 1)}, "event_times[0]"),
    ],
)
def test_what_is_not_one_a_row_is_refused(client: Any, options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        client.inference.predict("late", [{"x": 1}, {"x": 2}], **options)
    assert caught.value.violations[0].field == field


def test_the_gateway_tells_how_it_runs(client: Any) -> None:
    served = client.inference.endpoints()
    endpoints = served.endpoints if hasattr(served, "endpoints") else list(served)
    assert endpoints[0].routes[0].state is VersionState.READY
    main, candidate = endpoints[0].routes
    assert (main.shadow, main.disabled_reason) == (False, "")
    assert (candidate.shadow, candidate.disabled_reason) == (True, "it failed")
    assert client.inference.prediction_log().limit_bytes == 3
    [tenant] = client.inference.tenants()
    assert tenant == TenantStatus("nobody", 2.0, burst_rows=7, refused_requests=3)
    told = client.inference.statistics()
    arm = told.endpoints["late"].arms["main"]
    assert (arm.weight, arm.request_seconds) == (2, Distribution((0.1,), (3, 1), 0.5))
    assert (told.versions["m", 1].running_rows, told.versions["m", 1].workers[0].pid) == (7, 9)


def test_runs(client: Any, unique: str) -> None:
    assert [workflow.name for workflow in client.training.workflows()] == ["flights-delay"]
    run = client.training.submit("flights-delay", {"leaves": 31, "months": [1, 2]}, request_id=unique)
    assert (run.id, run.params, run.state) == (unique, {"leaves": 31, "months": [1, 2]}, RunState.QUEUED)
    assert client.training.submit("flights-delay").id != client.training.submit("flights-delay").id
    assert client.training.get_run("a").state is RunState.RUNNING
    assert [run.id for run in client.training.runs("flights-delay")] == ["b", "a"]
    assert client.training.cancel("a").state is RunState.CANCELLED
    trigger = Trigger("drift", "flight-delay", "flights-delay", {"leaves": 31}, "until", timedelta(days=7))
    assert client.training.put_trigger(trigger) == trigger
    assert [one.name for one in client.training.triggers()] == ["drift"]
    client.training.delete_trigger("drift")
    lines = [line for part in client.training.logs("a", step="train", follow=True) for line in part]
    assert lines == [LogLine("train", 1, "one"), LogLine("train", 1, "two")]


def test_a_run_is_watched_to_its_end(client: Any) -> None:
    assert [run.state for run in client.training.watch("a")] == [RunState.RUNNING, RunState.SUCCEEDED]


def test_waiting_outlasts_a_restart_of_the_scheduler(client: Any, unique: str) -> None:
    assert client.training.wait(f"dropped{unique}").state is RunState.SUCCEEDED


def test_waiting_ends(client: Any) -> None:
    with pytest.raises(SlipwayError) as late:
        client.training.wait("endless", timeout_s=0.2)
    assert late.value.kind is Kind.DEADLINE_EXCEEDED
    with pytest.raises(SlipwayError, match="no such run"):
        client.training.wait("unknown")


def test_feature_views(client: Any) -> None:
    view = FeatureView("planes", "ops", ("tailnum",), (Feature("seats", ValueType.INT64),), max_age=timedelta(hours=1))
    assert client.features.apply([view]) == [view]
    assert client.features.get_view("planes").name == "planes"
    assert [one.name for one in client.features.views()] == ["planes"]
    store = client.features.online_store()
    assert (store.reachable, store.server_version, store.keys) == (True, "7", 4)


def test_feature_services_and_watermarks(client: Any) -> None:
    service = FeatureService("late", "ops", ("planes:seats",), "Late.")
    assert client.features.apply_services([service]) == [service]
    assert client.features.get_service("late").features == ("planes:seats",)
    assert [one.name for one in client.features.services()] == ["a", "b"]
    moment = datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC)
    assert client.features.watermark("planes") == Watermark("planes", moment)
    client.features.await_watermarks(["planes"], moment)
    assert [one.view for one in client.features.watermarks()] == ["planes"]


def test_features_go_in_and_come_out_as_they_were(client: Any) -> None:
    moment = datetime(2013, 1, 1, tzinfo=UTC)
    rows: list[dict[str, Any]] = [
        {"b": True, "i": -1, "f": 0.5, "s": "Š", "t": moment, "n": None},
        {"b": None, "i": 7, "f": 2, "s": None},
    ]
    pushed = client.features.push("planes", [{"tailnum": "N1"}, {"tailnum": "N2"}], rows, moment)
    assert (pushed.applied, pushed.late) == (1, 1)
    found = client.features.get_online(["planes:b"], [{"tailnum": "N1"}])
    assert list(found.rows()) == [rows[0], {"b": None, "i": 7, "f": 2.0, "s": None, "t": None, "n": None}]
    assert found["b"].statuses == (FeatureStatus.PRESENT, FeatureStatus.NULL_VALUE)
    assert found["b"].event_times == (moment, moment)
    old = client.features.get_online("late", [{"tailnum": "N1"}], event_times=moment)["late"]
    assert (old.values, old.statuses, old.event_times) == ((None,), (FeatureStatus.OUTSIDE_MAX_AGE,), (moment,))


@pytest.mark.parametrize(
    ("entities", "features", "times", "field"),
    [
        ({"tailnum": "N1"}, [], [], "entities"),
        (["N1"], [{}], [], "entities[0]"),
        ([{"k": 1}], [{}, {}], [], "features"),
        ([{"k": 1}, {"k": "a"}], [{}, {}], [], "entities.k"),
        ([{"k": 2**63}], [{}], [], "entities.k"),
        ([{"k": 1}], [{"x": object()}], [], "features.x"),
        ([{"k": 1}], [{"x": datetime(2013, 1, 1)}], [], "features.x[0]"),
        ([{"k": 1}], [{}], [datetime(2013, 1, 1)], "event_times[0]"),
        ([{"k": 1}], [{}], ["noon"], "event_times[0]"),
    ],
)
def test_rows_that_no_column_can_hold_name_their_place(
    client: Any, entities: Any, features: Any, times: Any, field: str
) -> None:
    with pytest.raises(SlipwayError) as raised:
        client.features.push("planes", entities, features, times)
    assert raised.value.kind is Kind.INVALID_ARGUMENT
    assert [one.field for one in raised.value.violations] == [field]


def test_windows_and_counts(client: Any) -> None:
    start = datetime(2013, 1, 1, tzinfo=UTC)
    (window,) = client.monitor.windows("late", start=start)
    assert (window.endpoint, window.start_time, window.predictions) == ("late", start, 7)
    counted = client.monitor.count("late")
    assert (counted.predictions, counted.versions[0].predictions) == (7, 7)


def test_dead_letters(client: Any) -> None:
    silent = DeadLetter("silent", "", None, None, "", None, "", 0, None)
    told = DeadLetter("junk", "t", 0, 0, "late", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "why", 2, None)
    assert list(client.monitor.dead_letters()) == [told, silent]
    assert [letter.value for letter in client.monitor.dead_letters(include_value=True)] == [b"\xff\0", None]


def test_labels_are_recorded_in_calls_of_a_size_that_the_monitor_takes(client: Any) -> None:
    noon = datetime(2013, 1, 1, 12, tzinfo=UTC)
    few = client.monitor.record_labels("late", ["a", "b", "c"], [1, 0.5, -1], [noon] * 3, source="tower")
    assert few == RecordedLabels(recorded=2, repeated=1, joined=1)
    many = client.monitor.record_labels("late", ["a"] * 25_000, [1] * 25_000, noon)
    assert many == RecordedLabels(recorded=25_000, joined=25_000)
    assert client.monitor.record_labels("late", [], [], noon) == RecordedLabels()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"endpoint": 7}, "endpoint"),
        ({"prediction_ids": "ab"}, "prediction_ids"),
        ({"prediction_ids": ["a", 7]}, "prediction_ids[1]"),
        ({"values": [1]}, "values"),
        ({"values": [1, "late"]}, "values[1]"),
        ({"label_times": [datetime(2013, 1, 1, tzinfo=UTC)]}, "label_times"),
        ({"label_times": datetime(2013, 1, 1)}, "label_times[0]"),
        ({"source": None}, "source"),
    ],
)
def test_labels_that_are_none_are_refused_by_field(client: Any, changes: dict[str, Any], field: str) -> None:
    given = {"endpoint": "late", "prediction_ids": ["a", "b"], "values": [1, 0]}
    given |= {"label_times": datetime(2013, 1, 1, tzinfo=UTC)}
    with pytest.raises(InvalidInput) as caught:
        client.monitor.record_labels(**(given | changes))
    assert caught.value.violations[0].field == field


def test_performance(client: Any) -> None:
    start = datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)
    told, silent = client.monitor.performance("late", start=start)
    assert (told.endpoint, told.start_time, told.newest_label_time) == ("late", start, start + timedelta(seconds=6))
    assert (told.auc, told.mean_label_delay_s, told.brier, told.coverage) == (0.0, 0.0, 0.25, 0.5)
    assert told.calibration == (CalibrationBin(0.5, 0.5625, 2, 0.5, 1.0),)
    assert (told.mean_absolute_error, told.root_mean_squared_error) == (1.0, 2.0)
    assert (told.negative_bins, told.positive_bins) == ((), ())
    assert (silent.auc, silent.log_loss, silent.newest_label_time, silent.coverage) == (None, None, None, 0.0)
    told, _ = client.monitor.performance(histograms=True)
    assert (told.negative_bins, told.positive_bins) == ((1,), (0,))


def test_coverage(client: Any) -> None:
    full, quiet = client.monitor.coverage()
    newest = datetime(1970, 1, 1, 0, 0, 8, tzinfo=UTC)
    assert full == LabelCoverage("late", 4, 1, newest, labels_joined=1, labels_waiting=2)
    assert (full.coverage, quiet) == (0.25, LabelCoverage("quiet", 0, 0))
    assert quiet.coverage == 0.0
