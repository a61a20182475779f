"""What a station is in both editions: its store of profiles, its vehicle, its clock."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime, timezone

from depot import Vehicle
from profiles import Profile, Store

RATING_A = 32.0


def stamp(at: float | None = None) -> str:
    """Return an instant, or now, as it is written."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Station:
    """The part of a station that is the same in both editions."""

    edition = ""

    def sets_up(self, rotation: str) -> None:
        """Begin without profiles and vehicle."""
        self.rotation = rotation
        self.store = Store(self.edition)
        self.vehicle: Vehicle | None = None
        self.transaction: str | None = None
        self.since = time.time()
        self.wh = 0.0
        self.said: str | None = None
        self.measures_every_s = 10
        self.accepted = False
        self.refused = 0
        self.profiles: dict[str, int] = {}
        self.rejected = 0
        # Limits that were updated by themselves.
        self.updated = 0

    def moves_to(self, other: Station) -> None:
        """Hand over everything that outlives a connection."""
        for name in ("store", "vehicle", "transaction", "since", "wh", "measures_every_s", "refused", "profiles", "rejected", "updated"):
            setattr(other, name, getattr(self, name))

    async def until_accepted(self, boot) -> None:
        """Say that it has started until that is accepted."""
        while True:
            answer = await boot()
            if answer is not None and answer.status == "Accepted":
                self.accepted = True
                return
            await asyncio.sleep(min(float(getattr(answer, "interval", 5) or 5), 10.0))

    def takes(self, profile: Profile) -> bool:
        """Install a profile, and count it."""
        taken = self.store.install(profile, self.transaction)
        if taken:
            self.profiles[profile.purpose] = self.profiles.get(profile.purpose, 0) + 1
        else:
            self.rejected += 1
        return taken

    def offered_a(self) -> float:
        """Return what a vehicle may draw now."""
        if self.transaction is None:
            return 0.0
        amps = self.store.amps(time.time(), self.since, self.transaction)
        return RATING_A if amps is None else min(amps, RATING_A)

    def holds_a(self) -> float:
        """Return what whoever charges here might draw now."""
        amps = self.store.amps(time.time(), self.since, self.transaction)
        return RATING_A if amps is None else min(amps, RATING_A)

    def own_phases(self) -> list[float]:
        """Return what flows on its own L1, L2, L3."""
        if self.vehicle is None:
            return [0.0] * 3
        return [self.vehicle.amps if phase < self.vehicle.phases else 0.0 for phase in range(3)]

    def passes(self, at: float, seconds: float) -> None:
        """Let time pass for the vehicle."""
        if self.vehicle is not None:
            self.vehicle.step(at, self.offered_a(), seconds)
            self.wh += 1000.0 * self.vehicle.kw * seconds / 3600.0

    def composite_periods(self, duration_s: int) -> list[dict]:
        """Return the composite schedule as both editions write it."""
        spans = self.store.schedule(time.time(), duration_s, self.since, self.transaction)
        return [
            {"start_period": start, "limit": round(RATING_A if amps is None else min(amps, RATING_A), 1)}
            for start, amps in spans
        ]

    async def runs(self) -> None:
        """Measure and say that it is there, for ever."""
        beats_at = time.time() + 30
        while True:
            await asyncio.sleep(self.measures_every_s)
            with contextlib.suppress(asyncio.TimeoutError):
                await self.measured()
                if time.time() > beats_at:
                    beats_at = time.time() + 30
                    await self.lives()
