/**
 * From TypeScript to a function that a browser can run: types are stripped, imports become calls of a
 * function, and every line stays where it is.
 */

import { transform } from "sucrase";
import type { ProgramError } from "./protocol.ts";

/** What the modules that a program imports are got by. */
export type Require = (specifier: string) => unknown;

/** A program: it is given what to import by, and where to put what it exports. */
export type Body = (require: Require, exports: Record<string, unknown>) => Promise<void>;

/** A program that cannot be run as it is. */
export class CompileError extends Error {
  readonly line: number | null;

  constructor({ message, line }: ProgramError) {
    super(message);
    this.line = line;
  }
}

/** Compiles a program, or a module that it imports, and gives the address by which stacks name it. */
export async function compile(source: string): Promise<{ body: Body; address: string }> {
  const code = `export default async (require, exports) => {${strip_types(source)}\n}`;
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    const module: { default: Body } = await import(address);
    return { body: module.default, address };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CompileError({
      message: String(error),
      line: await line_of_syntax_error(code.replace("export default", "self.body =")),
    });
  }
}

function strip_types(source: string): string {
  try {
    return transform(source, {
      transforms: ["typescript", "imports"],
      disableESTransforms: true,
      preserveDynamicImport: true,
    }).code;
  } catch (error) {
    const { message, loc } = error as { message: string; loc?: { line: number } };
    const text = message.replace(/^Error transforming .*?: /, "").replace(/ \(\d+:\d+\)$/, "");
    throw new CompileError({ message: `SyntaxError: ${text}`, line: loc?.line ?? null });
  }
}

// An import says nothing of the place of an error, a worker that cannot be started does.
function line_of_syntax_error(code: string): Promise<number | null> {
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return new Promise((resolve) => {
    const worker = new Worker(address);
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      worker.terminate();
      URL.revokeObjectURL(address);
      resolve(event.lineno ?? null);
    });
  });
}
