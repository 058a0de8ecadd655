import { suite } from "uvu";
import * as assert from "uvu/assert";
import { printProvenance } from "../../../src/model/provenance.ts";
import { loadTexts } from "./memory.ts";

const provenance = suite("model/provenance");

/** The story of a value in a project of several files, as `explain` prints it. */
async function story(path: readonly (string | number)[]): Promise<string[]> {
  const project = await loadTexts(
    {
      ".env": "LEVEL=warn\n",
      "compose.yaml": [
        "include: [sub/inc.yaml]",
        "services:",
        "  base: {image: i, hostname: base}",
        "  web:",
        "    extends: base",
        "    hostname: own",
        "    ports: ['8080:80']",
        "    env_file: web.env",
        "    environment:",
        "      LOG: ${LEVEL:-info}",
        "      MODE: ${MODE:-dev}",
        "      SHELL_VAR:",
      ].join("\n"),
      "compose.override.yaml": "services:\n  web:\n    environment: {LOG: debug}\n",
      "web.env": "MODE=file\nONLY=file\n",
      "sub/inc.yaml": "services:\n  inner:\n    image: x\n",
    },
    { env: { SHELL_VAR: "set" } },
  );
  const told = project.provenanceOf(path);
  return told ? printProvenance(told, (file) => file.replace("/shop/", "")) : [];
}

for (const [what, path, lines] of [
  [
    "an override tells what it won over, and what filled that",
    ["services", "web", "environment", "LOG"],
    [
      "services.web.environment.LOG = debug",
      "  compose.override.yaml:3:24",
      "  compose.yaml:10:12  ${LEVEL:-info}, LEVEL: from .env:1  lost: warn",
    ],
  ],
  [
    "a default of a variable is told, and the file below",
    ["services", "web", "environment", "MODE"],
    [
      "services.web.environment.MODE = dev",
      "  compose.yaml:11:13  ${MODE:-dev}, MODE: its default",
      "  web.env:1:1  lost: file",
    ],
  ],
  [
    "a variable of an env file has its line",
    ["services", "web", "environment", "ONLY"],
    ["services.web.environment.ONLY = file", "  web.env:2:1"],
  ],
  [
    "an inherited variable tells where from",
    ["services", "web", "environment", "SHELL_VAR"],
    ["services.web.environment.SHELL_VAR = set", "  compose.yaml:12:7  SHELL_VAR: from shell"],
  ],
  [
    "an extending service wins over its base",
    ["services", "web", "hostname"],
    ["services.web.hostname = own", "  compose.yaml:6:15", "  compose.yaml:3:30  lost: base"],
  ],
  [
    "what only the base says is the base's",
    ["services", "web", "image"],
    ["services.web.image = i", "  compose.yaml:3:17"],
  ],
  [
    "an included service is the included file's",
    ["services", "inner", "image"],
    ["services.inner.image = x", "  sub/inc.yaml:3:12"],
  ],
  [
    "a default that nobody wrote says so",
    ["networks", "default", "name"],
    ["networks.default.name = shop_default", "  compose.override.yaml:1:1  default"],
  ],
  ["nothing is told of what is not there", ["services", "web", "nothing"], []],
] as const) {
  provenance(what, async () => assert.equal(await story(path), lines));
}

provenance("positions are of the value, and of the nearest thing above where nobody wrote one", async () => {
  const project = await loadTexts("services:\n  web:\n    image: i\n    ports: ['8080:80']\n");
  assert.equal(project.positionOf(["services", "web", "ports", 0, "published"]), {
    file: "/shop/compose.yaml",
    line: 4,
    column: 13,
  });
  assert.equal(project.positionOf(["services", "web", "deploy", "replicas"]), {
    file: "/shop/compose.yaml",
    line: 2,
    column: 3,
  });
  assert.is(project.positionOf(["secrets"]), undefined);
});

provenance.run();
