/** Which ports of the machine belong to which container. */
import { setTimeout } from "node:timers/promises";
import { EngineError } from "../errors.ts";
import { Serial } from "../store/serial.ts";
import { parseAddress } from "./address.ts";
import type { Protocol } from "./firewall.ts";
import { findPortHolder } from "./portholder.ts";
import type { PortProbe } from "./portprobe.ts";
import type { AttachRequest, PortBinding } from "./types.ts";

/** One port of a container that is to be published, or is exposed only. */
export interface PortRequest {
  readonly port: number;
  readonly protocol: Protocol;
  /** Empty: exposed only. */
  readonly bindings: readonly PortBinding[];
}

/** A published port. */
export interface PublishedPort {
  readonly protocol: Protocol;
  readonly port: number;
  readonly hostAddress: string;
  readonly hostPort: number;
}

/**
 * The ports of a container, by Docker's rules: bindings as given; with `publishAll` also every exposed port.
 *
 * @throws {EngineError} invalid, for a key or host port that cannot be read
 */
export function portRequests(request: AttachRequest): PortRequest[] {
  const keys = new Map<string, readonly PortBinding[]>();
  for (const key of request.exposedPorts ?? []) {
    for (const one of expand(key)) keys.set(one, request.publishAll ? [{}] : []);
  }
  for (const [key, bindings] of Object.entries(request.portBindings ?? {})) {
    for (const one of expand(key)) keys.set(one, bindings?.length ? bindings : [{}]);
  }
  return [...keys].map(([key, bindings]) => {
    const [port = "", protocol = "tcp"] = key.split("/");
    return { port: Number(port), protocol: protocol as Protocol, bindings };
  });
}

