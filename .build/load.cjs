"use strict";
// Starts the program in the pack beside this file. Its parts are compiled when they are first needed, each from its V8
// code cache, which a Node of another version does without. The pack stays open: a new one that is put in its place
// does not disturb what runs.
const { mkdirSync, openSync, readSync, writeFileSync } = require("node:fs");
const { Script } = require("node:vm");

const HEAD = 16; // bytes: the length of the index, in decimal
const pack = openSync(__filename.replace(/cjs$/, "pack"), "r");
/** Part → where its source begins in the pack, the source's length and its code cache's, which follows: bytes. */
const index = JSON.parse(read(HEAD, Number(read(0, HEAD).latin1Slice())).latin1Slice());
const loaded = new Map();

function read(at, length) {
  const bytes = Buffer.allocUnsafeSlow(length);
  readSync(pack, bytes, 0, length, at);
  return bytes;
}

function compile(name) {
  const [at, length, cached] = index[name];
  const cachedData = cached === 0 ? undefined : read(at + length, cached);
  return new Script(read(at, length).latin1Slice(), { filename: `${__dirname}/${name}`, cachedData });
}

/** A module of Node that comes when something of it is used. */
function late(name) {
  let module;
  const get = (_, key) => {
    module ??= require(name);
    return module[key];
  };
  return new Proxy({}, { get });
}

/** The exports of a part; the parts name each other by `./NAME`. */
function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.module.exports;
  const script = compile(name);
  const module = { exports: {} };
  loaded.set(name, { script, module });
  const requirePart = (wanted) => (wanted.startsWith("./") ? load(wanted.slice(2)) : require(wanted));
  script.runInThisContext()(module.exports, requirePart, module, __filename, __dirname, late);
  return module.exports;
}

// The build takes the caches after runs, so that they hold what those compiled lazily.
const target = process.env.SLIPWAY_WRITE_CACHE;
if (target !== undefined) {
  process.on("exit", () => {
    mkdirSync(target, { recursive: true });
    for (const name of Object.keys(index))
      writeFileSync(`${target}/${name}`, (loaded.get(name)?.script ?? compile(name)).createCachedData());
  });
}

load("main.js");
