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

/** The JSON of an address; an Error with its sentence if the server refuses. */
export async function fetchJson(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`The server answered ${response.status} to ${address}.`);
  return response.json();
}
