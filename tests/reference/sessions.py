"""Reference forecasts of stay and energy at plug-in, and the scores of anybody's.

    python sessions.py reference --out DIR [--csv]
    python sessions.py score FILE --reference DIR

`reference` writes DIR/sessions.parquet (one row per test session, quantity and method),
DIR/sessions.csv (the table) and, with --csv, the histories and arrivals as a product reads them.
`score` takes a CSV `series,session,departure_q05 ... departure_q95,kwh_q05 ... kwh_q95` (departures in
UTC) or the same with `stay_q05 ...` in hours, and sets it beside the references.

The methods: ALL, one distribution for everybody; TABLE, the distribution of the arrival's hour and of
weekdays or weekends; OWN, the table and the user's own past sessions mixed, own ones with the weight
n / (n + SHRINK); GBM, LightGBM per level on the hour, weekday and a summary of the user's own past.
Tables and models know what ended before the test span; own history all that ended before the arrival.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from scores import COLUMNS, LEVELS, scores
from series import DATA

SHRINK = 5.0  # own sessions that weigh as much as the group's table
CELL = 20  # fewer sessions than this in a cell of the table: the whole group stands in
LONGEST_H = 24.0 * 14  # a stay beyond two weeks is a fault of the record


@dataclass(frozen=True)
class Visits:
    """The sessions of one data set: who, when, how long, how much; `zone` is that of the wall clock."""

    name: str
    zone: str
    table: pd.DataFrame  # session, user, station, arrival, departure, stay, kwh
    test_from: pd.Timestamp


def read() -> list[Visits]:
    """The public data sets, each with its last part as test."""
    found: list[Visits] = []
    norway = pd.read_parquet(DATA / "ev_norway.parquet").rename(columns={"garage": "station"})
    found.append(_visits("norway", "Europe/Oslo", norway, pd.Timestamp("2019-11-01")))
    work = pd.read_parquet(DATA / "ev_workplace.parquet").rename(columns={"end": "departure"})
    found.append(_visits("workplace", "America/New_York", work, None))
    acn = pd.read_parquet(DATA / "ev_acn.parquet").rename(columns={"station_id": "station", "delivered_kwh": "kwh"})
    # Where nobody claimed a session, the file repeats the outcome as if it had been stated: no statement.
    acn.loc[~acn["claimed"], "estimated_departure"] = pd.NaT
    acn.loc[~acn["claimed"], "requested_kwh"] = np.nan
    for site in ("caltech", "jpl"):
        part = acn[(acn["site"] == site) & (acn["arrival"] < "2020-01-01")].assign(user=pd.NA)
        found.append(_visits(f"acn-{site}", "America/Los_Angeles", part, None))
    return found


def _visits(name: str, zone: str, table: pd.DataFrame, test_from: pd.Timestamp | None) -> Visits:
    table = table.sort_values("arrival", kind="stable").reset_index(drop=True)
    stay = (table["departure"] - table["arrival"]) / pd.Timedelta(hours=1)
    kept = table.assign(stay=stay)[(stay > 0) & (stay < LONGEST_H) & (table["kwh"] >= 0)]
    kept = kept.assign(session=[f"{name}-{i}" for i in kept.index]).reset_index(drop=True)
    if test_from is None:
        test_from = kept["arrival"].iloc[len(kept) * 3 // 4].normalize()
    extra = [c for c in ("estimated_departure", "requested_kwh") if c in kept]
    return Visits(
        name, zone, kept[["session", "user", "station", "arrival", "departure", "stay", "kwh", *extra]], test_from
    )


def weighted_quantiles(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Quantiles of weighted values at the seven levels, linear between the middles of the weights."""
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    return np.interp(LEVELS, (np.cumsum(weights) - weights / 2) / weights.sum(), values)


class Past:
    """Sessions of one user in the order in which they ended, so that the past is a prefix."""

    def __init__(self, table: pd.DataFrame) -> None:
        ended = table.sort_values("departure", kind="stable")
        self.ended = ended["departure"].to_numpy()
        self.values = {what: ended[what].to_numpy() for what in ("stay", "kwh")}

    def before(self, arrival: np.datetime64, what: str) -> np.ndarray:
        """Values of the sessions that had ended when this one began."""
        return self.values[what][: np.searchsorted(self.ended, arrival, side="right")]


