// One request in flight. Of those asked for meanwhile only the latest is sent: a fast hand never builds up a queue.

/**
 * @param {(request: any) => Promise<any>} load fetches the answer to one request
 * @param {(answer: any, request: any) => void} show gets each answer, unless `close` was called before it came
 * @param {(error: Error) => void} fail gets what `load` threw
 */
export function latest(load, show, fail) {
  let busy = false;
  let waiting = null;
  let closed = false;

  async function run(request) {
    busy = true;
    try {
      const answer = await load(request);
      if (!closed) show(answer, request);
    } catch (error) {
      if (!closed) fail(error);
    }
    busy = false;
    if (waiting && !closed) {
      const next = waiting;
      waiting = null;
      run(next);
    }
  }

  return {
    /** Whether an answer is still to come. */
    get busy() {
      return busy;
    },
    ask(request) {
      if (busy) waiting = request;
      else run(request);
    },
    close() {
      closed = true;
      waiting = null;
    },
  };
}

/** The answer to an address; an Error with the server's sentence, or one of ours, if it is not of this kind. */
export async function fetchKind(address, kind) {
  const response = await fetch(address).catch(() => {
    throw new Error("The app does not answer: see that it still runs, then try again.");
  });
  const found = response.headers.get("content-type") ?? "";
  if (!response.ok || !found.startsWith(kind)) {
    const told = found.startsWith("application/json") ? (await response.json()).problem : null;
    throw new Error(told ?? `The server answered ${response.status} to ${address}: reload the page to try again.`);
  }
  return response;
}

/** The JSON of an address. */
export async function fetchJson(address) {
  return (await fetchKind(address, "application/json")).json();
}
