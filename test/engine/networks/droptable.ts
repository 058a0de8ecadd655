/** Removes the engine's nftables table from this network namespace. Argument: the exec root of its daemon. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jobKind } from "../../../engine/native/protocol.ts";
import { Spawner } from "../../../engine/native/spawner.ts";
import { removeTable } from "../../../engine/networks/firewall.ts";
import { markOf } from "../../../engine/networks/machine.ts";

const program =
  process.env["SLIPWAY_NATIVE"] ?? join(import.meta.dirname, "../../../dist/native/slipway-native");
const directory = mkdtempSync(join(tmpdir(), "slw-table-"));
const spawner = await Spawner.start({ program, socket: join(directory, "spawner.sock") });
await spawner.request(jobKind.network, [
  { op: "hostNetlink", ...removeTable(`slipway${markOf(process.argv[2] ?? "")}`, 4) },
]);
await spawner.close();
rmSync(directory, { recursive: true });
