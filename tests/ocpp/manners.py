"""Tries the manners of the gateway with a charger that speaks frames by hand: who comes in, what it is asked and when, what it
stores, how soon it is lowered, what becomes of it when the service is killed, and what nonsense does to the others.

Starts and kills a service of its own. Prints a verdict as JSON and ends with 0 if all was well, 1 if not.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from datetime import datetime, timezone

import websockets

PASSWORD = "a-long-password-1"
ADMIN = "correct horse battery"
# Nothing that is waited for here takes so long; a vehicle may wait a minute for its plan.
PATIENCE_S = 90
BUILDING_A = 5.0
# Room for one vehicle beside four chargers that have never confirmed anything, and count with all they can draw.
LIMIT_A = 200.0


def stamp() -> str:
    """Return now, as chargers and meters write it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Service:
    """The service, in a folder of its own."""

    def __init__(self, binary: str, folder: str):
        self.binary, self.folder = binary, folder
        self.key = None
        self.start()

    def start(self) -> None:
        """Start it, and set it up the first time."""
        command = [self.binary, "serve", "--data", self.folder, "--listen", "127.0.0.1:0"]
        self.child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.url = None
        for line in self.child.stderr:
            if found := re.search(r"listens at (http://[0-9.:]+)", line):
                self.url = found[1]
                if self.key:
                    break
            if found := re.search(r"#setup=(\S+)", line):
                who = {"token": found[1], "email": "ann@depot.example", "name": "Ann", "password": ADMIN}
                self.key = self.ask("POST", "/v1/setup", who | {"carry": "bearer"})["ticket"]
                break
        assert self.url, "it does not start"
        asyncio.get_running_loop().run_in_executor(None, self.child.stderr.read)

    def kill(self) -> None:
        """Kill it, as a power failure does."""
        self.child.kill()
        self.child.wait()

    def ask(self, method: str, path: str, body=None):
        """Ask it for something."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.key:
            request.add_header("Authorization", f"Bearer {self.key}")
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def put(self, chargers: list[str]) -> None:
        """Put a site with chargers on one board."""
        station = {"board": "main", "rotation": "RST", "max_a": 32, "fallback_a": 6}
        site = {
            "format": 1,
            "name": "Manners",
            "time_zone": "Europe/Amsterdam",
            "boards": [{"id": "main", "limit_a": LIMIT_A, "building_max_a": 10}],
            "meters": [{"id": "M", "board": "main"}],
            "stations": [{"id": name} | station for name in chargers],
        }
        self.ask("PUT", "/v1/sites/manners", site)
        for name in chargers:
            charger = {"node": "main", "phase_map": "RST", "max_a": 32}
            charger["ocpp"] = {"password": PASSWORD, "security_profile": 1}
            self.ask("PUT", f"/v1/sites/manners/chargers/{urllib.parse.quote(name, safe='')}", charger)

    async def measure(self, amps: float) -> None:
        """Post what the meter shows on each phase."""
        row = {"at": stamp(), "node": "main", "l1_a": amps, "l2_a": amps, "l3_a": amps}
        await asyncio.to_thread(self.ask, "POST", "/v1/sites/manners/measurements", [row])

    def connect(self, name: str, password: str | None = PASSWORD, offers=("ocpp1.6",), path: str | None = None):
        """Connect as a charger."""
        headers = {}
        if password is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
        address = self.url.replace("http", "ws", 1) + "/ocpp/" + urllib.parse.quote(path or name, safe="")
        return websockets.connect(address, subprotocols=list(offers) or None, additional_headers=headers)


class Charger:
    """A charger that speaks frames by hand and takes whatever it is told."""

    def __init__(self, socket):
        self.socket = socket
        self.calls: list[tuple[float, str, dict]] = []
        self.answers: dict[str, list] = {}
        self.last = 0
        self.reading = asyncio.ensure_future(self.reads())

    async def reads(self) -> None:
        """Take frames until the link ends; accept every call."""
        with contextlib.suppress(websockets.ConnectionClosed):
            async for text in self.socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    self.calls.append((time.monotonic(), frame[2], frame[3]))
                    status = {} if frame[2].startswith("Get") else {"status": "Accepted"}
                    await self.socket.send(json.dumps([3, frame[1], status]))
                else:
                    self.answers[frame[1]] = frame

    async def call(self, action: str, payload: dict) -> list:
        """Call, and wait for the frame that answers."""
        self.last += 1
        name = f"m{self.last}"
        await self.socket.send(json.dumps([2, name, action, payload]))
        await until(lambda: name in self.answers, f"an answer to {action}")
        return self.answers[name]

    def profiles(self, purpose: str, since: float = 0.0) -> list[tuple[float, dict]]:
        """Return what it was told to hold for a purpose."""
        told = [(at, call["csChargingProfiles"]) for at, action, call in self.calls if action == "SetChargingProfile"]
        return [(at, one) for at, one in told if at >= since and one["chargingProfilePurpose"] == purpose]

    async def boots(self) -> list:
        """Say that it has started."""
        return await self.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})


async def until(holds, what: str) -> None:
    """Wait for something."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} does not come")
        await asyncio.sleep(0.02)


