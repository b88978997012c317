"""How much blocks of time differ among themselves: what of a difference is no news."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from slipway.drift.distance import distances

QUANTILE = 0.99
LEAST_BLOCKS = 3
_DRAWS = 1000


def spread(block_histograms: npt.NDArray[np.int64], seed: int = 0) -> float | None:
    """The 0.99 quantile of the distance that a block keeps from the others, by a bootstrap over whole blocks.

    ``block_histograms`` has a row a block. Blocks, not rows, are drawn: rows of one week are alike, so that rows drawn
    one by one would understate it. None with fewer than 3 blocks that hold anything.
    """
    counts = np.asarray(block_histograms, dtype=np.float64)
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < LEAST_BLOCKS:
        return None
    chosen, weights = draws(len(counts), seed)
    return float(np.quantile(distances(counts[chosen], weights @ counts), QUANTILE))


def draws(blocks: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Blocks to be held against others: each draw's block, and how often each other block is drawn for it."""
    rng = np.random.default_rng(seed)
    chosen = np.arange(_DRAWS) % blocks
    others = rng.multinomial(blocks - 1, np.full(blocks - 1, 1 / (blocks - 1)), size=_DRAWS)
    weights = np.zeros((_DRAWS, blocks))
    # The other blocks are those after the chosen one, around the corner.
    columns = (chosen[:, None] + 1 + np.arange(blocks - 1)) % blocks
    np.put_along_axis(weights, columns, others, axis=1)
    return chosen, weights
