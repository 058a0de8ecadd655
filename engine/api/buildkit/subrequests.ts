/**
 * Questions about a Dockerfile that are no builds: `docker buildx build --check` and `--call=outline|targets`. Each is
 * answered as JSON for programs and as text for people.
 *
 * @see github.com/moby/buildkit frontend/subrequests
 */
import {
  describeOutline,
  describeTargets,
  locationOf,
  type MountInfo,
  type Outline,
} from "../../builder/describe.ts";
import type { Warning } from "../../builder/dockerfile/lint.ts";
import { DockerfileError } from "../../builder/dockerfile/position.ts";
import { BuildFailure } from "../../builder/failure.ts";
import { EngineError } from "../../errors.ts";
import type { StatedRequest } from "./options.ts";

export type Answer = Readonly<Record<string, Buffer>>;

/** Finds warnings; a Dockerfile that cannot be read is an answer, too. */
export type Check = () => Promise<readonly Warning[]>;

const NAMES = ["outline", "targets", "lint", "subrequests.describe"].map((name) => `frontend.${name}`);

/** @throws {EngineError} notImplemented for another question */
export async function answerSubrequest(
  name: string,
  dockerfile: { readonly text: string; readonly name: string },
  stated: StatedRequest,
  check: Check,
): Promise<Answer> {
  const { text } = dockerfile;
  switch (name) {
    case "frontend.outline": {
      const outline = describeOutline(text, stated.target ?? "", stated.args ?? {});
      return answer(
        { ...nonEmpty(outline), sources: [Buffer.from(text).toString("base64")] },
        outlineText(outline),
      );
    }
    case "frontend.targets": {
      const targets = describeTargets(text);
      const lines = targets.map((each) => {
        const shown =
          each.default && each.name
            ? `${each.name} (default)`
            : (each.name ?? (each.default ? "(default)" : ""));
        return [shown, each.description ?? ""];
      });
      const json = { targets, sources: [Buffer.from(text).toString("base64")] };
      return answer(json, table([["TARGET", "DESCRIPTION"], ...lines]));
    }
    case "frontend.lint":
      return lint(dockerfile, check);
    case "frontend.subrequests.describe":
      return answer(
        NAMES.map((each) => ({
          name: each,
          version: "1.0.0",
          type: "rpc",
          metadata: [{ name: "result.json" }, { name: "result.txt" }],
        })),
        `${NAMES.join("\n")}\n`,
      );
    default:
      throw new EngineError("notImplemented", `subrequest ${name} is not supported`);
  }
}

async function lint(
  { text, name }: { readonly text: string; readonly name: string },
  check: Check,
): Promise<Answer> {
  const sources = [{ filename: name, language: "Dockerfile", data: Buffer.from(text).toString("base64") }];
  let warnings: readonly Warning[] = [];
  let buildError: object | undefined;
  let failure = "";
  try {
    warnings = await check();
  } catch (error) {
    const range = error instanceof BuildFailure ? error.source?.range : undefined;
    if (!(error instanceof BuildFailure) && !(error instanceof DockerfileError)) throw error;
    failure = `\nERROR: ${error.message}\n`;
    buildError = { message: error.message, location: range === undefined ? {} : locationOf(range) };
  }
  const found = warnings.map(({ rule, message, url, range }) => ({
    ruleName: rule,
    description: message,
    url,
    detail: message,
    location: locationOf(range),
  }));
  const lines = warnings.map(
    ({ rule, message, url, range }) =>
      `\nWARNING: ${rule} - ${url}\n${message}\n${name}:${range.start.line}\n`,
  );
  const json = { warnings: found.length > 0 ? found : null, sources, ...(buildError && { buildError }) };
  const status = found.length > 0 || buildError !== undefined ? "1" : "0";
  return { ...answer(json, `${lines.join("")}${failure}`), "result.statuscode": Buffer.from(status) };
}

function answer(json: object, text: string): Answer {
  return {
    "result.json": Buffer.from(JSON.stringify(json, undefined, 2)),
    "result.txt": Buffer.from(text),
    version: Buffer.from("1.0.0"),
  };
}

/** Go leaves empty lists out. */
function nonEmpty(outline: Outline): object {
  return Object.fromEntries(
    Object.entries(outline).filter(([, value]) => !Array.isArray(value) || value.length > 0),
  );
}

function outlineText({ name, description, args, secrets, ssh }: Outline): string {
  const parts: string[] = [];
  if (name !== undefined)
    parts.push(
      table([["TARGET:", name], ...(description === undefined ? [] : [["DESCRIPTION:", description]])]),
    );
  const rows = args.map((each) => [each.name, each.value ?? "", each.description ?? ""]);
  if (rows.length > 0) parts.push(table([["BUILD ARG", "VALUE", "DESCRIPTION"], ...rows]));
  const needs = (title: string, list: readonly MountInfo[]): void => {
    if (list.length === 0) return;
    parts.push(table([[title, "REQUIRED"], ...list.map((each) => [each.name, each.required ? "true" : ""])]));
  };
  needs("SECRET", secrets);
  needs("SSH", ssh);
  return parts.map((part) => `${part}\n`).join("");
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at]! + 3))
          .join("")
          .trimEnd()}\n`,
    )
    .join("");
}
