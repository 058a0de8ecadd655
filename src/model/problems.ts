/** Mistakes of a file, gathered so that all are shown at once, in the order they stand in. */
import { AppError, AppErrors, type FailureCode, type SourcePosition } from "../errors.ts";
import { codeFrame } from "./frame.ts";
import { type Place, positionOf } from "./place.ts";
import type { Warning } from "./types.ts";

export interface ProblemDetail {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** Another place that the message speaks of, shown below the first. */
  readonly other?: Place | undefined;
}

/** An error that points at a piece of a file and shows it. */
export function problem(
  code: FailureCode,
  message: string,
  at: Place | undefined,
  detail: ProblemDetail = {},
): AppError {
  return new AppError(code, message, {
    ...(at && { at: positionOf(at), frame: codeFrame(at, detail.other) }),
    ...(detail.hint !== undefined && { hint: detail.hint }),
    ...(detail.cause !== undefined && { cause: detail.cause }),
  });
}

/** Nobody reads more; a file that is made to have a million mistakes must not take the time to show them. */
const MOST = 100;

/** Where a load gathers what it finds. */
export class Problems {
  readonly errors: AppError[] = [];
  readonly warnings: Warning[] = [];
  readonly #files: string[] = [];
  #more = 0;
  readonly #later = new Set<AppError>();

  /** True when more would not be shown: their words need not be looked for. */
  get isFull(): boolean {
    return this.errors.length >= MOST;
  }

  add(code: FailureCode, message: string, at: Place | undefined, detail: ProblemDetail = {}): void {
    if (this.isFull) {
      this.#more++;
      return;
    }
    if (at && !this.#files.includes(at.file.path)) this.#files.push(at.file.path);
    this.errors.push(problem(code, message, at, detail));
  }

  /** Adds a mistake of a later phase, unless an earlier one found its line wrong: that may have led to this. */
  gather(error: AppError): void {
    const { at } = error;
    const known = this.errors.some(
      (other) => at && other.at?.file === at.file && other.at.line === at.line && !this.#later.has(other),
    );
    if (known || this.isFull) return;
    this.#later.add(error);
    this.errors.push(error);
  }

  warn(code: string, message: string, at: Place | undefined, hint?: string): void {
    this.warnings.push({ code, message, at: at && positionOf(at), ...(hint !== undefined && { hint }) });
  }

  /** Runs `work`; an AppError of it is gathered, and `instead` is the result. */
  attempt<T>(work: () => T, instead: T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.errors.push(error);
      return instead;
    }
  }

  /**
   * Ends a phase.
   *
   * @throws {AppErrors} all that was gathered, sorted by place
   */
  check(): void {
    if (this.errors.length === 0) return;
    const seen = new Set<string>();
    const errors = this.errors.filter((error) => {
      const key = `${place(error.at)} ${error.code} ${error.message}`;
      return !seen.has(key) && seen.add(key);
    });
    const more =
      this.#more > 0 ? [new AppError(errors[0]!.code, `${this.#more} more mistakes are not shown`)] : [];
    throw new AppErrors([
      ...errors.sort((a, b) => this.#rank(a) - this.#rank(b) || byPlace(a.at, b.at)),
      ...more,
    ]);
  }

  #rank(error: AppError): number {
    const index = error.at ? this.#files.indexOf(error.at.file) : -1;
    return index < 0 ? this.#files.length : index;
  }
}

const place = (at: SourcePosition | undefined): string => (at ? `${at.file}:${at.line}:${at.column}` : "");

function byPlace(a: SourcePosition | undefined, b: SourcePosition | undefined): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}
