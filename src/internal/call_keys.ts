/**
 * Keys for calls: two calls have the same key if their arguments are equal.
 *
 * @module
 */

import { is_plain_object } from "./format_helpers.ts";

/** Makes the keys of calls. Objects are distinguished by numbers, and not kept. */
export class CallKeys {
  readonly #numbers = new WeakMap<object, number>();
  readonly #symbols = new Map<symbol, number>();
  #last = 0;

  /**
   * Returns the key of a call.
   *
   * Arrays and object literals are compared part by part, dates by their time, and any other object is equal to
   * itself alone.
   *
   * @param self the object whose method is called; `undefined` for none
   * @param args the arguments
   */
  of(self: unknown, args: readonly unknown[]): string {
    return `${this.#part(self)}(${args.map((arg) => this.#part(arg)).join()})`;
  }

  #part(value: unknown): string {
    switch (typeof value) {
      case "string":
        return JSON.stringify(value);
      case "number":
      case "boolean":
      case "undefined":
        return String(value);
      case "bigint":
        return `${value}n`;
      case "symbol":
        return `symbol ${this.#number_of(value, this.#symbols)}`;
    }
    if (value === null) return "null";
    if (Array.isArray(value)) return `[${value.map((item) => this.#part(item)).join()}]`;
    if (value instanceof Date) return `date ${value.getTime()}`;
    if (!is_plain_object(value)) return `object ${this.#number_of(value, this.#numbers)}`;
    const entries = Object.keys(value).sort()
      .map((name) => `${JSON.stringify(name)}:${this.#part(value[name])}`);
    return `{${entries.join()}}`;
  }

  #number_of<K>(
    value: K,
    numbers: { get(key: K): number | undefined; set(key: K, number: number): unknown },
  ): number {
    const known = numbers.get(value);
    if (known !== undefined) return known;
    numbers.set(value, ++this.#last);
    return this.#last;
  }
}
