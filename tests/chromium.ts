/** Chromium without a window, for what is tested in pages. */

import { type Browser, chromium } from "playwright-core";

/** Where Debian's and most others' package puts it. */
export const CHROMIUM = "/usr/bin/chromium";

// It is to open pages of this machine and nothing else.
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts it. */
export function launch_chromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}
