import { EngineError } from "../../errors.ts";
import type { Owner, TreeRoot } from "../../native/trees.ts";
import type { Workers } from "../../native/workers.ts";

/** /etc/passwd and /etc/group of an image may be anything. */
const MOST = 1 << 20;

export interface FoundOwner {
  readonly owner: Owner;
  /** Names that the image's files do not have: such a user counts as root, such a group is the user's own. */
  readonly unknown: readonly { readonly what: "user" | "group"; readonly name: string }[];
}

/**
 * `user[:group]` of --chown and WORKDIR: numbers as they are, names from the image.
 *
 * @throws {EngineError} invalid for a name where the image has no file to look it up in
 */
export async function ownerOf(text: string, tree: TreeRoot, workers: Workers): Promise<FoundOwner> {
  const colon = text.indexOf(":");
  const user = colon < 0 ? text : text.slice(0, colon);
  const group = colon < 0 ? "" : text.slice(colon + 1);
  const unknown: FoundOwner["unknown"][number][] = [];
  const find = async (what: "user" | "group", name: string): Promise<readonly string[] | undefined> => {
    const line = await lookUp(what, name, tree, workers);
    if (line === undefined) unknown.push({ what, name });
    return line;
  };
  const line = (numeric(user) === undefined && user !== "" ? await find("user", user) : undefined) ?? ROOT;
  const uid = numeric(user) ?? Number(line[UID]);
  // A user by number has no entry that would tell the group.
  const own = numeric(user) ?? Number(line[GID]);
  if (group === "") return { owner: { uid, gid: own }, unknown };
  const gid = numeric(group) ?? Number((await find("group", group))?.[UID] ?? own);
  return { owner: { uid, gid }, unknown };
}

/** Fields of a line of /etc/passwd; a group's own number stands where a user's does. */
const UID = 2;
const GID = 3;
const ROOT: readonly string[] = ["root", "", "0", "0"];

function numeric(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  if (value > 0xffff_fffe)
    throw new EngineError("invalid", `${text} is no user or group: ids end at ${0xffff_fffe}`);
  return value;
}

async function lookUp(
  what: "user" | "group",
  name: string,
  tree: TreeRoot,
  workers: Workers,
): Promise<readonly string[] | undefined> {
  const file = what === "user" ? "passwd" : "group";
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
  return text
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[0] === name && /^\d+$/.test(fields[UID] ?? ""));
}
