"""A station of OCPP 2.0.1 that obeys profiles as the specification says."""

from __future__ import annotations

import time
import uuid

from ocpp.routing import after, on
from ocpp.v201 import ChargePoint, call, call_result
from profiles import Profile
from station import Station, stamp

EVSE = {"id": 1, "connector_id": 1}


class Charger201(Station, ChargePoint):
    """The station."""

    edition = "2.0.1"
    protocol = "ocpp2.0.1"
    events = 0

    async def boots(self) -> None:
        """Say that it has started, until it is accepted."""
        station = {"model": "Two", "vendor_name": "Stranger"}
        await self.until_accepted(lambda: self.call(call.BootNotification(charging_station=station, reason="PowerUp")))
        await self.status("Available")

    async def status(self, status: str) -> None:
        """Say what the connector does, if it is something else than before."""
        if status != self.said:
            self.said = status
            await self.call(
                call.StatusNotification(timestamp=stamp(), connector_status=status, evse_id=1, connector_id=1)
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
            call.TransactionEvent(
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
        answer = await self.call(call.Authorize(id_token=token))
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
        await self.call(call.Heartbeat())

    @on("SetChargingProfile")
    def sets(self, evse_id, charging_profile, **_):
        """Take a profile, or not."""
        taken = self.takes(Profile.read(evse_id, charging_profile))
        return call_result.SetChargingProfile(status="Accepted" if taken else "Rejected")

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
        return call_result.ClearChargingProfile(status="Accepted" if cleared else "Unknown")

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
        return call_result.GetCompositeSchedule(status="Accepted", schedule=schedule)

    @on("GetChargingProfiles")
    def profiles_wanted(self, **_):
        """Tell nothing of what it holds: stations need not."""
        return call_result.GetChargingProfiles(status="NoProfiles")

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
        }
        results = []
        for one in get_variable_data:
            value = known.get((one["component"]["name"], one["variable"]["name"]))
            result = {"component": one["component"], "variable": one["variable"]}
            if value is None:
                result["attribute_status"] = "UnknownVariable"
            else:
                result |= {"attribute_status": "Accepted", "attribute_value": value}
            results.append(result)
        return call_result.GetVariables(get_variable_result=results)

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
        return call_result.SetVariables(set_variable_result=results)

    @on("GetBaseReport")
    def report(self, **_):
        """Have none."""
        return call_result.GetBaseReport(status="NotSupported")

    @on("TriggerMessage")
    def triggered(self, requested_message, **_):
        """Say something once more."""
        known = requested_message in ("StatusNotification", "TransactionEvent", "MeterValues", "Heartbeat")
        return call_result.TriggerMessage(status="Accepted" if known else "NotImplemented")

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
        return call_result.RequestStartTransaction(status="Rejected")

    @on("RequestStopTransaction")
    def stops_from_afar(self, transaction_id, **_):
        """Stop if that is the one."""
        return call_result.RequestStopTransaction(status="Accepted" if self.transaction == transaction_id else "Rejected")

    @after("RequestStopTransaction")
    async def stopped(self, transaction_id, **_):
        """End it."""
        if self.transaction == transaction_id:
            await self.unplugged()
            self.vehicle = None

    @on("Reset")
    def resets(self, **_):
        """Refuse: nobody here has anything to start anew."""
        return call_result.Reset(status="Rejected")

    @on("ChangeAvailability")
    def availability(self, **_):
        """Stay as it is."""
        return call_result.ChangeAvailability(status="Accepted")

    @on("UnlockConnector")
    def unlocks(self, **_):
        """Do nothing."""
        return call_result.UnlockConnector(status="UnlockFailed")

    @on("SendLocalList")
    def local_list(self, **_):
        """Take the list."""
        return call_result.SendLocalList(status="Accepted")

    @on("GetLocalListVersion")
    def local_list_version(self, **_):
        """Have none."""
        return call_result.GetLocalListVersion(version_number=0)

    @on("ClearCache")
    def clears_cache(self, **_):
        """Have none."""
        return call_result.ClearCache(status="Accepted")
