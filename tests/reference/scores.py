"""What a forecast is worth: the figures of the backtest table, from their definitions.

Independent of the product on purpose: nothing here is shared with it but the seven levels.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVELS = np.array([0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95])
COLUMNS = ["q05", "q10", "q25", "q50", "q75", "q90", "q95"]


def pinball(truth: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Pinball loss of each row, averaged over the levels; same unit as the truth.

    For level a and error e = y - q the loss is a*e when e is positive, else (a - 1)*e.
    """
    error = truth[:, None] - quantiles
    return np.maximum(LEVELS * error, (LEVELS - 1.0) * error).mean(axis=1)


def scores(truth: np.ndarray, quantiles: np.ndarray, scale: float) -> dict[str, float]:
    """All figures of one method on one series; errors and widths are divided by `scale`."""
    error = truth - quantiles[:, 3]

    def inside(low: int, high: int) -> float:
        return float(np.mean((truth >= quantiles[:, low]) & (truth <= quantiles[:, high])))

    return {
        "n": len(truth),
        "pinball": float(pinball(truth, quantiles).mean() / scale),
        "nmae": float(np.abs(error).mean() / scale),
        "nrmse": float(np.sqrt(np.mean(error**2)) / scale),
        "cov50": inside(2, 4),
        "cov80": inside(1, 5),
        "cov90": inside(0, 6),
        "width80": float((quantiles[:, 5] - quantiles[:, 1]).mean() / scale),
    }


def table(forecasts: pd.DataFrame, truth: pd.DataFrame, scales: dict[str, float]) -> pd.DataFrame:
    """Scores per series, lead day and method, on the steps that every method of a series has.

    `forecasts`: series, method, origin, start and the seven quantiles. `truth`: series, start, y.
    The skill is 1 - pinball / pinball of last week's value (SN), where that is present.
    """
    rows: list[dict[str, object]] = []
    for name, group in forecasts.groupby("series", sort=False):
        joined = group.merge(truth[truth["series"] == name], on=["series", "start"]).dropna(subset=["y", *COLUMNS])
        methods = joined["method"].nunique()
        joined = joined[joined.groupby(["origin", "start"])["method"].transform("nunique") == methods]
        joined = joined.assign(day=((joined["start"] - joined["origin"]) // pd.Timedelta(hours=24)) + 1)
        joined = joined[joined["day"] <= 2]  # in autumn two wall-clock days last 49 hours
        for (day, method), part in joined.groupby(["day", "method"], sort=False):
            found = scores(part["y"].to_numpy(), part[COLUMNS].to_numpy(), scales[str(name)])
            rows.append({"series": name, "day": day, "method": method, **found})
    result = pd.DataFrame(rows)
    naive = result[result["method"] == "SN"].set_index(["series", "day"])["pinball"]
    keys = pd.MultiIndex.from_frame(result[["series", "day"]])
    result["skill"] = 1.0 - result["pinball"] / naive.reindex(keys).to_numpy()
    return result
