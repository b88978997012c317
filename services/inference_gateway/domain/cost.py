"""What a batch costs a version: seconds by rows, learned from the batches that it ran."""

from __future__ import annotations

_DECAY = 0.98  # of what was learned, at each batch: some fifty batches count
_FEW = 3


class Cost:
    """``seconds = per_batch + per_row * rows``, the line of least squares through batches that are forgotten slowly.

    Exponentially weighted sums stand for the batches. Where all were of about one size, which tells no slope, half
    of their time is taken for the rows'.
    """

    def __init__(self) -> None:
        self._weight = self._x = self._y = self._xx = self._xy = 0.0
        self._seen = 0
        self.per_batch_s = 0.0
        self.per_row_s = 0.0

    @property
    def known(self) -> bool:
        """Whether enough batches were seen to say something."""
        return self._seen >= _FEW

    def learn(self, rows: int, seconds: float) -> None:
        """Take in that a batch of ``rows`` took ``seconds`` of a worker."""
        self._seen += 1
        self._weight = self._weight * _DECAY + 1.0
        self._x = self._x * _DECAY + rows
        self._y = self._y * _DECAY + seconds
        self._xx = self._xx * _DECAY + rows * rows
        self._xy = self._xy * _DECAY + rows * seconds
        x, y = self._x / self._weight, self._y / self._weight
        spread = self._xx / self._weight - x * x
        slope = (self._xy / self._weight - x * y) / spread if spread > 0.01 * x * x else y / x / 2
        self.per_row_s = min(max(slope, 0.0), y / x)
        self.per_batch_s = max(y - self.per_row_s * x, 0.0)

    def seconds(self, rows: int) -> float:
        """What a batch of ``rows`` will take; 0 while nothing is known."""
        return self.per_batch_s + self.per_row_s * rows if self.known else 0.0

    def rows_within(self, seconds: float, limit: int) -> int:
        """The largest batch that ends within ``seconds``, from 1 to ``limit`` rows."""
        if not self.known or self.seconds(limit) <= seconds:
            return limit
        if not self.per_row_s:
            return 1
        return max(1, min(limit, int((seconds - self.per_batch_s) / self.per_row_s)))
