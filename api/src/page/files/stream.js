// Server-sent events over fetch, so that a key can go with them. Comes back by itself, slower each time.

import { ask, refusal } from "./access.js";

/** Follows events until `signal` ends it. `told` gets each event's data; `broken` hears why it stands still. */
export async function follow(path, signal, told, broken) {
  for (let pause = 1000; !signal.aborted; pause = Math.min(2 * pause, 30000)) {
    try {
      const answer = await ask(path, { headers: { Accept: "text/event-stream" }, signal });
      if (!answer.ok) throw await refusal(answer);
      await read(answer.body, (data) => { pause = 1000; told(data); });
      broken(new Error("the connection has ended"));
    } catch (error) {
      if (signal.aborted) return;
      broken(error);
      if (error.status === 401) return;
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

async function read(body, told) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
      if (data.length) told(JSON.parse(data.join("\n")));
    }
  }
}
