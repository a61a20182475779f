"""A station of OCPP 1.6 that obeys profiles as the specification says."""

from __future__ import annotations

import json
import time

from ocpp.routing import after, on
from ocpp.v16 import ChargePoint, call, call_result
from profiles import Profile
from station import Station, stamp


class Charger16(Station, ChargePoint):
    """The station."""

    edition = "1.6"
    protocol = "ocpp1.6"

    async def boots(self) -> None:
        """Say that it has started, until it is accepted."""
        await self.until_accepted(
            lambda: self.call(call.BootNotification(charge_point_vendor="Stranger", charge_point_model="One"))
        )
        await self.status("Available")

    async def status(self, status: str) -> None:
        """Say what the connector does, if it is something else than before."""
        if status != self.said:
            self.said = status
            await self.call(call.StatusNotification(connector_id=1, error_code="NoError", status=status, timestamp=stamp()))

    async def plugged_in(self) -> None:
        """Begin a transaction for the vehicle that is there."""
        await self.status("Preparing")
        answer = await self.call(call.Authorize(id_tag="STRANGER"))
        if answer is None or answer.id_tag_info["status"] != "Accepted":
            self.refused += 1
        await self.call(
            call.StartTransaction(connector_id=1, id_tag="STRANGER", meter_start=int(self.wh), timestamp=stamp())
        )

    async def route_message(self, raw: str) -> None:
        """Note the number of a transaction before anything else is heard: what comes next may name it."""
        message = json.loads(raw)
        if message[0] == 3 and "transactionId" in message[2]:
            self.transaction, self.since = str(message[2]["transactionId"]), time.time()
        await super().route_message(raw)

    async def unplugged(self) -> None:
        """End the transaction."""
        if self.transaction is not None:
            number, self.transaction = int(self.transaction), None
            self.store.ended()
            await self.call(call.StopTransaction(transaction_id=number, meter_stop=int(self.wh), timestamp=stamp()))
        await self.status("Available")

    async def measured(self) -> None:
        """Tell what flows, and what the connector does."""
        if self.transaction is None or self.vehicle is None:
            return
        suspended = "SuspendedEVSE" if self.offered_a() < 6 else "SuspendedEV"
        await self.status("Charging" if self.vehicle.amps > 0 else suspended)
        samples = [{"value": f"{self.wh:.0f}", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}] + [
            {"value": f"{amps:.1f}", "measurand": "Current.Import", "unit": "A", "phase": f"L{phase + 1}"}
            for phase, amps in enumerate(self.own_phases())
        ]
        values = [{"timestamp": stamp(), "sampled_value": samples}]
        await self.call(call.MeterValues(connector_id=1, transaction_id=int(self.transaction), meter_value=values))

    async def lives(self) -> None:
        """Say that it is there."""
        await self.call(call.Heartbeat())

    @on("SetChargingProfile")
    def sets(self, connector_id, cs_charging_profiles, **_):
        """Take a profile, or not."""
        taken = self.takes(Profile.read(connector_id, cs_charging_profiles))
        return call_result.SetChargingProfile(status="Accepted" if taken else "Rejected")

    @on("ClearChargingProfile")
    def clears(self, id=None, connector_id=None, charging_profile_purpose=None, stack_level=None, **_):
        """Clear what matches."""
        cleared = self.store.clear(id, connector_id, charging_profile_purpose, stack_level)
        return call_result.ClearChargingProfile(status="Accepted" if cleared else "Unknown")

    @on("GetCompositeSchedule")
    def composite(self, connector_id, duration, **_):
        """Tell what it would do."""
        schedule = {
            "charging_rate_unit": "A",
            "duration": duration,
            "start_schedule": stamp(),
            "charging_schedule_period": self.composite_periods(min(duration, 7200)),
        }
        return call_result.GetCompositeSchedule(
            status="Accepted", connector_id=connector_id, schedule_start=stamp(), charging_schedule=schedule
        )

    @on("GetConfiguration")
    def configuration(self, key=None, **_):
        """Tell what it can."""
        all_keys = {
            "ChargeProfileMaxStackLevel": "5",
            "ChargingScheduleAllowedChargingRateUnit": "Current",
            "ChargingScheduleMaxPeriods": "24",
            "MaxChargingProfilesInstalled": "10",
            "ConnectorSwitch3to1PhaseSupported": "false",
            "NumberOfConnectors": "1",
            "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
            "MeterValueSampleInterval": str(self.measures_every_s),
            "HeartbeatInterval": "60",
        }
        wanted = key or list(all_keys)
        known = [{"key": name, "readonly": False, "value": all_keys[name]} for name in wanted if name in all_keys]
        return call_result.GetConfiguration(
            configuration_key=known, unknown_key=[name for name in wanted if name not in all_keys]
        )

    @on("ChangeConfiguration")
    def changes(self, key, value, **_):
        """Change how often it measures; accept what it has no use for."""
        if key == "MeterValueSampleInterval" and value.isdigit():
            self.measures_every_s = max(1, int(value))
        return call_result.ChangeConfiguration(status="Accepted")

    @on("TriggerMessage")
    def triggered(self, requested_message, **_):
        """Say something once more."""
        return call_result.TriggerMessage(status="NotImplemented" if requested_message == "BootNotification" else "Accepted")

    @after("TriggerMessage")
    async def says_again(self, requested_message, **_):
        """Say it."""
        if requested_message == "StatusNotification":
            said, self.said = self.said, None
            await self.status(said or "Available")
        elif requested_message == "MeterValues":
            await self.measured()
        elif requested_message == "Heartbeat":
            await self.lives()

    @on("RemoteStartTransaction")
    def starts_from_afar(self, **_):
        """Its vehicles start by themselves."""
        return call_result.RemoteStartTransaction(status="Rejected" if self.transaction else "Accepted")

    @on("RemoteStopTransaction")
    def stops_from_afar(self, transaction_id, **_):
        """Stop if that is the one."""
        meant = self.transaction == str(transaction_id)
        return call_result.RemoteStopTransaction(status="Accepted" if meant else "Rejected")

    @after("RemoteStopTransaction")
    async def stopped(self, transaction_id, **_):
        """End it."""
        if self.transaction == str(transaction_id):
            self.vehicle = None
            await self.unplugged()

    @on("Reset")
    def resets(self, **_):
        """Refuse: nobody here has anything to start anew."""
        return call_result.Reset(status="Rejected")

    @on("UnlockConnector")
    def unlocks(self, **_):
        """Do nothing."""
        return call_result.UnlockConnector(status="NotSupported")

    @on("ChangeAvailability")
    def availability(self, **_):
        """Stay as it is."""
        return call_result.ChangeAvailability(status="Accepted")

    @on("SendLocalList")
    def local_list(self, **_):
        """Take the list."""
        return call_result.SendLocalList(status="Accepted")

    @on("GetLocalListVersion")
    def local_list_version(self, **_):
        """Have none."""
        return call_result.GetLocalListVersion(list_version=0)

    @on("ClearCache")
    def clears_cache(self, **_):
        """Have none."""
        return call_result.ClearCache(status="Accepted")
