import { defaultPlaces, findAddress } from "../client/address.ts";
import { clientOf } from "../client/connect.ts";

export interface EngineFacts {
  readonly host: string;
  readonly engine: string; // its name and version, or why it is not known
  readonly api?: string | undefined;
  readonly kernel?: string | undefined;
  readonly data?: string | undefined;
  readonly log?: string | undefined;
}

/** Asks the engine what it is; starts none. */
export async function engineVersion(options: {
  readonly host: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<EngineFacts> {
  const uid = process.getuid?.() ?? 0;
  const { text, endpoint, isDefault } = findAddress(options.host, uid, options.env);
  const engine = clientOf(text, endpoint);
  try {
    const { Version, ApiVersion, KernelVersion, Components, Platform } = await engine.version();
    const own = Components?.find(({ Name }) => Name === "Slipway");
    return {
      host: text,
      engine: own ? `slipway ${own.Version}` : `${Platform?.Name || "Docker Engine"} ${Version}`,
      api: ApiVersion,
      kernel: KernelVersion,
      data: own?.Details?.["DataRoot"],
      log: own?.Details?.["Log"],
    };
  } catch {
    const places = defaultPlaces(uid, options.env);
    return {
      host: text,
      engine: isDefault ? "not running; the next command starts it" : "does not answer",
      ...(isDefault && { data: places.dataRoot, log: places.log }),
    };
  } finally {
    engine.close();
  }
}
