import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SlipwayCommand } from "../../../src/cli/base.ts";
import { GROUPS } from "../../../src/cli/help.ts";
import { COMMANDS } from "../../../src/cli/table.ts";

const commands = suite("cli/commands");

for (const [name, load] of Object.entries(COMMANDS)) {
  commands(`${name} says what it does, with examples that call it`, async () => {
    const command = (await load()) as unknown as typeof SlipwayCommand;
    assert.ok(command.summary, "no summary");
    assert.ok(command.summary!.length <= 100, "the summary is too long");
    const examples = (command.examples ?? []) as readonly string[];
    assert.ok(examples.length > 0, "no examples");
    for (const example of examples) assert.match(example, "slipway ");
    for (const [flag, definition] of Object.entries(command.flags ?? {})) {
      assert.ok(
        definition.hidden || definition.summary || definition.description,
        `--${flag} has no summary`,
      );
    }
  });
}

commands("the overview leaves nothing out, aliases aside", async () => {
  const shown = Object.values(GROUPS).flat();
  const words = Object.keys(COMMANDS).filter((name) => !name.includes(" "));
  assert.equal(
    words.filter((name) => !shown.includes(name)),
    ["convert"],
  );
  assert.equal(
    shown.filter((name) => !words.includes(name)),
    [],
  );
});

commands.run();
