import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatScalar, resolvePlain } from "../../../src/model/scalars.ts";

const plain = suite("model/scalars");

for (const [text, value] of [
  ["yes", "yes"],
  ["on", "on"],
  ["True", true],
  ["~", null],
  ["", null],
  ["0123", 83],
  ["0o17", 15],
  ["0128", 128],
  ["0x1F", 31],
  ["0b11", 3],
  ["1_000", 1000],
  ["12:30", "12:30"],
  ["2024-01-02", "2024-01-02"],
  ["3.10", 3.1],
  ["+5", 5],
  ["-0", 0],
  [".5", 0.5],
  ["9007199254740993", 9007199254740993n],
  ["18446744073709551615", 18446744073709551615n],
  ["1e400", "1e400"],
  ["1.2.3", "1.2.3"],
  ["-", "-"],
] as const) {
  plain(`${text || "nothing"} is ${typeof value} ${value}`, () => assert.is(resolvePlain(text), value));
}

for (const [source, text] of [
  ["3.10", "3.1"],
  ["0123", "83"],
  ["1e21", "1e+21"],
  ["12345678.9", "1.23456789e+07"],
  ["0.00001", "1e-05"],
  ["0.0001", "0.0001"],
  ["1.0", "1"],
  ["1e6", "1e+06"],
  ["1000000", "1000000"],
  ["18446744073709551616", "1.8446744073709552e+19"],
  ["9007199254740993", "9007199254740993"],
] as const) {
  plain(`${source} as text is ${text}`, () => assert.is(formatScalar(resolvePlain(source), source), text));
}

plain.run();