def amps(profile: dict) -> float:
    """Return the limit of a profile of one period."""
    return profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"]


async def refused(connecting) -> tuple:
    """Return how a connection is refused."""
    try:
        async with connecting:
            return ("let in",)
    except websockets.InvalidStatus as refusal:
        kept = {k.lower(): v for k, v in refusal.response.headers.raw_items()}
        for own in ("date", "x-request-id"):
            kept.pop(own, None)
        return refusal.response.status_code, tuple(sorted(kept.items())), bytes(refusal.response.body or b"")


async def who_comes_in(service: Service) -> None:
    """Who is unknown, has the wrong password or none is answered alike; a password may come in hexadecimal digits."""
    answers = [
        await refused(service.connect("nobody")),
        await refused(service.connect("A", "a-wrong-password-1")),
        await refused(service.connect("A", "61" * 16)),
        await refused(service.connect("A", None)),
        await refused(service.connect("B", path="A")),
    ]
    assert answers[0][0] == 401 and all(answer == answers[0] for answer in answers), answers
    async with service.connect("A", PASSWORD.encode().hex()) as socket:
        assert socket.subprotocol == "ocpp1.6"
    async with service.connect("Two & a half/b") as socket:
        assert socket.subprotocol == "ocpp1.6"


async def the_newest_version_is_chosen(service: Service) -> None:
    """Of the versions offered the newest is spoken; with none of them it ends."""
    for offers, chosen in [
        (("ocpp1.6", "ocpp2.0.1"), "ocpp2.0.1"),
        (("ocpp2.1", "ocpp1.6"), "ocpp2.1"),
        (("ocpp1.5", "ocpp1.6"), "ocpp1.6"),
    ]:
        async with service.connect("A", offers=offers) as socket:
            assert socket.subprotocol == chosen, (offers, socket.subprotocol)
    async with service.connect("A", offers=()) as socket:
        try:
            await asyncio.wait_for(socket.recv(), PATIENCE_S)
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == 1002, closed
        else:
            raise AssertionError("it is spoken to without a version")


async def the_newest_link_counts(service: Service) -> None:
    """A charger that comes again ends the link that it had."""
    async with service.connect("A") as older, service.connect("A") as newer:
        older, newer = Charger(older), Charger(newer)
        await until(older.reading.done, "the end of the older link")
        assert (await newer.call("Heartbeat", {}))[0] == 3


async def nothing_is_asked_before_it_has_started(service: Service) -> None:
    """A charger that starts is asked nothing before that is answered; then it is told what to hold for good."""
    async with service.connect("B") as socket:
        charger = Charger(socket)
        # As a charger does that first waits for its own network.
        await asyncio.sleep(0.5)
        assert charger.calls == [], charger.calls
        answer = await charger.boots()
        assert answer[2]["status"] == "Accepted" and answer[2]["interval"] > 0, answer
        await until(lambda: charger.profiles("ChargePointMaxProfile"), "the installer's maximum")
        fallback = [one for _, one in charger.profiles("TxDefaultProfile") if one["stackLevel"] == 0]
        assert [amps(one) for one in fallback] == [6.0], fallback
        assert "duration" not in fallback[0]["chargingSchedule"], fallback
        assert amps(charger.profiles("ChargePointMaxProfile")[0][1]) == 32.0


async def what_is_wrong_is_said(service: Service) -> None:
    """Each kind of nonsense has its code, and the link goes on."""
    async with service.connect("B") as socket:
        charger = Charger(socket)
        await charger.boots()
        for action, payload, code in [
            ("Nonsense", {}, "NotImplemented"),
            ("Reset", {"type": "Soft"}, "NotSupported"),
            ("BootNotification", {"chargePointVendor": "V"}, "OccurenceConstraintViolation"),
            ("BootNotification", {"chargePointVendor": "V" * 21, "chargePointModel": "M"}, "PropertyConstraintViolation"),
            ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Fine"}, "PropertyConstraintViolation"),
        ]:
            answer = await charger.call(action, payload)
            assert (answer[0], answer[2]) == (4, code), (action, answer)
        assert (await charger.call("Heartbeat", {}))[0] == 3


NONSENSE = ["", "{", "[]", "[2]", "null", "[9,9,9]", '[2,"x"]', '[2,"x","Heartbeat"]', '[2,5,"Heartbeat",{}]', "[" * 2000, '[3,"k1",{}]', '[4,"k1"]', '[2,"x",{},{}]', "\u0000", '[2,"' + "x" * 60 + '","Heartbeat",{}]']


