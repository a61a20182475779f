// Who looks at the page: a login by cookie, or a key of the API that was pasted into this tab.

const KEY = "kwartier-key";

/** Asks the API; `init` as for fetch. */
export function ask(path, init = {}) {
  const headers = new Headers(init.headers);
  const key = sessionStorage.getItem(KEY);
  if (key) headers.set("Authorization", `Bearer ${key}`);
  return fetch(path, { ...init, headers, credentials: "same-origin" });
}

/** Asks the API for JSON; throws what it says is wrong. */
export async function json(path, init) {
  const answer = await ask(path, init);
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

/** What an answer says is wrong. */
export async function refusal(answer) {
  const said = await answer.json().catch(() => ({}));
  const error = new Error(said.detail || said.title || `the service answered ${answer.status}`);
  error.status = answer.status;
  return error;
}

/** Sends something to be logged in with. */
export function enter(path, body) {
  return json(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** Uses a key in this tab. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key.trim());
}

/** Logs out. */
export async function leave() {
  if (sessionStorage.getItem(KEY)) {
    sessionStorage.removeItem(KEY);
    return;
  }
  const me = await json("/v1/me");
  await ask("/v1/logout", { method: "POST", headers: { "Kwartier-CSRF": me.csrf || "" } });
}

/** What stands behind the # of the address, such as link=…; it is taken out of the address at once. */
export function takeFragment() {
  const said = new URLSearchParams(location.hash.slice(1));
  if (["link", "setup", "invitation"].some((name) => said.has(name))) history.replaceState(null, "", location.pathname);
  return said;
}
