/** The two questions that an artifact of a registry needs: its manifest, and its layers. */
import type { RegistryLogin } from "../client/types/system.ts";
import type { OciAddress } from "../model/remote.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
/** A Compose file is text by people; nobody's is larger. */
const MOST_BYTES = 16 << 20;

export class RegistryClient {
  readonly #address: OciAddress;
  readonly #login: RegistryLogin | undefined;
  #authorization: string | undefined;

  constructor(address: OciAddress, login: RegistryLogin | undefined) {
    this.#address = address;
    this.#login = login;
  }

  manifest(): Promise<Buffer> {
    return this.#get(`manifests/${this.#address.reference}`, MANIFEST);
  }

  blob(digest: string): Promise<Buffer> {
    return this.#get(`blobs/${digest}`, "*/*");
  }

  async #get(path: string, accept: string): Promise<Buffer> {
    const { registry, repository } = this.#address;
    // As docker has it, a registry of this machine needs no TLS.
    const scheme = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$)/.test(registry) ? "http" : "https";
    const url = `${scheme}://${registry}/v2/${repository}/${path}`;
    const ask = (): Promise<Response> =>
      fetch(url, {
        headers: { accept, ...(this.#authorization !== undefined && { authorization: this.#authorization }) },
        signal: AbortSignal.timeout(60_000),
      });
    let response = await ask();
    if (response.status === 401) {
      this.#authorization = await this.#authorize(response.headers.get("www-authenticate") ?? "");
      response = await ask();
    }
    if (response.status === 404) throw new Error("the registry does not have it");
    if (response.status === 401 || response.status === 403)
      throw new Error("the registry denies it: log in first");
    if (!response.ok) throw new Error(`the registry answers ${response.status}`);
    return await limited(response);
  }

  /** @see the distribution project's token specification */
  async #authorize(challenge: string): Promise<string> {
    const { username = "", password = "", identitytoken } = this.#login ?? {};
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    if (/^basic/i.test(challenge)) return basic;
    const fields = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value!]),
    );
    const url = new URL(fields.get("realm") ?? "");
    const scope = `repository:${this.#address.repository}:pull`;
    const service = fields.get("service") ?? "";
    const response = identitytoken
      ? await fetch(url, {
          method: "POST",
          body: new URLSearchParams({
            grant_type: "refresh_token",
            refresh_token: identitytoken,
            client_id: "slipway",
            service,
            scope,
          }),
        })
      : await fetch(`${url}${url.search ? "&" : "?"}${new URLSearchParams({ service, scope })}`, {
          headers: this.#login ? { authorization: basic } : {},
        });
    if (!response.ok) throw new Error(`the registry's login answers ${response.status}`);
    const { token, access_token } = JSON.parse((await limited(response)).toString()) as {
      readonly token?: string;
      readonly access_token?: string;
    };
    return `Bearer ${token ?? access_token ?? ""}`;
  }
}

async function limited(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES >> 20} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
