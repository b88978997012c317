from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.toolchain import contracts, hygiene, sync_client, tree


def test_committed_code_is_what_its_sources_generate() -> None:
    derived = {**contracts.generate(tree.ROOT), **sync_client.generate(tree.ROOT)}
    assert tree.differences(derived, tree.ROOT, [contracts.FOLDER, sync_client.FOLDER]) == []


def test_writing_removes_what_is_stale_and_leaves_what_is_right(tmp_path: Path) -> None:
    for path, text in {"gen/old/stale.py": "1", "gen/right.py": "2", "gen/wrong.py": "3"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "gen/old/__pycache__").mkdir()
    (tmp_path / "gen/old/__pycache__/stale.pyc").touch()
    wanted = {"gen/right.py": "2", "gen/wrong.py": "4", "gen/new/x.py": "5"}

    changed = tree.write(wanted, tmp_path, ["gen"])

    assert changed == ["gen/new/x.py", "gen/old/stale.py", "gen/wrong.py"]
    assert tree.differences(wanted, tmp_path, ["gen"]) == []
    assert not (tmp_path / "gen/old").exists()


def test_the_synchronous_client_loses_only_what_is_asynchronous(tmp_path: Path) -> None:
    source = tmp_path / "libs/slipway/client/_async/registry.py"
    source.parent.mkdir(parents=True)
    source.write_text(
        "from slipway.client._async.stub import AsyncStub\n\n\n"
        "class AsyncSlipway:\n"
        "    async def __aenter__(self) -> AsyncSlipway:\n"
        "        await self.stub.open()\n"
        "        return self\n"
    )
    (tmp_path / "pyproject.toml").write_text((tree.ROOT / "pyproject.toml").read_text())
    assert sync_client.generate(tmp_path) == {
        "libs/slipway/client/_sync/registry.py": (
            "# Generated from libs/slipway/client/_async/registry.py by scripts/generate; do not edit.\n"
            "from slipway.client._sync.stub import Stub\n\n\n"
            "class Slipway:\n"
            "    def __enter__(self) -> Slipway:\n"
            "        self.stub.open()\n"
            "        return self\n"
        )
    }


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("file:/" + "/" + "work/main/x.py", True),
        ("cd /" + "home/jo/slipway", True),
        ("registry." + "npmjs.org", True),
        ("https://files." + "pythonhosted.org/x", True),
        ("libs/slipway/" + "work/item.py", False),
        ("~/work/x and $HOME/tmp/x", False),
        ("POST /v2/models/m/infer", False),
    ],
)
def test_hosts_and_paths_of_one_machine_are_found(line: str, wrong: bool) -> None:
    assert bool(hygiene.wrongs(line)) is wrong


def test_the_contracts_of_the_checkout_are_valid_python() -> None:
    script = "import slipway.gen.inference.inference_pb2_grpc, slipway.gen.slipway.registry.v1.registry_pb2_grpc"
    subprocess.run([sys.executable, "-c", script], check=True)
