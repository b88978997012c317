from slipway.gen.slipway.features.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ApplyFeatureViewsRequest(_message.Message):
    __slots__ = ("views",)
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureView]
    def __init__(self, views: _Optional[_Iterable[_Union[_resources_pb2.FeatureView, _Mapping]]] = ...) -> None: ...

class ApplyFeatureViewsResponse(_message.Message):
    __slots__ = ("views",)
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureView]
    def __init__(self, views: _Optional[_Iterable[_Union[_resources_pb2.FeatureView, _Mapping]]] = ...) -> None: ...

class GetFeatureViewRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetFeatureViewResponse(_message.Message):
    __slots__ = ("view",)
    VIEW_FIELD_NUMBER: _ClassVar[int]
    view: _resources_pb2.FeatureView
    def __init__(self, view: _Optional[_Union[_resources_pb2.FeatureView, _Mapping]] = ...) -> None: ...

class ListFeatureViewsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFeatureViewsResponse(_message.Message):
    __slots__ = ("views", "next_page_token")
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[_resources_pb2.FeatureView]
    next_page_token: str
    def __init__(self, views: _Optional[_Iterable[_Union[_resources_pb2.FeatureView, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetOnlineStoreRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetOnlineStoreResponse(_message.Message):
    __slots__ = ("reachable", "reason", "server_version", "keys")
    REACHABLE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    reachable: bool
    reason: str
    server_version: str
    keys: int
    def __init__(self, reachable: _Optional[bool] = ..., reason: _Optional[str] = ..., server_version: _Optional[str] = ..., keys: _Optional[int] = ...) -> None: ...
