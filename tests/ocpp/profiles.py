"""What charging profiles allow, from the words of OCPP 1.6, 2.0.1 and 2.1, and from nothing of the product."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone

DAY_S = 86_400
VOLTAGE_V = 230.0

PURPOSES = {
    "ChargePointMaxProfile": "max",
    "ChargingStationMaxProfile": "max",
    "TxDefaultProfile": "default",
    "TxProfile": "tx",
}


def seconds(stamp: str | None) -> float | None:
    """Return an instant as seconds since 1970."""
    if stamp is None:
        return None
    at = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()


@dataclass
class Profile:
    """A profile, whichever edition it came in."""

    id: int
    level: int
    purpose: str
    evse: int
    repeats_s: int | None
    relative: bool
    begins: float | None
    ends_after_s: float | None
    valid_from: float | None
    valid_to: float | None
    transaction: str | None
    watts: bool
    periods: list[tuple[float, float, int | None]]
    # Its limit can be updated by itself (2.1).
    dynamic: bool = False

    @classmethod
    def read(cls, evse: int, wire: dict) -> Profile:
        """Read a profile of either edition, with its keys in camel or snake case."""

        def get(of: dict, name: str, default=None):
            snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
            return of.get(name, of.get(snake, default))

        schedule = get(wire, "chargingSchedule")
        schedule = schedule[0] if isinstance(schedule, list) else schedule
        kind = get(wire, "chargingProfileKind")
        recurrence = {"Daily": DAY_S, "Weekly": 7 * DAY_S}.get(get(wire, "recurrencyKind", "Daily"))
        transaction = get(wire, "transactionId")
        return cls(
            id=get(wire, "chargingProfileId", wire.get("id")),
            level=get(wire, "stackLevel"),
            purpose=PURPOSES[get(wire, "chargingProfilePurpose")],
            evse=evse,
            repeats_s=recurrence if kind == "Recurring" else None,
            relative=kind == "Relative",
            begins=seconds(get(wire, "dynUpdateTime") if kind == "Dynamic" else get(schedule, "startSchedule")),
            ends_after_s=get(schedule, "duration"),
            valid_from=seconds(get(wire, "validFrom")),
            valid_to=seconds(get(wire, "validTo")),
            transaction=None if transaction is None else str(transaction),
            watts=get(schedule, "chargingRateUnit") == "W",
            periods=[
                (get(p, "startPeriod"), float(p["limit"]), get(p, "numberPhases"))
                for p in get(schedule, "chargingSchedulePeriod")
            ],
            dynamic=kind == "Dynamic",
        )

    def amps(self, at: float, charging_since: float) -> float | None:
        """Return the limit per phase at an instant; None where the profile is not in force."""
        if self.valid_from is not None and at < self.valid_from:
            return None
        if self.valid_to is not None and at >= self.valid_to:
            return None
        begins = charging_since if self.relative or self.begins is None else self.begins
        elapsed = at - begins
        if elapsed < 0:
            return None
        if self.repeats_s:
            elapsed %= self.repeats_s
        if self.ends_after_s is not None and elapsed >= self.ends_after_s:
            return None
        started = [period for period in self.periods if period[0] <= elapsed]
        if not started:
            return None
        _, limit, phases = started[-1]
        return limit / VOLTAGE_V / (phases or 3) if self.watts else limit


@dataclass
class Store:
    """The profiles of a station with one connector."""

    edition: str
    profiles: list[Profile] = field(default_factory=list)

    def install(self, new: Profile, running: str | None) -> bool:
        """Install a profile. Return whether the station takes it."""
        if new.purpose == "max" and new.evse != 0 or new.evse > 1:
            return False
        if new.purpose == "tx":
            if new.evse == 0 or running is None:
                return False
            if new.transaction is not None and new.transaction != running:
                return False
            if new.transaction is None and self.edition != "1.6":
                return False
        if not new.periods or new.periods[0][0] != 0:
            return False
        # One period, and without a time of its last update it would never lapse (K28.FR.01, K28.FR.13).
        if new.dynamic and (len(new.periods) != 1 or new.begins is None or new.ends_after_s is None):
            return False

        def in_its_place(old: Profile) -> bool:
            return (old.purpose, old.level, old.evse) == (new.purpose, new.level, new.evse)

        if self.edition != "1.6" and any(old.id != new.id and in_its_place(old) for old in self.profiles):
            return False
        self.profiles = [old for old in self.profiles if old.id != new.id and not in_its_place(old)] + [new]
        return True

    def update(self, id: int, limit: float | None, at: float) -> bool:
        """Give a dynamic profile another limit, for as long as it lasts from now on. Return whether it is there."""
        for profile in self.profiles:
            if profile.id == id and profile.dynamic and limit is not None:
                profile.begins = at
                profile.periods = [(0, limit, profile.periods[0][2])]
                return True
        return False

    def clear(self, id=None, evse=None, purpose=None, level=None) -> bool:
        """Clear what matches all that is given. Return whether anything did."""
        purpose = PURPOSES.get(purpose, purpose)

        def matches(profile: Profile) -> bool:
            return all(
                wanted is None or wanted == has
                for wanted, has in [
                    (id, profile.id),
                    (evse, profile.evse),
                    (purpose, profile.purpose),
                    (level, profile.level),
                ]
            )

        kept = [profile for profile in self.profiles if not matches(profile)]
        cleared = len(kept) < len(self.profiles)
        self.profiles = kept
        return cleared

    def ended(self) -> None:
        """Forget the profiles of a transaction that has ended."""
        self.profiles = [profile for profile in self.profiles if profile.purpose != "tx"]

    def amps(self, at: float, charging_since: float, running: str | None) -> float | None:
        """Return what may flow per phase; None where nothing limits it."""

        def best(purpose: str, evse: int) -> float | None:
            in_force = [
                (profile.level, place, amps)
                for place, profile in enumerate(self.profiles)
                if profile.purpose == purpose and profile.evse == evse
                if purpose != "tx" or profile.transaction in (None, running)
                if (amps := profile.amps(at, charging_since)) is not None
            ]
            return max(in_force)[2] if in_force else None

        session = best("tx", 1) if running is not None else None
        if session is None:
            session = best("default", 1)
        if session is None:
            session = best("default", 0)
        limits = [limit for limit in (session, best("max", 0)) if limit is not None]
        return min(limits) if limits else None

    def schedule(self, at: float, duration_s: int, charging_since: float, running: str | None) -> list[tuple[int, float | None]]:
        """Return the composite schedule as start and limit, found by looking at every second."""
        spans: list[tuple[int, float | None]] = []
        for second in range(duration_s):
            amps = self.amps(at + second, charging_since, running)
            if not spans or spans[-1][1] != amps:
                spans.append((second, amps))
        return spans
