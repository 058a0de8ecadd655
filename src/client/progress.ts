import { StringDecoder } from "node:string_decoder";
import { AppError, type FailureCode } from "../errors.ts";
import type { ProgressMessage } from "./types/common.ts";

/** Reads JSON values that are parted by line ends: events, and the progress of builds, pulls and pushes. */
export async function* jsonLines<T>(source: AsyncIterable<Buffer>): AsyncGenerator<T> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of source) {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as T;
  }
  if (rest.trim() !== "") yield JSON.parse(rest) as T;
}

/**
 * Follows a build, pull or push to its end.
 *
 * @param code of the error that a message with `error` becomes
 */
export async function followProgress(
  source: AsyncIterable<Buffer>,
  code: FailureCode,
  onProgress: (message: ProgressMessage) => void = () => {},
): Promise<void> {
  for await (const message of jsonLines<ProgressMessage>(source)) {
    if (message.error !== undefined) {
      throw new AppError(code, message.errorDetail?.message ?? message.error, { cause: message });
    }
    onProgress(message);
  }
}
