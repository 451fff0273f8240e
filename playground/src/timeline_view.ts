/** The picture of what a program's tasks did, and the files that can be made of it. */

import { format_trace_json, format_trace_svg, type TraceEvent } from "../../trace.ts";

/** The least and the most that a picture is wide, in pixels. */
const WIDTHS = [320, 1600] as const;

/** How many times as long as a picture took nothing is drawn after it. */
const PAUSE = 4;

/** The part of the page that shows the timeline. */
export class TimelineView {
  readonly #element: HTMLElement;
  #events: TraceEvent[] = [];
  #drawn_width = 0;
  #is_due = false;
  // How long the last picture took, in milliseconds.
  #took = 0;

  constructor(element: HTMLElement) {
    this.#element = element;
    new ResizeObserver(() => {
      if (this.#width() !== this.#drawn_width) this.#draw_soon();
    }).observe(element);
  }

  get is_empty(): boolean {
    return this.#events.length === 0;
  }

  clear(): void {
    this.#events = [];
    this.#draw_soon();
  }

  add(events: readonly TraceEvent[]): void {
    this.#events = this.#events.concat(events);
    this.#draw_soon();
  }

  /** The text of an SVG file. */
  picture(title: string): string {
    return format_trace_svg(this.#events, { title });
  }

  /** The text of a file that Perfetto opens. */
  trace(): string {
    return format_trace_json(this.#events);
  }

  #width(): number {
    const [least, most] = WIDTHS;
    return Math.min(Math.max(Math.floor(this.#element.clientWidth), least), most);
  }

  #draw_soon(): void {
    if (this.#is_due) return;
    this.#is_due = true;
    // A picture of many events takes long: most of the time the page is to be free for its reader.
    setTimeout(() => requestAnimationFrame(() => this.show()), PAUSE * this.#took);
  }

  /** Draws what has not been drawn yet, at once. */
  show(): void {
    if (!this.#is_due) return;
    this.#is_due = false;
    const start = performance.now();
    this.#draw();
    this.#took = performance.now() - start;
  }

  #draw(): void {
    this.#drawn_width = this.#width();
    if (this.is_empty) {
      this.#element.replaceChildren();
      return;
    }
    const svg = format_trace_svg(this.#events, { width: this.#drawn_width });
    const { documentElement } = new DOMParser().parseFromString(svg, "image/svg+xml");
    this.#element.replaceChildren(document.importNode(documentElement, true));
  }
}
