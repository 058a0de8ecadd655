/**
 * What docker compose accepts and what then fails or surprises. Each rule is one function; a rule is silenced by its code
 * in `x-lint: {ignore: [CODE]}`, at the top level or in a service.
 */

import type { SourcePosition } from "../errors.ts";
import { PROJECT_RULES } from "./lint/project.ts";
import { START_RULES } from "./lint/services.ts";
import { VALUE_RULES } from "./lint/values.ts";
import { child, entriesOf, isMap, itemsOf, type MapNode, type Node, textOf } from "./node.ts";
import { type Place, positionOf } from "./place.ts";
import type { Files } from "./source.ts";
import type { Warning } from "./types.ts";

export interface LintInput {
  /** With everything that is declared, also what nothing uses. */
  readonly model: MapNode;
  /** The enabled ones. */
  readonly services: MapNode;
  readonly files: Files;
}

export type Say = (code: string, message: string, at: Place, hint: string) => void;

interface LintedService extends LintInput {
  readonly name: string;
  readonly service: MapNode;
  readonly say: Say;
}

export type ServiceRule = (linted: LintedService) => void;
export type ModelRule = (input: LintInput, say: Say) => void;

/** @returns in the order of the files' lines */
export function lint(input: LintInput): Warning[] {
  const found: Warning[] = [];
  const ignoredAll = ignored(input.model);
  const saying =
    (more: ReadonlySet<string>): Say =>
    (code, message, at, hint) => {
      if (!ignoredAll.has(code) && !more.has(code)) found.push({ code, message, at: positionOf(at), hint });
    };
  for (const [name, service] of input.services.entries) {
    if (!isMap(service)) continue;
    const say = saying(ignored(service));
    for (const rule of [...START_RULES, ...VALUE_RULES]) rule({ ...input, name, service, say });
  }
  for (const rule of PROJECT_RULES) rule(input, saying(new Set()));
  return found.sort((a, b) => compare(a, b));
}

/** Warnings of the loader, without those that `x-lint` of the file, or of the service they stand in, names. */
export function unsilenced(warnings: readonly Warning[], model: MapNode): Warning[] {
  const all = ignored(model);
  const silent = [...entriesOf(model.entries.get("services"))].map(([, service]) => ({
    codes: ignored(service),
    start: positionOf(service.key ?? service.at),
    end: service.at.file.position(service.at.end),
  }));
  const within = (at: SourcePosition, { start, end }: (typeof silent)[number]): boolean =>
    at.file === start.file && at.line >= start.line && at.line <= end.line;
  return warnings.filter(
    ({ code, at }) =>
      !all.has(code) && !silent.some((each) => at && each.codes.has(code) && within(at, each)),
  );
}

function ignored(node: Node): ReadonlySet<string> {
  return new Set(itemsOf(child(child(node, "x-lint"), "ignore")).flatMap((item) => textOf(item) ?? []));
}

const compare = (a: Warning, b: Warning): number =>
  a.at!.file < b.at!.file
    ? -1
    : a.at!.file > b.at!.file
      ? 1
      : a.at!.line - b.at!.line || a.at!.column - b.at!.column;
