/**
 * The word somebody may have meant.
 *
 * @returns the nearest of `known` within two slips (one for words of up to four letters), or undefined
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const limit = word.length <= 4 ? 1 : word.length <= 8 ? 2 : 3;
  let best: string | undefined;
  let least = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const slips = distance(plain(word), plain(candidate));
    if (slips < least) {
      least = slips;
      best = candidate;
    }
  }
  return best;
}

/** A hint: what was meant, or else what there is. */
export function suggestion(word: string, known: readonly string[], noun = ""): string | undefined {
  const meant = nearest(word, known);
  if (meant !== undefined) return `Did you mean ${noun && `${noun} `}"${meant}"?`;
  if (known.length === 0) return undefined;
  return known.length <= 8 ? `Known: ${known.join(", ")}.` : undefined;
}

const plain = (word: string): string => word.toLowerCase().replaceAll("-", "_");

/** Letters added, left out, changed or swapped with a neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1);
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
