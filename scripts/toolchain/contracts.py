"""Python code of the contracts: messages, their types and the gRPC stubs, under ``slipway.gen``."""

from __future__ import annotations

import re
import tempfile
from importlib import resources
from pathlib import Path, PurePosixPath

from grpc_tools import protoc

from scripts.toolchain.tree import Tree

FOLDER = "libs/slipway/gen"
_OURS = re.compile(r"^(from|import) (slipway|inference)(?=[. ])", re.MULTILINE)


class ContractsBroken(Exception):
    """The compiler refused the contracts; its own words are on stderr."""


def generate(root: Path) -> Tree:
    """Compile every file under ``protos/``; raises ``ContractsBroken`` when one does not compile.

    protoc's Python imports modules by the proto's path; ours live one package deeper, so imports of our own
    packages are rewritten, and those of ``google`` stay as they are.
    """
    protos = sorted(path.relative_to(root / "protos").as_posix() for path in (root / "protos").rglob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        _compile(root / "protos", protos, Path(scratch))
        files = {
            path.relative_to(scratch).as_posix(): _under_gen(path.read_text())
            for path in sorted(Path(scratch).rglob("*"))
            if path.is_file()
        }
    return {f"{FOLDER}/{path}": text for path, text in {**files, **_packages(files)}.items()}


def _compile(source: Path, protos: list[str], out: Path) -> None:
    # google/rpc is found in googleapis-common-protos, google/protobuf in the compiler's own package.
    includes = [source, resources.files("grpc_tools") / "_proto", Path(_site_packages())]
    arguments = [
        "protoc",
        *(f"--proto_path={include}" for include in includes),
        *(f"--{plugin}_out={out}" for plugin in ("python", "pyi", "grpc_python")),
        *protos,
    ]
    if protos and protoc.main(arguments) != 0:
        raise ContractsBroken


def _site_packages() -> str:
    status = resources.files("google.rpc") / "status.proto"
    with resources.as_file(status) as path:
        return str(path.parents[2])


def _under_gen(text: str) -> str:
    return _OURS.sub(r"\1 slipway.gen.\2", text)


def _packages(files: Tree) -> dict[str, str]:
    """Return an ``__init__.py`` a folder: without them import checks do not see the modules."""
    folders = {PurePosixPath()} | {parent for path in files for parent in PurePosixPath(path).parents}
    return {(folder / "__init__.py").as_posix(): _charter(folder) for folder in folders}


def _charter(folder: PurePosixPath) -> str:
    source = (PurePosixPath("protos") / folder).as_posix()
    return f'"""Generated from {source} by scripts/generate; nothing is written here by hand."""\n'
