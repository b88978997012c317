from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference_gateway.codec import encode_predictions, prediction_bytes
from services.inference_gateway.domain.answer import Answer, AnsweredRows
from services.inference_gateway.domain.batch import Batch, Protocol
from slipway.gen.slipway.inference.v1 import inference_pb2

TYPES = [np.float64, np.float32, np.float16, np.int64, np.uint64, np.int8, np.bool_, object]


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    rows = draw(st.integers(1, 12))
    outputs: dict[str, Any] = {}
    for name in draw(st.lists(st.text(min_size=1, max_size=5), unique=True, max_size=3)):
        shape = draw(st.sampled_from([(), (1,), (3,), (2, 2), (0,), (40,)]))
        dtype = draw(st.sampled_from(TYPES))
        drawn = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 100, (rows, *shape))
        outputs[name] = drawn.astype(str).astype(object) if dtype is object else drawn.astype(dtype)
    times = st.lists(st.sampled_from([0, 1, 1_700_000_000_000_000]), min_size=rows, max_size=rows)
    views = draw(st.lists(st.text(min_size=1, max_size=5), unique=True, max_size=2))
    batch = Batch("late", rows, (), np.full(rows, 1_700_000_000_500_000), False, (), (), Protocol.PREDICT)
    return Answer(
        batch,
        tuple(draw(st.lists(st.text(max_size=200), min_size=rows, max_size=rows))),
        (),
        draw(st.text(max_size=3)),
        draw(st.integers(0, 300)),
        draw(st.text(max_size=3)),
        {},
        outputs,
        {view: np.array(draw(times)) for view in views},
        degraded=draw(st.sampled_from([(), (), (), (0,)])),
        fallback=draw(st.booleans()),
    )


@settings(deadline=None)
@given(answers(), st.data())
def test_an_answers_bytes_say_what_its_message_says(answer: Answer, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, answer.batch.rows - 1))
    end = data.draw(st.integers(start + 1, answer.batch.rows))
    rows = AnsweredRows(answer, start, end)
    assert (len(rows), list(rows)) == (end - start, answer.predictions[start:end])
    assert (rows[0], rows[-1]) == (answer.predictions[start], answer.predictions[end - 1])
    found = inference_pb2.PredictResponse.FromString(prediction_bytes(rows))
    assert found == encode_predictions(list(rows))
    assert prediction_bytes(list(rows)) == encode_predictions(list(rows)).SerializeToString()
