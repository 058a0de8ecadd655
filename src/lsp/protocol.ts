/** The parts of the Language Server Protocol 3.17 that are spoken here; lines and characters count from 0. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

export interface Location {
  readonly uri: string;
  readonly range: Range;
}

export interface Diagnostic {
  readonly range: Range;
  readonly severity: 1 | 2 | 3 | 4;
  readonly code: string;
  readonly source: string;
  readonly message: string;
}

export interface TextEdit {
  readonly range: Range;
  readonly newText: string;
}

export interface CodeAction {
  readonly title: string;
  readonly kind: "quickfix";
  readonly diagnostics: readonly Diagnostic[];
  readonly isPreferred: boolean;
  readonly edit: { readonly changes: Readonly<Record<string, readonly TextEdit[]>> };
}

export interface CompletionItem {
  readonly label: string;
  /** 10 a key, 12 a value, 18 a reference, 6 a variable. */
  readonly kind: 6 | 10 | 12 | 18;
  readonly detail?: string;
  readonly documentation?: string;
  readonly insertText?: string;
}

export interface Hover {
  readonly contents: { readonly kind: "markdown"; readonly value: string };
  readonly range?: Range;
}
