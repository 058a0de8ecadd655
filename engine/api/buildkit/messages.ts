/**
 * The messages of BuildKit's services, with the fields that are read or written here.
 *
 * @see github.com/moby/buildkit api/services/control/control.proto, frontend/gateway/pb/gateway.proto,
 *   session/{auth,secrets}, github.com/tonistiigi/fsutil types/wire.proto
 */
import { message } from "./protobuf.ts";

export const Empty = message({});

const Platform = message({ architecture: [1, "string"], os: [2, "string"], variant: [3, "string"] });
const Worker = message({ id: [1, "string"], labels: [2, "string", "map"], platforms: [3, Platform, "list"] });
export const WorkersAnswer = message({ workers: [1, Worker, "list"] });

const BuildkitVersion = message({ package: [1, "string"], version: [2, "string"], revision: [3, "string"] });
export const InfoAnswer = message({ version: [1, BuildkitVersion] });

const Exporter = message({ type: [1, "string"], attributes: [2, "string", "map"] });
const CacheEntry = message({ type: [1, "string"], attributes: [2, "string", "map"] });
const CacheOptions = message({ exports: [4, CacheEntry, "list"], imports: [5, CacheEntry, "list"] });
export const SolveRequest = message({
  ref: [1, "string"],
  oldExporter: [3, "string"],
  oldAttributes: [4, "string", "map"],
  session: [5, "string"],
  frontend: [6, "string"],
  frontendAttributes: [7, "string", "map"],
  cache: [8, CacheOptions],
  entitlements: [9, "string", "list"],
  internal: [11, "bool"],
  exporters: [13, Exporter, "list"],
});
export const SolveAnswer = message({ exported: [1, "string", "map"] });

export const Timestamp = message({ seconds: [1, "int"], nanos: [2, "int"] });
export const Vertex = message({
  digest: [1, "string"],
  inputs: [2, "string", "list"],
  name: [3, "string"],
  cached: [4, "bool"],
  started: [5, Timestamp],
  completed: [6, Timestamp],
  error: [7, "string"],
});
export const VertexLog = message({
  vertex: [1, "string"],
  timestamp: [2, Timestamp],
  /** 1 stdout, 2 stderr. */
  stream: [3, "int"],
  bytes: [4, "bytes"],
});
export const VertexWarning = message({
  vertex: [1, "string"],
  level: [2, "int"],
  short: [3, "bytes"],
  url: [5, "string"],
});
export const StatusRequest = message({ ref: [1, "string"] });
export const StatusAnswer = message({
  vertexes: [1, Vertex, "list"],
  logs: [3, VertexLog, "list"],
  warnings: [4, VertexWarning, "list"],
});

export const UsageRecord = message({
  id: [1, "string"],
  mutable: [2, "bool"],
  inUse: [3, "bool"],
  size: [4, "int"],
  created: [6, Timestamp],
  lastUsed: [7, Timestamp],
  usageCount: [8, "int"],
  description: [9, "string"],
  type: [10, "string"],
});
export const UsageAnswer = message({ records: [1, UsageRecord, "list"] });

const Capability = message({ id: [1, "string"], enabled: [2, "bool"] });
export const Pong = message({
  frontend: [1, Capability, "list"],
  llb: [2, Capability, "list"],
  workers: [3, Worker, "list"],
});

export const BridgeSolveRequest = message({
  frontend: [2, "string"],
  options: [3, "string", "map"],
  cacheImports: [12, CacheEntry, "list"],
});
const Reference = message({ id: [1, "string"] });
const Result = message({ ref: [3, Reference], metadata: [10, "bytes", "map"] });
export const BridgeSolveAnswer = message({ result: [3, Result] });
const Any = message({ type: [1, "string"], value: [2, "bytes"] });
export const Status = message({ code: [1, "int"], message: [2, "string"], details: [3, Any, "list"] });
/** `error` is a Status. */
export const ReturnRequest = message({ result: [1, Result], error: [2, "bytes"] });

const SourceInfo = message({ file: [1, "string"], text: [2, "bytes"], language: [4, "string"] });
const Position = message({ line: [1, "int"], character: [2, "int"] });
const SourceRange = message({ start: [1, Position], end: [2, Position] });
/** Where in a Dockerfile an error has its cause: a detail of a Status. */
export const ErrorSource = message({ info: [1, SourceInfo], ranges: [2, SourceRange, "list"] });

export const PruneRequest = message({ all: [2, "bool"], keepSeconds: [3, "int"], keepBytes: [4, "int"] });
export const Bytes = message({ data: [1, "bytes"] });

export const Credentials = message({ host: [1, "string"] });
export const CredentialsAnswer = message({ username: [1, "string"], secret: [2, "string"] });
export const SecretRequest = message({ id: [1, "string"] });
export const SecretAnswer = message({ data: [1, "bytes"] });

export const AgentRequest = message({ id: [1, "string"] });

/** Mode is Go's FileMode; a link name on what is no symbolic link makes it a hard link. */
export const FileStat = message({
  path: [1, "string"],
  mode: [2, "int"],
  uid: [3, "int"],
  gid: [4, "int"],
  size: [5, "int"],
  /** Nanoseconds since 1970. */
  modified: [6, "int"],
  link: [7, "string"],
});
export const PACKET = { stat: 0, request: 1, data: 2, end: 3, error: 4 } as const;
export const Packet = message({ type: [1, "int"], stat: [2, FileStat], id: [3, "int"], data: [4, "bytes"] });
