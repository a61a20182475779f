// The plan as a picture: power as bars, prices as a line.

const NS = "http://www.w3.org/2000/svg";
const [WIDE, HIGH, LEFT, RIGHT, TOP, LOW] = [900, 240, 44, 48, 16, 24];

function draw(name, attributes, text) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** An SVG of a plan at an instant. */
export function chart(plan, now) {
  const count = plan.price_eur_kwh.length;
  const svg = draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img" });
  const start = Date.parse(plan.start);
  const x = (slot) => LEFT + (slot / count) * (WIDE - LEFT - RIGHT);
  const between = (value, least, most) => HIGH - LOW - ((value - least) / (most - least || 1)) * (HIGH - TOP - LOW);
  const mostKw = Math.max(1, ...plan.charging_kw);
  const leastEur = Math.min(0, ...plan.price_eur_kwh);
  const mostEur = Math.max(0.05, ...plan.price_eur_kwh);
  svg.append(draw("title", {}, `Power of all chargers up to ${mostKw.toFixed(0)} kW, price from ` +
    `${Math.min(...plan.price_eur_kwh).toFixed(2)} to ${mostEur.toFixed(2)} EUR per kWh`));
  for (const share of [0, 0.5, 1]) {
    const y = between(share, 0, 1);
    svg.append(draw("line", { class: "grid", x1: LEFT, x2: WIDE - RIGHT, y1: y, y2: y }));
    svg.append(draw("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, (share * mostKw).toFixed(0)));
    svg.append(draw("text", { x: WIDE - RIGHT + 6, y: y + 4, class: "priced" },
      (leastEur + share * (mostEur - leastEur)).toFixed(2)));
  }
  svg.append(draw("text", { x: 4, y: 11 }, "kW"), draw("text", { x: WIDE - 56, y: 11, class: "priced" }, "EUR/kWh"));
  plan.charging_kw.forEach((kw, slot) => {
    const y = between(kw, 0, mostKw);
    const width = Math.max(0.5, x(slot + 1) - x(slot) - 1);
    if (kw > 0) svg.append(draw("rect", { class: "kw", x: x(slot), y, width, height: HIGH - LOW - y }));
  });
  const line = plan.price_eur_kwh.map((eur, slot) => {
    const y = between(eur, leastEur, mostEur).toFixed(1);
    return `${slot ? "L" : "M"}${x(slot).toFixed(1)} ${y}L${x(slot + 1).toFixed(1)} ${y}`;
  });
  svg.append(draw("path", { class: "price", d: line.join("") }));
  for (let slot = 0; slot <= count; slot += 1) {
    const at = new Date(start + slot * plan.slot_minutes * 60000);
    if (at.getMinutes() === 0 && at.getHours() % 3 === 0) {
      svg.append(draw("text", { x: x(slot), y: HIGH - 8, "text-anchor": "middle" }, `${at.getHours()}:00`));
    }
  }
  const here = x((now - start) / (plan.slot_minutes * 60000));
  if (here >= LEFT && here <= WIDE - RIGHT) {
    svg.append(draw("line", { class: "now", x1: here, x2: here, y1: TOP, y2: HIGH - LOW }));
  }
  return svg;
}
