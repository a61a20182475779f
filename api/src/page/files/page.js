// The page: what one site looks like now. Everything comes from the API; nothing is computed here but pictures.

import { ask, enter, json, leave, refusal, takeFragment, useKey } from "./access.js";
import { show, showFeeds } from "./site.js";
import { follow } from "./stream.js";

const $ = (id) => document.getElementById(id);
// Prices and weather come a few times a day.
const FEEDS_EVERY_MS = 60_000;
let following = new AbortController();
let looking = 0;

function trouble(error) {
  $("trouble").textContent = error ? error.message : "";
  $("trouble").hidden = !error;
}

function only(id) {
  for (const part of ["enter", "setup", "site"]) $(part).hidden = part !== id;
}

function watch(site) {
  following.abort();
  following = new AbortController();
  only("site");
  const told = (status) => { trouble(null); show(status); };
  const broken = (error) => {
    $("state").textContent = "Not connected";
    trouble(error);
    if (error.status === 401) only("enter");
  };
  follow(`/v1/sites/${encodeURIComponent(site)}/status`, following.signal, told, broken);
  // Where prices are from is worth a line, and nothing is wrong with the page without it.
  const look = () => json(`/v1/sites/${encodeURIComponent(site)}/feeds`).then(showFeeds).catch(() => showFeeds(null));
  clearInterval(looking);
  looking = setInterval(look, FEEDS_EVERY_MS);
  look();
}

async function begin() {
  trouble(null);
  const answer = await ask("/v1/sites");
  if (answer.status === 401) {
    $("state").textContent = "Not logged in";
    only("enter");
    return;
  }
  if (!answer.ok) throw await refusal(answer);
  const list = await answer.json();
  const sites = list.items || list;
  $("leave").hidden = false;
  $("sites").replaceChildren(...sites.map((site) => new Option(site.name || site.id, site.id)));
  $("choose").hidden = sites.length < 2;
  if (sites.length) watch(sites[0].id);
  else $("state").textContent = "No site yet: put one with the API";
}

function onSubmit(id, act) {
  $(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value));
    try {
      await act(said);
      event.target.reset();
      await begin();
    } catch (error) {
      trouble(error);
    }
  });
}

async function start() {
  const said = takeFragment();
  onSubmit("login", (form) => enter("/v1/login", form));
  onSubmit("key", async (form) => { useKey(form.key || ""); await json("/v1/me"); });
  onSubmit("first", (form) => enter("/v1/setup", { ...form, token: said.get("setup") || said.get("invitation") }));
  $("sites").addEventListener("change", (event) => watch(event.target.value));
  $("leave").addEventListener("click", async () => {
    following.abort();
    await leave().catch(trouble);
    location.reload();
  });
  if (said.has("setup") || said.has("invitation")) {
    // Who was invited is known already and chooses a password only.
    const invited = said.has("invitation");
    for (const label of document.querySelectorAll("#first .who")) label.hidden = invited;
    for (const input of document.querySelectorAll("#first .who input")) input.disabled = invited;
    $("state").textContent = invited ? "You were invited" : "Not set up yet";
    only("setup");
    return;
  }
  if (said.has("link")) await enter("/v1/login", { link: said.get("link") }).catch(trouble);
  const before = $("trouble").textContent;
  await begin();
  if (before && !$("enter").hidden) trouble(new Error(before));
}

start().catch(trouble);
