/**
 * The frames of a stack, read from its text.
 *
 * @module
 */

/** A frame of a stack. */
export interface StackFrame {
  /** The name of the function, without its object; `<lambda>` if it has none. */
  readonly name: string;
  /** True if it is a function that awaits, which the host has found behind those on the stack. */
  readonly is_async: boolean;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

// V8 and Bun: `at async Shop.open (https://shop/shop.ts:3:5)`, `at https://shop/shop.ts:3:5`.
const V8_FRAME = /^\s*at (async )?(?:new )?(?:(.*) \()?(.*?):(\d+)(?::\d+)?\)?$/;
// Others: `open@https://shop/shop.ts:3:5`.
const OTHER_FRAME = /^\s*(async\*|async )?([^@]*)@(.*?):(\d+)(?::\d+)?$/;

/** Reads the frames of a stack, innermost first; what is no frame is left out. */
export function parse_frames(stack: string): StackFrame[] {
  const frames: StackFrame[] = [];
  for (const text of stack.split("\n")) {
    const match = text.match(V8_FRAME) ?? text.match(OTHER_FRAME);
    if (match === null) continue;
    const [, is_async, name = "", file = "", line] = match;
    frames.push({
      name: function_name(name),
      is_async: is_async !== undefined,
      file,
      line: Number(line),
    });
  }
  return frames;
}

/** `Shop.open [as close]` is `open`. */
function function_name(text: string): string {
  const name = text.replace(/ \[as .*\]$/, "").replace(/^.*[./]/, "");
  return name === "" || name.includes("<anonymous>") ? "<lambda>" : name;
}
