"""Runs the product's command line on the public series, as a stranger would, and scores it.

    python product.py --kwartier BINARY --reference DIR [--every 9] [--hour 0] [SERIES...]

For every n-th origin that the references have, one `kwartier forecast KIND --history FILE --at T
--horizon 48h` is run on the whole file (the product must not look beyond T) and its rows are
collected in DIR/product-HH.csv, which is then scored beside the references. Wall-clock seconds
of a forecast, with the fit, are printed per series.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from forecasts import score
from scores import COLUMNS
from series import Spec, chosen, days

COLUMN = {"load": "power_kw", "pv": "power_kw", "price": "price_eur_mwh"}


def history(spec: Spec, out: Path) -> Path:
    """Writes the series as the CSV that a stranger would have: UTC starts and values, gaps left out."""
    data = days(spec)
    rows = [pd.DataFrame({"start": data.utc(row), COLUMN[spec.kind]: data.y[row]}) for row in range(len(data.y))]
    path = out / f"history-{spec.name}.csv"
    whole = pd.concat(rows).dropna()
    whole.assign(start=whole["start"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(path, index=False)
    return path


def forecast(binary: Path, spec: Spec, file: Path, at: pd.Timestamp) -> pd.DataFrame | None:
    """One forecast by the command line; None, with its words on standard error, if it refuses."""
    made = file.with_suffix(".forecast.csv")
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    options = ["--history", file, "--tz", spec.zone, "--at", stamp, "--horizon", "48h", "--out", made]
    run = subprocess.run([binary, "forecast", spec.kind, *options], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        print(f"{spec.name} at {stamp}: exit {run.returncode}\n{run.stderr}", file=sys.stderr)
        return None
    return pd.read_csv(made).assign(series=spec.name, origin=stamp)


def main() -> None:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", nargs="*", help="names of series, or how they begin; all without any")
    parser.add_argument("--kwartier", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--every", type=int, default=9, help="every n-th origin of the references")
    parser.add_argument("--hour", type=int, default=0, help="local hour of the origins")
    given = parser.parse_args()
    parts: list[pd.DataFrame] = []
    for spec in chosen(given.series):
        path = given.reference / f"forecasts-{spec.name}-{given.hour:02}.parquet"
        if not path.exists():
            continue
        origins = sorted(pd.read_parquet(path, columns=["origin"])["origin"].unique())[:: given.every]
        file = history(spec, given.reference)
        began = time.monotonic()
        made = [forecast(given.kwartier, spec, file, pd.Timestamp(origin)) for origin in origins]
        print(f"{spec.name}: {(time.monotonic() - began) / len(origins):.2f} s a forecast", file=sys.stderr)
        parts += [part for part in made if part is not None]
        if parts:
            collected = given.reference / f"product-{given.hour:02}.csv"
            pd.concat(parts)[["series", "origin", "start", *COLUMNS]].to_csv(collected, index=False)
    if not parts:
        sys.exit("no forecast was made: make the references first, or mend what the messages above name")
    with pd.option_context("display.width", 200, "display.max_rows", None, "display.precision", 4):
        print(score(collected, given.reference).to_string(index=False))


if __name__ == "__main__":
    main()
