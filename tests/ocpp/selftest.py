"""The stations and the central system here, tried on each other: neither is trusted before that."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys

import central
import websockets
from charger16 import Charger16
from charger201 import Charger201
from profiles import Profile, Store
from stranger import Depot


def profiles() -> None:
    """Try what is known of some profiles."""

    def profile(id: int, purpose: str, level: int, limit: float, evse: int = 0, **more) -> Profile:
        schedule = {"chargingRateUnit": "A", "startSchedule": "1970-01-01T00:01:00Z"} | more.pop("schedule", {})
        schedule["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": limit}]
        wire = {"chargingProfileId": id, "stackLevel": level, "chargingProfilePurpose": purpose}
        return Profile.read(evse, {**wire, "chargingProfileKind": "Absolute", "chargingSchedule": schedule, **more})

    store = Store("1.6")
    assert store.install(profile(1, "ChargePointMaxProfile", 0, 20.0), None)
    assert store.install(profile(2, "TxDefaultProfile", 0, 8.0), None)
    assert not store.install(profile(3, "TxProfile", 1, 14.0, 1), None)
    assert store.install(profile(3, "TxProfile", 1, 24.0, 1, schedule={"duration": 30}), "7")
    assert store.amps(59, 0, "7") is None, "all begin after a minute"
    assert [store.amps(at, 0, "7") for at in (60, 89, 90)] == [20.0, 20.0, 8.0]
    assert store.amps(60, 0, None) == 8.0
    assert store.schedule(60, 60, 0, "7") == [(0, 20.0), (30, 8.0)]
    day = profile(4, "TxDefaultProfile", 1, 6.0, schedule={"duration": 10}, chargingProfileKind="Recurring")
    assert store.install(day, None)
    assert [store.amps(60 + 86_400 + second, 0, None) for second in (-1, 9, 10)] == [8.0, 6.0, 8.0]
    assert store.clear(purpose="TxDefaultProfile", level=1) and not store.clear(id=9)
    assert store.amps(60 + 86_400, 0, None) == 8.0

    store = Store("2.0.1")
    moves = {"transactionId": "t", "chargingProfileKind": "Dynamic", "dynUpdateTime": "1970-01-01T00:02:00Z"}
    assert not store.install(profile(5, "TxProfile", 1, 16.0, 1, **moves), "t"), "it would never lapse"
    assert store.install(profile(5, "TxProfile", 1, 16.0, 1, schedule={"duration": 30}, **moves), "t")
    assert [store.amps(at, 0, "t") for at in (120, 149, 150)] == [16.0, 16.0, None]
    assert store.update(5, 9.0, 200) and not store.update(6, 9.0, 200) and not store.update(5, None, 200)
    assert [store.amps(at, 0, "t") for at in (200, 229, 230)] == [9.0, 9.0, None]


async def conversation(stations: int, seconds: float) -> tuple[dict, dict]:
    """Connect the stations with the central system. Return the verdicts of both."""
    verdict = central.Verdict()

    async def desk(socket) -> None:
        name = socket.request.path.rsplit("/", 1)[-1]
        one = (central.Desk16 if socket.subprotocol == "ocpp1.6" else central.Desk201)(name, socket)
        one.begin(verdict)
        try:
            await one.start()
        except websockets.ConnectionClosed:
            pass

    async with websockets.serve(desk, "127.0.0.1", 0, subprotocols=["ocpp1.6", "ocpp2.0.1"]) as server:
        port = server.sockets[0].getsockname()[1]
        asked = argparse.Namespace(stations=stations, seed=1, ws=f"ws://127.0.0.1:{port}", cuts=0.0, silent_meter=True)
        depot = Depot(asked, kinds=(Charger16, Charger201))
        tasks = [asyncio.ensure_future(depot.station(k)) for k in range(stations)]
        tasks.append(asyncio.ensure_future(depot.flows()))
        _, pending = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in set(tasks) - pending:
            task.result()
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
    return verdict.as_json(stations), depot.verdict()


def main() -> int:
    """Run from the command line."""
    logging.getLogger("ocpp").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=25.0, help="how long they talk")
    arguments = parser.parse_args()
    profiles()
    seen, driven = asyncio.run(conversation(4, arguments.seconds))
    print(json.dumps({"central": seen, "stations": driven}))
    fine = not seen["wrong"] and seen["booted"] == 4 and seen["schedules"] > 4 and driven["energy_kwh"] > 0
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
