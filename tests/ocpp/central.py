"""A central system that steers whoever connects, and checks what they say, do and hold.

It is here so that simulated stations meet something that they do not share a line with: messages, schemas and sockets are
the PyPI library's, the composite schedule is found by looking at every second.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import logging
import ssl
import sys
import time
from collections import Counter
from datetime import datetime, timedelta, timezone

import websockets
from ocpp.exceptions import NotImplementedError as NotKnown
from ocpp.exceptions import OCPPError
from ocpp.messages import unpack
from ocpp.routing import after, on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from profiles import Profile, Store

# What stations may draw at first, in a transaction for its first seconds, and how long those are.
STATION_MAX_A = 20.0
DEFAULT_A = 8.0
TX_A = 14.0
TX_S = 12
# Vehicles take so long to follow, and meters tell so late, in s.
PATIENCE_S = 16.0
# What is measured may be so much above the limit.
TOLERANCE_A = 0.6
RATING_A = 32.0


def now() -> datetime:
    """Return the instant now, to the second."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def stamp(at: datetime) -> str:
    """Return an instant as it is written."""
    return at.isoformat().replace("+00:00", "Z")


class Verdict:
    """What was seen of all stations."""

    def __init__(self):
        self.booted: set[str] = set()
        self.said: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.schedules = 0
        self.measured = 0
        self.obeyed: set[str] = set()
        self.ended: set[str] = set()

    def is_wrong(self, who: str, what: str) -> None:
        """Note something that must not be."""
        if len(self.wrong) < 50:
            self.wrong.append(f"{who}: {what}")

    def as_json(self, wanted: int) -> dict:
        """Return the verdict."""
        return {
            "booted": len(self.booted),
            "wanted": wanted,
            "said": dict(self.said),
            "answers": dict(self.answers),
            "schedules": self.schedules,
            "measured": self.measured,
            "obeyed": len(self.obeyed),
            "ended": len(self.ended),
            "wrong": self.wrong,
        }


