/** What networks need of the machine, as engine/check.ts tells it. */
import type { Machine } from "./machine.ts";

export interface NetworkCheck {
  readonly name: string;
  readonly state: "ok" | "warn";
  readonly detail: string;
  readonly hint?: string;
}

export async function checkNetworks(
  machine: Pick<Machine, "hasNftables" | "hasDockerFirewall">,
): Promise<NetworkCheck[]> {
  const nftables = await machine.hasNftables();
  const docker = await machine.hasDockerFirewall();
  return [
    nftables
      ? { name: "nftables", state: "ok", detail: "the kernel has it" }
      : {
          name: "nftables",
          state: "warn",
          detail: "the kernel does not have it: containers cannot reach other machines",
          hint: "Load it: modprobe nf_tables.",
        },
    docker
      ? {
          name: "firewall",
          state: "warn",
          detail: "a Docker engine filters in this network namespace, and may drop what containers send out",
          hint: "If it does: iptables -I DOCKER-USER -i slipway0 -j ACCEPT; iptables -I DOCKER-USER -o slipway0 -j ACCEPT; the same for each br-….",
        }
      : { name: "firewall", state: "ok", detail: "no Docker engine filters here" },
  ];
}
