import type { Headers } from "../reply.ts";
import { segment, type Transport } from "../transport.ts";
import type { FileCalls, PathStat } from "../types/files.ts";

export function fileCalls(engine: Transport): FileCalls {
  const at = (id: string, what: string): string => `/containers/${segment(id)}/${what}`;
  return {
    putArchive: (id, path, body, { noOverwriteDirNonDir, copyUidGid } = {}) =>
      engine.done("PUT", at(id, "archive"), {
        query: { path, noOverwriteDirNonDir, copyUIDGID: copyUidGid },
        body,
        contentType: "application/x-tar",
      }),
    async getArchive(id, path) {
      const tar = await engine.open("GET", at(id, "archive"), { query: { path } });
      return { stat: statIn(tar.headers), tar };
    },
    async statPath(id, path) {
      const response = await engine.open("HEAD", at(id, "archive"), { query: { path } });
      response.resume();
      return statIn(response.headers);
    },
    exportContainer: (id) => engine.open("GET", at(id, "export")),
  };
}

function statIn(headers: Headers): PathStat {
  const text = headers["x-docker-container-path-stat"] ?? "e30=";
  return JSON.parse(Buffer.from(text, "base64").toString()) as PathStat;
}
