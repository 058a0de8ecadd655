/** What calls of several resources take or answer. */

/** Values of one filter are alternatives, except `label`, whose values must all hold. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Ends the request when it is aborted; the call then rejects with AppError INTERRUPTED. */
export interface Abortable {
  readonly signal?: AbortSignal;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** One line of a build, pull or push. Which fields there are depends on what it says. */
export interface ProgressMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: Readonly<Record<string, unknown>>;
  readonly error?: string;
  readonly errorDetail?: {
    readonly code?: number;
    readonly message?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}
