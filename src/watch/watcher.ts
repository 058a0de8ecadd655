import { basename, join } from "node:path";
import { watch as chokidarWatch } from "chokidar";

/** Long enough to take a tool's burst of writes together, short enough not to be felt. */
export const QUIET_MS = 15;

/**
 * Watches files and directories.
 *
 * @param ignored whether a path, and all beneath it, is of no interest
 * @param onChange told each path that has been made, changed or removed
 * @returns when everything is watched; `close` ends it
 */
export async function watchPaths(
  paths: readonly string[],
  ignored: (path: string) => boolean,
  onChange: (path: string) => void,
): Promise<{ close(): Promise<void> }> {
  // `atomic` would hold every removal back for 100 ms to see whether the file comes again; the batch does that in less.
  const watcher = chokidarWatch([...paths], {
    ignored,
    ignoreInitial: true,
    atomic: false,
    ignorePermissionErrors: true,
  });
  const ready = new Promise<void>((resolve, reject) => {
    watcher.once("ready", resolve);
    watcher.once("error", reject);
  });
  watcher.on("all", (_event, path) => onChange(path));
  // Of changes that follow each other within 50 ms chokidar tells only the first: what is saved last would be lost.
  watcher.on("raw", (event, name, details) => {
    const { watchedPath } = details as { readonly watchedPath?: string };
    if (event !== "change" || watchedPath === undefined || !name) return;
    onChange(basename(watchedPath) === name ? watchedPath : join(watchedPath, name));
  });
  await ready;
  return { close: () => watcher.close() };
}
