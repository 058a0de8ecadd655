import { dependenciesOf, dependentsOf, type Edge, type Graph, namespaceModes } from "../graph/graph.ts";
import type { Service } from "../model/types.ts";
import { needsFiles } from "./body/mounts.ts";
import { networksOf } from "./definition.ts";
import { containerName } from "./names.ts";
import type { Observed, ObservedContainer } from "./observed.ts";
import type { ContainerTarget } from "./operations.ts";
import type { PlanOptions } from "./options.ts";
import type { PlanBuilder } from "./steps.ts";
import { planStopOf, subjectOf, targetOf } from "./stopping.ts";
import { judge } from "./verdict.ts";

/** What planning the networks and volumes has left for the services to wait for. */
export interface Foundations {
  readonly builder: PlanBuilder;
  /** Steps that make a network, by its name. */
  readonly networks: ReadonlyMap<string, number>;
  /** Steps that make a volume, by its key. */
  readonly volumes: ReadonlyMap<string, number>;
  /** Names of networks that are made anew: their containers are already planned to be removed. */
  readonly changedNetworks: ReadonlySet<string>;
  /** Ids of containers that are planned to be removed, with the step that does it. */
  readonly removed: ReadonlyMap<string, number>;
}

/**
 * Plans the containers of all services of the graph, dependencies first: everything is created, then started as the
 * conditions of `depends_on` allow.
 */
export class ServicePlanner {
  readonly #graph: Graph;
  readonly #observed: Observed;
  readonly #options: PlanOptions;
  readonly #ground: Foundations;
  readonly #builder: PlanBuilder;
  readonly #recreated = new Set<string>();
  readonly #created = new Map<string, number[]>(); // service → steps that create its containers
  readonly #started = new Map<string, number[]>(); // service → steps that start its containers
  readonly #inits = new Map<string, number>(); // service → its last `pre_start` step
  readonly #kept = new Set<string>(); // services with a container that runs on
  readonly #awaited = new Map<string, number>(); // `service condition` → step
  readonly #stopped = new Map<string, { readonly step: number; readonly why: string }>(); // container id → its stop

  constructor(graph: Graph, observed: Observed, options: PlanOptions, ground: Foundations) {
    this.#graph = graph;
    this.#observed = observed;
    this.#options = options;
    this.#ground = ground;
    this.#builder = ground.builder;
  }

  /** Plans one service; those it depends on must have been planned. */
  plan(name: string): void {
    const service = this.#graph.project.services[name]!;
    const existing = this.#tidied(service);
    const wanted = this.#options.scale[name] ?? service.scale ?? service.deploy?.replicas ?? 1;
    this.#created.set(name, []);
    this.#started.set(name, []);
    for (const container of existing.slice(wanted)) this.#remove(container, "more than asked for");
    for (const container of existing.slice(0, wanted)) this.#converge(service, container);
    let number = existing.at(-1)?.number ?? 0;
    for (let missing = existing.length; missing < wanted; missing++) this.#create(service, ++number);
  }

