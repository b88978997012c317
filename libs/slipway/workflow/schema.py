"""From a type's annotation to the form in which its values are stored."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from slipway.workflow import annotation as ann
from slipway.workflow.errors import NotStorable
from slipway.workflow.forms import (
    Form,
    JsonForm,
    ListForm,
    MappingForm,
    OpaqueForm,
    OptionalForm,
    RecordForm,
    ScalarForm,
    TupleForm,
)
from slipway.workflow.opaque import opaque

_PLAIN: dict[Any, Form] = {
    Any: JsonForm(),
    bool: ScalarForm(bool, bool),
    int: ScalarForm(int, numbers.Integral),
    float: ScalarForm(float, numbers.Real),
    str: ScalarForm(str, str),
    None: ScalarForm(type(None), type(None)),
    type(None): ScalarForm(type(None), type(None)),
}


def form_of(kind: Any, path: str, *, within: tuple[type, ...] = ()) -> Form:
    """The form of an annotation. Raises NotStorable naming the part that has none."""
    plain = get_origin(kind) or kind
    if kind in _PLAIN:
        return _PLAIN[kind]
    if len(ann.members(kind)) > 1:
        return _optional(kind, path, within)
    if plain in (list, Sequence, tuple):
        return _many(kind, plain, path, within)
    if plain in (dict, Mapping):
        return _mapping(kind, path, within)
    if isinstance(plain, type):
        return _class(kind, plain, path, within)
    raise _unknown(kind, path)


def _class(kind: Any, plain: type, path: str, within: tuple[type, ...]) -> Form:
    if known := opaque(plain):
        return OpaqueForm(plain, known)
    if dataclasses.is_dataclass(plain):
        return _record(plain, path, within)
    raise _unknown(kind, path)


def _unknown(kind: Any, path: str) -> NotStorable:
    return NotStorable(
        path,
        f"{ann.type_name(kind)} can't be stored; use dataclasses, JSON values, bytes, tables or arrays, "
        "or teach it with slipway.workflow.storable",
    )


def _optional(kind: Any, path: str, within: tuple[type, ...]) -> Form:
    rest = [one for one in ann.members(kind) if one is not type(None)]
    if len(rest) == 1:
        return OptionalForm(form_of(rest[0], path, within=within))
    if all(one in _PLAIN for one in rest):
        return JsonForm()
    raise NotStorable(path, f"{ann.type_name(kind)} can't be stored; of unions, only X | None and of scalars can")


def _many(kind: Any, plain: Any, path: str, within: tuple[type, ...]) -> Form:
    arguments = get_args(kind)
    if not arguments:
        return ListForm(tuple if plain is tuple else list, JsonForm())
    if plain is tuple and Ellipsis not in arguments:
        return TupleForm(tuple(form_of(one, f"{path}[{n}]", within=within) for n, one in enumerate(arguments)))
    return ListForm(tuple if plain is tuple else list, form_of(arguments[0], f"{path}[]", within=within))


def _mapping(kind: Any, path: str, within: tuple[type, ...]) -> Form:
    arguments = get_args(kind) or (str, Any)
    if arguments[0] is not str:
        raise NotStorable(path, f"{ann.type_name(kind)} can't be stored; keys must be str")
    return MappingForm(form_of(arguments[1], f"{path}[]", within=within))


def _record(kind: type, path: str, within: tuple[type, ...]) -> Form:
    if kind in within:
        raise NotStorable(path, f"{kind.__name__} holds itself; a stored value must have an end")
    kinds = ann.hints("", path, kind)
    fields = tuple(one for one in dataclasses.fields(kind) if one.init)
    return RecordForm(
        kind,
        fields,
        {one.name: form_of(kinds[one.name], f"{path}.{one.name}", within=(*within, kind)) for one in fields},
    )
