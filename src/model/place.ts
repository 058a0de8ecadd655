/** Places in texts: offsets, which are cheap to keep with every value, and lines and columns, made when somebody asks. */
import type { SourcePosition } from "../errors.ts";

/** A file that was read, or a made-up one such as `--env-file` or the command line. */
export class SourceText {
  readonly path: string;
  readonly text: string;
  #starts: number[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** Where each line starts. */
  get starts(): readonly number[] {
    if (this.#starts === undefined) {
      this.#starts = [0];
      for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1))
        this.#starts.push(at + 1);
    }
    return this.#starts;
  }

  /** @param offset in UTF-16 units from 0 */
  position(offset: number): SourcePosition {
    const starts = this.starts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.path, line: low + 1, column: offset - starts[low]! + 1 };
  }

  /** @param line from 1 */
  line(line: number): string {
    const start = this.starts[line - 1];
    if (start === undefined) return "";
    const end = this.starts[line];
    return this.text.slice(start, end === undefined ? undefined : end - 1).replace(/\r$/, "");
  }
}

/** A piece of a text; `end` is the first offset after it. */
export interface Place {
  readonly file: SourceText;
  readonly start: number;
  readonly end: number;
}

export const positionOf = (place: Place): SourcePosition => place.file.position(place.start);
