"""What a model and a version must be like before they are stored."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from services.registry.domain.baseline_rules import baseline_faults
from services.registry.domain.model import ColumnSpec, DataType, Draft, Signature
from slipway.artifacts import check_digest
from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.naming import column_name, identifier, resource_name

MAX_COLUMNS = 10_000
MAX_FACTS = 1_000
MAX_TEXT = 6_000
MAX_FACT_NAME = 250
MAX_DIMENSIONS = 8
MAX_ROW_VALUES = 2**20
# What every database's 64-bit column holds.
MAX_COUNT = 2**63 - 1


def check_model(name: str, owner: str, description: str) -> None:
    """Raise InvalidInput naming the field unless a model may be called and owned so."""
    resource_name("model.name", name)
    if not owner.strip():
        raise invalid_field("model.owner", "is empty; name the person or team that answers for the model")
    for field, text in (("model.owner", owner), ("model.description", description)):
        if len(text) > MAX_TEXT:
            raise invalid_field(field, f"has {len(text)} characters; at most {MAX_TEXT} are kept")


def check_draft(draft: Draft) -> None:
    """Raise InvalidInput naming every field that keeps ``draft`` from being a version."""
    resource_name("version.model", draft.model)
    check_digest("version.artifact.digest", draft.artifact.digest)
    check_signature(draft.signature)
    wrong = [*_fact_faults("version.metrics", draft.metrics), *_fact_faults("version.params", draft.params)]
    wrong += [
        FieldViolation(f"version.metrics[{name}]", "is not a finite number; leave it out or give its value")
        for name, value in draft.metrics.items()
        if not math.isfinite(value)
    ]
    texts = {f"version.params[{name}]": text for name, text in draft.params.items()} | _free_texts(draft)
    wrong += [
        FieldViolation(field, f"has {len(text)} characters; at most {MAX_TEXT} are kept")
        for field, text in texts.items()
        if len(text) > MAX_TEXT
    ]
    if draft.lineage.data.row_count > MAX_COUNT:
        wrong.append(FieldViolation("version.lineage.data.row_count", f"is above {MAX_COUNT}"))
    if len(draft.lineage.data.definitions) > MAX_FACTS:
        told = f"has {len(draft.lineage.data.definitions)} entries; at most {MAX_FACTS} are kept"
        wrong.append(FieldViolation("version.lineage.data.definitions", told))
    if draft.baseline is not None:
        wrong += baseline_faults(draft.baseline, {one.name: one for one in draft.signature.inputs})
    if wrong:
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)


def _fact_faults(field: str, facts: Mapping[str, object]) -> Iterator[FieldViolation]:
    if len(facts) > MAX_FACTS:
        yield FieldViolation(field, f"has {len(facts)} entries; at most {MAX_FACTS} are kept")
    if not all(1 <= len(name) <= MAX_FACT_NAME for name in facts):
        yield FieldViolation(field, f"has a name that is empty or longer than {MAX_FACT_NAME} characters; shorten it")


def _free_texts(draft: Draft) -> dict[str, str]:
    data, code, signature = draft.lineage.data, draft.lineage.code, draft.signature
    return {
        "version.lineage.data.digest": data.digest,
        "version.lineage.data.source": data.source,
        "version.lineage.code.digest": code.digest,
        "version.lineage.code.revision": code.revision,
        "version.lineage.code.workflow": code.workflow,
        "version.lineage.run_id": draft.lineage.run_id,
        "version.lineage.data.training_set": data.training_set,
        **{f"version.lineage.data.definitions[{n}]": text for n, text in enumerate(data.definitions)},
        **{f"version.signature.inputs[{n}].description": one.description for n, one in enumerate(signature.inputs)},
        **{f"version.signature.entities[{n}].description": one.description for n, one in enumerate(signature.entities)},
    }


def check_signature(signature: Signature) -> None:
    """Raise InvalidInput unless columns and tensors are named, different and shaped as a batch."""
    _check_names("version.signature.inputs", [column.name for column in signature.inputs])
    _check_names("version.signature.outputs", [tensor.name for tensor in signature.outputs])
    for position, tensor in enumerate(signature.outputs):
        if not tensor.shape or tensor.shape[0] != -1 or any(size < 1 for size in tensor.shape[1:]):
            raise invalid_field(
                f"version.signature.outputs[{position}].shape",
                f"is {list(tensor.shape[:8])}; write -1 for the rows first, then sizes above 0, such as [-1, 1]",
            )
    for position, column in enumerate(signature.inputs):
        _check_shape(f"version.signature.inputs[{position}].shape", column.shape)
    _check_features(signature)


def _check_shape(field: str, shape: tuple[int, ...]) -> None:
    if len(shape) > MAX_DIMENSIONS or any(size < 1 for size in shape):
        raise invalid_field(
            field,
            f"is {list(shape[: MAX_DIMENSIONS + 1])}; give at most {MAX_DIMENSIONS} sizes of 1 or more, such as [32], "
            "without the rows; or none for one value a row",
        )
    if (values := math.prod(shape)) > MAX_ROW_VALUES:
        raise invalid_field(field, f"is {list(shape)}, {values} values a row; at most {MAX_ROW_VALUES} are taken")


def _check_features(signature: Signature) -> None:
    """Features are named once each, as `view:feature`, and read by join keys that are there when they are needed."""
    taken: set[str] = set()
    for position, column in enumerate(signature.inputs):
        if column.feature:
            _check_feature(f"version.signature.inputs[{position}].feature", column, taken)
            taken.add(column.feature)
    if taken and not signature.entities:
        raise invalid_field("version.signature.entities", "is empty, but inputs name features; give their join keys")
    if signature.entities and not taken:
        raise invalid_field("version.signature.entities", "reads nothing, for no input has a feature; leave it empty")
    if signature.entities:
        _check_names("version.signature.entities", [column.name for column in signature.entities])
    for position, column in enumerate(signature.entities):
        _check_entity(f"version.signature.entities[{position}]", column)


def _check_feature(field: str, column: ColumnSpec, taken: set[str]) -> None:
    feature = column.feature
    if column.shape:
        raise invalid_field(
            field,
            f"stands at a column of shape {list(column.shape)}, but what is read online is one value a row; let the "
            "caller give the column, or take a column a value",
        )
    view, colon, name = feature.partition(":")
    if not colon:
        raise invalid_field(field, f"is {feature[:128]!r}; write view:feature, such as plane:age")
    identifier(field, view)
    identifier(field, name)
    if feature in taken:
        raise invalid_field(field, f"{feature!r} stands twice; one column a feature")


def _check_entity(field: str, column: ColumnSpec) -> None:
    if column.datatype not in {DataType.BYTES, DataType.INT64}:
        raise invalid_field(f"{field}.datatype", f"is {column.datatype}; a join key is BYTES (text) or INT64")
    if column.feature:
        raise invalid_field(f"{field}.feature", "belongs to an input; a join key has none")
    if column.shape:
        raise invalid_field(f"{field}.shape", f"is {list(column.shape[:8])}; a join key is one value a row")


def _check_names(path: str, names: list[str]) -> None:
    if not 1 <= len(names) <= MAX_COLUMNS:
        raise invalid_field(path, f"has {len(names)} entries; give 1 to {MAX_COLUMNS}")
    for position, name in enumerate(names):
        column_name(f"{path}[{position}].name", name)
    twice, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise invalid_field(path, f"has {twice!r} twice; names must differ")


def fingerprint(draft: Draft) -> str:
    """What tells a retried registration from another one under the same request id."""
    body = asdict(draft)
    # Left out while they say nothing, as from bodies that were stored before there were such fields.
    _leave_out_unsaid(body, "baseline")
    _leave_out_unsaid(body["signature"], "entities")
    _leave_out_unsaid(body["lineage"]["data"], "training_set", "definitions")
    for feature in body.get("baseline", {}).get("features", ()):
        for bound in ("minimum", "maximum"):
            if feature[bound] is None:
                del feature[bound]
    for column in body["signature"]["inputs"]:
        _leave_out_unsaid(column, "feature", "shape")
    for column in body["signature"].get("entities", ()):
        _leave_out_unsaid(column, "shape")
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _leave_out_unsaid(body: dict[str, object], *names: str) -> None:
    for name in names:
        if not body[name]:
            del body[name]
