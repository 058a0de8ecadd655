/**
 * The moments between which a daemon may be killed. A test kills it at each one, and the next daemon must find every
 * container and leave nothing behind; a step that is added to create, start, exec, stop or remove is added here.
 */
export const CHECKPOINTS = [
  "create: name taken",
  "create: directories made",
  "create: record written",
  "create: volumes made",
  "start: volumes held",
  "start: network attached",
  "start: launched",
  "start: clients joined",
  "start: program runs",
  "start: recorded",
  "exec: created",
  "exec: program runs",
  "stop: marked",
  "stop: signal sent",
  "end: seen",
  "end: network released",
  "end: volumes released",
  "end: recorded",
  "remove: marked",
  "remove: network released",
  "remove: volumes removed",
  "remove: record removed",
  "remove: directory discarded",
  "remove: run directory removed",
] as const;

export type Checkpoint = (typeof CHECKPOINTS)[number];

/** Where a test wants the daemon to end. Read once: looking into the environment is dear, and there are many moments. */
const KILL_AT = process.env["SLIPWAY_KILL_AT"];

/** Ends the daemon without a warning, if SLIPWAY_KILL_AT names this moment. */
export function checkpoint(name: Checkpoint): void {
  if (KILL_AT === name) process.kill(process.pid, "SIGKILL");
}
