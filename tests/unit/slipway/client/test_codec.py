from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.client.codec import features, inference, monitor, registry, scalars, structs, training, versions
from slipway.client.types import features as f
from slipway.client.types import inference as i
from slipway.client.types import monitor as m
from slipway.client.types import registry as r
from slipway.client.types import training as t
from slipway.errors import InvalidInput
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
UINT32, UINT64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
TIME = st.datetimes(timezones=st.just(UTC))
MAYBE_TIME = st.none() | TIME
FINITE = st.floats(allow_nan=False)


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3).map(tuple)


ARTIFACT = st.builds(r.Artifact, TEXT, UINT64)
ALIAS = st.builds(r.Alias, TEXT, UINT32, MAYBE_TIME)
MODEL = st.builds(r.Model, TEXT, TEXT, TEXT, MAYBE_TIME, some(ALIAS), UINT32)
DATATYPE = st.sampled_from(r.DataType)
SIGNATURE = st.builds(
    r.Signature,
    some(st.builds(r.ColumnSpec, TEXT, DATATYPE, st.booleans(), TEXT)),
    some(st.builds(r.TensorSpec, TEXT, DATATYPE, some(st.integers(-1, 2**62)))),
)
LINEAGE = st.builds(
    r.Lineage,
    st.none() | st.builds(r.DataReference, TEXT, TEXT, UINT64),
    st.none() | st.builds(r.CodeReference, TEXT, TEXT, TEXT),
    TEXT,
)
VERSION = st.builds(
    r.ModelVersion,
    TEXT,
    UINT32,
    ARTIFACT,
    SIGNATURE,
    st.dictionaries(TEXT, FINITE, max_size=3),
    st.dictionaries(TEXT, TEXT, max_size=3),
    LINEAGE,
    MAYBE_TIME,
)
ROUTE = st.one_of(
    st.builds(r.Route, TEXT, TEXT, UINT32, st.none(), UINT32, UINT32),
    st.builds(r.Route, TEXT, TEXT, st.none(), TEXT, UINT32, UINT32),
)
ENDPOINT = st.builds(r.Endpoint, TEXT, some(ROUTE), UINT64, MAYBE_TIME)
CHANGE = st.builds(r.EndpointChange, UINT64, st.booleans(), some(ENDPOINT), some(TEXT), some(VERSION))
NUMBER = st.integers(-(2**53), 2**53) | FINITE
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
PARAMS = st.dictionaries(TEXT, JSON, max_size=3)
STEP = st.builds(
    t.Step,
    TEXT,
    st.sampled_from(t.StepState),
    UINT32,
    MAYBE_TIME,
    MAYBE_TIME,
    TEXT,
    TEXT,
    st.none() | PARAMS,
)
RUN = st.builds(t.Run, TEXT, TEXT, st.sampled_from(t.RunState), PARAMS, some(STEP), MAYBE_TIME, MAYBE_TIME, TEXT)
WORKFLOW = st.builds(
    t.Workflow,
    TEXT,
    TEXT,
    some(st.builds(t.Parameter, TEXT, TEXT, TEXT)),
    some(st.builds(t.StepSpec, TEXT, some(TEXT), TEXT)),
    TEXT,
)
SPAN = st.timedeltas(timedelta(0), timedelta(days=92))
TYPED = {
    f.ValueType.BOOL: st.booleans(),
    f.ValueType.INT32: st.integers(-(2**31), 2**31 - 1),
    f.ValueType.INT64: st.integers(-(2**63), 2**63 - 1),
    f.ValueType.FLOAT: FINITE,
    f.ValueType.DOUBLE: FINITE,
    f.ValueType.STRING: TEXT,
    f.ValueType.TIMESTAMP: TIME,
}
FEATURE = st.sampled_from(f.ValueType).flatmap(
    lambda kind: st.builds(
        f.Feature,
        TEXT,
        st.just(kind),
        TEXT,
        st.none() | TYPED.get(kind, st.none()),
        some(st.sampled_from(f.FeatureStatus)),
    )
)
VIEW = st.builds(
    f.FeatureView,
    TEXT,
    TEXT,
    some(TEXT),
    some(FEATURE),
    TEXT,
    st.none() | st.timedeltas(timedelta(0), timedelta(days=36500)),
    MAYBE_TIME,
    UINT64,
    some(st.sampled_from(f.ValueType)),
    st.none() | st.builds(f.Source, TEXT, TEXT, TEXT, TEXT),
    some(st.builds(f.Aggregation, TEXT, TEXT, st.sampled_from(f.AggregationFunction), SPAN)),
    st.none() | SPAN,
)
ELEMENTS = some(FINITE) | st.lists(TEXT, min_size=1, max_size=3).map(tuple)
PREDICTION = st.builds(
    i.Prediction,
    TEXT,
    st.dictionaries(TEXT, ELEMENTS, max_size=3),
    TEXT,
    UINT32,
    TEXT,
    st.booleans(),
    st.dictionaries(TEXT, st.none() | FINITE, max_size=3),
    st.booleans(),
)
WINDOW = st.builds(m.PredictionWindow, TEXT, TEXT, UINT32, TEXT, TIME, TIME, UINT64)


