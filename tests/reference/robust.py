"""Made-up series with awkward truths, to see how forecasts behave: to try, never to quote.

    python robust.py --out DIR

Each DIR/NAME.parquet holds `start` (UTC) and `power_kw` or `price_eur_mwh` as a meter or market would
give it, and `truth`, which differs where the meter fails. A seed makes the same series every time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

ZONE = "Europe/Amsterdam"


def grid(first: str, last: str, step_min: int = 15) -> pd.DatetimeIndex:
    """Even UTC starts from one local midnight to another."""
    return pd.date_range(
        pd.Timestamp(first, tz=ZONE).tz_convert("UTC"),
        pd.Timestamp(last, tz=ZONE).tz_convert("UTC"),
        freq=f"{step_min}min",
        inclusive="left",
    )


def noise(rng: np.random.Generator, n: int, keep: float = 0.9) -> np.ndarray:
    """Noise that lasts: each value keeps a share of the one before; spread 1."""
    out = np.empty(n)
    value = 0.0
    for i, fresh in enumerate(rng.normal(0, np.sqrt(1 - keep**2), n)):
        value = keep * value + fresh
        out[i] = value
    return out


def building(
    at: pd.DatetimeIndex,
    rng: np.random.Generator,
    base: float,
    busy: float,
    opens: float,
    closes: float,
    days: set[int],
) -> np.ndarray:
    """A load that is `busy` on top of `base` between two local hours on some weekdays."""
    local = at.tz_convert(ZONE)
    hour = np.asarray(local.hour + local.minute / 60)
    ramp = np.clip(hour - opens + 0.5, 0, 1) * np.clip(closes - hour + 0.5, 0, 1)
    works = np.isin(np.asarray(local.day_of_week), list(days))
    load = base + busy * ramp * works
    return np.maximum(load * (1 + 0.08 * noise(rng, len(at))), 0.0)


def between(at: pd.DatetimeIndex, first: str, last: str) -> np.ndarray:
    """Which steps lie in a local span."""
    return np.asarray((at >= pd.Timestamp(first, tz=ZONE)) & (at < pd.Timestamp(last, tz=ZONE)))


def loads(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Buildings: a new tenant, a works holiday, a shop, a school, an empty one, a failing meter."""
    at = grid("2023-01-01", "2024-03-31")
    local = at.tz_convert(ZONE)
    week = set(range(5))
    tenant = building(at, rng, 20, 60, 8, 18, week)
    tenant[between(at, "2024-01-08", "2024-12-31")] *= 1.8
    works = building(at, rng, 8, 90, 6, 16, week)
    for first, last in (("2023-07-17", "2023-08-07"), ("2023-12-23", "2024-01-08"), ("2023-05-18", "2023-05-20")):
        closed = between(at, first, last)
        works[closed] = 8 * (1 + 0.05 * noise(rng, int(closed.sum())))
    shop = building(at, rng, 45, 40, 7, 21, set(range(7))) * (
        1 + 0.15 * np.cos(2 * np.pi * (local.day_of_year - 200) / 365)
    )
    school = building(at, rng, 6, 30, 8, 16, week)
    for first, last in (
        ("2023-07-10", "2023-08-21"),
        ("2023-10-16", "2023-10-23"),
        ("2023-12-23", "2024-01-08"),
        ("2024-02-19", "2024-02-26"),
    ):
        school[between(at, first, last)] *= 0.25
    empty = np.maximum(0.4 + 0.02 * rng.normal(size=len(at)), 0) + 2.0 * (rng.random(len(at)) < 0.001)
    frozen = building(at, rng, 20, 60, 8, 18, week)
    meter = frozen.copy()
    meter[between(at, "2023-11-06", "2023-11-09")] = meter[between(at, "2023-11-06", "2023-11-07")][0]
    meter[between(at, "2023-12-04", "2023-12-05")] *= 1000
    meter[between(at, "2024-01-15", "2024-01-17")] = np.nan
    meter[between(at, "2024-02-05", "2024-02-06")] *= -1
    found = {"tenant": tenant, "works": works, "shop": np.asarray(shop), "school": school, "empty": empty}
    made = {name: pd.DataFrame({"start": at, "power_kw": y, "truth": y}) for name, y in found.items()}
    made["failing-meter"] = pd.DataFrame({"start": at, "power_kw": meter, "truth": frozen})
    return made


