"""Reference forecasts of load, PV and price at rolling origins, and the scores of anybody's.

    python forecasts.py reference --out DIR [--every 3] [--hour 0] [--severe] [SERIES...]
    python forecasts.py score FILE --reference DIR

`reference` writes DIR/forecasts-SERIES-HH.parquet (one row per method, origin and step),
DIR/truth-SERIES-HH.parquet and DIR/reference.csv (the table). `score` takes a long CSV with the
columns `series,origin,start,q05,q10,q25,q50,q75,q90,q95` (UTC) and sets it beside them, on the
origins and steps that both have. Finer steps than the series has are averaged.

The methods: P, the last known day; SN, the same day last week; SIM, the mean of the last four
same weekdays (PV: of the last seven days); all three dressed with the quantiles of their own
residuals per hour before the test span. GBM is LightGBM per level, lead day and series on
calendar and lags, level-free (the mean of the last seven days is taken from the target and the
lags), fitted once before the test span; GBM-M the same, fitted anew every 28 days.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from scores import COLUMNS, LEVELS, table
from series import Days, Spec, chosen, days

WARM_UP = 29  # rows before the first origin that can look four weeks back
REFIT = 28  # days between two fits of GBM-M


def points(data: Days, row: int, lead: int) -> dict[str, np.ndarray]:
    """The naive point forecasts for `row + lead`, from rows before `row` alone."""
    y, target = data.y, row + lead
    weeks = [target - 7 * k for k in range(1, 6) if target - 7 * k < row][:4]
    similar = y[row - 7 : row] if data.spec.kind == "pv" else y[weeks]
    found = {"P": y[row - 1], "SN": y[target - 7], "SIM": _mean(similar)}
    # A gap in one is filled from the others, so that every method answers for every step.
    stand_in = _mean(y[row - 28 : row])
    return {name: np.where(np.isnan(value), stand_in, value) for name, value in found.items()}


def _mean(rows: np.ndarray) -> np.ndarray:
    counted = (~np.isnan(rows)).sum(axis=0)
    return np.where(counted > 0, np.nansum(rows, axis=0) / np.maximum(counted, 1), np.nan)


def dressed(data: Days, method: str, lead: int, first: int) -> np.ndarray:
    """Quantiles of a naive method's residuals per hour before `first`: [steps, levels]."""
    errors = np.array([data.y[r + lead] - points(data, r, lead)[method] for r in range(WARM_UP, first - lead)])
    per_hour = 60 // data.spec.step_min
    hours = errors.reshape(len(errors), 24, per_hour).transpose(1, 0, 2).reshape(24, -1)
    return np.repeat(np.nanquantile(hours, LEVELS, axis=1).T, per_hour, axis=0)