@pytest.mark.parametrize(
    ("values", "encode", "decode"),
    [
        (MODEL, registry.encode_model, registry.decode_model),
        (ENDPOINT, registry.encode_endpoint, registry.decode_endpoint),
        (CHANGE, registry.encode_change, registry.decode_change),
        (VERSION, versions.encode_version, versions.decode_version),
        (RUN, training.encode_run, training.decode_run),
        (WORKFLOW, training.encode_workflow, training.decode_workflow),
        (VIEW, features.encode_view, features.decode_view),
        (PREDICTION, inference.encode_prediction, inference.decode_prediction),
        (WINDOW, monitor.encode_window, monitor.decode_window),
    ],
    ids=["model", "endpoint", "change", "version", "run", "workflow", "view", "prediction", "window"],
)
@given(data=st.data())
def test_what_is_encoded_is_decoded(data: st.DataObject, values: Any, encode: Any, decode: Any) -> None:
    value = data.draw(values)
    message = encode(value)
    assert decode(type(message).FromString(message.SerializeToString())) == value


@given(st.datetimes(timezones=st.timezones()), st.sampled_from([-12, 0, 5]))
def test_a_moment_is_the_same_in_any_zone(moment: datetime, hours: int) -> None:
    if not datetime(2, 1, 1, tzinfo=UTC) < moment.astimezone(UTC) < datetime(9998, 1, 1, tzinfo=UTC):
        return
    there = moment.astimezone(timezone(timedelta(hours=hours)))
    assert scalars.timestamp("x", there) == scalars.timestamp("x", moment)


def test_a_value_of_a_newer_server_is_unspecified() -> None:
    newer: Any = 99
    spec = res.Signature(inputs=[res.ColumnSpec(name="x", datatype=newer)])
    assert versions.decode_signature(spec).inputs[0].datatype is r.DataType.UNSPECIFIED


VERSION_1 = r.ModelVersion("m", 1, r.Artifact("d"), r.Signature())


@pytest.mark.parametrize(
    ("encode", "field"),
    [
        (lambda: registry.encode_route(r.Route("main", "m"), "routes[0]"), "routes[0]"),
        (lambda: registry.encode_route(r.Route("main", "m", 1, "a"), "routes[0]"), "routes[0]"),
        (
            lambda: registry.encode_endpoint(r.Endpoint("e", (r.Route("a", "m", 1, weight=-1),))),
            "endpoint.routes[0].weight",
        ),
        (lambda: registry.encode_alias(r.Alias("a", 2**32)), "alias.version"),
        *(
            (
                lambda kind=kind, value=value: features.encode_view(  # type: ignore[misc]
                    f.FeatureView("v", "o", ("k",), (f.Feature("x", kind, fallback=value),))
                ),
                "view.features[0].fallback",
            )
            for kind, value in [
                (f.ValueType.BOOL, 1),
                (f.ValueType.INT32, True),
                (f.ValueType.INT64, 1.0),
                (f.ValueType.INT64, 2**63),
                (f.ValueType.DOUBLE, True),
                (f.ValueType.DOUBLE, "1"),
                (f.ValueType.STRING, 1),
                (f.ValueType.STRING, "\ud800"),
                (f.ValueType.TIMESTAMP, datetime(2013, 1, 1)),
                (f.ValueType.TIMESTAMP, 1),
            ]
        ),
        (lambda: registry.encode_alias(r.Alias("a", True)), "alias.version"),
        (lambda: registry.encode_model(r.Model("\ud800", "o")), "model.name"),
        (lambda: registry.encode_model(r.Model(7, "o")), "model.name"),  # type: ignore[arg-type]
        (lambda: registry.encode_model(r.Model("m", "o", create_time=datetime(2013, 1, 1))), "model.create_time"),
        (lambda: structs.encode_struct("params", {"x": {"y": [0, 2**60]}}), "params.x.y[1]"),
        (lambda: structs.encode_struct("params", {"x": b""}), "params.x"),  # type: ignore[dict-item]
        (
            lambda: versions.encode_signature(r.Signature((r.ColumnSpec("x", "FLOAT"),))),  # type: ignore[arg-type]
            "signature.inputs[0].datatype",
        ),
    ],
)
def test_a_bad_value_is_refused_by_name(encode: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        encode()
    assert caught.value.violations[0].field == field


def test_a_bad_metric_is_refused_by_name() -> None:
    bad: Any = {"auc": "high"}
    with pytest.raises(InvalidInput, match=r"version\.metrics\.auc: is 'high'"):
        versions.encode_version(r.ModelVersion("m", 1, r.Artifact("d"), r.Signature(), metrics=bad))
