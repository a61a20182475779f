// A site's status as a page. Elements are made once and brought up to date after that, so that focus and scrolling stay.

import { chart } from "./chart.js";

const $ = (id) => document.getElementById(id);
const PHASES = ["L1", "L2", "L3"];
const STEERING = {
  plan: "steered by the plan",
  share: "no plan: what is free is shared out",
  fallback: "the fast loop fails: chargers fall back to what they store",
};
const WHY = {
  limit: "a fuse", grid: "the grid operator", turn: "waits for its turn", guaranteed: "guaranteed minimum",
  override: "override", plan: "the plan", spare: "spare power", idle: "nothing wanted",
};

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

// What time it is where the site is steered.
let now = new Date();

function when(at) {
  const date = new Date(at);
  const today = now.toDateString() === date.toDateString();
  return today ? clock(at) : `${date.toLocaleDateString([], { weekday: "short" })} ${clock(at)}`;
}

/** Keeps one child of `parent` for each item, by name; `fresh` makes it, `update` brings it up to date. */
function keep(parent, items, name, fresh, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.name, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    let child = known.get(name(item));
    known.delete(name(item));
    if (!child) {
      child = fresh(item);
      child.dataset.name = name(item);
    }
    if (child !== place) parent.insertBefore(child, place);
    else place = place.nextElementSibling;
    update(child, item);
  }
  for (const child of known.values()) child.remove();
}

function freshBoard() {
  const bars = PHASES.map((phase) => make("div", { class: "phase" }, make("span", {}, phase),
    make("div", { class: "track", role: "meter", "aria-valuemin": 0 }, make("span", { class: "counted" }), make("span", { class: "flows" })),
    make("span", { class: "value" })));
  return make("div", { class: "board" }, make("h3", {}, make("span"), " ", make("small")), ...bars);
}

function updateBoard(element, node) {
  text(element.querySelector("h3 span"), node.id);
  const meter = node.meter_believed === false ? "meter not believed" : node.measured_a ? "measured" : "no meter";
  text(element.querySelector("small"), node.parent ? `below ${node.parent}, ${meter}` : meter);
  element.querySelectorAll(".phase").forEach((row, phase) => {
    const [limit, flows, counted] = [node.limit_a[phase], node.drawn_a[phase], node.counted_a[phase]];
    const share = limit > 0 ? Math.abs(flows) / limit : 0;
    row.classList.toggle("near", share > 0.9 && share <= 1);
    row.classList.toggle("over", share > 1);
    const width = (amps) => `${Math.max(0, Math.min(100, (100 * Math.abs(amps)) / (limit || 1)))}%`;
    row.querySelector(".flows").style.width = width(flows);
    row.querySelector(".counted").style.width = width(Math.max(counted, flows));
    text(row.querySelector(".value"), `${flows.toFixed(1)} of ${limit.toFixed(0)} A`);
    const track = row.querySelector(".track");
    track.setAttribute("aria-valuemax", limit);
    track.setAttribute("aria-valuenow", flows.toFixed(1));
    track.setAttribute("aria-label", `${node.id} ${PHASES[phase]}`);
  });
}

const COLUMNS = ["Charger", "Draws", "May draw", "Why", "Vehicle", "Leaves", "Energy"];

function freshCharger() {
  const cells = COLUMNS.map((label) => make("td", { "data-label": label }));
  cells[0].append(make("span"), " ", make("small"));
  cells[6].append(make("progress", { class: "energy" }), make("span"));
  return make("tr", {}, ...cells);
}

// Where a departure or need is from; what its driver says goes without saying.
const FROM = {
  vehicle: " (vehicle)",
  roster: " (roster)",
  template: " (template)",
  history: " (as before)",
  group: " (as its group)",
  assumed: " (assumed)",
};

function leaves(session) {
  const at = session.departure || session.planned_until;
  return at ? when(at) + (FROM[session.departure_from] || "") : "unknown";
}

// Its name, or else of what it is one and since when it is there.
function who(session) {
  if (session.vehicle) return session.vehicle;
  const since = session.arrival ? ` since ${when(session.arrival)}` : "";
  return `${session.group || "a vehicle"}${since}`;
}