def pv(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """PV of 100 kWp at Utrecht: plain, under snow, clipped by its inverter, shaded in the morning."""
    at = grid("2023-01-01", "2024-03-31")
    day, hour = np.asarray(at.day_of_year), np.asarray(at.hour + at.minute / 60 + 0.125)
    # Declination and hour angle to some minutes; solar noon at 5 degrees east is 20 minutes before 12 UTC.
    declination = np.radians(-23.44) * np.cos(2 * np.pi * (day + 10) / 365)
    angle = np.radians(15 * (hour - 11.66))
    latitude = np.radians(52.1)
    up = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    days = pd.factorize(at.tz_convert(ZONE).normalize())[0]
    sky = np.clip(0.6 + 0.3 * noise(rng, int(days.max()) + 1, 0.4), 0.08, 1.0)[days]
    plain = 100 * 0.85 * np.maximum(up, 0) ** 1.15 * np.clip(sky * (1 + 0.25 * noise(rng, len(at), 0.8)), 0.03, 1.0)
    snow = plain.copy()
    snow[between(at, "2024-01-16", "2024-01-24")] *= 0.02
    shaded = np.where((hour < 9) & (up > 0), plain * 0.35, plain)
    found = {"pv-plain": plain, "pv-snow": snow, "pv-clipped": np.minimum(plain, 45.0), "pv-shaded": shaded}
    return {name: pd.DataFrame({"start": at, "power_kw": y, "truth": y}) for name, y in found.items()}


def prices(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Prices that change their regime, and prices by quarter-hours since October 2025."""

    def shape(at: pd.DatetimeIndex) -> np.ndarray:
        local = at.tz_convert(ZONE)
        hour = np.asarray(local.hour + local.minute / 60)
        weekend = np.asarray(local.day_of_week >= 5)
        peaks = 25 * np.exp(-(((hour - 8) / 2) ** 2)) + 40 * np.exp(-(((hour - 19) / 2.2) ** 2))
        noon = (
            35
            * np.exp(-(((hour - 13.5) / 2.5) ** 2))
            * (1 - np.cos(2 * np.pi * np.asarray(local.day_of_year) / 365))
            / 2
        )
        return 70 + peaks - noon - 12 * weekend

    hourly = grid("2023-01-01", "2024-03-31", 60)
    regime = shape(hourly) + 20 * noise(rng, len(hourly), 0.97)
    crisis = between(hourly, "2023-11-01", "2024-12-31")
    regime[crisis] = regime[crisis] * 3 + 60 * noise(rng, int(crisis.sum()), 0.95)
    quarter = grid("2025-01-01", "2026-03-31")
    fine = np.asarray(quarter >= pd.Timestamp("2025-10-01", tz=ZONE))
    price = shape(quarter) + 20 * noise(rng, len(quarter), 0.99)
    by_hour = pd.Series(price).groupby(np.arange(len(price)) // 4).transform("mean").to_numpy()
    saw = 8 * (np.arange(len(price)) % 4 - 1.5) * np.sign(np.asarray(quarter.hour) - 11.5)
    price = np.where(fine, price + saw, by_hour)
    kept = fine | (np.arange(len(price)) % 4 == 0)
    made = {"price-regime": (hourly, regime), "price-quarters": (quarter[kept], price[kept])}
    return {name: pd.DataFrame({"start": at, "price_eur_mwh": y, "truth": y}) for name, (at, y) in made.items()}


def main() -> None:
    """Writes every series."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    for name, table in {**loads(rng), **pv(rng), **prices(rng)}.items():
        table.to_parquet(out / f"{name}.parquet", index=False)
        print(name, len(table))


if __name__ == "__main__":
    main()