def cells(arrival: pd.Series) -> np.ndarray:
    """The cell of the table that an arrival falls in: its hour, and whether it is a weekend."""
    return (arrival.dt.hour + 24 * (arrival.dt.day_of_week >= 5)).to_numpy()


def own_features(visits: pd.DataFrame, pasts: dict[object, Past], what: str) -> np.ndarray:
    """Hour, weekday and a summary of the user's own past at each arrival."""
    rows = []
    for user, arrival in zip(visits["user"], visits["arrival"], strict=True):
        past = pasts[user].before(arrival.to_datetime64(), what) if user in pasts else np.empty(0)
        hour = arrival.hour + arrival.minute / 60
        row = [hour, arrival.weekday(), len(past)]
        row += (
            [*np.quantile(past, [0.1, 0.5, 0.9]), past.mean(), past[-1], past[-5:].mean()]
            if len(past)
            else [np.nan] * 6
        )
        rows.append(row)
    return np.array(rows, dtype=float)


def forecasts(visits: Visits, what: str) -> pd.DataFrame:
    """The quantiles of every method for every test session."""
    table = visits.table
    train = table[table["departure"] < visits.test_from]
    test = table[table["arrival"] >= visits.test_from]
    known = table[table["user"].notna()]
    pasts = {user: Past(group) for user, group in known.groupby("user")}
    everybody, train_cells = train[what].to_numpy(), cells(train["arrival"])
    per_cell = {c: everybody[train_cells == c] for c in np.unique(train_cells)}
    made: dict[str, list[np.ndarray]] = {"ALL": [], "TABLE": [], "OWN": []}
    for cell, user, arrival in zip(cells(test["arrival"]), test["user"], test["arrival"], strict=True):
        group = per_cell.get(cell, everybody)
        group = group if len(group) >= CELL else everybody
        own = pasts[user].before(arrival.to_datetime64(), what) if user in pasts else np.empty(0)
        made["ALL"].append(np.quantile(everybody, LEVELS))
        made["TABLE"].append(np.quantile(group, LEVELS))
        share = len(own) / (len(own) + SHRINK)
        weights = np.r_[np.full(len(own), share / max(len(own), 1)), np.full(len(group), (1 - share) / len(group))]
        made["OWN"].append(weighted_quantiles(np.r_[own, group], weights))
    data = lgb.Dataset(own_features(train, pasts, what), everybody, free_raw_data=False)
    settings = {
        "objective": "quantile",
        "learning_rate": 0.05,
        "num_leaves": 15,
        "num_threads": 1,
        "seed": 1,
        "verbose": -1,
    }
    models = [lgb.train(settings | {"alpha": float(level)}, data, num_boost_round=150) for level in LEVELS]
    inputs = own_features(test, pasts, what)
    boosted = np.sort(np.column_stack([model.predict(inputs) for model in models]), axis=1)
    parts = []
    for method, rows in {**{m: np.array(q) for m, q in made.items()}, "GBM": boosted}.items():
        part = pd.DataFrame(np.maximum(rows, 0.0), columns=COLUMNS)
        part.insert(0, "y", test[what].to_numpy())
        part.insert(0, "session", test["session"].to_numpy())
        parts.append(part.assign(series=visits.name, what=what, method=method))
    return pd.concat(parts)


def table(made: pd.DataFrame) -> pd.DataFrame:
    """Scores (hours and kWh, not scaled) per series, quantity and method, with the skill against OWN."""
    rows = []
    for (name, what), group in made.groupby(["series", "what"], sort=False):
        group = group[group.groupby("session")["method"].transform("nunique") == group["method"].nunique()]
        for method, part in group.groupby("method", sort=False):
            found = scores(part["y"].to_numpy(), part[COLUMNS].to_numpy(), 1.0)
            below = float((part["y"] < part["q10"]).mean())
            rows.append({"series": name, "what": what, "method": method, **found, "below_q10": below})
    result = pd.DataFrame(rows).rename(columns={"nmae": "mae", "nrmse": "rmse"})
    own = result[result["method"] == "OWN"].set_index(["series", "what"])["pinball"]
    result["skill_own"] = (
        1 - result["pinball"] / own.reindex(pd.MultiIndex.from_frame(result[["series", "what"]])).to_numpy()
    )
    return result


