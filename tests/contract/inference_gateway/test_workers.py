"""What every adapter of the workers port must do, held to by real processes and real models."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.inference_gateway.adapters.worker_profile import Profile
from services.inference_gateway.domain.signature import DTYPES, RANGES, DataType
from services.inference_gateway.domain.worker_errors import ModelFailed, UnusableModel, WorkerDied
from slipway.errors import Kind

FP32, FP64, INT32, INT64 = DataType.FP32, DataType.FP64, DataType.INT32, DataType.INT64
BYTES, BOOL = DataType.BYTES, DataType.BOOL
TWO = {"a": FP32, "b": FP32}


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


async def gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while running(pid):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("shape", [(None, 1), (None,), ("rows", 1), ("rows", "columns")])
async def test_an_input_a_column(launch: Any, versioned: Any, onnx_models: Any, shape: Any) -> None:
    worker = await launch(versioned(TWO), onnx_models.add(shape=shape))
    assert worker.provider == "CPUExecutionProvider"
    for rows in (1, 3, 1000):
        outputs = await worker.run({"a": np.arange(rows, dtype=np.float32), "b": np.ones(rows, np.float32)})
        assert outputs["y"].ravel().tolist() == [row + 1 for row in range(rows)]


@pytest.mark.parametrize("width", [3, None])
async def test_a_matrix_of_all_columns(launch: Any, versioned: Any, onnx_models: Any, width: int | None) -> None:
    worker = await launch(versioned({"a": FP32, "b": FP32, "c": FP32}), onnx_models.matrix(width))
    outputs = await worker.run({"c": floats(100, 200), "a": floats(1, 2), "b": floats(10, 20)})
    assert outputs["y"].tolist() == [[111], [222]]


async def test_vectors_beside_single_values(launch: Any, versioned: Any, onnx_models: Any) -> None:
    given = {"image": FP32, "distance": FP32}
    outputs = {"y": (FP32, (-1,)), "seen": (FP32, (-1, 2, 3))}
    worker = await launch(versioned(given, outputs, image=(2, 3)), onnx_models.image())
    images = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    answer = await worker.run({"image": images, "distance": floats(100, 200)})
    assert answer["y"].tolist() == [115, 251]
    assert answer["seen"].tolist() == images.tolist()
    for shape, told in (((3, 2), r"\[-1, 2, 3\] in the model but \[-1, 3, 2\]"), ((6,), r"but \[-1, 6\] in the sig")):
        with pytest.raises(UnusableModel, match=told):
            await launch(versioned(given, outputs, image=shape), onnx_models.image())
    with pytest.raises(UnusableModel, match="column 'a' has a shape, so give the model one input a column"):
        await launch(versioned({"a": FP32}, a=(2,)), onnx_models.matrix(2))


@pytest.mark.parametrize("kind", list(DataType))
async def test_every_type_goes_in_and_comes_out(launch: Any, versioned: Any, onnx_models: Any, kind: DataType) -> None:
    names = {BYTES: "STRING", FP32: "FLOAT", FP64: "DOUBLE", DataType.FP16: "FLOAT16"}
    onnx_type = onnx_models.TensorProto.DataType.Value(names.get(kind, kind.value))
    worker = await launch(versioned({"x": kind}, {"y": (kind, (-1, 1))}), onnx_models.echo(onnx_type))
    values = np.array(["é", "", "UA"], object) if kind is BYTES else np.array([0, 1, 1], DTYPES[kind])
    if kind in RANGES:
        values[1:] = RANGES[kind][0], RANGES[kind][-1]
    [(name, output)] = (await worker.run({"x": values})).items()
    assert (name, output.dtype, output.ravel().tolist()) == ("y", values.dtype, values.tolist())


async def test_answers_find_their_askers(launch: Any, versioned: Any, onnx_models: Any) -> None:
    worker = await launch(versioned(TWO), onnx_models.add())
    sizes = [1 + number * 7 % 40 for number in range(100)]
    asked = [worker.run({"a": np.full(n, n, np.float32), "b": np.zeros(n, np.float32)}) for n in sizes]
    answers = await asyncio.gather(*asked)
    assert [one["y"].ravel().tolist() for one in answers] == [[n] * n for n in sizes]


PROFILES = [
    Profile(io_binding="on", spinning=True, arena=False, memory_pattern=False, graph_optimization="disabled"),
    Profile(io_binding="on", intra_op_threads=2, inter_op_threads=2, graph_optimization="extended"),
]


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_profile_changes_no_answer(launch: Any, versioned: Any, onnx_models: Any, profile: Profile) -> None:
    worker = await launch(versioned(TWO), onnx_models.add(), profile=profile)
    outputs = await worker.run({"a": floats(1, 2), "b": floats(10, 20)})
    assert outputs["y"].ravel().tolist() == [11, 22]


async def test_texts_are_answered_where_numbers_are_bound(launch: Any, versioned: Any, onnx_models: Any) -> None:
    spec = versioned({"x": BYTES}, {"y": (BYTES, (-1, 1))})
    worker = await launch(spec, onnx_models.echo(onnx_models.STRING), profile=PROFILES[0])
    assert (await worker.run({"x": np.array(["a", ""], object)}))["y"].ravel().tolist() == ["a", ""]


NAME = "slipway-worker\n"
REFUSED = [
    pytest.param(TWO, None, lambda made: made.echo(made.FLOAT), "takes x; the signature has a, b", id="names"),
    pytest.param({"a": FP32, "c": FP32}, None, lambda made: made.add(), "takes a, b; the signature", id="a name"),
    pytest.param(
        {"a": FP32, "b": INT64}, None, lambda made: made.add(), r"'b' is INT64 .* but tensor\(float\)", id="a type"
    ),
    pytest.param(
        {"a": FP32, "b": FP64}, None, lambda made: made.matrix(2), r"'b' is FP64 .* but tensor\(float\)", id="mixed"
    ),
    pytest.param(TWO, None, lambda made: made.matrix(3), "single input of shape \\[-1, 2\\]", id="width"),
    pytest.param(
        TWO, None, lambda made: made.add(shape=(None, 2)), r"shape \[-1, 2\]; a column is \[-1\] or", id="wide column"
    ),
    pytest.param(TWO, None, lambda made: made.add(shape=(None, 1, 1)), r"a column is \[-1\] or", id="deep column"),
    pytest.param(TWO, None, lambda made: made.add(shape=(1, 1)), "dynamic batch", id="fixed batch"),
    pytest.param(TWO, None, lambda made: made.matrix(2, batch=4), "dynamic batch", id="fixed matrix"),
    pytest.param(
        TWO, {"z": (FP32, (-1, 1))}, lambda made: made.add(), "no output 'z'; it has y", id="an output's name"
    ),
    pytest.param(
        TWO, {"y": (INT64, (-1, 1))}, lambda made: made.add(), r"'y' is INT64 .* tensor\(float\)", id="an output's type"
    ),
    pytest.param(TWO, None, lambda made: made.add(output_type=made.FLOAT16), "float16", id="half floats"),
    pytest.param({"x": FP32}, None, lambda made: made.echo(made.TensorProto.BFLOAT16), "no such type", id="bfloat16"),
    pytest.param(TWO, None, lambda made: made.zipmap(), "export the model without ZipMap", id="zipmap"),
    pytest.param({"x": FP32}, None, lambda made: made.external("/etc/passwd"), "all of its data inside", id="absolute"),
    pytest.param({"x": FP32}, None, lambda made: made.external("../secret"), "all of its data inside", id="above"),
    pytest.param({"x": FP32}, None, lambda made: made.external("missing"), "load it|data inside", id="beside"),
    pytest.param({"x": FP32}, None, lambda made: b"", "can't load it", id="empty"),
    pytest.param({"x": FP32}, None, lambda made: b"\x80junk" * 99, "can't load it", id="junk"),
    pytest.param({"x": FP32}, None, lambda made: made.echo(made.FLOAT)[:-20], "can't load it", id="cut short"),
]


@pytest.mark.parametrize(("inputs", "outputs", "make", "said"), REFUSED)
async def test_a_model_that_does_not_fit_is_refused_with_the_mend(
    launch: Any, versioned: Any, onnx_models: Any, inputs: Any, outputs: Any, make: Any, said: str
) -> None:
    before = set(workers())
    with pytest.raises(UnusableModel, match=said) as caught:
        await launch(versioned(inputs, outputs), make(onnx_models))
    assert caught.value.message.startswith("m/1 can't be served: ")
    assert set(workers()) == before


def workers() -> list[int]:
    """The worker processes that this process is the parent of."""
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in found if running(int(pid)) and name(pid) == NAME]


def name(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""  # it has ended


async def test_a_file_beside_the_gateway_is_never_read(
    launch: Any, versioned: Any, onnx_models: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(np.array([42], np.float32).tobytes())
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "link").symlink_to(tmp_path / "secret")
    monkeypatch.chdir(tmp_path)
    for location in ("secret", "../secret", str(tmp_path / "secret"), "link"):
        with pytest.raises(UnusableModel):
            await launch(versioned({"x": FP32}), onnx_models.external(location))


async def test_a_batch_that_the_model_refuses_costs_itself_alone(launch: Any, versioned: Any, onnx_models: Any) -> None:
    worker = await launch(versioned({"x": INT64}, {"y": (FP32, (-1,))}), onnx_models.brittle())
    bad, good = worker.run({"x": np.array([7])}), worker.run({"x": np.array([2])})
    refused, answer = await asyncio.gather(bad, good, return_exceptions=True)
    assert isinstance(refused, ModelFailed)
    assert refused.kind is Kind.FAILED_PRECONDITION
    assert answer["y"].tolist() == [30]


async def test_a_killed_worker_is_told_to_everyone_who_waits(launch: Any, versioned: Any, onnx_models: Any) -> None:
    worker = await launch(versioned({"x": INT64}, {"y": (FP32, (-1,))}), onnx_models.looping())
    asked = [asyncio.create_task(worker.run({"x": np.array([10**12])})) for _ in range(3)]
    await asyncio.sleep(0)
    os.kill(worker.pid, signal.SIGKILL)
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in results] == [WorkerDied] * 3
    assert worker.died.is_set()
    with pytest.raises(WorkerDied):
        await worker.run({"x": np.array([1])})


@pytest.mark.parametrize("freeze", [True, False])
async def test_a_worker_that_hangs_is_ended(launch: Any, versioned: Any, onnx_models: Any, freeze: bool) -> None:
    spec = versioned({"x": INT64}, {"y": (FP32, (-1,))})
    worker = await launch(spec, onnx_models.looping(), run_timeout_s=0.2)
    if freeze:
        os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerDied):
        async with asyncio.timeout(30):  # half of what it had to load its model
            await worker.run({"x": np.array([1 if freeze else 10**12])})
    assert worker.died.is_set()
    await gone(worker.pid)


async def test_a_frozen_worker_does_not_hold_a_batch_that_does_not_fit_its_socket(
    launch: Any, versioned: Any, onnx_models: Any
) -> None:
    worker = await launch(versioned(TWO), onnx_models.add(), run_timeout_s=0.2)
    os.kill(worker.pid, signal.SIGSTOP)
    many = np.zeros(4_000_000, np.float32)
    with pytest.raises(WorkerDied):
        await worker.run({"a": many, "b": many})


async def test_a_long_queue_is_no_hang(launch: Any, versioned: Any, onnx_models: Any) -> None:
    spec = versioned({"x": INT64}, {"y": (FP32, (-1,))})
    worker = await launch(spec, onnx_models.looping(), run_timeout_s=1.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    rounds = 1000
    while loop.time() - began < 0.1:
        rounds *= 2
        began = loop.time()
        await worker.run({"x": np.array([rounds])})
    # Each takes a tenth of the time-out or more; together they take longer than it.
    answers = await asyncio.gather(*(worker.run({"x": np.array([rounds])}) for _ in range(16)))
    assert len(answers) == 16
    assert not worker.died.is_set()


async def test_a_caller_who_leaves_disturbs_nobody(launch: Any, versioned: Any, onnx_models: Any) -> None:
    worker = await launch(versioned({"x": INT64}, {"y": (FP32, (-1,))}), onnx_models.looping())
    leaving = asyncio.create_task(worker.run({"x": np.array([200_000])}))
    staying = asyncio.create_task(worker.run({"x": np.array([3])}))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying)["y"].shape == (1,)


async def test_a_stopped_worker_gives_its_memory_back(launch: Any, versioned: Any, onnx_models: Any) -> None:
    worker = await launch(versioned({"x": FP32}), onnx_models.heavy(64))
    pages = int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1])
    assert pages * os.sysconf("SC_PAGE_SIZE") > 64 * 2**20
    await worker.stop()
    assert not running(worker.pid)
    assert not Path(f"/proc/{worker.pid}").exists()
    await worker.stop()


async def test_a_limit_on_memory_costs_the_load_not_the_gateway(launch: Any, versioned: Any, onnx_models: Any) -> None:
    with pytest.raises((UnusableModel, WorkerDied)):
        await launch(versioned({"x": FP32}), onnx_models.heavy(64), memory_limit_bytes=64 * 2**20)


async def test_workers_leave_nothing_behind(
    launch: Any, versioned: Any, onnx_models: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    worker = await launch(versioned(TWO), onnx_models.add())
    await worker.run({"a": floats(1), "b": floats(2)})
    await worker.stop()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list((tmp_path / "workers").iterdir()) == []


async def test_giving_up_a_load_leaves_no_process(launch: Any, versioned: Any, onnx_models: Any) -> None:
    before = set(workers())
    loading = asyncio.create_task(launch(versioned(TWO), onnx_models.add()))
    async with asyncio.timeout(30):
        while set(workers()) == before:
            await asyncio.sleep(0.01)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert set(workers()) == before


async def test_a_worker_that_answers_stands_beside_the_gateway(launch: Any, versioned: Any, onnx_models: Any) -> None:
    worker = await launch(versioned(TWO), onnx_models.add())
    threads = Path(f"/proc/{worker.pid}/task").iterdir()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert {os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in threads} == {own}


PARENT = """
import asyncio, sys
from pathlib import Path
from services.inference_gateway.adapters.worker_process import ProcessWorkers, WorkerSettings
from services.inference_gateway.domain.desired import VersionKey, VersionSpec
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, TensorSpec

async def main():
    columns = (ColumnSpec("a", DataType.FP32), ColumnSpec("b", DataType.FP32))
    signature = Signature(columns, (TensorSpec("y", DataType.FP32, (-1, 1)),))
    workers = ProcessWorkers(WorkerSettings(device="cpu"), Path(sys.argv[1]) / "workers")
    spec = VersionSpec(VersionKey("m", 1), "sha256:00", signature)
    worker = await workers.launch(spec, (Path(sys.argv[1]) / "model").read_bytes(), workers.devices[0])
    print(worker.pid, flush=True)
    await worker.died.wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("frozen", [False, True])
async def test_a_worker_ends_when_its_parent_is_killed(tmp_path: Path, onnx_models: Any, frozen: bool) -> None:
    (tmp_path / "model").write_bytes(onnx_models.add())
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout is not None
            pid = int(await asyncio.to_thread(parent.stdout.readline))
            if frozen:
                os.kill(pid, signal.SIGSTOP)
            assert running(pid)
        finally:
            parent.kill()
    await gone(pid)
