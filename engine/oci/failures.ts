import { EngineError, messageOf } from "../errors.ts";
import { NativeError } from "../native/connection.ts";
import type { Op } from "../native/protocol.ts";
import type { OciProcess } from "./config.ts";

/** Go's words for errno values: Docker and Podman find in them whether a program's status is 126 or 127. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  ENOTDIR: "not a directory",
  ENOEXEC: "exec format error",
};

/** Why a program could not be started, as runc says it. */
export function cannotRun(process: OciProcess, error: unknown): EngineError {
  const [file = ""] = process.args ?? [];
  const words = error instanceof NativeError ? WORDS[error.code] : undefined;
  const searched = !file.includes("/") && words === WORDS["ENOENT"];
  const why = searched ? "executable file not found in $PATH" : (words ?? messageOf(error));
  const what = error instanceof NativeError && words !== undefined && !searched ? ` (${error.message})` : "";
  const message = `unable to start container process: exec: ${JSON.stringify(file)}: ${why}${what}`;
  return new EngineError("invalid", message, { cause: error });
}

/** Whether it is this operation that failed. */
export function isOf(op: Op["op"], ops: readonly Op[], error: unknown): boolean {
  return error instanceof NativeError && error.index !== undefined && ops[error.index]?.op === op;
}
