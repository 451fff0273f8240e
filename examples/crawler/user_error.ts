/** What a person has to put right: it is shown as one line, and ends the program with an exit code. */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly exit_code: number;

  constructor(message: string, exit_code = 2) {
    super(message);
    this.exit_code = exit_code;
  }
}

/** The one line that says what an error is about. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
  return (cause.message || code).replaceAll(/\s*\n\s*/g, " ");
}
