/** What the map asks the service, and what is said when the service is busy, away, or serves another model. */

import { ask, passes, send } from "./shared.js";
import { say } from "./map_words.js";

const DRAWING = 1.5;
/** Seconds between two questions how far the map is. */
const PATIENCE = 30;
/** Seconds between two tries at most. */

/** What is said of a question that got no answer. */
export function told(error) {
  if (error.status === undefined) return say("The service does not answer. What is on this page stays; try again in a moment.");
  if (error.status === 401 || error.status === 403) return say("This needs a key: log in again.");
  if (error.status === 503 || error.status === 429) return say("The service is busy. Try again in a moment.");
  return say("The answer was: {why}", { why: error.message });
}

/** HTML that the service makes of a question. */
export async function askPage(path, question) {
  const headers = { "content-type": "application/json", accept: "text/html, application/problem+json" };
  return send(path, { method: "POST", headers, body: JSON.stringify(question) });
}

/** The map, once it is drawn. @param {string} path of it @param {string} state of how far it is; no error while it is drawn */
export async function askMap(path, state, waiting) {
  for (;;) {
    const { ready, progress } = await askPatiently(state, waiting);
    if (ready) return askPatiently(path, waiting);
    await waiting({ progress }, DRAWING);
  }
}

/**
 * Ask until there is an answer.
 *
 * @param {(error: object, seconds: number) => Promise<void>} waiting is called before each wait; it ends early when
 *   somebody wants it now
 * @throws what waiting does not help
 */
async function askPatiently(path, waiting) {
  for (let tries = 0; ; tries++) {
    try {
      return await ask(path);
    } catch (error) {
      if (!passes(error)) throw error;
      const seconds = error.retryAfter || 2 ** Math.min(tries + 1, 5);
      await waiting(error, Math.min(PATIENCE, seconds));
    }
  }
}

/** What is said while one waits. */
export function waitingText(error, seconds) {
  if (error.progress !== undefined) return say("The map is being drawn. It is ready in a while; this page waits.");
  if (error.status === undefined) return say("The service does not answer. Next try in {n} s.", { n: seconds });
  return say("The service is busy. Next try in {n} s.", { n: seconds });
}
