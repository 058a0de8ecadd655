import { suite } from "uvu";
import * as assert from "uvu/assert";
import { message } from "../../../../engine/api/buildkit/protobuf.ts";

const protobuf = suite("engine/api/buildkit/protobuf");

const Inner = message({ name: [1, "string"], size: [2, "int"] });
const Outer = message({
  text: [1, "string"],
  on: [2, "bool"],
  bytes: [3, "bytes"],
  inner: [4, Inner],
  list: [5, "string", "list"],
  map: [6, "string", "map"],
  many: [16, Inner, "list"],
});

protobuf("what is written is read again", () => {
  const value = {
    text: "täxt",
    on: true,
    bytes: Buffer.from([0, 255]),
    inner: { name: "a", size: 2 ** 40 },
    list: ["x", "", "y"],
    map: { a: "b", c: "" },
    many: [
      { name: "one", size: 1 },
      { name: "two", size: -1 },
    ],
  };
  assert.equal(Outer.decode(Outer.encode(value)), value);
});

protobuf("what is absent has its zero", () => {
  const empty = {
    text: "",
    on: false,
    bytes: Buffer.alloc(0),
    inner: undefined,
    list: [],
    map: {},
    many: [],
  };
  assert.equal(Outer.decode(Buffer.alloc(0)), empty);
});

protobuf("the bytes are the specification's", () => {
  // https://protobuf.dev/programming-guides/encoding/: 150 in field 1, "testing" in field 2
  const Example = message({ a: [1, "int"], b: [2, "string"] });
  assert.is(Example.encode({ a: 150, b: "testing" }).toString("hex"), "089601120774657374696e67");
});

protobuf("fields that are not known are passed over", () => {
  const Wide = message({ a: [1, "int"], b: [9, Inner], c: [10, "string"] });
  const Narrow = message({ c: [10, "string"] });
  const fixed = Buffer.from("0d00000000" + "110000000000000000", "hex"); // 32 and 64 bits wide
  const bytes = Buffer.concat([fixed, Wide.encode({ a: 1, b: { name: "n" }, c: "seen" })]);
  assert.equal(Narrow.decode(bytes), { c: "seen" });
});

for (const hex of ["0a05", "08", "0a0561", "ffffffffff"]) {
  protobuf(`${hex} is cut off`, () => assert.throws(() => Outer.decode(Buffer.from(hex, "hex"))));
}

protobuf.run();
