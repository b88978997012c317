"""The binary tensor extension of REST: JSON first, its length in a header, and raw tensors behind it."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any

from slipway.errors import invalid_field
from slipway.gen.inference import inference_pb2 as pb

HEADER = "Inference-Header-Content-Length"
"""Says how many bytes of a body are JSON; absent: all of them."""


class Tail:
    """The raw tensors behind a request's JSON, taken from the front one after the other."""

    def __init__(self, data: memoryview) -> None:
        self._left = data

    def take(self, size: pb.InferParameter, field: str) -> bytes:
        """The next ``size`` bytes. Raises InvalidInput when there are not so many."""
        count = size.int64_param
        if size.WhichOneof("parameter_choice") != "int64_param" or not 0 <= count <= len(self._left):
            raise invalid_field(
                f"{field}.parameters[binary_data_size]",
                f"does not fit the {len(self._left)} bytes that are left behind the JSON; give the tensor's size",
            )
        taken, self._left = bytes(self._left[:count]), self._left[count:]
        return taken

    def finish(self) -> None:
        """Raise InvalidInput unless everything was taken."""
        if self._left:
            raise invalid_field(
                "body",
                f"ends with {len(self._left)} bytes of no input; give each its binary_data_size, or correct {HEADER}",
            )


def split(body: bytes, length: str | None) -> tuple[bytes, Tail]:
    """A body's JSON and its tail; ``length`` is the header's value. Raises InvalidInput."""
    if length is None:
        return body, Tail(memoryview(b""))
    if not (length.isascii() and length.isdigit()) or int(length[:20]) > len(body):
        raise invalid_field(HEADER, f"is {length[:20]!r} on a body of {len(body)} bytes; give the length of the JSON")
    return body[: int(length)], Tail(memoryview(body)[int(length) :])


def binary_outputs(request: pb.ModelInferRequest, response: pb.ModelInferResponse) -> Set[str]:
    """The names of the outputs that the caller wants in raw form."""
    default = (
        request.parameters["binary_data_output"].bool_param if "binary_data_output" in request.parameters else False
    )
    wanted = {one.name: default for one in response.outputs}
    for one in request.outputs:
        if "binary_data" in one.parameters:
            wanted[one.name] = one.parameters["binary_data"].bool_param
    return {name for name, binary in wanted.items() if binary}


def join(told: dict[str, Any], response: pb.ModelInferResponse, binary: Set[str]) -> tuple[bytes, int]:
    """A body of JSON and the raw tensors named by ``binary``, and the length of its JSON."""
    head = json.dumps(told).encode()
    raws = zip(response.outputs, response.raw_output_contents, strict=True)
    return b"".join([head, *(raw for tensor, raw in raws if tensor.name in binary)]), len(head)
