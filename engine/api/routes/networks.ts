import type { Engine } from "../../engine.ts";
import type {
  CreateNetwork,
  EndpointRequest,
  NetworkContainer,
  NetworkRecord,
} from "../../networks/types.ts";
import type { Route } from "../router.ts";

interface ConnectRequest {
  readonly Container?: string;
  readonly EndpointConfig?: EndpointRequest | null;
}

interface DisconnectRequest {
  readonly Container?: string;
  readonly Force?: boolean;
}

export function networkRoutes({ networks, containers }: Pick<Engine, "networks" | "containers">): Route[] {
  return [
    {
      method: "GET",
      path: "/networks",
      async handle({ query }, reply) {
        reply.json(
          200,
          networks.list(query.filters()).map((network) => showNetwork(network, {})),
        );
      },
    },
    {
      method: "POST",
      path: "/networks/create",
      async handle(request, reply) {
        const { Id } = await networks.create(await request.json<CreateNetwork>());
        reply.json(201, { Id, Warning: "" });
      },
    },
    {
      method: "GET",
      path: "/networks/{id}",
      async handle({ params }, reply) {
        const network = networks.get(params["id"] ?? "");
        reply.json(200, showNetwork(network, Object.fromEntries(networks.containersOf(network.Id))));
      },
    },
    {
      method: "DELETE",
      path: "/networks/{id}",
      async handle({ params }, reply) {
        await networks.remove(params["id"] ?? "");
        reply.empty(204);
      },
    },
    {
      method: "POST",
      path: "/networks/{id}/connect",
      async handle(request, reply) {
        const { Container = "", EndpointConfig } = await request.json<ConnectRequest>();
        await containers.connect(Container, request.params["id"] ?? "", EndpointConfig ?? {});
        reply.empty(200);
      },
    },
    {
      method: "POST",
      path: "/networks/{id}/disconnect",
      async handle(request, reply) {
        const { Container = "", Force = false } = await request.json<DisconnectRequest>();
        await containers.disconnect(Container, request.params["id"] ?? "", Force);
        reply.empty(200);
      },
    },
    {
      method: "POST",
      path: "/networks/prune",
      async handle({ query }, reply) {
        const removed = await networks.prune(query.filters());
        // Docker's: a Go slice that nothing was added to.
        reply.json(200, { NetworksDeleted: removed.length > 0 ? removed : null });
      },
    },
  ];
}

/** A list never says who is on a network; `Containers` is empty there. */
export function showNetwork(network: NetworkRecord, containers: Readonly<Record<string, NetworkContainer>>) {
  const { Name, Id, Created, Driver, EnableIPv6, IPAM, Internal, Attachable, Options, Labels } = network;
  return {
    Name,
    Id,
    Created,
    Scope: "local",
    Driver,
    EnableIPv6,
    IPAM: { ...IPAM, Config: IPAM.Config.length > 0 ? IPAM.Config : null },
    Internal,
    Attachable,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: containers,
    Options,
    Labels,
  };
}