async def nonsense_by_the_ten_thousand(service: Service) -> int:
    """Links that send nonsense come and go; a charger beside them is answered all the time."""
    sent, ended = 0, False

    async def nonsense(name: str, count: int) -> None:
        nonlocal sent
        for begun in range(count):
            async with service.connect(name) as socket:
                try:
                    for k in range(60):
                        await socket.send(NONSENSE[(begun + k) % len(NONSENSE)])
                        sent += 1
                    await asyncio.wait_for(socket.wait_closed(), 2)
                except (websockets.ConnectionClosed, asyncio.TimeoutError):
                    pass

    async def large() -> None:
        async with service.connect("C") as socket:
            try:
                await socket.send('[2,"x","DataTransfer",{"vendorId":"' + "x" * (1 << 20) + '"}]')
                async with asyncio.timeout(5):
                    async for _ in socket:
                        pass
            except websockets.ConnectionClosed:
                pass
            except asyncio.TimeoutError:
                raise AssertionError("a frame of a mebibyte is taken") from None

    async with service.connect("B") as socket:
        charger = Charger(socket)
        await charger.boots()

        async def beats() -> int:
            answered = 0
            while not ended:
                assert (await charger.call("Heartbeat", {}))[0] == 3
                answered += 1
                await asyncio.sleep(0.1)
            return answered

        beating = asyncio.ensure_future(beats())
        await large()
        await asyncio.gather(*(nonsense(name, 45) for name in ("A", "C", "D", "Two & a half/b")))
        ended = True
        assert await beating > 0, "nothing was answered meanwhile"
        assert not charger.reading.done(), "the link of another charger has ended"
    return sent


async def steered(service: Service) -> dict:
    """A vehicle is given current, lowered when the meter shows too much, and steered on after the service was killed."""
    show = {"amps": BUILDING_A}
    alive = True

    async def meter() -> None:
        while alive:
            try:
                await service.measure(show["amps"])
            except OSError:
                pass
            await asyncio.sleep(0.5)

    metering = asyncio.ensure_future(meter())
    async with service.connect("B") as socket:
        charger = Charger(socket)
        await charger.boots()
        await until(lambda: charger.profiles("ChargePointMaxProfile"), "the installer's maximum")
        start = {"connectorId": 1, "idTag": "T", "meterStart": 1000, "timestamp": stamp()}
        began = time.monotonic()
        answer = await charger.call("StartTransaction", start)
        transaction = answer[2]["transactionId"]
        given = lambda since, fits: [one for one in charger.profiles("TxProfile", since) if fits(amps(one[1]))]
        await until(lambda: given(began, lambda limit: limit >= 16), "current for the vehicle")
        told_s = given(began, lambda limit: limit >= 16)[0][0] - began
        profile = given(began, lambda limit: limit >= 16)[-1][1]
        assert profile["transactionId"] == transaction and profile["chargingSchedule"]["duration"] > 0, profile
        # The vehicle draws what it may, and the building more than there is room for.
        phases = [
            {"value": "16", "measurand": "Current.Import", "phase": phase, "unit": "A"} for phase in ("L1", "L2", "L3")
        ]
        values = {"connectorId": 1, "transactionId": transaction}
        values["meterValue"] = [{"timestamp": stamp(), "sampledValue": phases}]
        await charger.call("MeterValues", values)
        show["amps"] = BUILDING_A + 16
        await asyncio.sleep(3)
        show["amps"] = LIMIT_A + 8
        overload = time.monotonic()
        await service.measure(show["amps"])
        await until(lambda: given(overload, lambda limit: limit <= 10), "less for the vehicle")
        lowered_s = given(overload, lambda limit: limit <= 10)[0][0] - overload
        show["amps"] = BUILDING_A + 16
        service.kill()
        await until(charger.reading.done, "the end of the link")
    service.start()
    async with service.connect("B") as socket:
        charger = Charger(socket)
        charger.last = 100
        again = time.monotonic()
        values["meterValue"][0]["timestamp"] = stamp()
        assert (await charger.call("MeterValues", values))[0] == 3
        await until(lambda: charger.profiles("TxProfile", again), "a setpoint after the service was killed")
        first = charger.profiles("TxProfile", again)[0]
        assert first[1]["transactionId"] == transaction, first
        resumed_s = first[0] - again
        await charger.call("StopTransaction", {"transactionId": transaction, "meterStop": 6000, "timestamp": stamp()})
    sessions = service.ask("GET", "/v1/sites/manners/sessions")
    alive = False
    await metering
    energies = [one.get("energy_kwh") for one in sessions["items"] if one.get("ended")]
    return {"told_s": told_s, "lowered_s": lowered_s, "resumed_s": resumed_s, "energies": energies}


async def main() -> int:
    """Try everything."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(sys.argv[1], folder)
        verdict: dict = {"wrong": []}
        try:
            await asyncio.to_thread(service.put, ["A", "B", "C", "D", "Two & a half/b"])
            for tried in (
                who_comes_in,
                the_newest_version_is_chosen,
                the_newest_link_counts,
                nothing_is_asked_before_it_has_started,
                what_is_wrong_is_said,
                nonsense_by_the_ten_thousand,
                steered,
            ):
                try:
                    verdict[tried.__name__] = await tried(service)
                except Exception as wrong:
                    verdict["wrong"].append(f"{tried.__name__}: {type(wrong).__name__} {wrong}")
        finally:
            service.kill()
    print(json.dumps(verdict), flush=True)
    return 1 if verdict["wrong"] else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