function updateCharger(row, charger) {
  const cells = row.children;
  text(cells[0].querySelector("span"), charger.id);
  text(cells[0].querySelector("small"), charger.online ? charger.node : `${charger.node}, out of reach`);
  cells[0].classList.toggle("silent", !charger.online);
  const drawn = charger.drawn_a;
  text(cells[1], drawn ? drawn.map((amps) => amps.toFixed(0)).join(" / ") + " A" : "unknown");
  const setpoint = charger.setpoint;
  text(cells[2], setpoint ? `${setpoint.limit_a.toFixed(1)} A × ${setpoint.phases}` : "not told yet");
  const confirmed = setpoint && !setpoint.trace.confirmed ? ", not confirmed" : "";
  text(cells[3], setpoint ? (WHY[setpoint.trace.why] || setpoint.trace.why) + confirmed : "");
  const session = charger.session;
  text(cells[4], session ? who(session) : "");
  text(cells[5], session ? leaves(session) : "");
  const bar = cells[6].querySelector("progress");
  bar.hidden = !session || !session.need_kwh;
  if (!session) { text(cells[6].querySelector("span"), ""); return; }
  if (session.need_kwh) {
    bar.max = session.need_kwh;
    bar.value = Math.min(session.energy_kwh, session.need_kwh);
  }
  const need = session.need_kwh ? ` of ${session.need_kwh.toFixed(1)}${FROM[session.need_from] || ""}` : "";
  const expected = session.expected_kwh === null || session.expected_kwh === undefined ? "" : `, will have ${session.expected_kwh.toFixed(1)}`;
  text(cells[6].querySelector("span"), `${session.energy_kwh.toFixed(1)}${need} kWh${expected}`);
}

/** Where prices and weather are from, and what is wrong with them. */
export function showFeeds(feeds) {
  const told = (what, fetched) => {
    if (!fetched.source) return fetched.late ? `${what} are late` : `${what} are not there yet`;
    return `${what} from ${fetched.source} at ${when(fetched.received)}` + (fetched.notes.length ? `, ${fetched.notes[0]}` : "");
  };
  const days = feeds ? feeds.prices.map((day) => told(`prices of ${day.day}`, day)) : [];
  const weather = feeds && feeds.weather ? [told("weather", feeds.weather)] : [];
  text($("feeds-text"), [...days, ...weather].join("; "));
}

let shownPlan = "";

function showPlan(plan) {
  if (!plan) {
    text($("plan-text"), "There is no plan yet.");
    $("chart").replaceChildren();
    shownPlan = "";
    return;
  }
  const bound = plan.bound_eur === null || plan.bound_eur === undefined ? "" : `; none can cost less than ${plan.bound_eur.toFixed(2)} EUR`;
  const known = plan.basis.filter((one) => one !== "fresh");
  const basis = known.length === 0 ? "All that it rests on is fresh." : `It rests on: ${known.join("; ")}.`;
  text($("plan-text"), `Made at ${clock(plan.at)}, costs ${plan.cost_eur.toFixed(2)} EUR${bound}. ${basis}`);
  // The picture moves with the minute.
  const state = `${plan.id} ${Math.floor(now.getTime() / 60000)}`;
  if (state === shownPlan) return;
  shownPlan = state;
  $("chart").replaceChildren(chart(plan, now.getTime()));
  const start = Date.parse(plan.start);
  const rows = plan.price_eur_kwh.map((eur, slot) => make("tr", {},
    make("th", { scope: "row" }, when(start + slot * plan.slot_minutes * 60000)),
    make("td", {}, eur.toFixed(4)), make("td", {}, plan.charging_kw[slot].toFixed(1))));
  const head = make("tr", {}, ...["From", "EUR/kWh", "kW"].map((name) => make("th", { scope: "col" }, name)));
  $("plan-table").lastElementChild.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}

function showAlarms(alarms) {
  const list = alarms.length ? alarms : [{ kind: "none", about: "", text: "None." }];
  keep($("alarms"), list, (alarm) => `${alarm.kind} ${alarm.about}`, () => make("li"), (item, alarm) => {
    item.classList.toggle("open", alarm.kind !== "none");
    const about = alarm.about.replace(/^[a-z]+\//, "");
    text(item, alarm.kind === "none" ? alarm.text : `${about}: ${alarm.text} (since ${clock(alarm.since)})`);
  });
}

/** Shows a status. */
export function show(status) {
  now = new Date(status.at);
  document.title = `${status.name} – Kwartier`;
  text($("title"), status.name);
  text($("state"), `${now.toLocaleTimeString()}, ${STEERING[status.steering]}`);
  showAlarms(status.alarms);
  keep($("boards"), status.nodes, (node) => node.id, freshBoard, updateBoard);
  showPlan(status.plan);
  keep($("chargers").tBodies[0], status.chargers, (charger) => charger.id, freshCharger, updateCharger);
}
