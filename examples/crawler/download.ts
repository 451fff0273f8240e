/** One request and its answer: limited in time and size, and cancellable at any moment. */

import { Buffer } from "node:buffer";
import { MIMEType } from "node:util";
import * as asyncio from "../../mod.ts";

/** How this crawler introduces itself, to servers and to robots.txt. */
export const USER_AGENT = "asyncio-crawler";

export interface Answer {
  readonly status: number;
  /** Where a redirect leads, as the server spells it. */
  readonly location: string | null;
  /** The type of the content, without parameters. */
  readonly content_type: string | null;
  /** The character set that the server names. */
  readonly charset: string | null;
  /** How long to wait before asking again, in seconds. */
  readonly retry_after: number | null;
  readonly body: Buffer;
}

/** A body that is larger than the limit. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";
}

/** What is read as text; the body of anything else is left alone. */
const READABLE = /^text\/|^application\/xhtml\+xml$/;

/**
 * Makes a request and reads the answer; redirects are not followed.
 *
 * @throws {asyncio.TimeoutError} if all of it takes more than `timeout` seconds
 * @throws {TooLarge} if the body has more than `max_size` bytes
 * @throws {TypeError} if there is no answer, or not all of it
 */
export function download(
  url: string,
  { timeout, max_size }: { timeout: number; max_size: number },
): asyncio.Coroutine<Answer> {
  return asyncio.async_with(
    asyncio.timeout(timeout),
    () => asyncio.from_promise((signal) => request(url, max_size, signal)),
  );
}

async function request(url: string, max_size: number, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, {
    headers: { "user-agent": USER_AGENT, accept: "text/html,application/xhtml+xml,*/*;q=0.1" },
    redirect: "manual",
    signal,
  });
  const type = mime_type(response.headers.get("content-type"));
  const content_type = type?.essence ?? null;
  let body: Buffer = Buffer.alloc(0);
  if (content_type === null || READABLE.test(content_type)) {
    body = await read(response, max_size);
  } else {
    await response.body?.cancel();
  }
  return {
    status: response.status,
    location: response.headers.get("location"),
    content_type,
    charset: type?.params.get("charset") ?? null,
    retry_after: seconds_until(response.headers.get("retry-after")),
    body,
  };
}

async function read(response: Response, max_size: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > max_size) throw new TooLarge(`the body is larger than ${max_size} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function mime_type(header: string | null): MIMEType | null {
  try {
    return header === null ? null : new MIMEType(header);
  } catch {
    return null;
  }
}

/** What a Retry-After header says, in seconds: it gives them, or a date. */
function seconds_until(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header);
  const seconds = (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
