/**
 * Holds what the routes send to what `@types/dockerode` says, by types alone: this file compiles, or `tsc` names the
 * field. A field of dockerode's that differs is listed with what is wrong about it; one that only newer engines send,
 * beside it. Both lists are exact: a field that agrees by now, or that nobody sends, fails as well.
 */
import type Dockerode from "dockerode";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type * as Wire from "../../../engine/api/wire.ts";

/** As JSON gives it: nothing is readonly. */
type Json<T> = T extends readonly (infer Item)[]
  ? Json<Item>[]
  : T extends object
    ? { -readonly [K in keyof T]: Json<T[K]> }
    : T;

/** dockerode's fields that ours lack or that differ from ours. */
type Differing<Ours, Theirs> = {
  [K in keyof Theirs & string]-?: K extends keyof Ours
    ? Json<Ours[K]> extends Theirs[K]
      ? never
      : K
    : undefined extends Theirs[K]
      ? never
      : K;
}[keyof Theirs & string];

/** Fields of ours that dockerode's type does not know. */
type More<Ours, Theirs> = Exclude<keyof Ours & string, keyof Theirs>;

/**
 * Compiles only where exactly the listed fields differ.
 *
 * @param differs what dockerode's type has otherwise
 * @param newer what it does not know
 */
function agrees<Ours, Theirs>() {
  return <const D extends readonly string[], const N extends readonly string[]>(
    lists: { readonly differs: D; readonly newer: N } & Listed<D[number], Differing<Ours, Theirs>> &
      Listed<N[number], More<Ours, Theirs>>,
  ): number => lists.differs.length;
}

/** Nothing, or what is wrong with a list. */
type Listed<Has, Should> = [Should] extends [Has]
  ? [Has] extends [Should]
    ? unknown
    : { readonly "agrees by now": Exclude<Has, Should> }
  : { readonly "differs too": Exclude<Should, Has> };

const wire = suite("engine/api/wire");

wire("what the routes send is what dockerode's types say, but for what is listed", () => {
  const listed = [
    // A Date, which JSON has not; and components of one kind, where each program has its own.
    agrees<Wire.Version, Dockerode.DockerVersion>()({ differs: ["BuildTime", "Components"], newer: [] }),
    // A port that is exposed only has no address.
    agrees<Wire.ContainerSummary, Dockerode.ContainerInfo>()({ differs: ["Ports"], newer: [] }),
    agrees<Wire.ContainerInspect, Dockerode.ContainerInspectInfo>()({
      // Null where there are none; the storage driver's of long ago; fields that the API leaves optional.
      differs: ["ExecIDs", "GraphDriver", "Config", "HostConfig", "NetworkSettings"],
      newer: [],
    }),
    // `user` is left out where nobody is named.
    agrees<Wire.ExecInspect, Dockerode.ExecInspectInfo>()({ differs: ["ProcessConfig"], newer: [] }),
    // Null where there are none; gone since API 1.44.
    agrees<Wire.ImageSummary, Dockerode.ImageInfo>()({ differs: ["Labels", "VirtualSize"], newer: [] }),
    agrees<Wire.ImageInspect, Dockerode.ImageInspectInfo>()({
      // The container of an image, gone since API 1.45; the storage driver's of long ago; left out where nobody knows it.
      differs: ["Container", "ContainerConfig", "VirtualSize", "Config", "GraphDriver", "Created"],
      newer: ["Metadata"],
    }),
    // Null where no pool was asked for.
    agrees<Wire.NetworkInspect, Dockerode.NetworkInspectInfo>()({ differs: ["IPAM"], newer: [] }),
    // Null where there are none.
    agrees<Wire.VolumeInspect, Dockerode.VolumeInspectInfo>()({ differs: ["Labels"], newer: ["CreatedAt"] }),
  ];
  // This file compiles: the figure only makes sure that no line of the table goes unseen.
  assert.is(
    listed.reduce((sum, each) => sum + each, 0),
    19,
  );
});
wire.run();
