/** The page: puts its parts together. */

import { ConsoleView } from "./console_view.ts";
import { Editor } from "./editor.ts";
import { from_fragment, type Shared, to_fragment } from "./links.ts";
import { Program } from "./program.ts";
import type { ProgramError } from "./protocol.ts";
import { load_samples, type Sample } from "./samples.ts";
import { TimelineView } from "./timeline_view.ts";

/** The sample that a reader sees first. */
const FIRST = "task_group";

function element<E extends HTMLElement>(id: string, kind: abstract new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} '${id}'`);
  return found;
}

const picker = element("sample", HTMLSelectElement);
const time = element("time", HTMLSelectElement);
const run_button = element("run", HTMLButtonElement);
const stop_button = element("stop", HTMLButtonElement);
const summary = element("summary", HTMLElement);
const status = element("status", HTMLElement);
const save_picture = element("save-picture", HTMLButtonElement);
const save_trace = element("save-trace", HTMLButtonElement);

const output = new ConsoleView(element("output", HTMLElement));
const timeline = new TimelineView(element("timeline", HTMLElement));
const editor = new Editor(element("editor", HTMLElement), "Program", {
  run,
  stop,
  changed() {
    editor.mark_error(null);
    note_change();
  },
});
const { chapters, modules } = await load_samples();
const samples = new Map<string, Sample>(
  chapters.flatMap(({ samples }) => samples.map((sample) => [sample.name, sample])),
);

let program: Program | null = null;

// The name of the sample that is shown; `null` for a program of the reader's.
let shown: string | null = null;

const TITLE = document.title;

/** What the picker and the title call a program that is no sample. */
const YOURS = "your program";

// Cannot be chosen: without it, the sample that was changed could not be chosen again.
const yours = new Option(YOURS, "");
yours.hidden = true;

function show_name(name: string | null, text: string): void {
  shown = name;
  picker.value = name ?? "";
  summary.textContent = text;
  document.title = `${name ?? YOURS} – ${TITLE}`;
}

// How long nothing must change before the address does, in milliseconds.
const SETTLED_AFTER = 200;

let change_timer: ReturnType<typeof setTimeout> | undefined;

/** Keeps the reader's program in the address: it survives a reload, and the address can be sent. */
function note_change(): void {
  show_name(null, "Your program: the address of this page holds it.");
  clearTimeout(change_timer);
  change_timer = setTimeout(async () => {
    const source = editor.text;
    const fragment = await to_fragment({ source, virtual: time.value === "virtual" });
    if (shown === null && source === editor.text) history.replaceState(null, "", `#${fragment}`);
  }, SETTLED_AFTER);
}

function show_state(text: string): void {
  status.textContent = text;
  const is_running = program !== null;
  stop_button.disabled = !is_running;
  save_picture.disabled = save_trace.disabled = is_running || timeline.is_empty;
  document.body.classList.toggle("is-running", is_running);
}

function run(): void {
  program?.stop();
  output.clear();
  timeline.clear();
  editor.mark_error(null);
  const start = performance.now();
  const request = { source: editor.text, modules, virtual: time.value === "virtual" };
  program = new Program(request, {
    wrote: (text, is_error) => output.write(text, is_error),
    tasks_did: (events) => timeline.add(events),
    ended(error) {
      program = null;
      output.show();
      timeline.show();
      const took = ((performance.now() - start) / 1000).toFixed(2);
      if (error !== null) show_error(error);
      show_state(error === null ? `Finished in ${took} seconds.` : "Ended by an error.");
    },
  });
  show_state("Running …");
}

function stop(): void {
  if (program === null) return;
  program.stop();
  program = null;
  output.show();
  timeline.show();
  show_state("Stopped.");
}

function show_error(error: ProgramError): void {
  output.write_error(error, (line) => editor.go_to(line));
  if (error.line !== null) editor.mark_error({ line: error.line, message: error.message });
}

function choose(name: string): void {
  const sample = samples.get(name);
  if (sample === undefined) return;
  show(sample);
  show_name(name, sample.summary);
}

function show({ source, virtual }: Shared): void {
  stop();
  clearTimeout(change_timer);
  time.value = virtual ? "virtual" : "real";
  editor.text = source;
  output.clear();
  timeline.clear();
  show_state("");
}

function save(file: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = file;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function choose_by_address(): Promise<void> {
  const fragment = location.hash.slice(1);
  const shared = await from_fragment(fragment);
  if (shared !== null) {
    show(shared);
    show_name(null, "The program that the address of this page holds.");
    return;
  }
  const is_sample = samples.has(fragment);
  choose(is_sample ? fragment : FIRST);
  if (fragment !== "" && !is_sample) {
    show_name(FIRST, "The address holds no whole program, so this is the first sample.");
  }
}

picker.append(yours);
for (const { title, samples } of chapters) {
  const group = document.createElement("optgroup");
  group.label = title;
  group.append(...samples.map(({ name }) => new Option(name, name)));
  picker.append(group);
}
picker.addEventListener("change", () => {
  history.replaceState(null, "", `#${picker.value}`);
  choose(picker.value);
});
addEventListener("hashchange", choose_by_address);
time.addEventListener("change", () => {
  if (shown === null) note_change();
});
run_button.addEventListener("click", run);
stop_button.addEventListener("click", stop);
save_picture.addEventListener("click", () => {
  const name = shown ?? "program";
  save(`${name}.svg`, "image/svg+xml", timeline.picture(name));
});
save_trace.addEventListener("click", () => {
  save(`${shown ?? "program"}.trace.json`, "application/json", timeline.trace());
});
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey && !event.metaKey || event.defaultPrevented) return;
  if (event.key === "Enter") run();
  else if (event.key === ".") stop();
  else return;
  event.preventDefault();
});
await choose_by_address();
document.body.classList.add("is-ready");
