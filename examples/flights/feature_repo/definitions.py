"""What is known of a flight's carrier, origin, route, plane and weather, at the moment somebody asks.

The files lie where ``examples.flights.warehouse.write_sources`` put them. Delays count from when they became known:
those of departure at the departure, those of arrival at the landing.
"""

from datetime import timedelta

from feast import Aggregation, BatchFeatureView, Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String

OWNER = "flights-example"
HOP = timedelta(hours=1)
WINDOWS = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "1d": timedelta(days=1), "7d": timedelta(days=7)}

carrier = Entity(name="carrier", join_keys=["carrier"], value_type=ValueType.STRING, description="IATA's two letters.")
origin = Entity(name="origin", join_keys=["origin"], value_type=ValueType.STRING, description="EWR, JFK or LGA.")
dest = Entity(name="dest", join_keys=["dest"], value_type=ValueType.STRING, description="The airport flown to.")
tailnum = Entity(name="tailnum", join_keys=["tailnum"], value_type=ValueType.STRING, description="A plane's tail.")

departures = FileSource(
    name="departures", path="departures.parquet", timestamp_field="departed_at", description="Flights as they departed."
)
landings = FileSource(
    name="landings", path="landings.parquet", timestamp_field="landed_at", description="Flights as they landed."
)
planes = FileSource(
    name="planes", path="planes.parquet", timestamp_field="known_at", description="The register of planes."
)
weather = FileSource(
    name="weather", path="weather.parquet", timestamp_field="known_at", description="Each hour's weather, at its end."
)

MEANINGS = {
    ("mean", "late"): "Share of flights that landed 15 or more minutes late",
    ("mean", "arr_delay"): "Mean delay of arrival in minutes",
    ("mean", "dep_delay"): "Mean delay of departure in minutes",
    ("count", "late"): "Flights that landed",
    ("count", "dep_delay"): "Flights that departed",
}


def rolling(
    name: str, source: FileSource, entities: list[Entity], description: str, *wanted: tuple[str, str, str]
) -> BatchFeatureView:
    """A view of windows over a source's rows; ``wanted`` are (function, column, names of windows)."""
    each = [(function, column, window) for function, column, windows in wanted for window in windows.split()]
    return BatchFeatureView(
        name=name,
        source=source,
        entities=entities,
        description=description,
        owner=OWNER,
        online=True,
        schema=[
            Field(
                name=f"{function}_{column}_{window}",
                dtype=Int64 if function == "count" else Float64,
                description=f"{MEANINGS[function, column]}, over the last {window}.",
            )
            for function, column, window in each
        ],
        aggregations=[
            Aggregation(
                name=f"{function}_{column}_{window}",
                column=column,
                function=function,
                time_window=WINDOWS[window],
                slide_interval=HOP,
            )
            for function, column, window in each
        ],
    )


carrier_delays = rolling(
    "carrier_delays",
    landings,
    [carrier],
    "How late a carrier's flights out of New York land.",
    ("mean", "late", "1h 6h 1d 7d"),
    ("mean", "arr_delay", "6h 1d"),
    ("count", "late", "1d"),
)
origin_departures = rolling(
    "origin_departures",
    departures,
    [origin],
    "How late flights leave an airport.",
    ("mean", "dep_delay", "1h 6h 1d 7d"),
    ("count", "dep_delay", "1h 1d"),
)
route_delays = rolling(
    "route_delays",
    landings,
    [origin, dest],
    "How late flights between two airports land.",
    ("mean", "late", "1d 7d"),
    ("mean", "arr_delay", "6h 1d 7d"),
)
plane_delays = rolling(
    "plane_delays",
    landings,
    [tailnum],
    "How late one plane's flights out of New York land.",
    ("mean", "arr_delay", "6h 1d 7d"),
    ("count", "late", "1d"),
)

plane = FeatureView(
    name="plane",
    source=planes,
    entities=[tailnum],
    ttl=timedelta(0),
    description="A plane's papers.",
    owner=OWNER,
    schema=[
        Field(name="year", dtype=Float64, description="The year it was built."),
        Field(name="type", dtype=String, description="Its kind, such as Fixed wing multi engine."),
        Field(name="manufacturer", dtype=String, description="Who built it."),
        Field(name="seats", dtype=Float64, description="Seats in the plane."),
        Field(name="engine", dtype=String, description="The kind of its engines."),
    ],
)
origin_weather = FeatureView(
    name="origin_weather",
    source=weather,
    entities=[origin],
    ttl=timedelta(hours=6),
    description="The last full hour's weather at an airport.",
    owner=OWNER,
    schema=[
        Field(name="temp", dtype=Float64, description="Temperature in degrees Fahrenheit."),
        Field(name="dewp", dtype=Float64, description="Dew point in degrees Fahrenheit."),
        Field(name="humid", dtype=Float64, description="Relative humidity in percent."),
        Field(name="wind_speed", dtype=Float64, description="Wind in miles an hour."),
        Field(name="wind_gust", dtype=Float64, description="Gusts in miles an hour; null where there were none."),
        Field(name="precip", dtype=Float64, description="Rain in inches in the hour."),
        Field(name="pressure", dtype=Float64, description="Pressure at sea level in millibars."),
        Field(name="visib", dtype=Float64, description="Visibility in miles."),
    ],
)

flight_delay = FeatureService(
    name="flight_delay",
    owner=OWNER,
    description="What is known two hours before a flight's scheduled departure.",
    features=[carrier_delays, origin_departures, route_delays, plane_delays, plane, origin_weather],
)
