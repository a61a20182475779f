"""Stations of OCPP 2.0.1 and 2.1 that obey profiles as the specification says."""

from __future__ import annotations

import time
import uuid

from ocpp import v21, v201
from ocpp.routing import after, on
from profiles import Profile
from station import Station, stamp

EVSE = {"id": 1, "connector_id": 1}


class Charger2(Station):
    """What is the same in both versions."""

    edition = "2.0.1"
    events = 0
    # The words of its version.
    asks = v201.call
    answers = v201.call_result
    # What it says of itself beyond the usual.
    more_variables: dict[tuple[str, str], str] = {}

    async def boots(self) -> None:
        """Say that it has started, until it is accepted."""
        station = {"model": "Two", "vendor_name": "Stranger"}
        await self.until_accepted(lambda: self.call(self.asks.BootNotification(charging_station=station, reason="PowerUp")))
        await self.status("Available")

    async def status(self, status: str) -> None:
        """Say what the connector does, if it is something else than before."""
        if status != self.said:
            self.said = status
            await self.call(
                self.asks.StatusNotification(timestamp=stamp(), connector_status=status, evse_id=1, connector_id=1)
            )

    def values(self) -> list[dict]:
        """Return what flows."""
        samples = [{"value": round(self.wh, 1), "measurand": "Energy.Active.Import.Register"}] + [
            {"value": round(amps, 1), "measurand": "Current.Import", "phase": f"L{phase + 1}"}
            for phase, amps in enumerate(self.own_phases())
        ]
        return [{"timestamp": stamp(), "sampled_value": samples}]

    async def event(self, kind: str, trigger: str, **more):
        """Tell something of the transaction."""
        info = {"transaction_id": self.transaction, **more.pop("info", {})}
        number, self.events = self.events, self.events + 1
        answer = await self.call(
            self.asks.TransactionEvent(
                event_type=kind,
                timestamp=stamp(),
                trigger_reason=trigger,
                seq_no=number,
                transaction_info=info,
                meter_value=self.values(),
                evse=EVSE,
                **more,
            )
        )
        return answer

    async def plugged_in(self) -> None:
        """Begin a transaction for the vehicle that is there."""
        await self.status("Occupied")
        token = {"id_token": "STRANGER", "type": "ISO14443"}
        answer = await self.call(self.asks.Authorize(id_token=token))
        if answer is None or answer.id_token_info["status"] != "Accepted":
            self.refused += 1
        self.transaction, self.since, self.events = str(uuid.uuid4()), time.time(), 0
        await self.event("Started", "Authorized", id_token=token, info={"charging_state": "EVConnected"})

    async def unplugged(self) -> None:
        """End the transaction."""
        if self.transaction is not None:
            await self.event("Ended", "EVDeparted", info={"stopped_reason": "EVDisconnected"})
            self.transaction = None
            self.store.ended()
        await self.status("Available")

    async def measured(self) -> None:
        """Tell what flows."""
        if self.transaction is None or self.vehicle is None:
            return
        suspended = "SuspendedEVSE" if self.offered_a() < 6 else "SuspendedEV"
        state = "Charging" if self.vehicle.amps > 0 else suspended
        await self.event("Updated", "MeterValuePeriodic", info={"charging_state": state})

    async def lives(self) -> None:
        """Say that it is there."""
        await self.call(self.asks.Heartbeat())

    @on("SetChargingProfile")
    def sets(self, evse_id, charging_profile, **_):
        """Take a profile, or not."""
        taken = self.takes(Profile.read(evse_id, charging_profile))
        return self.answers.SetChargingProfile(status="Accepted" if taken else "Rejected")

    @on("ClearChargingProfile")
    def clears(self, charging_profile_id=None, charging_profile_criteria=None, **_):
        """Clear what matches."""
        criteria = charging_profile_criteria or {}
        cleared = self.store.clear(
            charging_profile_id,
            criteria.get("evse_id"),
            criteria.get("charging_profile_purpose"),
            criteria.get("stack_level"),
        )
        return self.answers.ClearChargingProfile(status="Accepted" if cleared else "Unknown")

    @on("GetCompositeSchedule")
    def composite(self, duration, evse_id, **_):
        """Tell what it would do."""
        schedule = {
            "evse_id": evse_id,
            "duration": duration,
            "schedule_start": stamp(),
            "charging_rate_unit": "A",
            "charging_schedule_period": self.composite_periods(min(duration, 7200)),
        }
        return self.answers.GetCompositeSchedule(status="Accepted", schedule=schedule)

    @on("GetChargingProfiles")
    def profiles_wanted(self, **_):
        """Tell nothing of what it holds: stations need not."""
        return self.answers.GetChargingProfiles(status="NoProfiles")

    @on("GetVariables")
    def variables(self, get_variable_data, **_):
        """Tell what it can."""
        known = {
            ("SmartChargingCtrlr", "ProfileStackLevel"): "5",
            ("SmartChargingCtrlr", "RateUnit"): "A",
            ("SmartChargingCtrlr", "PeriodsPerSchedule"): "24",
            ("SmartChargingCtrlr", "Entries"): "10",
            ("SmartChargingCtrlr", "Enabled"): "true",
            ("SampledDataCtrlr", "TxUpdatedInterval"): str(self.measures_every_s),
        } | self.more_variables
        results = []
        for one in get_variable_data:
            value = known.get((one["component"]["name"], one["variable"]["name"]))
            result = {"component": one["component"], "variable": one["variable"]}
            if value is None:
                result["attribute_status"] = "UnknownVariable"
            else:
                result |= {"attribute_status": "Accepted", "attribute_value": value}
            results.append(result)
        return self.answers.GetVariables(get_variable_result=results)

    @on("SetVariables")
    def changes(self, set_variable_data, **_):
        """Change how often it measures; accept what it has no use for."""
        results = []
        for one in set_variable_data:
            if one["variable"]["name"] == "TxUpdatedInterval" and one["attribute_value"].isdigit():
                self.measures_every_s = max(1, int(one["attribute_value"]))
            results.append(
                {"component": one["component"], "variable": one["variable"], "attribute_status": "Accepted"}
            )
        return self.answers.SetVariables(set_variable_result=results)

    @on("GetBaseReport")
    def report(self, **_):
        """Have none."""
        return self.answers.GetBaseReport(status="NotSupported")

    @on("TriggerMessage")
    def triggered(self, requested_message, **_):
        """Say something once more."""
        known = requested_message in ("StatusNotification", "TransactionEvent", "MeterValues", "Heartbeat")
        return self.answers.TriggerMessage(status="Accepted" if known else "NotImplemented")

    @after("TriggerMessage")
    async def says_again(self, requested_message, **_):
        """Say it."""
        if requested_message == "StatusNotification":
            said, self.said = self.said, None
            await self.status(said or "Available")
        elif requested_message in ("TransactionEvent", "MeterValues"):
            await self.measured()
        elif requested_message == "Heartbeat":
            await self.lives()

    @on("RequestStartTransaction")
    def starts_from_afar(self, **_):
        """Its vehicles start by themselves."""
        return self.answers.RequestStartTransaction(status="Rejected")

    @on("RequestStopTransaction")
    def stops_from_afar(self, transaction_id, **_):
        """Stop if that is the one."""
        return self.answers.RequestStopTransaction(status="Accepted" if self.transaction == transaction_id else "Rejected")

    @after("RequestStopTransaction")
    async def stopped(self, transaction_id, **_):
        """End it."""
        if self.transaction == transaction_id:
            await self.unplugged()
            self.vehicle = None

    @on("Reset")
    def resets(self, **_):
        """Refuse: nobody here has anything to start anew."""
        return self.answers.Reset(status="Rejected")

    @on("ChangeAvailability")
    def availability(self, **_):
        """Stay as it is."""
        return self.answers.ChangeAvailability(status="Accepted")

    @on("UnlockConnector")
    def unlocks(self, **_):
        """Do nothing."""
        return self.answers.UnlockConnector(status="UnlockFailed")

    @on("SendLocalList")
    def local_list(self, **_):
        """Take the list."""
        return self.answers.SendLocalList(status="Accepted")

    @on("GetLocalListVersion")
    def local_list_version(self, **_):
        """Have none."""
        return self.answers.GetLocalListVersion(version_number=0)

    @on("ClearCache")
    def clears_cache(self, **_):
        """Have none."""
        return self.answers.ClearCache(status="Accepted")


class Charger201(Charger2, v201.ChargePoint):
    """The station of 2.0.1."""

    protocol = "ocpp2.0.1"


class Charger21(Charger2, v21.ChargePoint):
    """The station of 2.1: its limits can be updated by themselves (K28)."""

    protocol = "ocpp2.1"
    asks = v21.call
    answers = v21.call_result
    more_variables = {("SmartChargingCtrlr", "SupportsDynamicProfiles"): "true"}

    @on("UpdateDynamicSchedule")
    def updates(self, charging_profile_id, schedule_update, **_):
        """Take another limit for a profile it has, or not."""
        taken = self.store.update(charging_profile_id, schedule_update.get("limit"), time.time())
        self.updated += taken
        return self.answers.UpdateDynamicSchedule(status="Accepted" if taken else "Rejected")
