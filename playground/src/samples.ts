/** The seed's programs, as `scripts/build_playground.ts` writes them down. */

/** A program to begin with. */
export interface Sample {
  readonly name: string;
  /** What it shows. */
  readonly summary: string;
  readonly source: string;
  /** True if it is made for the virtual clock: not if something outside of the loop takes part. */
  readonly virtual: boolean;
}

/** Samples that belong together. */
export interface Chapter {
  readonly title: string;
  readonly samples: readonly Sample[];
}

/** All that there is to begin with. */
export interface Samples {
  readonly chapters: readonly Chapter[];
  /** The files that the samples import, by the names that they import them by. */
  readonly modules: Readonly<Record<string, string>>;
}

/** Gets them from beside the page. */
export async function load_samples(): Promise<Samples> {
  const response = await fetch(new URL("./samples.json", import.meta.url));
  if (!response.ok) {
    throw new Error(`The programs cannot be loaded: ${response.status} ${response.statusText}`);
  }
  return await response.json();
}
