"""Creating, finding and listing models."""

from __future__ import annotations

from services.registry.domain.errors import ModelExists, ModelNotFound
from services.registry.domain.model import Model
from services.registry.domain.rules import check_model
from services.registry.ports import Catalogue
from slipway import paging
from slipway.clock import Clock
from slipway.naming import resource_name


class Models:
    """Models by name."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    async def create(self, name: str, owner: str, description: str) -> Model:
        """Store a new model, or give the stored one back when it is the same. Raises ModelExists."""
        check_model(name, owner, description)
        async with self._catalogue.write() as catalogue:
            stored = await catalogue.model(name)
            if stored is None:
                model = Model(name, owner, description, self._clock.now())
                await catalogue.add_model(model)
                return model
        if (stored.owner, stored.description) != (owner, description):
            raise ModelExists(name)
        return stored

    async def get(self, name: str) -> Model:
        """Find one model. Raises ModelNotFound."""
        resource_name("name", name)
        async with self._catalogue.read() as catalogue:
            model = await catalogue.model(name)
        if model is None:
            raise ModelNotFound(name)
        return model

    async def list(self, size: int, token: str) -> paging.Slice[Model]:
        """A page of models by name."""
        page = paging.parse(size, token, (str,))
        async with self._catalogue.read() as catalogue:
            rows = await catalogue.models(page)
        return paging.cut(rows, page, lambda model: (model.name,))
