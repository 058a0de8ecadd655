export interface EngineWords {
  readonly program: string | undefined; // that could not be executed
  readonly kind: "missing" | "refused" | undefined;
  readonly message: string;
}

/** Engines report a failed start as a chain of what each of their layers calls it; the last link is what happened. */
export function engineWords(text: string): EngineWords {
  const [, program, why] = /exec: "?([^":]+)"?: (.+?)(?:: unknown)?\s*$/s.exec(text) ?? [];
  if (program !== undefined) {
    const missing = /not found|no such file/i.test(why!);
    return missing
      ? { program, kind: "missing", message: `the program "${program}" is not in the image` }
      : { program, kind: "refused", message: `the program "${program}" cannot be executed: ${why}` };
  }
  const chain = /unable to start container process: (.+?)(?:: unknown)?\s*$/s.exec(text)?.[1];
  return { program: undefined, kind: undefined, message: chain ?? text };
}
