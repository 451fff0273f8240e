/** What a program has written, with the colours of terminals. */

import { AnsiUp } from "ansi_up";
import type { ProgramError } from "./protocol.ts";

/** A program that writes without end fills a page only so far. */
const MAX_LINES = 2000;

/** The part of the page that shows what a program writes. */
export class ConsoleView {
  readonly #element: HTMLElement;
  #colours = new AnsiUp();
  #left_out = 0;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  clear(): void {
    this.#element.replaceChildren();
    this.#colours = new AnsiUp();
    this.#colours.use_classes = true;
    this.#left_out = 0;
  }

  /** Adds what a program has written; a colour stays until it is changed. */
  write(text: string, is_error: boolean): void {
    const line = document.createElement("div");
    if (is_error) line.className = "warning";
    line.innerHTML = this.#colours.ansi_to_html(text + "\n");
    this.#append(line);
  }

  /** Adds an error that has ended the program; its line can be gone to. */
  write_error({ message, line }: ProgramError, go_to: (line: number) => void): void {
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
    this.#append(element);
  }

  #append(element: HTMLElement): void {
    const at_end = this.#element.scrollTop + this.#element.clientHeight >=
      this.#element.scrollHeight - 4;
    this.#element.append(element);
    if (this.#element.childElementCount > MAX_LINES) this.#drop_oldest();
    if (at_end) this.#element.scrollTop = this.#element.scrollHeight;
  }

  #drop_oldest(): void {
    if (this.#left_out === 0) {
      const note = document.createElement("div");
      note.className = "note";
      this.#element.prepend(note);
    }
    while (this.#element.childElementCount > MAX_LINES) {
      this.#element.children[1]!.remove();
      this.#left_out++;
    }
    this.#element.children[0]!.textContent = `(${this.#left_out} lines before these)`;
  }
}
