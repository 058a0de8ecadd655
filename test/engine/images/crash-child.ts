/** Works on a store until it is killed: imports, tags, loads, adopts and removes. Its parent looks at what is left. */
import { mkdirSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { Events } from "../../../engine/events.ts";
import { Images } from "../../../engine/images/images.ts";
import { parseReference } from "../../../engine/images/reference.ts";
import { DEFAULT_SETTINGS } from "../../../engine/images/registry/settings.ts";
import { silentLog } from "../../../engine/log.ts";
import { Spawner } from "../../../engine/native/spawner.ts";
import { NativeWorkers } from "../../../engine/native/worker-client.ts";
import { Paths } from "../../../engine/store/paths.ts";
import { makeTar } from "../../helpers/tar.ts";

const [directory = "", program = "", seed = "0"] = process.argv.slice(2);
const paths = new Paths(`${directory}/data`, `${directory}/run`);
const spawner = await Spawner.start({ program, socket: `${directory}/run/child-${seed}.sock` });
const workers = new NativeWorkers(spawner);
const images = await Images.open({
  paths,
  workers,
  events: new Events(),
  log: silentLog,
  registries: DEFAULT_SETTINGS,
});
process.stdout.write("ready\n");

for (let round = 0; ; round++) {
  const name = `x:${seed}-${round}`;
  const files = Array.from({ length: 200 }, (_, at) => ({
    path: `d/${at}`,
    content: `${seed} ${round} ${at}`.repeat(50),
  }));
  await images.import(Readable.from([makeTar(files)]), { reference: parseReference(name) });
  await images.tag(name, "x:latest");
  const pieces: Buffer[] = [];
  for await (const piece of images.save([name])) pieces.push(piece as Buffer);
  await images.remove(name);
  await images.load(Readable.from([Buffer.concat(pieces)]), () => {});
  const upper = `${directory}/data/upper-${seed}-${round}`;
  mkdirSync(upper);
  writeFileSync(`${upper}/file`, `${seed} ${round}`);
  const { diffId } = await images.adoptLayer(upper);
  await images.createImage({ architecture: "amd64", os: "linux" }, [diffId], { tags: [`built:${seed}`] });
  if (round > 1) await images.remove(`x:${seed}-${round - 2}`);
}
