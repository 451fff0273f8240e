/** A lock that ends with the program that holds it, however that ends. */

export class FileLock implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Acquires the lock whose file is here; `null` if another program holds it. */
  static try_acquire(path: string): FileLock | null {
    for (;;) {
      const file = Deno.openSync(path, { create: true, write: true });
      if (!file.tryLockSync(true)) {
        file.close();
        return null;
      }
      // Its last holder may have removed the file after it was opened here: that lock excludes nobody.
      if (is_at(path, file)) return new FileLock(path, file);
      file.close();
    }
  }

  /** Releases the lock and removes its file. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#path);
    this.#file.close();
  }
}

function is_at(path: string, file: Deno.FsFile): boolean {
  try {
    return Deno.statSync(path).ino === file.statSync().ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
