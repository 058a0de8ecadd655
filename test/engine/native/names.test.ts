import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeName, encodeName } from "../../../engine/native/names.ts";

const names = suite("native/names");

for (const [what, bytes, text] of [
  ["UTF-8 stays what it is", [0x61, 0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80], "aé😀"],
  ["a byte that is no character", [0x63, 0xe9], "c\udce9"],
  ["the character for what is none is itself", [0xef, 0xbf, 0xbd, 0xff], "\ufffd\udcff"],
  ["a character cut off", [0xe2, 0x82], "\udce2\udc82"],
  ["a surrogate in UTF-8 is no character", [0xed, 0xb3, 0xa9], "\udced\udcb3\udca9"],
  ["a longer form than needed", [0xc0, 0xaf], "\udcc0\udcaf"],
] as const) {
  names(what, () => {
    assert.is(decodeName(Buffer.from(bytes)), text);
    assert.equal([...encodeName(text)], [...bytes]);
  });
}

names("any bytes come back", () => {
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(
      Array.from({ length: 8 }, (_, at) => (round * 31 + at * at * 97 + (round >> at)) & 0xff),
    );
    assert.equal([...encodeName(decodeName(bytes))], [...bytes]);
  }
});

names.run();
