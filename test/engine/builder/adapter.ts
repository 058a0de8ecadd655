#!/usr/bin/env node
/**
 * What the runner of the shared build cases calls for each build: takes its arguments, builds with the daemon at
 * SLIPWAY_SOCKET, and writes the image as an archive. Prints what was built and, on stderr, what failed.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const TAG = `case/t${process.pid}:x`;

interface Arguments {
  readonly body: Record<string, unknown>;
  readonly out: string | undefined;
  readonly tar: string | undefined;
}

async function main(): Promise<number> {
  const { body, out, tar } = readArguments(process.argv.slice(3));
  const reply =
    tar === undefined
      ? await call(
          "POST",
          "/slipway/v1/build",
          JSON.stringify({ ...body, ...(out !== undefined && { tags: [TAG] }) }),
        )
      : await call("POST", `/v1.45/build?t=${encodeURIComponent(TAG)}`, createReadStream(tar));
  let failure:
    | { readonly error?: string; readonly message?: string; readonly errorDetail?: Details }
    | undefined;
  for (const line of (await textOf(reply)).split("\r\n").filter((each) => each !== "")) {
    const message = JSON.parse(line) as {
      stream?: string;
      error?: string;
      message?: string;
      errorDetail?: Details;
    };
    if (message.stream !== undefined) process.stdout.write(message.stream);
    if (message.error !== undefined || message.message !== undefined) failure = message;
  }
  if (failure !== undefined) {
    const { lastOutput = [], frame = "" } = failure.errorDetail ?? {};
    console.error([...lastOutput, frame, `ERROR: ${failure.error ?? failure.message}`].join("\n"));
    return 1;
  }
  if (out === undefined) return 0;
  await pipeline(await call("GET", `/v1.45/images/${TAG}/get`), createWriteStream(out));
  await textOf(await call("DELETE", `/v1.45/images/${TAG}`));
  return 0;
}

interface Details {
  readonly lastOutput?: readonly string[];
  readonly frame?: string;
}

function readArguments(argv: readonly string[]): Arguments {
  const args: Record<string, string> = {};
  const labels: Record<string, string> = {};
  const contexts: Record<string, string> = {};
  const secrets: object[] = [];
  const ssh: object[] = [];
  const body: Record<string, unknown> = { args, labels, contexts, secrets, ssh };
  let out: string | undefined;
  let tar: string | undefined;
  for (let at = 0; at < argv.length; at++) {
    const flag = argv[at]!;
    if (flag === "--no-cache") body["noCache"] = true;
    else if (flag === "--check") body["check"] = true;
    else {
      const value = argv[++at] ?? "";
      const equals = value.indexOf("=");
      const key = equals < 0 ? value : value.slice(0, equals);
      const rest = equals < 0 ? undefined : value.slice(equals + 1);
      if (flag === "--out") out = value;
      else if (flag === "--tar-stdin") tar = value;
      else if (flag === "--local") body["outputs"] = [{ type: "local", dest: value }];
      else if (flag === "--context") body["directory"] = value;
      else if (flag === "--file") body["dockerfile"] = value;
      else if (flag === "--target" || flag === "--platform" || flag === "--network")
        body[flag.slice(2)] = value;
      else if (flag === "--label") labels[key] = rest ?? "";
      else if (flag === "--build-context") contexts[key] = rest ?? "";
      else if (flag === "--ssh") ssh.push({ id: key, socket: rest });
      else if (flag === "--secret") secrets.push(...secretOf(value));
      else if (flag === "--build-arg") {
        const given = rest ?? process.env[key];
        if (given !== undefined) args[key] = given;
      } else throw new Error(`unknown argument ${flag}`);
    }
  }
  return { body, out, tar };
}

function secretOf(text: string): object[] {
  const { id, src, env = "" } = Object.fromEntries(text.split(",").map((field) => field.split("=", 2)));
  if (src !== undefined) return [{ id, file: src }];
  return process.env[env] === undefined ? [] : [{ id, value: process.env[env] }];
}

function call(method: string, path: string, body?: string | Readable): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": typeof body === "string" ? "application/json" : "application/x-tar" };
    const sent = request({ socketPath: process.env["SLIPWAY_SOCKET"], method, path, headers }, resolve);
    sent.on("error", reject);
    if (body === undefined || typeof body === "string") sent.end(body);
    else body.pipe(sent);
  });
}

async function textOf(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  return text;
}

process.exitCode = await main();
