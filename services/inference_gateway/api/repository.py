"""The repository extension's messages: what is loaded, and what to load or unload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.inference_gateway.engine.repository import Entry
from slipway.errors import NotFound, invalid_field
from slipway.gen.inference import repository_pb2 as pb

Parameters = Mapping[str, pb.ModelRepositoryParameter]


class RepositoryNotFound(NotFound):
    """A repository was named, and there is but one, without a name."""

    reason = "REPOSITORY_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no repository {name[:100]!r}; leave repository_name empty")


def check_repository(name: str) -> None:
    """Raise RepositoryNotFound unless the one repository is meant."""
    if name:
        raise RepositoryNotFound(name)


def encode_index(entries: Iterable[Entry]) -> pb.RepositoryIndexResponse:
    """Every version as a message."""
    response = pb.RepositoryIndexResponse()
    for one in entries:
        response.models.add(
            name=one.endpoint, version=str(one.version.number), state=one.state.value, reason=one.reason
        )
    return response


def refuse_overrides(parameters: Parameters) -> None:
    """Raise InvalidInput for a configuration or a file: whoever may call a gateway may not bring it models."""
    for name in sorted(parameters):
        if name == "config" or name.startswith("file:"):
            raise invalid_field(
                f"parameters[{name}]",
                "is not taken: models and how they run come from the registry alone; register a version there",
            )


def decode_version(parameters: Parameters) -> str:
    """The version that is meant; empty: all of them. Raises InvalidInput."""
    if "version" not in parameters:
        return ""
    kind = parameters["version"].WhichOneof("parameter_choice")
    if kind not in {"string_param", "int64_param"}:
        raise invalid_field("parameters[version]", "is neither a text nor a number; give a version's number")
    return str(getattr(parameters["version"], kind))