class Desk:
    """What is the same in both editions: what a station was told, and what it should make of it."""

    edition = ""
    verdict: Verdict

    def begin(self, verdict: Verdict) -> None:
        """Begin with a station of which nothing is known."""
        self.verdict = verdict
        self.store = Store(self.edition)
        self.transaction: str | None = None
        self.since = time.time()
        self.changed_at = time.time()
        self.high_a: list[tuple[float, float]] = []
        self.tasks: set[asyncio.Task] = set()

    def later(self, work) -> None:
        """Do something beside answering."""
        task = asyncio.ensure_future(self.guarded(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def guarded(self, work) -> None:
        """Do something, and note where it fails."""
        try:
            await work
        except (OCPPError, asyncio.TimeoutError) as fault:
            self.verdict.is_wrong(self.id, f"{type(fault).__name__}: {fault}")
        except websockets.ConnectionClosed:
            pass

    def profile(self, id: int, purpose: str, level: int, amps: float, **more) -> dict:
        """Return a profile as both editions write it, but for its schedule and number."""
        return {
            "stack_level": level,
            "charging_profile_purpose": purpose,
            "charging_profile_kind": "Absolute",
            **more,
        }

    def told(self, evse: int, wire: dict, accepted: bool) -> None:
        """Remember what a station was told, and whether it took it as it should."""
        expected = self.store.install(Profile.read(evse, wire), self.transaction)
        self.verdict.answers["Accepted" if accepted else "Rejected"] += 1
        self.changed_at = time.time()
        if expected != accepted:
            self.verdict.is_wrong(self.id, f"it should have {'taken' if expected else 'refused'} {wire}")

    def begins(self, transaction: str) -> None:
        """A transaction begins."""
        self.transaction = transaction
        self.since = self.changed_at = time.time()

    def ends(self) -> None:
        """The transaction has ended."""
        self.transaction = None
        self.store.ended()
        self.verdict.ended.add(self.id)

    def draws(self, amps: list[float]) -> None:
        """Compare what is measured with the most that was allowed while anybody could still be following it."""
        at = time.time()
        allowed = [self.store.amps(at - back, self.since, self.transaction) for back in range(int(PATIENCE_S))]
        most = RATING_A if None in allowed or at - self.changed_at < PATIENCE_S else max(allowed)
        self.verdict.measured += 1
        if max(amps, default=0.0) > most + TOLERANCE_A:
            self.verdict.is_wrong(self.id, f"draws {max(amps):.1f} A of {most:.1f} A")
        elif at - self.changed_at >= PATIENCE_S and max(amps, default=0.0) > 5.0:
            self.verdict.obeyed.add(self.id)

    def compare(self, start: str, periods: list[dict], duration_s: int) -> None:
        """Compare a composite schedule with what every second says, a second's doubt at each border left out."""
        begins = datetime.fromisoformat(start.replace("Z", "+00:00")).timestamp()
        told = sorted((p["start_period"], float(p["limit"])) for p in periods)
        self.verdict.schedules += 1
        for second in range(duration_s):
            said = [limit for from_s, limit in told if from_s <= second]
            around = {
                RATING_A if amps is None else min(amps, RATING_A)
                for near in (-1, 0, 1)
                for amps in [self.store.amps(begins + second + near, self.since, self.transaction)]
            }
            if not said or all(abs(said[-1] - amps) > 0.051 for amps in around):
                self.verdict.is_wrong(self.id, f"composite in {second} s is {said[-1:]} and should be {sorted(around)}: {told}")
                return

    async def _send(self, message: str) -> None:
        if message.startswith("[4"):
            self.verdict.is_wrong(self.id, f"was answered {message[:300]}")
        await super()._send(message)

    async def route_message(self, raw: str) -> None:
        """Count what is said, then answer it."""
        try:
            parsed = unpack(raw)
        except OCPPError as fault:
            self.verdict.is_wrong(self.id, f"says nonsense ({fault}): {raw[:100]}")
            return
        if raw.startswith("[2"):
            self.verdict.said[parsed.action] += 1
        # A station may say something while a call of ours is being answered: calls of ours must not hold that up.
        await super().route_message(raw)


def phases(samples: list[dict]) -> list[float]:
    """Return the currents of a list of samples."""
    return [float(one["value"]) for one in samples if one.get("measurand") == "Current.Import"]


class Desk16(Desk, ChargePoint16):
    """The desk for a station of 1.6."""

    edition = "1.6"
    numbers = 0

    @on("BootNotification")
    def boots(self, **_):
        """Accept its start."""
        self.verdict.booted.add(self.id)
        return result16.BootNotification(current_time=stamp(now()), interval=5, status="Accepted")

    @after("BootNotification")
    def booted(self, **_):
        """Set it up, now that it knows that it was accepted."""
        self.later(self.set_up())

    @on("Heartbeat")
    def lives(self):
        """Tell the time."""
        return result16.Heartbeat(current_time=stamp(now()))

    @on("StatusNotification")
    def status(self, **_):
        """Take note."""
        return result16.StatusNotification()

    @on("SecurityEventNotification")
    def event(self, **_):
        """Take note."""
        return result16.SecurityEventNotification()

    @on("FirmwareStatusNotification")
    def firmware(self, **_):
        """Take note."""
        return result16.FirmwareStatusNotification()

    @on("DiagnosticsStatusNotification")
    def diagnostics(self, **_):
        """Take note."""
        return result16.DiagnosticsStatusNotification()

    @on("Authorize")
    def authorize(self, **_):
        """Let everybody in."""
        return result16.Authorize(id_tag_info={"status": "Accepted"})

    @on("StartTransaction")
    def starts(self, **_):
        """Number the transaction."""
        Desk16.numbers += 1
        self.begins(str(Desk16.numbers))
        return result16.StartTransaction(transaction_id=Desk16.numbers, id_tag_info={"status": "Accepted"})

    @after("StartTransaction")
    def started(self, **_):
        """Steer it, now that it knows its transaction."""
        self.later(self.steer())

    @on("StopTransaction")
    def stops(self, **_):
        """Take note."""
        self.ends()
        return result16.StopTransaction()

    @on("MeterValues")
    def measures(self, meter_value, **_):
        """Compare what flows with what may."""
        for one in meter_value:
            self.draws(phases(one["sampled_value"]))
        return result16.MeterValues()

    async def tell(self, evse: int, id: int, purpose: str, level: int, amps: float, duration: int | None = None, **more):
        """Set a profile."""
        schedule = {
            "charging_rate_unit": "A",
            "start_schedule": stamp(now() - timedelta(seconds=1)),
            "charging_schedule_period": [{"start_period": 0, "limit": amps}],
        }
        if duration is not None:
            schedule["duration"] = duration
        wire = {"charging_profile_id": id, "charging_schedule": schedule, **self.profile(id, purpose, level, amps, **more)}
        answer = await self.call(call16.SetChargingProfile(connector_id=evse, cs_charging_profiles=wire), suppress=False)
        self.told(evse, wire, answer.status == "Accepted")

    async def set_up(self) -> None:
        """Ask what it can, and store what it falls back to."""
        answer = await self.call(call16.GetConfiguration(key=["ChargeProfileMaxStackLevel", "Nonsense"]), suppress=False)
        if [one["key"] for one in answer.configuration_key] != ["ChargeProfileMaxStackLevel"] or answer.unknown_key != ["Nonsense"]:
            self.verdict.is_wrong(self.id, f"configuration {answer}")
        await self.call(call16.ChangeConfiguration(key="MeterValueSampleInterval", value="2"), suppress=False)
        await self.call(call16.ClearChargingProfile(), suppress=False)
        await self.tell(0, 1, "ChargePointMaxProfile", 0, STATION_MAX_A)
        await self.tell(0, 2, "TxDefaultProfile", 0, DEFAULT_A)
        await self.tell(1, 3, "TxProfile", 1, TX_A)
        await self.composite()

    async def steer(self) -> None:
        """Give a transaction more for a while, look what it makes of it, and stop it in the end."""
        await self.tell(1, 3, "TxProfile", 1, TX_A, duration=TX_S, transaction_id=int(self.transaction))
        await self.composite()
        await asyncio.sleep(PATIENCE_S + TX_S + 4)
        if self.transaction is not None:
            await self.call(call16.TriggerMessage(requested_message="MeterValues", connector_id=1), suppress=False)
            await self.call(call16.RemoteStopTransaction(transaction_id=int(self.transaction)), suppress=False)

    async def composite(self) -> None:
        """Ask what it would do for a minute."""
        answer = await self.call(call16.GetCompositeSchedule(connector_id=1, duration=60, charging_rate_unit="A"), suppress=False)
        if answer.status != "Accepted":
            self.verdict.is_wrong(self.id, f"composite {answer.status}")
            return
        self.compare(answer.schedule_start, answer.charging_schedule["charging_schedule_period"], 60)


class Desk201(Desk, ChargePoint201):
    """The desk for a station of 2.0.1."""

    edition = "2.0.1"

    @on("BootNotification")
    def boots(self, **_):
        """Accept its start."""
        self.verdict.booted.add(self.id)
        return result201.BootNotification(current_time=stamp(now()), interval=5, status="Accepted")

    @after("BootNotification")
    def booted(self, **_):
        """Set it up, now that it knows that it was accepted."""
        self.later(self.set_up())

    @on("Heartbeat")
    def lives(self):
        """Tell the time."""
        return result201.Heartbeat(current_time=stamp(now()))

    @on("StatusNotification")
    def status(self, **_):
        """Take note."""
        return result201.StatusNotification()

    @on("SecurityEventNotification")
    def event(self, **_):
        """Take note."""
        return result201.SecurityEventNotification()

    @on("NotifyReport")
    def report(self, **_):
        """Take note."""
        return result201.NotifyReport()

    @on("NotifyEVChargingNeeds")
    def needs(self, charging_needs, **_):
        """Wait for what the vehicle wants before it is given a profile."""
        if charging_needs["ac_charging_parameters"]["energy_amount"] <= 0:
            self.verdict.is_wrong(self.id, f"wants {charging_needs}")
        return result201.NotifyEVChargingNeeds(status="Accepted")

    @on("NotifyEVChargingSchedule")
    def intends(self, **_):
        """Take note."""
        return result201.NotifyEVChargingSchedule(status="Accepted")

    @on("ReportChargingProfiles")
    def reports_profiles(self, charging_profile, **_):
        """Compare what it holds with what it was told."""
        held = {one["id"] for one in charging_profile}
        if not held <= {profile.id for profile in self.store.profiles}:
            self.verdict.is_wrong(self.id, f"it holds profiles {held}")
        return result201.ReportChargingProfiles()

    @on("Authorize")
    def authorize(self, **_):
        """Let everybody in."""
        return result201.Authorize(id_token_info={"status": "Accepted"})

    @on("TransactionEvent")
    def event_of_transaction(self, event_type, transaction_info, seq_no, meter_value=(), **_):
        """Follow the transaction."""
        if event_type == "Started":
            self.events = 0
            self.begins(transaction_info["transaction_id"])
        elif seq_no <= self.events:
            self.verdict.is_wrong(self.id, f"event {seq_no} came after {self.events}")
        self.events = seq_no
        for one in meter_value:
            self.draws(phases(one["sampled_value"]))
        if event_type == "Ended":
            self.ends()
        return result201.TransactionEvent()

    @after("TransactionEvent")
    def after_event(self, event_type, **_):
        """Steer a transaction that has begun."""
        if event_type == "Started":
            self.later(self.steer())

    async def tell(self, evse: int, id: int, purpose: str, level: int, amps: float, duration: int | None = None, **more):
        """Set a profile."""
        schedule = {
            "id": id,
            "charging_rate_unit": "A",
            "start_schedule": stamp(now() - timedelta(seconds=1)),
            "charging_schedule_period": [{"start_period": 0, "limit": amps}],
        }
        if duration is not None:
            schedule["duration"] = duration
        wire = {"id": id, "charging_schedule": [schedule], **self.profile(id, purpose, level, amps, **more)}
        answer = await self.call(call201.SetChargingProfile(evse_id=evse, charging_profile=wire), suppress=False)
        self.told(evse, wire, answer.status == "Accepted")

    async def set_up(self) -> None:
        """Ask what it can, and store what it falls back to."""
        wanted = {"component": {"name": "SmartChargingCtrlr"}, "variable": {"name": "ProfileStackLevel"}}
        answer = await self.call(call201.GetVariables(get_variable_data=[wanted]), suppress=False)
        if answer.get_variable_result[0]["attribute_status"] != "Accepted":
            self.verdict.is_wrong(self.id, f"variables {answer}")
        interval = {
            "component": {"name": "SampledDataCtrlr"},
            "variable": {"name": "TxUpdatedInterval"},
            "attribute_value": "2",
        }
        await self.call(call201.SetVariables(set_variable_data=[interval]), suppress=False)
        await self.call(call201.GetBaseReport(request_id=1, report_base="FullInventory"), suppress=False)
        await self.tell(0, 1, "ChargingStationMaxProfile", 0, STATION_MAX_A)
        await self.tell(0, 2, "TxDefaultProfile", 0, DEFAULT_A)
        await self.tell(0, 9, "TxDefaultProfile", 0, DEFAULT_A)
        await self.composite()

    async def steer(self) -> None:
        """Give a transaction more for a while, look what it makes of it, and stop it in the end."""
        await self.tell(1, 3, "TxProfile", 1, TX_A, duration=TX_S, transaction_id=self.transaction)
        await self.composite()
        await self.call(call201.GetChargingProfiles(request_id=2, charging_profile={"stack_level": 1}), suppress=False)
        await asyncio.sleep(PATIENCE_S + TX_S + 4)
        if self.transaction is not None:
            await self.call(call201.TriggerMessage(requested_message="TransactionEvent"), suppress=False)
            await self.call(call201.RequestStopTransaction(transaction_id=self.transaction), suppress=False)

    async def composite(self) -> None:
        """Ask what it would do for a minute."""
        answer = await self.call(call201.GetCompositeSchedule(duration=60, evse_id=1, charging_rate_unit="A"), suppress=False)
        if answer.status != "Accepted":
            self.verdict.is_wrong(self.id, f"composite {answer.status}")
            return
        self.compare(answer.schedule["schedule_start"], answer.schedule["charging_schedule_period"], 60)


def encryption(certificate: str | None, key: str | None, authority: str | None) -> ssl.SSLContext | None:
    """Return how connections are encrypted, and whose certificates stations must show."""
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if authority is not None:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def known(password: str | None):
    """Return what looks at a station's name and password before it is let in; None, nobody looks."""
    if password is None:
        return None

    def look(connection, request):
        name = request.path.rsplit("/", 1)[-1]
        wanted = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
        if request.headers.get("Authorization") != wanted:
            return connection.respond(401, "unknown\n")
        return None

    return look


async def serve(wanted: int, seconds: float, port: int = 0, tls=None, password=None, until_booted=False) -> dict:
    """Steer whoever connects for a while. Return the verdict."""
    verdict = Verdict()

    async def station(socket) -> None:
        name = socket.request.path.rsplit("/", 1)[-1]
        desk = (Desk16 if socket.subprotocol == "ocpp1.6" else Desk201)(name, socket)
        desk.begin(verdict)
        try:
            await desk.start()
        except (websockets.ConnectionClosed, NotKnown):
            pass

    async with websockets.serve(
        station,
        "127.0.0.1",
        port,
        subprotocols=["ocpp1.6", "ocpp2.0.1"],
        ssl=tls,
        process_request=known(password),
    ) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        until = time.monotonic() + seconds
        while time.monotonic() < until and len(verdict.booted if until_booted else verdict.ended) < wanted:
            await asyncio.sleep(0.2)
    return verdict.as_json(wanted)


def main() -> int:
    """Run from the command line."""
    logging.getLogger("ocpp").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, required=True, help="how many are expected")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long to wait for all of them at most")
    parser.add_argument("--until-booted", action="store_true", help="end as soon as all have started")
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0, anywhere")
    parser.add_argument("--certificate", help="its certificate, a PEM file; without one, nothing is encrypted")
    parser.add_argument("--key", help="the key of the certificate, a PEM file")
    parser.add_argument("--authority", help="who signs the certificates that stations must show, a PEM file")
    parser.add_argument("--password", help="what stations must know; without it, everybody is let in")
    arguments = parser.parse_args()
    tls = encryption(arguments.certificate, arguments.key, arguments.authority)
    serving = serve(
        arguments.stations, arguments.seconds, arguments.port, tls, arguments.password, arguments.until_booted
    )
    verdict = asyncio.run(serving)
    print(json.dumps(verdict), flush=True)
    fine = not verdict["wrong"] and verdict["booted"] == arguments.stations
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
