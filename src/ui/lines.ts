import type { Colour, Paint } from "./colour.ts";

const CYCLE: readonly Colour[] = ["cyan", "yellow", "green", "magenta", "blue"];

export interface LinePrinterOptions {
  readonly prefix: boolean;
  readonly timestamps: boolean;
  readonly paint: Paint;
}

interface Line {
  readonly source: string;
  readonly service: string;
  readonly time: string;
  readonly text: string;
}

/**
 * Prints log lines behind the name of their container, a colour a service.
 *
 * @param names of containers known so far: the prefix is as wide as the widest
 */
export function linePrinter(
  write: (text: string) => void,
  names: readonly string[],
  { prefix, timestamps, paint }: LinePrinterOptions,
): (line: Line) => void {
  let wide = Math.max(0, ...names.map((name) => name.length));
  const colours = new Map<string, Colour>();
  return ({ source, service, time, text }) => {
    let line = timestamps ? `${time} ${text}` : text;
    if (prefix) {
      wide = Math.max(wide, source.length);
      const colour = colours.get(service) ?? CYCLE[colours.size % CYCLE.length]!;
      colours.set(service, colour);
      line = `${paint(colour, `${source.padEnd(wide)}  |`)} ${line}`;
    }
    write(`${line}\n`);
  };
}
