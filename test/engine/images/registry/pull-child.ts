/** Pulls an image until it is killed. Its parent looks at what is left. */
import { Events } from "../../../../engine/events.ts";
import { Images } from "../../../../engine/images/images.ts";
import { DEFAULT_SETTINGS } from "../../../../engine/images/registry/settings.ts";
import { silentLog } from "../../../../engine/log.ts";
import { Spawner } from "../../../../engine/native/spawner.ts";
import { NativeWorkers } from "../../../../engine/native/worker-client.ts";
import { Paths } from "../../../../engine/store/paths.ts";

const [directory = "", program = "", name = ""] = process.argv.slice(2);
const paths = new Paths(`${directory}/data`, `${directory}/run`);
const spawner = await Spawner.start({ program, socket: `${directory}/run/child.sock` });
const workers = new NativeWorkers(spawner);
const registries = DEFAULT_SETTINGS;
const images = await Images.open({ paths, workers, events: new Events(), log: silentLog, registries });
await images.pull(name, {}, ({ status }) => process.stdout.write(`${status}\n`));
