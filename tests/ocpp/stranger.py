"""Drives a running service as a stranger would: nothing but its documented HTTP and OCPP.

It puts a site with two boards, connects stations of 1.6, 2.0.1 and 2.1 by turns, plugs vehicles in, posts what the meters show each
second, cuts links where asked, and judges what flows each second by a fuse model of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import logging
import random
import sys
import time
import urllib.error
import urllib.request

import websockets
from charger16 import Charger16
from charger201 import Charger21, Charger201
from depot import Board, Building, Vehicle
from station import stamp

PASSWORD = "a-strangers-password"
ROTATIONS = ["RST", "STR", "TRS"]
KINDS = (Charger16, Charger201, Charger21)
# A station that nobody reaches holds this.
FALLBACK_A = 6.0
SUB_LIMIT_A = 40.0
BUILDING_MAX_A = 30.0


def ask(url: str, method: str, path: str, key: str, body) -> dict | list | None:
    """Ask the service for something; a refusal ends it all with what was said."""
    request = urllib.request.Request(url + path, json.dumps(body).encode(), method=method)
    request.add_header("Authorization", f"Bearer {key}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
    except urllib.error.HTTPError as refusal:
        raise SystemExit(f"{method} {path} was answered {refusal.code}: {refusal.read().decode()[:500]}") from None
    return json.loads(text) if text else None


class Depot:
    """The depot, as it really is."""

    def __init__(self, arguments, kinds=KINDS):
        self.arguments = arguments
        self.kinds = kinds
        self.names = [f"STRANGER-{k + 1}" for k in range(arguments.stations)]
        self.rotation = {name: ROTATIONS[k % 3] for k, name in enumerate(self.names)}
        # The first half hangs on the sub-board.
        self.below = set(self.names[: (len(self.names) + 1) // 2])
        main_a = max(63.0, 12.0 * arguments.stations)
        self.boards = {"main": Board("main", main_a), "sub": Board("sub", SUB_LIMIT_A)}
        self.building = Building(0.45 * BUILDING_MAX_A, arguments.seed)
        self.stations: dict[str, Charger16 | Charger201 | Charger21] = {}
        self.linked: set[str] = set()
        self.chance = random.Random(arguments.seed)
        self.energy_kwh = 0.0
        self.measurements = self.refused = self.cuts = self.failed = 0

    def site(self) -> dict:
        """Return the site as the service takes it."""
        fallback_a = FALLBACK_A if FALLBACK_A * len(self.below) <= SUB_LIMIT_A else 0.0
        return {
            "format": 1,
            "name": "A stranger's depot",
            "time_zone": "Europe/Amsterdam",
            "boards": [
                {"id": "main", "limit_a": self.boards["main"].limit_a, "building_max_a": BUILDING_MAX_A},
                {"id": "sub", "parent": "main", "limit_a": SUB_LIMIT_A, "building_max_a": 0},
            ],
            "meters": [{"id": "M1", "board": "main"}, {"id": "M2", "board": "sub"}],
            "stations": [
                {
                    "id": name,
                    "board": "sub" if name in self.below else "main",
                    "rotation": self.rotation[name],
                    "max_a": 32,
                    "fallback_a": fallback_a,
                }
                for name in self.names
            ],
        }

    def put(self) -> None:
        """Put site and stations."""
        a = self.arguments
        ask(a.http, "PUT", f"/v1/sites/{a.site}", a.key, self.site())
        for name in self.names:
            charger = {
                "node": "sub" if name in self.below else "main",
                "phase_map": self.rotation[name],
                "max_a": 32,
                "ocpp": {"password": PASSWORD, "security_profile": 1},
            }
            ask(a.http, "PUT", f"/v1/sites/{a.site}/chargers/{name}", a.key, charger)

    async def station(self, k: int) -> None:
        """Keep a station connected, as long as it is not cut off."""
        name = self.names[k]
        kind = self.kinds[k % len(self.kinds)]
        basic = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
        first = True
        while True:
            try:
                async with websockets.connect(
                    f"{self.arguments.ws}/{name}",
                    subprotocols=[kind.protocol],
                    additional_headers={"Authorization": f"Basic {basic}"},
                ) as socket:
                    station = kind(name, socket)
                    station.sets_up(self.rotation[name])
                    if name in self.stations:
                        self.stations[name].moves_to(station)
                    self.stations[name] = station
                    self.linked.add(name)
                    await self.connected(station, first)
                    first = False
            except (OSError, websockets.WebSocketException, asyncio.TimeoutError):
                self.failed += 1
            self.linked.discard(name)
            await asyncio.sleep(self.chance.uniform(2, 5))

    async def connected(self, station, first: bool) -> None:
        """Let a station talk until its connection is gone or cut."""
        talks = asyncio.ensure_future(station.start())
        works = asyncio.ensure_future(self.works(station, first))
        cut = asyncio.ensure_future(self.is_cut())
        try:
            done, _ = await asyncio.wait({talks, works, cut}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (talks, works, cut):
                task.cancel()
            await asyncio.gather(talks, works, cut, return_exceptions=True)
        if cut in done:
            self.cuts += 1
            await asyncio.sleep(self.chance.uniform(5, 25))
            return
        for task in done:
            with contextlib.suppress(websockets.ConnectionClosed, asyncio.CancelledError):
                task.result()

    async def is_cut(self) -> None:
        """Wait until the connection is cut."""
        per_h = self.arguments.cuts
        await asyncio.sleep(self.chance.expovariate(per_h / 3600.0) if per_h > 0 else 1e9)

    async def works(self, station, first: bool) -> None:
        """Boot, plug vehicles in and out, measure."""
        if first:
            await station.boots()
        else:
            station.accepted = True
        measures = asyncio.ensure_future(station.runs())
        try:
            while True:
                if station.vehicle is None:
                    await asyncio.sleep(self.chance.uniform(2, 12))
                    car = [(1, 32.0), (2, 16.0), (3, 16.0), (3, 16.0), (3, 32.0)][self.chance.randrange(5)]
                    station.vehicle = Vehicle(*car, need_kwh=self.chance.uniform(2, 20))
                    await station.plugged_in()
                elif station.transaction is None:
                    await station.plugged_in()
                stays = asyncio.get_running_loop().time() + self.chance.uniform(60, 240)
                while station.vehicle is not None and asyncio.get_running_loop().time() < stays:
                    await asyncio.sleep(1)
                    if measures.done():
                        measures.result()
                await station.unplugged()
                station.vehicle = None
        finally:
            measures.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await measures

    async def flows(self) -> None:
        """Let electricity flow, post what meters show, judge, once a second."""
        last = time.time()
        while True:
            await asyncio.sleep(max(0.0, 1.0 - time.time() % 1.0))
            at = time.time()
            for station in self.stations.values():
                before = station.wh
                station.passes(at, at - last)
                self.energy_kwh += (station.wh - before) / 1000.0
            last = at
            building = self.building.draws(at)
            sub, everything = [0.0] * 3, list(building)
            for name, station in self.stations.items():
                if station.vehicle is None:
                    continue
                for phase, amps in enumerate(station.vehicle.by_phase(self.rotation[name])):
                    everything[phase] += amps
                    if name in self.below:
                        sub[phase] += amps
            self.boards["main"].judge(at, building, everything)
            self.boards["sub"].judge(at, [0.0] * 3, sub)
            if not self.arguments.silent_meter:
                asyncio.ensure_future(self.post(at, {"main": everything, "sub": sub}))

    async def post(self, at: float, shown: dict[str, list[float]]) -> None:
        """Post what meters show."""
        rows = [
            {"at": stamp(at), "node": node, **{f"l{k + 1}_a": round(amps[k], 1) for k in range(3)}}
            for node, amps in shown.items()
        ]
        a = self.arguments
        try:
            await asyncio.to_thread(ask, a.http, "POST", f"/v1/sites/{a.site}/measurements", a.key, rows)
            self.measurements += 1
        except (SystemExit, OSError):
            self.refused += 1

    def verdict(self) -> dict:
        """Return what there is to say."""
        stations = self.stations.values()
        broken = [one for board in self.boards.values() for one in board.broken]
        profiles: dict[str, int] = {}
        for station in stations:
            for purpose, count in station.profiles.items():
                profiles[purpose] = profiles.get(purpose, 0) + count
        # What holds when nobody is heard any more.
        unprotected = [
            name
            for name, station in self.stations.items()
            if not any(profile.purpose in ("max", "default") for profile in station.store.profiles)
        ]
        connected = len(self.stations) == len(self.names)
        return {
            "fine": not broken and not unprotected and connected and self.energy_kwh > 0,
            "unprotected": unprotected,
            "connected": len(self.stations),
            "wanted": len(self.names),
            "profiles": profiles,
            "updated": sum(station.updated for station in stations),
            "rejected": sum(station.rejected for station in stations),
            "refused": sum(station.refused for station in stations),
            "energy_kwh": round(self.energy_kwh, 3),
            "measurements": [self.measurements, self.refused],
            "cuts": self.cuts,
            "failed_connections": self.failed,
            "worst_a": {board.id: round(board.worst_a, 1) for board in self.boards.values()},
            "limit_a": {board.id: board.limit_a for board in self.boards.values()},
            "broken": broken,
        }


async def drive(arguments) -> dict:
    """Drive the service for a while. Return the verdict."""
    depot = Depot(arguments)
    depot.put()
    tasks = [asyncio.ensure_future(depot.station(k)) for k in range(len(depot.names))]
    flows = asyncio.ensure_future(depot.flows())
    _, pending = await asyncio.wait({*tasks, flows}, timeout=arguments.seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in {*tasks, flows} - pending:
        task.result()
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return depot.verdict()


def main() -> int:
    """Run from the command line."""
    logging.getLogger("ocpp").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http", required=True, help="where the service is, such as http://127.0.0.1:8080")
    parser.add_argument("--ws", help="where stations connect; as --http and /ocpp where it is absent")
    parser.add_argument("--key", required=True, help="an API key that may put sites and measurements")
    parser.add_argument("--site", default="stranger", help="what the site is called")
    parser.add_argument("--stations", type=int, default=6, help="how many")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long")
    parser.add_argument("--cuts", type=float, default=0.0, help="links cut per station and hour")
    parser.add_argument("--silent-meter", action="store_true", help="post no measurements")
    parser.add_argument("--seed", type=int, default=1, help="decides what is left to chance")
    arguments = parser.parse_args()
    arguments.http = arguments.http.rstrip("/")
    arguments.ws = arguments.ws or arguments.http.replace("http", "ws", 1) + "/ocpp"
    verdict = asyncio.run(drive(arguments))
    print(json.dumps(verdict), flush=True)
    return 0 if verdict["fine"] else 1


if __name__ == "__main__":
    sys.exit(main())
