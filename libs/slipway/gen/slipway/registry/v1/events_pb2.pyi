from slipway.gen.slipway.registry.v1 import resources_pb2 as _resources_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelVersionChanged(_message.Message):
    __slots__ = ("created", "alias_moved")
    CREATED_FIELD_NUMBER: _ClassVar[int]
    ALIAS_MOVED_FIELD_NUMBER: _ClassVar[int]
    created: _resources_pb2.ModelVersion
    alias_moved: AliasMoved
    def __init__(self, created: _Optional[_Union[_resources_pb2.ModelVersion, _Mapping]] = ..., alias_moved: _Optional[_Union[AliasMoved, _Mapping]] = ...) -> None: ...

class AliasMoved(_message.Message):
    __slots__ = ("model", "alias", "from_version", "to_version")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    model: str
    alias: str
    from_version: int
    to_version: int
    def __init__(self, model: _Optional[str] = ..., alias: _Optional[str] = ..., from_version: _Optional[int] = ..., to_version: _Optional[int] = ...) -> None: ...

class EndpointChanged(_message.Message):
    __slots__ = ("put", "deleted")
    PUT_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    put: _resources_pb2.Endpoint
    deleted: str
    def __init__(self, put: _Optional[_Union[_resources_pb2.Endpoint, _Mapping]] = ..., deleted: _Optional[str] = ...) -> None: ...
