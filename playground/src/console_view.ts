/** What a program has written, with the colours of terminals. */

import { AnsiUp } from "ansi_up";
import type { ProgramError } from "./protocol.ts";

/** A program that writes without end fills a page only so far. */
const MAX_LINES = 2000;

/** Lines are put into the page together, after so many milliseconds. */
const SHOW_AFTER = 30;

interface Line {
  readonly html: string;
  readonly is_error: boolean;
}

/** The part of the page that shows what a program writes. */
export class ConsoleView {
  readonly #element: HTMLElement;
  #colours = new AnsiUp();
  #left_out = 0;
  // What has been written and is not in the page yet.
  #waiting: Line[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  clear(): void {
    this.#waiting = [];
    this.#element.replaceChildren();
    this.#colours = new AnsiUp();
    this.#colours.use_classes = true;
    this.#left_out = 0;
  }

  /** Adds what a program has written; a colour stays until it is changed. */
  write(text: string, is_error: boolean): void {
    // Lines that are not shown change the colour, too.
    this.#waiting.push({ html: this.#colours.ansi_to_html(text + "\n"), is_error });
    if (this.#waiting.length > 2 * MAX_LINES) {
      this.#left_out += this.#waiting.length - MAX_LINES;
      this.#waiting = this.#waiting.slice(-MAX_LINES);
    }
    this.#timer ??= setTimeout(() => this.show(), SHOW_AFTER);
  }

  /** Puts what has been written into the page, at once. */
  show(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#waiting.slice(-MAX_LINES);
    this.#left_out += this.#waiting.length - lines.length;
    this.#waiting = [];
    if (lines.length === 0) return;
    this.#append(lines.map(({ html, is_error }) => {
      const line = document.createElement("div");
      if (is_error) line.className = "warning";
      line.innerHTML = html;
      return line;
    }));
  }

  /** Adds an error that has ended the program; its line can be gone to. */
  write_error({ message, line }: ProgramError, go_to: (line: number) => void): void {
    this.show();
    const element = document.createElement("div");
    element.className = "error";
    element.append(message);
    if (line !== null) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `line ${line}`;
      button.addEventListener("click", () => go_to(line));
      element.append(" ", button);
    }
    this.#append([element]);
  }

  #append(elements: readonly HTMLElement[]): void {
    const at_end = this.#element.scrollTop + this.#element.clientHeight >=
      this.#element.scrollHeight - 4;
    const fragment = document.createDocumentFragment();
    fragment.append(...elements);
    this.#element.append(fragment);
    this.#drop_oldest();
    if (at_end) this.#element.scrollTop = this.#element.scrollHeight;
  }

  #drop_oldest(): void {
    const first = this.#element.firstElementChild;
    let note = first?.className === "note" ? first : null;
    const lines = [...this.#element.children].filter((child) => child !== note);
    const surplus = lines.slice(0, Math.max(lines.length - MAX_LINES + 1, 0));
    for (const line of surplus) line.remove();
    this.#left_out += surplus.length;
    if (this.#left_out === 0) return;
    if (note === null) {
      note = document.createElement("div");
      note.className = "note";
      this.#element.prepend(note);
    }
    note.textContent = `(${this.#left_out} lines before these)`;
  }
}
