/** Values that are accepted and mean something else than they look like, or nothing at all. */
import type { ServiceRule } from "../lint.ts";
import { child, entriesOf, isMap, itemsOf, keyed, type Node, textOf } from "../node.ts";
import { formatScalar } from "../scalars.ts";

/** A value that YAML took for something else than it looks like. */
const unquoted: ServiceRule = ({ name, service, say }) => {
  const build = child(service, "build");
  const sections: readonly [string, Node | undefined][] = [
    ["environment", child(service, "environment")],
    ["labels", child(service, "labels")],
    ["annotations", child(service, "annotations")],
    ["build.args", child(build, "args")],
    ["build.labels", child(build, "labels")],
  ];
  for (const [section, values] of sections) {
    for (const [key, value] of entriesOf(values)) {
      if (value.kind !== "scalar" || value.source === undefined) continue;
      const text = formatScalar(value.value, value.source);
      if (text !== value.source && value.source !== "")
        say(
          "UNQUOTED",
          `services.${name}.${section}.${key}: ${value.source} becomes ${text}`,
          value.at,
          `Put it in quotes: "${value.source}".`,
        );
    }
    for (const [key, value] of entriesOf(values)) {
      const written = value.kind === "scalar" ? value.at.file.text.slice(value.at.start, value.at.end) : "";
      if (/^\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?$/.test(written))
        say(
          "UNQUOTED",
          `services.${name}.${section}.${key}: docker compose turns the date ${written} into another text`,
          value.at,
          `Put it in quotes: "${written}".`,
        );
    }
  }
};

const latestNever: ServiceRule = ({ name, service, say }) => {
  const image = child(service, "image");
  if (
    textOf(child(service, "pull_policy")) !== "never" ||
    !image ||
    !/^(?:[^@/]*\/)*[^:@/]*(?::latest)?$/.test(textOf(image) ?? "")
  )
    return;
  say(
    "LATEST_NEVER",
    `services.${name}: "latest" with pull_policy never is whatever this machine happens to have`,
    image.at,
    "Name a version.",
  );
};

const SECRET = /(pass(word|wd|phrase)?|secret|token|api_?key|private_?key|credentials?)$/i;

const plainSecret: ServiceRule = ({ name, service, say }) => {
  const variables = [
    ["environment", child(service, "environment")],
    ["build.args", child(child(service, "build"), "args")],
  ] as const;
  for (const [section, key, value] of variables.flatMap(([section, values]) =>
    [...entriesOf(values)].map((entry) => [section, ...entry] as const),
  )) {
    if (!SECRET.test(key) || !textOf(value)) continue;
    const unset = value.filled?.find(({ from }) => from === "unset");
    if (unset)
      say(
        "DOLLAR",
        `services.${name}.${section}.${key}: $${unset.name} is read as a variable, and it is set nowhere`,
        value.at,
        "Write $$ for a dollar sign.",
      );
    else if (!value.filled && value.at.file.path.match(/\.ya?ml$|^-$/))
      say(
        "PLAIN_SECRET",
        `services.${name}.${section}.${key} stands in the file for all to read`,
        value.at,
        `Use secrets, or \${${key}} and a file that is not shared.`,
      );
  }
};

const imageName: ServiceRule = ({ name, service, say }) => {
  const image = child(service, "image");
  const text = textOf(image);
  if (!image || !text) return;
  if (/\s/.test(text))
    say("IMAGE_NAME", `services.${name}: an image's name has no spaces`, image.at, "Look at the name.");
  else if (
    /[A-Z]/.test(
      text
        .split("@")[0]!
        .replace(/:[^/]*$/, "")
        .replace(/^[^/]*[.:][^/]*\//, ""),
    )
  )
    say(
      "IMAGE_NAME",
      `services.${name}: an image's name is lower case`,
      image.at,
      `Write "${text.toLowerCase()}".`,
    );
};

const exposed: ServiceRule = ({ name, service, say }) => {
  for (const port of itemsOf(child(service, "expose"))) {
    if (!/^\d+(-\d+)?(\/(tcp|udp|sctp))?$/.test(textOf(port) ?? ""))
      say(
        "EXPOSE",
        `services.${name}.expose: "${textOf(port)}" is no port`,
        port.at,
        "Write PORT or PORT/udp.",
      );
  }
};

const restart: ServiceRule = ({ name, service, say }) => {
  const value = child(service, "restart");
  if (value && !/^(no|always|unless-stopped|on-failure(:\d+)?)$/.test(textOf(value) ?? ""))
    say(
      "RESTART",
      `services.${name}.restart: nobody knows "${textOf(value)}"`,
      value.at,
      "Use no, always, unless-stopped, on-failure or on-failure:N.",
    );
};

const labels: ServiceRule = ({ name, service, say }) => {
  for (const [key, value] of entriesOf(child(service, "labels"))) {
    if (key.startsWith("com.docker.compose."))
      say(
        "RESERVED_LABEL",
        `services.${name}: the label ${key} is set by the program itself`,
        keyed(value),
        "Use a name of your own.",
      );
  }
};

const credentials: ServiceRule = ({ name, service, say }) => {
  const spec = child(service, "credential_spec");
  if (isMap(spec) && [...spec.entries.keys()].filter((key) => !key.startsWith("x-")).length > 1)
    say(
      "CREDENTIAL_SPEC",
      `services.${name}.credential_spec has more than one source`,
      keyed(spec),
      "Keep one of config, file, registry.",
    );
};

export const VALUE_RULES: readonly ServiceRule[] = [
  unquoted,
  latestNever,
  plainSecret,
  imageName,
  exposed,
  restart,
  labels,
  credentials,
];