  #containersOf(service: string): readonly ObservedContainer[] {
    return this.#observed.containers.filter(
      (container) => container.service === service && !container.oneoff,
    );
  }

  /**
   * The service's containers, without what a replacement that was broken off has left: a new container under its
   * passing name is removed where the old one is still there, and gets the old one's name where that is gone.
   */
  #tidied(service: Service): readonly ObservedContainer[] {
    const all = this.#containersOf(service.name);
    const passing = all.filter(
      ({ name, number }) => /^[0-9a-f]{12}_/.test(name) && name.slice(13) === this.#nameOf(service, number),
    );
    const kept = all.filter((container) => !passing.includes(container));
    for (const container of passing) {
      const name = this.#nameOf(service, container.number);
      if (kept.some(({ number }) => number === container.number)) {
        this.#remove(container, "left over from a replacement that was broken off", false);
      } else {
        const why = "its replacement was broken off";
        this.#builder.step({ kind: "renameContainer", why, ...targetOf(container), name });
        kept.push({ ...container, name });
      }
    }
    return kept.sort((a, b) => a.number - b.number);
  }

  #remove(container: ObservedContainer, why: string, volumes = true): void {
    this.#builder.decide({ ...subjectOf(container), verdict: "remove", why });
    const stop = this.#stop(container, why);
    this.#builder.step({ kind: "removeContainer", why, ...targetOf(container), volumes }, [stop]);
  }

  #converge(service: Service, container: ObservedContainer): void {
    const named = this.#options.services.length === 0 || this.#options.services.includes(service.name);
    const policy = named ? this.#options.recreate : this.#options.recreateDependencies;
    const ground = {
      recreated: this.#recreated,
      changedNetworks: this.#ground.changedNetworks,
      named: this.#options.services.includes(service.name),
    };
    const judgement = judge(this.#graph, service, container, this.#observed, ground, policy);
    const stopped = this.#stopped.get(container.id);
    const decide = (verdict: "recreate" | "start" | "restart" | "keep", why: string): void => {
      this.#builder.decide({ ...subjectOf(container), verdict, why, changes: judgement.changes });
    };
    if (judgement.verdict === "recreate") {
      decide("recreate", judgement.why);
      this.#recreate(service, container, judgement.why);
    } else if (stopped) {
      decide("restart", stopped.why);
      this.#start(service, targetOf(container), stopped.why, [stopped.step], false);
    } else if (judgement.verdict === "start" && this.#options.start) {
      decide("start", judgement.why);
      if (container.state === "paused") {
        const step = this.#builder.step({
          kind: "unpauseContainer",
          why: judgement.why,
          ...targetOf(container),
        });
        this.#started.get(service.name)!.push(step);
      } else {
        // One that never ran may have been left without its files by an up that failed.
        const created = container.state === "created";
        this.#start(
          service,
          targetOf(container),
          judgement.why,
          created ? this.#files(service, targetOf(container)) : [],
          created,
        );
      }
    } else {
      if (container.state === "running") this.#kept.add(service.name);
      decide("keep", judgement.why);
    }
  }

  #create(service: Service, number: number): void {
    const id = `${service.name}-${number}`;
    const why = "absent";
    this.#builder.decide({ subject: "container", id, service: service.name, verdict: "create", why });
    const target = { service: service.name, number, container: this.#nameOf(service, number) };
    const create = this.#builder.step(
      { kind: "createContainer", why, ...target, name: target.container, carried: {} },
      this.#prerequisites(service),
    );
    this.#created.get(service.name)!.push(create);
    const ready = [create, ...this.#files(service, target, create)];
    if (this.#options.start) this.#start(service, target, why, ready, true);
  }

  /** The new container is made beside the old one, so that what cannot be made leaves the old one running. */
  #recreate(service: Service, old: ObservedContainer, why: string): void {
    this.#recreated.add(service.name);
    const name = this.#nameOf(service, old.number);
    const removed = this.#ground.removed.get(old.id);
    const beside = removed === undefined && old.name === name;
    const target = {
      service: service.name,
      number: old.number,
      container: beside ? `${old.id.slice(0, 12)}_${name}` : name,
    };
    const early = beside && this.#options.start && startsFirst(service, old);
    const turn = early ? this.#turnOf(service) : [];
    const create = this.#builder.step(
      {
        kind: "createContainer",
        why,
        ...target,
        name,
        carried: this.#options.renewVolumes ? {} : old.anonymous,
      },
      [...this.#prerequisites(service), ...(removed === undefined ? [] : [removed]), ...turn],
    );
    this.#created.get(service.name)!.push(create);
    const ready = [create, ...this.#files(service, target, create)];
    if (early) ready.push(this.#startEarly(service, target, why, ready));
    if (removed === undefined) {
      const dependents = this.#stopDependents(service);
      const stop = this.#stop(old, why, [...(early ? ready : [create]), ...dependents]);
      const volumes = this.#options.renewVolumes;
      ready.push(this.#builder.step({ kind: "removeContainer", why, ...targetOf(old), volumes }, [stop]));
    }
    const final = { ...target, container: name };
    if (beside) ready.push(this.#builder.step({ kind: "renameContainer", why, ...target, name }, ready));
    if (early) this.#started.get(service.name)!.push(ready.at(-1)!);
    else if (this.#options.start) this.#start(service, final, why, ready, true);
  }

  /**
   * With `update_config.order: start-first` the new container has to be ready before the old one is stopped.
   *
   * @returns the step after which it is ready
   */
  #startEarly(service: Service, target: ContainerTarget, why: string, after: readonly number[]): number {
    const conditions = dependenciesOf(this.#graph, service.name).flatMap((edge) => this.#condition(edge));
    const ready = this.#prepared(service, target, [...after, ...conditions]);
    const step = this.#builder.step({ kind: "startContainer", why, ...target }, ready);
    return this.#builder.step({ kind: "awaitContainer", why: "start-first", ...target }, [step]);
  }

  /** The replacements that have to be finished before one more may begin: `parallelism` of them go on at a time. */
  #turnOf(service: Service): readonly number[] {
    const { parallelism = 1 } = service.deploy?.update_config ?? {};
    const earlier = this.#started.get(service.name)!;
    return parallelism > 0 ? earlier.slice(0, Math.max(0, earlier.length - parallelism + 1)) : [];
  }

  /** The step that puts secrets and configs into a container, where it needs any. */
  #files(service: Service, target: ContainerTarget, create?: number): number[] {
    if (!needsFiles(this.#graph.project, service)) return [];
    const after = create === undefined ? [] : [create];
    return [this.#builder.step({ kind: "putFiles", why: "secrets and configs", ...target }, after)];
  }

  /**
   * The steps of `pre_start`, one after the other: once for a service that does not run, and for each container what is
   * `per_replica`. @returns what the start waits for
   */
  #prepared(service: Service, target: ContainerTarget, after: readonly number[]): readonly number[] {
    const known = this.#inits.get(service.name);
    let ready = known === undefined ? after : [...after, known];
    for (const [index, { per_replica }] of (service.pre_start ?? []).entries()) {
      if (!per_replica && (known !== undefined || this.#kept.has(service.name))) continue;
      ready = [this.#builder.step({ kind: "runInit", why: "pre_start", ...target, index }, ready)];
      this.#inits.set(service.name, ready[0]!);
    }
    return ready;
  }

  /** @param fresh its container has never run */
  #start(
    service: Service,
    target: ContainerTarget,
    why: string,
    after: readonly number[],
    fresh: boolean,
  ): void {
    const conditions = dependenciesOf(this.#graph, service.name).flatMap((edge) => this.#condition(edge));
    const ready = [...after, ...conditions];
    let step = this.#builder.step(
      { kind: "startContainer", why, ...target },
      fresh ? this.#prepared(service, target, ready) : ready,
    );
    // A service counts as started when its hooks have run.
    (service.post_start ?? []).forEach((_, index) => {
      step = this.#builder.step(
        { kind: "runHook", why: "post_start", ...target, when: "post_start", index },
        [step],
      );
    });
    this.#started.get(service.name)!.push(step);
  }

  /** The steps after which an edge's condition holds; none when it holds already. */
  #condition({ from, to, condition }: Edge): readonly number[] {
    const started = this.#started.get(to) ?? [];
    if (condition === "service_started") return started;
    const key = `${to} ${condition}`;
    const known = this.#awaited.get(key);
    if (known !== undefined) return [known];
    const fulfilled =
      condition === "service_healthy"
        ? (container: ObservedContainer) => container.state === "running" && container.health === "healthy"
        : (container: ObservedContainer) => container.state === "exited" && container.exitCode === 0;
    if (started.length === 0 && this.#containersOf(to).every(fulfilled)) return [];
    const step = this.#builder.step(
      { kind: "awaitService", why: `${from} needs it`, service: to, condition },
      started,
    );
    this.#awaited.set(key, step);
    return [step];
  }

  /** Containers that `restart: true` ties to a service that is replaced go down before it and come up after it. */
  #stopDependents(service: Service): readonly number[] {
    const steps: number[] = [];
    for (const { from, restart } of dependentsOf(this.#graph, service.name)) {
      if (!restart) continue;
      for (const container of this.#containersOf(from)) {
        if (container.state !== "running" || this.#ground.removed.has(container.id)) continue;
        const why = `${service.name} is recreated (depends_on.${service.name}.restart)`;
        const known = this.#stopped.get(container.id);
        const step = known?.step ?? this.#stop(container, why);
        if (!known) this.#stopped.set(container.id, { step, why });
        steps.push(step);
      }
    }
    return steps;
  }

  #stop(container: ObservedContainer, why: string, after: readonly number[] = []): number {
    const known = this.#stopped.get(container.id);
    if (known) return known.step;
    return planStopOf(this.#builder, this.#graph.project, container, why, this.#options.timeout, after);
  }

  #prerequisites(service: Service): readonly number[] {
    const networks = networksOf(this.#graph.project, service).map((name) => this.#ground.networks.get(name));
    const volumes = (service.volumes ?? []).map((mount) => this.#ground.volumes.get(mount.source ?? ""));
    const parents = [...namespaceModes(service), ...(service.volumes_from ?? [])].flatMap(
      (mode) => this.#created.get(mode.replace(/^service:/, "").split(":")[0]!) ?? [],
    );
    return [...networks, ...volumes, ...parents].filter((step) => step !== undefined);
  }

  #nameOf(service: Service, number: number): string {
    return containerName(this.#graph.project, service.name, number);
  }
}

/** Two containers can run side by side unless they need the same port of the machine. */
function startsFirst({ deploy, ports }: Service, old: ObservedContainer): boolean {
  const fixed = (ports ?? []).some(({ published }) => /^\d+$/.test(published ?? ""));
  return deploy?.update_config?.order === "start-first" && old.state === "running" && !fixed;
}
