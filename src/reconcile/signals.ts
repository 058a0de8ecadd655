const NAMES: Readonly<Record<number, string>> = {
  129: "SIGHUP",
  130: "SIGINT",
  134: "SIGABRT",
  137: "SIGKILL",
  139: "SIGSEGV",
  141: "SIGPIPE",
  143: "SIGTERM",
};

/** The signal that ended a process, by its exit status: 128 and the signal's number, as shells and engines say it. */
export function signalOf(status: number): string | undefined {
  return NAMES[status];
}
