import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readOptions } from "../../../../engine/api/buildkit/options.ts";
import { answerSubrequest } from "../../../../engine/api/buildkit/subrequests.ts";
import type { Warning } from "../../../../engine/builder/dockerfile/lint.ts";
import { DockerfileError } from "../../../../engine/builder/dockerfile/position.ts";
import { asFailure } from "../../../../engine/builder/failure.ts";

const subrequests = suite("engine/api/buildkit/subrequests");

const TEXT = `# VER which version
ARG VER=1
# base the base stage
FROM --platform=$BUILDPLATFORM busybox AS base
ARG VER
# FOO foo value
ARG FOO=bar
RUN --mount=type=secret,id=tok,required --mount=type=ssh echo $FOO

# final is it
FROM base AS final
ARG HTTP_PROXY
ARG UNUSED=$FOO-x
COPY . /
FROM busybox AS other
RUN --mount=type=secret,id=not-asked true
`;

const range = { start: { line: 2, column: 1 }, end: { line: 2, column: 1 } };
const WARNING: Warning = { rule: "MaintainerDeprecated", message: "deprecated", url: "https://x", range };

async function ask(name: string, check: () => Promise<readonly Warning[]> = async () => []) {
  const stated = readOptions({ target: "final" });
  const answer = await answerSubrequest(name, { text: TEXT, name: "Dockerfile" }, stated, check);
  return {
    text: String(answer["result.txt"]),
    json: JSON.parse(String(answer["result.json"])),
    status: String(answer["result.statuscode"]),
  };
}

subrequests("an outline has the arguments, secrets and agents that the target needs", async () => {
  const { text, json } = await ask("frontend.outline");
  assert.is(
    text,
    `TARGET:        final
DESCRIPTION:   is it

BUILD ARG    VALUE   DESCRIPTION
VER          1       which version
FOO          bar     foo value
HTTP_PROXY
UNUSED       bar-x

SECRET   REQUIRED
tok      true

SSH       REQUIRED
default

`,
  );
  assert.equal(json.secrets, [
    { name: "tok", required: true, location: { ranges: [{ start: { line: 8 }, end: { line: 8 } }] } },
  ]);
});

subrequests("targets are the stages", async () => {
  const { text, json } = await ask("frontend.targets");
  assert.is(
    text,
    "TARGET            DESCRIPTION\nbase              the base stage\nfinal             is it\nother (default)\n",
  );
  assert.is(json.targets[0].platform, "$BUILDPLATFORM");
});

subrequests("a check tells warnings, and what cannot be built", async () => {
  const found = await ask("frontend.lint", async () => [WARNING]);
  assert.is(found.status, "1");
  assert.is(found.json.warnings[0].ruleName, "MaintainerDeprecated");
  assert.match(found.text, "WARNING: MaintainerDeprecated - https://x\ndeprecated\nDockerfile:2");
  const broken = await ask("frontend.lint", () =>
    Promise.reject(asFailure(new DockerfileError("unknown instruction", range), TEXT, "Dockerfile")),
  );
  assert.equal(broken.json.buildError, {
    message: "unknown instruction",
    location: { ranges: [{ start: { line: 2 }, end: { line: 2 } }] },
  });
  assert.is((await ask("frontend.lint")).status, "0");
});

subrequests.run();