def write_csv(visits: Visits, out: Path) -> None:
    """History before the test and the test's arrivals (no outcomes), in UTC, as CSV."""
    stamped = visits.table.rename(
        columns={"user": "driver", "estimated_departure": "stated_departure", "requested_kwh": "stated_kwh"}
    )
    for column in {"arrival", "departure", "stated_departure"} & set(stamped.columns):
        local = stamped[column].dt.tz_localize(visits.zone, ambiguous=True, nonexistent="shift_forward")
        stamped[column] = local.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    test = (visits.table["arrival"] >= visits.test_from).to_numpy()
    ended = (visits.table["departure"] < visits.test_from).to_numpy()
    stamped.drop(columns="stay").to_csv(out / f"sessions-{visits.name}-all.csv", index=False)
    stamped[ended].drop(columns="stay").to_csv(out / f"sessions-{visits.name}-history.csv", index=False)
    stamped[test].drop(columns=["stay", "departure", "kwh"]).to_csv(
        out / f"sessions-{visits.name}-arrivals.csv", index=False
    )


def score(file: Path, out: Path) -> pd.DataFrame:
    """The table of a file of forecasts beside the references, on the sessions that both have."""
    given, theirs = pd.read_csv(file), pd.read_parquet(out / "sessions.parquet")
    truth = theirs[theirs["method"] == "OWN"].set_index(["what", "session"])["y"]
    arrivals = pd.concat([v.table.assign(zone=v.zone) for v in read()]).set_index("session")
    parts = [theirs[theirs["session"].isin(given["session"])]]
    for what, prefix in (("stay", "departure"), ("kwh", "kwh")):
        mine = given[["series", "session"]].copy()
        for column in COLUMNS:
            if what == "stay" and f"stay_{column}" not in given:
                begun = [
                    arrivals.loc[s, "arrival"].tz_localize(
                        arrivals.loc[s, "zone"], ambiguous=True, nonexistent="shift_forward"
                    )
                    for s in given["session"]
                ]
                leaves = pd.to_datetime(given[f"{prefix}_{column}"], utc=True)
                mine[column] = (leaves - pd.to_datetime(pd.Series(begun, index=given.index), utc=True)) / pd.Timedelta(
                    hours=1
                )
            else:
                mine[column] = given[f"{what}_{column}"]
        keys = pd.MultiIndex.from_arrays([[what] * len(mine), mine["session"]])
        parts.append(mine.assign(what=what, method="kwartier", y=truth.reindex(keys).to_numpy()).dropna(subset=["y"]))
    return table(pd.concat(parts))


def main() -> None:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("reference", help="make the references and their table")
    make.add_argument("--out", type=Path, required=True)
    make.add_argument("--csv", action="store_true", help="also the histories and arrivals as CSV")
    judge = commands.add_parser("score", help="score a file of forecasts beside the references")
    judge.add_argument("file", type=Path)
    judge.add_argument("--reference", type=Path, required=True)
    given = parser.parse_args()
    if given.command == "reference":
        given.out.mkdir(parents=True, exist_ok=True)
        made = pd.concat([forecasts(visits, what) for visits in read() for what in ("stay", "kwh")])
        made.to_parquet(given.out / "sessions.parquet")
        found = table(made)
        found.round(5).to_csv(given.out / "sessions.csv", index=False)
        if given.csv:
            for visits in read():
                write_csv(visits, given.out)
    else:
        found = score(given.file, given.reference)
    with pd.option_context("display.width", 200, "display.max_rows", None, "display.precision", 4):
        print(found.to_string(index=False), file=sys.stdout)


if __name__ == "__main__":
    main()
