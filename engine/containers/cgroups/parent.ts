import { EngineError } from "../../errors.ts";

/** @throws {EngineError} invalid, if the name leads out of the tree */
export function checkedParent(parent: string): string {
  const names = parent.split("/").filter((name) => name !== "");
  if (names.length === 0 || names.some((name) => name === "." || name === "..")) {
    throw new EngineError("invalid", `invalid CgroupParent: ${parent}`);
  }
  return names.join("/");
}
