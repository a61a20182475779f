"""Vehicles, boards, a building, a meter and the judge of a small depot, second by second."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

VOLTAGE_V = 230.0
LOWEST_A = 6.0
# A phase may be so much above its limit, and for so long.
ALLOWANCE_A = 1.0
REACTION_S = 10.0
# A vehicle follows a change so much later.
FOLLOWS_S = 3.0


@dataclass
class Vehicle:
    """A vehicle that is plugged in."""

    phases: int
    max_a: float
    need_kwh: float
    got_kwh: float = 0.0
    amps: float = 0.0
    offers: list[tuple[float, float]] = field(default_factory=list)

    def step(self, at: float, offered_a: float, seconds: float) -> None:
        """Let time pass while so much is offered."""
        if not self.offers or self.offers[-1][1] != offered_a:
            self.offers.append((at, offered_a))
        heard = [amps for since, amps in self.offers if since <= at - FOLLOWS_S]
        wants = min(heard[-1], self.max_a) if heard else 0.0
        if wants < LOWEST_A or self.got_kwh >= self.need_kwh:
            wants = 0.0
        self.amps = min(wants, self.amps + 2.0 * seconds if self.amps else LOWEST_A) if wants else 0.0
        self.got_kwh += self.kw * seconds / 3600.0

    @property
    def kw(self) -> float:
        """Return what it draws."""
        return self.amps * self.phases * VOLTAGE_V / 1000.0

    def by_phase(self, rotation: str) -> list[float]:
        """Return what it draws by grid phase, behind a station whose L1, L2, L3 are those phases."""
        flows = [0.0, 0.0, 0.0]
        for letter in rotation[: self.phases]:
            flows["RST".index(letter)] += self.amps
        return flows


@dataclass
class Board:
    """A board, what its building draws, and the judge of it."""

    id: str
    limit_a: float
    building_a: float = 0.0
    over_since: list[float | None] = field(default_factory=lambda: [None, None, None])
    worst_a: float = 0.0
    broken: list[dict] = field(default_factory=list)

    def judge(self, at: float, building: list[float], all_a: list[float]) -> None:
        """Judge what flows now. What the building does alone is nobody's fault."""
        self.worst_a = max(self.worst_a, *all_a)
        for phase in range(3):
            most = max(self.limit_a, building[phase]) + ALLOWANCE_A
            if all_a[phase] <= most:
                self.over_since[phase] = None
                continue
            since = self.over_since[phase]
            if since is None:
                self.over_since[phase] = at
            elif at - since > REACTION_S and not any(one["since"] == since for one in self.broken):
                self.broken.append(
                    {"board": self.id, "phase": phase + 1, "since": since, "amps": all_a[phase], "limit_a": self.limit_a}
                )


class Building:
    """What a building draws: a level that holds for a while, steps, motors."""

    def __init__(self, usual_a: float, seed: int):
        self.usual_a = usual_a
        self.chance = random.Random(seed)
        self.level = [usual_a] * 3
        self.until = 0.0
        self.step_a = 0.0
        self.step_until = 0.0

    def draws(self, at: float) -> list[float]:
        """Return what it draws now by phase."""
        if at >= self.until:
            self.level = [self.usual_a * self.chance.uniform(0.7, 1.2) for _ in range(3)]
            self.until = at + self.chance.expovariate(1 / 20)
        if at >= self.step_until:
            self.step_a = self.chance.choice([0.0, 0.0, 0.6]) * self.usual_a
            self.step_until = at + self.chance.uniform(15, 40)
        return [amps + self.step_a for amps in self.level]
