// A charger that never answers SetChargingProfile, as the simulator it runs on does not know it. It charges 16 A on three
// phases whatever it is told, until its time is over. The URL, how long in seconds, and nothing else, come in as environment.
const seconds = Number(process.env.BLACK_HOLE_SECONDS || 60);
const now = () => new Date().toISOString();
let cp;
try {
  cp = await connect(process.env.BLACK_HOLE_URL);
  await cp.sendBootnotification({ chargePointVendor: 'BlackHole', chargePointModel: '1' });
  await cp.sendStatusNotification({ connectorId: 1, errorCode: 'NoError', status: 'Preparing' });
  await cp.sendAuthorize({ idTag: 'HOLE' });
  const { transactionId } = await cp.startTransaction({ connectorId: 1, idTag: 'HOLE', meterStart: 0, timestamp: now() });
  await cp.sendStatusNotification({ connectorId: 1, errorCode: 'NoError', status: 'Charging' });
  let wh = 0;
  for (let second = 0; second < seconds; second += 2) {
    await cp.sleep(2000);
    wh += 6;
    const sampledValue = ['L1', 'L2', 'L3'].map((phase) => ({ value: '16.0', measurand: 'Current.Import', unit: 'A', phase }));
    sampledValue.push({ value: String(wh), measurand: 'Energy.Active.Import.Register', unit: 'Wh' });
    await cp.meterValues({ connectorId: 1, transactionId, meterValue: [{ timestamp: now(), sampledValue }] });
  }
  await cp.stopTransaction({ transactionId, meterStop: wh, timestamp: now() });
  console.log('black hole: done');
} catch (fault) {
  console.log(`black hole: ${fault}`);
} finally {
  cp.close();
}
