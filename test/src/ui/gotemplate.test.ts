import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AppError } from "../../../src/errors.ts";
import { goTemplate } from "../../../src/ui/gotemplate.ts";

const template = suite("ui/gotemplate");

const DATA = {
  Id: "abc",
  Name: "/web",
  State: { Status: "running", Running: true, ExitCode: 0 },
  Mounts: [{ Source: "/a" }, { Source: "/b" }],
  Ports: { "80/tcp": [{ HostPort: "8080" }] },
  Labels: { "a.b": "c" },
  None: null,
};

for (const [text, expected] of [
  ["{{.Name}} is {{ .State.Status }}", "/web is running"],
  ["{{.ID}}", "abc"],
  ["{{json .State}}", '{"Status":"running","Running":true,"ExitCode":0}'],
  ["{{.State.ExitCode}}{{.State.Running}}{{.None}}", "0true<no value>"],
  ['{{index .Labels "a.b"}}', "c"],
  ['{{(index (index .Ports "80/tcp") 0).HostPort}}', "8080"],
  ["{{range .Mounts}}{{.Source}} {{end}}", "/a /b "],
  ["{{range $.Mounts}}{{$.Name}};{{else}}none{{end}}", "/web;/web;"],
  ["{{if .State.Running}}up{{else}}down{{end}}", "up"],
  ['{{if eq .State.Status "exited" "dead"}}gone{{else}}here{{end}}', "here"],
  ["{{with .State}}{{.Status}}{{end}}", "running"],
  ["{{.Name | upper}}", "/WEB"],
  ['{{join (split .Name "/") "-"}}', "-web"],
  ['{{printf "%s=%d" .Name 3}}', "/web=3"],
  ["{{len .Mounts}}\\t{{.Labels}}", "2\tmap[a.b:c]"],
  ["plain", "plain"],
] as const) {
  template(text, () => assert.is(goTemplate(text)(DATA), expected));
}

for (const text of ["{{nope .Name}}", "{{if .Name}}x", "{{end}}"]) {
  template(`${text} is refused`, () =>
    assert.throws(
      () => goTemplate(text)(DATA),
      (error: unknown) => error instanceof AppError && error.code === "USAGE",
    ),
  );
}

template.run();
