import { suite } from "uvu";
import * as assert from "uvu/assert";
import { archiveFile } from "../../../src/cli/archive-file.ts";
import { rejects } from "../../helpers/rejects.ts";

const archive = suite("cli/archive-file");

archive("what is no archive is said to be none, not the engine to be away", async () => {
  await rejects(archiveFile("/nowhere.tar", "dir"), "SOURCE_MISSING");
  const { hint } = await rejects(archiveFile("/etc", "oci-layout"), "USAGE");
  assert.match(hint ?? "", /--from oci-layout:\/etc/);
});

archive.run();
