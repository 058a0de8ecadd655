import { readFileSync } from "node:fs";

/** A process, told apart from a later one of the same number. */
export interface Life {
  readonly pid: number;
  /** Clock ticks since the machine's start. */
  readonly startTime: string;
}

/** @returns undefined if there is no such process, or it has ended and only waits for its parent */
export function lifeOf(pid: number): Life | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name, in parentheses, may hold anything. @see proc_pid_stat(5)
  const [state = "", ...fields] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? undefined : { pid, startTime: fields[18] ?? "" };
}

export function isAlive(life: Life): boolean {
  return lifeOf(life.pid)?.startTime === life.startTime;
}

/** Sends a signal. @returns false if the process has ended */
export function signalProcess(pid: number, signal: number): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    return false;
  }
}
