"""The views and rows that both sides write and read; plain values, for the two share no package."""

from __future__ import annotations

from typing import Any

PROJECT = "slipway"

VIEWS: dict[str, dict[str, Any]] = {
    "planes": {
        "entities": {"tailnum": "string"},
        "features": {
            "active": "bool",
            "seats": "int32",
            "hours": "int64",
            "age_years": "float",
            "delay_mean_1d": "double",
            "maker": "string",
            "built": "timestamp",
        },
    },
    "flights": {"entities": {"origin": "string", "number": "int64"}, "features": {"delay_mean_7d": "double"}},
}

# Moments are seconds since 1970, and microseconds for event times.
ROWS: dict[str, list[dict[str, Any]]] = {
    "planes": [
        {
            "tailnum": "N14228",
            "active": True,
            "seats": 149,
            "hours": 2**53 + 1,
            "age_years": 13.5,
            "delay_mean_1d": 7.1,
            "maker": "BOEING",
            "built": 915148800,
            "event_time": 1357017300000250,
        },
        {
            "tailnum": "",
            "active": False,
            "seats": -1,
            "hours": -(2**63),
            "age_years": -0.0,
            "delay_mean_1d": -1e308,
            "maker": "",
            "built": -86400,
            "event_time": 1357017300000000,
        },
        {
            "tailnum": "Ü-1 é",
            "active": None,
            "seats": None,
            "hours": 0,
            "age_years": None,
            "delay_mean_1d": None,
            "maker": "Škoda " * 40,
            "built": None,
            "event_time": 1357017300999999,
        },
    ],
    "flights": [
        {"origin": "JFK", "number": 725, "delay_mean_7d": 0.0, "event_time": 1357017301000000},
        {"origin": "LGA", "number": -1, "delay_mean_7d": None, "event_time": 1357017302000000},
    ],
}


def later(rows: list[dict[str, Any]], seconds: int) -> list[dict[str, Any]]:
    """The same rows so much later, with numbers that differ: what the other side writes over them."""
    return [
        {
            name: value + 1 if name in {"seats", "delay_mean_1d", "delay_mean_7d"} and value is not None else value
            for name, value in {**row, "event_time": row["event_time"] + seconds * 1_000_000}.items()
        }
        for row in rows
    ]