/** `80`, `80/udp`, `8000-8002/tcp` → one key a port. */
function expand(key: string): string[] {
  const found = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(key);
  const first = Number(found?.[1]);
  const last = found?.[2] === undefined ? first : Number(found[2]);
  if (found === null || first < 1 || last > 65535 || last < first) {
    throw new EngineError("invalid", `invalid port specification: ${JSON.stringify(key)}`);
  }
  const protocol = (found[3] ?? "tcp").toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${protocol}`);
}

interface Claim extends PublishedPort {
  readonly holder: string;
  /** The container has ended; resolves when the kernel has let go of its rules. */
  leaving?: Promise<void>;
}

export interface PortOwner {
  /** The container's name. */
  readonly name: string;
  readonly endpointId: string;
}

export class Ports {
  readonly #claims = new Set<Claim>();
  readonly #serial = new Serial();
  /** When a port was given back: its monitor needs a moment to close it. */
  readonly #left = new Map<string, number>();
  readonly #anyAddresses: readonly string[];
  readonly #tryPort: PortProbe;
  #next = EPHEMERAL.first;

  /** @param anyAddresses what an empty host address stands for: `0.0.0.0`, and `::` where the machine has IPv6 */
  constructor(anyAddresses: readonly string[], tryPort: PortProbe) {
    this.#anyAddresses = anyAddresses;
    this.#tryPort = tryPort;
  }

  /**
   * Takes the host ports of a container.
   *
   * @param defaultAddress of the network, for bindings that name no address; "": any
   * @throws {EngineError} system, in Docker's words and with who holds the port, if one is taken; none is kept then
   */
  async claim(
    owner: PortOwner,
    requests: readonly PortRequest[],
    defaultAddress: string,
  ): Promise<PublishedPort[]> {
    // One after the other: two that probe the same port would each see the other's probe.
    return this.#serial.run("", () => this.#claimAll(owner, requests, defaultAddress));
  }

  async #claimAll(
    owner: PortOwner,
    requests: readonly PortRequest[],
    defaultAddress: string,
  ): Promise<PublishedPort[]> {
    const claimed: Claim[] = [];
    try {
      for (const { port, protocol, bindings } of requests) {
        for (const binding of bindings) {
          const addresses = this.#addresses(binding.HostIp || defaultAddress);
          const host = await this.#choose(owner, protocol, addresses, readHostPorts(binding.HostPort ?? ""));
          for (const hostAddress of addresses) {
            const claim = { protocol, port, hostAddress, hostPort: host, holder: owner.name };
            this.#claims.add(claim);
            claimed.push(claim);
          }
        }
      }
    } catch (error) {
      this.release(claimed);
      throw error;
    }
    return claimed.map(({ holder: _, ...published }) => published);
  }

  /** Notes ports that an earlier daemon gave out. */
  restore(holder: string, ports: readonly PublishedPort[]): void {
    for (const port of ports) this.#claims.add({ ...port, holder });
  }

  /** Gives ports back, at once or when `after` has resolved; who wants them meanwhile waits for it. */
  release(ports: readonly PublishedPort[], after?: Promise<void>): void {
    for (const port of ports) {
      for (const claim of this.#claims) {
        if (!samePort(claim, port) || claim.hostAddress !== port.hostAddress) continue;
        if (after === undefined) this.#drop(claim);
        else claim.leaving = after.then(() => this.#drop(claim));
      }
    }
  }

  #drop(claim: Claim): void {
    this.#claims.delete(claim);
    this.#left.set(keyOf(claim), performance.now());
  }

  #addresses(given: string): readonly string[] {
    if (given === "") return this.#anyAddresses;
    if (parseAddress(given) === undefined) throw new EngineError("invalid", `invalid IP address: ${given}`);
    return [given];
  }

  async #choose(
    owner: PortOwner,
    protocol: Protocol,
    addresses: readonly string[],
    wanted: HostPorts,
  ): Promise<number> {
    const { first, last } = wanted ?? EPHEMERAL;
    const count = last - first + 1;
    let failure: EngineError | undefined;
    for (let tried = 0; tried < count; tried++) {
      const port = wanted === undefined ? this.#ephemeral() : first + tried;
      failure = await this.#taken(owner, protocol, addresses, port);
      if (failure === undefined) return port;
    }
    throw count === 1 && failure !== undefined
      ? failure
      : new EngineError("system", "all ports are allocated");
  }

  #ephemeral(): number {
    const port = this.#next;
    this.#next = port === EPHEMERAL.last ? EPHEMERAL.first : port + 1;
    return port;
  }

  /** Why the port cannot be had, if it cannot. */
  async #taken(
    owner: PortOwner,
    protocol: Protocol,
    addresses: readonly string[],
    hostPort: number,
  ): Promise<EngineError | undefined> {
    const fail = (why: string): EngineError =>
      new EngineError(
        "system",
        `driver failed programming external connectivity on endpoint ${owner.name} (${owner.endpointId}): ${why}`,
      );
    for (const address of addresses) {
      for (const claim of [...this.#claims]) {
        if (samePort(claim, { protocol, hostPort }) && overlap(claim.hostAddress, address)) {
          if (claim.leaving !== undefined) {
            await claim.leaving;
            continue;
          }
          return fail(
            `Bind for ${join(address, hostPort)} failed: port is already allocated (by container ${claim.holder})`,
          );
        }
      }
      const code = await this.#probe(protocol, address, hostPort);
      if (code === undefined) continue;
      const holder = code === "EADDRINUSE" ? await findPortHolder(protocol, hostPort) : undefined;
      const by = holder === undefined ? "" : ` (by process ${holder.pid}: ${holder.command})`;
      const reason = BIND_ERRORS[code] ?? code;
      return fail(
        `Error starting userland proxy: listen ${protocol}${address.includes(":") ? 6 : 4} ${join(address, hostPort)}: bind: ${reason}${by}`,
      );
    }
    return undefined;
  }

  /** Why the port cannot be bound, if it cannot. */
  async #probe(protocol: Protocol, address: string, hostPort: number): Promise<string | undefined> {
    const left = this.#left.get(keyOf({ protocol, hostPort })) ?? -LINGER;
    for (;;) {
      const code = await this.#tryPort(protocol, address, hostPort);
      if (code !== "EADDRINUSE" || performance.now() - left > LINGER) return code;
      await setTimeout(10);
    }
  }
}

function keyOf({ protocol, hostPort }: Pick<PublishedPort, "protocol" | "hostPort">): string {
  return `${protocol} ${hostPort}`;
}

/** Milliseconds for which a port that has just been given back may still be held by the monitor that had it. */
const LINGER = 1000;

const BIND_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EACCES: "permission denied",
};

/** Docker's own range, when the kernel's cannot be read. */
const EPHEMERAL: { readonly first: number; readonly last: number } = { first: 32768, last: 60999 };

type HostPorts = { readonly first: number; readonly last: number } | undefined;

function readHostPorts(text: string): HostPorts {
  if (text === "" || text === "0") return undefined;
  const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(found?.[1]);
  const last = found?.[2] === undefined ? first : Number(found[2]);
  if (found === null || first < 1 || last > 65535 || last < first) {
    throw new EngineError("invalid", `invalid port specification: ${JSON.stringify(text)}`);
  }
  return { first, last };
}

function samePort(
  a: Pick<PublishedPort, "protocol" | "hostPort">,
  b: Pick<PublishedPort, "protocol" | "hostPort">,
): boolean {
  return a.protocol === b.protocol && a.hostPort === b.hostPort;
}

function overlap(a: string, b: string): boolean {
  if (a.includes(":") !== b.includes(":")) return false;
  return a === b || isAny(a) || isAny(b);
}

export function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

function join(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
