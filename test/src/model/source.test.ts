import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadTexts, mistakes } from "./memory.ts";

const source = suite("model/source");

const web = (image: string): string => `services: {web: {image: "${image}"}}`;

for (const [what, texts, given, expected] of [
  [
    "compose.yaml comes before docker-compose.yml",
    { "compose.yaml": web("a"), "docker-compose.yml": web("b") },
    {},
    "shop a",
  ],
  ["an override lies over it", { "compose.yaml": web("a"), "compose.override.yaml": web("b") }, {}, "shop b"],
  [
    "-f turns the override off",
    { "compose.yaml": web("a"), "compose.override.yaml": web("b") },
    { files: ["compose.yaml"] },
    "shop a",
  ],
  [
    "the files of a folder above are found",
    { "compose.yaml": web("a"), "deep/er/x": "" },
    { cwd: "/shop/deep/er" },
    "shop a",
  ],
  [
    "COMPOSE_FILE names files, also from .env",
    { ".env": "COMPOSE_FILE=x.yaml:y.yaml", "x.yaml": web("a"), "y.yaml": web("b") },
    {},
    "shop b",
  ],
  [
    "the shell wins over .env",
    { ".env": "TAG=env", "compose.yaml": web("$TAG") },
    { env: { TAG: "shell" } },
    "shop shell",
  ],
  [
    "--env-file takes the place of .env, a later one wins",
    { ".env": "TAG=env", a: "TAG=a", b: "TAG=b", "compose.yaml": web("$TAG") },
    { envFiles: ["a", "b"] },
    "shop b",
  ],
  [
    ".env is the one beside the first file",
    { ".env": "TAG=root", "sub/.env": "TAG=sub", "sub/c.yaml": web("$TAG") },
    { files: ["sub/c.yaml"] },
    "sub sub",
  ],
  [
    "the name is the last file's",
    { "a.yaml": `name: one\n${web("a")}`, "b.yaml": "name: two" },
    { files: ["a.yaml", "b.yaml"] },
    "two a",
  ],
  ["a name of a file is made fit", { "compose.yaml": `name: My App!\n${web("a")}` }, {}, "myapp a"],
  [
    "-p wins",
    { "compose.yaml": `name: one\n${web("${COMPOSE_PROJECT_NAME}")}` },
    { projectName: "flag" },
    "flag flag",
  ],
  [
    "COMPOSE_PROJECT_NAME may stand in .env",
    { ".env": "COMPOSE_PROJECT_NAME=env", "compose.yaml": web("a") },
    {},
    "env a",
  ],
  ["standard input", {}, { files: ["-"], stdin: async () => web("stdin") }, "shop stdin"],
] as const) {
  source(what, async () => {
    const project = await loadTexts(texts, given);
    assert.is(`${project.name} ${project.services["web"]!.image}`, expected);
  });
}

for (const [what, texts, given, expected] of [
  ["no file at all", {}, {}, "COMPOSE_FILE_MISSING no compose file in /shop or any folder above it"],
  ["a file that is not there", {}, { files: ["x.yaml"] }, "COMPOSE_FILE_MISSING there is no file x.yaml"],
  [
    "an env file that is not there",
    { "compose.yaml": web("a") },
    { envFiles: ["x.env"] },
    "ENV_FILE_MISSING there is no env file x.env",
  ],
  [
    "a name that cannot be one",
    { "compose.yaml": web("a") },
    { projectName: "Bad Name" },
    'PROJECT_NAME "Bad Name", from -p, is no name for a project',
  ],
  [
    "a name of .env that cannot be one",
    { "compose.yaml": web("a"), ".env": "A=1\nCOMPOSE_PROJECT_NAME=a.b\n" },
    {},
    'PROJECT_NAME "a.b", from .env:2, is no name for a project',
  ],
  [
    "a name of a file that has no letters",
    { "compose.yaml": `name: ___\n${web("a")}` },
    {},
    'PROJECT_NAME compose.yaml:1:7 "___" is no name for a project',
  ],
  [
    "a slip in .env",
    { ".env": "A=1\nB='x\n", "compose.yaml": web("a") },
    {},
    "ENV_FILE_SYNTAX .env:2:3 a quote is opened and never closed",
  ],
] as const) {
  source(`${what} is told`, async () => assert.equal(await mistakes(texts, given), [expected]));
}

source("several files with usable names are warned of", async () => {
  const project = await loadTexts({ "compose.yaml": web("a"), "compose.yml": web("b") });
  assert.equal(
    project.warnings.map(({ message }) => message),
    ["compose.yaml, compose.yml stand side by side; compose.yaml is used"],
  );
});

source.run();
