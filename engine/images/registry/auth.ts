import { EngineError } from "../../errors.ts";
import type { RegistryAuth } from "../types.ts";
import { bodyOf } from "./body.ts";
import { transientStatus } from "./retry.ts";
import type { Transport } from "./transport.ts";

/** What a registry asks for. */
export interface Challenge {
  readonly scheme: "basic" | "bearer";
  readonly params: Readonly<Record<string, string>>; // realm, service, scope
}

const TOKEN_LIMIT = 1 << 20;
const CLIENT = "slipway";

/** Reads WWW-Authenticate; several challenges may stand in it, and quoted values hold commas. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; params: Record<string, string> }[] = [];
  const token = /\s*(?:([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))|([A-Za-z0-9_-]+))\s*,?/gy;
  for (let found = token.exec(header); found !== null; found = token.exec(header)) {
    const [, key, quoted, plain, scheme] = found;
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), params: {} });
    else if (key !== undefined) {
      const value = quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "";
      const last = challenges.at(-1);
      if (last !== undefined) last.params[key.toLowerCase()] = value;
    }
  }
  return challenges.filter(
    (challenge): challenge is Challenge => challenge.scheme === "basic" || challenge.scheme === "bearer",
  );
}

/** User name and password, from whichever fields a client filled. Undefined: go without. */
export function credentials(
  auth: RegistryAuth | undefined,
): { username: string; password: string } | undefined {
  if (auth === undefined) return undefined;
  if (auth.username) return { username: auth.username, password: auth.password ?? "" };
  if (!auth.auth) return undefined;
  const [username = "", password = ""] = Buffer.from(auth.auth, "base64").toString("utf8").split(/:(.*)/s);
  return username === "" ? undefined : { username, password };
}

interface TokenAnswer {
  readonly token?: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
}

/** The Authorization headers for one registry, as it asks for them; tokens are kept for each scope. */
export class Authorizer {
  readonly #transport: Transport;
  readonly #auth: RegistryAuth | undefined;
  readonly #tokens = new Map<string, string>();
  readonly #offline: boolean;
  #header: string | undefined;
  #identityToken = "";

  /** @param options.offline ask token servers for one more token, that stands for the password */
  constructor(transport: Transport, auth: RegistryAuth | undefined, options: { offline?: boolean } = {}) {
    this.#transport = transport;
    this.#auth = auth;
    this.#offline = options.offline === true;
    if (auth?.registrytoken) this.#header = `Bearer ${auth.registrytoken}`;
  }

  /** Nothing to answer a challenge with that asks for a name and a password. */
  get lacksLogin(): boolean {
    return credentials(this.#auth) === undefined;
  }

  /** What a token server gave to be used instead of the password; "" if it gave nothing. */
  get identityToken(): string {
    return this.#identityToken;
  }

  /** The header to begin with: none until a registry has asked. */
  header(scope: string): string | undefined {
    return this.#tokens.get(scope) ?? this.#header;
  }

  /**
   * Answers a 401.
   *
   * @param used the header that was refused; another request may have brought a better one meanwhile
   * @returns whether another try makes sense @throws {EngineError} forbidden, from the token server
   */
  async answer(
    header: string,
    scope: string,
    used: string | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const known = this.header(scope);
    if (known !== undefined && known !== used) return true;
    const challenges = parseChallenges(header);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) {
      this.#tokens.set(scope, `Bearer ${await this.#token(bearer, scope, signal)}`);
      return this.#tokens.get(scope) !== used;
    }
    const login = credentials(this.#auth);
    if (!challenges.some(({ scheme }) => scheme === "basic") || login === undefined) return false;
    this.#header = basicHeader(login);
    return this.#header !== used;
  }

  async #token({ params }: Challenge, scope: string, signal?: AbortSignal): Promise<string> {
    const { realm = "", service = "" } = params;
    // Several scopes are repeated; a registry that names one of its own knows best.
    const scopes = (scope === "" ? (params["scope"] ?? "") : scope).split(" ").filter((part) => part !== "");
    if (!/^https?:\/\//.test(realm)) throw new EngineError("forbidden", "the registry names no token server");
    const refresh = this.#auth?.identitytoken;
    const answer = refresh
      ? await this.#refresh(realm, service, scopes, refresh, signal)
      : await this.#get(realm, service, scopes, signal);
    const token = answer.token ?? answer.access_token;
    this.#identityToken = answer.refresh_token ?? "";
    if (!token) throw new EngineError("forbidden", "the token server gave no token");
    return token;
  }

  async #get(
    realm: string,
    service: string,
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<TokenAnswer> {
    const url = new URL(realm);
    if (service !== "") url.searchParams.set("service", service);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    url.searchParams.set("client_id", CLIENT);
    if (this.#offline) url.searchParams.set("offline_token", "true");
    const login = credentials(this.#auth);
    if (login !== undefined) url.searchParams.set("account", login.username);
    return this.#ask({
      method: "GET",
      url,
      headers: login === undefined ? {} : { authorization: basicHeader(login) },
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #refresh(
    realm: string,
    service: string,
    scopes: readonly string[],
    token: string,
    signal?: AbortSignal,
  ): Promise<TokenAnswer> {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      service,
      scope: scopes.join(" "),
      client_id: CLIENT,
      refresh_token: token,
    });
    return this.#ask({
      method: "POST",
      url: new URL(realm),
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: Buffer.from(form.toString()),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #ask(request: Parameters<Transport["send"]>[0]): Promise<TokenAnswer> {
    const response = await this.#transport.send(request);
    const body = await bodyOf(response, TOKEN_LIMIT);
    const passing = transientStatus(
      response.statusCode ?? 0,
      response.headers["retry-after"],
      `request for a token of ${request.url.host}`,
    );
    if (passing !== undefined) throw passing;
    if (response.statusCode !== 200) {
      // What was sent is not repeated here: it may hold a password.
      throw new EngineError(
        "forbidden",
        `unauthorized: ${request.url.host} answers ${response.statusCode} to a request for a token`,
      );
    }
    try {
      return JSON.parse(body.toString("utf8")) as TokenAnswer;
    } catch (cause) {
      throw new EngineError("forbidden", `${request.url.host} gave no token`, { cause });
    }
  }
}

function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
