import { randomInt } from "node:crypto";

/** A name for a container that was given none, such as `brave_harbor`; `taken` says which are in use. */
export function randomName(
  taken: (name: string) => boolean,
  random: (below: number) => number = (below) => randomInt(below),
): string {
  const pick = (from: readonly string[]): string => from[random(from.length)] ?? "";
  for (let attempt = 0; attempt < 6; attempt++) {
    const name = `${pick(MANNERS)}_${pick(PLACES)}`;
    if (!taken(name)) return name;
  }
  // The lists run dry at some thousand containers; then a number tells them apart.
  for (;;) {
    const name = `${pick(MANNERS)}_${pick(PLACES)}${random(1_000_000)}`;
    if (!taken(name)) return name;
  }
}

/** Docker's rule for names; the slash that old clients put before it is not part of it. */
export function isName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(text);
}

const MANNERS =
  words(`able agile amber ample azure bold brave breezy bright brisk calm candid clear clever cosy crisp
  daring deft eager early easy even fair fast fearless fine firm fleet fond frank free fresh gentle glad golden good
  grand great green handy happy hardy hearty honest humble jolly keen kind lively loyal lucid lucky mellow merry mild
  neat nimble noble open patient plain polite prime proud quick quiet ready regal robust rosy serene sharp silver
  smart smooth snug sober solid sound steady sturdy sunny sure swift tender tidy trim true trusty vivid warm wise witty
  young zesty`);

const PLACES =
  words(`anchor atoll bay beacon beam bell berth boom bow bridge brig buoy cabin canal cape capstan cargo
  chart cleat coast compass coral cove creek crew current cutter davit deck delta dinghy dock dory drift ebb
  estuary fairway fathom ferry fjord fleet frigate gaff galley gangway gull gulf gunwale halyard harbor haven hawser
  helm horizon hull island jetty jib keel ketch kelp knot lagoon lanyard lantern ledge lighthouse line lock log mainsail
  marina mast mooring narrows oar ocean pier pilot plank port prow quay raft reef rigging river rope rudder sail sandbar
  schooner sea sextant shoal shore skiff slipway sloop sound spar spray starboard stern strait surf swell tide tiller
  topsail transom trawler tug voyage wake watch wave wharf winch yacht yard yawl`);

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
