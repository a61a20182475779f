// The page in Chromium, as somebody uses it. Prints what was seen as JSON; the test that started it judges.
//   node browser.js demo URL LINK KEY PICTURES     a demo's page: by its link, then by its key
//   node browser.js first URL SECRET PICTURES      the first start: a password is chosen, logged out, wrong, right
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// Nothing that is waited for takes so long, on a machine that has other things to do.
const PATIENCE_MS = 120_000;

const seen = { errors: [] };
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  // Where tests are run as root, Chromium's own sandbox refuses; what it shows is ours alone.
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});

async function tab(width) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.setViewport({ width, height: 900 });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  // What is refused on purpose (a wrong password, not logged in yet) is logged by the browser too.
  page.on("console", (line) => {
    if (line.type() === "error" && !/status of 40[13]/.test(line.text())) seen.errors.push(line.text());
  });
  return page;
}

const text = (page, selector) => page.$eval(selector, (element) => element.textContent.trim());
const shown = (page, selector) => page.waitForSelector(selector, { visible: true });

/** What axe finds wrong, as `rule: element`. */
async function faults(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 120)}`));
}

/** What of the page is wider than the window, in pixels. */
const sticksOut = (page) => page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);

/** Fills in a form by the names of its fields, and sends it. */
async function send(page, form, fields) {
  for (const [name, value] of Object.entries(fields)) {
    await page.$eval(`${form} [name=${name}]`, (input) => { input.value = ""; });
    await page.type(`${form} [name=${name}]`, value);
  }
  await page.click(`${form} button[type=submit]`);
}

async function demo(url, link, key, pictures) {
  const page = await tab(1280);
  await page.goto(`${url}/#link=${link}`);
  await shown(page, "#site");
  seen.address = page.url();
  // Vehicles charge, and a plan is shown.
  await page.waitForFunction(() => document.querySelector("#chart svg")
    && [...document.querySelectorAll("#chargers tbody tr")].some((row) => Number.parseFloat(row.cells[1].textContent) > 5));
  seen.title = await page.title();
  seen.state = await text(page, "#state");
  seen.plan = await text(page, "#plan-text");
  seen.chargers = await page.$$eval("#chargers tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));
  seen.boards = await page.$$eval("#boards [role=meter]", (meters) => meters.map((meter) => ({
    label: meter.getAttribute("aria-label"), now: Number(meter.getAttribute("aria-valuenow")), max: Number(meter.getAttribute("aria-valuemax")),
    width: Number.parseFloat(meter.querySelector(".flows").style.width),
  })));
  await page.$eval("#plan-table", (details) => { details.open = true; });
  seen.slots = await page.$$eval("#plan-table tbody tr", (rows) => rows.length);
  seen.faults = await faults(page);
  await page.$eval("#plan-table", (details) => { details.open = false; });
  await page.screenshot({ path: `${pictures}/page.png` });
  // It lives: without a reload, the time it shows goes on.
  await page.waitForFunction((before) => document.querySelector("#state").textContent !== before, {}, seen.state);
  // What is changed elsewhere is seen here: a vehicle that charges is stopped over the API.
  // Why is told with what is told anew, so it has to be one that may draw something.
  seen.stopped = await page.evaluate(async (token) => {
    const ask = (path, init) => fetch(path, { ...init, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" } });
    for (;;) {
      const status = await (await ask("/v1/sites/demo/status")).json();
      const charging = status.chargers.find((one) => one.session && one.setpoint && one.setpoint.limit_a >= 6);
      if (!charging) continue;
      const until = new Date(Date.now() + 3_600_000).toISOString();
      const answer = await ask(`/v1/sites/demo/sessions/${encodeURIComponent(charging.session.id)}`,
        { method: "PATCH", body: JSON.stringify({ override: { action: "stop", until } }) });
      return { charger: charging.id, status: answer.status };
    }
  }, key);
  await page.waitForFunction((charger) => {
    const row = [...document.querySelectorAll("#chargers tbody tr")].find((one) => one.dataset.name === charger);
    return Number.parseFloat(row.cells[2].textContent) === 0 && /override/.test(row.cells[3].textContent);
  }, {}, seen.stopped.charger);
  // Another tab knows nothing of a key; in a narrow one nothing sticks out.
  const narrow = await tab(390);
  const apart = await browser.createBrowserContext();
  const stranger = await apart.newPage();
  stranger.setDefaultTimeout(PATIENCE_MS);
  await stranger.goto(url);
  await shown(stranger, "#enter");
  seen.stranger = await stranger.$eval("#site", (site) => site.hidden);
  await send(stranger, "#key", { key: "kw_not_a_key" });
  await shown(stranger, "#trouble");
  seen.refused = await text(stranger, "#trouble");
  await send(stranger, "#key", { key });
  await shown(stranger, "#site");
  await narrow.goto(url);
  await shown(narrow, "#site");
  await narrow.waitForSelector("#chargers tbody tr");
  seen.sticksOut = await sticksOut(narrow);
  await narrow.screenshot({ path: `${pictures}/narrow.png`, fullPage: true });
}

async function first(url, secret, pictures) {
  const page = await tab(1280);
  await page.goto(`${url}/#setup=${secret}`);
  await shown(page, "#setup");
  seen.address = page.url();
  seen.faults = await faults(page);
  const who = { email: "ann@depot.example", password: "correct horse battery" };
  await send(page, "#first", { name: "Ann Jansen", ...who });
  await page.waitForFunction(() => /No site yet/.test(document.querySelector("#state").textContent));
  seen.state = await text(page, "#state");
  await page.screenshot({ path: `${pictures}/first.png` });
  await Promise.all([page.waitForNavigation(), page.click("#leave")]);
  await shown(page, "#enter");
  await send(page, "#login", { ...who, password: "wrong horse battery" });
  await shown(page, "#trouble");
  seen.refused = await text(page, "#trouble");
  seen.faults.push(...await faults(page));
  await send(page, "#login", who);
  await page.waitForFunction(() => /No site yet/.test(document.querySelector("#state").textContent));
  // The link that was used is of no use to whoever finds it.
  const again = await tab(1280);
  await again.goto(`${url}/#setup=${secret}`);
  await shown(again, "#setup");
  await send(again, "#first", { name: "Eve", email: "eve@depot.example", password: "another horse battery" });
  await shown(again, "#trouble");
  seen.again = await text(again, "#trouble");
}

try {
  await { demo, first }[process.argv[2]](...process.argv.slice(3));
} catch (error) {
  seen.errors.push(String(error.stack || error));
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
