/**
 * The colours of timelines: readable on light and on dark, and distinguished by shape where they mean
 * something.
 *
 * @module
 */

/** The class of the root element: nothing else is styled. */
export const ROOT = "asyncio-trace";

interface Palette {
  readonly page: string;
  readonly text: string;
  readonly faint: string;
  readonly grid: string;
  readonly running: string;
  readonly ready: string;
  readonly sleeping: string;
  readonly waiting: string;
  readonly foreign: string;
  readonly wake: string;
  readonly cancel: string;
  readonly error: string;
}

const LIGHT: Palette = {
  page: "#ffffff",
  text: "#1f2328",
  faint: "#59636e",
  grid: "#e4e8ec",
  running: "#0a7d4f",
  ready: "#f0c649",
  sleeping: "#dfe6ee",
  waiting: "#b9d3f8",
  foreign: "#dccbf7",
  wake: "#8c959f",
  cancel: "#b35900",
  error: "#cf222e",
};

const DARK: Palette = {
  page: "#0d1117",
  text: "#e6edf3",
  faint: "#9198a1",
  grid: "#242b33",
  running: "#2fbf82",
  ready: "#a8832a",
  sleeping: "#2b333d",
  waiting: "#23487f",
  foreign: "#493172",
  wake: "#6e7681",
  cancel: "#f0a04b",
  error: "#ff6b63",
};

function rules(palette: Palette): string {
  const rule = (selector: string, property: string, colour: string) =>
    `.${ROOT} ${selector}{${property}:${colour}}`;
  return [
    rule("text", "fill", palette.text),
    rule(".faint", "fill", palette.faint),
    rule(".page", "fill", palette.page),
    rule(".grid", "stroke", palette.grid),
    rule(".running", "fill", palette.running),
    rule(".ready", "fill", palette.ready),
    rule(".sleeping", "fill", palette.sleeping),
    rule(".waiting", "fill", palette.waiting),
    rule(".foreign", "fill", palette.foreign),
    rule(".wake", "stroke", palette.wake),
    rule(".tip", "fill", palette.wake),
    rule(".cancel", "fill", palette.cancel),
    rule(".request", "stroke", palette.cancel),
    rule(".birth", "stroke", palette.wake),
    rule(".error", "fill", palette.error),
    rule(".failed", "stroke", palette.error),
    rule(".halo", "stroke", palette.page),
  ].join("\n");
}

/** The style sheet of a timeline. */
export function style_sheet(): string {
  return `
.${ROOT} text{font:12px ui-sans-serif,system-ui,sans-serif}
.${ROOT} .inside{font-size:11px}
.${ROOT} .heading{font-weight:600}
.${ROOT} .wake{fill:none}
.${ROOT} .birth{stroke-dasharray:2 3}
.${ROOT} .halo{paint-order:stroke;stroke-width:3px}
.${ROOT} .failed{stroke-width:2.5}
.${ROOT} .request{fill:none;stroke-width:1.5}
${rules(LIGHT)}
@media (prefers-color-scheme:dark){
${rules(DARK)}
}`;
}
