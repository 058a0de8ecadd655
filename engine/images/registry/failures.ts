/** What registries refuse, and networks fail with, in the words that Docker's users know. */
import type { IncomingMessage } from "node:http";
import { EngineError } from "../../errors.ts";
import { bodyOf } from "./body.ts";
import { transientStatus } from "./retry.ts";

const ERROR_LIMIT = 256 << 10;

interface Refused {
  readonly status: number;
  /** "code: message" of the first error in the answer; "" if it has none. */
  readonly said: string;
}

/** Reads what a registry says about an answer that was not wanted. */
async function refusalOf(response: IncomingMessage): Promise<Refused> {
  const status = response.statusCode ?? 0;
  if (response.readableEnded) return { status, said: "" };
  return { status, said: await describe(response) };
}

/**
 * The error for a refused read.
 *
 * @param name of the repository, as people write it
 * @param what was asked for: "manifest for app:1", "blob sha256:…"
 */
export async function readFailure(response: IncomingMessage, name: string, what: string): Promise<Error> {
  const passing = transientStatus(response.statusCode ?? 0, response.headers["retry-after"], what);
  const { status, said } = await refusalOf(response);
  if (passing !== undefined) return passing;
  // Not `unauthorized`: at a 401 Docker's client asks for a login of Docker Hub, and that without a terminal, too.
  if (status === 401 && !said.startsWith("denied:"))
    return new EngineError("forbidden", said || "unauthorized: authentication required");
  if (status === 401 || status === 403) {
    const why = said || "denied: requested access to the resource is denied";
    return new EngineError(
      "notFound",
      `pull access denied for ${name}, repository does not exist or may require 'docker login': ${why}`,
    );
  }
  if (status === 404)
    return new EngineError("notFound", `${what} not found: ${said || "manifest unknown: manifest unknown"}`);
  const why = said === "" ? "" : `: ${said}`;
  return new EngineError("system", `${what} of ${name}: the registry answers ${status}${why}`);
}

/** The error for a refused upload or manifest. */
export async function writeFailure(response: IncomingMessage, name: string, what: string): Promise<Error> {
  if (response.statusCode === 401) {
    response.resume();
    return new EngineError("forbidden", "unauthorized: authentication required");
  }
  if (response.statusCode === 403) {
    response.resume();
    return new EngineError("forbidden", "denied: requested access to the resource is denied");
  }
  return readFailure(response, name, what);
}

async function describe(response: IncomingMessage): Promise<string> {
  try {
    const body = JSON.parse((await bodyOf(response, ERROR_LIMIT)).toString("utf8")) as {
      errors?: { code?: string; message?: string }[];
    };
    const first = body.errors?.[0];
    if (first === undefined) return "";
    const code = (first.code ?? "").toLowerCase().replaceAll("_", " ");
    return `${code}: ${first.message ?? ""}`.replace(/^: /, "");
  } catch {
    return "";
  }
}

const DIAL: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

/** An error of the network as one that says whom we wanted; anything else as it is. */
export function networkFailure(error: unknown, url: string): unknown {
  if (error instanceof EngineError) return error;
  const {
    code = "",
    address,
    port,
    message,
  } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
  };
  const said = (why: string): EngineError =>
    new EngineError("unavailable", `Get "${url}": ${why}`, { cause: error });
  const dial = DIAL[code];
  if (dial !== undefined) return said(`dial tcp ${address ?? new URL(url).hostname}:${port ?? ""}: ${dial}`);
  if (code === "ENOTFOUND") return said(`dial tcp: lookup ${new URL(url).hostname}: no such host`);
  if (code === "EAI_AGAIN")
    return said(`dial tcp: lookup ${new URL(url).hostname}: the name server does not answer`);
  // Node names what is wrong with a certificate by OpenSSL's words.
  const isTls = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_)/.test(code);
  if (isTls) return said(`tls: failed to verify certificate: ${message}`);
  if (code === "EPROTO")
    return said(`http: server gave HTTP response to HTTPS client (${message.split("\n")[0]})`);
  return error;
}
