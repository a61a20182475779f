"""The public series, as the scorer sees them: wall-clock days on an even step, gaps as NaN.

Every series is cut into days that begin at the hour of the origins (midnight unless asked
otherwise), so that a forecast for 48 h is two rows of a matrix and "yesterday" is the row before.
Wall-clock time keeps a working day in its place on the days when the clocks change; the hour that
does not exist is a gap, and of the hour that exists twice the mean stands.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

SHARED = Path(os.environ.get("KWARTIER_SHARED", "/work/shared"))
DATA = SHARED / "data"


@dataclass(frozen=True)
class Spec:
    """One series: where it comes from, what it is, and which part of it is scored."""

    name: str
    kind: str  # load, pv or price
    zone: str  # IANA zone of the wall clock
    step_min: int
    test_from: str  # local date of the first origin
    test_until: str  # local date after the last origin
    read: Callable[[], pd.Series]  # wall-clock index, kW or EUR/MWh


@dataclass(frozen=True)
class Days:
    """A series as a matrix: one row per day from the hour of the origins, one column per step."""

    spec: Spec
    start: pd.DatetimeIndex  # wall-clock start of each row
    y: np.ndarray  # [days, steps]

    @property
    def scale(self) -> float:
        """What errors are divided by: the mean size over the test span, for PV the highest output."""
        if self.spec.kind == "pv":
            return float(np.nanmax(self.y))
        return float(np.nanmean(np.abs(self.y[self.test()])))

    def test(self) -> slice:
        """The rows at which a scored forecast is made; two whole rows always follow the last one."""
        first = int(self.start.searchsorted(pd.Timestamp(self.spec.test_from)))
        until = int(self.start.searchsorted(pd.Timestamp(self.spec.test_until)))
        return slice(first, min(until, len(self.start) - 1))

    def utc(self, row: int) -> pd.DatetimeIndex:
        """The UTC starts of a row's steps; NaT where the wall clock skips."""
        wall = self.start[row] + pd.to_timedelta(np.arange(self.y.shape[1]) * self.spec.step_min, unit="min")
        ambiguous = np.ones(len(wall), dtype=bool)
        local = wall.tz_localize(self.spec.zone, ambiguous=ambiguous, nonexistent="NaT")
        return local.tz_convert("UTC")


def days(spec: Spec, origin_hour: int = 0) -> Days:
    """Reads a series and cuts it into days that begin at `origin_hour`, local time."""
    values = spec.read().groupby(level=0).mean()
    steps = 24 * 60 // spec.step_min
    first = values.index[0].normalize() + pd.Timedelta(hours=origin_hour)
    if first < values.index[0]:
        first += pd.Timedelta(days=1)
    grid = pd.date_range(first, values.index[-1], freq=f"{spec.step_min}min")
    whole = len(grid) // steps * steps
    y = values.reindex(grid[:whole]).to_numpy(float).reshape(-1, steps)
    return Days(spec, grid[:whole:steps], y)


def _campus(column: Callable[[pd.DataFrame], pd.Series]) -> Callable[[], pd.Series]:
    def read() -> pd.Series:
        table = pd.read_parquet(DATA / "load_campus_15min.parquet").set_index("ts").astype(float)
        # The file writes a gap as a zero; a substation never draws exactly nothing.
        table.loc[table["kw"] <= 0.0, ["kw", "chiller_kw"]] = np.nan
        return column(table)

    return read


def _steel() -> pd.Series:
    return pd.read_parquet(DATA / "load_steel_15min.parquet").set_index("ts")["kw"]


def _uk_home() -> pd.Series:
    # kWh of half an hour, so twice as many kW. The stamps end the half hour (the first is 00:30).
    table = pd.read_parquet(DATA / "load_ukhome1.parquet").set_index("ts")["kwh"] * 2.0
    table.index = table.index - pd.Timedelta(minutes=30)
    return table


def _homes(column: str, buildings: list[int], factor: float = 1.0) -> Callable[[], pd.Series]:
    def read() -> pd.Series:
        table = pd.read_parquet(DATA / "homes_load_pv_hourly.parquet")
        table = table[table["building"].isin(buildings)]
        total = table.groupby("ts")[column].sum().astype(float) * factor
        return total / len(buildings) if column == "pv_w_per_kwp" else total

    return read


def _price(zone: str) -> Callable[[], pd.Series]:
    def read() -> pd.Series:
        table = pd.read_csv(DATA / "nl" / "day_ahead_eur_mwh_2019_2023.csv.gz")
        index = pd.DatetimeIndex(pd.to_datetime(table["start"], utc=True)).tz_convert(zone)
        return pd.Series(table["eur_mwh"].to_numpy(float), index=index.tz_localize(None))

    return read


def specs() -> list[Spec]:
    """Every public series with the last 15-20 % (or what the comment says) as its test span."""
    pacific = "Etc/GMT+8"  # a nominal year of 24-hour days: no clock changes
    seoul = "Asia/Seoul"
    rome = "Europe/Rome"
    dutch = "Europe/Amsterdam"
    everyone = list(range(1, 11))
    found = [
        Spec("steel", "load", seoul, 15, "2018-08-01", "2018-09-30", _steel),
        Spec("campus", "load", rome, 15, "2015-02-01", "2015-05-31", _campus(lambda t: t["kw"])),
        Spec("campus-chiller", "load", rome, 15, "2015-02-01", "2015-05-31", _campus(lambda t: t["chiller_kw"])),
        Spec("campus-rest", "load", rome, 15, "2015-02-01", "2015-05-31", _campus(lambda t: t["kw"] - t["chiller_kw"])),
        Spec("uk-home", "load", "UTC", 30, "2013-10-25", "2014-01-25", _uk_home),
        Spec("price-nl-2023", "price", dutch, 60, "2023-01-01", "2023-12-31", _price(dutch)),
        Spec("price-nl-2022", "price", dutch, 60, "2022-07-01", "2022-12-31", _price(dutch)),
    ]
    groups = {"homes-total": everyone, "homes-1-5": everyone[:5], "homes-6-10": everyone[5:]}
    groups |= {f"home-{i}": [i] for i in everyone}
    for name, members in groups.items():
        found.append(Spec(name, "load", pacific, 60, "2017-05-01", "2017-07-31", _homes("load_kw", members)))
    for name, members in {"pv-mean": everyone, **{f"pv-{i}": [i] for i in everyone}}.items():
        found.append(Spec(name, "pv", pacific, 60, "2017-05-01", "2017-07-31", _homes("pv_w_per_kwp", members, 0.001)))
    return found


def chosen(patterns: list[str]) -> Iterator[Spec]:
    """The series whose names begin with one of the patterns; all of them without a pattern."""
    for spec in specs():
        if not patterns or any(spec.name.startswith(pattern) for pattern in patterns):
            yield spec
