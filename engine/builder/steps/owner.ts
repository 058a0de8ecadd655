import { EngineError } from "../../errors.ts";
import type { Owner, TreeRoot } from "../../native/trees.ts";
import type { Workers } from "../../native/workers.ts";

/** /etc/passwd and /etc/group of an image may be anything. */
const MOST = 1 << 20;

/**
 * `user[:group]` of --chown and WORKDIR: numbers as they are, names from the image.
 *
 * @throws {EngineError} invalid for a name that the image does not know
 */
export async function ownerOf(text: string, tree: TreeRoot, workers: Workers): Promise<Owner> {
  const colon = text.indexOf(":");
  const user = colon < 0 ? text : text.slice(0, colon);
  const group = colon < 0 ? "" : text.slice(colon + 1);
  let uid = numeric(user);
  let gid = numeric(group);
  if (uid === undefined || (group === "" && uid === undefined)) {
    const line = user === "" ? ["", "", "0", "0"] : await lookUp("passwd", user, tree, workers);
    uid = Number(line[2]);
    gid ??= group === "" ? Number(line[3]) : undefined;
  }
  if (gid === undefined) gid = group === "" ? uid : Number((await lookUp("group", group, tree, workers))[2]);
  return { uid, gid };
}

function numeric(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  if (value > 0xffff_fffe)
    throw new EngineError("invalid", `${text} is no user or group: ids end at ${0xffff_fffe}`);
  return value;
}

async function lookUp(
  file: "passwd" | "group",
  name: string,
  tree: TreeRoot,
  workers: Workers,
): Promise<string[]> {
  const what = file === "passwd" ? "user" : "group";
  let text: string;
  try {
    text = (await workers.read(tree, `/etc/${file}`, MOST)).toString("utf8");
  } catch (cause) {
    throw new EngineError(
      "invalid",
      `unable to find ${what} ${name}: the image has no readable /etc/${file}`,
      { cause },
    );
  }
  for (const line of text.split("\n")) {
    const fields = line.split(":");
    if (fields[0] === name && fields.length >= 3 && /^\d+$/.test(fields[2]!)) return fields;
  }
  throw new EngineError(
    "invalid",
    `unable to find ${what} ${name}: no matching entries in /etc/${file} of the image`,
  );
}
