/** The numbers of one ABI's system calls, by name. */
export type CallTable = ReadonlyMap<string, number>;

/**
 * Reads a table in its written form: names in the order of their numbers, from 0; `=n` sets the number of the next.
 *
 * @throws {TypeError} if a name occurs twice
 */
export function parseTable(text: string): CallTable {
  const table = new Map<string, number>();
  let number = 0;
  for (const word of text.trim().split(/\s+/)) {
    if (word.startsWith("=")) {
      number = Number(word.slice(1));
      continue;
    }
    if (table.has(word)) throw new TypeError(`${word} is in the table twice`);
    table.set(word, number++);
  }
  return table;
}
