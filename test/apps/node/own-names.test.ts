import { expect, test } from "vitest";
import { machineAddresses } from "../../../src/apps/node/own-names.ts";

const at = (address: string) => [
  { address, netmask: "", family: "IPv4" as const, mac: "", internal: false, cidr: null },
];

test.each([
  ...["docker0", "docker_gwbridge", "br-0123456789ab", "virbr0", "veth1a2b3c4", "vnet0", "cni0"],
  ...["flannel.1", "cali12345678901", "cilium_host", "lxcbr0", "lxdbr0", "podman0"],
])("the network of containers and guests at %s is none that a node is known by", (name) => {
  expect(machineAddresses({ [name]: at("172.17.0.1"), eth0: at("192.0.2.1") })).toEqual([
    "192.0.2.1",
  ]);
});

test.each(["br0", "br-lan", "bond0", "enp3s0", "wlan0", "wg0", "tap0", "docker1net"])(
  "%s leads to others, and counts",
  (name) => {
    expect(machineAddresses({ [name]: at("192.0.2.1") })).toEqual(["192.0.2.1"]);
  },
);
