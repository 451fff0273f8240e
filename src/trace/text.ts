/**
 * Text in pictures: how wide it is about, what of it fits, how times are written.
 *
 * @module
 */

/** Text as it stands in XML. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function width_of_character(character: string): number {
  if (character > "\u2e7f") return 1.05; // Chinese, Japanese, Korean, emoji
  if (/[mwMW@%—…]/.test(character)) return 0.95;
  if (/[A-Z0-9_#&=+<>~$?]/.test(character)) return 0.66;
  return /[ijl.,:;'|!()[\]{} frt-]/.test(character) ? 0.38 : 0.58;
}

/** The width of a text in pixels, for the common fonts without serifs; rather too much than too little. */
export function width_of(text: string, size = 12): number {
  let width = 0;
  for (const character of text) width += width_of_character(character);
  return width * size;
}

// A shorter part of a text would say nothing.
const MIN_CHARACTERS = 5;

/** As much of a text as fits into a width, with an ellipsis if that is not all; empty if hardly anything fits. */
export function fitting(text: string, room: number, size = 12): string {
  if (width_of(text, size) <= room) return text;
  const characters = [...text];
  let width = width_of("…", size);
  let count = 0;
  while (count < characters.length) {
    width += width_of(characters[count]!, size);
    if (width > room) break;
    count++;
  }
  return count < MIN_CHARACTERS ? "" : characters.slice(0, count).join("") + "…";
}

const UNITS: readonly [seconds: number, name: string][] = [
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"],
];

const in_unit = (seconds: number, unit: number): number => Number((seconds / unit).toPrecision(3));

/** A time or a duration of at most three digits: `1.25 s`, `300 ms`. */
export function seconds_text(seconds: number): string {
  if (seconds === 0) return "0 s";
  // 999.9 ms are 1 s.
  const [unit, name] = UNITS.find(([unit]) => in_unit(seconds, unit) >= 1) ??
    UNITS[UNITS.length - 1]!;
  return `${in_unit(seconds, unit)} ${name}`;
}

/** A count as English writes it: `1,234`. */
export function number_text(count: number): string {
  return count.toLocaleString("en");
}

/** A count with its noun. */
export function counted(count: number, noun: string): string {
  return `${number_text(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Places for the lines of an axis: about so many, at 1, 2 or 5 times a power of ten. */
export function ticks(length: number, about: number): number[] {
  if (length <= 0) return [0];
  const rough = length / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? rough;
  const places: number[] = [];
  for (let index = 0; index * step <= length * (1 + 1e-9); index++) places.push(index * step);
  return places;
}
