/** The worker behind `Python`: loads CPython and interpreter.py, then answers one message at a time. */

import { loadPyodide } from "pyodide";

async function load(): Promise<(programs: string) => string> {
  const source = await Deno.readTextFile(new URL("./interpreter.py", import.meta.url));
  const python = await loadPyodide();
  python.runPython(source);
  return python.globals.get("run_programs");
}

/** What this module, which is checked as a window's, sees of its worker's scope. */
interface Port {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage(traces: string): void;
}

const port = self as unknown as Port;

// The listener comes first: what arrives while nobody listens is lost.
const loaded = load();
port.onmessage = async ({ data }) => {
  const runPrograms = await loaded;
  port.postMessage(runPrograms(data));
};
