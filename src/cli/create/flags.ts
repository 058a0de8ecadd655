/** What `container create` and `container run` take to make a container: Docker's flags. */
import * as Flags from "../flags.ts";

const text = (helpValue: string, summary: string, more: { readonly char?: "u" | "w" | "h" | "m" } = {}) =>
  Flags.string({ helpValue, summary, ...more });
const list = (
  helpValue: string,
  summary: string,
  more: { readonly char?: "e" | "v" | "p" | "l" | "a" } = {},
) => Flags.string({ multiple: true, multipleNonGreedy: true, helpValue, summary, ...more });
const integer = (helpValue: string, summary: string, more: { readonly char?: "c" } = {}) =>
  Flags.integer({ helpValue, summary, ...more });
const bool = (summary: string, more: { readonly char?: "i" | "t" | "P" | "q" } = {}) =>
  Flags.boolean({ summary, ...more });

export const createFlags = {
  // The program.
  interactive: bool("Keep standard input open", { char: "i" }),
  tty: bool("Give it a terminal", { char: "t" }),
  entrypoint: text("PROGRAM", "Instead of the image's entrypoint"),
  env: list("KEY=VALUE", "Environment of the program", { char: "e" }),
  "env-file": list("FILE", "Environment of the program, a line each"),
  user: text("USER", "User to run it as", { char: "u" }),
  "group-add": list("GROUP", "One more group"),
  workdir: text("DIR", "Directory to run it in", { char: "w" }),
  init: bool("With an init that reaps and passes signals on"),
  "stop-signal": text("SIGNAL", "Signal to stop it"),
  "stop-timeout": integer("SECONDS", "Time to stop in"),
  restart: text("POLICY", "no, always, unless-stopped or on-failure[:N]"),
  "health-cmd": text("COMMAND", "Command of the health check"),
  "health-interval": text("TIME", "Between two checks"),
  "health-timeout": text("TIME", "A check may take"),
  "health-retries": integer("N", "Failures until it is unhealthy"),
  "health-start-period": text("TIME", "Time to start in, when failures do not count"),
  "health-start-interval": text("TIME", "Between two checks meanwhile"),
  "no-healthcheck": bool("Without the image's health check"),

  // The container.
  name: text("NAME", "Its name"),
  label: list("KEY=VALUE", "Label of it", { char: "l" }),
  "label-file": list("FILE", "Labels of it, a line each"),
  annotation: list("KEY=VALUE", "Annotation for the runtime"),
  platform: text("PLATFORM", "Such as linux/arm64"),
  pull: Flags.string({
    options: ["always", "missing", "never"],
    default: "missing",
    summary: "When to pull the image",
  }),
  quiet: bool("Do not show how far the pull is", { char: "q" }),
  cidfile: text("FILE", "Write its id to a file"),
  runtime: text("NAME", "Runtime to run it with"),
  "log-driver": text("NAME", "Where its output is kept"),
  "log-opt": list("KEY=VALUE", "Setting of the log driver"),
  "detach-keys": text("KEYS", "Keys that leave it, instead of ctrl-p,ctrl-q"),

  // Files.
  volume: list("SOURCE:TARGET[:ro]", "Mount a directory or volume", { char: "v" }),
  mount: list("type=TYPE,…", "Mount anything"),
  tmpfs: list("PATH[:OPTIONS]", "Mount memory"),
  "volumes-from": list("CONTAINER[:ro]", "Mount what another container has"),
  "volume-driver": text("NAME", "Driver of new volumes"),
  "read-only": bool("With a file system that cannot be written"),
  "storage-opt": list("KEY=VALUE", "Setting of the storage driver"),
  device: list("HOST[:CONTAINER[:rwm]]", "Give it a device"),
  "device-cgroup-rule": list("RULE", "Rule for devices"),
  gpus: text("REQUEST", "GPUs: all, a number, or device=ID,…"),

  // Network.
  network: list("NAME", "Network to connect it to"),
  "network-alias": list("NAME", "One more name on its network"),
  publish: list("[IP:]PORT:PORT", "Publish a port", { char: "p" }),
  "publish-all": bool("Publish all exposed ports", { char: "P" }),
  expose: list("PORT", "Expose a port"),
  hostname: text("NAME", "Its host name", { char: "h" }),
  domainname: text("NAME", "Its domain"),
  "add-host": list("NAME:ADDRESS", "One more name of a host"),
  dns: list("ADDRESS", "Server of names"),
  "dns-search": list("DOMAIN", "Domain to look names up in"),
  "dns-option": list("OPTION", "Option of the resolver"),
  ip: text("ADDRESS", "Its IPv4 address"),
  ip6: text("ADDRESS", "Its IPv6 address"),
  "link-local-ip": list("ADDRESS", "Its link-local address"),
  "mac-address": text("ADDRESS", "Its MAC address"),
  link: list("CONTAINER[:NAME]", "Know another container by a name"),

  // Rights.
  privileged: bool("With all capabilities and devices"),
  "cap-add": list("CAP", "One more capability"),
  "cap-drop": list("CAP", "One capability less"),
  "security-opt": list("OPTION", "Such as no-new-privileges or seccomp=FILE"),
  sysctl: list("KEY=VALUE", "Kernel parameter of its namespaces"),
  ulimit: list("NAME=SOFT[:HARD]", "Limit of its processes"),
  cgroupns: text("MODE", "host or private"),
  ipc: text("MODE", "host, private, shareable or container:NAME"),
  pid: text("MODE", "host or container:NAME"),
  userns: text("MODE", "host"),
  uts: text("MODE", "host"),

  // Limits.
  cpus: text("NUMBER", "Parts of CPUs it may use"),
  "cpu-shares": integer("N", "Its weight", { char: "c" }),
  "cpu-period": integer("µs", "Period of the CPU quota"),
  "cpu-quota": integer("µs", "Time of each period"),
  "cpu-rt-period": integer("µs", "Period of real-time tasks"),
  "cpu-rt-runtime": integer("µs", "Time of real-time tasks"),
  "cpuset-cpus": text("LIST", "CPUs it may use"),
  "cpuset-mems": text("LIST", "Memory nodes it may use"),
  memory: text("BYTES", "Memory it may use", { char: "m" }),
  "memory-reservation": text("BYTES", "Memory that is kept for it"),
  "memory-swap": text("BYTES", "Memory and swap; -1: no limit"),
  "memory-swappiness": integer("N", "How willingly it is swapped out"),
  "pids-limit": integer("N", "Processes it may have"),
  "shm-size": text("BYTES", "Size of /dev/shm"),
  "oom-kill-disable": bool("Do not kill it for its memory"),
  "oom-score-adj": integer("N", "How willingly it is killed for memory"),
  "cgroup-parent": text("PATH", "Control group above it"),
  "blkio-weight": integer("N", "Its weight for disks"),
  "blkio-weight-device": list("PATH:N", "Its weight for one disk"),
  "device-read-bps": list("PATH:BYTES", "Bytes it may read in a second"),
  "device-write-bps": list("PATH:BYTES", "Bytes it may write in a second"),
  "device-read-iops": list("PATH:N", "Reads in a second"),
  "device-write-iops": list("PATH:N", "Writes in a second"),
} as const;