def features(data: Days, row: int, lead: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrix [steps, features] for `row + lead` and the level taken out of it, [1]."""
    y, target, steps = data.y, row + lead, data.y.shape[1]
    week = y[row - 7 : row]
    level = np.nanmean(week) if np.isfinite(week).any() else np.nan
    last = y[row - 1]
    last_level = np.nanmean(last) if np.isfinite(last).any() else np.nan
    date = data.start[target]
    similar = [target - 7 * k for k in range(1, 6) if target - 7 * k < row][:4]
    with np.errstate(all="ignore"):
        highest = np.where(np.isnan(week).all(axis=0), np.nan, np.nanmax(np.nan_to_num(week, nan=-np.inf), axis=0))
    columns = [
        np.arange(steps),
        np.full(steps, date.day_of_week),
        np.full(steps, float(date.day_of_week >= 5)),
        np.full(steps, np.sin(2 * np.pi * date.day_of_year / 365.25)),
        np.full(steps, np.cos(2 * np.pi * date.day_of_year / 365.25)),
        last - level,
        y[target - 7] - level,
        y[target - 14] - level,
        _mean(y[similar]) - level,
        _mean(week) - level,
        highest - level,
        np.full(steps, last_level - level),
    ]
    return np.column_stack(columns), np.array([level])


def trained(data: Days, lead: int, first: int) -> list[lgb.Booster]:
    """One LightGBM model per level, on every row whose target lies before `first`."""
    inputs, targets = [], []
    for row in range(WARM_UP, first - lead):
        matrix, level = features(data, row, lead)
        inputs.append(matrix)
        targets.append(data.y[row + lead] - level)
    x, y = np.vstack(inputs), np.concatenate(targets)
    known = np.isfinite(y)
    data_set = lgb.Dataset(x[known], y[known], free_raw_data=False)
    settings = {
        "objective": "quantile",
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": 40,
        "num_threads": 1,
        "seed": 1,
        "verbose": -1,
        "deterministic": True,
    }
    return [lgb.train(settings | {"alpha": float(level)}, data_set, num_boost_round=150) for level in LEVELS]


def boosted(data: Days, models: list[lgb.Booster], row: int, lead: int) -> np.ndarray:
    """The sorted quantiles of one day: [steps, levels]."""
    matrix, level = features(data, row, lead)
    return np.sort(np.column_stack([model.predict(matrix) for model in models]) + level, axis=1)


def reference(spec: Spec, hour: int, every: int, severe: bool) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """The reference forecasts of one series, its truth, and the scale of its errors."""
    data = days(spec, hour)
    test = data.test()
    parts: list[pd.DataFrame] = []

    def keep(method: str, row: int, lead: int, quantiles: np.ndarray) -> None:
        if spec.kind == "pv":
            quantiles = np.maximum(quantiles, 0.0)
        part = pd.DataFrame(quantiles, columns=COLUMNS)
        part.insert(0, "start", data.utc(row + lead))
        part.insert(0, "origin", data.utc(row)[0])
        part.insert(0, "method", method)
        part.insert(0, "series", spec.name)
        parts.append(part)

    rows = range(test.start, test.stop, every)
    for lead in (0, 1):
        for method in ("P", "SN", "SIM"):
            residuals = dressed(data, method, lead, test.start)
            for row in rows:
                keep(method, row, lead, points(data, row, lead)[method][:, None] + residuals)
        models = trained(data, lead, test.start)
        for row in rows:
            keep("GBM", row, lead, boosted(data, models, row, lead))
        if severe:
            fitted_at = test.start
            for row in rows:
                if row - fitted_at >= REFIT:
                    models, fitted_at = trained(data, lead, row), row
                keep("GBM-M", row, lead, boosted(data, models, row, lead))
    truth = pd.concat(
        [
            pd.DataFrame({"series": spec.name, "start": data.utc(row), "y": data.y[row]})
            for row in range(test.start, test.stop + 1)
        ]
    ).dropna(subset=["start"])
    return pd.concat(parts).dropna(subset=["start"]), truth, data.scale


def make_reference(out: Path, names: list[str], hour: int, every: int, severe: bool) -> None:
    """Makes and writes the references, series by series, and the table after each of them."""
    out.mkdir(parents=True, exist_ok=True)
    for spec in chosen(names):
        began = time.monotonic()
        made, truth, scale = reference(spec, hour, every, severe)
        made.to_parquet(out / f"forecasts-{spec.name}-{hour:02}.parquet")
        truth.assign(scale=scale, step_min=spec.step_min).to_parquet(out / f"truth-{spec.name}-{hour:02}.parquet")
        found = table(made, truth, {spec.name: scale})
        found.insert(1, "hour", hour)
        path = out / "reference.csv"
        if path.exists():
            old = pd.read_csv(path)
            found = pd.concat([old[~((old["series"] == spec.name) & (old["hour"] == hour))], found])
        found.round(5).to_csv(path, index=False)
        print(f"{spec.name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def score(file: Path, out: Path) -> pd.DataFrame:
    """The table of a long CSV of forecasts beside the references on the same origins."""
    given = pd.read_csv(file)
    for column in ("origin", "start"):
        given[column] = pd.to_datetime(given[column], utc=True)
    tables: list[pd.DataFrame] = []
    for name, mine in given.groupby("series", sort=False):
        for path in sorted(out.glob(f"truth-{name}-[0-9][0-9].parquet")):
            truth = pd.read_parquet(path)
            step = pd.Timedelta(minutes=int(truth["step_min"].iloc[0]))
            theirs = pd.read_parquet(out / path.name.replace("truth-", "forecasts-"))
            for frame in (truth, theirs):
                for column in {"origin", "start"} & set(frame.columns):
                    frame[column] = frame[column].astype(given["start"].dtype)
            same = mine[mine["origin"].isin(theirs["origin"])]
            if same.empty:
                continue
            averaged = same.assign(start=same["start"].dt.floor(step)).groupby(["series", "origin", "start"])
            own = averaged[COLUMNS].mean().reset_index().assign(method="kwartier")
            theirs = theirs[theirs["origin"].isin(own["origin"])]
            scale = {str(name): float(truth["scale"].iloc[0])}
            found = table(pd.concat([own, theirs]), truth[["series", "start", "y"]], scale)
            found.insert(1, "hour", int(path.stem[-2:]))
            tables.append(found)
    if not tables:
        sys.exit(f"{file}: no series and origin of it has a reference in {out}; make them with `reference` first")
    return pd.concat(tables)


def main() -> None:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("reference", help="make the reference forecasts and their table")
    make.add_argument("series", nargs="*", help="names of series, or how they begin; all without any")
    make.add_argument("--out", type=Path, required=True)
    make.add_argument("--hour", type=int, default=0, help="local hour of the origins")
    make.add_argument("--every", type=int, default=1, help="days between two origins")
    make.add_argument("--severe", action="store_true", help="also GBM-M, fitted anew every 28 days")
    judge = commands.add_parser("score", help="score a file of forecasts beside the references")
    judge.add_argument("file", type=Path)
    judge.add_argument("--reference", type=Path, required=True)
    given = parser.parse_args()
    if given.command == "reference":
        make_reference(given.out, given.series, given.hour, given.every, given.severe)
    else:
        with pd.option_context("display.width", 200, "display.max_rows", None, "display.precision", 4):
            print(score(given.file, given.reference).to_string(index=False))


if __name__ == "__main__":
    main()
